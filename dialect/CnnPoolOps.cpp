//===- CnnPoolOps.cpp - Pooling and its gradients --------------------------------------------===//
//
// Forward: (n, c, i, j | r, s). Gradients scatter over (n, c, i, j, r, s); where windows tile the
// image, that nest writes every element of the result once, and needs no accumulation.
//
//===--------------------------------------------------------------------------------------------===//

#include "dialect/CnnDialect.h"
#include "dialect/Window.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AffineExpr.h"

#include <limits>

using namespace mlir;
using namespace mlir::cnn;

using IndexFn = llvm::function_ref<Value(unsigned)>;
using Values = SmallVector<Value>;

template <typename OpOrAdaptor> static Window getWindow(OpOrAdaptor op) {
  Window window;
  window.kernel.assign(op.getKernel().begin(), op.getKernel().end());
  window.stride.assign(op.getStride().begin(), op.getStride().end());
  window.padding.assign(op.getPadding().begin(), op.getPadding().end());
  if constexpr (requires { op.getDilation(); })
    window.dilation.assign(op.getDilation().begin(), op.getDilation().end());
  else
    window.dilation = getNoDilation();
  window.ceilMode = op.getCeilMode();
  return window;
}

/// The pooled shape of `x` (C1 to C3).
static FailureOr<SmallVector<int64_t>> inferPool(std::optional<Location> loc, RankedTensorType x,
                                                 const Window &window) {
  if (x.getRank() != 4)
    return emitOptionalError(loc, "input ", x, " must have rank 4 (C1)");
  std::string text = window.check();
  if (!text.empty())
    return emitOptionalError(loc, text, " (C1)");
  for (int side = 0; side < 4; ++side)
    if (2 * window.padding[side] > window.getSpan(side / 2))
      return emitOptionalError(loc, "padding ", window.padding[side],
                               " is more than half the kernel ", window.getSpan(side / 2), " (C2)");
  ArrayRef<int64_t> image = x.getShape().drop_front(2);
  if (!window.fits(image))
    return emitOptionalError(
        loc, "window ", formatShape(window.kernel), " is larger than the padded input ",
        formatShape({window.getPadded(0, image[0]), window.getPadded(1, image[1])}), " (C3)");
  SmallVector<int64_t, 2> output = window.getOutput(image);
  return SmallVector<int64_t>{x.getDimSize(0), x.getDimSize(1), output[0], output[1]};
}

/// The forward nest (n, c, i, j | r, s), or with `scatter` the gradient's (n, c, i, j, r, s).
static Nest getPoolNest(RankedTensorType image, RankedTensorType pooled, const Window &window,
                        bool scatter) {
  MLIRContext *context = image.getContext();
  AffineExpr n, c, i, j, r, s;
  bindDims(context, n, c, i, j, r, s);
  Nest nest;
  nest.sizes.assign(pooled.getShape().begin(), pooled.getShape().end());
  nest.sizes.append(window.kernel.begin(), window.kernel.end());
  AffineMap inImage =
      AffineMap::get(6, 0, {n, c, window.getIndex(0, i, r), window.getIndex(1, j, s)}, context);
  AffineMap inPooled = AffineMap::get(6, 0, {n, c, i, j}, context);
  nest.numParallel = scatter ? 6 : 4;
  nest.operandMaps = {scatter ? inPooled : inImage};
  nest.resultMaps = {scatter ? inImage : inPooled};
  nest.scatter = scatter && !window.tiles(image.getShape().drop_front(2));
  return nest;
}

/// How many elements of the window at output index `out` count in the mean, as i32 in the shape of
/// `out`: those before `extent + trailing padding`, less those of the leading padding where padding
/// does not count.
static Value buildCount(OpBuilder &b, Location loc, const Window &window, int axis, int64_t extent,
                        bool countPad, Value out) {
  auto constant = [&](int64_t value) { return buildInt(b, loc, out.getType(), value); };
  int64_t before = window.padding[2 * axis], after = window.padding[2 * axis + 1];
  Value begin = arith::SubIOp::create(
      b, loc, arith::MulIOp::create(b, loc, out, constant(window.stride[axis])), constant(before));
  Value end = arith::AddIOp::create(b, loc, begin, constant(window.kernel[axis]));
  end = arith::MinSIOp::create(b, loc, end, constant(countPad ? extent + after : extent));
  if (!countPad)
    begin = arith::MaxSIOp::create(b, loc, begin, constant(0));
  return arith::SubIOp::create(b, loc, end, begin);
}

