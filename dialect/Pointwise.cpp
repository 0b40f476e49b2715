//===- Pointwise.cpp - What pointwise operations have in common ------------------------------===//

#include "dialect/Pointwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/AffineExpr.h"

using namespace mlir;
using namespace mlir::cnn;

Nest mlir::cnn::getPointwiseNest(RankedTensorType result, ValueRange operands) {
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

std::optional<Shape> mlir::cnn::broadcastShapes(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  size_t rank = std::max(a.size(), b.size());
  Shape shape(rank, 1);
  for (size_t i = 1; i <= rank; ++i) {
    int64_t left = i <= a.size() ? a[a.size() - i] : 1;
    int64_t right = i <= b.size() ? b[b.size() - i] : 1;
    if (left != right && left != 1 && right != 1)
      return std::nullopt;
    shape[rank - i] = std::max(left, right);
  }
  return shape;
}

LogicalResult mlir::cnn::inferBroadcast(std::optional<Location> loc, ValueRange operands,
                                        SmallVectorImpl<Type> &types) {
  RankedTensorType a = getTensor(operands[0]), b = getTensor(operands[1]);
  if (a.getElementType() != b.getElementType())
    return emitOptionalError(loc, "element types ", a.getElementType(), " and ", b.getElementType(),
                             " differ (C2)");
  auto shape = broadcastShapes(a.getShape(), b.getShape());
  if (!shape)
    return emitOptionalError(loc, "shapes ", formatShape(a.getShape()), " and ",
                             formatShape(b.getShape()), " do not match (C1)");
  types.push_back(RankedTensorType::get(*shape, a.getElementType()));
  return success();
}

Value mlir::cnn::unbroadcast(OpBuilder &builder, Location loc, Value gradient,
                             RankedTensorType type) {
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

FailureOr<LayerShape> mlir::cnn::inferBroadcastLayer(ArrayRef<Shape> inputs, const LayerArgs &,
                                                     LayerProblem &problem) {
  LayerShape shape;
  shape.output = inputs[0];
  if (inputs.size() < 2)
    return shape;
  const Shape &a = inputs[0], &b = inputs[1];
  auto both = broadcastShapes(a, b);
  if (!both) {
    problem.message = "shapes " + formatShape(a) + " and " + formatShape(b) + " do not match";
    problem.input = 1;
    problem.inputText = "the " + formatShape(b) + " operand";
    problem.hint = "give both operands the same shape, or extents of 1 where one is repeated";
    return failure();
  }
  shape.output = *both;
  return shape;
}

SmallVector<Value> mlir::cnn::alignSamples(OpBuilder &builder, Location loc, ValueRange inputs) {
  int64_t rank = 0;
  for (Value input : inputs)
    rank = std::max(rank, getTensor(input).getRank());
  SmallVector<Value> aligned;
  for (Value input : inputs) {
    RankedTensorType type = getTensor(input);
    if (type.getRank() < rank && type.getDimSize(0) != 1) {
      SmallVector<int64_t> shape(type.getShape());
      shape.insert(shape.begin() + 1, rank - type.getRank(), 1);
      input = ReshapeOp::create(builder, loc, RankedTensorType::get(shape, type.getElementType()),
                                input);
    }
    aligned.push_back(input);
  }
  return aligned;
}

LayerDef mlir::cnn::makeUnaryLayer(
    StringRef name, StringRef doc, SmallVector<LayerArg> args,
    std::function<Value(OpBuilder &, Location, Value, const LayerArgs &)> build) {
  LayerDef layer;
  layer.name = layer.stem = name;
  layer.doc = doc;
  layer.args = std::move(args);
  layer.isFunction = true;
  layer.isElementwise = true;
  layer.infer = inferBroadcastLayer;
  layer.build = [build](OpBuilder &builder, Location loc, ValueRange inputs, ValueRange,
                        const LayerArgs &args) { return build(builder, loc, inputs[0], args); };
  return layer;
}

//===--------------------------------------------------------------------------------------------===//
// Formulas
//===--------------------------------------------------------------------------------------------===//

Value BodyBuilder::add(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
Value BodyBuilder::sub(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
Value BodyBuilder::mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
Value BodyBuilder::div(Value x, Value y) { return arith::DivFOp::create(b, loc, x, y); }
Value BodyBuilder::neg(Value x) { return arith::NegFOp::create(b, loc, x); }
Value BodyBuilder::exp(Value x) { return math::ExpOp::create(b, loc, x); }
Value BodyBuilder::sigmoid(Value x) { return div(number(1), add(number(1), exp(neg(x)))); }
Value BodyBuilder::isLess(Value x, Value y) {
  return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, y);
}
Value BodyBuilder::isEqual(Value x, Value y) {
  return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x, y);
}
Value BodyBuilder::select(Value condition, Value yes, Value no) {
  return arith::SelectOp::create(b, loc, condition, yes, no);
}
Value BodyBuilder::clamp(Value x, double low, double high) {
  Value least = number(low), most = number(high);
  x = select(isLess(x, least), least, x);
  return select(isLess(most, x), most, x);
}
