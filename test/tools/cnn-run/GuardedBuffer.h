// Memory between pages that cannot be touched: code that reads or writes behind its end, or a
// page before its start, stops with a message that names the buffer.
#ifndef CNNC_TEST_TOOLS_CNN_RUN_GUARDEDBUFFER_H
#define CNNC_TEST_TOOLS_CNN_RUN_GUARDEDBUFFER_H

#include <cstdint>
#include <string>

class GuardedBuffer {
public:
  /// `bytes` bytes, aligned to CNN_ALIGNMENT, whose end rounded up to that is the end of the page.
  /// All bits are set, so that what is not written shows. `what` is for messages. Ends the program
  /// when there is no memory.
  GuardedBuffer(uint64_t bytes, std::string what);
  GuardedBuffer(GuardedBuffer &&other) noexcept;
  GuardedBuffer(const GuardedBuffer &) = delete;
  ~GuardedBuffer();

  char *data() const { return start; }
  /// Whether the bytes between the end and the page's, and those before the start, are as they
  /// were.
  bool isIntact() const;

private:
  char *mapping = nullptr, *start = nullptr;
  uint64_t bytes, mapped = 0;
  std::string what;
};

#endif
