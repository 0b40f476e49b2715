//===- CnnRandomOps.cpp - Operations that draw random numbers --------------------------------===//

#include "dialect/Pointwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AffineExpr.h"
#include "llvm/Support/Format.h"

#include <array>
#include <cmath>

using namespace mlir;
using namespace mlir::cnn;

using IndexFn = llvm::function_ref<Value(unsigned)>;
using Values = SmallVector<Value>;

static bool isProbability(double value) { return value >= 0 && value <= 1; }

//===--------------------------------------------------------------------------------------------===//
// dropout
//===--------------------------------------------------------------------------------------------===//

LogicalResult DropoutOp::verify() {
  if (!isProbability(getProbability().convertToDouble()))
    return emitOpError() << "probability is " << getProbability().convertToDouble()
                         << ", expected 0 to 1 (C1)";
  return success();
}

Values DropoutOp::decompose(OpBuilder &) { return {getInput()}; }

Values DropoutOp::buildBackward(OpBuilder &, ValueRange dy, ArrayRef<bool>) { return {dy[0]}; }

Values DropoutOp::buildTrainingForm(OpBuilder &b, const TrainingStep &step,
                                    MutableArrayRef<Value>) {
  return {DropoutTrainOp::create(b, getLoc(), getInput(), step.getScalar("seed"),
                                 step.getScalar("seed_high"), step.getScalar("step"),
                                 getProbabilityAttr(), b.getI64IntegerAttr(step.number))};
}

LayerDef DropoutOp::getLayer() {
  LayerDef layer;
  layer.name = layer.stem = "dropout";
  layer.doc = "in training, elements zeroed at random and the others scaled; else nothing";
  layer.args = {{"p", ArgKind::Float, 0.5, "probability of a zero"}};
  layer.infer = [](ArrayRef<Shape> inputs, const LayerArgs &args,
                   LayerProblem &problem) -> FailureOr<LayerShape> {
    if (double p = args.getFloat("p"); !isProbability(p)) {
      llvm::raw_string_ostream(problem.message)
          << "p is between 0 and 1, not " << llvm::format("%g", p);
      problem.arg = "p";
      return failure();
    }
    LayerShape shape;
    shape.output = inputs[0];
    return shape;
  };
  layer.build = [](OpBuilder &builder, Location loc, ValueRange inputs, ValueRange,
                   const LayerArgs &args) -> Value {
    return DropoutOp::create(builder, loc, inputs[0].getType(), inputs[0],
                             builder.getF64FloatAttr(args.getFloat("p")));
  };
  return layer;
}

//===--------------------------------------------------------------------------------------------===//
// dropout_train
//===--------------------------------------------------------------------------------------------===//

CNN_POINTWISE_OP(DropoutTrainOp)

LogicalResult DropoutTrainOp::verify() {
  for (Value value : {getSeed(), getSeedHigh(), getStep()})
    if (getTensor(value).getRank() != 0 || !getTensor(value).getElementType().isInteger(32))
      return emitOpError() << "seed, seed_high or step is " << value.getType()
                           << ", expected tensor<i32> (C1)";
  int64_t number = getNumberAttr().getInt();
  if (!isProbability(getProbability().convertToDouble()) || number < 0)
    return emitOpError() << "probability is " << getProbability().convertToDouble()
                         << " and number " << number << ", expected 0 to 1, and at least 0 (C2)";
  if (multiplySaturated(getTensor(getInput()).getShape()) >= int64_t(1) << 31)
    return emitOpError() << "input " << getTensor(getInput())
                         << " has 2^31 elements or more, too many to number (C3)";
  return success();
}

namespace {
/// Ten rounds of Philox4x32 on i32 values of any shape; only the first word is wanted.
struct Philox {
  OpBuilder &b;
  Location loc;
  Type type;

  Value constant(uint32_t value) { return buildInt(b, loc, type, static_cast<int32_t>(value)); }
  Value xorOf(Value x, Value y) { return arith::XOrIOp::create(b, loc, x, y); }

  Value firstWord(std::array<Value, 4> counter, std::array<Value, 2> key) {
    // Multipliers and Weyl increments of the paper's table 2 and section 4.
    Value multiplier0 = constant(0xD2511F53), multiplier1 = constant(0xCD9E8D57);
    Value increment0 = constant(0x9E3779B9), increment1 = constant(0xBB67AE85);
    for (int round = 0; round < 10; ++round) {
      auto product0 = arith::MulUIExtendedOp::create(b, loc, multiplier0, counter[0]);
      auto product1 = arith::MulUIExtendedOp::create(b, loc, multiplier1, counter[2]);
      counter = {xorOf(xorOf(product1.getHigh(), counter[1]), key[0]), product1.getLow(),
                 xorOf(xorOf(product0.getHigh(), counter[3]), key[1]), product0.getLow()};
      key = {arith::AddIOp::create(b, loc, key[0], increment0),
             arith::AddIOp::create(b, loc, key[1], increment1)};
    }
    return counter[0];
  }
};
} // namespace

/// The purpose of dropout in runtime/core/Random.h, where it stands in a counter.
static constexpr uint32_t dropoutPurpose = 4u << 24;

Values DropoutTrainOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange,
                                 IndexFn index) {
  double probability = getProbability().convertToDouble();
  if (probability == 1) // Words are below 2^32 always, and the scale would be infinite.
    return {buildZero(b, loc, in[0].getType())};
  RankedTensorType tensor = getTensor(getResult());
  Type type = b.getI32Type();
  if (auto vector = dyn_cast<VectorType>(in[0].getType()))
    type = vector.clone(type);
  Value element;
  for (int64_t dim = 0; dim < tensor.getRank(); ++dim) {
    Value at = index(dim);
    if (element) {
      Value extent = buildInt(b, loc, type, tensor.getDimSize(dim));
      at = arith::AddIOp::create(b, loc, arith::MulIOp::create(b, loc, element, extent), at);
    }
    element = at;
  }
  if (!element)
    element = buildInt(b, loc, type, 0);
  Philox philox{b, loc, type};
  Value word = philox.firstWord({element, philox.constant(static_cast<uint32_t>(getNumber())),
                                 in[3], philox.constant(dropoutPurpose)},
                                {in[1], in[2]});
  Value limit = philox.constant(static_cast<uint32_t>(std::ldexp(probability, 32)));
  Value drop = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, word, limit);
  Value scaled = arith::MulFOp::create(b, loc, in[0],
                                       buildFloat(b, loc, in[0].getType(), 1 / (1 - probability)));
  return {arith::SelectOp::create(b, loc, drop, buildZero(b, loc, in[0].getType()), scaled)};
}

/// Linear in its input, by the same mask.
Values DropoutTrainOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool> needed) {
  Values gradients(needed.size());
  if (needed[0])
    gradients[0] = DropoutTrainOp::create(b, getLoc(), dy[0], getSeed(), getSeedHigh(), getStep(),
                                          getProbabilityAttr(), getNumberAttr());
  return gradients;
}
