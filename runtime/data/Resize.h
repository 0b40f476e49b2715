// Bilinear resizing with antialiasing, as torch.nn.functional.interpolate(mode="bilinear",
// align_corners=False, antialias=True) defines it, which torchvision's resize of tensors calls.
#ifndef CNNC_RUNTIME_DATA_RESIZE_H
#define CNNC_RUNTIME_DATA_RESIZE_H

#include "runtime/schema/DataPipeline.h"

#include <cstdint>
#include <vector>

namespace cnn {

/// Which pixels of a line of `input` make each one of `output`, and with which weights: a triangle
/// around the place that the pixel's centre comes from, as wide as the pixels are apart in the
/// larger line, cut off at the ends of the line and made to sum to 1. `T` is float or double.
template <typename T> struct ResizeLine {
  ResizeLine() = default;
  ResizeLine(int64_t input, int64_t output);

  int64_t input = 0, output = 0;
  int64_t taps = 0;           ///< the most pixels that one is made of
  std::vector<int32_t> first; ///< of each output pixel
  std::vector<int32_t> count;
  std::vector<T> weights; ///< [output, taps]
};

/// Both lines of an image.
template <typename T> struct ResizePlan {
  ResizePlan() = default;
  ResizePlan(ImageShape input, int64_t height, int64_t width);
  ImageShape input;
  ResizeLine<T> rows, columns;
  bool rowsFirst = false; ///< which order costs less
};

/// Resizes `input` of shape plan.input; `between` is memory that may be reused from call to call.
template <typename T>
void resize(const ResizePlan<T> &plan, const T *input, T *output, std::vector<T> &between);

} // namespace cnn

#endif
