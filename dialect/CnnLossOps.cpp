//===- CnnLossOps.cpp - Losses ---------------------------------------------------------------===//

#include "dialect/CnnDialect.h"
#include "dialect/Loss.h"

using namespace mlir;
using namespace mlir::cnn;

using Values = SmallVector<Value>;

/// The weight of each row of `output`, `[n, 1]`.
static Value getRowWeight(OpBuilder &b, Location loc, Value output, Value rows, bool sum) {
  RankedTensorType type = getTensor(output);
  return RowWeightOp::create(
      b, loc, RankedTensorType::get({type.getDimSize(0), 1}, type.getElementType()), rows, sum);
}

/// A number that is broadcast to `[n, k]`.
static Value getNumber(OpBuilder &b, Location loc, Value like, double value) {
  auto type = RankedTensorType::get({1, 1}, getTensor(like).getElementType());
  return ConstantOp::create(b, loc, type, b.getF64FloatAttr(value));
}

/// `gradient` times that of the loss, which usually is what is differentiated, and its own gradient
/// the constant 1.
static Value scaleGradient(OpBuilder &b, Location loc, Value gradient, Value dy) {
  auto constant = dy.getDefiningOp<ConstantOp>();
  if (constant && constant.getValue().isExactlyValue(1.0))
    return gradient;
  return MulOp::create(b, loc, gradient, dy);
}

static bool isRows(Value rows) {
  RankedTensorType type = getTensor(rows);
  return type.getRank() == 0 && type.getElementType().isInteger(32);
}

//===--------------------------------------------------------------------------------------------===//
// Cross-entropy
//===--------------------------------------------------------------------------------------------===//

static LogicalResult verifyLossInputs(Operation *op, Value logits, Value labels, Value rows) {
  RankedTensorType x = getTensor(logits), l = getTensor(labels), r = getTensor(rows);
  if (x.getRank() != 2 || l.getRank() != 1 || l.getDimSize(0) != x.getDimSize(0) ||
      !l.getElementType().isInteger(32) || !isRows(rows))
    return op->emitOpError() << "got logits " << x << ", labels " << l << ", rows " << r
                             << "; expected [n, k], [n] of i32, and tensor<i32> (C1)";
  return success();
}

LogicalResult CrossEntropyOp::verify() {
  if (getTensor(getResult()).getRank() != 0)
    return emitOpError() << "result is " << getTensor(getResult()) << ", expected rank 0 (C1)";
  double smoothing = getLabelSmoothing().convertToDouble();
  if (!(smoothing >= 0 && smoothing <= 1))
    return emitOpError() << "label_smoothing is " << getLabelSmoothingAttr()
                         << ", expected 0 to 1 (C2)";
  return verifyLossInputs(*this, getLogits(), getLabels(), getRows());
}

LogicalResult CrossEntropyGradOp::verify() {
  if (!haveSameShapes(getLogits().getType(), getResult().getType()))
    return emitOpError() << "result is " << getTensor(getResult()) << ", expected the logits' type "
                         << "(C1)";
  return verifyLossInputs(*this, getLogits(), getLabels(), getRows());
}

namespace {
/// What loss and gradient share: exponentials of the logits less their maximum, and their sum; the
/// targets, and the weight of every row.
struct SoftmaxParts {
  template <typename Op> SoftmaxParts(OpBuilder &b, Op op) {
    Location loc = op.getLoc();
    Value logits = op.getLogits();
    RankedTensorType type = dropLayout(getTensor(logits));
    max = ReduceMaxOp::create(b, loc, logits, ArrayRef<int64_t>{1}, /*keep_dims=*/true);
    exp = ExpOp::create(b, loc, SubOp::create(b, loc, logits, max).getResult());
    total = ReduceSumOp::create(b, loc, exp, ArrayRef<int64_t>{1}, /*keep_dims=*/true);
    target = OneHotOp::create(b, loc, type, op.getLabels());
    double smoothing = op.getLabelSmoothing().convertToDouble();
    if (smoothing != 0) {
      target = MulOp::create(b, loc, target, getNumber(b, loc, logits, 1 - smoothing));
      target =
          AddOp::create(b, loc, target, getNumber(b, loc, logits, smoothing / type.getDimSize(1)));
    }
    weight = getRowWeight(b, loc, logits, op.getRows(), op.getSum());
  }
  Value max, exp, total, target, weight;
};
} // namespace

Values CrossEntropyOp::decompose(OpBuilder &b) {
  Location loc = getLoc();
  SoftmaxParts parts(b, *this);
  Value shifted = SubOp::create(b, loc, getLogits(), parts.max);
  Value picked =
      ReduceSumOp::create(b, loc, MulOp::create(b, loc, shifted, parts.target).getResult(),
                          ArrayRef<int64_t>{1}, /*keep_dims=*/true);
  Value row = SubOp::create(b, loc, LogOp::create(b, loc, parts.total).getResult(), picked);
  Value weighted = MulOp::create(b, loc, row, parts.weight);
  return {ReduceSumOp::create(b, loc, weighted, ArrayRef<int64_t>{0, 1}, /*keep_dims=*/false)};
}

