//===- CnnAdamOps.cpp - Adam and AdamW -------------------------------------------------------===//

#include "dialect/Pointwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/AffineExpr.h"

#include <cmath>

using namespace mlir;
using namespace mlir::cnn;

using IndexFn = llvm::function_ref<Value(unsigned)>;
using Values = SmallVector<Value>;

//===--------------------------------------------------------------------------------------------===//
// adam_update
//===--------------------------------------------------------------------------------------------===//

LogicalResult AdamUpdateOp::verify() {
  Value tensors[] = {getGradient(),    getMean(),          getSquare(),  getUpdated(),
                     getUpdatedMean(), getUpdatedSquare(), getLargest(), getUpdatedLargest()};
  for (Value tensor : tensors)
    if (tensor && !haveSameShapes(tensor.getType(), getParameter().getType()))
      return emitOpError() << "has a tensor of type " << tensor.getType() << ", expected "
                           << getParameter().getType() << " (C1)";
  if (getWeightDecay() && getShrinkage())
    return emitOpError() << "has both a weight decay and a shrinkage (C2)";
  if (!getLargest() != !getUpdatedLargest())
    return emitOpError() << "largest and the fourth result come together (C3)";
  return success();
}

Values AdamUpdateOp::decompose(OpBuilder &b) {
  Location loc = getLoc();
  auto add = [&](Value x, Value y) -> Value { return AddOp::create(b, loc, x, y); };
  auto sub = [&](Value x, Value y) -> Value { return SubOp::create(b, loc, x, y); };
  auto mul = [&](Value x, Value y) -> Value { return MulOp::create(b, loc, x, y); };
  Value parameter = getParameter(), gradient = getGradient();
  if (getWeightDecay())
    gradient = add(gradient, mul(parameter, getWeightDecay()));
  if (getShrinkage())
    parameter = mul(parameter, getShrinkage());
  Value mean = add(getMean(), mul(sub(gradient, getMean()), getMeanShare()));
  Value square =
      add(mul(getSquare(), getSquareDecay()), mul(mul(gradient, getSquareShare()), gradient));
  Value largest = getLargest() ? MaximumOp::create(b, loc, getLargest(), square) : Value();
  Value ratio =
      AdamRatioOp::create(b, loc, mean, largest ? largest : square, getCorrection(), getEps());
  Values results = {sub(parameter, mul(ratio, getStepSize())), mean, square};
  if (largest)
    results.push_back(largest);
  return results;
}

