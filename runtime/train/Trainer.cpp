// Epochs, steps, checkpoints. The position (epoch, step in epoch, sums so far) is a CheckpointInfo
// all along, so what a checkpoint holds is what the loop works on. A step in epoch equal to the
// number of steps means: trained, not yet evaluated.
#include "runtime/train/Trainer.h"

#include "runtime/core/File.h"
#include "runtime/core/Init.h"
#include "runtime/data/Checkpoint.h"
#include "runtime/data/Loader.h"
#include "runtime/data/Weights.h"
#include "runtime/train/Feed.h"
#include "runtime/train/Resumption.h"
#include "runtime/train/TrainLog.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace cnn {

namespace {

class Run {
public:
  Run(Session &session, const Dataset &data, const TrainOptions &options)
      : session(session), data(data), options(options) {}
  Result<TrainOutcome> run();

private:
  Status prepareCall();
  Status prepareState();
  Status resume();
  Status trainEpoch(Feed *feed);
  void setScalars();
  Status step(Feed &feed, const FeedBatch &batch);
  Status endEpoch();
  Status checkpoint();
  Status finish();
  std::string nonFiniteReason(double loss) const;
  Status explain(Status failure) const;

  Scalars scalarsAt(int64_t step, int64_t steps) const;
  bool interrupted() const { return options.interrupted && options.interrupted(); }
  double epochSeconds() const {
    return secondsBefore +
           std::chrono::duration<double>(std::chrono::steady_clock::now() - epochStart).count();
  }
  /// What each epoch is judged by: the validation images where some were set aside.
  bool validates() const { return data.validation.size() > 0; }
  void stop(TrainEnd end) {
    outcome.end = end;
    stopped = true;
  }

  Session &session;
  const Dataset &data;
  const TrainOptions &options;
  TrainLog log;
  TrainOutcome outcome;
  CheckpointInfo position;
  bool stopped = false;
  std::string saved; // what the last checkpoint of this run holds; empty before the first

