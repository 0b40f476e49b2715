//===- CnnShapeOps.cpp - Operations that move elements ---------------------------------------===//
//
// Each is a pointwise nest over its result that reads its operands at other places. Where a point
// lies outside of an operand, the body takes something else, so nothing is asked of the padding.
//
//===--------------------------------------------------------------------------------------------===//

#include "dialect/Border.h"
#include "dialect/Pointwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AffineExpr.h"

#include <limits>

using namespace mlir;
using namespace mlir::cnn;

using IndexFn = llvm::function_ref<Value(unsigned)>;
using Values = SmallVector<Value>;

/// A nest over `result`; the maps of the operands are to be added.
static Nest getMovingNest(RankedTensorType result) {
  Nest nest = getPointwiseNest(result, {});
  nest.padding = std::numeric_limits<double>::quiet_NaN();
  return nest;
}

/// A map of `rank` dimensions to themselves less `offsets`.
static AffineMap getShifted(ArrayRef<int64_t> offsets, MLIRContext *context) {
  SmallVector<AffineExpr> exprs;
  for (auto [dim, offset] : llvm::enumerate(offsets))
    exprs.push_back(getAffineDimExpr(dim, context) - offset);
  return AffineMap::get(offsets.size(), 0, exprs, context);
}

/// The dimension of a batch that axis `axis` of a sample of `rank` dimensions is (negative axes
/// count from the last), or failure with `problem` filled.
static FailureOr<int64_t> getDim(int64_t axis, int64_t rank, StringRef arg, LayerProblem &problem) {
  if (axis >= -rank && axis < rank)
    return 1 + (axis < 0 ? axis + rank : axis);
  problem.message = arg.str() + " " + std::to_string(axis) + " is not one of the " +
                    std::to_string(rank) + " axes of a sample";
  problem.arg = arg;
  problem.hint = "axes count from 0, or from -1 backwards; the batch is none";
  return failure();
}

/// The same for shapes that were checked before.
static int64_t getCheckedDim(int64_t axis, int64_t rank) {
  return 1 + (axis < 0 ? axis + rank : axis);
}

//===--------------------------------------------------------------------------------------------===//
// pad
//===--------------------------------------------------------------------------------------------===//

LogicalResult PadOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                      ValueRange operands, DictionaryAttr attributes,
                                      OpaqueProperties properties, RegionRange regions,
                                      SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  RankedTensorType input = getTensor(operands[0]);
  int64_t rank = input.getRank();
  ArrayRef<int64_t> low = adaptor.getLow(), high = adaptor.getHigh();
  if (static_cast<int64_t>(low.size()) != rank || static_cast<int64_t>(high.size()) != rank)
    return emitOptionalError(loc, "low and high have ", low.size(), " and ", high.size(),
                             " entries, expected ", rank, " (C1)");
  SmallVector<int64_t> shape;
  for (int64_t dim = 0; dim < rank; ++dim) {
    int64_t extent = input.getDimSize(dim);
    shape.push_back(extent + low[dim] + high[dim]);
    if (extent + std::min<int64_t>(low[dim], 0) + std::min<int64_t>(high[dim], 0) <= 0)
      return emitOptionalError(loc, "nothing is left of the ", extent, " elements of dimension ",
                               dim, " (C2)");
  }
  types.push_back(RankedTensorType::get(shape, input.getElementType()));
  return success();
}

Nest PadOp::getNest() {
  Nest nest = getMovingNest(getTensor(getResult()));
  nest.operandMaps = {getShifted(getLow(), getContext())};
  return nest;
}

Values PadOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn index) {
  Value inside;
  for (int64_t dim = 0; dim < getTensor(getInput()).getRank(); ++dim) {
    if (getLow()[dim] <= 0 && getHigh()[dim] <= 0)
      continue;
    // One unsigned comparison serves both sides.
    Value at = index(dim);
    if (getLow()[dim] != 0)
      at = arith::SubIOp::create(b, loc, at, buildInt(b, loc, at.getType(), getLow()[dim]));
    Value extent = buildInt(b, loc, at.getType(), getTensor(getInput()).getDimSize(dim));
    Value here = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, at, extent);
    inside = inside ? arith::AndIOp::create(b, loc, inside, here).getResult() : here;
  }
  if (!inside)
    return {in[0]};
  Value value = buildFloat(b, loc, in[0].getType(), getValue().convertToDouble());
  return {arith::SelectOp::create(b, loc, inside, in[0], value)};
}

OpFoldResult PadOp::fold(FoldAdaptor) {
  auto isZero = [](int64_t width) { return width == 0; };
  bool same = llvm::all_of(getLow(), isZero) && llvm::all_of(getHigh(), isZero);
  return same ? OpFoldResult(getInput()) : OpFoldResult();
}

