// Weight file <-> state, by name, or by position for PyTorch's nn.Sequential numbering.
#include "runtime/data/Weights.h"

#include "runtime/data/Tensors.h"

#include <algorithm>
#include <cctype>

namespace cnn {

namespace {

/// The last component of a name: which tensor of its layer it is, in PyTorch's order of
/// registration; -1 for others.
int roleOf(std::string_view component) {
  constexpr std::string_view roles[] = {"weight", "bias", "running_mean", "running_var"};
  auto found = std::find(std::begin(roles), std::end(roles), component);
  return found == std::end(roles) ? -1 : int(found - std::begin(roles));
}

/// PyTorch's batch norm counts its batches; with a fixed momentum nothing depends on the number,
/// and PyTorch takes files without it.
bool isBatchCount(std::string_view name) {
  return name == "num_batches_tracked" || name.ends_with(".num_batches_tracked");
}

std::vector<std::string> components(const std::string &name) {
  std::vector<std::string> parts(1);
  for (char c : name)
    if (c == '.')
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

bool isNumber(const std::string &text) {
  // Nine digits fit into an int; no nn.Sequential is longer.
  return !text.empty() && text.size() <= 9 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

struct NumberedTensor {
  std::vector<std::string> path; ///< components without the last
  int role;
  const NamedTensor *tensor;
};

/// Numbers by value and before words; words by their letters.
bool comesBefore(const std::string &a, const std::string &b) {
  bool numbers[] = {isNumber(a), isNumber(b)};
  if (numbers[0] && numbers[1] && std::stoi(a) != std::stoi(b))
    return std::stoi(a) < std::stoi(b);
  return numbers[0] != numbers[1] ? numbers[0] : a < b;
}

bool comesBefore(const NumberedTensor &a, const NumberedTensor &b) {
  for (size_t i = 0; i < std::min(a.path.size(), b.path.size()); ++i)
    if (a.path[i] != b.path[i])
      return comesBefore(a.path[i], b.path[i]);
  return a.path.size() != b.path.size() ? a.path.size() < b.path.size() : a.role < b.role;
}

/// Whether the paths first differ in two numbers (or one is the other's beginning): only those say
/// which comes first in the net.
bool orderedByNumbers(const std::vector<std::string> &a, const std::vector<std::string> &b) {
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (a[i] != b[i])
      return isNumber(a[i]) && isNumber(b[i]);
  return true;
}

/// The tensors in the order of their numbers ("2.weight" before "10.weight", "0.0.bias" between
/// "0.0.weight" and "0.1.weight"), or nothing when the names are no such numbering. A common prefix
/// ("net.0.weight") is allowed.
std::vector<NumberedTensor> numberedOrder(const std::vector<const NamedTensor *> &tensors) {
  std::vector<NumberedTensor> order;
  for (const NamedTensor *tensor : tensors) {
    std::vector<std::string> path = components(tensor->name);
    int role = roleOf(path.back());
    path.pop_back();
    if (role < 0 || path.empty() || !isNumber(path.back()))
      return {};
    order.push_back({std::move(path), role, tensor});
  }
  std::sort(order.begin(), order.end(),
            [](const NumberedTensor &a, const NumberedTensor &b) { return comesBefore(a, b); });
  // Names with a common beginning are neighbours now, so this finds every pair of words.
  for (size_t i = 1; i < order.size(); ++i)
    if (!orderedByNumbers(order[i - 1].path, order[i].path))
      return {};
  return order;
}

/// Our tensors in PyTorch's order: by layer as they come, then by role.
std::vector<TensorTarget> registrationOrder(const std::vector<TensorTarget> &targets) {
  std::vector<std::string> layers;
  auto layerOf = [](const std::string &name) { return name.substr(0, name.rfind('.')); };
  for (const TensorTarget &target : targets)
    if (std::find(layers.begin(), layers.end(), layerOf(target.name)) == layers.end())
      layers.push_back(layerOf(target.name));
  std::vector<TensorTarget> order;
  for (const std::string &layer : layers) {
    size_t first = order.size();
    for (const TensorTarget &target : targets)
      if (layerOf(target.name) == layer)
        order.push_back(target);
    std::sort(order.begin() + first, order.end(), [](const auto &a, const auto &b) {
      return roleOf(components(a.name).back()) < roleOf(components(b.name).back());
    });
  }
  return order;
}

/// Pairs numbered tensors with ours; fails on another number of tensors, kind or shape.
Status matchByPosition(const std::string &path, const std::string &net,
                       const std::vector<TensorTarget> &targets,
                       const std::vector<NumberedTensor> &numbered) {
  if (numbered.size() != targets.size())
    return Status::failure(path, formatText("has %zu tensors numbered as by nn.Sequential, the "
                                            "net '%s' has %zu",
                                            numbered.size(), net.c_str(), targets.size()));
  for (size_t i = 0; i < targets.size(); ++i) {
    if (numbered[i].role != roleOf(components(targets[i].name).back()))
      return Status::failure(path, "tensor " + quotedText(numbered[i].tensor->name) +
                                       ", numbered as by nn.Sequential, comes where the net '" +
                                       net + "' has '" + targets[i].name + "'");
    if (Status status = checkShape(path, targets[i], *numbered[i].tensor); status.failed())
      return status;
  }
  return Status::success();
}

} // namespace

Status checkSameNet(const std::string &path, const WeightMapping &mapping,
                    const Manifest &manifest) {
  if (mapping.net.empty() || mapping.net == manifest.net)
    return Status::success();
  return Status::failure(path, "the weights are of net " + quotedText(mapping.net) + ", not of " +
                                   quotedText(manifest.net))
      .withHint("name the net, or the recipe, that the weights were trained by");
}

Result<WeightMapping> loadWeights(const std::string &path, const Manifest &manifest, void *state) {
  Result<Safetensors> file = readSafetensors(path);
  if (file.failed())
    return file.status();
  bool checkpoint = file->metadata.count(checkpointMark);
  std::vector<const NamedTensor *> candidates;
  for (const NamedTensor &tensor : file->tensors)
    if (!isBatchCount(tensor.name) && !(checkpoint && tensor.name.starts_with(optimizerPrefix)))
      candidates.push_back(&tensor);
  std::vector<TensorTarget> targets = tensorTargets(manifest, /*withOptimizer=*/false);
  bool sharesNames = std::any_of(targets.begin(), targets.end(), [&](const TensorTarget &target) {
    return file->find(target.name) != nullptr;
  });

  WeightMapping mapping;
  if (auto noted = file->metadata.find("net"); noted != file->metadata.end())
    mapping.net = noted->second;
  std::vector<const NamedTensor *> sources;
  std::vector<NumberedTensor> numbered;
  if (!sharesNames)
    numbered = numberedOrder(candidates);
  if (!numbered.empty()) {
    targets = registrationOrder(targets);
    if (Status status = matchByPosition(path, manifest.net, targets, numbered); status.failed())
      return status;
    mapping.byPosition = true;
    for (const NumberedTensor &tensor : numbered)
      sources.push_back(tensor.tensor);
  } else {
    Result<std::vector<const NamedTensor *>> matched =
        matchByName(path, manifest.net, targets, candidates);
    if (matched.failed())
      return matched.status();
    sources = std::move(*matched);
  }
  for (size_t i = 0; i < targets.size(); ++i)
    if (Status status = checkValues(path, targets[i], *sources[i]); status.failed())
      return status;
  for (size_t i = 0; i < targets.size(); ++i) {
    copyTensor(*targets[i].tensor, *sources[i], state);
    mapping.names.emplace_back(sources[i]->name, targets[i].name);
  }
  return mapping;
}

Status saveWeights(const std::string &path, const Manifest &manifest, const void *state,
                   const std::map<std::string, std::string> &metadata, bool keepBackup,
                   const std::map<std::string, std::string> &renamed) {
  std::vector<NamedTensor> tensors =
      tensorsOf(tensorTargets(manifest, /*withOptimizer=*/false), state);
  for (NamedTensor &tensor : tensors) {
    size_t dot = tensor.name.rfind('.');
    if (auto found = renamed.find(tensor.name.substr(0, dot)); found != renamed.end())
      tensor.name = found->second + tensor.name.substr(dot);
  }
  return writeSafetensors(path, tensors, metadata, keepBackup);
}

} // namespace cnn
