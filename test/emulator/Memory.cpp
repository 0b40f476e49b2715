// Device and pinned memory.
#include "test/emulator/Memory.h"

#include <cstdlib>
#include <cstring>

namespace cnn::emulator {

namespace {
/// The driver's alignment. One more block between allocations keeps them apart.
constexpr size_t alignment = 256;

void *allocateBytes(size_t bytes) {
  return std::aligned_alloc(alignment, (bytes + 2 * alignment - 1) / alignment * alignment);
}
} // namespace

void Memory::configure(size_t capacity, bool trackWrites) {
  total = capacity;
  track = trackWrites;
}

Memory::~Memory() {
  for (auto &[address, allocation] : allocations)
    std::free(allocation.data);
  for (auto &[address, bytes] : pinned)
    std::free(reinterpret_cast<void *>(address));
}

Result Memory::allocate(size_t bytes, uint64_t &address) {
  if (bytes == 0)
    return InvalidValue;
  if (bytes > available())
    return OutOfMemory;
  Allocation allocation;
  allocation.bytes = bytes;
  allocation.data = static_cast<char *>(allocateBytes(bytes));
  if (!allocation.data)
    return OutOfMemory;
  std::memset(allocation.data, 0xff, bytes);
  if (track)
    allocation.written.assign(bytes, 0);
  used += bytes;
  address = reinterpret_cast<uint64_t>(allocation.data);
  allocations[address] = std::move(allocation);
  return Success;
}

Result Memory::release(uint64_t address) {
  auto found = allocations.find(address);
  if (found == allocations.end())
    return address ? InvalidValue : Success;
  used -= found->second.bytes;
  latest = nullptr;
  std::free(found->second.data);
  allocations.erase(found);
  return Success;
}

Allocation *Memory::find(uint64_t address, size_t bytes) {
  auto holds = [&](const Allocation &allocation) {
    uint64_t begin = reinterpret_cast<uint64_t>(allocation.data);
    return address >= begin && address - begin <= allocation.bytes &&
           bytes <= allocation.bytes - (address - begin);
  };
  if (latest && holds(*latest))
    return latest;
  auto after = allocations.upper_bound(address);
  if (after == allocations.begin() || !holds((--after)->second))
    return nullptr;
  return latest = &after->second;
}

void Memory::markWritten(uint64_t address, size_t bytes) {
  if (!track)
    return;
  if (Allocation *allocation = find(address, bytes)) {
    auto begin = allocation->written.begin() + (address - uint64_t(allocation->data));
    std::fill(begin, begin + bytes, 1);
  }
}

Result Memory::allocateHost(size_t bytes, void *&data) {
  data = bytes ? allocateBytes(bytes) : nullptr;
  if (!data)
    return bytes ? OutOfMemory : InvalidValue;
  pinned[reinterpret_cast<uint64_t>(data)] = bytes;
  return Success;
}

Result Memory::releaseHost(void *data) {
  if (!pinned.erase(reinterpret_cast<uint64_t>(data)))
    return InvalidValue;
  std::free(data);
  return Success;
}

bool Memory::isPinned(const void *data, size_t bytes) const {
  auto address = reinterpret_cast<uint64_t>(data);
  auto after = pinned.upper_bound(address);
  if (after == pinned.begin())
    return false;
  --after;
  return address + bytes <= after->first + after->second;
}

} // namespace cnn::emulator
