//===- Window.cpp - Sliding windows ----------------------------------------------------------===//

#include "dialect/Window.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

std::string Window::check() const {
  if (kernel.size() != 2 || stride.size() != 2 || dilation.size() != 2 || padding.size() != 4)
    return "kernel, stride and dilation have 2 entries, padding has 4";
  for (int64_t extent : kernel)
    if (extent <= 0)
      return "kernel must be positive, not " + std::to_string(extent);
  for (int64_t step : stride)
    if (step <= 0)
      return "stride must be positive, not " + std::to_string(step);
  for (int64_t step : dilation)
    if (step <= 0)
      return "dilation must be positive, not " + std::to_string(step);
  for (int64_t zeros : padding)
    if (zeros < 0)
      return "padding must not be negative, is " + std::to_string(zeros);
  // Bounds that keep all index arithmetic far from overflow.
  constexpr int64_t limit = int64_t(1) << 24;
  for (const auto &list : {ArrayRef<int64_t>(kernel), ArrayRef<int64_t>(stride),
                           ArrayRef<int64_t>(dilation), ArrayRef<int64_t>(padding)})
    for (int64_t value : list)
      if (value > limit)
        return "window extents are at most " + std::to_string(limit) + ", not " +
               std::to_string(value);
  return "";
}

bool Window::fits(ArrayRef<int64_t> image) const {
  return getSpan(0) <= getPadded(0, image[0]) && getSpan(1) <= getPadded(1, image[1]);
}

SmallVector<int64_t, 2> Window::getOutput(ArrayRef<int64_t> image) const {
  SmallVector<int64_t, 2> output;
  for (int axis : {0, 1}) {
    int64_t room = getPadded(axis, image[axis]) - getSpan(axis);
    int64_t last = ceilMode ? llvm::divideCeil(room, stride[axis]) : room / stride[axis];
    if (ceilMode && last * stride[axis] >= image[axis] + padding[2 * axis])
      --last;
    output.push_back(last + 1);
  }
  return output;
}

AffineExpr Window::getIndex(int axis, AffineExpr out, AffineExpr tap) const {
  return out * stride[axis] + tap * dilation[axis] - padding[2 * axis];
}

bool Window::tiles(ArrayRef<int64_t> image) const {
  for (int axis : {0, 1})
    if (kernel[axis] != stride[axis] || dilation[axis] != 1 || image[axis] % kernel[axis] ||
        padding[2 * axis] || padding[2 * axis + 1])
      return false;
  return true;
}

Window Window::ofConv(RankedTensorType weight, ArrayRef<int64_t> stride, ArrayRef<int64_t> padding,
                      ArrayRef<int64_t> dilation) {
  Window window;
  window.kernel = {weight.getDimSize(2), weight.getDimSize(3)};
  window.stride.assign(stride.begin(), stride.end());
  window.padding.assign(padding.begin(), padding.end());
  window.dilation.assign(dilation.begin(), dilation.end());
  return window;
}

Window Window::fromArgs(const LayerArgs &args) {
  Window window;
  window.kernel.assign(args.getList("kernel").begin(), args.getList("kernel").end());
  ArrayRef<int64_t> stride = args.has("stride") ? args.getList("stride") : args.getList("kernel");
  window.stride.assign(stride.begin(), stride.end());
  if (args.has("dilation"))
    window.dilation.assign(args.getList("dilation").begin(), args.getList("dilation").end());
  else
    window.dilation = getNoDilation();
  if (args.isString("padding")) {
    for (int axis : {0, 1}) {
      int64_t total = args.getString("padding") == "same" ? window.getSpan(axis) - 1 : 0;
      window.padding.append({total / 2, total - total / 2});
    }
  } else {
    window.padding.assign(args.getList("padding").begin(), args.getList("padding").end());
  }
  window.ceilMode = args.has("ceil_mode") && args.getBool("ceil_mode");
  return window;
}

LogicalResult Window::checkCall(ArrayRef<int64_t> image, StringRef what,
                                LayerProblem &problem) const {
  problem.message = check();
  if (!problem.message.empty()) {
    for (StringRef name : {"kernel", "stride", "dilation", "padding"})
      if (StringRef(problem.message).starts_with(name))
        problem.arg = name;
    if (!problem.arg.empty() && problem.arg != "padding")
      problem.hint = ("use " + problem.arg + " = 1 or more").str();
    return failure();
  }
  if (fits(image))
    return success();
  int64_t padded[] = {getPadded(0, image[0]), getPadded(1, image[1])};
  problem.message = (what + " " + formatShape(kernel)).str();
  if (dilation[0] != 1 || dilation[1] != 1)
    problem.message += " with dilation " + formatShape(dilation) + " spans " +
                       formatShape({getSpan(0), getSpan(1)}) + ", which";
  problem.message += " is larger than the padded input " + formatShape(padded);
  problem.arg = "kernel";
  problem.input = 0;
  problem.inputText = "the " + formatShape(image) + " input";
  int64_t missing = std::max(getSpan(0) - padded[0], getSpan(1) - padded[1]);
  int64_t more = llvm::divideCeil(missing, 2);
  if (padding[0] == padding[1] && padding[0] == padding[2] && padding[0] == padding[3] &&
      dilation[0] == 1 && dilation[1] == 1)
    problem.hint = "use padding = " + std::to_string(padding[0] + more) +
                   " or a kernel of at most " + std::to_string(std::min(padded[0], padded[1]));
  return failure();
}
