//===- Winograd.cpp - Winograd's algorithm in place of a convolution -------------------------===//

#include "compiler/schedule/Winograd.h"
#include "compiler/schedule/BatchAnalysis.h"
#include "compiler/schedule/ChannelBlocks.h"
#include "compiler/schedule/GroupValues.h"
#include "compiler/schedule/Precision.h"
#include "compiler/schedule/Schedules.h"
#include "dialect/Recompute.h"
#include "dialect/Window.h"
#include "dialect/Winograd.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <numeric>

using namespace mlir;
using namespace mlir::cnn;

//===--------------------------------------------------------------------------------------------===//
// Where it applies
//===--------------------------------------------------------------------------------------------===//

/// What of kernel, stride, dilation and groups Winograd's algorithm does not do.
template <typename Conv> static std::string checkShape(Conv conv) {
  ArrayRef<int64_t> w = getTensor(conv.getWeight()).getShape();
  if (w[2] != w[3] || (w[2] != 3 && w[2] != 5))
    return "the kernel is " + formatShape({w[2], w[3]}) + ", and it needs 3x3 or 5x5";
  ArrayRef<int64_t> stride = conv.getStride();
  if (stride[0] != stride[1] || stride[0] > 2)
    return "the stride is " + formatShape(stride) + ", and it needs 1x1 or 2x2";
  if (w[2] == 5 && stride[0] != 1)
    return "the stride is " + formatShape(stride) + ", and with a kernel of 5x5 it needs 1x1";
  for (int64_t dilation : conv.getDilation())
    if (dilation != 1)
      return "the dilation is " + formatShape(conv.getDilation()) + ", and it needs 1";
  if (conv.getGroups() != 1)
    return "there are " + std::to_string(conv.getGroups()) + " groups, and it needs 1";
  return "";
}

std::optional<WinogradCandidate> WinogradCandidate::get(GroupOp group, const GroupInfo &info,
                                                        const PreparedValues &prepared,
                                                        const Machine &machine) {
  WinogradCandidate found;
  found.group = group;
  found.anchor = info.anchor;
  found.machine = &machine;
  if (auto conv = dyn_cast<ConvOp>(found.anchor)) {
    found.shapeProblem = checkShape(conv);
    found.stride = conv.getStride()[0];
    found.taps = getTensor(conv.getWeight()).getDimSize(3);
    found.input = conv.getInput();
    found.weight = conv.getWeight();
    found.bias = conv.getBias();
    found.padding[0] = conv.getPadding()[0];
    found.padding[1] = conv.getPadding()[2];
  } else if (auto grad = dyn_cast<ConvDataGradOp>(found.anchor)) {
    found.shapeProblem = checkShape(grad);
    found.input = grad.getGradient();
    found.weight = grad.getWeight();
    found.turned = true;
    found.stride = grad.getStride()[0];
    found.taps = getTensor(grad.getWeight()).getDimSize(3);
    // Element i of the input's gradient depends on elements i + padding - (taps - 1) to i +
    // padding.
    int64_t most = found.taps - 1;
    ArrayRef<int64_t> padding = grad.getPadding();
    for (int axis : {0, 1}) {
      found.padding[axis] = found.stride == 1 ? most - padding[2 * axis] : 0;
      bool fits = found.stride == 1 ? padding[2 * axis] <= most : padding[2 * axis] == 1;
      if (found.shapeProblem.empty() && !fits)
        found.shapeProblem =
            "the padding is " + formatShape(padding) + ", and it needs " +
            (found.stride == 1 ? std::to_string(most) + " or less" : "1 before rows and columns");
    }
  } else {
    return std::nullopt;
  }
  if (auto argument = dyn_cast<BlockArgument>(found.weight))
    found.isPrepared = prepared.contains(group.getInputs()[argument.getArgNumber()]);
  found.result = getTensor(found.anchor->getResult(0));
  if (info.pool)
    found.poolFactors = info.poolFactors;
  found.batch = found.result.getDimSize(0);
  found.outputs = found.result.getDimSize(1);
  found.channels = getTensor(found.input).getDimSize(1);
  SmallVector<Value> images(group.getResults());
  for (auto [argument, input] : llvm::zip(group.getBody().getArguments(), group.getInputs()))
    if (argument != found.weight)
      images.push_back(input);
  for (Value value : images) {
    LayoutAttr layout = getLayoutOf(getTensor(value));
    if (getTensor(value).getRank() != found.result.getRank())
      continue; // One number for each channel, in blocks of them.
    if (layout.getBlockedDim() == 0)
      found.block = std::max(found.block, layout.getBlock());
    if (layout.getBlockedDim() == 1) {
      found.channelBlock = std::max(found.channelBlock, layout.getBlock());
      found.isInputBlocked |= getTensor(value).getDimSize(1) == found.channels &&
                              !llvm::is_contained(group.getResults(), value);
    }
  }
  if (found.shapeProblem.empty()) {
    ScheduleSpace::chooseForm(group);
    FailureOr<ScheduleSpace> space = ScheduleSpace::get(group, machine, /*sliced=*/false);
    if (failed(space))
      return std::nullopt;
    std::string reason;
    found.directCycles = found.channelBlock > 1 ? found.getDirectChannelCycles()
                                                : space->getCycles(space->choose(reason));
    if (found.stride > 1 && found.channelBlock == 1)
      found.directCycles = std::min(found.directCycles, found.getDirectStridedCycles());
  }
  return found;
}

