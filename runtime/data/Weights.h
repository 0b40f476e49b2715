// Weight files: the parameters and running statistics of a net's state, as safetensors with
// PyTorch's names and layouts.
#ifndef CNNC_RUNTIME_DATA_WEIGHTS_H
#define CNNC_RUNTIME_DATA_WEIGHTS_H

#include "runtime/core/Manifest.h"
#include "runtime/core/Status.h"
#include "runtime/data/Safetensors.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace cnn {

/// How the tensors of a file became those of the net.
struct WeightMapping {
  /// The file had PyTorch's nn.Sequential numbering ("0.weight", "3.bias") and was mapped by
  /// position.
  bool byPosition = false;
  /// (name in the file, name in the net), in the net's order.
  std::vector<std::pair<std::string, std::string>> names;
  /// The net that training noted in the file; empty in files from elsewhere.
  std::string net;
};

/// Fails where the file says that its weights are of another net than the manifest's. Not asked
/// when a run merely starts from them.
Status checkSameNet(const std::string &path, const WeightMapping &mapping,
                    const Manifest &manifest);

/// Fills the parameters and running statistics of `state` (manifest.stateBytes bytes) from the file
/// at `path`; optimizer state is left alone. f64 in the file is rounded to an f32 net and vice
/// versa. Names must agree, or be those of an nn.Sequential whose tensors, in order, have the kinds
/// and shapes of ours. A checkpoint is accepted: its optimizer state is skipped. Fails, naming the
/// tensor and both shapes, on a missing, extra or wrongly shaped tensor, other element types, and
/// on NaN or infinity; `state` is written only when everything is right.
Result<WeightMapping> loadWeights(const std::string &path, const Manifest &manifest, void *state);

/// Writes the parameters and running statistics of `state`, atomically; layers that `renamed` has
/// under the names that it gives them.
Status saveWeights(const std::string &path, const Manifest &manifest, const void *state,
                   const std::map<std::string, std::string> &metadata = {}, bool keepBackup = false,
                   const std::map<std::string, std::string> &renamed = {});

} // namespace cnn

#endif
