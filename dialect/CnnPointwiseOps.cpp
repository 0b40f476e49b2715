//===- CnnPointwiseOps.cpp - Operations on single elements -----------------------------------===//
//
// Bodies, gradients and layers of activations, arithmetic, constants, masks, layout conversions and
// reshapes.
//
//===--------------------------------------------------------------------------------------------===//

#include "dialect/Pointwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/AffineExpr.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace mlir::cnn;

using IndexFn = llvm::function_ref<Value(unsigned)>;
using Values = SmallVector<Value>;

//===--------------------------------------------------------------------------------------------===//
// One operand
//===--------------------------------------------------------------------------------------------===//

CNN_POINTWISE_OP(SigmoidOp)
CNN_POINTWISE_OP(TanhOp)
CNN_POINTWISE_OP(ReluOp)
CNN_POINTWISE_OP(ExpOp)
CNN_POINTWISE_OP(LogOp)
CNN_POINTWISE_OP(NegOp)
CNN_POINTWISE_OP(SigmoidGradOp)
CNN_POINTWISE_OP(TanhGradOp)
CNN_POINTWISE_OP(ReluGradOp)
CNN_POINTWISE_OP(MaskRowsOp)

Values SigmoidOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  Value one = buildFloat(b, loc, in[0].getType(), 1.0);
  Value exp = math::ExpOp::create(b, loc, arith::NegFOp::create(b, loc, in[0]));
  return {arith::DivFOp::create(b, loc, one, arith::AddFOp::create(b, loc, one, exp))};
}
Values TanhOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  return {math::TanhOp::create(b, loc, in[0])};
}
Values ReluOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  // max(x, 0) that lets a NaN through, as PyTorch does.
  Value zero = buildZero(b, loc, in[0].getType());
  Value below = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, in[0], zero);
  return {arith::SelectOp::create(b, loc, below, zero, in[0])};
}
Values ExpOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  return {math::ExpOp::create(b, loc, in[0])};
}
Values LogOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  return {math::LogOp::create(b, loc, in[0])};
}
Values NegOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  return {arith::NegFOp::create(b, loc, in[0])};
}

Values SigmoidOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  return {SigmoidGradOp::create(b, getLoc(), getResult(), dy[0])};
}
Values TanhOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  return {TanhGradOp::create(b, getLoc(), getResult(), dy[0])};
}
Values ReluOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  return {ReluGradOp::create(b, getLoc(), getResult(), dy[0])};
}
Values ExpOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  return {MulOp::create(b, getLoc(), dy[0], getResult())};
}
Values LogOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  return {DivOp::create(b, getLoc(), dy[0], getInput())};
}
Values NegOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  return {NegOp::create(b, getLoc(), dy[0])};
}

LayerDef SigmoidOp::getLayer() {
  return makeFunction<SigmoidOp>("sigmoid", "1 / (1 + exp(-x))", 1);
}
LayerDef TanhOp::getLayer() {
  LayerDef layer = makeFunction<TanhOp>("tanh", "the hyperbolic tangent", 1);
  layer.ofNumber = [](double x) { return std::tanh(x); };
  return layer;
}
LayerDef ReluOp::getLayer() { return makeFunction<ReluOp>("relu", "max(x, 0)", 1); }
LayerDef ExpOp::getLayer() {
  LayerDef layer = makeFunction<ExpOp>("exp", "the exponential function", 1);
  layer.ofNumber = [](double x) { return std::exp(x); };
  return layer;
}
LayerDef LogOp::getLayer() {
  LayerDef layer = makeFunction<LogOp>("log", "the natural logarithm", 1);
  layer.ofNumber = [](double x) { return std::log(x); };
  return layer;
}
LayerDef NegOp::getLayer() { return makeFunction<NegOp>("neg", "-x", 1); }

Values SigmoidGradOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  Value one = buildFloat(b, loc, in[0].getType(), 1.0);
  Value slope = arith::MulFOp::create(b, loc, in[0], arith::SubFOp::create(b, loc, one, in[0]));
  return {arith::MulFOp::create(b, loc, in[1], slope)};
}
Values TanhGradOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  Value one = buildFloat(b, loc, in[0].getType(), 1.0);
  Value square = arith::MulFOp::create(b, loc, in[0], in[0]);
  return {arith::MulFOp::create(b, loc, in[1], arith::SubFOp::create(b, loc, one, square))};
}
Values ReluGradOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  Value zero = buildZero(b, loc, in[0].getType());
  Value open = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, in[0], zero);
  return {arith::SelectOp::create(b, loc, open, in[1], zero)};
}

