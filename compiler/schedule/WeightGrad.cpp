//===- WeightGrad.cpp - The gradient of a kernel, step by step -----------------------------===//

#include "compiler/schedule/WeightGrad.h"
#include "compiler/schedule/BatchAnalysis.h"
#include "compiler/schedule/Factor.h"
#include "compiler/schedule/GroupValues.h"
#include "compiler/schedule/Precision.h"
#include "dialect/Window.h"
#include "dialect/Winograd.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace mlir::cnn;

//===--------------------------------------------------------------------------------------------===//
// Where it applies
//===--------------------------------------------------------------------------------------------===//

/// What lies next to each other in memory; nothing for layouts that are not read.
static std::optional<Innermost> getInnermost(RankedTensorType type, int64_t lanes) {
  LayoutAttr layout = getLayoutOf(type);
  ArrayRef<int64_t> order = layout.getOrder();
  if (order == ArrayRef<int64_t>{0, 1, 2, 3})
    return Innermost::Pixels;
  if (layout.getBlock() == lanes && order == ArrayRef<int64_t>{0, 1, 2, 3, 0})
    return Innermost::Images;
  if (layout.getBlock() == lanes && order == ArrayRef<int64_t>{0, 1, 2, 3, 1})
    return Innermost::Channels;
  return std::nullopt;
}

std::string WeightGradSpace::getName(int64_t tile) {
  return tile == plainTile ? "steps" : "winograd" + std::to_string(tile);
}

std::string WeightGradSpace::whyNot(ConvWeightGradOp grad, int64_t tile, int64_t lanes) {
  ArrayRef<int64_t> w = getTensor(grad.getResult()).getShape().take_back(2);
  auto isOne = [](int64_t value) { return value == 1; };
  bool transforms = tile != plainTile;
  if (transforms && (w[0] != 3 || w[1] != 3))
    return "the kernel is " + formatShape(w) + ", and it needs 3x3";
  if (transforms && !llvm::all_of(grad.getStride(), isOne))
    return "the stride is " + formatShape(grad.getStride()) + ", and it needs 1";
  if (transforms && !llvm::all_of(grad.getDilation(), isOne))
    return "the dilation is " + formatShape(grad.getDilation()) + ", and it needs 1";
  if (grad.getGroups() != 1)
    return "there are " + std::to_string(grad.getGroups()) + " groups, and it needs 1";
  if (transforms && !hasWinogradGradPoints(tile))
    return "its tiles are 2, 3 or 4";
  std::optional<Innermost> x = getInnermost(getTensor(grad.getInput()), lanes),
                           y = getInnermost(getTensor(grad.getGradient()), lanes);
  if (!x || !y || (x != y && *x != Innermost::Pixels && *y != Innermost::Pixels))
    return "it needs plain tensors, or vectors of images or of channels";
  return "";
}

/// Whether what an operation computes depends on where the element lies.
static bool asksForIndices(NestOpInterface op) {
  SmallVector<unsigned> usedDims;
  (void)countBody(op, &usedDims);
  return !usedDims.empty();
}

bool WeightGradSpace::canFollow(const GroupInfo &info) {
  if (info.pool)
    return false;
  RankedTensorType weight = getTensor(info.anchor->getResult(0));
  auto isWeight = [&](RankedTensorType type) {
    return type.getShape() == weight.getShape() && getLayoutOf(type).isPlain();
  };
  llvm::SmallPtrSet<Operation *, 8> feeding = getFeeding(info.anchor);
  auto group = info.anchor->getParentOfType<GroupOp>();
  for (NestOpInterface op : group.getOps<NestOpInterface>()) {
    if (op == info.anchor || feeding.contains(op))
      continue;
    if (!isPointwise(op) || op->getNumResults() != 1 || asksForIndices(op))
      return false;
    for (auto [operand, map] : llvm::zip(op->getOperands(), op.getNest().operandMaps)) {
      RankedTensorType type = getTensor(operand);
      if (feeding.contains(operand.getDefiningOp()) ||
          !(type.getNumElements() == 1 || (isWeight(type) && map.isIdentity())))
        return false;
    }
  }
  return llvm::all_of(group.getYield().getValues(), [&](Value value) {
    return isWeight(getTensor(value)) && !feeding.contains(value.getDefiningOp());
  });
}

