//===- Window.h - Sliding windows: what convolution and pooling have in common ---------------===//

#ifndef CNNC_DIALECT_WINDOW_H
#define CNNC_DIALECT_WINDOW_H

#include "dialect/Layer.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Diagnostics.h"

namespace mlir::cnn {

/// A window over the last two dimensions of an image: extents are `[height, width]`, `padding` is
/// `[top, bottom, left, right]`.
struct Window {
  SmallVector<int64_t, 2> kernel, stride, dilation;
  SmallVector<int64_t, 4> padding;
  bool ceilMode = false;

  /// Checks signs and counts. Returns an error text, or an empty string.
  std::string check() const;
  /// Extent of the kernel with its holes.
  int64_t getSpan(int axis) const { return (kernel[axis] - 1) * dilation[axis] + 1; }
  /// Extent of the padded input.
  int64_t getPadded(int axis, int64_t extent) const {
    return extent + padding[2 * axis] + padding[2 * axis + 1];
  }
  /// Whether the window fits in an input of these extents.
  bool fits(ArrayRef<int64_t> image) const;
  /// Output extents `floor((n + p - span) / s) + 1`, with `ceilMode` rounded up as PyTorch does
  /// (the last window begins inside of the input or its leading padding).
  SmallVector<int64_t, 2> getOutput(ArrayRef<int64_t> image) const;
  /// `out * stride + tap * dilation - padding`.
  AffineExpr getIndex(int axis, AffineExpr out, AffineExpr tap) const;
  /// Whether windows neither overlap nor leave out, nor pad anything of an image of these extents.
  bool tiles(ArrayRef<int64_t> image) const;

  /// The window of a convolution whose weight has the given type.
  static Window ofConv(RankedTensorType weight, ArrayRef<int64_t> stride, ArrayRef<int64_t> padding,
                       ArrayRef<int64_t> dilation);
  /// The window of a call in the language with arguments `kernel`, `stride`, `padding` and, where
  /// declared, `dilation`. As in PyTorch, padding "same" keeps the extents at stride 1, the larger
  /// half below and to the right; "valid" is none.
  static Window fromArgs(const LayerArgs &args);
  /// Checks a call in the language against an input; fills `problem`.
  LogicalResult checkCall(ArrayRef<int64_t> image, StringRef what, LayerProblem &problem) const;
};

/// The dilation of pooling.
inline SmallVector<int64_t, 2> getNoDilation() { return {1, 1}; }

} // namespace mlir::cnn

#endif // CNNC_DIALECT_WINDOW_H
