//===- CnnTrainOps.cpp - Parameter updates ---------------------------------------------------===//

#include "dialect/CnnDialect.h"

using namespace mlir;
using namespace mlir::cnn;

using Values = SmallVector<Value>;

//===--------------------------------------------------------------------------------------------===//
// Stochastic gradient descent
//===--------------------------------------------------------------------------------------------===//

LogicalResult SgdUpdateOp::verify() {
  SmallVector<Value> tensors = {getGradient(), getUpdated()};
  if (getVelocity())
    tensors.push_back(getVelocity());
  if (getUpdatedVelocity())
    tensors.push_back(getUpdatedVelocity());
  for (Value tensor : tensors)
    if (!haveSameShapes(tensor.getType(), getParameter().getType()))
      return emitOpError() << "has a tensor of type " << tensor.getType() << ", expected "
                           << getParameter().getType() << " (C1)";
  if (!getVelocity() != !getMomentum() || !getVelocity() != !getUpdatedVelocity())
    return emitOpError() << "velocity, momentum and the second result come together (C2)";
  if (getNesterov() && !getVelocity())
    return emitOpError() << "nesterov needs a velocity (C3)";
  if (getGradientShare() && (!getVelocity() || getNesterov()))
    return emitOpError() << "a gradient share needs a velocity, and excludes nesterov (C3)";
  return success();
}

Values SgdUpdateOp::decompose(OpBuilder &b) {
  Location loc = getLoc();
  auto mul = [&](Value x, Value y) -> Value { return MulOp::create(b, loc, x, y); };
  Value step = getGradient();
  if (getWeightDecay())
    step = AddOp::create(b, loc, step, mul(getParameter(), getWeightDecay()));
  Values results;
  if (getVelocity()) {
    Value share = getGradientShare() ? mul(step, getGradientShare()) : step;
    Value velocity = AddOp::create(b, loc, mul(getVelocity(), getMomentum()), share);
    step = getNesterov() ? AddOp::create(b, loc, step, mul(velocity, getMomentum())).getResult()
                         : velocity;
    results.push_back(velocity);
  }
  Value updated = SubOp::create(b, loc, getParameter(), mul(step, getLr()));
  results.insert(results.begin(), updated);
  return results;
}

std::vector<OptimizerDef> SgdUpdateOp::getOptimizers() {
  OptimizerDef def;
  def.name = "sgd";
  def.doc = "stochastic gradient descent";
  def.example = "sgd(lr = 0.1)";
  def.args = {{"lr", ArgKind::Float, std::nullopt, "learning rate"},
              {"momentum", ArgKind::Float, 0.0, "what is kept of the last step"},
              {"weight_decay", ArgKind::Float, 0.0, "pull towards zero"},
              {"nesterov", ArgKind::Bool, false, "look ahead along the momentum"},
              {"dampening", ArgKind::Float, 0.0, "what the momentum leaves out of each gradient"}};
  def.check = [](const LayerArgs &args, SmallVectorImpl<LayerProblem> &problems) {
    checkRange(args, "lr", [](double value) { return value > 0; }, "positive", problems);
    checkRange(
        args, "momentum", [](double value) { return value >= 0 && value < 1; },
        "at least 0 and below 1", problems);
    checkRange(
        args, "weight_decay", [](double value) { return value >= 0; }, "at least 0", problems);
    checkRange(
        args, "dampening", [](double value) { return value >= 0 && value <= 1; }, "between 0 and 1",
        problems);
    if (!problems.empty())
      return;
    if (args.getBool("nesterov") && args.getFloat("momentum") == 0)
      problems.emplace_back().message = "'nesterov' needs a momentum above 0";
    else if (args.getBool("nesterov") && args.getFloat("dampening") != 0)
      problems.emplace_back().message = "'nesterov' needs a dampening of 0";
  };
  def.flags = {"momentum", "weight_decay", "dampening", "nesterov"};
  def.getFlags = [](const LayerArgs &args) {
    SmallVector<StringRef> flags;
    for (StringRef name : {"momentum", "weight_decay"})
      if (args.getFloat(name) != 0)
        flags.push_back(name);
    // Without momentum PyTorch ignores it.
    if (args.getFloat("momentum") != 0 && args.getFloat("dampening") != 0)
      flags.push_back("dampening");
    if (args.getBool("nesterov"))
      flags.push_back("nesterov");
    return flags;
  };
  def.slots = [](OptimizerFlags flags) {
    SmallVector<StringRef> slots;
    if (llvm::is_contained(flags, "momentum"))
      slots.push_back("velocity");
    return slots;
  };
  def.scalars = [](OptimizerFlags flags) {
    SmallVector<StringRef> names = {"lr"};
    for (StringRef name : {"momentum", "weight_decay"})
      if (llvm::is_contained(flags, name))
        names.push_back(name);
    if (llvm::is_contained(flags, "dampening"))
      names.push_back("gradient_share");
    return names;
  };
  def.value = [](StringRef scalar, const LayerArgs &args, double lr, int64_t step) {
    if (scalar == "gradient_share")
      return step == 1 ? 1 : 1 - args.getFloat("dampening");
    return scalar == "lr" ? lr : args.getFloat(scalar);
  };
  def.build = [](OpBuilder &b, Location loc, const ParameterUpdate &update,
                 OptimizerFlags flags) -> Values {
    bool momentum = llvm::is_contained(flags, "momentum");
    // The scalars behind the learning rate, as far as there are any.
    unsigned next = 1;
    auto take = [&](StringRef flag) {
      return llvm::is_contained(flags, flag) ? update.scalars[next++] : Value();
    };
    Value rate = take("momentum"), decay = take("weight_decay"), share = take("dampening");
    Type type = update.parameter.getType();
    auto op = SgdUpdateOp::create(b, loc, type, momentum ? type : Type(), update.parameter,
                                  update.gradient, update.scalars[0], decay,
                                  momentum ? update.slots[0] : Value(), rate, share,
                                  llvm::is_contained(flags, "nesterov"));
    return Values(op->getResults());
  };
  return {def};
}
