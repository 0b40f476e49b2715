// What a checkpoint says of the run that wrote it, against what is asked for now.
#ifndef CNNC_RUNTIME_TRAIN_RESUMPTION_H
#define CNNC_RUNTIME_TRAIN_RESUMPTION_H

#include "runtime/data/Checkpoint.h"
#include "runtime/train/Trainer.h"

namespace cnn {

/// Whether `options` continue the run of net `net` that wrote the checkpoint: the same net, seed
/// and recipe, and fewer epochs done than asked for. How long and how fast to learn may differ;
/// `notes` says where it does.
Status checkResumption(const CheckpointInfo &info, const TrainOptions &options,
                       const std::string &net, std::vector<std::string> &notes);

/// An epoch as checkpoints keep it.
Json toJson(const EpochRecord &record);

/// The epochs before the checkpoint at `path`, from its metadata; none where it has no history.
Result<std::vector<EpochRecord>> readHistory(const CheckpointInfo &info, const std::string &path);

} // namespace cnn

#endif // CNNC_RUNTIME_TRAIN_RESUMPTION_H
