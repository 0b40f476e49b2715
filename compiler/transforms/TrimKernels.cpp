// cnn-trim-kernels: on the way to phase `fused`, before cnn-decompose. In: entry points with
// convolutions and their gradients. Out: the same without the taps that meet nothing but padding,
// which on small images can be most of a kernel.

#include "compiler/transforms/Decision.h"
#include "compiler/transforms/LayerName.h"
#include "compiler/transforms/Passes.h"
#include "dialect/CnnDialect.h"
#include "dialect/Window.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::cnn {
#define GEN_PASS_DEF_TRIMKERNELSPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

static constexpr llvm::StringLiteral flag = "cnn-trim-kernels";

namespace {
/// The part of a kernel that meets the image, and the window that is left.
struct Trimmed {
  /// `image` and `output` are the extents of the image and of the convolution's result.
  Trimmed(const Window &window, ArrayRef<int64_t> image, ArrayRef<int64_t> output);

  /// Whether something goes, and something stays.
  bool any = false;
  Window window;
  /// Taps that go before and behind those that stay: height and width.
  int64_t before[2], behind[2];
};
} // namespace

Trimmed::Trimmed(const Window &whole, ArrayRef<int64_t> image, ArrayRef<int64_t> output)
    : window(whole) {
  for (int axis : {0, 1}) {
    int64_t step = whole.stride[axis], dilation = whole.dilation[axis],
            low = whole.padding[2 * axis];
    auto meetsImage = [&](int64_t tap) {
      for (int64_t i = 0; i < output[axis]; ++i)
        if (int64_t at = i * step + tap * dilation - low; at >= 0 && at < image[axis])
          return true;
      return false;
    };
    int64_t first = 0, last = whole.kernel[axis] - 1;
    while (first <= last && !meetsImage(first))
      ++first;
    while (last >= first && !meetsImage(last))
      --last;
    if (first > last)
      return; // Nothing but padding: left to those that know zeros.
    before[axis] = first;
    behind[axis] = whole.kernel[axis] - 1 - last;
    window.kernel[axis] = last - first + 1;
    window.padding[2 * axis] = low - first * dilation;
    int64_t reach = (output[axis] - 1) * step + window.getSpan(axis);
    window.padding[2 * axis + 1] =
        std::max<int64_t>(reach - image[axis] - window.padding[2 * axis], 0);
  }
  bool same = window.kernel == whole.kernel;
  any = !same && window.check().empty() && window.fits(image) &&
        llvm::equal(window.getOutput(image), output);
}

/// The window of a convolution or of one of its gradients.
template <typename Conv> static Window getWindow(Conv conv, RankedTensorType weight) {
  return Window::ofConv(weight, conv.getStride(), conv.getPadding(), conv.getDilation());
}

static ArrayRef<int64_t> getImage(Value value) { return getTensor(value).getShape().take_back(2); }

/// `value` with `sign` times as many zeros around it as taps go.
static Value padKernel(OpBuilder &b, Location loc, Value value, const Trimmed &trimmed,
                       int64_t sign) {
  RankedTensorType type = getTensor(value);
  SmallVector<int64_t> shape(type.getShape()), low(4, 0), high(4, 0);
  for (int axis : {0, 1}) {
    low[2 + axis] = sign * trimmed.before[axis];
    high[2 + axis] = sign * trimmed.behind[axis];
    shape[2 + axis] += low[2 + axis] + high[2 + axis];
  }
  return PadOp::create(b, loc, RankedTensorType::get(shape, type.getElementType()), value, low,
                       high, APFloat(0.0));
}

/// What is done to `op`, in words.
static void note(Operation *op, RankedTensorType weight, const Trimmed &trimmed) {
  noteDecision(op, flag, "Trimmed", /*missed=*/false,
               "only " + formatShape(trimmed.window.kernel) + " taps of the kernel's " +
                   formatShape(weight.getShape().take_back(2)) +
                   " meet the image, the others padding");
}

template <typename Conv> static void setWindow(Conv conv, const Window &window) {
  conv.setStride(window.stride);
  conv.setPadding(window.padding);
  conv.setDilation(window.dilation);
}

/// A convolution, or its gradient for the input: reads a smaller weight.
template <typename Conv> static bool trimWeight(Conv conv, Value image, Value output) {
  RankedTensorType weight = getTensor(conv.getWeight());
  Trimmed trimmed(getWindow(conv, weight), getImage(image), getImage(output));
  if (!trimmed.any)
    return false;
  OpBuilder b(conv);
  conv.getWeightMutable().assign(
      padKernel(b, renameLoc(conv.getLoc(), getLayerName(conv) + ".trimmed_weight"),
                conv.getWeight(), trimmed, -1));
  setWindow(conv, trimmed.window);
  note(conv, weight, trimmed);
  return true;
}

/// The gradient for the weight: zero for the taps that meet nothing.
static bool trimGradient(ConvWeightGradOp grad) {
  RankedTensorType weight = getTensor(grad.getResult());
  Trimmed trimmed(getWindow(grad, weight), getImage(grad.getInput()), getImage(grad.getGradient()));
  if (!trimmed.any)
    return false;
  SmallVector<int64_t> shape(weight.getShape());
  for (int axis : {0, 1})
    shape[2 + axis] = trimmed.window.kernel[axis];
  grad.getResult().setType(RankedTensorType::get(shape, weight.getElementType()));
  setWindow(grad, trimmed.window);
  note(grad, weight, trimmed);
  OpBuilder b(grad->getContext());
  b.setInsertionPointAfter(grad);
  Value whole = padKernel(b, grad.getLoc(), grad.getResult(), trimmed, 1);
  grad.getResult().replaceAllUsesExcept(whole, whole.getDefiningOp());
  return true;
}

namespace {
class TrimKernelsPass : public mlir::cnn::impl::TrimKernelsPassBase<TrimKernelsPass> {
  void runOnOperation() override {
    getOperation().walk([&](Operation *op) {
      bool trimmed = false;
      if (auto conv = dyn_cast<ConvOp>(op))
        trimmed = trimWeight(conv, conv.getInput(), conv.getResult());
      else if (auto grad = dyn_cast<ConvDataGradOp>(op))
        trimmed = trimWeight(grad, grad.getResult(), grad.getGradient());
      else if (auto grad = dyn_cast<ConvWeightGradOp>(op); grad && grad.getSlices() == 0)
        trimmed = trimGradient(grad);
      numTrimmed += trimmed;
    });
  }
};
} // namespace
