// The training loop. In: a Session whose net has the entry points `train_step` and `eval`, a data
// set, and TrainOptions; out: trained state in the session, the weight file, checkpoints, a log.
// The same options give the same bits for every number of threads, and when the run is interrupted
// at any step and resumed.
#ifndef CNNC_RUNTIME_TRAIN_TRAINER_H
#define CNNC_RUNTIME_TRAIN_TRAINER_H

#include "runtime/core/Json.h"
#include "runtime/core/Status.h"
#include "runtime/data/Dataset.h"
#include "runtime/train/Evaluator.h"
#include "runtime/train/Progress.h"
#include "runtime/train/Session.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cnn {

using Scalars = std::vector<std::pair<std::string, double>>;

struct TrainOptions {
  uint64_t epochs = 1;
  /// Images per step; 0: as many as the net was compiled for, which is the most there can be.
  int64_t batch = 0;
  /// Of the initial weights and of the order of the images; 0, or that of the checkpoint, unless
  /// given. A resumed run refuses another one.
  std::optional<uint64_t> seed;
  /// Go through the images in an order drawn for each epoch, instead of that of the data set.
  bool shuffle = true;
  /// Hyperparameters that are numbers (lr, momentum, ...), by name.
  Scalars scalars;
  /// The values of train_step's scalar inputs in a step (counted from 0) of a run with so many
  /// steps an epoch, and under `lr` the learning rate, which the log shows. Empty: `scalars`,
  /// always.
  std::function<Scalars(int64_t step, int64_t stepsPerEpoch)> scalarsAt;
  /// What the run is, as a flat JSON object ("data", "batch", "loss", ...). A checkpoint stores it,
  /// and a run that resumes must have the same, but for the values of scalars and epochs.
  Json recipe = Json::object();

  std::string weightsPath;    ///< written at the end; an existing file becomes .bak
  std::string checkpointPath; ///< written after every epoch and on an interrupt; empty: never
  std::string logPath;        ///< JSON lines; empty: none
  std::string initPath;       ///< weights to start from instead of random ones
  std::string resumePath;     ///< checkpoint to continue
  /// Stored in the weight file beside what the trainer adds (seed, epochs).
  std::map<std::string, std::string> metadata;

  /// Asked between steps and between batches of an evaluation: stop and write a checkpoint?
  std::function<bool()> interrupted;
  Progress *progress = nullptr;
};

/// How a run ended.
enum class TrainEnd {
  Finished,
  Interrupted, ///< the checkpoint continues it
  NonFinite    ///< before the update; state and files are those of before
};

struct TrainOutcome {
  TrainEnd end = TrainEnd::Finished;
  std::vector<EpochRecord> epochs; ///< including those before a resumption
  /// When Finished: of the final weights, without random stages; no images where there are none.
  Evaluation train, validation, test;
  uint64_t seed = 0;
  /// Where it stopped: steps done of `stepsPerEpoch` in epoch `epoch` (from 1).
  uint64_t epoch = 0;
  int64_t stepInEpoch = 0, stepsPerEpoch = 0;
  /// NonFinite: which loss or gradients, at which step. Interrupted: empty.
  std::string reason;
  /// Differences to the checkpoint that were accepted, and how weights were mapped.
  std::vector<std::string> notes;
};

/// What can be told to be wrong before net `net` is compiled: files that cannot be read or written,
/// a checkpoint of another run; `notes` gets the differences to the checkpoint that are accepted.
/// train() checks it again, with all that needs the compiled net.
Status checkOptions(const TrainOptions &options, const std::string &net,
                    std::vector<std::string> &notes);

/// Fails on a data set that has no images to train on, or none to judge the epochs by.
Status checkParts(const Dataset &data);

/// Trains. Fails on data that does not fit the net, on files that cannot be read or written (the
/// weight file and the log are tried before the first step), and on a checkpoint of another run.
Result<TrainOutcome> train(Session &session, const Dataset &data, const TrainOptions &options);

} // namespace cnn

#endif
