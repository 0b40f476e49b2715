//===- CnnPointwiseOps.cpp - Operations on single elements
//----------------------------------------===//
//
// Bodies, gradients and layers of activations, arithmetic, constants, masks, layout conversions and
// reshapes.
//
//===--------------------------------------------------------------------------------------------===//

#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/AffineExpr.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

using IndexFn = llvm::function_ref<Value(unsigned)>;
using Values = SmallVector<Value>;

static RankedTensorType getTensor(Value value) { return cast<RankedTensorType>(value.getType()); }

//===--------------------------------------------------------------------------------------------===//
// Nests of pointwise operations
//===--------------------------------------------------------------------------------------------===//

/// The nest over a result of type `result`: every operand is read at the result's index, aligned at
/// the last dimensions, and repeated where its extent is 1.
static Nest getPointwiseNest(RankedTensorType result, ValueRange operands) {
  MLIRContext *context = result.getContext();
  Nest nest;
  nest.sizes.assign(result.getShape().begin(), result.getShape().end());
  nest.numParallel = nest.sizes.size();
  int64_t rank = result.getRank();
  for (Value operand : operands) {
    RankedTensorType type = getTensor(operand);
    SmallVector<AffineExpr> exprs;
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      int64_t at = rank - type.getRank() + dim;
      exprs.push_back(type.getDimSize(dim) == 1 && result.getDimSize(at) != 1
                          ? getAffineConstantExpr(0, context)
                          : getAffineDimExpr(at, context));
    }
    nest.operandMaps.push_back(AffineMap::get(rank, 0, exprs, context));
  }
  nest.resultMaps.push_back(AffineMap::getMultiDimIdentityMap(rank, context));
  return nest;
}

/// Gives operands of fewer dimensions extents of 1 behind their batch, which else would meet
/// another dimension. An extent of 1 in place of a batch may meet any.
static Values alignSamples(OpBuilder &builder, Location loc, ValueRange operands) {
  int64_t rank = 0;
  for (Value operand : operands)
    rank = std::max(rank, getTensor(operand).getRank());
  Values aligned;
  for (Value operand : operands) {
    RankedTensorType type = getTensor(operand);
    if (type.getRank() < rank && type.getDimSize(0) != 1) {
      SmallVector<int64_t> shape(type.getShape());
      shape.insert(shape.begin() + 1, rank - type.getRank(), 1);
      type = RankedTensorType::get(shape, type.getElementType());
      operand = ReshapeOp::create(builder, loc, type, operand);
    }
    aligned.push_back(operand);
  }
  return aligned;
}

/// The layer of a function of `count` tensors without hyperparameters, all of one shape or (for
/// two) broadcast together.
template <typename Op> static LayerDef makeFunction(StringRef name, StringRef doc, unsigned count) {
  LayerDef layer;
  layer.name = layer.stem = name;
  layer.doc = doc;
  layer.numInputs = count;
  layer.isFunction = true;
  layer.mixesBatch = true;
  layer.isElementwise = count == 1;
  layer.infer = [](ArrayRef<Shape> inputs, const LayerArgs &,
                   LayerProblem &problem) -> FailureOr<LayerShape> {
    LayerShape shape;
    shape.output = inputs[0];
    if (inputs.size() == 2) {
      const Shape &a = inputs[0], &b = inputs[1];
      size_t rank = std::max(a.size(), b.size());
      shape.output.assign(rank, 1);
      for (size_t i = 1; i <= rank; ++i) {
        int64_t left = i <= a.size() ? a[a.size() - i] : 1;
        int64_t right = i <= b.size() ? b[b.size() - i] : 1;
        if (left != right && left != 1 && right != 1) {
          problem.message = "shapes " + formatShape(a) + " and " + formatShape(b) + " do not match";
          problem.input = 1;
          problem.inputText = "the " + formatShape(b) + " operand";
          problem.hint = "give both operands the same shape, or extents of 1 where one is repeated";
          return failure();
        }
        shape.output[rank - i] = std::max(left, right);
      }
    }
    return shape;
  };
  layer.build = [](OpBuilder &builder, Location loc, ValueRange inputs, ValueRange,
                   const LayerArgs &) -> Value {
    return Op::create(builder, loc, alignSamples(builder, loc, inputs)).getResult();
  };
  return layer;
}

//===--------------------------------------------------------------------------------------------===//
// One operand
//===--------------------------------------------------------------------------------------------===//

#define CNN_UNARY(OP)                                                                              \
  LogicalResult OP::inferReturnTypes(MLIRContext *, std::optional<Location>, ValueRange operands,  \
                                     DictionaryAttr, OpaqueProperties, RegionRange,                \
                                     SmallVectorImpl<Type> &types) {                               \
    types.push_back(dropLayout(getTensor(operands[0])));                                           \
    return success();                                                                              \
  }                                                                                                \
  Nest OP::getNest() {                                                                             \
    return getPointwiseNest(getTensor(getResult()), getOperation()->getOperands());                \
  }
