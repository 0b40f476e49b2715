//===- CnnConvOps.cpp - Convolution and its gradients ----------------------------------------===//

#include "dialect/Border.h"
#include "dialect/CnnDialect.h"
#include "dialect/Window.h"
#include "dialect/Winograd.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/AffineExpr.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

using IndexFn = llvm::function_ref<Value(unsigned)>;
using Values = SmallVector<Value>;

/// Checks input, weight and window (C1 to C4) and gives the output's shape.
static FailureOr<SmallVector<int64_t>> inferConv(std::optional<Location> loc, RankedTensorType x,
                                                 RankedTensorType w, const Window &window,
                                                 int64_t groups) {
  if (x.getRank() != 4 || w.getRank() != 4)
    return emitOptionalError(loc, "input ", x, " and weight ", w, " must have rank 4 (C1)");
  if (x.getElementType() != w.getElementType())
    return emitOptionalError(loc, "element types ", x.getElementType(), " and ", w.getElementType(),
                             " differ (C1)");
  std::string text = window.check();
  if (!text.empty())
    return emitOptionalError(loc, text, " (C2)");
  int64_t channels = x.getDimSize(1), outputs = w.getDimSize(0);
  if (groups <= 0 || channels % groups || outputs % groups || w.getDimSize(1) != channels / groups)
    return emitOptionalError(loc, groups, " groups do not fit ", channels, " input channels, ",
                             outputs, " output channels and weight ", w, " (C3)");
  ArrayRef<int64_t> image = x.getShape().drop_front(2);
  if (!window.fits(image))
    return emitOptionalError(
        loc, "kernel ", formatShape({window.getSpan(0), window.getSpan(1)}),
        " is larger than the padded input ",
        formatShape({window.getPadded(0, image[0]), window.getPadded(1, image[1])}), " (C4)");
  SmallVector<int64_t, 2> output = window.getOutput(image);
  return SmallVector<int64_t>{x.getDimSize(0), outputs, output[0], output[1]};
}

namespace {
/// The dimensions of a convolution's nests and the maps of its three tensors, in an order chosen by
/// the caller: `d[...]` gives the position of n, g, k, i, j, c, r, s. With one group there is no g.
struct ConvSpace {
  ConvSpace(MLIRContext *context, RankedTensorType x, RankedTensorType w, RankedTensorType y,
            const Window &window, int64_t groups, ArrayRef<char> names)
      : context(context), window(window), groups(groups) {
    for (char name : names)
      if (name != 'g' || groups > 1)
        order.push_back(name);
    sizes['n'] = x.getDimSize(0);
    sizes['g'] = groups;
    sizes['k'] = w.getDimSize(0) / groups;
    sizes['c'] = w.getDimSize(1);
    sizes['r'] = w.getDimSize(2);
    sizes['s'] = w.getDimSize(3);
    sizes['i'] = y.getDimSize(2);
    sizes['j'] = y.getDimSize(3);
  }

  AffineExpr dim(char name) const {
    auto at = llvm::find(order, name);
    if (at == order.end())
      return getAffineConstantExpr(0, context);
    return getAffineDimExpr(at - order.begin(), context);
  }
  AffineMap map(ArrayRef<AffineExpr> exprs) const {
    return AffineMap::get(order.size(), 0, exprs, context);
  }
  /// Input channel and output channel across groups.
  AffineExpr inputChannel() const { return dim('g') * sizes.at('c') + dim('c'); }
  AffineExpr outputChannel() const { return dim('g') * sizes.at('k') + dim('k'); }
  AffineMap input() const {
    return map({dim('n'), inputChannel(), window.getIndex(0, dim('i'), dim('r')),
                window.getIndex(1, dim('j'), dim('s'))});
  }
  AffineMap output() const { return map({dim('n'), outputChannel(), dim('i'), dim('j')}); }
  AffineMap weight() const { return map({outputChannel(), dim('c'), dim('r'), dim('s')}); }

  /// A nest over the order, the first `parallel` names (g included) being parallel.
  Nest nest(StringRef parallel) const {
    Nest result;
    for (char name : order) {
      result.sizes.push_back(sizes.at(name));
      result.numParallel += parallel.contains(name);
    }
    return result;
  }

  MLIRContext *context;
  Window window;
  int64_t groups;
  SmallVector<char> order;
  llvm::DenseMap<char, int64_t> sizes;
};
} // namespace

//===--------------------------------------------------------------------------------------------===//
// conv: (n, g, k, i, j | c, r, s)
//===--------------------------------------------------------------------------------------------===//

