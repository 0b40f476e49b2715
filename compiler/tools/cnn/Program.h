// A .cnn file as the subcommands see it: its recipes and nets, and compiled code. Free of MLIR's
// headers, which only Program.cpp needs.
#ifndef CNNC_COMPILER_TOOLS_CNN_PROGRAM_H
#define CNNC_COMPILER_TOOLS_CNN_PROGRAM_H

#include "runtime/core/Json.h"
#include "runtime/core/Status.h"
#include "runtime/data/Dataset.h"
#include "runtime/device/CompiledNet.h"
#include "runtime/device/Device.h"
#include "runtime/train/Evaluator.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cnn::tool {

/// What a `train` declaration says, with --set applied.
struct RecipeInfo {
  std::string name, net;
  DataPipeline data;
  std::vector<std::string> classes; ///< those that the data has; empty where only its files say
  int64_t batch = 0;
  uint64_t epochs = 0;
  uint64_t seed = 0;
  bool shuffle = true;
  std::vector<std::pair<std::string, double>> scalars; ///< lr, momentum, ...
  /// The learning rate in a step (from 0) of a run of so many epochs of so many steps each.
  std::function<double(int64_t step, int64_t stepsPerEpoch, uint64_t epochs)> rateAt;
  /// The scalar inputs of train_step in a step (from 0) at a learning rate.
  std::function<std::vector<std::pair<std::string, double>>(double rate, int64_t step)> scalarsAt;
  /// What a run of this recipe is, for checkpoints (TrainOptions::recipe).
  Json identity = Json::object();
};

/// A line of `cnn summary`; of one image.
struct SummaryLine {
  std::string name, op;
  std::vector<int64_t> output;
  int64_t parameters = 0, flops = 0, bytes = 0;
};
struct NetSummary {
  std::string net;
  std::vector<std::vector<int64_t>> inputs;
  std::vector<SummaryLine> lines;
  int elementBytes = 4;
  bool isChain = false; ///< each layer takes what the one before it gives, and nothing else
};

/// What to compile.
struct CompileRequest {
  std::string net;    ///< with its default hyperparameters, where there is no recipe
  std::string recipe; ///< whose hyperparameters the net gets
  bool train = false; ///< train_step and eval too, instead of `entries`
  std::vector<std::string> entries;
  /// The most images of a call. The net may be compiled for some more (`Manifest::batch`), see
  /// roundBatch.
  int64_t batch = 1;
  /// The target of a GPU ("sm_90"); empty for the CPU.
  std::string arch;
  /// Where not null: why the net does not compile for the target goes here, and is not printed.
  /// What is wrong with the file is printed all the same.
  std::string *refusal = nullptr;
  /// Kernels count the time spent in them (Timing of runtime/core/Manifest.h).
  bool timed = false;
};

/// Compiled code and how it came to be.
struct Compilation {
  CompiledNet net;
  double seconds = 0; ///< from the parsed file to loaded code
  bool fromCache = false;
};

class Program {
public:
  virtual ~Program() = default;

  /// Reads and checks the file at `path`, with --set applied; prints its mistakes, and then returns
  /// null.
  static std::unique_ptr<Program> load(const std::string &path);

  /// The names of the file's recipes and nets, in its order.
  virtual std::vector<std::string> recipes() const = 0;
  virtual std::vector<std::string> nets() const = 0;

  /// The recipe called `name`; with an empty name the first one that trains `net`, or with that
  /// empty too, the first of the file. Prints what is wrong with it, and then returns nothing.
  virtual std::optional<RecipeInfo> recipe(const std::string &name,
                                           const std::string &net = "") = 0;
  /// Whether there is such a recipe; prints nothing.
  virtual bool hasRecipe(const std::string &name, const std::string &net = "") const = 0;

  /// The layers of a net, with the hyperparameters of its first recipe, for `cnn summary`; empty
  /// `net`: that of the first recipe. Prints what is wrong, and then returns nothing.
  virtual std::optional<NetSummary> summarize(const std::string &net, unsigned depth) = 0;

  /// Whether the `schedule.` settings of --set mean something for a net, named as in `summarize`,
  /// and its first recipe. Prints what is wrong.
  virtual bool checkSchedule(const std::string &net) = 0;

  /// What the net of a recipe takes and gives, before it is compiled. Prints what is wrong, also
  /// where it does not take one tensor of images, or not those of the recipe's data as far as they
  /// are known before its files are read, and then returns nothing.
  virtual std::optional<NetShape> shape(const RecipeInfo &recipe) = 0;

  /// The same of what `request` compiles, whatever data there is.
  virtual std::optional<NetShape> shape(const CompileRequest &request) = 0;

  /// Compiles and loads. Mistakes that show only now are printed with their places; then nothing is
  /// returned.
  virtual std::optional<Compilation> compile(const CompileRequest &request) = 0;

  /// The errors of the convolutions of the first entry point that `request` asks for, each by the
  /// algorithm in `algorithms` (compiler/tools/measure/Errors.h), by group. Prints what is wrong.
  virtual std::optional<std::map<std::string, double>>
  errors(const CompileRequest &request, const std::map<std::string, std::string> &algorithms,
         Device &cpu) = 0;
};

/// Where the data of a recipe is looked for: --data, and the folder of FILE.
DataPlace dataPlace();

/// Prints the stages of the data, where it has any.
void printPipeline(const Dataset &data);

/// Opens the data of a recipe.
Result<Dataset> openData(const RecipeInfo &recipe, bool testOnly);

} // namespace cnn::tool

#endif
