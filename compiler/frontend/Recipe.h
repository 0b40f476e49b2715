// A `train` declaration, checked: what the trainer and the gradient phase need to know.
#ifndef CNNC_COMPILER_FRONTEND_RECIPE_H
#define CNNC_COMPILER_FRONTEND_RECIPE_H

#include "compiler/frontend/Initialiser.h"
#include "compiler/frontend/LearningRate.h"
#include "compiler/frontend/RecipeData.h"
#include "dialect/Optimizer.h"

namespace cnn {

/// An optimizer of the registry and its hyperparameters.
struct Optimizer {
  const mlir::cnn::OptimizerDef *def = nullptr;
  mlir::cnn::LayerArgs args;
};

/// How the weights start.
struct Initialiser {
  const InitialiserDef *def = &getInitialisers().front();
  mlir::cnn::LayerArgs args;
};

/// A learning-rate schedule and its hyperparameters.
struct Schedule {
  const ScheduleDef *def = nullptr;
  mlir::cnn::LayerArgs args;
};

struct Recipe {
  std::string name;
  std::string net;
  RecipeData data;
  int64_t batch = 0;
  int64_t epochs = 0;
  Initialiser init;
  std::string loss = "cross_entropy"; // a loss of dialect/Loss.h
  mlir::cnn::LayerArgs lossArgs;      // its hyperparameters, all of them
  Optimizer optimizer;
  Schedule schedule;
  int64_t seed = 0;
  bool shuffle = true;
  std::string dtype = "f32";
  double precision = 0; // the largest relative error of an algorithm; 0 where nothing is said
  /// What the backward pass computes again: none, cheap, blocks, or empty where `recomputed` has
  /// the names of blocks.
  std::string recompute = "none";
  std::vector<std::string> recomputed;
  llvm::SMRange recomputeRange;
  llvm::SMRange range; // of the recipe's name
};

/// Evaluates a recipe with the `train.*` overrides among `sets`; reports unknown keys, wrong types
/// and values out of range. Nothing when there were errors.
std::optional<Recipe> evaluateRecipe(const ast::TrainDecl &decl, llvm::ArrayRef<SetArgument> sets,
                                     Elaboration &elaboration, Diagnostics &diagnostics);

/// Reports data that does not fit the net: another shape of image, another number of classes than
/// the outputs that the loss takes. What is known only from the files is left to the runtime.
bool checkDataFits(const Recipe &recipe, const Graph &graph, Diagnostics &diagnostics);

/// Reports blocks to compute again that the net does not have.
bool checkRecompute(const Recipe &recipe, const Graph &graph, Diagnostics &diagnostics);

/// What cnn-recompute is told (`dialect/Recompute.h`): "cheap" alone, or the names of blocks and
/// layers; nothing where the recipe keeps all.
std::vector<std::string> getRecomputed(const Recipe &recipe, const Graph &graph);

/// The hyperparameter `arg` as text, and as a number where it is one: for logs and checkpoints.
std::string formatArgument(const mlir::cnn::LayerArg &arg, const mlir::cnn::LayerArgs &args);

/// What a hyperparameter takes, as messages and `cnn layers` say it.
std::string describeKind(const mlir::cnn::LayerArg &arg);

} // namespace cnn

#endif // CNNC_COMPILER_FRONTEND_RECIPE_H