LogicalResult ConvOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                       ValueRange operands, DictionaryAttr attributes,
                                       OpaqueProperties properties, RegionRange regions,
                                       SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  RankedTensorType x = getTensor(operands[0]), w = getTensor(operands[1]);
  if (w.getRank() != 4)
    return emitOptionalError(loc, "weight ", w, " must have rank 4 (C1)");
  auto shape =
      inferConv(loc, x, w,
                Window::ofConv(w, adaptor.getStride(), adaptor.getPadding(), adaptor.getDilation()),
                adaptor.getGroups());
  if (failed(shape))
    return failure();
  if (operands.size() > 2) {
    RankedTensorType bias = getTensor(operands[2]);
    if (bias.getRank() != 1 || bias.getDimSize(0) != w.getDimSize(0) ||
        bias.getElementType() != w.getElementType())
      return emitOptionalError(loc, "bias ", bias, ", expected [", w.getDimSize(0), "] of ",
                               w.getElementType(), " (C1)");
  }
  types.push_back(RankedTensorType::get(*shape, x.getElementType()));
  return success();
}

Nest ConvOp::getNest() {
  RankedTensorType x = getTensor(getInput()), w = getTensor(getWeight());
  ConvSpace space(getContext(), x, w, getTensor(getResult()),
                  Window::ofConv(w, getStride(), getPadding(), getDilation()), getGroups(),
                  {'n', 'g', 'k', 'i', 'j', 'c', 'r', 's'});
  Nest nest = space.nest("ngkij");
  nest.operandMaps = {space.input(), space.weight()};
  if (getBias()) {
    nest.operandMaps.push_back(space.map({space.outputChannel()}));
    nest.initOperand = 2;
  }
  nest.resultMaps = {space.output()};
  return nest;
}

Values ConvOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange acc, IndexFn) {
  return {math::FmaOp::create(b, loc, in[0], in[1], acc[0])};
}

Values ConvOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool> needed) {
  Values gradients(needed.size());
  if (needed[0]) {
    auto grad = ConvDataGradOp::create(b, getLoc(), dropLayout(getTensor(getInput())), dy[0],
                                       getWeight(), getStride(), getPadding(), getDilation(),
                                       getGroups(), /*scatter=*/true);
    bool unit = llvm::all_of(getStride(), [](int64_t stride) { return stride == 1; });
    grad.setScatter(!unit || grad.isScatterCheaper());
    gradients[0] = grad;
  }
  if (needed[1])
    gradients[1] = ConvWeightGradOp::create(b, getLoc(), dropLayout(getTensor(getWeight())),
                                            getInput(), dy[0], getStride(), getPadding(),
                                            getDilation(), getGroups(), /*slices=*/0,
                                            /*winograd=*/0);
  if (getBias() && needed[2])
    gradients[2] = ReduceSumOp::create(b, getLoc(), dy[0], ArrayRef<int64_t>{0, 2, 3}, false);
  return gradients;
}

