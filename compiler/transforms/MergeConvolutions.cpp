// cnn-merge-convolutions: on the way to phase `fused`, after cnn-fold-batch-norm. In: entry points
// with convolutions that read nothing but another's result. Out: one convolution for both, where
// that gives the same numbers for less work; its weight and bias are computed from theirs.
//
// Along one axis, with s, d, p the strides, dilations and paddings of the first (1) and the second
// (2):
//
//   y[j] = sum_q w2[q] sum_r w1[r] x[(j s2 + q d2 - p2) s1 + r d1 - p1]
//        = sum_t w[t] x[j s2 s1 + t D - (p2 s1 + p1)]     w[t] = sum over q d2 s1 + r d1 = t D
//
// where D divides d2 s1 and d1. That holds unless p2 makes the second read beyond the first's
// result: it finds zeros there, and w the image that the first would see from there, and the
// first's bias.

#include "compiler/transforms/Decision.h"
#include "compiler/transforms/LayerName.h"
#include "compiler/transforms/Passes.h"
#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <numeric>

namespace mlir::cnn {
#define GEN_PASS_DEF_MERGECONVOLUTIONSPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

static constexpr llvm::StringLiteral flag = "cnn-merge-convolutions";

namespace {
/// Two convolutions along one axis, and the one that they make.
struct MergedAxis {
  MergedAxis(ConvOp first, ConvOp second, int axis);
  /// Whether the second reads beyond the first's result, and whether the first would see nothing
  /// but zeros there.
  bool readsPadding = false, paddingIsZero = true;
  int64_t kernel, stride, dilation, low, high;
  /// From tap to tap of the second and of the first, in taps of the merged kernel.
  int64_t secondStep, firstStep;
};

/// Multiplications, and how many take as long where Winograd's algorithm saves some.
struct Work {
  void add(double count, double share) {
    multiplications += count;
    time += count * share;
  }
  double multiplications = 0, time = 0;
};

/// A pair in which `second` reads the result of `first`.
struct MergedConv {
  MergedConv(ConvOp first, ConvOp second)
      : first(first), second(second), axes{{first, second, 0}, {first, second, 1}} {}

  /// Why the pair stays as it is, or an empty string.
  std::string getObstacle();
  void replace();

private:
  Value buildWeight(OpBuilder &b, Location loc);
  Value buildBias(OpBuilder &b, Location loc);
  /// What one call takes: both convolutions; the merged one, whose weight is computed before.
  Work countBefore();
  Work countAfter();

