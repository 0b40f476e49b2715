// Checkpoints: the whole state of a training run in one safetensors file, from which it continues
// with the same bits.
#ifndef CNNC_RUNTIME_DATA_CHECKPOINT_H
#define CNNC_RUNTIME_DATA_CHECKPOINT_H

#include "runtime/core/Manifest.h"
#include "runtime/core/Status.h"

#include <cstdint>
#include <map>
#include <string>

namespace cnn {

/// Where a run was; stored as the file's metadata.
struct CheckpointInfo {
  std::string net;
  uint64_t epoch = 0;      ///< the epoch that the next step belongs to, from 0
  int64_t stepInEpoch = 0; ///< the index of the next batch within it
  int64_t globalStep = 0;  ///< steps done
  uint64_t seed = 0;
  std::string recipe;    ///< JSON of the recipe; resuming with another one is the caller's error
  double lossSum = 0;    ///< over the rows of this epoch so far
  int64_t correct = 0;   ///< rows of this epoch so far that were classified rightly
  int64_t rows = 0;      ///< rows of this epoch so far
  uint64_t logBytes = 0; ///< length of the log when the checkpoint was made
  /// Anything else that the trainer wants back, by name.
  std::map<std::string, std::string> extra;
};

/// Writes `state` (parameters, running statistics and, as "optimizer/NAME", optimizer state) and
/// `info`, atomically: whenever the process dies, the file is the old or the new one.
Status saveCheckpoint(const std::string &path, const Manifest &manifest, const void *state,
                      const CheckpointInfo &info);

/// Fills all of `state`. As strict as loadWeights, and elements must be those of the net; `state`
/// is written only when everything is right.
Result<CheckpointInfo> loadCheckpoint(const std::string &path, const Manifest &manifest,
                                      void *state);

/// Reads only where the run was.
Result<CheckpointInfo> readCheckpointInfo(const std::string &path);

} // namespace cnn

#endif