LayerDef ConvOp::getLayer() {
  LayerDef layer;
  layer.sampleRank = 3;
  layer.name = layer.stem = "conv";
  layer.doc = "a convolution (cross-correlation) of images";
  layer.args = {
      {"channels", ArgKind::Int, std::nullopt, "number of output channels"},
      {"kernel", ArgKind::Size, std::nullopt, "extents of the kernel"},
      {"stride", ArgKind::Size, std::vector<int64_t>{1, 1}, "step of the window"},
      {"padding",
       ArgKind::Padding,
       std::vector<int64_t>{0, 0, 0, 0},
       "what is put around the input; \"same\" for as much as keeps its extents",
       false,
       {"same", "valid"}},
      {"dilation", ArgKind::Size, std::vector<int64_t>{1, 1}, "distance of the kernel's taps"},
      {"groups", ArgKind::Int, int64_t(1), "groups of channels that do not mix"},
      {"bias", ArgKind::Bool, true, "whether a bias is added"},
      {"padding_mode", ArgKind::String, std::string("zeros"),
       "what the padding is: zeros, reflect, replicate or circular"}};
  layer.tensorParams = {"weight", "bias"};
  layer.fromTensors = [](const llvm::StringMap<Shape> &given, LayerArgs &args,
                         LayerProblem &problem) -> LogicalResult {
    if (given.contains("bias") || !args.has("bias"))
      args.set("bias", given.contains("bias"));
    auto weight = given.find("weight");
    if (weight == given.end())
      return success();
    const Shape &shape = weight->second;
    if (shape.size() != 4) {
      problem.message = "the weight of a conv is [channels, input channels, height, width], not " +
                        formatShape(shape);
      return failure();
    }
    if (!args.has("channels"))
      args.set("channels", shape[0]);
    if (!args.has("kernel"))
      args.set("kernel", std::vector<int64_t>{shape[2], shape[3]});
    return success();
  };
  layer.infer = [](ArrayRef<Shape> inputs, const LayerArgs &args,
                   LayerProblem &problem) -> FailureOr<LayerShape> {
    const Shape &input = inputs[0];
    int64_t channels = args.getInt("channels"), groups = args.getInt("groups");
    if (input.size() != 3) {
      problem.message = "conv takes an image [channels, height, width], not " + formatShape(input);
      problem.input = 0;
      problem.inputText = "the " + formatShape(input) + " input";
      return failure();
    }
    if (channels <= 0) {
      problem.message = "channels must be positive, not " + std::to_string(channels);
      problem.arg = "channels";
      return failure();
    }
    if (groups <= 0) {
      problem.message = "groups must be positive, not " + std::to_string(groups);
      problem.arg = "groups";
      return failure();
    }
    if (input[0] % groups || channels % groups) {
      problem.message = std::to_string(groups) + " groups do not divide " +
                        std::to_string(input[0]) + " input and " + std::to_string(channels) +
                        " output channels";
      problem.arg = "groups";
      problem.input = 0;
      problem.inputText =
          "the input of " + std::to_string(input[0]) + (input[0] == 1 ? " channel" : " channels");
      return failure();
    }
    Window window = Window::fromArgs(args);
    ArrayRef<int64_t> image = ArrayRef<int64_t>(input).drop_front();
    if (failed(window.checkCall(image, "kernel", problem)))
      return failure();
    if (args.isString("padding") && args.getString("padding") == "same" &&
        (window.stride[0] != 1 || window.stride[1] != 1)) {
      problem.message = "padding \"same\" needs a stride of 1, not " + formatShape(window.stride);
      problem.arg = "padding";
      return failure();
    }
    if (failed(checkBorder(args.getString("padding_mode"), "zeros", "padding_mode", image,
                           window.padding, problem)))
      return failure();
    SmallVector<int64_t, 2> output = window.getOutput(image);
    int64_t taps = window.kernel[0] * window.kernel[1], perGroup = input[0] / groups;
    LayerShape shape;
    shape.output = {channels, output[0], output[1]};
    // Fans as PyTorch counts them: second extent of the weight times taps, first times taps.
    int64_t fanIn = multiplySaturated({perGroup, taps});
    int64_t fanOut = multiplySaturated({channels, taps});
    shape.params.push_back(
        {"weight", {channels, perGroup, window.kernel[0], window.kernel[1]}, fanIn, fanOut});
    if (args.getBool("bias"))
      shape.params.push_back({"bias", {channels}, fanIn, fanOut});
    shape.flops = multiplySaturated({2, channels, output[0], output[1], perGroup, taps});
    return shape;
  };
  layer.build = [](OpBuilder &builder, Location loc, ValueRange inputs, ValueRange params,
                   const LayerArgs &args) -> Value {
    Value bias = params.size() > 1 ? params[1] : Value(), input = inputs[0];
    Window window = Window::fromArgs(args);
    if (StringRef mode = args.getString("padding_mode"); mode != "zeros") {
      ArrayRef<int64_t> sides = window.padding;
      input = buildBorder(builder, loc, input, {0, 0, sides[0], sides[2]},
                          {0, 0, sides[1], sides[3]}, mode);
      window.padding.assign(4, 0);
    }
    return ConvOp::create(builder, loc, input, params[0], bias, window.stride, window.padding,
                          window.dilation, args.getInt("groups"));
  };
  return layer;
}

//===--------------------------------------------------------------------------------------------===//
// conv_data_grad
//===--------------------------------------------------------------------------------------------===//

/// Checks that convolving an input of type `x` by `w` gives `y`'s shape.
static LogicalResult verifyGradient(Operation *op, RankedTensorType x, RankedTensorType w,
                                    RankedTensorType y, const Window &window, int64_t groups) {
  auto shape = inferConv(op->getLoc(), x, w, window, groups);
  if (failed(shape))
    return failure();
  if (y.getShape() != ArrayRef<int64_t>(*shape))
    return op->emitOpError() << "gradient has shape " << formatShape(y.getShape()) << ", expected "
                             << formatShape(*shape) << " (C1)";
  return success();
}