/// Adam, or with `decoupled` AdamW, whose weight decay does not pass through the moments.
static OptimizerDef makeAdam(StringRef name, StringRef doc, StringRef example, bool decoupled) {
  OptimizerDef def;
  def.name = name;
  def.doc = doc;
  def.example = example;
  def.args = {{"lr", ArgKind::Float, 1e-3, "learning rate"},
              {"beta1", ArgKind::Float, 0.9, "what is kept of the mean gradient"},
              {"beta2", ArgKind::Float, 0.999, "what is kept of the mean square"},
              {"eps", ArgKind::Float, 1e-8, "what is added to the root of the mean square"},
              {"weight_decay", ArgKind::Float, decoupled ? 0.01 : 0.0, "pull towards zero"},
              {"amsgrad", ArgKind::Bool, false, "divide by the largest mean square so far"}};
  def.check = [](const LayerArgs &args, SmallVectorImpl<LayerProblem> &problems) {
    checkRange(args, "lr", [](double value) { return value > 0; }, "positive", problems);
    for (StringRef beta : {"beta1", "beta2"})
      checkRange(
          args, beta, [](double value) { return value >= 0 && value < 1; },
          "at least 0 and below 1", problems);
    for (StringRef name : {"eps", "weight_decay"})
      checkRange(args, name, [](double value) { return value >= 0; }, "at least 0", problems);
  };
  def.flags = {"weight_decay", "amsgrad"};
  def.getFlags = [](const LayerArgs &args) {
    SmallVector<StringRef> flags;
    if (args.getFloat("weight_decay") != 0)
      flags.push_back("weight_decay");
    if (args.getBool("amsgrad"))
      flags.push_back("amsgrad");
    return flags;
  };
  def.slots = [](OptimizerFlags flags) {
    SmallVector<StringRef> slots = {"exp_avg", "exp_avg_sq"};
    if (llvm::is_contained(flags, "amsgrad"))
      slots.push_back("max_exp_avg_sq");
    return slots;
  };
  StringRef decay = decoupled ? "shrinkage" : "weight_decay";
  def.scalars = [decay](OptimizerFlags flags) {
    SmallVector<StringRef> names = {"step_size",    "mean_share", "square_decay",
                                    "square_share", "correction", "eps"};
    if (llvm::is_contained(flags, "weight_decay"))
      names.push_back(decay);
    return names;
  };
  def.value = [](StringRef scalar, const LayerArgs &args, double lr, int64_t step) {
    double beta1 = args.getFloat("beta1"), beta2 = args.getFloat("beta2");
    double count = static_cast<double>(step);
    if (scalar == "step_size")
      return lr / (1 - std::pow(beta1, count));
    if (scalar == "mean_share")
      return 1 - beta1;
    if (scalar == "square_decay")
      return beta2;
    if (scalar == "square_share")
      return 1 - beta2;
    if (scalar == "correction")
      return std::sqrt(1 - std::pow(beta2, count));
    if (scalar == "shrinkage")
      return 1 - lr * args.getFloat("weight_decay");
    return args.getFloat(scalar);
  };
  def.build = [decoupled](OpBuilder &b, Location loc, const ParameterUpdate &update,
                          OptimizerFlags) -> Values {
    Type type = update.parameter.getType();
    Value decay = update.scalars.size() > 6 ? update.scalars[6] : Value();
    Value largest = update.slots.size() > 2 ? update.slots[2] : Value();
    auto op = AdamUpdateOp::create(
        b, loc, type, type, type, largest ? type : Type(), update.parameter, update.gradient,
        update.slots[0], update.slots[1], update.scalars[0], update.scalars[1], update.scalars[2],
        update.scalars[3], update.scalars[4], update.scalars[5], decoupled ? Value() : decay,
        decoupled ? decay : Value(), largest);
    return Values(op->getResults());
  };
  return def;
}

std::vector<OptimizerDef> AdamUpdateOp::getOptimizers() {
  return {makeAdam("adam", "Adam; weight decay is added to the gradient", "adam(lr = 0.001)",
                   /*decoupled=*/false),
          makeAdam("adamw", "Adam; weight decay shrinks the parameter", "adamw(lr = 0.001)",
                   /*decoupled=*/true)};
}

//===--------------------------------------------------------------------------------------------===//
// adam_ratio
//===--------------------------------------------------------------------------------------------===//

LogicalResult AdamRatioOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                            ValueRange operands, DictionaryAttr, OpaqueProperties,
                                            RegionRange, SmallVectorImpl<Type> &types) {
  RankedTensorType mean = dropLayout(getTensor(operands[0]));
  auto scalar = RankedTensorType::get({}, mean.getElementType());
  if (!haveSameShapes(operands[1].getType(), mean) ||
      !haveSameShapes(operands[2].getType(), scalar) ||
      !haveSameShapes(operands[3].getType(), scalar))
    return emitOptionalError(loc, "operands are ", mean, ", ", operands[1].getType(), ", ",
                             operands[2].getType(), ", ", operands[3].getType(),
                             "; expected two of one type and two of rank 0 (C1)");
  types.push_back(mean);
  return success();
}

Nest AdamRatioOp::getNest() {
  return getPointwiseNest(getTensor(getResult()), getOperation()->getOperands());
}

Values AdamRatioOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  Value root = arith::DivFOp::create(b, loc, math::SqrtOp::create(b, loc, in[1]), in[2]);
  return {arith::DivFOp::create(b, loc, in[0], arith::AddFOp::create(b, loc, root, in[3]))};
}