  Call *call = nullptr;
  int image = 0, labels = 0, rows = 0, loss = 0, nonFinite = 0;
  std::vector<std::pair<std::string, int>> scalarInputs; // but for `rows`
  std::optional<double> learningRate;                    // of the current step
  std::vector<std::string> parameters;                   // names, in the order of `nonfinite`
  int64_t batchSize = 0, stepsPerEpoch = 0;
  std::chrono::steady_clock::time_point epochStart, lastFlush;
  double secondsBefore = 0; // of this epoch, before the run was resumed
  int64_t rowsBefore = 0;   // of this epoch, likewise
};

//===----------------------------------------------------------------------===//
// Before the first step
//===----------------------------------------------------------------------===//

/// Scalar inputs that say which step of which run it is: random numbers are drawn by them.
static bool isOfRun(const std::string &name) {
  return name == "seed" || name == "seed_high" || name == "step";
}

static std::optional<double> findScalar(const Scalars &scalars, const std::string &name) {
  for (const auto &[known, value] : scalars)
    if (known == name)
      return value;
  return std::nullopt;
}

Scalars Run::scalarsAt(int64_t step, int64_t steps) const {
  return options.scalarsAt ? options.scalarsAt(step, steps) : options.scalars;
}

Status Run::prepareCall() {
  Result<Call *> found = session.call("train_step");
  if (found.failed())
    return found.status();
  call = *found;
  struct Wanted {
    Result<int> found;
    int &position;
  } all[] = {{call->image(), image},
             {call->input("labels"), labels},
             {call->input("rows"), rows},
             {call->output("loss"), loss},
             {call->output("nonfinite"), nonFinite}};
  for (Wanted &wanted : all) {
    if (wanted.found.failed())
      return wanted.found.status();
    wanted.position = *wanted.found;
  }

  for (const StateTensor &tensor : session.manifest().state)
    if (tensor.kind == StateKind::Parameter)
      parameters.push_back(tensor.name);
  if (call->spec(nonFinite).shape != std::vector<int64_t>{static_cast<int64_t>(parameters.size())})
    return Status::failure(
        formatText("net '%s' has %zu parameters, and 'nonfinite' of its train_step has shape %s",
                   session.manifest().net.c_str(), parameters.size(),
                   shapeText(call->spec(nonFinite).shape).c_str()));

  for (const BufferSpec &spec : call->entry().buffers) {
    if (spec.role != BufferRole::Input || !spec.shape.empty() || spec.name == "rows")
      continue;
    scalarInputs.push_back({spec.name, *call->input(spec.name)});
    if (isOfRun(spec.name) || findScalar(scalarsAt(0, 1), spec.name))
      continue;
    return Status::failure(
        formatText("train_step of net '%s' wants a value for '%s', and the recipe has none",
                   session.manifest().net.c_str(), spec.name.c_str()));
  }

  Result<NetShape> shape = netShape(session.manifest());
  if (shape.failed())
    return shape.status();
  if (Status status = checkFits(*shape, data.train, data.classNames.size(), data.name);
      status.failed())
    return status;
  if (Status status = checkParts(data); status.failed())
    return status;
  int64_t most = session.manifest().batch;
  batchSize = options.batch ? options.batch : most;
  if (batchSize < 1 || batchSize > most)
    return Status::failure(formatText("net '%s' was compiled for at most %lld images a step, and "
                                      "%lld are asked for",
                                      session.manifest().net.c_str(), static_cast<long long>(most),
                                      static_cast<long long>(batchSize)));
  stepsPerEpoch = (data.train.size() + batchSize - 1) / batchSize;
  outcome.stepsPerEpoch = stepsPerEpoch;
  return Status();
}

/// Better before the first step than after hours of training.
static Status tryOutputs(const TrainOptions &options) {
  for (const std::string &path : {options.weightsPath, options.checkpointPath})
    if (!path.empty())
      if (Result<AtomicFile> tried = AtomicFile::create(path); tried.failed())
        return tried.status();
  return Status();
}

Status Run::resume() {
  const std::string &path = options.resumePath;
  Result<void *> state = session.state();
  if (state.failed())
    return state.status();
  Result<CheckpointInfo> info = loadCheckpoint(path, session.manifest(), *state);
  if (info.failed())
    return info.status();
  if (Status status = checkResumption(*info, options, session.manifest().net, outcome.notes);
      status.failed())
    return status;
  if (info->stepInEpoch < 0 || info->stepInEpoch > stepsPerEpoch)
    return Status::failure(path,
                           formatText("stopped at step %lld of an epoch, which has %lld steps here",
                                      static_cast<long long>(info->stepInEpoch),
                                      static_cast<long long>(stepsPerEpoch)));
  Result<std::vector<EpochRecord>> history = readHistory(*info, path);
  if (history.failed())
    return history.status();
  outcome.epochs = std::move(*history);
  position = std::move(*info);
  rowsBefore = position.rows;
  if (auto found = position.extra.find("epoch_seconds"); found != position.extra.end())
    secondsBefore = std::strtod(found->second.c_str(), nullptr);
  if (options.progress)
    for (const EpochRecord &record : outcome.epochs)
      options.progress->epoch(record, options.epochs, /*replayed=*/true);
  return Status();
}

Status Run::prepareState() {
  if (!options.resumePath.empty()) {
    if (Status status = resume(); status.failed())
      return status;
  } else {
    position.net = session.manifest().net;
    position.seed = options.seed.value_or(0);
    Result<void *> state = session.state();
    if (state.failed())
      return state.status();
    initializeState(session.manifest(), position.seed, *state);
    if (!options.initPath.empty()) {
      Result<WeightMapping> mapping = loadWeights(options.initPath, session.manifest(), *state);
      if (mapping.failed())
        return mapping.status();
      if (mapping->byPosition)
        outcome.notes.push_back(options.initPath + ": tensors were mapped by position");
    }
  }
  position.recipe = jsonText(options.recipe);
  outcome.seed = position.seed;

  if (Status status = tryOutputs(options); status.failed())
    return status;
  bool resumed = !options.resumePath.empty();
  Result<TrainLog> opened =
      TrainLog::open(options.logPath, resumed ? static_cast<int64_t>(position.logBytes) : -1);
  if (opened.failed())
    return opened.status();
  log = std::move(*opened);
  if (!resumed || log.bytes() == 0)
    log.write({{"kind", "start"},
               {"net", position.net},
               {"seed", position.seed},
               {"steps_per_epoch", stepsPerEpoch},
               {"recipe", options.recipe}});
  return Status();
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

std::string Run::nonFiniteReason(double lossValue) const {
  std::vector<std::string> names;
  for (size_t i = 0; i < parameters.size(); ++i)
    if (!std::isfinite(call->get(nonFinite, static_cast<int64_t>(i))))
      names.push_back(parameters[i]);
  std::string where = formatText("step %lld (epoch %llu, step %lld of %lld): ",
                                 static_cast<long long>(position.globalStep + 1),
                                 static_cast<unsigned long long>(position.epoch + 1),
                                 static_cast<long long>(position.stepInEpoch + 1),
                                 static_cast<long long>(stepsPerEpoch));
  std::string gradients;
  if (!names.empty()) {
    size_t dot = names[0].rfind('.');
    std::string layer = dot == std::string::npos ? names[0] : names[0].substr(0, dot);
    gradients = formatText("the gradient of '%s' in layer '%s'", names[0].c_str(), layer.c_str());
    if (names.size() > 1)
      gradients +=
          formatText(" and of %zu more of %zu parameters", names.size() - 1, parameters.size());
    gradients += " is not finite";
  }
  if (std::isfinite(lossValue))
    return where + gradients;
  return where + (std::isnan(lossValue) ? "the loss is nan" : "the loss is infinite") +
         (gradients.empty() ? "" : ", " + gradients);
}

void Run::setScalars() {
  Scalars scalars = scalarsAt(position.globalStep, stepsPerEpoch);
  learningRate = findScalar(scalars, "lr");
  auto word = [](uint64_t value) { return double(int32_t(uint32_t(value))); };
  for (const auto &[name, input] : scalarInputs)
    call->set(input, name == "seed"        ? word(position.seed)
                     : name == "seed_high" ? word(position.seed >> 32)
                     : name == "step"      ? word(uint64_t(position.globalStep))
                                           : *findScalar(scalars, name));
}

Status Run::step(Feed &feed, const FeedBatch &batch) {
  call->set(rows, batch.rows);
  setScalars();
  if (Status status = feed.run(); status.failed())
    return status;

  double lossValue = call->get(loss);
  bool finite = std::isfinite(lossValue);
  for (size_t i = 0; finite && i < parameters.size(); ++i)
    finite = std::isfinite(call->get(nonFinite, static_cast<int64_t>(i)));
  if (!finite) {
    outcome.reason = nonFiniteReason(lossValue);
    log.write({{"kind", "nonfinite"},
               {"step", position.globalStep + 1},
               {"epoch", position.epoch + 1},
               {"reason", outcome.reason}});
    stop(TrainEnd::NonFinite);
    return log.flush();
  }
  session.commit();
  ++position.globalStep;
  ++position.stepInEpoch;
  position.lossSum += lossValue * batch.rows;
  position.rows += batch.rows;
  log.writeStep(position.globalStep, position.epoch + 1, lossValue, learningRate);

  if (options.progress) {
    double seconds = epochSeconds() - secondsBefore;
    options.progress->step(position.epoch + 1, options.epochs, position.stepInEpoch, stepsPerEpoch,
                           lossValue,
                           seconds > 0 ? double(position.rows - rowsBefore) / seconds : 0);
  }
  auto now = std::chrono::steady_clock::now();
  if (now - lastFlush < std::chrono::seconds(1))
    return Status();
  lastFlush = now;
  return log.flush();
}

/// `feed` may be null when no step of the epoch is left.
Status Run::trainEpoch(Feed *feed) {
  epochStart = std::chrono::steady_clock::now();
  while (position.stepInEpoch < stepsPerEpoch) {
    if (interrupted()) {
      stop(TrainEnd::Interrupted);
      return checkpoint();
    }
    Result<const FeedBatch *> batch = feed->next();
    if (batch.failed())
      return batch.status();
    if (!*batch || (*batch)->epoch != position.epoch || (*batch)->index != position.stepInEpoch)
      return Status::failure("the loader's batches are out of step with the training loop");
    if (Status status = step(*feed, **batch); status.failed() || stopped)
      return status;
  }
  return Status();
}

Status Run::endEpoch() {
  EpochRecord record;
  record.epoch = position.epoch + 1;
  record.trainLoss = position.lossSum / double(position.rows);
  record.seconds = epochSeconds();
  record.images = position.rows;
  record.validation = validates();
  Result<Evaluation> test = evaluate(session, validates() ? data.validation : data.test,
                                     data.classNames, options.interrupted);
  if (test.failed())
    return test.status();
  if (test->stopped) {
    stop(TrainEnd::Interrupted);
    return checkpoint();
  }
  record.testLoss = test->loss;
  record.testAccuracy = test->accuracy();
  (validates() ? outcome.validation : outcome.test) = std::move(*test);
  outcome.epochs.push_back(record);
  Json line = {{"kind", "epoch"}};
  line.update(toJson(record));
  log.write(line);

  ++position.epoch;
  position.stepInEpoch = 0;
  position.lossSum = 0;
  position.rows = rowsBefore = 0;
  secondsBefore = 0;
  if (Status status = checkpoint(); status.failed())
    return status;
  if (options.progress)
    options.progress->epoch(record, options.epochs);
  return Status();
}

Status Run::checkpoint() {
  if (Status status = log.flush(); status.failed())
    return status;
  if (options.checkpointPath.empty())
    return Status();
  Json history = Json::array();
  for (const EpochRecord &record : outcome.epochs)
    history.push_back(toJson(record));
  position.extra["history"] = jsonText(history);
  position.extra["epoch_seconds"] = formatText("%.3f", position.rows ? epochSeconds() : 0.0);
  position.logBytes = log.bytes();
  // Before the file is touched: what a device does not give back leaves the last checkpoint.
  Result<void *> state = session.state();
  if (state.failed())
    return state.status();
  if (Status status = saveCheckpoint(options.checkpointPath, session.manifest(), *state, position);
      status.failed())
    return status;
  saved = formatText("%s holds the end of epoch %llu", options.checkpointPath.c_str(),
                     static_cast<unsigned long long>(position.epoch));
  return Status();
}

/// A failure in the middle of a run, with what is left of the run.
Status Run::explain(Status failure) const {
  return saved.empty() ? failure
                       : std::move(failure).withHint(saved + ": --resume continues there");
}

Status Run::finish() {
  for (auto [samples, result] :
       {std::pair{&data.train, &outcome.train}, std::pair{&data.validation, &outcome.validation},
        std::pair{&data.test, &outcome.test}}) {
    if (result->images == samples->size())
      continue; // there are none, or the end of the last epoch has just done it
    Result<Evaluation> evaluation =
        evaluate(session, *samples, data.classNames, options.interrupted);
    if (evaluation.failed())
      return evaluation.status();
    *result = std::move(*evaluation);
    if (result->stopped) {
      stop(TrainEnd::Interrupted); // the last epoch's checkpoint continues here
      return Status();
    }
  }
  Json line = {{"kind", "end"}};
  for (auto [name, result] :
       {std::pair{"train", &outcome.train}, std::pair{"validation", &outcome.validation},
        std::pair{"test", &outcome.test}}) {
    if (result->images == 0)
      continue;
    line[name + std::string("_loss")] = result->loss;
    line[name + std::string("_accuracy")] = result->accuracy();
  }
  log.write(line);
  if (Status status = log.flush(); status.failed())
    return status;
  if (options.weightsPath.empty())
    return Status();
  std::map<std::string, std::string> metadata = options.metadata;
  metadata["net"] = session.manifest().net;
  metadata["seed"] = std::to_string(position.seed);
  metadata["epochs"] = std::to_string(position.epoch);
  Result<void *> state = session.state();
  if (state.failed())
    return state.status();
  return saveWeights(options.weightsPath, session.manifest(), *state, metadata,
                     /*keepBackup=*/true);
}

Result<TrainOutcome> Run::run() {
  for (auto part : {&Run::prepareCall, &Run::prepareState})
    if (Status status = (this->*part)(); status.failed())
      return status;

  if (position.epoch < options.epochs) {
    LoaderOptions wanted;
    wanted.batchSize = batchSize;
    wanted.rowsInMemory = session.manifest().batch;
    wanted.seed = position.seed;
    wanted.shuffle = options.shuffle;
    wanted.training = true;
    bool trained = position.stepInEpoch == stepsPerEpoch;
    wanted.firstEpoch = position.epoch + (trained ? 1 : 0);
    wanted.firstBatch = trained ? 0 : position.stepInEpoch;
    wanted.endEpoch = options.epochs;
    wanted.element = call->spec(image).element;
    std::unique_ptr<Loader> loader;
    std::optional<Feed> feed;
    if (wanted.firstEpoch < wanted.endEpoch) {
      Result<std::unique_ptr<Loader>> made = Loader::create(data.train, wanted);
      if (made.failed())
        return made.status();
      loader = std::move(*made);
      feed.emplace(*loader, *call, image, labels);
    }
    while (position.epoch < options.epochs && !stopped) {
      Status status = trainEpoch(feed ? &*feed : nullptr);
      if (!status.failed() && !stopped)
        status = endEpoch();
      if (status.failed()) {
        if (options.progress)
          options.progress->clear();
        return explain(std::move(status));
      }
    }
  }
  if (options.progress)
    options.progress->clear();
  outcome.epoch = position.epoch + 1;
  outcome.stepInEpoch = position.stepInEpoch;
  if (!stopped)
    if (Status status = finish(); status.failed())
      return explain(std::move(status));
  return std::move(outcome);
}

} // namespace

Status checkParts(const Dataset &data) {
  if (data.train.size() == 0)
    return Status::failure(formatText("data set '%s' has no training images", data.name.c_str()));
  if (data.test.size() == 0 && data.validation.size() == 0)
    return Status::failure(formatText("data set '%s' has no test images", data.name.c_str()))
        .withHint("set some of its training images aside: -> split(validation = 0.1)");
  return Status();
}

Status checkOptions(const TrainOptions &options, const std::string &net,
                    std::vector<std::string> &notes) {
  if (!options.resumePath.empty()) {
    Result<CheckpointInfo> info = readCheckpointInfo(options.resumePath);
    if (info.failed())
      return info.status();
    if (Status status = checkResumption(*info, options, net, notes); status.failed())
      return status;
  } else if (!options.initPath.empty()) {
    if (Result<Safetensors> weights = readSafetensors(options.initPath); weights.failed())
      return weights.status();
  }
  return tryOutputs(options);
}

Result<TrainOutcome> train(Session &session, const Dataset &data, const TrainOptions &options) {
  return Run(session, data, options).run();
}

} // namespace cnn
