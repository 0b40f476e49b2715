// Names to streams, kinds of tensors to ranges.
#include "TestValues.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CRC.h"

#include <cmath>

using namespace cnn;

TestValues::TestValues(uint64_t seed, const std::string &name, double low, double high)
    : stream(seed, RandomPurpose::Test, llvm::crc32(llvm::arrayRefFromStringRef(name))), low(low),
      high(high) {}

double TestValues::at(uint64_t element) const {
  return static_cast<float>(low + (high - low) * stream.uniform(element));
}

TestValues stateValues(uint64_t seed, const StateTensor &tensor) {
  const std::vector<int64_t> &shape = tensor.shape;
  if (tensor.kind == StateKind::Optimizer)
    return {seed, tensor.name, 0, 0};
  if (shape.size() >= 2) {
    double window = static_cast<double>(tensor.elements) / shape[0] / shape[1];
    double bound = std::sqrt(6 / ((shape[0] + shape[1]) * window));
    return {seed, tensor.name, -bound, bound};
  }
  llvm::StringRef name = tensor.name;
  if (name.ends_with("running_var") || (shape.size() == 1 && name.ends_with(".weight")))
    return {seed, tensor.name, 0.5, 1.5};
  return {seed, tensor.name, -0.25, 0.25};
}

void fillState(uint64_t seed, const Manifest &manifest, void *state) {
  for (const StateTensor &tensor : manifest.state) {
    TestValues values = stateValues(seed, tensor);
    char *memory = static_cast<char *>(state) + tensor.offset;
    for (int64_t i = 0; i < tensor.elements; ++i)
      writeElement(tensor.element, memory, i, values.at(i));
  }
}

double readElement(ElementType element, const void *memory, int64_t index) {
  if (element == ElementType::F64)
    return static_cast<const double *>(memory)[index];
  return static_cast<const float *>(memory)[index];
}

void writeElement(ElementType element, void *memory, int64_t index, double value) {
  if (element == ElementType::F64)
    static_cast<double *>(memory)[index] = value;
  else
    static_cast<float *>(memory)[index] = static_cast<float>(value);
}
