//===- CnnActivationOps.cpp - Activations beyond relu, sigmoid and tanh ----------------------===//
//
// Gradients are written in terms of the result where that is possible, so that the operand need not
// be kept; else in terms of the operand.
//
//===--------------------------------------------------------------------------------------------===//

#include "dialect/Pointwise.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace mlir::cnn;

using IndexFn = llvm::function_ref<Value(unsigned)>;
using Values = SmallVector<Value>;

CNN_POINTWISE_OP(LeakyReluOp)
CNN_POINTWISE_OP(LeakyReluGradOp)
CNN_POINTWISE_OP(EluOp)
CNN_POINTWISE_OP(EluGradOp)
CNN_POINTWISE_OP(Relu6Op)
CNN_POINTWISE_OP(Relu6GradOp)
CNN_POINTWISE_OP(SiluOp)
CNN_POINTWISE_OP(SiluGradOp)
CNN_POINTWISE_OP(HardswishOp)
CNN_POINTWISE_OP(HardswishGradOp)
CNN_POINTWISE_OP(GeluOp)
CNN_POINTWISE_OP(GeluGradOp)

//===--------------------------------------------------------------------------------------------===//
// leaky_relu
//===--------------------------------------------------------------------------------------------===//

Values LeakyReluOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  BodyBuilder f(b, loc, in[0]);
  Value scaled = f.mul(in[0], f.number(getSlope().convertToDouble()));
  return {f.select(f.isLess(f.number(0), in[0]), in[0], scaled)};
}

Values LeakyReluOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  // With a slope that is not negative, the result is positive exactly where the operand is.
  Value sign = getSlope().isNegative() ? getInput() : getResult();
  return {LeakyReluGradOp::create(b, getLoc(), sign, dy[0], getSlopeAttr())};
}

Values LeakyReluGradOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  BodyBuilder f(b, loc, in[0]);
  Value scaled = f.mul(in[1], f.number(getSlope().convertToDouble()));
  return {f.select(f.isLess(f.number(0), in[0]), in[1], scaled)};
}

LayerDef LeakyReluOp::getLayer() {
  return makeUnaryLayer(
      "leaky_relu", "x where it is positive, slope * x elsewhere",
      {{"slope", ArgKind::Float, 0.01, "factor of negative numbers"}},
      [](OpBuilder &b, Location loc, Value input, const LayerArgs &args) -> Value {
        return LeakyReluOp::create(b, loc, input, b.getF64FloatAttr(args.getFloat("slope")));
      });
}

//===--------------------------------------------------------------------------------------------===//
// elu
//===--------------------------------------------------------------------------------------------===//

/// exp(x) - 1 for x <= 0, without cancellation near 0: 2t / (1 - t) with t = tanh(x / 2).
static Value buildExpLessOne(BodyBuilder &f, OpBuilder &b, Location loc, Value x) {
  Value t = math::TanhOp::create(b, loc, f.mul(x, f.number(0.5)));
  return f.div(f.add(t, t), f.sub(f.number(1), t));
}

Values EluOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  BodyBuilder f(b, loc, in[0]);
  Value positive = f.isLess(f.number(0), in[0]);
  Value below = f.select(positive, f.number(0), in[0]);
  Value curve = f.mul(buildExpLessOne(f, b, loc, below), f.number(getAlpha().convertToDouble()));
  return {f.select(positive, in[0], curve)};
}

Values EluOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  return {EluGradOp::create(b, getLoc(), getInput(), dy[0], getAlphaAttr())};
}

Values EluGradOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  BodyBuilder f(b, loc, in[0]);
  Value slope = f.mul(f.exp(in[0]), f.number(getAlpha().convertToDouble()));
  return {f.select(f.isLess(f.number(0), in[0]), in[1], f.mul(in[1], slope))};
}

LayerDef EluOp::getLayer() {
  return makeUnaryLayer(
      "elu", "x where it is positive, alpha * (exp(x) - 1) elsewhere",
      {{"alpha", ArgKind::Float, 1.0, "factor of negative numbers"}},
      [](OpBuilder &b, Location loc, Value input, const LayerArgs &args) -> Value {
        return EluOp::create(b, loc, input, b.getF64FloatAttr(args.getFloat("alpha")));
      });
}

//===--------------------------------------------------------------------------------------------===//
// relu6, silu, hardswish
//===--------------------------------------------------------------------------------------------===//

Values Relu6Op::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  return {BodyBuilder(b, loc, in[0]).clamp(in[0], 0, 6)};
}

Values Relu6Op::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  return {Relu6GradOp::create(b, getLoc(), getResult(), dy[0])};
}

Values Relu6GradOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  BodyBuilder f(b, loc, in[0]);
  Value below = f.select(f.isLess(in[0], f.number(6)), in[1], f.number(0));
  return {f.select(f.isLess(f.number(0), in[0]), below, f.number(0))};
}

