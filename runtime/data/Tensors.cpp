// Matching, checking and copying tensors between a file and the state.
#include "runtime/data/Tensors.h"

#include <cmath>
#include <cstring>
#include <map>

namespace cnn {

std::vector<TensorTarget> tensorTargets(const Manifest &manifest, bool withOptimizer) {
  std::vector<TensorTarget> targets;
  for (const StateTensor &tensor : manifest.state)
    if (tensor.kind != StateKind::Optimizer)
      targets.push_back({tensor.name, &tensor});
  for (const StateTensor &tensor : manifest.state)
    if (withOptimizer && tensor.kind == StateKind::Optimizer)
      targets.push_back({optimizerPrefix + tensor.name, &tensor});
  return targets;
}

/// "'conv1.weight' [6, 1, 5, 5], 'conv1.bias' [6] and 3 more"
template <typename Tensor> static std::string listTensors(const std::vector<Tensor> &tensors) {
  constexpr size_t shown = 3;
  std::string text;
  for (size_t i = 0; i < std::min(tensors.size(), shown); ++i)
    text += (i ? ", " : "") + quotedText(tensors[i]->name) + " " + shapeText(tensors[i]->shape);
  if (tensors.size() > shown)
    text += formatText(" and %zu more", tensors.size() - shown);
  return text;
}

Result<std::vector<const NamedTensor *>>
matchByName(const std::string &path, const std::string &net,
            const std::vector<TensorTarget> &targets,
            const std::vector<const NamedTensor *> &candidates) {
  std::map<std::string_view, const NamedTensor *> unused;
  for (const NamedTensor *candidate : candidates)
    unused[candidate->name] = candidate;
  std::vector<const NamedTensor *> matched, extra;
  std::vector<const NamedTensor *> missing;
  std::vector<NamedTensor> missingTensors;
  missingTensors.reserve(targets.size());
  for (const TensorTarget &target : targets) {
    auto found = unused.find(target.name);
    matched.push_back(found == unused.end() ? nullptr : found->second);
    if (found != unused.end()) {
      unused.erase(found);
      continue;
    }
    NamedTensor &tensor = missingTensors.emplace_back();
    tensor.name = target.name;
    tensor.shape = target.tensor->shape;
    missing.push_back(&tensor);
  }
  for (const NamedTensor *candidate : candidates)
    if (unused.count(candidate->name))
      extra.push_back(candidate);
  if (!missing.empty()) {
    Status status =
        Status::failure(path, "of the net '" + net + "', the file lacks " + listTensors(missing));
    if (!extra.empty())
      return std::move(status).withHint("it has " + listTensors(extra) +
                                        ", which the net does not have");
    return status;
  }
  if (!extra.empty())
    return Status::failure(path, "the net '" + net + "' does not have " + listTensors(extra) +
                                     " of the file");
  for (size_t i = 0; i < targets.size(); ++i)
    if (Status status = checkShape(path, targets[i], *matched[i]); status.failed())
      return status;
  return matched;
}

Status checkShape(const std::string &path, const TensorTarget &target, const NamedTensor &source) {
  if (source.shape == target.tensor->shape)
    return Status::success();
  std::string renamed =
      source.name == target.name ? "in the net it has" : "'" + target.name + "' of the net has";
  return Status::failure(path, "tensor " + quotedText(source.name) + " has shape " +
                                   shapeText(source.shape) + ", " + renamed + " " +
                                   shapeText(target.tensor->shape));
}

/// Element `index` of `tensor`, which is f32 or f64.
static double valueAt(const NamedTensor &tensor, uint64_t index) {
  if (tensor.element == ElementType::F64) {
    double value;
    std::memcpy(&value, tensor.data + index * sizeof value, sizeof value);
    return value;
  }
  float value;
  std::memcpy(&value, tensor.data + index * sizeof value, sizeof value);
  return double(value);
}

/// The position of element `flat` in a tensor of `shape`: "[0, 2, 1]".
static std::string positionText(const std::vector<int64_t> &shape, int64_t flat) {
  std::vector<int64_t> position(shape.size());
  for (size_t d = shape.size(); d-- > 0;) {
    position[d] = flat % shape[d];
    flat /= shape[d];
  }
  return shapeText(position);
}

static bool isFloat(ElementType element) {
  return element == ElementType::F32 || element == ElementType::F64;
}

Status checkValues(const std::string &path, const TensorTarget &target, const NamedTensor &source) {
  ElementType wanted = target.tensor->element;
  if (source.element != wanted && !(isFloat(source.element) && isFloat(wanted)))
    return Status::failure(path, "tensor " + quotedText(source.name) + " has elements of type " +
                                     elementName(source.element) + ", the net has " +
                                     elementName(wanted));
  if (!isFloat(wanted))
    return Status::success();
  for (int64_t i = 0; i < target.tensor->elements; ++i) {
    double value = valueAt(source, uint64_t(i));
    if (std::isfinite(value) && (wanted == ElementType::F64 || std::isfinite(float(value))))
      continue;
    std::string what = std::isnan(value)   ? "NaN"
                       : std::isinf(value) ? "infinity"
                                           : formatText("%g, which is too large for f32,", value);
    return Status::failure(path, "tensor " + quotedText(source.name) + " " +
                                     shapeText(source.shape) + " has " + what + " at " +
                                     positionText(source.shape, i));
  }
  return Status::success();
}

void copyTensor(const StateTensor &target, const NamedTensor &source, void *state) {
  char *place = static_cast<char *>(state) + target.offset;
  if (source.element == target.element) {
    std::memcpy(place, source.data, target.bytes);
    return;
  }
  for (int64_t i = 0; i < target.elements; ++i) {
    double value = valueAt(source, uint64_t(i));
    if (target.element == ElementType::F32)
      reinterpret_cast<float *>(place)[i] = float(value);
    else
      reinterpret_cast<double *>(place)[i] = value;
  }
}

std::vector<NamedTensor> tensorsOf(const std::vector<TensorTarget> &targets, const void *state) {
  std::vector<NamedTensor> tensors;
  for (const TensorTarget &target : targets)
    tensors.push_back({target.name, target.tensor->element, target.tensor->shape,
                       static_cast<const uint8_t *>(state) + target.tensor->offset,
                       target.tensor->bytes});
  return tensors;
}

} // namespace cnn
