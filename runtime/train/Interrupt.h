// Ctrl-C (SIGINT) and SIGTERM as a flag that the trainer asks between steps.
#ifndef CNNC_RUNTIME_TRAIN_INTERRUPT_H
#define CNNC_RUNTIME_TRAIN_INTERRUPT_H

namespace cnn {

/// While one lives, the first SIGINT or SIGTERM only sets the flag; the second one ends the process
/// as usual. Make one at a time.
class InterruptGuard {
public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard &) = delete;
  InterruptGuard &operator=(const InterruptGuard &) = delete;

  static bool raised();
};

} // namespace cnn

#endif
