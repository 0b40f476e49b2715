//===- Arena.cpp - Offsets for buffers by their lifetimes ------------------------------------===//

#include "compiler/schedule/Arena.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace mlir::cnn;

int64_t mlir::cnn::planArena(std::vector<ArenaBuffer> &buffers, int64_t alignment) {
  std::vector<ArenaBuffer *> order;
  for (ArenaBuffer &buffer : buffers)
    order.push_back(&buffer);
  std::stable_sort(order.begin(), order.end(),
                   [](ArenaBuffer *a, ArenaBuffer *b) { return a->bytes > b->bytes; });
  std::vector<ArenaBuffer *> placed;
  int64_t total = 0;
  for (ArenaBuffer *buffer : order) {
    int64_t bytes = llvm::alignTo(buffer->bytes, alignment);
    // Those alive at the same time, by offset; the first gap between them that is large enough.
    std::vector<ArenaBuffer *> meeting;
    for (ArenaBuffer *other : placed)
      if (other->first <= buffer->last && buffer->first <= other->last)
        meeting.push_back(other);
    llvm::sort(meeting, [](ArenaBuffer *a, ArenaBuffer *b) { return a->offset < b->offset; });
    int64_t offset = 0;
    for (ArenaBuffer *other : meeting) {
      if (offset + bytes <= other->offset)
        break;
      offset = std::max<int64_t>(offset, other->offset + llvm::alignTo(other->bytes, alignment));
    }
    buffer->offset = offset;
    total = std::max(total, offset + bytes);
    placed.push_back(buffer);
  }
  return total;
}

int64_t mlir::cnn::getPeak(const std::vector<ArenaBuffer> &buffers, int64_t alignment) {
  int64_t peak = 0;
  for (const ArenaBuffer &at : buffers) {
    int64_t sum = 0;
    for (const ArenaBuffer &other : buffers)
      if (other.first <= at.first && at.first <= other.last)
        sum += llvm::alignTo(other.bytes, alignment);
    peak = std::max(peak, sum);
  }
  return peak;
}
