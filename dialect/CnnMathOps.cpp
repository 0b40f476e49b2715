//===- CnnMathOps.cpp - Functions of numbers, element by element -----------------------------===//

#include "dialect/Pointwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace mlir::cnn;

using IndexFn = llvm::function_ref<Value(unsigned)>;
using Values = SmallVector<Value>;

CNN_POINTWISE_OP(AbsOp)
CNN_POINTWISE_OP(AbsGradOp)
CNN_POINTWISE_OP(SqrtOp)
CNN_POINTWISE_OP(SinOp)
CNN_POINTWISE_OP(CosOp)
CNN_POINTWISE_OP(PowOp)
CNN_BROADCAST_OP(MaximumOp)
CNN_BROADCAST_OP(MinimumOp)

//===--------------------------------------------------------------------------------------------===//
// abs, sqrt
//===--------------------------------------------------------------------------------------------===//

Values AbsOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  return {math::AbsFOp::create(b, loc, in[0])};
}

Values AbsOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  return {AbsGradOp::create(b, getLoc(), getInput(), dy[0])};
}

Values AbsGradOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  BodyBuilder f(b, loc, in[0]);
  Value zero = f.number(0);
  Value negative = f.select(f.isLess(in[0], zero), f.neg(in[1]), zero);
  return {f.select(f.isLess(zero, in[0]), in[1], negative)};
}

LayerDef AbsOp::getLayer() { return makeFunction<AbsOp>("abs", "the absolute value", 1); }

/// A function that numbers have, too.
template <typename Op>
static LayerDef makeNumberFunction(StringRef name, StringRef doc, double (*ofNumber)(double)) {
  LayerDef layer = makeFunction<Op>(name, doc, 1);
  layer.ofNumber = ofNumber;
  return layer;
}

Values SqrtOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  return {math::SqrtOp::create(b, loc, in[0])};
}

Values SqrtOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  Value twice = AddOp::create(b, getLoc(), getResult(), getResult());
  return {DivOp::create(b, getLoc(), dy[0], twice)};
}

LayerDef SqrtOp::getLayer() {
  return makeNumberFunction<SqrtOp>("sqrt", "the square root",
                                    [](double x) { return std::sqrt(x); });
}

//===--------------------------------------------------------------------------------------------===//
// sin, cos
//===--------------------------------------------------------------------------------------------===//

Values SinOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  return {math::SinOp::create(b, loc, in[0])};
}

Values SinOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  return {MulOp::create(b, getLoc(), dy[0], CosOp::create(b, getLoc(), getInput()))};
}

LayerDef SinOp::getLayer() {
  return makeNumberFunction<SinOp>("sin", "the sine", [](double x) { return std::sin(x); });
}

Values CosOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  return {math::CosOp::create(b, loc, in[0])};
}

Values CosOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  Value slope = NegOp::create(b, getLoc(), SinOp::create(b, getLoc(), getInput()));
  return {MulOp::create(b, getLoc(), dy[0], slope)};
}

LayerDef CosOp::getLayer() {
  return makeNumberFunction<CosOp>("cos", "the cosine", [](double x) { return std::cos(x); });
}

//===--------------------------------------------------------------------------------------------===//
// pow
//===--------------------------------------------------------------------------------------------===//

Values PowOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  BodyBuilder f(b, loc, in[0]);
  double exponent = getExponent().convertToDouble();
  if (exponent == 0.5)
    return {math::SqrtOp::create(b, loc, in[0])};
  if (exponent != std::floor(exponent) || std::abs(exponent) > 64)
    return {f.exp(f.mul(f.number(exponent), math::LogOp::create(b, loc, in[0])))};
  // Square and multiply.
  Value power, square = in[0];
  for (int64_t rest = std::abs(exponent); rest > 0; rest /= 2) {
    if (rest % 2 == 1)
      power = power ? f.mul(power, square) : square;
    if (rest > 1)
      square = f.mul(square, square);
  }
  if (!power)
    return {f.number(1)};
  return {exponent < 0 ? f.div(f.number(1), power) : power};
}

