//===- CnnTrainOps.cpp - Parameter updates
//---------------------------------------------------------===//

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
    Value velocity = AddOp::create(b, loc, mul(getVelocity(), getMomentum()), step);
    step = getNesterov() ? AddOp::create(b, loc, step, mul(velocity, getMomentum())).getResult()
                         : velocity;
    results.push_back(velocity);
  }
  Value updated = SubOp::create(b, loc, getParameter(), mul(step, getLr()));
  results.insert(results.begin(), updated);
  return results;
}