LogicalResult ConvDataGradOp::verify() {
  RankedTensorType w = getTensor(getWeight());
  if (w.getRank() != 4)
    return emitOpError() << "weight " << w << " must have rank 4 (C1)";
  if (failed(verifyGradient(*this, getTensor(getResult()), w, getTensor(getGradient()),
                            Window::ofConv(w, getStride(), getPadding(), getDilation()),
                            getGroups())))
    return failure();
  if (std::string why = whyNotGather(); !getScatter() && !why.empty())
    return emitOpError() << "the gather form does not apply: " << why << " (C2)";
  return success();
}

std::string ConvDataGradOp::whyNotGather() {
  for (auto [stride, dilation] : llvm::zip(getStride(), getDilation()))
    if ((dilation - 1) % stride != 0)
      return "with a stride of " + std::to_string(stride) + " it needs a dilation of 1, or of 1 " +
             "more than a multiple of it, not " + std::to_string(dilation);
  return "";
}

bool ConvDataGradOp::isScatterCheaper() {
  if (!whyNotGather().empty())
    return true; // The only form.
  double scattered = 1, gathered = 1;
  for (int axis : {0, 1}) {
    scattered *= getTensor(getGradient()).getDimSize(2 + axis);
    gathered *= llvm::divideCeil(getTensor(getResult()).getDimSize(2 + axis), getStride()[axis]);
  }
  return 1.25 * scattered < gathered;
}

Nest ConvDataGradOp::getNest() {
  RankedTensorType x = getTensor(getResult()), w = getTensor(getWeight()),
                   y = getTensor(getGradient());
  Window window = Window::ofConv(w, getStride(), getPadding(), getDilation());
  if (getScatter()) {
    // (n, g, c, i, j, r, s | k): every point of the output's window adds to the input's gradient.
    ConvSpace space(getContext(), x, w, y, window, getGroups(),
                    {'n', 'g', 'c', 'i', 'j', 'r', 's', 'k'});
    Nest nest = space.nest("ngcijrs");
    nest.operandMaps = {space.output(), space.weight()};
    nest.resultMaps = {space.input()};
    nest.scatter = true;
    return nest;
  }
  // (n, g, c, i, j | k, r, s) over the input's image: dy is read at i + pt - r dh. Along an axis of
  // stride t > 1, the rows of dx fall into t phases, each of which meets every t-th tap only: row
  // t i + a is met by the taps a + first + t r, at row i + (a + pt - (a + first) dh) / t - r dh of
  // dy.
  ConvSpace space(getContext(), x, w, x, window, getGroups(), {'n', 'g', 'c'});
  const char phases[2] = {'a', 'b'}, rows[2] = {'i', 'j'}, taps[2] = {'r', 's'};
  int64_t first[2] = {0, 0};
  auto isStrided = [&](int axis) { return window.stride[axis] > 1; };
  for (int axis : {0, 1}) {
    if (!isStrided(axis))
      continue;
    int64_t stride = window.stride[axis], skipped = window.padding[2 * axis] % stride;
    first[axis] = skipped == 0 ? 0 : skipped - stride;
    space.order.push_back(phases[axis]);
    space.sizes[phases[axis]] = stride;
    space.sizes[rows[axis]] = llvm::divideCeil(x.getDimSize(2 + axis), stride);
    space.sizes[taps[axis]] = (w.getDimSize(2 + axis) - 1 - first[axis]) / stride + 1;
  }
  space.order.append({'i', 'j', 'k', 'r', 's'});
  auto turned = [&](int axis) {
    int64_t padding = window.padding[2 * axis], dilation = window.dilation[axis],
            stride = window.stride[axis];
    AffineExpr row = space.dim(rows[axis]) - space.dim(taps[axis]) * dilation;
    if (!isStrided(axis))
      return row + padding;
    return row + space.dim(phases[axis]) * ((1 - dilation) / stride) +
           (padding - first[axis] * dilation) / stride;
  };
  // `stride * steps + phase + offset`, or just the steps where there are no phases.
  auto inPhase = [&](int axis, char steps, int64_t offset) {
    if (!isStrided(axis))
      return space.dim(steps);
    return space.dim(steps) * window.stride[axis] + space.dim(phases[axis]) + offset;
  };
  Nest nest = space.nest("ngcabij");
  nest.operandMaps = {space.map({space.dim('n'), space.outputChannel(), turned(0), turned(1)}),
                      space.map({space.outputChannel(), space.dim('c'), inPhase(0, 'r', first[0]),
                                 inPhase(1, 's', first[1])})};
  nest.resultMaps = {
      space.map({space.dim('n'), space.inputChannel(), inPhase(0, 'i', 0), inPhase(1, 'j', 0)})};
  return nest;
}