/// `value / count` for average pooling of an image, or by `divisor` where this is not 0.
static Value buildMean(OpBuilder &b, Location loc, const Window &window, ArrayRef<int64_t> image,
                       bool countPad, int64_t divisor, Value value, IndexFn index) {
  auto divide = [&](double by) -> Value {
    return arith::DivFOp::create(b, loc, value, buildFloat(b, loc, value.getType(), by));
  };
  if (divisor != 0)
    return divide(divisor);
  SmallVector<int64_t, 2> output = window.getOutput(image);
  bool uniform = true;
  for (int axis : {0, 1}) {
    int64_t reach = (output[axis] - 1) * window.stride[axis] + window.kernel[axis];
    int64_t before = window.padding[2 * axis], after = window.padding[2 * axis + 1];
    uniform &= reach <= image[axis] + before + (countPad ? after : 0);
    uniform &= countPad || (before == 0 && after == 0);
  }
  if (uniform)
    return divide(window.kernel[0] * window.kernel[1]);
  Value rows = buildCount(b, loc, window, 0, image[0], countPad, index(2));
  Value columns = buildCount(b, loc, window, 1, image[1], countPad, index(3));
  Value count = arith::MulIOp::create(b, loc, rows, columns);
  return arith::DivFOp::create(b, loc, value,
                               arith::SIToFPOp::create(b, loc, value.getType(), count));
}

/// Builds a pooling with a window.
using PoolBuilder =
    std::function<Value(OpBuilder &, Location, Value, const Window &, const LayerArgs &)>;

/// Whether `input` is an image; fills `problem` otherwise.
static LogicalResult checkImage(StringRef layer, const Shape &input, LayerProblem &problem) {
  if (input.size() == 3)
    return success();
  problem.message =
      layer.str() + " takes an image [channels, height, width], not " + formatShape(input);
  problem.input = 0;
  problem.inputText = "the " + formatShape(input) + " input";
  return failure();
}

/// The layer of a pooling of whole images.
static LayerDef makeGlobalLayer(StringRef name, StringRef doc, PoolBuilder build) {
  LayerDef layer;
  layer.name = name;
  layer.stem = "pool";
  layer.doc = doc;
  layer.isFunction = true;
  layer.sampleRank = 3;
  layer.leastRank = 2;
  std::string what = name.str();
  layer.infer = [what](ArrayRef<Shape> inputs, const LayerArgs &,
                       LayerProblem &problem) -> FailureOr<LayerShape> {
    if (failed(checkImage(what, inputs[0], problem)))
      return failure();
    LayerShape shape;
    shape.output = {inputs[0][0], 1, 1};
    return shape;
  };
  layer.build = [build](OpBuilder &builder, Location loc, ValueRange inputs, ValueRange,
                        const LayerArgs &args) -> Value {
    ArrayRef<int64_t> image = getTensor(inputs[0]).getShape().drop_front(2);
    Window window;
    window.kernel.assign(image.begin(), image.end());
    window.stride = window.kernel;
    window.padding = {0, 0, 0, 0};
    window.dilation = getNoDilation();
    return build(builder, loc, inputs[0], window, args);
  };
  return layer;
}