WeightGradSpace::WeightGradSpace(ConvWeightGradOp grad, int64_t slices, int64_t tile, int64_t lanes,
                                 const Machine &machine, bool sliced)
    : tile(tile), lanes(lanes), slices(std::max<int64_t>(slices, 1)), hasSlices(slices > 0),
      level1(machine.level1), level2(machine.level2), level3(machine.level3), cores(machine.cores),
      sliced(sliced) {
  RankedTensorType x = getTensor(grad.getInput()), y = getTensor(grad.getGradient());
  batch = x.getDimSize(0);
  channels = x.getDimSize(1);
  outputs = y.getDimSize(1);
  for (int axis : {0, 1}) {
    image[axis] = x.getDimSize(2 + axis);
    result[axis] = y.getDimSize(2 + axis);
    padding[axis] = grad.getPadding()[2 * axis];
    stride[axis] = grad.getStride()[axis];
    dilation[axis] = grad.getDilation()[axis];
    kernel[axis] = getTensor(grad.getResult()).getShape().take_back(2)[axis];
    alpha[axis] = tile + kernel[axis] - 1;
    tiles[axis] = llvm::divideCeil(result[axis], tile);
  }
  innermost[0] = *getInnermost(x, lanes);
  innermost[1] = *getInnermost(y, lanes);
  block = llvm::is_contained(innermost, Innermost::Images) ? lanes : 1;
  elementBytes = llvm::divideCeil(x.getElementTypeBitWidth(), 8);
}

//===--------------------------------------------------------------------------------------------===//
// Sizes
//===--------------------------------------------------------------------------------------------===//

int64_t WeightGradSpace::getNumChunks(const WeightGradStep &step, bool ofOutputs) const {
  return ofOutputs ? llvm::divideCeil(outputs, step.outputs)
                   : llvm::divideCeil(channels, step.channels);
}

int64_t WeightGradSpace::getNumItems(const WeightGradStep &step) const {
  return slices * getNumChunks(step, true) * getNumChunks(step, false);
}