Values PowOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  // e * x^(e - 1) * dy
  double exponent = getExponent().convertToDouble();
  RankedTensorType type = dropLayout(getTensor(getInput()));
  Value factor = ConstantOp::create(b, getLoc(), type, b.getF64FloatAttr(exponent));
  Value scaled = MulOp::create(b, getLoc(), dy[0], factor);
  if (exponent == 0 || exponent == 1)
    return {scaled};
  Value power = PowOp::create(b, getLoc(), getInput(), b.getF64FloatAttr(exponent - 1));
  return {MulOp::create(b, getLoc(), scaled, power)};
}

LayerDef PowOp::getLayer() {
  return makeUnaryLayer(
      "pow", "x to the power of a constant",
      {{"exponent", ArgKind::Float, std::nullopt, "the exponent"}},
      [](OpBuilder &b, Location loc, Value input, const LayerArgs &args) -> Value {
        return PowOp::create(b, loc, input, b.getF64FloatAttr(args.getFloat("exponent")));
      });
}

//===--------------------------------------------------------------------------------------------===//
// maximum, minimum
//===--------------------------------------------------------------------------------------------===//

Values MaximumOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  return {arith::MaximumFOp::create(b, loc, in[0], in[1])};
}

Values MinimumOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  return {arith::MinimumFOp::create(b, loc, in[0], in[1])};
}

/// The gradients of the operands, where `larger[i]` and `smaller[i]` are compared for operand i.
static Values shareGradient(OpBuilder &b, Location loc, ValueRange operands, Value dy,
                            ArrayRef<bool> needed, bool largest) {
  Values gradients(2);
  for (int i : {0, 1})
    if (needed[i]) {
      Value own = operands[i], other = operands[1 - i];
      Value share = largest ? LargerShareOp::create(b, loc, own, other, dy)
                            : LargerShareOp::create(b, loc, other, own, dy);
      gradients[i] = unbroadcast(b, loc, share, getTensor(own));
    }
  return gradients;
}

Values MaximumOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool> needed) {
  return shareGradient(b, getLoc(), {getLhs(), getRhs()}, dy[0], needed, /*largest=*/true);
}

Values MinimumOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool> needed) {
  return shareGradient(b, getLoc(), {getLhs(), getRhs()}, dy[0], needed, /*largest=*/false);
}

LayerDef MaximumOp::getLayer() {
  return makeFunction<MaximumOp>("maximum", "the larger of a and b, broadcast", 2);
}
LayerDef MinimumOp::getLayer() {
  return makeFunction<MinimumOp>("minimum", "the smaller of a and b, broadcast", 2);
}

LogicalResult LargerShareOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                              ValueRange operands, DictionaryAttr, OpaqueProperties,
                                              RegionRange, SmallVectorImpl<Type> &types) {
  types.push_back(dropLayout(getTensor(operands[2])));
  return success();
}

LogicalResult LargerShareOp::verify() {
  ArrayRef<int64_t> to = getTensor(getGradient()).getShape();
  for (Value operand : {getLhs(), getRhs()}) {
    ArrayRef<int64_t> from = getTensor(operand).getShape();
    bool fits = from.size() <= to.size();
    for (size_t i = 1; fits && i <= from.size(); ++i)
      fits = from[from.size() - i] == 1 || from[from.size() - i] == to[to.size() - i];
    if (!fits)
      return emitOpError() << "cannot broadcast " << formatShape(from) << " to the gradient's "
                           << formatShape(to) << " (C1)";
  }
  return success();
}

Nest LargerShareOp::getNest() {
  return getPointwiseNest(getTensor(getResult()), getOperation()->getOperands());
}

Values LargerShareOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  BodyBuilder f(b, loc, in[0]);
  Value tie = f.select(f.isEqual(in[0], in[1]), f.mul(in[2], f.number(0.5)), f.number(0));
  return {f.select(f.isLess(in[1], in[0]), in[2], tie)};
}
