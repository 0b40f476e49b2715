//===- GpuBandwidth.cpp - Schedules of groups that memory limits, on a GPU -------------------===//
//
// The algorithms point and reduce: how many neighbours a thread has, and how many threads share one
// element of the result.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/GpuSchedule.h"
#include "compiler/schedule/Strides.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace mlir::cnn;

/// So many threads keep the smallest GPU of today busy; with fewer results than that, threads share
/// the work of one.
static constexpr int64_t busyThreads = 8192;
/// A sum of fewer points is not worth a block of threads, several threads, or, where the points are
/// neighbours in memory, a warp.
static constexpr int64_t leastOfBlock = 256, leastShared = 64, leastRow = 32;
/// Bytes of the widest access of a thread.
static constexpr int64_t widestAccess = 16;

/// The last of the reduced dimensions `order` along which a read of a tensor goes through
/// neighbours, one behind the other: how many there are.
static unsigned countRun(const Nest &nest, ArrayRef<unsigned> order, const GroupInfo::Read &read,
                         RankedTensorType type) {
  unsigned run = 0;
  for (int64_t at : llvm::reverse(getLayoutOf(type).getOrder())) {
    int64_t next = run < order.size() ? order[order.size() - 1 - run] : -1;
    if (next >= 0 && read.forms[at].getSingleDim() == next &&
        nest.sizes[next] == type.getDimSize(at))
      ++run;
    else if (type.getDimSize(at) != 1)
      break;
  }
  return run;
}

void GpuScheduleSpace::findRun(GroupOp group) {
  const Nest &nest = info.nest;
  numRun = 0;
  readsRows = true;
  for (const GroupInfo::Read &read : info.getReads()) {
    auto isReduced = [&](const LinearForm &form) {
      for (unsigned dim = nest.numParallel; dim < nest.getNumDims(); ++dim)
        if (form.uses(dim))
          return true;
      return false;
    };
    if (read.pooled || llvm::none_of(read.forms, isReduced))
      continue;
    unsigned run = countRun(nest, reducedOrder, read, getTensor(group.getInputs()[read.argument]));
    readsRows &= run > 0;
    numRun = std::max(numRun, run);
  }
  readsRows &= numRun > 0;
}

int64_t GpuScheduleSpace::getRunPoints() const {
  int64_t points = 1;
  for (unsigned dim : ArrayRef(reducedOrder).take_back(numRun))
    points *= info.nest.sizes[dim];
  return points;
}

/// The elements of the result that fit the widest access.
int64_t GpuScheduleSpace::getWidestVector() const {
  Type element = getTensor(info.anchor->getResult(0)).getElementType();
  int64_t bytes = llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
  return std::min<int64_t>(widestAccess / bytes, 4);
}

/// Whether threads should share sums whose points lie side by side with those of other results: so
/// many results have a thread each, and sums of fewer points are not worth a barrier.
bool GpuScheduleSpace::isWorthColumns() const {
  constexpr int64_t manyResults = 16 * busyThreads;
  return readsColumns && numResults < manyResults && numReduced >= leastRow;
}

bool GpuScheduleSpace::isWorthSharing() const {
  if (readsColumns)
    return isWorthColumns();
  return (numResults < busyThreads && numReduced >= leastShared) ||
         (readsRows && numReduced >= leastRow);
}

GpuSchedule GpuScheduleSpace::getPointDefault() const {
  GpuSchedule schedule;
  schedule.algorithm = "point";
  schedule.block = 256;
  // Threads with a long way to go have one element each, so that there are more of them.
  constexpr int64_t mostPoints = 16;
  int64_t points = llvm::product_of(info.nest.sizes);
  int64_t vector = getWidestVector();
  if (points / numResults > mostPoints || numResults / vector < busyThreads)
    return schedule;
  schedule.vector = vector;
  // Threads are numbered by the parallel dimensions: where a result's index is made of two of them
  // (places and windows), neighbours are known as such only within a row.
  RankedTensorType type = getTensor(info.anchor->getResult(0));
  if (!info.nest.scatter && llvm::any_of(info.getResultForms(), [](const LinearForm &form) {
        return form.getSingleDim() < 0;
      }))
    schedule.vector = std::gcd(vector, type.getDimSize(getLayoutOf(type).getOrder().back()));
  return schedule;
}

