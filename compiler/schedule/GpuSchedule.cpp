//===- GpuSchedule.cpp - Legal schedules of a group on a GPU, and the one to take ------------===//

#include "compiler/schedule/GpuSchedule.h"
#include "compiler/schedule/Strides.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

/// Grids have fewer blocks along x.
static constexpr int64_t mostBlocks = std::numeric_limits<int32_t>::max();

bool mlir::cnn::isForGpu(ModuleOp module) {
  auto target = module->getAttrOfType<StringAttr>(targetAttr);
  return target && target.getValue() == "nvptx";
}

int64_t mlir::cnn::getCapability(ModuleOp module) {
  auto name = module->getAttrOfType<StringAttr>("cnn.cpu");
  StringRef digits = name ? name.getValue() : "";
  int64_t capability = 0;
  if (!digits.consume_front("sm_") || digits.consumeInteger(10, capability))
    return 75;
  return capability;
}

GpuSchedule GpuSchedule::get(GpuScheduleAttr attr) {
  return {attr.getAlgorithm().str(),   attr.getBlock(),  SmallVector<int64_t>(attr.getTile()),
          attr.getInstruction().str(), attr.getStages(), attr.getVector()};
}

GpuScheduleAttr GpuSchedule::toAttr(MLIRContext *context) const {
  return GpuScheduleAttr::get(context, algorithm, block, tile, instruction, stages, vector);
}

/// Whether every point lies inside of the anchor's result. Phases of a strided gradient whose
/// extent the stride does not divide go beyond it.
static bool staysInResult(const GroupInfo &info) {
  NestOpInterface anchor = info.anchor;
  ArrayRef<int64_t> shape = getTensor(anchor->getResult(0)).getShape();
  return llvm::all_of(llvm::zip(info.getResultForms(), shape), [&](auto pair) {
    auto [form, extent] = pair;
    int64_t low = form.constant, high = form.constant;
    for (auto [factor, size] : llvm::zip(form.coefficients, info.nest.sizes))
      (factor < 0 ? low : high) += factor * (size - 1);
    return low >= 0 && high < extent;
  });
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
  made.capability = getCapability(group->getParentOfType<ModuleOp>());
  const Nest &nest = made.info.nest;
  auto fail = [&]() -> InFlightDiagnostic {
    return group.emitError() << "group '" << group.getName() << "': ";
  };
  if (!nest.transforms.empty())
    return fail() << "'" << info->anchor->getName().stripDialect()
                  << "' is a part of Winograd's algorithm, which only CPUs compute by";
  for (ValueRange values : {ValueRange(group.getInputs()), ValueRange(group.getResults())})
    for (Value value : values)
      if (!isPermutation(getLayoutOf(getTensor(value))))
        return fail() << "a tensor lies as " << getTensor(value)
                      << "; on a GPU layouts have no blocks and no halo";
  if (!nest.scatter && !staysInResult(*info))
    return fail() << "points of '" << info->anchor->getName().stripDialect()
                  << "' lie outside of its result, which a GPU does not leave out; its scattered "
                     "form has none";
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
  made.findOrders(group);
  made.findRun(group);
  made.findContraction();
  return made;
}

void GpuScheduleSpace::findOrders(GroupOp group) {
  const Nest &nest = info.nest;
  order = llvm::to_vector(llvm::seq<unsigned>(0, space.size()));
  sortByStride(order,
               nest.scatter ? getStrides(space, getResultLayout(info)) : getResultStrides(info));
  reducedOrder = llvm::to_vector(llvm::seq<unsigned>(nest.numParallel, nest.getNumDims()));
  if (nest.ordered)
    return;
  int64_t largest = 0;
  SmallVector<int64_t> strides(nest.getNumDims(), 0);
  for (const GroupInfo::Read &read : info.getReads()) {
    RankedTensorType type = getTensor(group.getInputs()[read.argument]);
    if (read.pooled || type.getNumElements() <= largest)
      continue;
    largest = type.getNumElements();
    strides = getStrides(read.forms, type.getShape(), getLayoutOf(type));
    strides.resize(nest.getNumDims(), 0);
  }
  for (int64_t &stride : strides)
    stride = std::abs(stride);
  sortByStride(reducedOrder, strides);
  readsColumns = !reducedOrder.empty() && !order.empty() && !nest.scatter && !info.pool &&
                 nest.sizes[order.back()] > 1 && strides[order.back()] == 1;
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
  if (algorithm == "contraction")
    return getContractionDefault("fma");
  return algorithm == "reduce" ? getReduceDefault() : getPointDefault();
}

