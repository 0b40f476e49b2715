//===- GpuSchedule.cpp - Legal schedules of a group on a GPU, and the one to take ------------===//

#include "compiler/schedule/GpuSchedule.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

/// Grids have fewer blocks along x.
static constexpr int64_t mostBlocks = std::numeric_limits<int32_t>::max();
/// So many threads keep the smallest GPU of today busy; with fewer results than that, threads share
/// the work of one.
static constexpr int64_t busyThreads = 8192;
/// A sum of fewer points is not worth a block of threads.
static constexpr int64_t leastShared = 256;
/// Products with fewer rows, columns or steps leave most of a tile empty.
static constexpr int64_t leastExtent = 16;
static constexpr int64_t leastTiles = 64;

bool mlir::cnn::isForGpu(ModuleOp module) {
  auto target = module->getAttrOfType<StringAttr>(targetAttr);
  return target && target.getValue() == "nvptx";
}

GpuSchedule GpuSchedule::get(GpuScheduleAttr attr) {
  return {attr.getAlgorithm().str(),
          attr.getBlock(),
          SmallVector<int64_t>(attr.getTile()),
          attr.getInstruction().str(),
          attr.getStages(),
          attr.getVector()};
}

GpuScheduleAttr GpuSchedule::toAttr(MLIRContext *context) const {
  return GpuScheduleAttr::get(context, algorithm, block, tile, instruction, stages, vector);
}

FailureOr<GpuScheduleSpace> GpuScheduleSpace::get(GroupOp group) {
  if (group.isOuter())
    return group.emitError() << "group '" << group.getName()
                             << "' contains groups, which a GPU runs one by one";
  FailureOr<GroupInfo> info = GroupInfo::get(group);
  if (failed(info))
    return failure();
  GpuScheduleSpace made;
  made.info = *info;
  const Nest &nest = made.info.nest;
  auto fail = [&]() -> InFlightDiagnostic {
    return group.emitError() << "group '" << group.getName() << "': ";
  };
  if (!nest.transforms.empty())
    return fail() << "'" << info->anchor->getName().stripDialect()
                  << "' is a part of Winograd's algorithm, which only CPUs compute by";
  for (ValueRange values : {ValueRange(group.getInputs()), ValueRange(group.getResults())})
    for (Value value : values)
      if (!getLayoutOf(getTensor(value)).isPlain())
        return fail() << "a tensor lies as " << getTensor(value)
                      << "; on a GPU all lie in row-major order";
  made.factors.assign(nest.numParallel, 1);
  if (info->pool)
    for (auto [form, factor] : llvm::zip(info->getResultForms(), info->poolFactors)) {
      if (factor == 1)
        continue;
      if (form.getSingleDim() < 0)
        return fail() << "the windows of '" << info->pool->getName().stripDialect()
                      << "' do not follow one dimension of '"
                      << info->anchor->getName().stripDialect() << "'";
      made.factors[form.getSingleDim()] = factor;
    }
  if (nest.scatter) {
    llvm::append_range(made.space, getTensor(info->anchor->getResult(0)).getShape());
  } else {
    for (unsigned dim = 0; dim < nest.numParallel; ++dim)
      made.space.push_back(nest.sizes[dim] / made.factors[dim]);
  }
  for (int64_t extent : made.space)
    made.numResults *= extent;
  for (unsigned dim = nest.numParallel; dim < nest.getNumDims(); ++dim)
    made.numReduced *= nest.sizes[dim];
  FailureOr<Contraction> contraction = Contraction::get(made.info, made.whyNoContraction);
  if (succeeded(contraction))
    made.contraction = *contraction;
  return made;
}

std::string GpuScheduleSpace::whyNot(StringRef algorithm) const {
  const Nest &nest = info.nest;
  if (!isAlgorithm(algorithm))
    return "there is no such algorithm; there are point, reduce and contraction";
  if (algorithm == "point")
    return "";
  if (algorithm == "contraction")
    return whyNoContraction;
  if (nest.numParallel == nest.getNumDims())
    return "nothing is summed";
  if (nest.scatter)
    return "the points that fall on one element are not next to each other";
  if (info.pool)
    return "a pooling follows";
  if (nest.ordered || nest.combine.empty())
    return "the order of the points counts";
  return "";
}

GpuSchedule GpuScheduleSpace::getDefault(StringRef algorithm) const {
  GpuSchedule schedule;
  schedule.algorithm = algorithm.str();
  schedule.block = 256;
  // A thread should have a few points.
  if (algorithm == "reduce")
    schedule.block = std::clamp<int64_t>(llvm::PowerOf2Ceil(numReduced / 8), 32, 256);
  if (algorithm == "contraction") {
    // Tiles that are not mostly empty; a thread has 4 x 4 elements.
    constexpr int64_t own = 4, depth = 16;
    int64_t rows = contraction->numRows > 32 ? 64 : 32;
    int64_t columns = contraction->numColumns > 32 ? 64 : 32;
    schedule.tile = {rows, columns, depth, own, own};
    schedule.block = rows / own * (columns / own);
  }
  return schedule;
}