GpuSchedule GpuScheduleSpace::getReduceDefault() const {
  GpuSchedule schedule;
  schedule.algorithm = "reduce";
  schedule.block = 256;
  if (isWorthColumns()) {
    int64_t neighbours = info.nest.sizes[order.back()];
    while (neighbours % (2 * schedule.vector) == 0 && schedule.vector < getWidestVector())
      schedule.vector *= 2;
    // Threads beside each other read whole sectors; more of them leave fewer blocks.
    constexpr int64_t leastAcross = 4, mostAcross = 16, manyBlocks = 512, leastPoints = 4;
    auto across = static_cast<int64_t>(
        llvm::bit_floor(static_cast<uint64_t>(std::min(neighbours / schedule.vector, mostAcross))));
    while (across > leastAcross && numResults / (across * schedule.vector) < manyBlocks &&
           numReduced * across >= 2 * leastPoints * schedule.block)
      across /= 2;
    int64_t sharing = std::min<int64_t>(schedule.block / across,
                                        llvm::bit_floor(static_cast<uint64_t>(numReduced)));
    schedule.tile = {sharing, schedule.block / sharing};
    return schedule;
  }
  if (int64_t vector = getWidestVector();
      numRun > 0 && getRunPoints() % vector == 0 && numReduced / vector >= warpSize)
    schedule.vector = vector;
  // A warp for each result, a block where there are few of them or many points, the largest block
  // where both is so.
  constexpr int64_t fewResults = 1024, manyPoints = 8192;
  bool few = numResults <= fewResults;
  if (numReduced < (few ? leastOfBlock * schedule.vector : manyPoints))
    schedule.tile = {warpSize};
  else if (numResults <= fewResults / 8 && numReduced >= 4 * manyPoints)
    schedule.block = mostThreads;
  return schedule;
}

LogicalResult GpuScheduleSpace::verifyShares(const GpuSchedule &schedule,
                                             function_ref<InFlightDiagnostic()> emitError) const {
  if (schedule.vector != 1 && schedule.vector != 2 && schedule.vector != getWidestVector())
    return emitError() << "a thread has 1, 2 or " << getWidestVector()
                       << " neighbours of this type, not " << schedule.vector;
  if (schedule.algorithm == "point") {
    if (!schedule.tile.empty())
      return emitError() << "algorithm 'point' has no tile";
    return success();
  }
  if (schedule.block < warpSize)
    return emitError() << "a block of " << schedule.block << " threads is less than a warp of "
                       << warpSize << ", in which threads add up their sums";
  if (schedule.tile.size() > 2)
    return emitError()
           << "the tile of a reduction is the number of threads that share one element, "
              "and of those that have neighbours of it";
  int64_t threads = schedule.getSharing();
  if (int64_t across = schedule.getAcross(); schedule.tile.size() == 2) {
    if (threads < 1 || across < 1 || threads * across != schedule.block)
      return emitError() << threads << " threads for each of " << across
                         << " neighbours are not a block of " << schedule.block;
    int64_t neighbours = order.empty() ? 1 : info.nest.sizes[order.back()];
    if (neighbours % schedule.vector != 0)
      return emitError() << "rows of " << neighbours << " results do not divide by "
                         << schedule.vector;
    return success();
  }
  if (!llvm::isPowerOf2_64(threads) || (threads > warpSize && threads != schedule.block))
    return emitError() << threads
                       << " threads cannot share one element; it is all of the block, or "
                       << "a power of 2 up to " << warpSize;
  if (schedule.vector > 1 && (numRun == 0 || getRunPoints() % schedule.vector != 0))
    return emitError() << "rows of " << getRunPoints() << " neighbours do not divide by "
                       << schedule.vector;
  return success();
}
