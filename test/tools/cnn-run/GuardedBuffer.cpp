// Mappings, and a handler that tells whose guard page was hit.
#include "GuardedBuffer.h"

#include "runtime/abi/cnn_abi.h"

#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>

namespace {
/// What the handler may look at: plain memory, filled before compiled code runs.
struct Guard {
  const char *begin, *end;
  char what[96];
};
constexpr int mostGuards = 4096;
Guard guards[mostGuards];
int numGuards = 0;

void onFault(int signal, siginfo_t *info, void *) {
  const char *address = static_cast<const char *>(info->si_addr);
  for (int i = 0; i < numGuards; ++i)
    if (address >= guards[i].begin && address < guards[i].end) {
      char text[192];
      int length =
          snprintf(text, sizeof(text), "cnn-run: error: compiled code reached outside of %s\n",
                   guards[i].what);
      (void)!write(2, text, static_cast<size_t>(length));
      _exit(1);
    }
  ::signal(signal, SIG_DFL); // another fault: as without us
}

void addGuard(const char *begin, const char *end, const std::string &what) {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action = {};
    action.sa_sigaction = onFault;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, nullptr);
    sigaction(SIGBUS, &action, nullptr);
  });
  if (numGuards == mostGuards)
    return; // a hit still stops the program
  Guard &guard = guards[numGuards++];
  guard.begin = begin;
  guard.end = end;
  snprintf(guard.what, sizeof(guard.what), "%s", what.c_str());
}

constexpr unsigned char padding = 0xa5;
/// On each side: as far as code goes that takes a buffer for a much larger one. Costs no memory.
constexpr uint64_t guardBytes = 16 << 20;
} // namespace

GuardedBuffer::GuardedBuffer(uint64_t bytes, std::string what)
    : bytes(bytes), what(std::move(what)) {
  const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  uint64_t rounded = (bytes + CNN_ALIGNMENT - 1) / CNN_ALIGNMENT * CNN_ALIGNMENT;
  uint64_t inner = (rounded + page - 1) / page * page;
  mapped = inner + 2 * guardBytes;
  void *made = mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (made == MAP_FAILED ||
      (inner && mprotect(static_cast<char *>(made) + guardBytes, inner, PROT_READ | PROT_WRITE))) {
    perror("cnn-run: mmap");
    std::exit(1);
  }
  mapping = static_cast<char *>(made);
  start = mapping + guardBytes + inner - rounded;
  std::memset(mapping + guardBytes, padding, inner);
  std::memset(start, 0xff, bytes);
  addGuard(mapping, mapping + guardBytes, this->what);
  addGuard(mapping + guardBytes + inner, mapping + mapped, this->what);
}

GuardedBuffer::GuardedBuffer(GuardedBuffer &&other) noexcept
    : mapping(std::exchange(other.mapping, nullptr)), start(other.start), bytes(other.bytes),
      mapped(other.mapped), what(std::move(other.what)) {}

GuardedBuffer::~GuardedBuffer() {
  // The address space stays taken, so that a late write still faults.
  if (mapping)
    mprotect(mapping, mapped, PROT_NONE);
}

bool GuardedBuffer::isIntact() const {
  auto intact = [](const char *begin, const char *end) {
    for (const char *at = begin; at < end; ++at)
      if (static_cast<unsigned char>(*at) != padding)
        return false;
    return true;
  };
  return intact(mapping + guardBytes, start) &&
         intact(start + bytes, mapping + mapped - guardBytes);
}
