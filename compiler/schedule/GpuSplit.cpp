//===- GpuSplit.cpp - What products take on a GPU, and whether to cut their sums --------------===//
//
// The slowest of a few limits of an H100, each taken as reached, as in the model of `cnn time`
// (compiler/tools/measure/GpuModel.cpp): good enough to rank tiles and splits.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/GpuSchedule.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

namespace {
/// An H100: multiprocessors, their clock, and per clock and multiprocessor: bytes of its own
/// memory and of L2. Bytes of memory per second. How long a value of either memory takes to come,
/// in clocks and in seconds, and the bytes for which a thread waits at a time. Seconds that a
/// launch costs.
constexpr int64_t numProcessors = 132;
constexpr double clockRate = 1.98e9, ownBytes = 128, l2Bytes = 21, memoryBytes = 3.35e12;
constexpr double ownWait = 40, memoryWait = 0.6e-6, inFlight = 16, launch = 1.5e-6;
/// Threads of a multiprocessor that registers leave room for: two blocks of the largest tiles.
constexpr double residentThreads = 512;
/// Parts of a sum have no fewer products.
constexpr int64_t leastDepth = 128;
} // namespace

/// Multiply-adds per clock of a multiprocessor.
static double getRate(const GpuSchedule &schedule, Type element) {
  if (schedule.instruction == "tf32")
    return 765;
  if (schedule.instruction == "bf16")
    return 1530;
  return element.isF64() ? 64 : 128;
}

double GpuScheduleSpace::getProductSeconds(const GpuSchedule &schedule, int64_t parts) const {
  Type element = getTensor(info.anchor->getResult(0)).getElementType();
  double bytes = element.getIntOrFloatBitWidth() / 8;
  ArrayRef<int64_t> tile = schedule.tile;
  double rows = tile[0], columns = tile[1];
  double depth = llvm::alignTo(contraction->depth / parts, tile[2]);
  double blocks = getNumBlocks(schedule) * parts;
  double rounds = std::ceil(blocks / numProcessors), even = blocks / numProcessors;
  double products = rows * columns * depth, brought = (rows + columns) * depth * bytes;
  double owners = rows / tile[3] * (columns / tile[4]);
  double own = 2 * brought + owners * (tile[3] + tile[4]) * depth * bytes;
  double threads = std::min(even * schedule.block, residentThreads);
  double clocks = std::max({rounds * products / getRate(schedule, element), rounds * own / ownBytes,
                            even * brought / l2Bytes,
                            even * own * ownWait / (std::max(threads, 1.0) * inFlight)});
  return clocks / clockRate;
}

double GpuScheduleSpace::getAddingSeconds(int64_t parts) const {
  if (parts == 1)
    return 0;
  RankedTensorType type = getTensor(info.anchor->getResult(0));
  double bytes = type.getElementTypeBitWidth() / 8;
  double moved = 2 * static_cast<double>(type.getNumElements()) * parts * bytes;
  return launch + std::max(moved / memoryBytes, parts * bytes * memoryWait / inFlight);
}

DepthSplit GpuScheduleSpace::chooseProductSplit(double precision, std::string &reason) const {
  StringRef instruction = chooseInstruction(precision);
  GpuSchedule whole = getContractionDefault(instruction);
  int64_t blocks = getNumBlocks(whole);
  double best = getProductSeconds(whole, 1);
  if (blocks < leastTiles) {
    // Threads with sums of their own, which read both factors of each product.
    RankedTensorType type = getTensor(info.anchor->getResult(0));
    double read = static_cast<double>(numResults) * contraction->depth * 2 *
                  (type.getElementTypeBitWidth() / 8);
    best = read / (l2Bytes * numProcessors * clockRate);
  }
  // Parts take memory, too: they are worth it where they save a tenth.
  best *= 0.9;
  DepthSplit chosen;
  const Nest &nest = info.nest;
  for (unsigned dim = nest.numParallel; dim < nest.getNumDims(); ++dim)
    for (int64_t parts = 2; parts <= nest.sizes[dim]; ++parts) {
      if (nest.sizes[dim] % parts != 0 || contraction->depth / parts < leastDepth)
        continue;
      for (const GpuSchedule &schedule : getTiles(instruction, parts)) {
        if (getNumBlocks(schedule) * parts < leastTiles)
          continue;
        double seconds = getProductSeconds(schedule, parts) + getAddingSeconds(parts);
        if (seconds >= best)
          continue;
        best = seconds;
        chosen = {dim, parts};
      }
    }
  reason = "whole, " + std::to_string(blocks) + " tiles would do all of it";
  return chosen;
}

DepthSplit GpuScheduleSpace::chooseSumSplit(std::string &reason) const {
  // A block with more points than this is worth being several, until there are enough to fill the
  // GPU.
  constexpr int64_t mostPoints = 65536, leastPoints = 8192, enoughBlocks = 8 * numProcessors;
  int64_t blocks = getNumBlocks(getReduceDefault());
  int64_t points = llvm::divideCeil(numResults, blocks) * numReduced;
  DepthSplit chosen;
  if (blocks >= 2 * numProcessors || points <= mostPoints)
    return chosen;
  const Nest &nest = info.nest;
  for (unsigned dim = nest.numParallel; dim < nest.getNumDims(); ++dim)
    for (int64_t parts = 2; parts <= nest.sizes[dim]; ++parts) {
      if (nest.sizes[dim] % parts != 0 || points / parts < leastPoints)
        continue;
      if (parts > chosen.parts && blocks * chosen.parts < enoughBlocks)
        chosen = {dim, parts};
    }
  reason = "whole, " + std::to_string(blocks) + (blocks == 1 ? " block" : " blocks") +
           " would add up " + std::to_string(points) + " points each";
  return chosen;
}

DepthSplit GpuScheduleSpace::chooseSplit(double precision, std::string &reason) const {
  if (contraction && isWorthTiles())
    return chooseProductSplit(precision, reason);
  return whyNot("reduce").empty() ? chooseSumSplit(reason) : DepthSplit();
}

std::string GpuScheduleSpace::findSplit(StringRef parts, DepthSplit &split) const {
  const Nest &nest = info.nest;
  ArrayRef<int64_t> extents = ArrayRef(nest.sizes).drop_front(nest.numParallel);
  int64_t number = 0;
  if (!parts.getAsInteger(10, number) && number >= 1)
    for (auto [dim, extent] : llvm::enumerate(extents))
      if (extent % number == 0) {
        split = {nest.numParallel + static_cast<unsigned>(dim), number};
        return "";
      }
  return "it divides none of the extents that are summed over, " + formatShape(extents);
}
