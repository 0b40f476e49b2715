//===- Arena.cpp - Offsets for buffers by their lifetimes ------------------------------------===//

#include "compiler/schedule/Arena.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace mlir::cnn;

/// How often a plan is made again that is larger than what is in use at one time, by more than a
/// thousandth.
static constexpr int mostTries = 64;

static int64_t getEnd(const ArenaBuffer *buffer, int64_t alignment) {
  return buffer->offset + llvm::alignTo(buffer->bytes, alignment);
}

/// Places the buffers in this order, each into the lowest gap that holds it; returns the size.
static int64_t place(const std::vector<ArenaBuffer *> &order, int64_t alignment) {
  std::vector<ArenaBuffer *> placed, meeting;
  int64_t total = 0;
  for (ArenaBuffer *buffer : order) {
    int64_t bytes = llvm::alignTo(buffer->bytes, alignment);
    // Those alive at the same time, by offset; the first gap between them that is large enough.
    meeting.clear();
    for (ArenaBuffer *other : placed)
      if (other->first <= buffer->last && buffer->first <= other->last)
        meeting.push_back(other);
    llvm::sort(meeting, [](ArenaBuffer *a, ArenaBuffer *b) { return a->offset < b->offset; });
    int64_t offset = 0;
    for (ArenaBuffer *other : meeting) {
      if (offset + bytes <= other->offset)
        break;
      offset = std::max(offset, getEnd(other, alignment));
    }
    buffer->offset = offset;
    total = std::max(total, offset + bytes);
    placed.push_back(buffer);
  }
  return total;
}

int64_t mlir::cnn::planArena(std::vector<ArenaBuffer> &buffers, int64_t alignment) {
  std::vector<ArenaBuffer *> order;
  for (ArenaBuffer &buffer : buffers)
    order.push_back(&buffer);
  llvm::sort(order, [](ArenaBuffer *a, ArenaBuffer *b) {
    return std::make_pair(-a->bytes, a) < std::make_pair(-b->bytes, b);
  });
  int64_t peak = getPeak(buffers, alignment), best = place(order, alignment);
  std::vector<int64_t> offsets;
  auto keep = [&] {
    offsets.clear();
    for (ArenaBuffer &buffer : buffers)
      offsets.push_back(buffer.offset);
  };
  keep();
  int64_t total = best;
  for (int tries = 0; tries < mostTries && best > peak + peak / 1000; ++tries) {
    // Whatever lies at the end is placed first.
    auto last = llvm::find_if(
        order, [&](ArenaBuffer *buffer) { return getEnd(buffer, alignment) == total; });
    std::rotate(order.begin(), last, last + 1);
    total = place(order, alignment);
    if (total < best) {
      best = total;
      keep();
    }
  }
  for (auto [buffer, offset] : llvm::zip(buffers, offsets))
    buffer.offset = offset;
  return best;
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
