//===- CnnTrainOps.cpp - Losses and parameter updates
//----------------------------------------------===//

#include "dialect/CnnDialect.h"

using namespace mlir;
using namespace mlir::cnn;

using Values = SmallVector<Value>;

static RankedTensorType getTensor(Value value) { return cast<RankedTensorType>(value.getType()); }

//===--------------------------------------------------------------------------------------------===//
// Cross-entropy
//===--------------------------------------------------------------------------------------------===//

static LogicalResult verifyLossInputs(Operation *op, Value logits, Value labels, Value rows) {
  RankedTensorType x = getTensor(logits), l = getTensor(labels), r = getTensor(rows);
  if (x.getRank() != 2 || l.getRank() != 1 || l.getDimSize(0) != x.getDimSize(0) ||
      !l.getElementType().isInteger(32) || r.getRank() != 0 || !r.getElementType().isInteger(32))
    return op->emitOpError() << "got logits " << x << ", labels " << l << ", rows " << r
                             << "; expected [n, k], [n] of i32, and tensor<i32> (C1)";
  return success();
}

LogicalResult CrossEntropyOp::verify() {
  if (getTensor(getResult()).getRank() != 0)
    return emitOpError() << "result is " << getTensor(getResult()) << ", expected rank 0 (C1)";
  return verifyLossInputs(*this, getLogits(), getLabels(), getRows());
}

LogicalResult CrossEntropyGradOp::verify() {
  if (!haveSameShapes(getLogits().getType(), getResult().getType()))
    return emitOpError() << "result is " << getTensor(getResult()) << ", expected the logits' type "
                         << "(C1)";
  return verifyLossInputs(*this, getLogits(), getLabels(), getRows());
}

namespace {
/// What loss and gradient share: exponentials of the logits less their maximum, and their sum.
struct SoftmaxParts {
  SoftmaxParts(OpBuilder &b, Location loc, Value logits, Value labels, Value rows, bool sum) {
    RankedTensorType type = dropLayout(getTensor(logits));
    max = ReduceMaxOp::create(b, loc, logits, ArrayRef<int64_t>{1}, /*keep_dims=*/true);
    exp = ExpOp::create(b, loc, SubOp::create(b, loc, logits, max).getResult());
    total = ReduceSumOp::create(b, loc, exp, ArrayRef<int64_t>{1}, /*keep_dims=*/true);
    oneHot = OneHotOp::create(b, loc, type, labels);
    weight = RowWeightOp::create(
        b, loc, RankedTensorType::get({type.getDimSize(0), 1}, type.getElementType()), rows, sum);
  }
  Value max, exp, total, oneHot, weight;
};
} // namespace

Values CrossEntropyOp::decompose(OpBuilder &b) {
  Location loc = getLoc();
  SoftmaxParts parts(b, loc, getLogits(), getLabels(), getRows(), getSum());
  Value shifted = SubOp::create(b, loc, getLogits(), parts.max);
  Value picked =
      ReduceSumOp::create(b, loc, MulOp::create(b, loc, shifted, parts.oneHot).getResult(),
                          ArrayRef<int64_t>{1}, /*keep_dims=*/true);
  Value row = SubOp::create(b, loc, LogOp::create(b, loc, parts.total).getResult(), picked);
  Value weighted = MulOp::create(b, loc, row, parts.weight);
  return {ReduceSumOp::create(b, loc, weighted, ArrayRef<int64_t>{0, 1}, /*keep_dims=*/false)};
}

Values CrossEntropyGradOp::decompose(OpBuilder &b) {
  Location loc = getLoc();
  SoftmaxParts parts(b, loc, getLogits(), getLabels(), getRows(), getSum());
  Value softmax = DivOp::create(b, loc, parts.exp, parts.total);
  Value difference = SubOp::create(b, loc, softmax, parts.oneHot);
  return {MulOp::create(b, loc, difference, parts.weight)};
}

Values CrossEntropyOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool> needed) {
  Values gradients(3);
  if (needed[0]) {
    Value gradient = CrossEntropyGradOp::create(b, getLoc(), dropLayout(getTensor(getLogits())),
                                                getLogits(), getLabels(), getRows(), getSum());
    // The loss usually is what is differentiated, and its own gradient the constant 1.
    auto constant = dy[0].getDefiningOp<ConstantOp>();
    if (!constant || !constant.getValue().isExactlyValue(1.0))
      gradient = MulOp::create(b, getLoc(), gradient, dy[0]);
    gradients[0] = gradient;
  }
  return gradients;
}

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