//===--------------------------------------------------------------------------------------------===//
// Two operands
//===--------------------------------------------------------------------------------------------===//

CNN_BROADCAST_OP(AddOp)
CNN_BROADCAST_OP(SubOp)
CNN_BROADCAST_OP(MulOp)
CNN_BROADCAST_OP(DivOp)

Values AddOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  return {arith::AddFOp::create(b, loc, in[0], in[1])};
}
Values SubOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  return {arith::SubFOp::create(b, loc, in[0], in[1])};
}
Values MulOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  return {arith::MulFOp::create(b, loc, in[0], in[1])};
}
Values DivOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  return {arith::DivFOp::create(b, loc, in[0], in[1])};
}

Values AddOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool> needed) {
  return {needed[0] ? unbroadcast(b, getLoc(), dy[0], getTensor(getLhs())) : Value(),
          needed[1] ? unbroadcast(b, getLoc(), dy[0], getTensor(getRhs())) : Value()};
}
Values SubOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool> needed) {
  Values gradients(2);
  if (needed[0])
    gradients[0] = unbroadcast(b, getLoc(), dy[0], getTensor(getLhs()));
  if (needed[1])
    gradients[1] = unbroadcast(b, getLoc(), NegOp::create(b, getLoc(), dy[0]), getTensor(getRhs()));
  return gradients;
}
Values MulOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool> needed) {
  Values gradients(2);
  if (needed[0])
    gradients[0] =
        unbroadcast(b, getLoc(), MulOp::create(b, getLoc(), dy[0], getRhs()), getTensor(getLhs()));
  if (needed[1])
    gradients[1] =
        unbroadcast(b, getLoc(), MulOp::create(b, getLoc(), dy[0], getLhs()), getTensor(getRhs()));
  return gradients;
}
Values DivOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool> needed) {
  // d(a/b) = da / b - (a/b) db / b
  Values gradients(2);
  Value scaled = DivOp::create(b, getLoc(), dy[0], getRhs());
  if (needed[0])
    gradients[0] = unbroadcast(b, getLoc(), scaled, getTensor(getLhs()));
  if (needed[1]) {
    Value product = MulOp::create(b, getLoc(), scaled, getResult());
    gradients[1] =
        unbroadcast(b, getLoc(), NegOp::create(b, getLoc(), product), getTensor(getRhs()));
  }
  return gradients;
}

/// `value` where the other operand of an operation is the constant `neutral` and nothing is
/// repeated.
static OpFoldResult foldNeutral(Operation *op, Value value, Attribute other, double neutral) {
  auto constant = dyn_cast_or_null<FloatAttr>(other);
  if (constant && constant.getValueAsDouble() == neutral &&
      value.getType() == op->getResult(0).getType())
    return value;
  return {};
}

OpFoldResult AddOp::fold(FoldAdaptor adaptor) {
  if (OpFoldResult lhs = foldNeutral(*this, getLhs(), adaptor.getRhs(), 0.0))
    return lhs;
  return foldNeutral(*this, getRhs(), adaptor.getLhs(), 0.0);
}
OpFoldResult SubOp::fold(FoldAdaptor adaptor) {
  return foldNeutral(*this, getLhs(), adaptor.getRhs(), 0.0);
}
OpFoldResult MulOp::fold(FoldAdaptor adaptor) {
  if (OpFoldResult lhs = foldNeutral(*this, getLhs(), adaptor.getRhs(), 1.0))
    return lhs;
  return foldNeutral(*this, getRhs(), adaptor.getLhs(), 1.0);
}
OpFoldResult DivOp::fold(FoldAdaptor adaptor) {
  return foldNeutral(*this, getLhs(), adaptor.getRhs(), 1.0);
}
OpFoldResult NegOp::fold(FoldAdaptor) {
  if (auto inner = getInput().getDefiningOp<NegOp>())
    return inner.getInput();
  return {};
}

LayerDef AddOp::getLayer() { return makeFunction<AddOp>("add", "a + b, broadcast", 2); }
LayerDef SubOp::getLayer() { return makeFunction<SubOp>("sub", "a - b, broadcast", 2); }
LayerDef MulOp::getLayer() { return makeFunction<MulOp>("mul", "a * b, broadcast", 2); }
LayerDef DivOp::getLayer() { return makeFunction<DivOp>("div", "a / b, broadcast", 2); }

