// Device memory and pinned host memory of the stand-in driver. Both are plain host memory; what is
// kept beside it says where allocations begin and end and which bytes were ever written.
#ifndef CNNC_TEST_EMULATOR_MEMORY_H
#define CNNC_TEST_EMULATOR_MEMORY_H

#include "test/emulator/Result.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace cnn::emulator {

/// One allocation of device memory.
struct Allocation {
  char *data = nullptr;
  size_t bytes = 0;
  /// Checked mode: 1 for each byte that a copy, a fill or a kernel has written; else empty.
  std::vector<uint8_t> written;
};

class Memory {
public:
  /// `capacity`: bytes that may be allocated in all. `track`: note which bytes were written.
  void configure(size_t capacity, bool track);
  ~Memory();

  /// Memory filled with 0xff (NaN as f32), aligned to exactly 256 bytes.
  Result allocate(size_t bytes, uint64_t &address);
  Result release(uint64_t address);

  /// The allocation that holds [address, address + bytes), or null.
  Allocation *find(uint64_t address, size_t bytes);
  void markWritten(uint64_t address, size_t bytes);

  Result allocateHost(size_t bytes, void *&data);
  Result releaseHost(void *data);
  /// Whether all of it is pinned: copies of such memory are asynchronous.
  bool isPinned(const void *data, size_t bytes) const;

  size_t capacity() const { return total; }
  size_t available() const { return total - used; }
  /// The allocations in order of address.
  const std::map<uint64_t, Allocation> &all() const { return allocations; }

private:
  size_t total = 0, used = 0;
  bool track = false;
  std::map<uint64_t, Allocation> allocations;
  Allocation *latest = nullptr; // what `find` found last
  std::map<uint64_t, size_t> pinned;
};

} // namespace cnn::emulator

#endif
