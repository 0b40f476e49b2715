// Aligned memory, and how much of it there is.
#include "runtime/core/Buffer.h"

#include "runtime/abi/cnn_abi.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace cnn {

AlignedBuffer::AlignedBuffer(AlignedBuffer &&other) noexcept
    : memory(std::exchange(other.memory, nullptr)), bytes(std::exchange(other.bytes, 0)) {}

AlignedBuffer &AlignedBuffer::operator=(AlignedBuffer &&other) noexcept {
  std::swap(memory, other.memory);
  std::swap(bytes, other.bytes);
  return *this;
}

AlignedBuffer::~AlignedBuffer() { std::free(memory); }

Result<AlignedBuffer> AlignedBuffer::allocate(uint64_t bytes, const std::string &what) {
  // Linux grants more than it has and kills the process later; refuse while a message is possible.
  if (uint64_t limit = machineMemory(); bytes > limit)
    return Status::failure(formatText("%s needs %s, and this machine has %s of memory",
                                      what.c_str(), bytesText(bytes).c_str(),
                                      bytesText(limit).c_str()))
        .withHint("use a smaller batch");
  constexpr size_t hugePage = 2 << 20;
  size_t alignment = bytes >= hugePage ? hugePage : CNN_ALIGNMENT;
  size_t padded = std::max<size_t>((bytes + CNN_ALIGNMENT - 1) / CNN_ALIGNMENT, 1) * CNN_ALIGNMENT;
  AlignedBuffer buffer;
  if (posix_memalign(&buffer.memory, alignment, padded) != 0) {
    buffer.memory = nullptr;
    return Status::failure(formatText("%s: the system refuses %s of memory", what.c_str(),
                                      bytesText(bytes).c_str()))
        .withHint("use a smaller batch, or stop other programs");
  }
  if (bytes >= hugePage)
    madvise(buffer.memory, padded, MADV_HUGEPAGE); // A wish; refusal costs speed only.
  std::memset(buffer.memory, 0, padded);
  buffer.bytes = bytes;
  return buffer;
}

/// The number in the file at `path`, or `fallback` when there is none ("max" means no limit).
static uint64_t readLimit(const char *path, uint64_t fallback) {
  unsigned long long limit = 0;
  std::FILE *file = std::fopen(path, "re");
  if (!file)
    return fallback;
  bool found = std::fscanf(file, "%llu", &limit) == 1;
  std::fclose(file);
  return found ? limit : fallback;
}

uint64_t machineMemory() {
  static const uint64_t memory = [] {
    uint64_t physical = uint64_t(sysconf(_SC_PHYS_PAGES)) * uint64_t(sysconf(_SC_PAGESIZE));
    // Control groups, version 2 and 1.
    physical = std::min(physical, readLimit("/sys/fs/cgroup/memory.max", physical));
    return std::min(physical, readLimit("/sys/fs/cgroup/memory/memory.limit_in_bytes", physical));
  }();
  return memory;
}

std::string bytesText(uint64_t bytes) {
  if (bytes < 1024)
    return formatText("%llu bytes", (unsigned long long)bytes);
  const char *units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = double(bytes) / 1024;
  size_t unit = 0;
  for (; value >= 1024 && unit < 5; ++unit)
    value /= 1024;
  return formatText("%.1f %s", value, units[unit]);
}

} // namespace cnn