int64_t WeightGradSpace::getExtent(const WeightGradStep &step, int axis, bool ofInput) const {
  int64_t count = step.tiles[axis] * tile;
  return ofInput ? (count - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1 : count;
}

double WeightGradSpace::countReads(const WeightGradStep &step, bool ofInput) const {
  const int64_t *extents = ofInput ? image : result;
  double windows = 1;
  for (int axis : {0, 1})
    windows *= static_cast<double>(getExtent(step, axis, ofInput) * tiles[axis]) /
               static_cast<double>(step.tiles[axis] * extents[axis]);
  return windows * static_cast<double>(getNumChunks(step, /*ofOutputs=*/ofInput));
}

int64_t WeightGradSpace::getWindowStride(const WeightGradStep &step, bool ofInput) const {
  int64_t pixels = getExtent(step, 0, ofInput) * getExtent(step, 1, ofInput);
  return (pixels | 1) * lanes;
}

int64_t WeightGradSpace::getDepth(const WeightGradStep &step) const {
  return step.images * step.tiles[0] * step.tiles[1];
}

WeightGradScratch WeightGradSpace::getScratch(const WeightGradStep &step) const {
  WeightGradScratch scratch;
  auto place = [&](int64_t elements) {
    int64_t at = scratch.bytes;
    scratch.bytes += llvm::alignTo(elements * elementBytes, 64);
    return at;
  };
  // A vector between the points keeps them off the same sets of the cache.
  int64_t points = getNumPoints(), depth = getDepth(step);
  scratch.window =
      place(block * std::max(getWindowStride(step, true), getWindowStride(step, false)));
  scratch.input = place(points * (depth * step.channels + lanes));
  scratch.gradient = place(getNumGradientPoints() * (depth * step.outputs + lanes));
  scratch.sum = place(points * (step.outputs * step.channels + lanes));
  scratch.turned = place(getNumTaps() * lanes);
  scratch.row = place(getNumTaps() * step.channels + lanes);
  return scratch;
}

//===--------------------------------------------------------------------------------------------===//
// What it costs
//===--------------------------------------------------------------------------------------------===//

/// The share of the peak that the direct algorithm reaches with images in vectors, and products;
/// those of few of many vectors at a time ask for much of what they multiply.
static constexpr double directShare = 0.5, productShare = 0.8, pairShare = 0.75, singleShare = 0.5;
/// What caches add was measured on a Zen 5 in 70 ways, for 64 to 512 channels and images of 7 x 7
/// to 112 x 112; the mean error is a tenth. Of bytes that the second cache gives to the first, so
/// many pass in a cycle in products, by as many outputs at a time, and in windows.
static constexpr double bytesToProduct = 96, outputsOfProduct = 6, bytesToWindow = 24;
/// Sums that the second cache does not hold pass in order, and so ahead: of their way to the third
/// cache and back a sixteenth is waited for.
static constexpr double streamsAhead = 16;
/// The share of a core in the third cache that a step may fill; the rest passes twice in and out.
static constexpr double levelThreeShare = 0.3;

/// How much of something a cache does not hold: none where it takes the share `held` of it.
static double getMissing(double bytes, double cache, double held) {
  return std::clamp(2 * (bytes / cache - held), 0.0, 1.0);
}

double WeightGradSpace::getDirectCycles() const {
  double weights = static_cast<double>(outputs) * channels * kernel[0] * kernel[1],
         vectors = double(batch) / lanes;
  if (block == 1) {
    // Vectors of channels: 93% of a Zen 5's peak for 24 x 24 results, 77% for 6 x 6, 31% for 3 x 3;
    // at stride 2 70%, 38% and 34% for 12 x 12, 6 x 6 and 3 x 3.
    double pixels = static_cast<double>(result[0] * result[1]);
    double share = 0.9 * pixels / (pixels + 16);
    if (stride[0] != 1 || stride[1] != 1)
      share *= 0.6;
    return weights * pixels * vectors / 2 / share;
  }
  // Vectors along the batch end in sums over lanes, for every slice.
  return weights * result[0] * result[1] * vectors / 2 / directShare + weights * slices * 6;
}

double WeightGradSpace::getCycles(const WeightGradStep &step) const {
  double points = getNumPoints(), depth = getDepth(step);
  bool transforms = tile != plainTile;
  double kv = double(step.outputs) / lanes, cv = double(step.channels) / lanes;
  double weights = points * step.outputs * cv;
  double share = productShare;
  if (step.channels < channels && cv < 3)
    share = cv < 2 ? singleShare : pairShare;
  double product = weights * (depth / 2 / share + 1);
  // Those pixels of a point that meet all outputs stay in the first cache, or come again.
  double perPoint = depth * step.channels * elementBytes;
  double toProduct = points * step.outputs / outputsOfProduct * perPoint *
                     getMissing(perPoint, level1, 0.5) / bytesToProduct;
  double moved = transforms ? depth * (2 * points * cv + 1.5 * points * kv)
                            : depth * (1.5 * points * cv + 1.5 * kv);
  auto getPixels = [&](bool ofInput) {
    return double(step.images) * getExtent(step, 0, ofInput) * getExtent(step, 1, ofInput);
  };
  // Turning images and channels round; one by one where neither lie in vectors.
  double turning = 0;
  for (bool ofInput : {true, false}) {
    double pixels = getPixels(ofInput) * (ofInput ? cv : kv);
    double window = static_cast<double>(block) * getWindowStride(step, ofInput) * elementBytes;
    bool isGathered = innermost[ofInput ? 0 : 1] == Innermost::Pixels;
    double perPixel = isGathered ? 2 * lanes : 2;
    turning += pixels * (block > 1 ? 5 : perPixel) +
               pixels * lanes * elementBytes * getMissing(window, level1, 0.5) / bytesToWindow;
  }
  double fetched = (getPixels(true) * step.channels + getPixels(false) * step.outputs) *
                   elementBytes / Machine::bytesPerCycle / 2;
  double kept = getScratch(step).bytes;
  double sums = points * step.outputs * step.channels * elementBytes;
  double evicted =
      2 * sums * getMissing(kept, level2, 0.6) / streamsAhead / Machine::bytesPerCycle +
      4 * std::max(0.0, kept - levelThreeShare * level3 / cores) / Machine::bytesPerCycle;
  double steps = double(batch / slices / step.images) * (tiles[0] / step.tiles[0]) *
                 (tiles[1] / step.tiles[1]);
  // At the end taps and channels are turned round, `lanes` taps at a time, and what follows is
  // computed.
  double taps = getNumTaps(), turns = std::ceil(taps / lanes) * lanes * (std::log2(lanes) + 2);
  double chunk = steps * (product + toProduct + moved + turning + fetched + evicted + 500) +
                 step.outputs * cv * ((transforms ? 4 * points : 0) + turns + 4 * taps) + weights;
  // Slices of an outer group run side by side; a kernel of its own has a last round that may leave
  // cores idle.
  double items = getNumItems(step);
  double idle = sliced ? 1 : std::ceil(items / cores) * cores / items + 0.5 / items;
  // Sums of several slices are stored, and read by what adds them up.
  double partial = slices == 1 ? 0
                               : double(slices) * outputs * channels * taps * elementBytes * 3 /
                                     Machine::bytesPerCycle;
  return items * chunk * idle + partial;
}

void WeightGradSpace::forEach(function_ref<void(const WeightGradStep &)> visit) const {
  auto getSizes = [&](int64_t total) {
    SmallVector<int64_t> sizes;
    for (int64_t vectors = 1; vectors * lanes <= 128; ++vectors)
      if (int64_t size = vectors * lanes; size - lanes < total)
        // Chunks of equal sizes: the last one is not much smaller.
        if (static_cast<int64_t>(llvm::alignTo(total, size)) - total < std::max(size / 4, lanes))
          sizes.push_back(size);
    return sizes;
  };
  auto getDivisors = [](int64_t total, int64_t most) {
    SmallVector<int64_t> divisors;
    for (int64_t divisor = 1; divisor <= std::min(total, most); ++divisor)
      if (total % divisor == 0)
        divisors.push_back(divisor);
    return divisors;
  };
  SmallVector<int64_t> images;
  for (int64_t blocks : getDivisors(batch / slices / block, block == 1 ? 32 : 4))
    images.push_back(blocks * block);
  for (int64_t outputsOf : getSizes(outputs))
    for (int64_t channelsOf : getSizes(channels))
      for (int64_t imagesOf : images)
        for (int64_t rows : getDivisors(tiles[0], 8))
          for (int64_t columns : getDivisors(tiles[1], 16)) {
            // Whole rows before several, whole images before several.
            if ((rows > 1 && columns < tiles[1]) ||
                (imagesOf > block && rows * columns < tiles[0] * tiles[1]))
              continue;
            WeightGradStep step;
            step.outputs = outputsOf;
            step.channels = channelsOf;
            step.images = imagesOf;
            step.tiles[0] = rows;
            step.tiles[1] = columns;
            step.cycles = getCycles(step);
            visit(step);
          }
}

WeightGradStep WeightGradSpace::choose() const {
  WeightGradStep best;
  forEach([&](const WeightGradStep &step) {
    if (best.outputs == 0 || step.cycles < best.cycles)
      best = step;
  });
  return best;
}

WeightGradStep WeightGradSpace::chooseRandom(std::mt19937_64 &random) const {
  SmallVector<WeightGradStep> steps;
  forEach([&](const WeightGradStep &step) { steps.push_back(step); });
  return steps[random() % steps.size()];
}

//===--------------------------------------------------------------------------------------------===//
// Steps as tiles of the nest
//===--------------------------------------------------------------------------------------------===//

SmallVector<int64_t> WeightGradSpace::getTile(const WeightGradStep &step) const {
  SmallVector<int64_t> sizes = {step.outputs, step.channels / lanes, kernel[0],           kernel[1],
                                step.images,  step.tiles[0] * tile,  step.tiles[1] * tile};
  if (hasSlices)
    sizes.insert(sizes.begin(), 1);
  return sizes;
}

WeightGradStep WeightGradSpace::getStep(ArrayRef<int64_t> sizes) const {
  WeightGradStep step;
  sizes = sizes.drop_front(hasSlices);
  step.outputs = sizes[0];
  step.channels = sizes[1] * lanes;
  step.images = sizes[4];
  step.tiles[0] = sizes[5] / tile;
  step.tiles[1] = sizes[6] / tile;
  return step;
}

LogicalResult WeightGradSpace::verify(ArrayRef<int64_t> sizes,
                                      function_ref<InFlightDiagnostic()> emitError) const {
  auto check = [&](int64_t dim, bool valid, const Twine &expected) -> LogicalResult {
    if (valid)
      return success();
    return emitError() << "tile of dimension " << dim << " is " << sizes[dim] << ", expected "
                       << expected;
  };
  // The dimension of the nest that k runs along; the others follow it.
  int64_t k = hasSlices ? 1 : 0, dims = 7 + k;
  if (static_cast<int64_t>(sizes.size()) != dims)
    return emitError() << getName(tile) << " needs a tile of " << dims << " entries, not "
                       << sizes.size();
  if (hasSlices && failed(check(0, sizes[0] == 1, "1")))
    return failure();
  for (int axis : {0, 1})
    if (int64_t dim = k + 2 + axis;
        failed(check(dim, sizes[dim] == kernel[axis], Twine(kernel[axis]))))
      return failure();
  int64_t whole = llvm::alignTo(outputs, lanes), vectors = llvm::divideCeil(channels, lanes);
  if (failed(check(k, sizes[k] > 0 && sizes[k] % lanes == 0 && sizes[k] <= whole,
                   "a multiple of " + Twine(lanes) + " up to " + Twine(whole))) ||
      failed(check(k + 1, sizes[k + 1] > 0 && sizes[k + 1] <= vectors, "1 to " + Twine(vectors))))
    return failure();
  int64_t images = batch / slices;
  if (int64_t size = sizes[k + 4];
      failed(check(k + 4, size > 0 && size % block == 0 && images % size == 0,
                   "a multiple of " + Twine(block) + " that divides " + Twine(images))))
    return failure();
  for (int axis : {0, 1}) {
    int64_t size = sizes[k + 5 + axis];
    if (failed(
            check(k + 5 + axis, size > 0 && size % tile == 0 && tiles[axis] * tile % size == 0,
                  "a multiple of " + Twine(tile) + " that divides " + Twine(tiles[axis] * tile))))
      return failure();
  }
  // What a worker keeps must be addressable, and small enough to be kept.
  if (getScratch(getStep(sizes)).bytes > (int64_t(1) << 28))
    return emitError() << "the tile needs more than 256 MB of scratch memory";
  return success();
}

//===--------------------------------------------------------------------------------------------===//
// The choice
//===--------------------------------------------------------------------------------------------===//

WeightGradCandidate::WeightGradCandidate(GroupOp group, ConvWeightGradOp grad, int64_t lanes,
                                         const Machine &machine)
    : group(group), grad(grad), lanes(lanes), machine(machine) {}

std::string WeightGradCandidate::whyNot(int64_t tile) {
  for (Value operand : grad->getOperands())
    if (!isa<BlockArgument>(operand))
      return "an operand is computed in its group";
  return WeightGradSpace::whyNot(grad, tile, lanes);
}

double WeightGradCandidate::getError(int64_t tile) {
  RankedTensorType gradient = getTensor(grad.getGradient());
  int64_t terms = gradient.getNumElements() / gradient.getDimSize(1) / plan(tile).slices;
  return getWinogradGradError(tile, terms, gradient.getElementTypeBitWidth());
}

WeightGradCandidate::Plan WeightGradCandidate::plan(int64_t tile) {
  Plan best;
  best.tile = tile;
  WeightGradSpace whole(grad, 1, tile, lanes, machine, false);
  int64_t blocks = whole.batch / whole.block;
  WeightGradStep step;
  auto consider = [&](int64_t slices, bool sliced) {
    WeightGradSpace space(grad, slices, tile, lanes, machine, sliced);
    WeightGradStep found = space.choose();
    double cycles = found.cycles;
    // Outside of the slices, the gradient passes through memory.
    if (!sliced && whole.block > 1 && blocks >= fewestSlices)
      cycles += 2.0 * getTensor(grad.getGradient()).getNumElements() * 4 / Machine::bytesPerCycle;
    if (best.slices == 0 || cycles < best.cycles) {
      best.slices = slices;
      best.cycles = cycles;
      step = found;
    }
  };
  if (whole.block > 1 && blocks >= fewestSlices && static_cast<int64_t>(grad.getSlices()) == blocks)
    consider(blocks, true);
  // A kernel of its own: chunks are work items, too.
  for (int64_t slices : {1, 2, 4})
    if (blocks % slices == 0 && (slices != blocks || blocks < fewestSlices || slices == 1))
      consider(slices, false);
  int64_t multiplications = (tile + 2) * (tile + 2) * 100 / (9 * tile * tile);
  bool isInLanes = whole.areBoth(Innermost::Channels);
  std::string what = tile == plainTile
                         ? std::string(isInLanes ? "channels are in the lanes"
                                                 : "channels are turned into the lanes")
                         : llvm::formatv("tiles of {0} x {0} need {1}% of the multiplications",
                                         tile, multiplications)
                               .str();
  best.reason =
      llvm::formatv(
          "{0}; chunks of {1} x {2} channels, {3} x {4} {5} of {6} images a step; {7} sums; "
          "{8:f0} cycles estimated, direct {9:f0}",
          what, step.outputs, step.channels, step.tiles[0], step.tiles[1],
          tile == plainTile ? "outputs" : "tiles", step.images, best.slices, best.cycles,
          WeightGradSpace(grad, grad.getSlices(), tile, lanes, machine, false).getDirectCycles())
          .str();
  return best;
}

bool WeightGradCandidate::isFaster(const Plan &plan, std::string &reason) {
  WeightGradSpace space(grad, grad.getSlices(), plan.tile, lanes, machine, false);
  if (space.areBoth(Innermost::Pixels)) {
    reason = plan.tile == plainTile ? "" : "winograd gathers windows lane by lane in plain layouts";
    return false;
  }
  if (plan.cycles < 0.9 * space.getDirectCycles())
    return true;
  reason = llvm::formatv("{0} is not faster: {1:f0} cycles estimated, direct {2:f0}",
                         WeightGradSpace::getName(plan.tile), plan.cycles, space.getDirectCycles())
               .str();
  return false;
}

/// One sum over the whole batch is complete in the kernel that makes it: what follows it moves
/// there, out of a group that would sum over one slice.
bool WeightGradCandidate::moveToReader() {
  if (grad.getSlices() == 0) {
    FailureOr<GroupInfo> info = GroupInfo::get(group);
    return succeeded(info) && WeightGradSpace::canFollow(*info);
  }
  Value partial = group.getResult(0);
  auto reader = partial.hasOneUse() ? dyn_cast<GroupOp>(*partial.user_begin()) : GroupOp();
  if (!reader || grad->getParentOp() != group ||
      !llvm::hasSingleElement(group.getOps<NestOpInterface>()))
    return false;
  Value argument = reader.getBody().getArgument(partial.use_begin()->getOperandNumber());
  auto sum = argument.hasOneUse() ? dyn_cast<ReduceSumOp>(*argument.user_begin()) : ReduceSumOp();
  if (!sum || sum.getKeepDims() || sum.getDims() != ArrayRef<int64_t>{0})
    return false;
  FailureOr<GroupInfo> info = GroupInfo::get(reader);
  if (failed(info) || info->anchor != sum || !WeightGradSpace::canFollow(*info))
    return false;
  SmallVector<Value> operands;
  for (Value operand : grad->getOperands()) {
    unsigned number = cast<BlockArgument>(operand).getArgNumber();
    operands.push_back(getInput(reader, group.getInputs()[number]));
  }
  OpBuilder b(sum);
  auto made = ConvWeightGradOp::create(b, grad.getLoc(), getTensor(sum.getResult()), operands[0],
                                       operands[1], grad.getStride(), grad.getPadding(),
                                       grad.getDilation(), grad.getGroups(), /*slices=*/0,
                                       /*winograd=*/0);
  sum.getResult().replaceAllUsesWith(made.getResult());
  sum.erase();
  dropUnusedInputs(reader);
  if (StringAttr reason = group.getReasonAttr())
    reader.addReason(reason.getValue());
  group.erase();
  group = reader;
  grad = made;
  return true;
}

void WeightGradCandidate::rewrite(const Plan &plan) {
  if (plan.slices == 1 && moveToReader()) {
    grad.setWinograd(plan.tile);
    group.addReason(plan.reason);
    return;
  }
  RankedTensorType type = getTensor(grad.getResult());
  SmallVector<int64_t> shape(type.getShape().take_back(4));
  shape.insert(shape.begin(), plan.slices);
  auto partial = RankedTensorType::get(shape, type.getElementType());
  if (grad.getSlices() != 0) {
    // Another number of slices: the group that sums over them reads what comes.
    grad.getResult().setType(partial);
    group.getResult(0).setType(partial);
    for (OpOperand &use : group.getResult(0).getUses())
      if (auto reader = dyn_cast<GroupOp>(use.getOwner()))
        reader.getBody().front().getArgument(use.getOperandNumber()).setType(partial);
    grad.setSlices(plan.slices);
    grad.setWinograd(plan.tile);
    group.addReason(plan.reason);
    return;
  }
  // The gradient gets a group of its own; what followed it follows the sum over its slices.
  OpBuilder b(group);
  OperationState state(group.getLoc(), GroupOp::getOperationName());
  state.addAttribute("name", b.getStringAttr(group.getName() + ".slices"));
  Block &body = state.addRegion()->emplaceBlock();
  SmallVector<Value> arguments;
  for (Value operand : grad->getOperands()) {
    state.addOperands(group.getInputs()[cast<BlockArgument>(operand).getArgNumber()]);
    arguments.push_back(body.addArgument(operand.getType(), operand.getLoc()));
  }
  OpBuilder inner(group.getContext());
  inner.setInsertionPointToEnd(&body);
  auto made = ConvWeightGradOp::create(inner, grad.getLoc(), partial, arguments[0], arguments[1],
                                       grad.getStride(), grad.getPadding(), grad.getDilation(),
                                       grad.getGroups(), plan.slices, plan.tile);
  YieldOp::create(inner, grad.getLoc(), made.getResult());
  state.addTypes(partial);
  auto first = cast<GroupOp>(b.create(state));
  first.addReason(plan.reason);
  group.getInputsMutable().append(first.getResult(0));
  Block &rest = group.getBody().front();
  Value argument = rest.addArgument(partial, grad.getLoc());
  b.setInsertionPoint(grad);
  Value sum = ReduceSumOp::create(b, grad.getLoc(), argument, ArrayRef<int64_t>{0}, false);
  grad.getResult().replaceAllUsesWith(sum);
  grad.erase();
  dropUnusedInputs(group);
}