/// The layer of a pooling operation.
static LayerDef makePoolLayer(StringRef name, StringRef doc, bool average, PoolBuilder build) {
  LayerDef layer;
  layer.sampleRank = 3;
  layer.leastRank = 2; // channels may be left out
  layer.name = name;
  layer.stem = "pool";
  layer.doc = doc;
  layer.args = {
      {"kernel", ArgKind::Size, std::nullopt, "extents of the window"},
      {"stride", ArgKind::Size, std::nullopt, "step of the window; the kernel's by default", true},
      {"padding", ArgKind::Padding, std::vector<int64_t>{0, 0, 0, 0}, "padding around the input"},
      {"ceil_mode", ArgKind::Bool, false, "round output extents up instead of down"}};
  if (average)
    layer.args.append(
        {{"count_include_pad", ArgKind::Bool, true, "whether padding counts in the mean"},
         {"divisor_override", ArgKind::Int, std::nullopt, "what sums are divided by", true}});
  else
    layer.args.push_back({"dilation", ArgKind::Size, std::vector<int64_t>{1, 1},
                          "distance of the window's elements"});
  std::string what = name.str();
  layer.infer = [what](ArrayRef<Shape> inputs, const LayerArgs &args,
                       LayerProblem &problem) -> FailureOr<LayerShape> {
    const Shape &input = inputs[0];
    if (failed(checkImage(what, input, problem)))
      return failure();
    Window window = Window::fromArgs(args);
    ArrayRef<int64_t> image = ArrayRef<int64_t>(input).drop_front();
    if (failed(window.checkCall(image, "window", problem)))
      return failure();
    for (int side = 0; side < 4; ++side)
      if (int64_t span = window.getSpan(side / 2); 2 * window.padding[side] > span) {
        problem.message = "padding " + std::to_string(window.padding[side]) +
                          " is more than half the window " +
                          formatShape({window.getSpan(0), window.getSpan(1)});
        problem.arg = "padding";
        problem.hint = "use padding = " + std::to_string(span / 2) + " or less";
        return failure();
      }
    if (args.has("divisor_override") && args.getInt("divisor_override") == 0) {
      problem.message = "divisor_override must not be 0";
      problem.arg = "divisor_override";
      return failure();
    }
    SmallVector<int64_t, 2> output = window.getOutput(image);
    LayerShape shape;
    shape.output = {input[0], output[0], output[1]};
    return shape;
  };
  layer.build = [build](OpBuilder &builder, Location loc, ValueRange inputs, ValueRange,
                        const LayerArgs &args) -> Value {
    return build(builder, loc, inputs[0], Window::fromArgs(args), args);
  };
  return layer;
}

//===--------------------------------------------------------------------------------------------===//
// Forward
//===--------------------------------------------------------------------------------------------===//

LogicalResult MaxPoolOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                          ValueRange operands, DictionaryAttr attributes,
                                          OpaqueProperties properties, RegionRange regions,
                                          SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  RankedTensorType x = getTensor(operands[0]);
  auto shape = inferPool(loc, x, getWindow(adaptor));
  if (failed(shape))
    return failure();
  types.push_back(RankedTensorType::get(*shape, x.getElementType()));
  if (adaptor.getWithPositions())
    types.push_back(RankedTensorType::get(*shape, IntegerType::get(context, 32)));
  return success();
}

Nest MaxPoolOp::getNest() {
  Nest nest = getPoolNest(getTensor(getInput()), getTensor(getResult()), getWindow(*this), false);
  nest.padding = -std::numeric_limits<double>::infinity();
  nest.combine = getWithPositions() ? "" : "max";
  nest.ordered = getWithPositions();
  if (getWithPositions())
    nest.resultMaps.push_back(nest.resultMaps[0]);
  return nest;
}

Values MaxPoolOp::buildInit(OpBuilder &b, Location loc, ArrayRef<Type> types) {
  Values init = {buildFloat(b, loc, types[0], -std::numeric_limits<double>::infinity())};
  if (getWithPositions())
    init.push_back(buildZero(b, loc, types[1]));
  return init;
}

Values MaxPoolOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange acc,
                            IndexFn index) {
  // The first largest element wins, and the first NaN wins over everything, as in PyTorch.
  if (!getWithPositions())
    return {arith::MaximumFOp::create(b, loc, acc[0], in[0])};
  Value larger = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UGT, in[0], acc[0]);
  Value fresh = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, acc[0], acc[0]);
  larger = arith::AndIOp::create(b, loc, larger, fresh);
  Values result = {arith::SelectOp::create(b, loc, larger, in[0], acc[0])};
  if (getWithPositions()) {
    Value position = arith::AddIOp::create(
        b, loc,
        arith::MulIOp::create(b, loc, index(4), buildInt(b, loc, in[0].getType(), getKernel()[1])),
        index(5));
    result.push_back(arith::SelectOp::create(b, loc, larger, position, acc[1]));
  }
  return result;
}

Values MaxPoolOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  // The gradient needs the positions: compute the forward with them.
  Value positions = getPositions();
  if (!positions) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(*this);
    auto pool = MaxPoolOp::create(b, getLoc(), getInput(), getKernel(), getStride(), getPadding(),
                                  getCeilMode(), /*with_positions=*/true, getDilation());
    getResult().replaceAllUsesWith(pool.getResult());
    positions = pool.getPositions();
  }
  return {MaxPoolGradOp::create(b, getLoc(), dropLayout(getTensor(getInput())), dy[0], positions,
                                getKernel(), getStride(), getPadding(), getCeilMode(),
                                getDilation())};
}

