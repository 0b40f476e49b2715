// Element types: sizes, names, and products of shapes that cannot overflow.
#include "runtime/core/Element.h"

namespace cnn {

size_t elementBytes(ElementType element) {
  switch (element) {
  case ElementType::F32:
  case ElementType::I32:
    return 4;
  case ElementType::F64:
  case ElementType::I64:
    return 8;
  case ElementType::U8:
    return 1;
  }
  __builtin_unreachable();
}

const char *elementName(ElementType element) {
  switch (element) {
  case ElementType::F32:
    return "f32";
  case ElementType::F64:
    return "f64";
  case ElementType::I32:
    return "i32";
  case ElementType::I64:
    return "i64";
  case ElementType::U8:
    return "u8";
  }
  __builtin_unreachable();
}

std::optional<ElementType> parseElement(std::string_view name) {
  for (ElementType element :
       {ElementType::F32, ElementType::F64, ElementType::I32, ElementType::I64, ElementType::U8})
    if (name == elementName(element))
      return element;
  return std::nullopt;
}

double loadElement(ElementType element, const void *data, int64_t index) {
  switch (element) {
  case ElementType::F32:
    return static_cast<const float *>(data)[index];
  case ElementType::F64:
    return static_cast<const double *>(data)[index];
  case ElementType::I32:
    return static_cast<const int32_t *>(data)[index];
  case ElementType::I64:
    return static_cast<double>(static_cast<const int64_t *>(data)[index]);
  case ElementType::U8:
    return static_cast<const uint8_t *>(data)[index];
  }
  return 0;
}

void storeElement(ElementType element, void *data, int64_t index, double value) {
  switch (element) {
  case ElementType::F32:
    static_cast<float *>(data)[index] = static_cast<float>(value);
    break;
  case ElementType::F64:
    static_cast<double *>(data)[index] = value;
    break;
  case ElementType::I32:
    static_cast<int32_t *>(data)[index] = static_cast<int32_t>(value);
    break;
  case ElementType::I64:
    static_cast<int64_t *>(data)[index] = static_cast<int64_t>(value);
    break;
  case ElementType::U8:
    static_cast<uint8_t *>(data)[index] = static_cast<uint8_t>(value);
    break;
  }
}

std::optional<int64_t> elementCount(const std::vector<int64_t> &shape) {
  // A zero anywhere makes the product zero, but the other extents must still be sane.
  int64_t count = 1;
  bool empty = false;
  for (int64_t extent : shape) {
    if (extent < 0)
      return std::nullopt;
    if (extent == 0)
      empty = true;
    else if (__builtin_mul_overflow(count, extent, &count))
      return std::nullopt;
  }
  return empty ? 0 : count;
}

} // namespace cnn