std::string WinogradCandidate::whyNot(int64_t tile) const {
  if (!shapeProblem.empty())
    return shapeProblem;
  WinogradForm form = getForm(tile);
  if (!form.isKnown())
    return taps == 5     ? "its tiles with a kernel of 5x5 are 2 or 4"
           : stride == 1 ? "its tiles are 2, 3, 4 or 6"
                         : "its tiles at stride 2 are 2, 3 or 4";
  for (int64_t factor : poolFactors)
    if (form.getOutputs() % factor != 0)
      return "windows of " + std::to_string(factor) +
             " of the pooling in its group do not divide tiles of " +
             std::to_string(form.getOutputs());
  return "";
}

double WinogradCandidate::getError(int64_t tile) const {
  return getWinogradError(getForm(tile), channels, result.getElementTypeBitWidth());
}

//===--------------------------------------------------------------------------------------------===//
// What it costs
//===--------------------------------------------------------------------------------------------===//

/// Cycles of one core are counted for one vector of images: two multiply-adds, two loads and one
/// store each, what comes from beyond the second-level cache at `Machine::bytesPerCycle`. The share
/// of the peak that the products reach. A block costs calls.
static constexpr double productShare = 0.85, cyclesPerBlock = 2000;
/// How much longer what passes from kernel to kernel takes where the third cache does not hold it:
/// twice as long, where there is twice as much. Measured on a Sapphire Rapids, where blocks of one
/// row of tiles, whose parts stay in the third cache, are faster by up to a quarter for 231 MB, and
/// slower for 29 MB.
static double getSlowdown(double bytes, double level3) {
  return 1 + std::clamp(bytes / level3 - 1, 0.0, 1.0);
}
/// How much of something is evicted between its uses: none where all that is used meanwhile takes
/// three quarters of the cache, all where it takes five.
static double getMissing(double bytes, double cache) {
  return std::clamp(2 * (bytes / cache - 0.75), 0.0, 1.0);
}

/// With channels in blocks, weights come from beyond the second-level cache at every call, beside
/// the multiplications; a part has a barrier behind it.
static constexpr double blockedDirectShare = 0.9, cyclesPerPart = 6000;

/// Cycles of the direct algorithm at stride 2, on the scale of `getCycles`. The loops' own estimate
/// counts twice what its prefetched streams take: of images of 56 x 56 it made the gradient of an
/// input 1.8 times as slow as measured, and Winograd's algorithm only seemed to be faster.
double WinogradCandidate::getDirectStridedCycles() const {
  constexpr double share = 0.61; // Zen 5: 0.9, and getCycles is 1.5 times too high
  double elements = static_cast<double>(turned ? getTensor(input).getNumElements() / channels
                                               : result.getNumElements() / outputs) /
                    block;
  return elements * channels * outputs * 9 / 2 / share;
}

/// Cycles of the direct algorithm with channels in blocks.
double WinogradCandidate::getDirectChannelCycles() const {
  double vectors = static_cast<double>(result.getNumElements()) / outputs *
                   llvm::divideCeil(outputs, channelBlock);
  double products = taps * taps;
  double bytes = result.getElementTypeBitWidth() / 8.0 * channels * outputs * products;
  if (turned)
    products /= stride * stride;
  return std::max(vectors * channels * products / 2 / blockedDirectShare,
                  bytes / Machine::bytesPerCycle);
}

