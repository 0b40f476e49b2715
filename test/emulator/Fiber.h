// Switching between the threads of an emulated block, each on a stack of its own.
#ifndef CNNC_TEST_EMULATOR_FIBER_H
#define CNNC_TEST_EMULATOR_FIBER_H

#include <cstddef>
#include <vector>

namespace cnn::emulator {

/// Stacks of one size, mapped when first used, each with a page below it that may not be touched.
class Stacks {
public:
  Stacks() = default;
  Stacks(const Stacks &) = delete;
  Stacks &operator=(const Stacks &) = delete;
  ~Stacks();

  /// Takes a free stack; its number is for `top` and `release`.
  unsigned take();
  void release(unsigned number) { free.push_back(number); }
  void releaseAll();

  /// The end of a stack, where a fiber starts; the ends lie in different cache sets.
  char *top(unsigned number) const;
  /// Whether an address lies in any of the stacks: a thread's local memory.
  bool contains(const char *address) const;

  static constexpr size_t stackBytes = 256 << 10;

private:
  static constexpr unsigned perChunk = 64;
  std::vector<char *> chunks;
  std::vector<unsigned> free;
};

/// Makes a stack on which `entry` runs when it is switched to. `entry` must not return.
void *prepareFiber(char *top, void (*entry)());

/// Saves the registers that a call keeps on the current stack, its pointer in `save`, and goes on
/// at `to`, which such a switch or prepareFiber left.
extern "C" void cnnEmulatorSwitch(void **save, void *to);

} // namespace cnn::emulator

#endif