//===--------------------------------------------------------------------------------------------===//
// Constants, labels, rows
//===--------------------------------------------------------------------------------------------===//

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValueAttr(); }

Nest ConstantOp::getNest() { return getPointwiseNest(getTensor(getResult()), {}); }

// A constant has no operand that would tell the shape of a tile; the code generator splats this.
Values ConstantOp::buildBody(OpBuilder &b, Location loc, ValueRange, ValueRange, IndexFn) {
  return {
      buildFloat(b, loc, getTensor(getResult()).getElementType(), getValue().convertToDouble())};
}

LogicalResult OneHotOp::verify() {
  RankedTensorType labels = getTensor(getLabels()), result = getTensor(getResult());
  if (labels.getRank() != 1 || !labels.getElementType().isInteger(32) || result.getRank() != 2 ||
      result.getDimSize(0) != labels.getDimSize(0) || !isa<FloatType>(result.getElementType()))
    return emitOpError() << "labels are " << labels << " and the result " << result
                         << ", expected [n] of i32 and [n, k] of floats (C1)";
  return success();
}

Nest OneHotOp::getNest() {
  MLIRContext *context = getContext();
  RankedTensorType result = getTensor(getResult());
  Nest nest = getPointwiseNest(result, {});
  nest.operandMaps = {AffineMap::get(2, 0, getAffineDimExpr(0, context))};
  return nest;
}

/// `condition ? value : 0` in the float type `element`, shaped like `condition`.
static Value buildSelect(OpBuilder &b, Location loc, Value condition, Type element, Value value) {
  return arith::SelectOp::create(b, loc, condition, value, buildZero(b, loc, value.getType()));
}

static Type getShapedLike(Value like, Type element) {
  if (auto vector = dyn_cast<VectorType>(like.getType()))
    return VectorType::get(vector.getShape(), element);
  return element;
}

Values OneHotOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn index) {
  Value hit = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, in[0], index(1));
  Type element = getTensor(getResult()).getElementType();
  return {buildSelect(b, loc, hit, element, buildFloat(b, loc, getShapedLike(hit, element), 1.0))};
}

static LogicalResult verifyRows(Operation *op, Value rows) {
  RankedTensorType type = getTensor(rows);
  if (type.getRank() != 0 || !type.getElementType().isInteger(32))
    return op->emitOpError() << "rows is " << type << ", expected tensor<i32> (C1)";
  return success();
}

LogicalResult MaskRowsOp::verify() { return verifyRows(*this, getRows()); }

Values MaskRowsOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn index) {
  Value used = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, index(0), in[1]);
  return {buildSelect(b, loc, used, {}, in[0])};
}

Values MaskRowsOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  return {MaskRowsOp::create(b, getLoc(), dy[0], getRows()), Value()};
}

LogicalResult AllRowsOp::verify() {
  int64_t count = getCountAttr().getInt();
  RankedTensorType result = getTensor(getResult());
  if (count <= 0 || result.getRank() != 0 || !result.getElementType().isInteger(32))
    return emitOpError() << "count is " << count << " and the result " << result
                         << ", expected a positive one and tensor<i32> (C1)";
  return success();
}

Nest AllRowsOp::getNest() { return getPointwiseNest(getTensor(getResult()), {}); }

// As of a constant, the code generator splats this.
Values AllRowsOp::buildBody(OpBuilder &b, Location loc, ValueRange, ValueRange, IndexFn) {
  return {buildInt(b, loc, b.getI32Type(), getCountAttr().getInt())};
}

LogicalResult RowWeightOp::verify() {
  RankedTensorType result = getTensor(getResult());
  if (result.getRank() != 2 || result.getDimSize(1) != 1)
    return emitOpError() << "result is " << result << ", expected [n, 1] (C1)";
  return verifyRows(*this, getRows());
}

Nest RowWeightOp::getNest() { return getPointwiseNest(getTensor(getResult()), {getRows()}); }

Values RowWeightOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange,
                              IndexFn index) {
  Value used = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, index(0), in[0]);
  Type type = getShapedLike(used, getTensor(getResult()).getElementType());
  Value weight = buildFloat(b, loc, type, 1.0);
  if (!getSum())
    weight = arith::DivFOp::create(b, loc, weight, arith::SIToFPOp::create(b, loc, type, in[0]));
  return {buildSelect(b, loc, used, {}, weight)};
}

//===--------------------------------------------------------------------------------------------===//
// Layout and shape
//===--------------------------------------------------------------------------------------------===//