std::vector<LayerDef> MaxPoolOp::getLayers() {
  auto build = [](OpBuilder &b, Location loc, Value input, const Window &window,
                  const LayerArgs &) -> Value {
    return MaxPoolOp::create(b, loc, input, window.kernel, window.stride, window.padding,
                             window.ceilMode, /*with_positions=*/false, window.dilation)
        .getResult();
  };
  return {makePoolLayer("max_pool", "the largest element of every window", false, build),
          makeGlobalLayer("global_max_pool", "the largest element of every channel", build)};
}

LogicalResult AvgPoolOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                          ValueRange operands, DictionaryAttr attributes,
                                          OpaqueProperties properties, RegionRange regions,
                                          SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  RankedTensorType x = getTensor(operands[0]);
  auto shape = inferPool(loc, x, getWindow(adaptor));
  if (failed(shape))
    return failure();
  types.push_back(RankedTensorType::get(*shape, x.getElementType()));
  return success();
}

Nest AvgPoolOp::getNest() {
  return getPoolNest(getTensor(getInput()), getTensor(getResult()), getWindow(*this), false);
}

Values AvgPoolOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange acc, IndexFn) {
  return {arith::AddFOp::create(b, loc, acc[0], in[0])};
}

Values AvgPoolOp::buildFinish(OpBuilder &b, Location loc, ValueRange acc, IndexFn index) {
  return {buildMean(b, loc, getWindow(*this), getTensor(getInput()).getShape().drop_front(2),
                    getCountIncludePad(), getDivisor(), acc[0], index)};
}

Values AvgPoolOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  return {AvgPoolGradOp::create(b, getLoc(), dropLayout(getTensor(getInput())), dy[0], getKernel(),
                                getStride(), getPadding(), getCeilMode(), getCountIncludePad(),
                                getDivisor())};
}

std::vector<LayerDef> AvgPoolOp::getLayers() {
  auto build = [](OpBuilder &b, Location loc, Value input, const Window &window,
                  const LayerArgs &args) -> Value {
    bool countPad = !args.has("count_include_pad") || args.getBool("count_include_pad");
    int64_t divisor = args.has("divisor_override") ? args.getInt("divisor_override") : 0;
    return AvgPoolOp::create(b, loc, input, window.kernel, window.stride, window.padding,
                             window.ceilMode, countPad, divisor);
  };
  return {makePoolLayer("avg_pool", "the mean of every window", true, build),
          makeGlobalLayer("global_avg_pool", "the mean of every channel", build)};
}

//===--------------------------------------------------------------------------------------------===//
// Gradients
//===--------------------------------------------------------------------------------------------===//

template <typename Op> static LogicalResult verifyPoolGradient(Op op) {
  auto shape = inferPool(op.getLoc(), getTensor(op.getResult()), getWindow(op));
  if (failed(shape))
    return failure();
  if (getTensor(op.getGradient()).getShape() != ArrayRef<int64_t>(*shape))
    return op.emitOpError() << "gradient has shape "
                            << formatShape(getTensor(op.getGradient()).getShape()) << ", expected "
                            << formatShape(*shape) << " (C1)";
  return success();
}

LogicalResult MaxPoolGradOp::verify() {
  RankedTensorType positions = getTensor(getPositions());
  if (positions.getShape() != getTensor(getGradient()).getShape() ||
      !positions.getElementType().isInteger(32))
    return emitOpError() << "positions are " << positions
                         << ", expected the gradient's shape with i32 (C1)";
  return verifyPoolGradient(*this);
}

Nest MaxPoolGradOp::getNest() {
  Nest nest = getPoolNest(getTensor(getResult()), getTensor(getGradient()), getWindow(*this), true);
  nest.operandMaps.push_back(nest.operandMaps[0]);
  return nest;
}

Values MaxPoolGradOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange,
                                IndexFn index) {
  Value width = buildInt(b, loc, in[0].getType(), getKernel()[1]);
  Value position =
      arith::AddIOp::create(b, loc, arith::MulIOp::create(b, loc, index(4), width), index(5));
  Value hit = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, in[1], position);
  return {arith::SelectOp::create(b, loc, hit, in[0], buildZero(b, loc, in[0].getType()))};
}

LogicalResult AvgPoolGradOp::verify() { return verifyPoolGradient(*this); }

Nest AvgPoolGradOp::getNest() {
  return getPoolNest(getTensor(getResult()), getTensor(getGradient()), getWindow(*this), true);
}

Values AvgPoolGradOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange,
                                IndexFn index) {
  return {buildMean(b, loc, getWindow(*this), getTensor(getResult()).getShape().drop_front(2),
                    getCountIncludePad(), getDivisor(), in[0], index)};
}
