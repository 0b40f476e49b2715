// The element types that tensors in files, in the manifest and in buffers can have.
#ifndef CNNC_RUNTIME_CORE_ELEMENT_H
#define CNNC_RUNTIME_CORE_ELEMENT_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace cnn {

enum class ElementType { F32, F64, I32, I64, U8 };

/// Bytes of one element.
size_t elementBytes(ElementType element);
/// "f32", "f64", "i32", "i64" or "u8", as the manifest spells it.
const char *elementName(ElementType element);
std::optional<ElementType> parseElement(std::string_view name);

/// Element `index` of the tensor at `data`, converted from or to its element type.
double loadElement(ElementType element, const void *data, int64_t index);
void storeElement(ElementType element, void *data, int64_t index, double value);

/// Number of elements of `shape` (1 for a scalar); nothing when an extent is negative or the
/// product exceeds 2^63 - 1.
std::optional<int64_t> elementCount(const std::vector<int64_t> &shape);

} // namespace cnn

#endif
