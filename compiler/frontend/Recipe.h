// A `train` declaration, checked: what the trainer and the gradient phase need to know.
#ifndef CNNC_COMPILER_FRONTEND_RECIPE_H
#define CNNC_COMPILER_FRONTEND_RECIPE_H

#include "compiler/frontend/RecipeData.h"

namespace cnn {

/// Stochastic gradient descent. All but `nesterov` are run-time scalars of the compiled step.
struct Optimizer {
  std::string kind = "sgd";
  double lr = 0;
  double momentum = 0;
  double weightDecay = 0;
  bool nesterov = false;
};

struct Recipe {
  std::string name;
  std::string net;
  RecipeData data;
  int64_t batch = 0;
  int64_t epochs = 0;
  std::string init = "pytorch_default"; // of weights; a kind of InitAttr
  std::string loss = "cross_entropy";   // a loss of dialect/Loss.h
  mlir::cnn::LayerArgs lossArgs;        // its hyperparameters, all of them
  Optimizer optimizer;
  int64_t seed = 0;
  bool shuffle = true;
  std::string dtype = "f32";
  llvm::SMRange range; // of the recipe's name
};

/// Evaluates a recipe with the `train.*` overrides among `sets`; reports unknown keys, wrong types
/// and values out of range. Nothing when there were errors.
std::optional<Recipe> evaluateRecipe(const ast::TrainDecl &decl, llvm::ArrayRef<SetArgument> sets,
                                     Elaboration &elaboration, Diagnostics &diagnostics);

/// Reports data that does not fit the net: another shape of image, another number of classes than
/// the outputs that the loss takes. What is known only from the files is left to the runtime.
bool checkDataFits(const Recipe &recipe, const Graph &graph, Diagnostics &diagnostics);

} // namespace cnn

#endif // CNNC_COMPILER_FRONTEND_RECIPE_H
