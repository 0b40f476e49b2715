//===- Prefetch.cpp - What to ask for before it is used --------------------------------------===//
//
// Weights that the second cache does not hold come once for every tile. A processor follows streams
// by itself, but not far enough ahead, not beyond a page, and not from one tile to the next. Where
// a tile's part of an operand is small enough to be kept until it is used, all of the next tile's
// is asked for meanwhile; of longer ones, what is used some 500 cycles later.
//
// Measured on a Zen 5, products of Winograd's algorithm with 26 MB of weights: 0.76 ms without,
// 0.49 with the next tile's. Asking for it as the rows are read, 2 KB apart, took 0.73: it falls on
// two sets of the first cache.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/Schedules.h"

using namespace mlir;
using namespace mlir::cnn;

bool ScheduleSpace::isBeyondSecond(RankedTensorType type) const {
  return type.getNumElements() * type.getElementTypeBitWidth() / 8 > machine.level2;
}

/// What a tile reads of an operand: how many elements, and how many from the first to the last.
std::pair<int64_t, int64_t> ScheduleSpace::getExtent(const NestSchedule &schedule,
                                                     const TensorAccess &access) const {
  int64_t count = classify(access, schedule.vector) == Stride::Zero ? 1 : lanes, span = count;
  for (unsigned dim = 0; dim < info.nest.getNumDims(); ++dim) {
    int64_t step = getStep(schedule, access, dim);
    if (step == 0)
      continue;
    int64_t units = info.nest.isParallel(dim) ? schedule.tile[dim] : getUnits(dim, schedule.vector);
    count *= units;
    span += (units - 1) * step * 8 / access.type.getElementTypeBitWidth();
  }
  return {count, span};
}

/// Elements from what a tile of a product reads of an operand to what the next one reads: 0 where
/// these are the same, or so many that the second cache would not keep them until then.
int64_t ScheduleSpace::getNextTile(const NestSchedule &schedule, const TensorAccess &access) const {
  constexpr int64_t most = 8, mostTurns = 2; // tiles that share the second cache; turns on one tile
  int64_t bytes = access.type.getElementTypeBitWidth() / 8, turns = 1;
  if (!isProduct() || getExtent(schedule, access).first * bytes > machine.level2 / most)
    return 0;
  for (int64_t dim : llvm::reverse(ArrayRef(schedule.order).take_front(info.nest.numParallel))) {
    int64_t steps = getSteps(schedule, dim), step = getStep(schedule, access, dim);
    if (steps > 1 && step != 0)
      return turns > mostTurns ? 0 : step * schedule.tile[dim] / bytes;
    turns *= steps;
  }
  return 0;
}

/// Whether a tile reads one part of an operand from beyond the second cache, and the next tile not
/// the part behind it.
bool ScheduleSpace::jumps(const NestSchedule &schedule) const {
  return llvm::any_of(accesses, [&](const TensorAccess &access) {
    if (access.store || access.pooled || !isBeyondSecond(access.type))
      return false;
    auto [count, span] = getExtent(schedule, access);
    int64_t next = getNextTile(schedule, access);
    return count == span && next > 0 && next != count;
  });
}

/// What comes from beyond the second cache where the processor does not see by itself what comes:
/// in one long stream (it follows several at once, each not far enough ahead, and not beyond a
/// page), or in steps of more than 2 KB. It should be asked for some 500 cycles ahead; two
/// multiply-adds take one. What the next tile reads is asked for as a whole.
int64_t ScheduleSpace::getPrefetch(const NestSchedule &schedule, ArrayRef<LinearForm> forms,
                                   RankedTensorType type,
                                   function_ref<bool(int64_t)> isEdge) const {
  constexpr int64_t longStep = 2048, cycles = 500;
  const int64_t bytes = type.getElementTypeBitWidth() / 8;
  if (!isBeyondSecond(type))
    return 0;
  // The innermost loop of more than a few steps, and the cycles that a step takes.
  double body = getPoints(schedule) * getShareInside(schedule) / 2;
  int64_t dim = -1;
  for (int64_t d : llvm::reverse(ArrayRef(schedule.order).drop_front(info.nest.numParallel))) {
    if (double steps = getSteps(schedule, d); steps <= 4) {
      body *= steps;
      continue;
    }
    dim = d;
    break;
  }
  if (dim < 0)
    return 0;
  TensorAccess access{SmallVector<LinearForm>(forms), type, false, false};
  setStrides(access, info.nest.getNumDims(), lanes);
  Stride stride = classify(access, schedule.vector);
  // Elements that all lanes share lie close together along the other dimensions: with the first and
  // the last come all. In blocks, one line serves as many steps as the block has elements.
  if (dim == schedule.vector || stride == Stride::Strided ||
      (stride == Stride::Zero && (!isEdge(dim) || getLayoutOf(type).getBlock() > 1)))
    return 0;
  int64_t step = access.strides[dim] * schedule.tile[dim];
  int64_t steps = std::clamp<int64_t>(static_cast<int64_t>(cycles / body), 1, 16);
  if (stride == Stride::Unit && access.strides[dim] == lanes * bytes) {
    int64_t next = getNextTile(schedule, access);
    return next > 0 ? next : 4096 / bytes;
  }
  return std::abs(step) >= longStep ? step * steps / bytes : 0;
}

std::optional<ScheduleSpace::SharedRows> ScheduleSpace::getSharedRows(const NestSchedule &schedule,
                                                                      ArrayRef<LinearForm> forms,
                                                                      RankedTensorType type) const {
  constexpr double fewestBytes = 2; // for each cycle
  const int64_t bytes = type.getElementTypeBitWidth() / 8;
  if (!isProduct() || schedule.vector >= info.nest.numParallel || !isBeyondSecond(type) ||
      getLayoutOf(type).getBlock() > 1)
    return std::nullopt;
  TensorAccess access{SmallVector<LinearForm>(forms), type, false, false};
  setStrides(access, info.nest.getNumDims(), lanes);
  const unsigned reduced = info.nest.numParallel;
  if (classify(access, schedule.vector) != Stride::Zero || access.strides[reduced] != bytes)
    return std::nullopt;
  auto [count, span] = getExtent(schedule, access);
  if (count != span)
    return std::nullopt;
  double points = 1;
  for (int64_t tile : ArrayRef(schedule.tile).take_front(reduced))
    points *= static_cast<double>(tile);
  SharedRows rows;
  rows.count = count / info.nest.sizes[reduced];
  if (2 * static_cast<double>(rows.count * bytes) / points < fewestBytes)
    return std::nullopt;
  rows.ahead = getNextTile(schedule, access);
  rows.perLine = Machine::lineBytes / bytes;
  return rows.ahead > 0 ? std::optional(rows) : std::nullopt;
}