/// Whether tiles of the product are filled well enough to be worth it.
static bool fillsTiles(const Contraction &product) {
  return product.numRows >= leastExtent && product.numColumns >= leastExtent &&
         product.depth >= leastExtent;
}

std::string GpuScheduleSpace::getProductText() const {
  return std::to_string(contraction->numRows) + " x " + std::to_string(contraction->numColumns) +
         (contraction->numBatches > 1
              ? " results " + std::to_string(contraction->numBatches) + " times"
              : " results") +
         ", each of " + std::to_string(contraction->depth) + " products";
}

GpuSchedule GpuScheduleSpace::choose(std::string &reason) const {
  bool few = numResults < busyThreads && numReduced >= leastShared;
  if (contraction && fillsTiles(*contraction)) {
    GpuSchedule schedule = getDefault("contraction");
    // With fewer tiles than this most of a GPU would have nothing to do.
    if (getNumBlocks(schedule) < leastTiles) {
      reason = getProductText() + ": only " + std::to_string(getNumBlocks(schedule)) + " tiles; ";
    } else {
      reason = getProductText() + ": a tile of " + std::to_string(schedule.tile[0]) + " x " +
               std::to_string(schedule.tile[1]) + " for each block";
      return schedule;
    }
  }
  std::string why = whyNot("reduce");
  std::string algorithm = few && why.empty() ? "reduce" : "point";
  reason += std::to_string(numResults) + (numResults == 1 ? " result" : " results");
  if (numReduced > 1)
    reason += " of " + std::to_string(numReduced) + " points each";
  reason += algorithm == "reduce" ? ": a block for each" : ": a thread for each";
  if (few && !why.empty())
    reason += ", since " + why;
  return getDefault(algorithm);
}

int64_t GpuScheduleSpace::getNumBlocks(const GpuSchedule &schedule) const {
  if (schedule.algorithm == "contraction")
    return contraction->numBatches * llvm::divideCeil(contraction->numRows, schedule.tile[0]) *
           llvm::divideCeil(contraction->numColumns, schedule.tile[1]);
  return schedule.algorithm == "reduce" ? numResults : llvm::divideCeil(numResults, schedule.block);
}

/// The bytes of shared memory of a block that every GPU has without asking.
static constexpr int64_t mostShared = 48 << 10;

LogicalResult GpuScheduleSpace::verifyTile(const GpuSchedule &schedule,
                                           function_ref<InFlightDiagnostic()> emitError) const {
  if (schedule.tile.size() != 5 ||
      llvm::any_of(schedule.tile, [](int64_t extent) { return extent < 1 || extent > 1024; }))
    return emitError()
           << "the tile of a contraction is five extents from 1 to 1024: rows, columns, "
              "depth, and the rows and columns of a thread";
  int64_t rows = schedule.tile[0], columns = schedule.tile[1], depth = schedule.tile[2];
  int64_t ownRows = schedule.tile[3], ownColumns = schedule.tile[4];
  if (rows % ownRows != 0 || columns % ownColumns != 0 ||
      rows / ownRows * (columns / ownColumns) != schedule.block)
    return emitError() << "a tile of " << rows << " x " << columns << " with " << ownRows << " x "
                       << ownColumns << " for each thread does not take " << schedule.block
                       << " threads";
  if (rows * depth % schedule.block != 0 || columns * depth % schedule.block != 0)
    return emitError() << "a depth of " << depth << " does not give each of " << schedule.block
                       << " threads as many elements to read";
  if (ownRows * ownColumns > 64)
    return emitError() << ownRows << " x " << ownColumns
                       << " elements of one thread are more than 64, which its registers hold";
  Type element = getTensor(info.anchor->getResult(0)).getElementType();
  int64_t bytes = (rows + columns + 2) * depth * (element.getIntOrFloatBitWidth() / 8);
  if (bytes > mostShared)
    return emitError() << "the tile takes " << bytes << " bytes of shared memory; at most "
                       << mostShared;
  return success();
}

LogicalResult GpuScheduleSpace::verify(const GpuSchedule &schedule,
                                       function_ref<InFlightDiagnostic()> emitError) const {
  if (std::string why = whyNot(schedule.algorithm); !why.empty())
    return emitError() << "algorithm '" << schedule.algorithm << "' does not apply: " << why;
  if (schedule.block < 1 || schedule.block > mostThreads || !llvm::isPowerOf2_64(schedule.block))
    return emitError() << "a block of " << schedule.block
                       << " threads is none of the powers of 2 up to " << mostThreads;
  if (schedule.instruction != "fma" || schedule.stages != 1 || schedule.vector != 1)
    return emitError() << "algorithm '" << schedule.algorithm
                       << "' has no instruction but fma, one stage and no vectors";
  if (schedule.algorithm != "contraction" && !schedule.tile.empty())
    return emitError() << "algorithm '" << schedule.algorithm << "' has no tile";
  if (schedule.algorithm == "contraction" && failed(verifyTile(schedule, emitError)))
    return failure();
  if (getNumBlocks(schedule) > mostBlocks)
    return emitError() << getNumBlocks(schedule) << " blocks are more than a grid has; at most "
                       << mostBlocks;
  return success();
}