Values ConvDataGradOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange acc,
                                 IndexFn) {
  return {math::FmaOp::create(b, loc, in[0], in[1], acc[0])};
}

//===--------------------------------------------------------------------------------------------===//
// conv_weight_grad: (g, k, c, r, s | n, i, j), or (slice, g, k, c, r, s | n, i, j)
//===--------------------------------------------------------------------------------------------===//

LogicalResult ConvWeightGradOp::verify() {
  RankedTensorType x = getTensor(getInput()), y = getTensor(getGradient()),
                   result = getTensor(getResult());
  int64_t slices = getSlices();
  if (slices < 0 || (slices > 0 && x.getDimSize(0) % slices))
    return emitOpError() << slices << " slices do not divide the batch of " << x.getDimSize(0)
                         << " (C2)";
  if (result.getRank() != (slices ? 5 : 4) || (slices && result.getDimSize(0) != slices))
    return emitOpError() << "result is " << result << ", expected a weight behind " << slices
                         << " slices (C1)";
  auto weight = RankedTensorType::get(result.getShape().take_back(4), result.getElementType());
  auto isOne = [](int64_t value) { return value == 1; };
  int64_t tile = getWinograd();
  bool untransformed = tile == 1;
  if (tile != 0 && getGroups() != 1)
    return emitOpError() << "winograd is " << tile << ", which needs 1 group (C3)";
  if (tile != 0 && !untransformed &&
      (!hasWinogradGradPoints(tile) || weight.getDimSize(2) != 3 || weight.getDimSize(3) != 3 ||
       !llvm::all_of(getStride(), isOne) || !llvm::all_of(getDilation(), isOne)))
    return emitOpError() << "winograd is " << tile
                         << ", expected 0 or 1, or 2, 3 or 4 with a kernel of 3x3 whose stride and "
                            "dilation are 1 (C3)";
  return verifyGradient(*this, x, weight, y,
                        Window::ofConv(weight, getStride(), getPadding(), getDilation()),
                        getGroups());
}

Nest ConvWeightGradOp::getNest() {
  RankedTensorType x = getTensor(getInput()), y = getTensor(getGradient()),
                   result = getTensor(getResult());
  auto weight = RankedTensorType::get(result.getShape().take_back(4), result.getElementType());
  ConvSpace space(getContext(), x, weight, y,
                  Window::ofConv(weight, getStride(), getPadding(), getDilation()), getGroups(),
                  {'g', 'k', 'c', 'r', 's', 'n', 'i', 'j'});
  Nest nest = space.nest("gkcrs");
  nest.operandMaps = {space.input(), space.output()};
  nest.resultMaps = {space.weight()};
  if (int64_t slices = getSlices()) {
    // Put the slice first: every dimension moves by one, and n becomes slice * rows + n.
    MLIRContext *context = getContext();
    int64_t rows = x.getDimSize(0) / slices;
    unsigned dims = nest.getNumDims();
    SmallVector<AffineExpr> moved;
    for (unsigned dim = 0; dim < dims; ++dim)
      moved.push_back(getAffineDimExpr(dim + 1, context));
    AffineExpr slice = getAffineDimExpr(0, context);
    auto shift = [&](AffineMap map) { return map.replaceDimsAndSymbols(moved, {}, dims + 1, 0); };
    for (AffineMap &map : nest.operandMaps) {
      SmallVector<AffineExpr> exprs(shift(map).getResults());
      exprs[0] = slice * rows + exprs[0];
      map = AffineMap::get(dims + 1, 0, exprs, context);
    }
    SmallVector<AffineExpr> exprs(shift(nest.resultMaps[0]).getResults());
    exprs.insert(exprs.begin(), slice);
    nest.resultMaps[0] = AffineMap::get(dims + 1, 0, exprs, context);
    nest.sizes[nest.numParallel] = rows;
    nest.sizes.insert(nest.sizes.begin(), slices);
    ++nest.numParallel;
  }
  return nest;
}

Values ConvWeightGradOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange acc,
                                   IndexFn) {
  return {math::FmaOp::create(b, loc, in[0], in[1], acc[0])};
}