GpuSchedule GpuScheduleSpace::choose(std::string &reason, double precision) const {
  if (contraction && isWorthTiles()) {
    GpuSchedule schedule = getContractionDefault(chooseInstruction(precision));
    reason = getProductText(schedule);
    if (getNumBlocks(schedule) >= leastTiles)
      return schedule;
    reason += "; too few: ";
  }
  std::string why = whyNot("reduce");
  bool shares = isWorthSharing();
  GpuSchedule schedule = shares && why.empty() ? getReduceDefault() : getPointDefault();
  reason += std::to_string(numResults) + (numResults == 1 ? " result" : " results");
  if (numReduced > 1)
    reason += " of " + std::to_string(numReduced) + " points each";
  bool isReduce = schedule.algorithm == "reduce";
  bool isBlock = schedule.getSharing() == schedule.block;
  std::string vector = std::to_string(schedule.vector);
  std::string sharing = std::to_string(schedule.getSharing());
  reason += !isReduce                  ? ": a thread for each"
            : schedule.getAcross() > 0 ? ": " + sharing + " threads for each"
            : isBlock                  ? ": a block for each"
                                       : ": a warp for each";
  if (schedule.vector > 1)
    reason += !isReduce                  ? " " + vector
              : schedule.getAcross() > 0 ? " " + vector + " beside each other"
                                         : ", " + vector + " neighbours at a time";
  if (shares && !why.empty())
    reason += ", since " + why;
  return schedule;
}

int64_t GpuScheduleSpace::getNumBlocks(const GpuSchedule &schedule) const {
  if (schedule.algorithm == "contraction")
    return contraction->numBatches * llvm::divideCeil(contraction->numRows, schedule.tile[0]) *
           llvm::divideCeil(contraction->numColumns, schedule.tile[1]);
  if (schedule.algorithm == "reduce" && schedule.getAcross() > 0)
    return llvm::divideCeil(numResults, schedule.getAcross() * schedule.vector);
  if (schedule.algorithm == "reduce")
    return llvm::divideCeil(numResults, schedule.block / schedule.getSharing());
  int64_t threads = std::max(numResults / schedule.vector, numResults % schedule.vector);
  return llvm::divideCeil(threads, schedule.block);
}

LogicalResult GpuScheduleSpace::verify(const GpuSchedule &schedule,
                                       function_ref<InFlightDiagnostic()> emitError) const {
  if (std::string why = whyNot(schedule.algorithm); !why.empty())
    return emitError() << "algorithm '" << schedule.algorithm << "' does not apply: " << why;
  if (schedule.block < 1 || schedule.block > mostThreads || !llvm::isPowerOf2_64(schedule.block))
    return emitError() << "a block of " << schedule.block
                       << " threads is none of the powers of 2 up to " << mostThreads;
  if (schedule.algorithm != "contraction" &&
      (schedule.stages != 1 || schedule.instruction != "fma"))
    return emitError() << "algorithm '" << schedule.algorithm << "' has no stages and instructions";
  if (schedule.algorithm != "contraction" && failed(verifyShares(schedule, emitError)))
    return failure();
  if (schedule.algorithm == "contraction" && schedule.vector != 1)
    return emitError() << "algorithm 'contraction' has no vectors";
  if (schedule.algorithm == "contraction" && failed(verifyTile(schedule, emitError)))
    return failure();
  if (getNumBlocks(schedule) > mostBlocks)
    return emitError() << getNumBlocks(schedule) << " blocks are more than a grid has; at most "
                       << mostBlocks;
  return success();
}