/// Cycles of a plan for the whole batch with channels in blocks.
double WinogradCandidate::getChannelCycles(const WinogradPlan &plan) const {
  double points = countPoints(plan.tile), element = result.getElementTypeBitWidth() / 8.0;
  double tilesInBlock = plan.inBlock[0] * plan.inBlock[1], cache = machine->level2;
  double items = static_cast<double>(batch) * plan.blocks[0] * plan.blocks[1];
  double c = llvm::divideCeil(channels, channelBlock), k = llvm::divideCeil(outputs, channelBlock);
  double weights = points * channels * outputs * element;
  double passing = points * (channels + outputs) * element * tilesInBlock;
  // The product loads a vector of weights for each tile of registers.
  double product = points * k * channels / 2 / productShare * (tilesInBlock + 1);
  double transforms = points * 4 * (c + k) * tilesInBlock;
  double once = isPrepared || findWeights(plan.tile) ? 0 : weights;
  // Whole images: the parts are kernels of their own, and everything passes through the third cache
  // or through memory.
  if (plan.blocks[0] * plan.blocks[1] == 1)
    return once +
           items * (transforms + 2 * getSlowdown(items * passing, machine->level3) * passing /
                                     Machine::bytesPerCycle) +
           std::max(items * product, weights / Machine::bytesPerCycle) + 2 * cyclesPerPart;
  // Weights come in long streams, partly while the product goes on. Of what passes between the
  // parts one half is done with as the other half is made.
  constexpr double waitedFor = 0.67; // measured with 256 and 512 channels
  double fetched =
      waitedFor * weights * getMissing(passing + weights, cache) / Machine::bytesPerCycle +
      4 * passing * getMissing(passing / 2 + std::min(weights, cache / 4), cache) /
          Machine::bytesPerCycle;
  return once + weights / Machine::bytesPerCycle +
         items * (transforms + product + fetched + cyclesPerBlock) * (1 + 1 / items);
}

/// Cycles of a plan for the whole batch.
double WinogradCandidate::getCycles(const WinogradPlan &plan) const {
  if (channelBlock > 1)
    return getChannelCycles(plan);
  double points = countPoints(plan.tile), c = channels, k = outputs;
  double tilesInBlock = plan.inBlock[0] * plan.inBlock[1];
  double items = static_cast<double>(batch / block) * plan.blocks[0] * plan.blocks[1];
  double element = result.getElementTypeBitWidth() / 8.0, cache = machine->level2;
  double passing = points * (c + k) * block * element * tilesInBlock,
         weights = points * c * k * element;
  // A window is loaded, transformed along both axes and stored. Fewer tiles in a block share a
  // weight in the product.
  double product = c / 2 / productShare * (1 + 0.2 / tilesInBlock);
  // Fewer outputs than 3 taps would have of as many points take less.
  double output = stride == 1 ? 1 + 2.0 * plan.tile / (plan.tile + taps - 3) : 3;
  double perTile = points * (4 * c + k * (product + 1) + output * k);
  double fetched = 4 * passing * getMissing(passing + std::min(weights, cache / 4), cache) +
                   weights * getMissing(passing + weights, cache);
  // The weights are gathered and transformed once.
  double once =
      c * k / block * (taps * taps * 1.5 * block + 3 * points) + weights / Machine::bytesPerCycle;
  if (isPrepared || findWeights(plan.tile))
    once = 0;
  // One block to an image, and few slices: the parts are kernels of their own, which are cut along
  // any dimension; everything passes through memory, the weights once.
  if (plan.blocks[0] * plan.blocks[1] == 1 && batch / block < fewestSlices)
    return once +
           items * (perTile * tilesInBlock + 4 * getSlowdown(items * passing, machine->level3) *
                                                 passing / Machine::bytesPerCycle) +
           weights / Machine::bytesPerCycle;
  // Few work items leave cores idle.
  return once + items *
                    (perTile * tilesInBlock + fetched / Machine::bytesPerCycle + cyclesPerBlock) *
                    (1 + 1 / items);
}

