// Any bytes -> the .npy reader. Fails on a crash, a sanitizer's finding, or an array whose data
// does not have the size of its shape.
#include "runtime/data/Npy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cnn::Result<cnn::NpyArray> array = cnn::parseNpy({data, size}, "f");
  if (array.failed())
    return array.message().empty() ? (__builtin_trap(), 0) : 0;
  std::optional<int64_t> count = cnn::elementCount(array->shape);
  if (!count || uint64_t(*count) * cnn::elementBytes(array->element) != array->data.size() ||
      array->toF32().size() != uint64_t(*count))
    __builtin_trap();
  return 0;
}