  ConvOp first, second;
  MergedAxis axes[2];
};
} // namespace

static ArrayRef<int64_t> getShape(Value value) { return getTensor(value).getShape(); }

MergedAxis::MergedAxis(ConvOp first, ConvOp second, int axis) {
  auto extent = [&](Value value) { return getShape(value)[2 + axis]; };
  int64_t stride1 = first.getStride()[axis], stride2 = second.getStride()[axis],
          dilation1 = first.getDilation()[axis], dilation2 = second.getDilation()[axis],
          low1 = first.getPadding()[2 * axis], low2 = second.getPadding()[2 * axis];
  int64_t input = extent(first.getInput()), middle = extent(second.getInput()),
          output = extent(second.getResult());
  int64_t reach1 = (extent(first.getWeight()) - 1) * dilation1,
          reach2 = (extent(second.getWeight()) - 1) * dilation2;
  // The first and the last index of the first's result that the second reads.
  int64_t begin = -low2, last = (output - 1) * stride2 + reach2 - low2;
  readsPadding = begin < 0 || last >= middle;
  // What lies before the result is seen up to index -1, what lies behind it from index `middle`.
  if (begin < 0)
    paddingIsZero &= reach1 - stride1 - low1 < 0;
  if (last >= middle)
    paddingIsZero &= middle * stride1 - low1 >= input;
  dilation = std::gcd(dilation2 * stride1, dilation1);
  secondStep = dilation2 * stride1 / dilation;
  firstStep = dilation1 / dilation;
  int64_t reach = reach2 * stride1 + reach1;
  kernel = reach / dilation + 1;
  stride = stride1 * stride2;
  low = low2 * stride1 + low1;
  high = std::max<int64_t>(0, (output - 1) * stride + reach + 1 - low - input);
}

static double countTaps(Value weight) {
  return static_cast<double>(getShape(weight)[2]) * getShape(weight)[3];
}

/// Winograd's algorithm computes 3 x 3 convolutions at stride 1 in about half the time (measured).
static double getWinogradShare(ArrayRef<int64_t> kernel, ArrayRef<int64_t> stride,
                               ArrayRef<int64_t> dilation, int64_t groups) {
  bool applies = groups == 1 && llvm::all_of(kernel, [](int64_t k) { return k == 3; }) &&
                 llvm::all_of(stride, [](int64_t s) { return s == 1; }) &&
                 llvm::all_of(dilation, [](int64_t d) { return d == 1; });
  return applies ? 0.5 : 1.0;
}

Work MergedConv::countBefore() {
  Work work;
  for (ConvOp conv : {first, second}) {
    Value weight = conv.getWeight();
    work.add(static_cast<double>(getTensor(conv.getResult()).getNumElements()) *
                 getShape(weight)[1] * countTaps(weight),
             getWinogradShare(getShape(weight).drop_front(2), conv.getStride(), conv.getDilation(),
                              conv.getGroups()));
  }
  return work;
}

Work MergedConv::countAfter() {
  int64_t inputs = getShape(first.getInput())[1] / second.getGroups();
  int64_t kernel[] = {axes[0].kernel, axes[1].kernel}, stride[] = {axes[0].stride, axes[1].stride},
          dilation[] = {axes[0].dilation, axes[1].dilation};
  Work work;
  work.add(static_cast<double>(getTensor(second.getResult()).getNumElements()) * inputs *
               (kernel[0] * kernel[1]),
           getWinogradShare(kernel, stride, dilation, second.getGroups()));
  return work;
}

static std::string formatMillions(double count) {
  int64_t hundredths = static_cast<int64_t>(count / 1e4 + 0.5);
  std::string digits = std::to_string(hundredths % 100);
  return std::to_string(hundredths / 100) + "." + (digits.size() < 2 ? "0" : "") + digits;
}

std::string MergedConv::getObstacle() {
  std::string name = "'" + getLayerName(first) + "'", own = "'" + getLayerName(second) + "'";
  auto entry = second->getParentOfType<func::FuncOp>();
  if (entry && !entry.getOps<WriteOp>().empty())
    return "training changes both weights, not their product";
  if (!first.getResult().hasOneUse())
    return "the result of " + name + " is used elsewhere, too";
  if (first.getGroups() % second.getGroups())
    return "the " + std::to_string(first.getGroups()) + " groups of " + name +
           " do not divide into the " + std::to_string(second.getGroups()) + " of " + own;
  for (const MergedAxis &axis : axes) {
    if (axis.readsPadding && !axis.paddingIsZero)
      return own + " pads with zeros where " + name + " would still see its input";
    if (axis.readsPadding && first.getBias())
      return own + " pads with zeros, which have not the bias of " + name;
  }
  Work before = countBefore(), after = countAfter();
  std::string one = "one takes " + formatMillions(after.multiplications) +
                    " million multiplications, both " + formatMillions(before.multiplications);
  if (after.multiplications >= before.multiplications)
    return one;
  if (after.time >= before.time)
    return one + ", which Winograd's algorithm does in the time of " + formatMillions(before.time);
  return "";
}

/// `w[m, c, t] = sum_{k, q, r} w2[m, k, q] w1[k, c, r]` is how a gradient w2 of the first's result
/// goes back through the first at stride `secondStep`. With groups, channel k of w2 is in the group
/// that its row is in, so the rows of a group stand for the batch.
Value MergedConv::buildWeight(OpBuilder &b, Location loc) {
  RankedTensorType w1 = getTensor(first.getWeight()), w2 = getTensor(second.getWeight());
  int64_t groups = second.getGroups(), rows = w2.getDimSize(0) / groups,
          inputs = getShape(first.getInput())[1];
  Type element = w2.getElementType();
  auto reshape = [&](Value value, ArrayRef<int64_t> shape) -> Value {
    return ReshapeOp::create(b, loc, RankedTensorType::get(shape, element), value);
  };
  int64_t height = w2.getDimSize(2), width = w2.getDimSize(3);
  Value rowsOfAll = second.getWeight();
  if (groups > 1) {
    Value split = reshape(rowsOfAll, {groups, rows, w2.getDimSize(1), height, width});
    rowsOfAll = reshape(PermuteOp::create(b, loc, split, ArrayRef<int64_t>{1, 0, 2, 3, 4}),
                        {rows, w1.getDimSize(0), height, width});
  }
  int64_t strides[] = {axes[0].secondStep, axes[1].secondStep},
          dilations[] = {axes[0].firstStep, axes[1].firstStep}, padding[] = {0, 0, 0, 0};
  int64_t merged[] = {rows, inputs, axes[0].kernel, axes[1].kernel};
  Value weight = ConvDataGradOp::create(b, loc, RankedTensorType::get(merged, element), rowsOfAll,
                                        first.getWeight(), strides, padding, dilations,
                                        first.getGroups(), /*scatter=*/true);
  if (groups == 1)
    return weight;
  int64_t kernel[] = {axes[0].kernel, axes[1].kernel};
  Value split = reshape(weight, {rows, groups, inputs / groups, kernel[0], kernel[1]});
  return reshape(PermuteOp::create(b, loc, split, ArrayRef<int64_t>{1, 0, 2, 3, 4}),
                 {rows * groups, inputs / groups, kernel[0], kernel[1]});
}

/// `b[m] = b2[m] + sum_{k, q} w2[m, k, q] b1[k]`, or null where no convolution has a bias.
Value MergedConv::buildBias(OpBuilder &b, Location loc) {
  if (!first.getBias())
    return second.getBias();
  RankedTensorType w2 = getTensor(second.getWeight());
  int64_t groups = second.getGroups(), outputs = w2.getDimSize(0), middle = w2.getDimSize(1);
  Type element = w2.getElementType();
  Value sums = ReduceSumOp::create(b, loc, second.getWeight(), ArrayRef<int64_t>{2, 3},
                                   /*keep_dims=*/false);
  Value bias = first.getBias();
  if (groups > 1) {
    sums = ReshapeOp::create(
        b, loc, RankedTensorType::get({groups, outputs / groups, middle}, element), sums);
    bias = ReshapeOp::create(b, loc, RankedTensorType::get({groups, 1, middle}, element), bias);
  }
  Value products = MulOp::create(b, loc, sums, bias);
  Value total = ReduceSumOp::create(b, loc, products, ArrayRef<int64_t>{groups > 1 ? 2 : 1},
                                    /*keep_dims=*/false);
  if (groups > 1)
    total = ReshapeOp::create(b, loc, RankedTensorType::get({outputs}, element), total);
  return second.getBias() ? AddOp::create(b, loc, total, second.getBias()).getResult() : total;
}

void MergedConv::replace() {
  OpBuilder b(second);
  std::string name = getLayerName(second);
  Value weight = buildWeight(b, renameLoc(second.getLoc(), name + ".merged_weight"));
  Value bias = buildBias(b, renameLoc(second.getLoc(), name + ".merged_bias"));
  int64_t strides[] = {axes[0].stride, axes[1].stride},
          dilations[] = {axes[0].dilation, axes[1].dilation},
          padding[] = {axes[0].low, axes[0].high, axes[1].low, axes[1].high};
  auto merged = ConvOp::create(b, second.getLoc(), first.getInput(), weight, bias, strides, padding,
                               dilations, second.getGroups());
  moveDecisions(first, merged);
  moveDecisions(second, merged);
  noteDecision(merged, flag, "Merged", /*missed=*/false,
               "'" + getLayerName(first) + "' and '" + name + "' as one of " +
                   formatShape({axes[0].kernel, axes[1].kernel}) + ": " +
                   formatMillions(countAfter().multiplications) + " in place of " +
                   formatMillions(countBefore().multiplications) + " million multiplications");
  second.replaceAllUsesWith(merged.getResult());
  second.erase();
  first.erase();
}

namespace {
class MergeConvolutionsPass
    : public mlir::cnn::impl::MergeConvolutionsPassBase<MergeConvolutionsPass> {
  void runOnOperation() override {
    SmallVector<ConvOp> convs;
    getOperation().walk([&](ConvOp conv) { convs.push_back(conv); });
    // In the order of the network: what a pair has become may go into the next convolution.
    for (ConvOp second : convs) {
      auto first = second.getInput().getDefiningOp<ConvOp>();
      if (!first)
        continue;
      MergedConv pair(first, second);
      if (std::string obstacle = pair.getObstacle(); !obstacle.empty()) {
        noteDecision(second, flag, "NotMerged", /*missed=*/true,
                     "'" + getLayerName(first) + "' and '" + getLayerName(second) +
                         "' are not merged: " + obstacle);
        continue;
      }
      pair.replace();
      ++numMerged;
    }
  }
};
} // namespace