Values PadOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  SmallVector<int64_t> low, high;
  for (auto [before, after] : llvm::zip(getLow(), getHigh())) {
    low.push_back(-before);
    high.push_back(-after);
  }
  return {PadOp::create(b, getLoc(), dy[0], low, high, llvm::APFloat(0.0))};
}

namespace {
/// What a call of `pad` puts before and behind the elements of each dimension of a sample.
struct Borders {
  SmallVector<int64_t> low, high;
};
} // namespace

static FailureOr<Borders> getBorders(const LayerArgs &args, int64_t rank, LayerProblem &problem) {
  Borders borders{SmallVector<int64_t>(rank, 0), SmallVector<int64_t>(rank, 0)};
  ArrayRef<int64_t> padding = args.getList("padding");
  for (int axis : {0, 1}) {
    borders.low[rank - 2 + axis] = padding[2 * axis];
    borders.high[rank - 2 + axis] = padding[2 * axis + 1];
  }
  if (!args.has("channels"))
    return borders;
  ArrayRef<int64_t> channels = args.getList("channels");
  if (channels.size() <= 2 && rank >= 3) {
    borders.low[rank - 3] = channels.front();
    borders.high[rank - 3] = channels.back();
    return borders;
  }
  problem.arg = "channels";
  problem.message = rank < 3 ? "an image of " + std::to_string(rank) + " dimensions has no channels"
                             : "channels is an integer or a pair (before, behind), not " +
                                   std::to_string(channels.size()) + " numbers";
  return failure();
}

LayerDef PadOp::getLayer() {
  LayerDef layer;
  layer.name = layer.stem = "pad";
  layer.doc = "an image with something around it; negative numbers cut";
  layer.args = {{"padding", ArgKind::Padding, std::nullopt, "elements around the image"},
                {"value", ArgKind::Float, 0.0, "what they are"},
                {"channels", ArgKind::Ints, std::nullopt, "channels before and behind", true},
                {"mode", ArgKind::String, std::string("constant"),
                 "what it is: constant, reflect, replicate or circular"}};
  layer.isFunction = true;
  layer.infer = [](ArrayRef<Shape> inputs, const LayerArgs &args,
                   LayerProblem &problem) -> FailureOr<LayerShape> {
    Shape output = inputs[0];
    if (output.size() < 2) {
      problem.message = "pad takes an image [channels, height, width], not " + formatShape(output);
      problem.input = 0;
      problem.inputText = "the " + formatShape(output) + " input";
      return failure();
    }
    FailureOr<Borders> borders = getBorders(args, output.size(), problem);
    if (failed(borders))
      return failure();
    SmallVector<int64_t> sides;
    for (auto [low, high] : llvm::zip(borders->low, borders->high))
      sides.append({low, high});
    if (failed(checkBorder(args.getString("mode"), "constant", "mode", inputs[0], sides, problem)))
      return failure();
    if (args.getString("mode") != "constant" && args.getFloat("value") != 0) {
      problem.message = "mode \"" + args.getString("mode") + "\" takes no value";
      problem.arg = "value";
      return failure();
    }
    constexpr int64_t limit = int64_t(1) << 24; // As of windows.
    for (auto [extent, low, high] : llvm::zip(output, borders->low, borders->high)) {
      if (std::max(low, high) > limit) {
        problem.message = "padding is at most " + std::to_string(limit) + ", not " +
                          std::to_string(std::max(low, high));
        problem.arg = "padding";
        return failure();
      }
      if (extent + std::min<int64_t>(low, 0) + std::min<int64_t>(high, 0) <= 0) {
        problem.message = "padding " + std::to_string(low) + " and " + std::to_string(high) +
                          " leaves nothing of an extent of " + std::to_string(extent);
        problem.arg = "padding";
        problem.input = 0;
        problem.inputText = "the " + formatShape(inputs[0]) + " input";
        return failure();
      }
      extent += low + high;
    }
    LayerShape shape;
    shape.output = output;
    return shape;
  };
  layer.build = [](OpBuilder &builder, Location loc, ValueRange inputs, ValueRange,
                   const LayerArgs &args) -> Value {
    LayerProblem none;
    Borders borders = *getBorders(args, getTensor(inputs[0]).getRank() - 1, none);
    borders.low.insert(borders.low.begin(), 0); // the batch
    borders.high.insert(borders.high.begin(), 0);
    if (StringRef mode = args.getString("mode"); mode != "constant")
      return buildBorder(builder, loc, inputs[0], borders.low, borders.high, mode);
    return PadOp::create(builder, loc, inputs[0], borders.low, borders.high,
                         llvm::APFloat(args.getFloat("value")));
  };
  return layer;
}

