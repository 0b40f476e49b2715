//===- CnnSoftmaxOps.cpp - Softmax and its logarithm -----------------------------------------===//

#include "dialect/CnnDialect.h"

using namespace mlir;
using namespace mlir::cnn;

using Values = SmallVector<Value>;

static Value sumAlong(OpBuilder &b, Location loc, Value value, int64_t dim) {
  return ReduceSumOp::create(b, loc, value, ArrayRef<int64_t>{dim}, /*keep_dims=*/true);
}

/// `input` less its largest element along `dim`.
static Value subtractLargest(OpBuilder &b, Location loc, Value input, int64_t dim) {
  Value largest = ReduceMaxOp::create(b, loc, input, ArrayRef<int64_t>{dim}, /*keep_dims=*/true);
  return SubOp::create(b, loc, input, largest);
}

template <typename Op> static LogicalResult verifySoftmax(Op op) {
  int64_t rank = getTensor(op.getInput()).getRank(), dim = op.getDim();
  if (dim < 0 || dim >= rank)
    return op.emitOpError() << "dim " << dim << " is not one of the " << rank << " dimensions (C1)";
  if (!haveSameShapes(op.getInput().getType(), op.getResult().getType()))
    return op.emitOpError() << "result is " << op.getResult().getType()
                            << ", expected the input's type (C2)";
  return success();
}

template <typename Op> static LayerDef makeSoftmaxLayer(StringRef name, StringRef doc) {
  LayerDef layer;
  layer.name = layer.stem = name;
  layer.doc = doc;
  layer.args = {{"axis", ArgKind::Int, int64_t(-1), "an axis of the sample; the last by default"}};
  layer.isFunction = true;
  layer.infer = [](ArrayRef<Shape> inputs, const LayerArgs &args,
                   LayerProblem &problem) -> FailureOr<LayerShape> {
    int64_t rank = inputs[0].size(), axis = args.getInt("axis");
    if (axis < -rank || axis >= rank) {
      problem.message = "axis " + std::to_string(axis) + " is not one of the " +
                        std::to_string(rank) + " axes of a sample";
      problem.arg = "axis";
      problem.hint = "axes count from 0, or from -1 backwards; the batch is none";
      return failure();
    }
    LayerShape shape;
    shape.output = inputs[0];
    return shape;
  };
  layer.build = [](OpBuilder &builder, Location loc, ValueRange inputs, ValueRange,
                   const LayerArgs &args) -> Value {
    int64_t axis = args.getInt("axis"), rank = getTensor(inputs[0]).getRank();
    return Op::create(builder, loc, dropLayout(getTensor(inputs[0])), inputs[0],
                      axis < 0 ? rank + axis : axis + 1);
  };
  return layer;
}

//===--------------------------------------------------------------------------------------------===//
// softmax
//===--------------------------------------------------------------------------------------------===//

LogicalResult SoftmaxOp::verify() { return verifySoftmax(*this); }

Values SoftmaxOp::decompose(OpBuilder &b) {
  Value exp = ExpOp::create(b, getLoc(), subtractLargest(b, getLoc(), getInput(), getDim()));
  return {DivOp::create(b, getLoc(), exp, sumAlong(b, getLoc(), exp, getDim()))};
}

Values SoftmaxOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  // y * (dy - sum(dy * y))
  Value product = MulOp::create(b, getLoc(), dy[0], getResult());
  Value rest = SubOp::create(b, getLoc(), dy[0], sumAlong(b, getLoc(), product, getDim()));
  return {MulOp::create(b, getLoc(), getResult(), rest)};
}

LayerDef SoftmaxOp::getLayer() {
  return makeSoftmaxLayer<SoftmaxOp>("softmax", "exp(x) over its sum along an axis");
}

//===--------------------------------------------------------------------------------------------===//
// log_softmax
//===--------------------------------------------------------------------------------------------===//

LogicalResult LogSoftmaxOp::verify() { return verifySoftmax(*this); }

Values LogSoftmaxOp::decompose(OpBuilder &b) {
  Value shifted = subtractLargest(b, getLoc(), getInput(), getDim());
  Value exp = ExpOp::create(b, getLoc(), shifted);
  Value log = LogOp::create(b, getLoc(), sumAlong(b, getLoc(), exp, getDim()));
  return {SubOp::create(b, getLoc(), shifted, log)};
}

Values LogSoftmaxOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  // dy - exp(y) * sum(dy)
  Value exp = ExpOp::create(b, getLoc(), getResult());
  Value share = MulOp::create(b, getLoc(), exp, sumAlong(b, getLoc(), dy[0], getDim()));
  return {SubOp::create(b, getLoc(), dy[0], share)};
}

LayerDef LogSoftmaxOp::getLayer() {
  return makeSoftmaxLayer<LogSoftmaxOp>("log_softmax", "the logarithm of softmax along an axis");
}