WinogradPlan WinogradCandidate::plan(int64_t tile, ArrayRef<int64_t> inBlock) const {
  WinogradPlan best;
  int64_t tiles[2];
  for (int axis : {0, 1})
    tiles[axis] = llvm::divideCeil(result.getDimSize(2 + axis), getForm(tile).getOutputs());
  auto consider = [&](int64_t rows, int64_t columns) {
    WinogradPlan plan;
    plan.tile = tile;
    plan.inBlock[0] = std::min(rows, tiles[0]);
    plan.inBlock[1] = std::min(columns, tiles[1]);
    for (int axis : {0, 1})
      plan.blocks[axis] = llvm::divideCeil(tiles[axis], plan.inBlock[axis]);
    plan.cycles = getCycles(plan);
    if (best.tile == 0 || plan.cycles < best.cycles)
      best = plan;
  };
  if (!inBlock.empty()) {
    consider(inBlock[0], inBlock[1]);
  } else if (block == 1 && channelBlock == 1) {
    consider(tiles[0], tiles[1]); // Whole images: no block stays in the cache.
  } else {
    for (int64_t columns = 1; columns < tiles[1]; ++columns)
      consider(1, columns);
    for (int64_t rows = 1; rows <= tiles[0]; ++rows)
      consider(rows, tiles[1]);
  }
  int64_t multiplications = countPoints(tile) * 100 / (taps * taps * tile * tile);
  best.reason =
      llvm::formatv("tiles of {0} x {0} need {1}% of the multiplications; blocks of {2} x "
                    "{3} tiles; {4:f0} cycles estimated, direct {5:f0}",
                    tile, multiplications, best.inBlock[0], best.inBlock[1], best.cycles,
                    directCycles)
          .str();
  return best;
}

bool WinogradCandidate::isFaster(const WinogradPlan &plan, std::string &reason) const {
  if (block == 1 && channelBlock == 1) {
    reason = "winograd gathers windows lane by lane in plain layouts";
    return false;
  }
  // At stride 2 there is less to gain: the estimates are compared as they are.
  if (plan.cycles < (stride == 1 ? 0.9 : 1) * directCycles)
    return true;
  reason = llvm::formatv("winograd{0} is not faster: {1:f0} cycles estimated, direct {2:f0}",
                         plan.tile, plan.cycles, directCycles)
               .str();
  return false;
}

//===--------------------------------------------------------------------------------------------===//
// The rewriting
//===--------------------------------------------------------------------------------------------===//

/// A group that computes `operand`, a value of `from`, as `from` does, and what `build` makes of
/// it.
static GroupOp makePart(OpBuilder &b, GroupOp from, StringRef suffix, Value operand,
                        function_ref<Value(OpBuilder &, Value)> build) {
  // Everything that the operand is computed from, in order.
  llvm::SetVector<Operation *> needed;
  SmallVector<Value> work = {operand};
  while (!work.empty())
    if (Operation *def = work.pop_back_val().getDefiningOp(); def && needed.insert(def))
      work.append(def->operand_begin(), def->operand_end());
  llvm::SetVector<Value> arguments;
  auto note = [&](Value value) {
    if (isa<BlockArgument>(value))
      arguments.insert(value);
  };
  note(operand);
  for (Operation *op : needed)
    llvm::for_each(op->getOperands(), note);

  OperationState state(from.getLoc(), GroupOp::getOperationName());
  Block &block = state.addRegion()->emplaceBlock();
  IRMapping map;
  for (Value argument : arguments) {
    state.addOperands(from.getInputs()[cast<BlockArgument>(argument).getArgNumber()]);
    map.map(argument, block.addArgument(argument.getType(), argument.getLoc()));
  }
  state.addAttribute("name", b.getStringAttr(from.getName() + suffix));
  if (from->hasAttr(recomputedAttr))
    state.addAttribute(recomputedAttr, b.getUnitAttr());
  OpBuilder inner(from.getContext());
  inner.setInsertionPointToEnd(&block);
  for (Operation &op : from.getBody().front())
    if (needed.contains(&op))
      inner.clone(op, map);
  Value value = build(inner, map.lookup(operand));
  YieldOp::create(inner, from.getLoc(), value);
  state.addTypes(value.getType());
  return cast<GroupOp>(b.create(state));
}

