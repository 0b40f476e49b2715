// cnn train FILE [RECIPE]: file -> compiled step -> trained weights, with a line per epoch, and the
// commands that come next.
#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/OpenNet.h"
#include "compiler/tools/cnn/Options.h"
#include "runtime/train/Interrupt.h"
#include "runtime/train/Text.h"
#include "runtime/train/Trainer.h"

#include "llvm/Support/FileSystem.h"

#include <algorithm>
#include <cstdio>

namespace cnn::tool {

static TrainOptions optionsFor(const RecipeInfo &recipe, const Dataset &data) {
  TrainOptions options;
  options.epochs = epochs.getNumOccurrences() ? uint64_t(epochs) : recipe.epochs;
  if (seed.getNumOccurrences())
    options.seed = seed;
  else if (resumePath.empty())
    options.seed = recipe.seed;
  // A batch of more images than there are is all of them, as with PyTorch's DataLoader.
  options.batch = std::min<int64_t>(recipe.batch, std::max<uint64_t>(1, data.train.size()));
  options.shuffle = recipe.shuffle;
  options.scalars = recipe.scalars;
  options.scalarsAt = [recipe, epochs = options.epochs](int64_t step, int64_t stepsPerEpoch) {
    double rate = recipe.rateAt(step, stepsPerEpoch, epochs);
    Scalars scalars = recipe.scalarsAt(rate, step);
    if (std::none_of(scalars.begin(), scalars.end(),
                     [](const auto &scalar) { return scalar.first == "lr"; }))
      scalars.push_back({"lr", rate});
    return scalars;
  };
  options.recipe = recipe.identity;
  options.recipe["images"] = data.train.size();
  options.weightsPath = output.empty() ? withExtension(file, ".safetensors") : output.getValue();
  options.checkpointPath = withExtension(options.weightsPath, ".ckpt");
  if (options.checkpointPath == options.weightsPath)
    options.checkpointPath += ".ckpt";
  options.logPath = logPath;
  options.initPath = initPath;
  options.resumePath = resumePath;
  options.metadata["recipe"] = recipe.name;
  options.metadata["data"] = data.name;
  options.metadata["classes"] = jsonText(Json(data.classNames));
  options.interrupted = InterruptGuard::raised;
  return options;
}

/// No two of the files of a run may be one: the later would destroy the earlier.
static Status checkDistinct(const TrainOptions &options) {
  struct Named {
    std::string what, path;
  };
  const Named written[] = {{"the weights", options.weightsPath},
                           {"the checkpoint", options.checkpointPath},
                           {"the log", options.logPath}};
  for (const Named &one : written) {
    if (!one.path.empty() && llvm::sys::fs::equivalent(one.path, file.getValue()))
      return Status::failure(one.path, one.what + " would overwrite the net");
    if (&one != written && one.path == options.weightsPath)
      return Status::failure(one.path, one.what + " and the weights cannot be one file");
  }
  if (!options.logPath.empty() && options.logPath == options.checkpointPath)
    return Status::failure(options.logPath, "the log and the checkpoint cannot be one file");
  return Status();
}

/// The start of every command about this run: COMMAND FILE, then the options that it was given.
static std::vector<std::string> command(const char *name, const RecipeInfo &recipe,
                                        bool withRecipe = true) {
  std::vector<std::string> words = {name, file};
  if (withRecipe)
    words.push_back(recipe.name);
  return words;
}

static void addCommonOptions(std::vector<std::string> &words, bool withSchedule) {
  if (deviceName.getNumOccurrences())
    words.insert(words.end(), {"--device", deviceName});
  if (!dataDir.empty())
    words.insert(words.end(), {"--data", dataDir});
  addSettings(words, withSchedule);
}

static void printResumption(const RecipeInfo &recipe, const TrainOptions &options) {
  std::vector<std::string> words = command("train", recipe);
  words.insert(words.end(), {"-o", options.weightsPath, "--resume", options.checkpointPath});
  if (epochs.getNumOccurrences())
    words.insert(words.end(), {"--epochs", std::to_string(epochs)});
  if (threads.getNumOccurrences())
    words.insert(words.end(), {"--threads", std::to_string(threads)});
  if (!logPath.empty())
    words.insert(words.end(), {"--log", logPath});
  addCommonOptions(words, /*withSchedule=*/true);
  std::printf("continue with:\n  %s\n", commandLine(words).c_str());
}

static void printResult(const RecipeInfo &recipe, const TrainOptions &options,
                        const TrainOutcome &outcome, const Dataset &data) {
  for (auto [name, result] :
       {std::pair{"training", &outcome.train}, std::pair{"validation", &outcome.validation},
        std::pair{"test", &outcome.test}}) {
    if (result->images == 0)
      continue;
    std::printf("%s: %s images, loss %.4f, accuracy %.2f%%\n", name,
                groupDigits(result->images).c_str(), result->loss, 100 * result->accuracy());
  }
  std::printf("weights: %s\n", options.weightsPath.c_str());
  std::vector<std::string> eval = command("eval", recipe),
                           guess = command("predict", recipe, false);
  for (std::vector<std::string> *words : {&eval, &guess}) {
    words->insert(words->end(), {"--weights", options.weightsPath});
    addCommonOptions(*words, /*withSchedule=*/false);
  }
  guess.push_back(data.name + (data.test.size() > 0 ? ":test:0" : ":train:0"));
  std::printf("evaluate and predict with:\n  %s\n  %s\n", commandLine(eval).c_str(),
              commandLine(guess).c_str());
}

int runTrain() {
  std::unique_ptr<Program> program = Program::load(file);
  if (!program)
    return exitFailure;
  std::optional<RecipeInfo> found = program->recipe(recipeName);
  if (!found)
    return exitFailure;
  const RecipeInfo &recipe = *found;
  if (!initPath.empty() && !resumePath.empty())
    return fail("--init starts a run and --resume continues one: give one of them");

  std::optional<NetShape> shape = program->shape(recipe);
  if (!shape)
    return exitFailure;
  Result<Dataset> data = openData(recipe, /*testOnly=*/false);
  if (data.failed())
    return fail(data.status());
  for (const SampleSet *samples : {&data->train, &data->test})
    if (Status status = samples->size() == 0
                            ? Status()
                            : checkFits(*shape, *samples, data->classNames.size(), data->name);
        status.failed())
      return fail(status);
  if (Status status = checkParts(*data); status.failed())
    return fail(status);
  TrainOptions options = optionsFor(recipe, *data);
  std::vector<std::string> notes; // that are known, and shown, before the first step
  for (const Status &status : {checkDistinct(options), checkOptions(options, recipe.net, notes)})
    if (status.failed())
      return fail(status);

  CompileRequest request;
  request.net = recipe.net;
  request.recipe = recipe.name;
  request.train = true;
  request.batch = options.batch;
  std::optional<OpenNet> net = openNet(*program, request);
  if (!net)
    return exitFailure;

  std::printf("training %s by %s on %s: %s images of %zu classes, batch %lld, %llu %s, "
              "%s; compiled in %.2f s%s\n",
              recipe.net.c_str(), recipe.name.c_str(), data->name.c_str(),
              groupDigits(data->train.size()).c_str(), data->classNames.size(),
              static_cast<long long>(options.batch),
              static_cast<unsigned long long>(options.epochs),
              options.epochs == 1 ? "epoch" : "epochs", net->chosen.device->text().c_str(),
              net->compileSeconds, net->fromCache ? " (from the cache)" : "");
  if (options.batch < recipe.batch)
    std::printf("note: the recipe's batch of %s is more than the images: each step takes all\n",
                groupDigits(recipe.batch).c_str());
  for (const std::string &note : notes)
    std::printf("note: %s\n", note.c_str());
  printPipeline(*data);
  if (data->validation.size() > 0)
    std::printf("validation: %s images, set aside from the training images\n",
                groupDigits(data->validation.size()).c_str());
  std::fflush(stdout);
  Progress progress = Progress::standard();
  options.progress = &progress;
  InterruptGuard guard;
  Result<TrainOutcome> outcome = train(*net->session, *data, options);
  if (outcome.failed())
    return fail(outcome.status());
  for (const std::string &note : outcome->notes)
    if (std::find(notes.begin(), notes.end(), note) == notes.end())
      std::printf("note: %s\n", note.c_str());

  switch (outcome->end) {
  case TrainEnd::Finished:
    printResult(recipe, options, *outcome, *data);
    return exitSuccess;
  case TrainEnd::Interrupted:
    std::printf("interrupted in epoch %llu after step %lld of %lld; the checkpoint is %s\n",
                static_cast<unsigned long long>(outcome->epoch),
                static_cast<long long>(outcome->stepInEpoch),
                static_cast<long long>(outcome->stepsPerEpoch), options.checkpointPath.c_str());
    printResumption(recipe, options);
    return exitInterrupted;
  case TrainEnd::NonFinite: {
    std::string message = outcome->reason + "; the update was not made";
    if (outcome->epoch > 1)
      message += formatText(", %s holds the end of epoch %llu", options.checkpointPath.c_str(),
                            static_cast<unsigned long long>(outcome->epoch - 1));
    fail(message + "\n  hint: try a smaller learning rate (--set train.optimizer.lr=...)");
    return exitNonFinite;
  }
  }
  return exitFailure;
}

} // namespace cnn::tool