LogicalResult ConvertLayoutOp::verify() {
  if (!haveSameShapes(getInput().getType(), getResult().getType()))
    return emitOpError() << "input " << getInput().getType() << " and result "
                         << getResult().getType() << " must differ in layout only (C1)";
  return success();
}

OpFoldResult ConvertLayoutOp::fold(FoldAdaptor) {
  if (getInput().getType() == getType())
    return getInput();
  // a -> b -> c is a -> c, and nothing where c is a.
  if (auto before = getInput().getDefiningOp<ConvertLayoutOp>()) {
    if (before.getInput().getType() == getType())
      return before.getInput();
    setOperand(before.getInput());
    return getResult();
  }
  return {};
}

Nest ConvertLayoutOp::getNest() { return getPointwiseNest(getTensor(getResult()), {getInput()}); }

Values ConvertLayoutOp::buildBody(OpBuilder &, Location, ValueRange in, ValueRange, IndexFn) {
  return {in[0]};
}

LogicalResult ReshapeOp::verify() {
  RankedTensorType from = getTensor(getInput()), to = getTensor(getResult());
  if (from.getNumElements() != to.getNumElements() || from.getElementType() != to.getElementType())
    return emitOpError() << "cannot reshape " << from << " to " << to << " (C1)";
  return success();
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  if (getInput().getType() == getType())
    return getInput();
  if (auto before = getInput().getDefiningOp<ReshapeOp>()) {
    if (before.getInput().getType() == getType())
      return before.getInput();
    setOperand(before.getInput());
    return getResult();
  }
  return {};
}

Values ReshapeOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  return {ReshapeOp::create(b, getLoc(), dropLayout(getTensor(getInput())), dy[0])};
}

/// The sample's shape after a call of `flatten` or `reshape`, where one extent may be -1.
static FailureOr<Shape> getReshaped(const Shape &input, const LayerArgs &args,
                                    LayerProblem &problem) {
  int64_t count = multiplySaturated(input), known = 1, open = -1;
  if (!args.has("shape"))
    return Shape{count};
  ArrayRef<int64_t> given = args.getList("shape");
  Shape output(given.begin(), given.end());
  for (auto [at, extent] : llvm::enumerate(output)) {
    if (extent == -1 && open < 0) {
      open = at;
      continue;
    }
    if (extent <= 0) {
      problem.message = "shape has an extent of " + std::to_string(extent);
      problem.arg = "shape";
      problem.hint = "extents are positive; one may be -1, which stands for what is left";
      return failure();
    }
    known = multiplySaturated({known, extent});
  }
  if (open >= 0 && count % known == 0) {
    output[open] = count / known;
    known = count;
  }
  if (known == count && !output.empty())
    return output;
  problem.message = "cannot reshape " + formatShape(input) + ", " + std::to_string(count) +
                    " elements, to " + formatShape(given);
  problem.arg = "shape";
  problem.input = 0;
  problem.inputText = "the " + formatShape(input) + " input";
  return failure();
}

std::vector<LayerDef> ReshapeOp::getLayers() {
  LayerDef flatten;
  flatten.name = flatten.stem = "flatten";
  flatten.doc = "all dimensions of a sample in one, in row-major order";
  flatten.isFunction = true;
  flatten.sampleRank = 3;
  flatten.lowerRanks = {2, 1};
  flatten.infer = [](ArrayRef<Shape> inputs, const LayerArgs &args,
                     LayerProblem &problem) -> FailureOr<LayerShape> {
    FailureOr<Shape> output = getReshaped(inputs[0], args, problem);
    if (failed(output))
      return failure();
    LayerShape shape;
    shape.output = *output;
    return shape;
  };
  flatten.build = [](OpBuilder &builder, Location loc, ValueRange inputs, ValueRange,
                     const LayerArgs &args) -> Value {
    RankedTensorType from = getTensor(inputs[0]);
    Shape sample(from.getShape().drop_front());
    LayerProblem none;
    SmallVector<int64_t> shape = {from.getDimSize(0)};
    llvm::append_range(shape, *getReshaped(sample, args, none));
    return ReshapeOp::create(builder, loc, RankedTensorType::get(shape, from.getElementType()),
                             inputs[0]);
  };
  LayerDef reshape = flatten;
  reshape.sampleRank = 0;
  reshape.lowerRanks.clear();
  reshape.name = reshape.stem = "reshape";
  reshape.doc = "the elements of a sample in another shape, in row-major order";
  reshape.args = {{"shape", ArgKind::Ints, std::nullopt, "extents; -1 stands for what is left"}};
  return {flatten, reshape};
}