//===--------------------------------------------------------------------------------------------===//
// concat
//===--------------------------------------------------------------------------------------------===//

LogicalResult ConcatOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                         ValueRange operands, DictionaryAttr attributes,
                                         OpaqueProperties properties, RegionRange regions,
                                         SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  int64_t dim = adaptor.getDim();
  if (operands.empty() || dim < 0 || dim >= getTensor(operands[0]).getRank())
    return emitOptionalError(loc, "dim ", dim, " is not a dimension of ", operands.size(),
                             " operands (C1)");
  RankedTensorType first = getTensor(operands[0]);
  SmallVector<int64_t> shape(first.getShape());
  shape[dim] = 0;
  for (Value operand : operands) {
    RankedTensorType type = getTensor(operand);
    SmallVector<int64_t> other(type.getShape());
    bool fits = type.getRank() == first.getRank();
    if (fits) {
      shape[dim] += other[dim];
      other[dim] = first.getDimSize(dim);
    }
    if (!fits || ArrayRef<int64_t>(other) != first.getShape() ||
        type.getElementType() != first.getElementType())
      return emitOptionalError(loc, "operands ", first, " and ", type,
                               " differ in more than dimension ", dim, " (C2)");
  }
  types.push_back(RankedTensorType::get(shape, first.getElementType()));
  return success();
}

Nest ConcatOp::getNest() {
  Nest nest = getMovingNest(getTensor(getResult()));
  SmallVector<int64_t> offsets(nest.getNumDims(), 0);
  for (Value input : getInputs()) {
    nest.operandMaps.push_back(getShifted(offsets, getContext()));
    offsets[getDim()] += getTensor(input).getDimSize(getDim());
  }
  return nest;
}

Values ConcatOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn index) {
  Value result = in.back();
  if (in.size() == 1)
    return {result};
  Value at = index(getDim());
  int64_t end = getTensor(getResult()).getDimSize(getDim());
  for (int64_t i = in.size() - 2; i >= 0; --i) {
    end -= getTensor(getInputs()[i + 1]).getDimSize(getDim());
    Value before = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, at,
                                         buildInt(b, loc, at.getType(), end));
    result = arith::SelectOp::create(b, loc, before, in[i], result);
  }
  return {result};
}

Values ConcatOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool> needed) {
  // Each operand gets its part.
  int64_t dim = getDim(), rank = getTensor(dy[0]).getRank();
  int64_t before = 0, after = getTensor(dy[0]).getDimSize(dim);
  Values gradients(needed.size());
  for (auto [i, input] : llvm::enumerate(getInputs())) {
    int64_t extent = getTensor(input).getDimSize(dim);
    after -= extent;
    if (needed[i]) {
      SmallVector<int64_t> low(rank, 0), high(rank, 0);
      low[dim] = -before;
      high[dim] = -after;
      gradients[i] = PadOp::create(b, getLoc(), dy[0], low, high, llvm::APFloat(0.0));
    }
    before += extent;
  }
  return gradients;
}

LayerDef ConcatOp::getLayer() {
  LayerDef layer;
  layer.name = layer.stem = "concat";
  layer.doc = "tensors one behind the other along an axis of the sample";
  layer.args = {{"axis", ArgKind::Int, int64_t(0), "the axis: 0 is that of channels"}};
  layer.numInputs = 1;
  layer.isVariadic = true;
  layer.isFunction = true;
  layer.infer = [](ArrayRef<Shape> inputs, const LayerArgs &args,
                   LayerProblem &problem) -> FailureOr<LayerShape> {
    const Shape &first = inputs[0];
    auto dim = ::getDim(args.getInt("axis"), first.size(), "axis", problem);
    if (failed(dim))
      return failure();
    LayerShape shape;
    shape.output = first;
    int64_t &extent = shape.output[*dim - 1];
    for (size_t i = 1; i < inputs.size(); ++i) {
      Shape other = inputs[i];
      if (other.size() == first.size())
        other[*dim - 1] = first[*dim - 1];
      if (other != first) {
        problem.message = "shapes " + formatShape(first) + " and " + formatShape(inputs[i]) +
                          " differ in more than axis " + std::to_string(args.getInt("axis"));
        problem.input = i;
        problem.inputText = "the " + formatShape(inputs[i]) + " operand";
        return failure();
      }
      if (llvm::AddOverflow(extent, inputs[i][*dim - 1], extent)) {
        problem.message = "the result has more than 2^63 elements";
        return failure();
      }
    }
    return shape;
  };
  layer.build = [](OpBuilder &builder, Location loc, ValueRange inputs, ValueRange,
                   const LayerArgs &args) -> Value {
    int64_t rank = getTensor(inputs[0]).getRank() - 1;
    return ConcatOp::create(builder, loc, inputs, getCheckedDim(args.getInt("axis"), rank));
  };
  return layer;
}

