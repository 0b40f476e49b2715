// NumPy's .npy files (versions 1 to 3), read strictly; `cnn predict` takes its inputs from them.
#ifndef CNNC_RUNTIME_DATA_NPY_H
#define CNNC_RUNTIME_DATA_NPY_H

#include "runtime/core/Element.h"
#include "runtime/core/Status.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace cnn {

/// A tensor in row-major order, whatever order the file had.
struct NpyArray {
  ElementType element = ElementType::F32;
  std::vector<int64_t> shape;
  std::vector<uint8_t> data;

  /// The values converted to f32 (no scaling).
  std::vector<float> toF32() const;
};

/// Reads the file at `path`. Elements: f4, f8, u1, i4, i8, little-endian. Refused: a wrong magic or
/// version, a header that is not the dictionary that NumPy writes, other elements or byte orders,
/// truncated content, bytes after the end.
/// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
Result<NpyArray> readNpy(const std::string &path);
Result<NpyArray> parseNpy(std::span<const uint8_t> content, const std::string &name);

} // namespace cnn

#endif
