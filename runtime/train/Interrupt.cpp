// Signal handlers that reset themselves.
#include "runtime/train/Interrupt.h"

#include <csignal>

namespace cnn {

static volatile std::sig_atomic_t flag = 0;
static struct sigaction oldInterrupt, oldTerminate;

extern "C" {
static void raiseFlag(int) { flag = 1; }
}

InterruptGuard::InterruptGuard() {
  flag = 0;
  struct sigaction action = {};
  action.sa_handler = raiseFlag;
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART; // the second one kills
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &oldInterrupt);
  sigaction(SIGTERM, &action, &oldTerminate);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &oldInterrupt, nullptr);
  sigaction(SIGTERM, &oldTerminate, nullptr);
}

bool InterruptGuard::raised() { return flag != 0; }

} // namespace cnn