//===--------------------------------------------------------------------------------------------===//
// permute
//===--------------------------------------------------------------------------------------------===//

LogicalResult PermuteOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                          ValueRange operands, DictionaryAttr attributes,
                                          OpaqueProperties properties, RegionRange regions,
                                          SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  RankedTensorType input = getTensor(operands[0]);
  ArrayRef<int64_t> order = adaptor.getOrder();
  SmallVector<int64_t> sorted(order);
  llvm::sort(sorted);
  if (sorted != llvm::to_vector(llvm::seq<int64_t>(0, input.getRank())))
    return emitOptionalError(loc, "order must name each of the ", input.getRank(),
                             " dimensions once (C1)");
  SmallVector<int64_t> shape;
  for (int64_t dim : order)
    shape.push_back(input.getDimSize(dim));
  types.push_back(RankedTensorType::get(shape, input.getElementType()));
  return success();
}

Nest PermuteOp::getNest() {
  Nest nest = getMovingNest(getTensor(getResult()));
  SmallVector<AffineExpr> exprs(nest.getNumDims());
  for (auto [dim, from] : llvm::enumerate(getOrder()))
    exprs[from] = getAffineDimExpr(dim, getContext());
  nest.operandMaps = {AffineMap::get(nest.getNumDims(), 0, exprs, getContext())};
  return nest;
}

Values PermuteOp::buildBody(OpBuilder &, Location, ValueRange in, ValueRange, IndexFn) {
  return {in[0]};
}

OpFoldResult PermuteOp::fold(FoldAdaptor) {
  return llvm::is_sorted(getOrder()) ? OpFoldResult(getInput()) : OpFoldResult();
}

Values PermuteOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  SmallVector<int64_t> inverse(getOrder().size());
  for (auto [dim, from] : llvm::enumerate(getOrder()))
    inverse[from] = dim;
  return {PermuteOp::create(b, getLoc(), dy[0], inverse)};
}

/// The order of a batch's dimensions that a call of `permute` or `transpose` asks for.
static FailureOr<SmallVector<int64_t>> getOrder(int64_t rank, const LayerArgs &args,
                                                LayerProblem &problem) {
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, rank + 1));
  if (!args.has("axes")) {
    auto first = getDim(args.getInt("axis1"), rank, "axis1", problem);
    auto second = getDim(args.getInt("axis2"), rank, "axis2", problem);
    if (failed(first) || failed(second))
      return failure();
    std::swap(order[*first], order[*second]);
    return order;
  }
  ArrayRef<int64_t> axes = args.getList("axes");
  order.resize(1);
  for (int64_t axis : axes) {
    auto dim = getDim(axis, rank, "axes", problem);
    if (failed(dim))
      return failure();
    if (!llvm::is_contained(order, *dim))
      order.push_back(*dim);
  }
  if (static_cast<int64_t>(axes.size()) == rank && static_cast<int64_t>(order.size()) == rank + 1)
    return order;
  problem.message = "axes must name each of the " + std::to_string(rank) + " axes once";
  problem.arg = "axes";
  return failure();
}

std::vector<LayerDef> PermuteOp::getLayers() {
  LayerDef permute;
  permute.name = permute.stem = "permute";
  permute.doc = "the axes of a sample in another order";
  permute.args = {
      {"axes", ArgKind::Ints, std::nullopt, "for each axis of the result, the input's"}};
  permute.isFunction = true;
  permute.infer = [](ArrayRef<Shape> inputs, const LayerArgs &args,
                     LayerProblem &problem) -> FailureOr<LayerShape> {
    auto order = ::getOrder(inputs[0].size(), args, problem);
    if (failed(order))
      return failure();
    LayerShape shape;
    for (int64_t dim : ArrayRef(*order).drop_front())
      shape.output.push_back(inputs[0][dim - 1]);
    return shape;
  };
  permute.build = [](OpBuilder &builder, Location loc, ValueRange inputs, ValueRange,
                     const LayerArgs &args) -> Value {
    LayerProblem none;
    auto order = ::getOrder(getTensor(inputs[0]).getRank() - 1, args, none);
    return PermuteOp::create(builder, loc, inputs[0], *order);
  };
  LayerDef transpose = permute;
  transpose.name = transpose.stem = "transpose";
  transpose.doc = "a sample with two of its axes exchanged, the last two by default";
  transpose.args = {{"axis1", ArgKind::Int, int64_t(-2), "one axis"},
                    {"axis2", ArgKind::Int, int64_t(-1), "the other"}};
  return {permute, transpose};
}
