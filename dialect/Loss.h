//===- Loss.h - How recipes name an operation ------------------------------------------------===//
//
// An operation that a recipe can train by describes itself with a LossDef in its own .cpp. The
// front end and the gradient phase know losses only through the registry.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_DIALECT_LOSS_H
#define CNNC_DIALECT_LOSS_H

#include "dialect/Layer.h"

namespace mlir::cnn {

/// One value of the recipe key `loss`: `cross_entropy`, `cross_entropy(label_smoothing = 0.1)`.
struct LossDef {
  StringRef name;
  StringRef doc;
  /// A call that could stand in a recipe.
  StringRef example;
  /// Hyperparameters, all of kind Float with a default.
  SmallVector<LayerArg> args;
  /// Adds what is wrong with the values of the hyperparameters.
  std::function<void(const LayerArgs &args, SmallVectorImpl<LayerProblem> &problems)> check;
  /// Builds the loss of a batch, a rank-0 tensor. `output` is `[n, k]`; `target` is `[n]` of i32,
  /// the class of each row, or like `output`; of the rows the first `rows` (`tensor<i32>`) count.
  /// With `sum`, a mean over rows becomes a sum.
  std::function<Value(OpBuilder &builder, Location loc, Value output, Value target, Value rows,
                      bool sum, const LayerArgs &args)>
      build;
};

/// All losses, in the order of the dialect's operations: what these give by a static `getLoss()`,
/// or by `getLosses()` where there are several.
ArrayRef<LossDef> getLosses();

/// The loss called `name`, or null.
const LossDef *findLoss(StringRef name);

/// The hyperparameters of a loss where nothing else is said.
LayerArgs getDefaults(const LossDef &loss);

} // namespace mlir::cnn

#endif // CNNC_DIALECT_LOSS_H
