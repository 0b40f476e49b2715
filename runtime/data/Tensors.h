// What weight files and checkpoints share: which tensor of a file is which of the state, and
// copying between them. Internal to runtime/data.
#ifndef CNNC_RUNTIME_DATA_TENSORS_H
#define CNNC_RUNTIME_DATA_TENSORS_H

#include "runtime/core/Manifest.h"
#include "runtime/data/Safetensors.h"

#include <string>
#include <vector>

namespace cnn {

/// Metadata that marks a checkpoint, and the names that optimizer state has in one.
inline constexpr const char *checkpointMark = "cnnc.checkpoint";
inline constexpr const char *optimizerPrefix = "optimizer/";

/// A tensor of the state under the name that it has in a file.
struct TensorTarget {
  std::string name;
  const StateTensor *tensor;
};

/// Parameters and running statistics in the manifest's order, then (for checkpoints) the
/// optimizer's.
std::vector<TensorTarget> tensorTargets(const Manifest &manifest, bool withOptimizer);

/// For each target the tensor of `file` of the same name; fails, naming tensors and shapes, unless
/// names and shapes agree one to one. `candidates`: the tensors of the file that count.
Result<std::vector<const NamedTensor *>>
matchByName(const std::string &path, const std::string &net,
            const std::vector<TensorTarget> &targets,
            const std::vector<const NamedTensor *> &candidates);

/// Fails unless the tensor's shape is the target's.
Status checkShape(const std::string &path, const TensorTarget &target, const NamedTensor &source);

/// Fails on NaN or infinity, before or after conversion to the target's element type, and on
/// element types that cannot be converted (f32 and f64 can).
Status checkValues(const std::string &path, const TensorTarget &target, const NamedTensor &source);

/// Copies `source`, converted, to the target's place in `state`. Call after the checks.
void copyTensor(const StateTensor &target, const NamedTensor &source, void *state);

/// The state's tensors as they go into a file; they point into `state`.
std::vector<NamedTensor> tensorsOf(const std::vector<TensorTarget> &targets, const void *state);

} // namespace cnn

#endif