Values CrossEntropyGradOp::decompose(OpBuilder &b) {
  Location loc = getLoc();
  SoftmaxParts parts(b, *this);
  Value softmax = DivOp::create(b, loc, parts.exp, parts.total);
  Value difference = SubOp::create(b, loc, softmax, parts.target);
  return {MulOp::create(b, loc, difference, parts.weight)};
}

Values CrossEntropyOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool> needed) {
  Values gradients(3);
  if (needed[0]) {
    Value gradient =
        CrossEntropyGradOp::create(b, getLoc(), dropLayout(getTensor(getLogits())), getLogits(),
                                   getLabels(), getRows(), getSum(), getLabelSmoothing());
    gradients[0] = scaleGradient(b, getLoc(), gradient, dy[0]);
  }
  return gradients;
}

LossDef CrossEntropyOp::getLoss() {
  LossDef loss;
  loss.name = "cross_entropy";
  loss.doc = "mean cross-entropy of softmax against the labels";
  loss.args = {{"label_smoothing", ArgKind::Float, 0.0, "share of the target spread over classes"}};
  loss.example = "cross_entropy(label_smoothing = 0.1)";
  loss.check = [](const LayerArgs &args, SmallVectorImpl<LayerProblem> &problems) {
    checkRange(
        args, "label_smoothing", [](double value) { return value >= 0 && value <= 1; },
        "between 0 and 1", problems);
  };
  loss.build = [](OpBuilder &b, Location loc, Value output, Value target, Value rows, bool sum,
                  const LayerArgs &args) -> Value {
    auto type = RankedTensorType::get({}, getTensor(output).getElementType());
    return CrossEntropyOp::create(b, loc, type, output, target, rows, sum,
                                  llvm::APFloat(args.getFloat("label_smoothing")));
  };
  return loss;
}

//===--------------------------------------------------------------------------------------------===//
// Squared error
//===--------------------------------------------------------------------------------------------===//

LogicalResult SquaredErrorOp::verify() {
  if (getTensor(getOutput()).getRank() != 2 || getTensor(getResult()).getRank() != 0 ||
      !haveSameShapes(getOutput().getType(), getTarget().getType()) || !isRows(getRows()))
    return emitOpError() << "got output " << getOutput().getType() << ", target "
                         << getTarget().getType() << ", rows " << getRows().getType()
                         << " and result " << getResult().getType()
                         << "; expected [n, k] twice, tensor<i32> and rank 0 (C1)";
  return success();
}

Values SquaredErrorOp::decompose(OpBuilder &b) {
  Location loc = getLoc();
  Value difference = SubOp::create(b, loc, getOutput(), getTarget());
  Value square = MulOp::create(b, loc, difference, difference);
  Value weight = getRowWeight(b, loc, getOutput(), getRows(), getSum() || !getMean());
  Value weighted = MulOp::create(b, loc, square, weight);
  Value total = ReduceSumOp::create(b, loc, weighted, ArrayRef<int64_t>{0, 1}, /*keep_dims=*/false);
  if (!getMean())
    return {total};
  double share = 1.0 / getTensor(getOutput()).getDimSize(1);
  return {MulOp::create(
      b, loc, total,
      ConstantOp::create(b, loc, dropLayout(getTensor(total)), b.getF64FloatAttr(share)))};
}

Values SquaredErrorOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool> needed) {
  Location loc = getLoc();
  Values gradients(3);
  if (!needed[0] && !needed[1])
    return gradients;
  double factor = getMean() ? 2.0 / getTensor(getOutput()).getDimSize(1) : 2.0;
  Value difference = SubOp::create(b, loc, getOutput(), getTarget());
  Value weight = getRowWeight(b, loc, getOutput(), getRows(), getSum() || !getMean());
  Value gradient = MulOp::create(b, loc, difference, weight);
  gradient = MulOp::create(b, loc, gradient, getNumber(b, loc, getOutput(), factor));
  gradient = scaleGradient(b, loc, gradient, dy[0]);
  if (needed[0])
    gradients[0] = gradient;
  if (needed[1])
    gradients[1] = NegOp::create(b, loc, gradient);
  return gradients;
}

std::vector<LossDef> SquaredErrorOp::getLosses() {
  auto make = [](StringRef name, StringRef doc, bool mean) {
    LossDef loss;
    loss.name = name;
    loss.doc = doc;
    loss.example = name;
    loss.check = [](const LayerArgs &, SmallVectorImpl<LayerProblem> &) {};
    loss.build = [mean](OpBuilder &b, Location loc, Value output, Value target, Value rows,
                        bool sum, const LayerArgs &) -> Value {
      RankedTensorType type = dropLayout(getTensor(output));
      if (!isa<FloatType>(getTensor(target).getElementType()))
        target = OneHotOp::create(b, loc, type, target);
      auto scalar = RankedTensorType::get({}, type.getElementType());
      return SquaredErrorOp::create(b, loc, scalar, output, target, rows, mean, sum);
    };
    return loss;
  };
  return {
      make("mse", "mean squared error; of labels, against 1 for the class and 0 elsewhere", true),
      make("sse", "sum of squared errors over the batch; of labels, as mse", false)};
}
