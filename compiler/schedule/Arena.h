//===- Arena.h - Offsets for buffers by their lifetimes --------------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_ARENA_H
#define CNNC_COMPILER_SCHEDULE_ARENA_H

#include <cstdint>
#include <string>
#include <vector>

namespace mlir::cnn {

/// One buffer of an arena: `bytes` that are in use from step `first` to step `last`, both included.
struct ArenaBuffer {
  std::string name;
  int64_t bytes = 0;
  int64_t first = 0, last = 0;
  int64_t offset = -1;
};

/// Gives every buffer an offset, a multiple of `alignment`, such that buffers in use at the same
/// time do not meet. Largest first, each into the lowest gap that holds it; where that takes more
/// than `getPeak`, again with what lay at the end in front, a number of times. Returns the size of
/// the smallest arena found.
int64_t planArena(std::vector<ArenaBuffer> &buffers, int64_t alignment);

/// The largest sum of the sizes (rounded up to `alignment`) of buffers in use at one time: no plan
/// can be smaller.
int64_t getPeak(const std::vector<ArenaBuffer> &buffers, int64_t alignment);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_ARENA_H