CNN_UNARY(SigmoidOp)
CNN_UNARY(TanhOp)
CNN_UNARY(ReluOp)
CNN_UNARY(ExpOp)
CNN_UNARY(LogOp)
CNN_UNARY(NegOp)
CNN_UNARY(SigmoidGradOp)
CNN_UNARY(TanhGradOp)
CNN_UNARY(ReluGradOp)
CNN_UNARY(MaskRowsOp)
#undef CNN_UNARY

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
LayerDef TanhOp::getLayer() { return makeFunction<TanhOp>("tanh", "the hyperbolic tangent", 1); }
LayerDef ReluOp::getLayer() { return makeFunction<ReluOp>("relu", "max(x, 0)", 1); }
LayerDef ExpOp::getLayer() { return makeFunction<ExpOp>("exp", "the exponential function", 1); }
LayerDef LogOp::getLayer() { return makeFunction<LogOp>("log", "the natural logarithm", 1); }
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

static LogicalResult inferBroadcast(std::optional<Location> loc, ValueRange operands,
                                    SmallVectorImpl<Type> &types) {
  RankedTensorType a = getTensor(operands[0]), b = getTensor(operands[1]);
  if (a.getElementType() != b.getElementType())
    return emitOptionalError(loc, "element types ", a.getElementType(), " and ", b.getElementType(),
                             " differ (C2)");
  int64_t rank = std::max(a.getRank(), b.getRank());
  SmallVector<int64_t> shape(rank, 1);
  for (int64_t i = 1; i <= rank; ++i) {
    int64_t left = i <= a.getRank() ? a.getDimSize(a.getRank() - i) : 1;
    int64_t right = i <= b.getRank() ? b.getDimSize(b.getRank() - i) : 1;
    if (left != right && left != 1 && right != 1)
      return emitOptionalError(loc, "shapes ", formatShape(a.getShape()), " and ",
                               formatShape(b.getShape()), " do not match (C1)");
    shape[rank - i] = std::max(left, right);
  }
  types.push_back(RankedTensorType::get(shape, a.getElementType()));
  return success();
}

/// Sums `gradient` over what was repeated of an operand of type `type`.
static Value unbroadcast(OpBuilder &builder, Location loc, Value gradient, RankedTensorType type) {
  RankedTensorType from = getTensor(gradient);
  if (from.getShape() == type.getShape())
    return gradient;
  SmallVector<int64_t> dims;
  int64_t offset = from.getRank() - type.getRank();
  for (int64_t dim = 0; dim < from.getRank(); ++dim)
    if (dim < offset || (type.getDimSize(dim - offset) == 1 && from.getDimSize(dim) != 1))
      dims.push_back(dim);
  Value sum = ReduceSumOp::create(builder, loc, gradient, dims, /*keep_dims=*/false);
  if (getTensor(sum).getShape() == type.getShape())
    return sum;
  return ReshapeOp::create(builder, loc, dropLayout(type), sum);
}

#define CNN_BINARY(OP)                                                                             \
  LogicalResult OP::inferReturnTypes(MLIRContext *, std::optional<Location> loc,                   \
                                     ValueRange operands, DictionaryAttr, OpaqueProperties,        \
                                     RegionRange, SmallVectorImpl<Type> &types) {                  \
    return inferBroadcast(loc, operands, types);                                                   \
  }                                                                                                \
  Nest OP::getNest() { return getPointwiseNest(getTensor(getResult()), {getLhs(), getRhs()}); }
CNN_BINARY(AddOp)
CNN_BINARY(SubOp)
CNN_BINARY(MulOp)
CNN_BINARY(DivOp)
#undef CNN_BINARY

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

LayerDef ReshapeOp::getLayer() {
  LayerDef layer;
  layer.name = layer.stem = "flatten";
  layer.doc = "all dimensions of a sample in one, in row-major order";
  layer.isFunction = true;
  layer.infer = [](ArrayRef<Shape> inputs, const LayerArgs &, LayerProblem &) {
    LayerShape shape;
    int64_t count = 1;
    for (int64_t extent : inputs[0])
      count *= extent;
    shape.output = {count};
    return FailureOr<LayerShape>(shape);
  };
  layer.build = [](OpBuilder &builder, Location loc, ValueRange inputs, ValueRange,
                   const LayerArgs &) -> Value {
    RankedTensorType from = getTensor(inputs[0]);
    int64_t batch = from.getDimSize(0);
    auto type =
        RankedTensorType::get({batch, from.getNumElements() / batch}, from.getElementType());
    return ReshapeOp::create(builder, loc, type, inputs[0]);
  };
  return layer;
}
