// Initial values; the formulas are documented in Init.h.
#include "runtime/core/Init.h"

#include "runtime/core/Random.h"

#include <cmath>
#include <cstring>

namespace cnn {

/// The value of `element` of a tensor whose own stream is `stream`.
static double initialValue(const InitSpec &init, const RandomStream &stream, uint64_t element) {
  double fanIn = double(init.fanIn), fanSum = double(init.fanIn) + double(init.fanOut);
  auto uniform = [&](double bound) { return (2 * stream.uniform(element) - 1) * bound; };
  auto normal = [&](double deviation) { return stream.normal(element) * deviation; };
  switch (init.kind) {
  case InitKind::XavierUniform:
    return uniform(std::sqrt(6 / fanSum));
  case InitKind::XavierNormal:
    return normal(std::sqrt(2 / fanSum));
  case InitKind::KaimingUniform:
    return uniform(std::sqrt(6 / fanIn));
  case InitKind::KaimingNormal:
    return normal(std::sqrt(2 / fanIn));
  case InitKind::PytorchDefault:
    return uniform(1 / std::sqrt(fanIn));
  case InitKind::Constant:
    return init.value;
  case InitKind::Zeros:
    return 0;
  case InitKind::Uniform:
    return init.value + (init.second - init.value) * stream.uniform(element);
  case InitKind::Normal:
    return init.value + normal(init.second);
  }
  __builtin_unreachable();
}

void initializeState(const Manifest &manifest, uint64_t seed, void *state) {
  std::memset(state, 0, manifest.stateBytes);
  uint64_t parameter = 0;
  for (const StateTensor &tensor : manifest.state) {
    RandomStream stream(seed, RandomPurpose::Init, parameter);
    parameter += tensor.kind == StateKind::Parameter;
    if (tensor.init.kind == InitKind::Zeros)
      continue;
    char *values = static_cast<char *>(state) + tensor.offset;
    for (int64_t i = 0; i < tensor.elements; ++i) {
      double value = initialValue(tensor.init, stream, uint64_t(i));
      switch (tensor.element) {
      case ElementType::F32:
        reinterpret_cast<float *>(values)[i] = float(value);
        break;
      case ElementType::F64:
        reinterpret_cast<double *>(values)[i] = value;
        break;
      case ElementType::I32:
        reinterpret_cast<int32_t *>(values)[i] = int32_t(value);
        break;
      case ElementType::I64:
        reinterpret_cast<int64_t *>(values)[i] = int64_t(value);
        break;
      case ElementType::U8:
        reinterpret_cast<uint8_t *>(values)[i] = uint8_t(value);
        break;
      }
    }
  }
}

} // namespace cnn