/// Moves the groups into one that runs them block by block; all that leaves it is what the last
/// one gives.
static void gatherBlocks(ArrayRef<GroupOp> parts, SliceScheduleAttr slices, StringRef reason) {
  GroupOp last = parts.back();
  OpBuilder b(last);
  llvm::SetVector<Value> inputs;
  for (GroupOp part : parts)
    for (Value input : part.getInputs())
      if (!llvm::is_contained(parts, input.getDefiningOp()))
        inputs.insert(input);
  OperationState state(last.getLoc(), GroupOp::getOperationName());
  state.addOperands(inputs.getArrayRef());
  state.addTypes(last.getResultTypes());
  state.addAttribute("name", b.getStringAttr(last.getName() + ".blocks"));
  state.addAttribute("schedule", slices);
  state.addAttribute("reason", b.getStringAttr(reason));
  Block &body = state.addRegion()->emplaceBlock();
  IRMapping map;
  for (Value input : inputs)
    map.map(input, body.addArgument(input.getType(), input.getLoc()));
  OpBuilder inner(last.getContext());
  inner.setInsertionPointToEnd(&body);
  SmallVector<Value> yielded;
  for (GroupOp part : parts) {
    Operation *copy = inner.clone(*part, map);
    yielded.assign(copy->result_begin(), copy->result_end());
  }
  YieldOp::create(inner, last.getLoc(), yielded);
  Operation *outer = b.create(state);
  if (last->hasAttr(recomputedAttr))
    outer->setAttr(recomputedAttr, b.getUnitAttr());
  last.replaceAllUsesWith(outer->getResults());
  for (GroupOp part : llvm::reverse(parts))
    part.erase();
}

/// What lies a multiple of this apart falls on the same sets of a first-level cache.
static constexpr int64_t page = 4096;

/// How many rows of `bytes` begin on different lines of a page.
static int64_t countSpread(int64_t bytes) { return page / std::gcd(bytes, page); }

/// The layout with as many unused elements behind dimension `dim`, the outermost one of a row of
/// `count` units of `unit` bytes, that at least 16 neighbouring rows fall on different sets.
static LayoutAttr spreadRows(LayoutAttr layout, int64_t dim, int64_t count, int64_t unit) {
  constexpr int64_t enough = 16, mostPads = 4;
  int64_t best = 0;
  for (int64_t pad = 1; pad < mostPads && countSpread((count + best) * unit) < enough; ++pad)
    if (countSpread((count + pad) * unit) > countSpread((count + best) * unit))
      best = pad;
  return best == 0 ? layout : layout.withPad(dim, best);
}

bool WinogradCandidate::readsTransposed(int64_t tile) const {
  int64_t bytes = countPoints(tile) * channels * outputs * result.getElementTypeBitWidth() / 8;
  return turned && (channelBlock > 1 || bytes <= 2 * machine->level2);
}

RankedTensorType WinogradCandidate::getWeightsType(int64_t tile) const {
  bool transposed = readsTransposed(tile);
  int64_t rows = transposed ? channels : outputs, columns = transposed ? outputs : channels;
  Attribute layout;
  if (channelBlock > 1)
    layout = getBlockedLayout(anchor->getContext(), 4, transposed ? 3 : 2, channelBlock);
  int64_t points = getForm(tile).getPoints();
  return RankedTensorType::get({points, points, rows, columns}, result.getElementType(), layout);
}

/// The group that makes nothing but a copy of its input for this one, or null.
static GroupOp getCopy(Value value) {
  auto maker = value.getDefiningOp<GroupOp>();
  if (!maker || maker.isOuter() || maker.getNumResults() != 1 || !value.hasOneUse())
    return {};
  auto copy = maker.getYield().getValues()[0].getDefiningOp<ConvertLayoutOp>();
  return copy && isa<BlockArgument>(copy.getInput()) ? maker : GroupOp();
}

Value WinogradCandidate::getWeightSource() const {
  Value source = group->getOperand(cast<BlockArgument>(weight).getArgNumber());
  GroupOp copy = getCopy(source);
  return copy ? copy.getInputs()[0] : source;
}

GroupOp WinogradCandidate::findWeights(int64_t tile) const {
  if (!isa<BlockArgument>(weight) || turned != readsTransposed(tile))
    return {};
  Value source = getWeightSource();
  // Where the recipe has something computed again, the forward pass keeps no transformed weights.
  bool keeps = llvm::none_of(group->getBlock()->getOps<GroupOp>(),
                             [](GroupOp other) { return other->hasAttr(recomputedAttr); });
  for (Operation *user : source.getUsers()) {
    auto other = dyn_cast<GroupOp>(user);
    if (!other || (!keeps && !other->hasAttr(recomputedAttr)) ||
        other->getBlock() != group->getBlock() || !other->isBeforeInBlock(group) ||
        other.getNumResults() != 1 || other.getResult(0).getType() != getWeightsType(tile))
      continue;
    auto transform = dyn_cast<WinogradWeightOp>(other.getBody().front().front());
    if (transform && transform.getTile() == static_cast<uint64_t>(tile) &&
        transform.getStride() == static_cast<uint64_t>(stride) &&
        isa<BlockArgument>(transform.getWeight()) &&
        other.getYield().getValues()[0] == transform.getResult())
      return other;
  }
  return {};
}

