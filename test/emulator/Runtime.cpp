// Barriers, cp.async and the checks of memory accesses, as called by rewritten kernels.
#include "test/emulator/Runtime.h"
#include "test/emulator/Checker.h"
#include "test/emulator/Model.h"
#include "test/emulator/Mutate.h"
#include "test/emulator/Program.h"

#include <cstring>

namespace cnn::emulator {

namespace {
/// compiler-rt's conversions that host code for 16-bit types may call.
uint16_t truncateToBF16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return bits >> 16 | 0x40;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

void observe(Thread &thread, char *address, uint64_t bytes, uint32_t site) {
  Block &block = *thread.block;
  if (block.options.checker)
    block.options.checker->access(thread, address, bytes, site);
  if (block.options.model && !block.stacks.contains(address))
    block.options.model->access(thread, address, bytes, site);
}

/// Does a copy that was waited for.
void finishCopy(Thread &thread, const AsyncCopy &copy) {
  std::memcpy(copy.destination, copy.source, copy.sourceBytes);
  std::memset(copy.destination + copy.sourceBytes, 0, copy.bytes - copy.sourceBytes);
  if (Checker *checker = thread.block->options.checker)
    checker->finishCopy(thread, copy.destination, copy.bytes, copy.site);
}
} // namespace

extern "C" {

void cnnEmulatorAccess(Thread *thread, char *address, uint32_t site) {
  observe(*thread, address, thread->block->site(site).bytes, site);
}

void cnnEmulatorRange(Thread *thread, char *address, uint64_t bytes, uint32_t site) {
  if (bytes != 0)
    observe(*thread, address, bytes, site);
}

uint32_t cnnEmulatorBarrier(Thread *thread, uint32_t id, uint32_t count, uint32_t flags,
                            uint32_t predicate, uint32_t site) {
  thread->block->barrier(*thread, id, count, flags & Aligned, flags & ArriveOnly, predicate & 1,
                         site);
  return thread->barrierResult;
}

void cnnEmulatorCopyAsync(Thread *thread, char *destination, char *source, uint32_t bytes,
                          uint32_t sourceBytes, uint32_t site) {
  Block &block = *thread->block;
  if (sourceBytes > bytes)
    block.fail(*thread, LaunchFailed, "cp.async of more source bytes than it copies", site);
  if ((uintptr_t(destination) | uintptr_t(source)) % bytes != 0)
    block.fail(*thread, MisalignedAddress, "misaligned cp.async", site);
  if (Checker *checker = block.options.checker)
    checker->startCopy(*thread, destination, source, bytes, sourceBytes, site);
  if (Model *model = block.options.model)
    model->copy(*thread, destination, source, bytes, sourceBytes, site);
  thread->copies.push_back({destination, source, bytes, sourceBytes, thread->openGroup, site});
}

void cnnEmulatorCommit(Thread *thread) { ++thread->openGroup; }

void cnnEmulatorWait(Thread *thread, uint32_t groups) {
  // Group numbers count up, so that the copies to be done are the first ones.
  size_t done = 0;
  bool all = groups == ~0u;
  while (done < thread->copies.size() &&
         (all || thread->copies[done].group + groups < thread->openGroup))
    finishCopy(*thread, thread->copies[done++]);
  thread->copies.erase(thread->copies.begin(), thread->copies.begin() + done);
}

uint32_t cnnEmulatorTF32(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if ((bits & 0x7f800000) == 0x7f800000)
    return bits;
  return (bits + 0x1000) & 0xffffe000; // half away from zero
}

} // extern "C"

std::vector<std::pair<const char *, void *>> runtimeFunctions() {
  return {
      {"cnnEmulatorAccess", reinterpret_cast<void *>(cnnEmulatorAccess)},
      {"cnnEmulatorRange", reinterpret_cast<void *>(cnnEmulatorRange)},
      {"cnnEmulatorBarrier", reinterpret_cast<void *>(cnnEmulatorBarrier)},
      {"cnnEmulatorSyncWarp", reinterpret_cast<void *>(cnnEmulatorSyncWarp)},
      {"cnnEmulatorShuffle", reinterpret_cast<void *>(cnnEmulatorShuffle)},
      {"cnnEmulatorVote", reinterpret_cast<void *>(cnnEmulatorVote)},
      {"cnnEmulatorReduce", reinterpret_cast<void *>(cnnEmulatorReduce)},
      {"cnnEmulatorMatrix", reinterpret_cast<void *>(cnnEmulatorMatrix)},
      {"cnnEmulatorLoadMatrix", reinterpret_cast<void *>(cnnEmulatorLoadMatrix)},
      {"cnnEmulatorCopyAsync", reinterpret_cast<void *>(cnnEmulatorCopyAsync)},
      {"cnnEmulatorCommit", reinterpret_cast<void *>(cnnEmulatorCommit)},
      {"cnnEmulatorWait", reinterpret_cast<void *>(cnnEmulatorWait)},
      {"cnnEmulatorTF32", reinterpret_cast<void *>(cnnEmulatorTF32)},
      {"cnnEmulatorObserve", reinterpret_cast<void *>(cnnEmulatorObserve)},
      {"__truncsfbf2", reinterpret_cast<void *>(truncateToBF16)},
  };
}

} // namespace cnn::emulator