LayerDef Relu6Op::getLayer() { return makeFunction<Relu6Op>("relu6", "min(max(x, 0), 6)", 1); }

Values SiluOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  BodyBuilder f(b, loc, in[0]);
  return {f.div(in[0], f.add(f.number(1), f.exp(f.neg(in[0]))))};
}

Values SiluOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  return {SiluGradOp::create(b, getLoc(), getInput(), dy[0])};
}

Values SiluGradOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  BodyBuilder f(b, loc, in[0]);
  Value s = f.sigmoid(in[0]), one = f.number(1);
  Value slope = f.mul(s, f.add(one, f.mul(in[0], f.sub(one, s))));
  return {f.mul(in[1], slope)};
}

LayerDef SiluOp::getLayer() { return makeFunction<SiluOp>("silu", "x / (1 + exp(-x))", 1); }

Values HardswishOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  BodyBuilder f(b, loc, in[0]);
  Value line = f.clamp(f.add(in[0], f.number(3)), 0, 6);
  return {f.div(f.mul(in[0], line), f.number(6))};
}

Values HardswishOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  return {HardswishGradOp::create(b, getLoc(), getInput(), dy[0])};
}

Values HardswishGradOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  BodyBuilder f(b, loc, in[0]);
  Value slope = f.add(f.div(in[0], f.number(3)), f.number(0.5));
  slope = f.select(f.isLess(f.number(-3), in[0]), slope, f.number(0));
  slope = f.select(f.isLess(in[0], f.number(3)), slope, f.number(1));
  return {f.mul(in[1], slope)};
}

LayerDef HardswishOp::getLayer() {
  return makeFunction<HardswishOp>("hardswish", "x * min(max(x + 3, 0), 6) / 6", 1);
}

//===--------------------------------------------------------------------------------------------===//
// gelu
//===--------------------------------------------------------------------------------------------===//

/// tanh(sqrt(2/pi) * (x + 0.044715 x^3)), and the derivative of its argument.
static std::pair<Value, Value> buildGeluTanh(BodyBuilder &f, OpBuilder &b, Location loc, Value x) {
  const double scale = std::sqrt(2 / M_PI), cubic = 0.044715;
  Value square = f.mul(x, x);
  Value inner = f.mul(x, f.add(f.number(scale), f.mul(square, f.number(scale * cubic))));
  Value slope = f.add(f.number(scale), f.mul(square, f.number(3 * scale * cubic)));
  return {math::TanhOp::create(b, loc, inner), slope};
}

static Value buildErf(BodyBuilder &f, OpBuilder &b, Location loc, Value x) {
  return math::ErfOp::create(b, loc, f.mul(x, f.number(std::sqrt(0.5))));
}

Values GeluOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  BodyBuilder f(b, loc, in[0]);
  Value half = f.mul(in[0], f.number(0.5));
  Value curve =
      getApproximate() ? buildGeluTanh(f, b, loc, in[0]).first : buildErf(f, b, loc, in[0]);
  return {f.add(half, f.mul(half, curve))};
}

Values GeluOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  return {GeluGradOp::create(b, getLoc(), getInput(), dy[0], getApproximate())};
}

Values GeluGradOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  BodyBuilder f(b, loc, in[0]);
  Value x = in[0], half = f.number(0.5), one = f.number(1);
  if (getApproximate()) {
    auto [t, inner] = buildGeluTanh(f, b, loc, x);
    Value left = f.mul(half, f.add(one, t));
    Value right = f.mul(f.mul(f.mul(half, x), f.sub(one, f.mul(t, t))), inner);
    return {f.mul(in[1], f.add(left, right))};
  }
  Value left = f.mul(half, f.add(one, buildErf(f, b, loc, x)));
  Value bell = f.mul(f.exp(f.neg(f.mul(half, f.mul(x, x)))), f.number(1 / std::sqrt(2 * M_PI)));
  return {f.mul(in[1], f.add(left, f.mul(x, bell)))};
}

LayerDef GeluOp::getLayer() {
  LayerDef layer = makeUnaryLayer(
      "gelu",
      "the Gaussian error linear unit: x times the probability that a normal number is less",
      {{"approximate", ArgKind::String, std::string("none"), "\"none\" (erf) or \"tanh\""}},
      [](OpBuilder &b, Location loc, Value input, const LayerArgs &args) -> Value {
        return GeluOp::create(b, loc, input, args.getString("approximate") == "tanh");
      });
  layer.infer = [](ArrayRef<Shape> inputs, const LayerArgs &args,
                   LayerProblem &problem) -> FailureOr<LayerShape> {
    const std::string &approximate = args.getString("approximate");
    if (approximate == "none" || approximate == "tanh")
      return inferBroadcastLayer(inputs, args, problem);
    problem.message = "gelu has no approximation \"" + approximate + "\"";
    problem.arg = "approximate";
    problem.hint = "approximate is \"none\" or \"tanh\"";
    return failure();
  };
  return layer;
}