void WinogradCandidate::rewrite(const WinogradPlan &plan) {
  OpBuilder b(group);
  MLIRContext *context = group.getContext();
  Location loc = anchor->getLoc();
  Type element = result.getElementType();
  int64_t alpha = getForm(plan.tile).getPoints();
  if (auto argument = dyn_cast<BlockArgument>(weight)) {
    // A copy in the order that the direct algorithm reads.
    if (GroupOp copy = getCopy(group->getOperand(argument.getArgNumber()))) {
      Value source = copy.getInputs()[0];
      group->setOperand(argument.getArgNumber(), source);
      argument.setType(source.getType());
      copy.erase();
    }
  }
  bool transposed = readsTransposed(plan.tile);
  auto points = [&](int64_t count, bool inBlocks) {
    SmallVector<int64_t> shape = {batch, plan.blocks[0], plan.blocks[1],  alpha,
                                  alpha, count,          plan.inBlock[0], plan.inBlock[1]};
    int64_t unit = plan.inBlock[0] * plan.inBlock[1] * result.getElementTypeBitWidth() / 8;
    LayoutAttr layout;
    if (block > 1)
      layout = spreadRows(LayoutAttr::getBatchInnermost(context, shape.size(), block), 5, count,
                          unit * block);
    else if (inBlocks && channelBlock > 1)
      layout = spreadRows(getBlockedLayout(context, shape.size(), 5, channelBlock), 5,
                          llvm::divideCeil(count, channelBlock), unit * channelBlock);
    return RankedTensorType::get(shape, element, layout);
  };
  group.addReason(plan.reason);
  GroupOp weights = findWeights(plan.tile);
  if (weights)
    group.addReason("reads '" + weights.getName().str() + (transposed ? "', transposed" : "'"));
  else
    weights = makePart(b, group, ".winograd_weight", weight, [&](OpBuilder &inner, Value value) {
      if (turned && !transposed)
        value = PermuteOp::create(inner, loc, value, ArrayRef<int64_t>{1, 0, 2, 3});
      return WinogradWeightOp::create(inner, loc, getWeightsType(plan.tile), value, plan.tile,
                                      stride)
          .getResult();
    });
  GroupOp windows =
      makePart(b, group, ".winograd_input", input, [&](OpBuilder &inner, Value value) {
        return WinogradInputOp::create(inner, loc, points(channels, isInputBlocked), value,
                                       plan.tile, padding, stride, turned, taps)
            .getResult();
      });
  // The product reads two groups' results.
  OperationState state(group.getLoc(), GroupOp::getOperationName());
  state.addAttribute("name", b.getStringAttr(group.getName() + ".winograd_product"));
  Block &body = state.addRegion()->emplaceBlock();
  SmallVector<Value> factors = {windows.getResult(0), weights.getResult(0)};
  for (Value factor : factors)
    body.addArgument(factor.getType(), factor.getLoc());
  OpBuilder inner(context);
  inner.setInsertionPointToEnd(&body);
  Value made = WinogradProductOp::create(inner, loc, points(outputs, true), body.getArgument(0),
                                         body.getArgument(1), stride, transposed, taps);
  YieldOp::create(inner, loc, made);
  state.addOperands(factors);
  state.addTypes(made.getType());
  auto products = cast<GroupOp>(b.create(state));

  // The last part takes the convolution's place; what only the convolution read is gone.
  group.getInputsMutable().append(products.getResult(0));
  Block &last = group.getBody().front();
  Value argument = last.addArgument(products.getResult(0).getType(), loc);
  b.setInsertionPoint(anchor);
  Value output = WinogradOutputOp::create(b, loc, result, argument, bias, plan.tile,
                                          anchor->getName().stripDialect(), stride, turned, taps);
  anchor->getResult(0).replaceAllUsesWith(output);
  anchor->erase();
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(last)))
    if (op.use_empty() && !isa<YieldOp>(op))
      op.erase();
  dropUnusedInputs(group);
  if ((block > 1 || channelBlock > 1) && plan.blocks[0] * plan.blocks[1] > 1)
    gatherBlocks({windows, products, group},
                 SliceScheduleAttr::get(context, block, batch / block, plan.blocks), plan.reason);
}
