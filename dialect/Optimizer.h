//===- Optimizer.h - How a recipe calls the update of a parameter -----------------------------===//
//
// An operation that updates parameters describes its optimizers in its own .cpp, by a static
// `getOptimizers()`. Recipes, the pass that builds the training step, and the trainer know
// optimizers only through the registry, so a new one needs no edit there.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_DIALECT_OPTIMIZER_H
#define CNNC_DIALECT_OPTIMIZER_H

#include "dialect/Layer.h"

namespace mlir::cnn {

/// The names of what a recipe uses of its optimizer ("momentum"): they decide which state and which
/// scalars there are, so that another value of a hyperparameter needs no other code.
using OptimizerFlags = ArrayRef<StringRef>;

/// What one update of one parameter works on.
struct ParameterUpdate {
  Value parameter, gradient;
  /// The tensors of `OptimizerDef::slots` before the step.
  SmallVector<Value> slots;
  /// The scalars of `OptimizerDef::scalars`, of rank 0.
  SmallVector<Value> scalars;
};

/// One optimizer.
struct OptimizerDef {
  /// The name in recipes: `sgd`.
  StringRef name;
  StringRef doc;
  /// A call that could stand in a recipe.
  StringRef example;
  /// `lr` is among them.
  SmallVector<LayerArg> args;
  /// Adds what is wrong with the values of the hyperparameters.
  std::function<void(const LayerArgs &args, SmallVectorImpl<LayerProblem> &problems)> check;
  /// All flags, and those that the hyperparameters set.
  SmallVector<StringRef> flags;
  std::function<SmallVector<StringRef>(const LayerArgs &args)> getFlags;
  /// Tensors that are kept for each parameter, of its shape, zero at first:
  /// `<parameter>.<slot>`.
  std::function<SmallVector<StringRef>(OptimizerFlags flags)> slots;
  /// The scalar inputs of the training step.
  std::function<SmallVector<StringRef>(OptimizerFlags flags)> scalars;
  /// The value of a scalar input in step `step` (the first one is 1), at the learning rate `lr`.
  std::function<double(StringRef scalar, const LayerArgs &args, double lr, int64_t step)> value;
  /// Builds the update; returns the next parameter, then the next slots.
  std::function<SmallVector<Value>(OpBuilder &builder, Location loc, const ParameterUpdate &update,
                                   OptimizerFlags flags)>
      build;
};

/// Adds "'lr' is positive, not -1" where the number `name` is not `valid`; `range` is in words.
void checkRange(const LayerArgs &args, StringRef name, bool (*valid)(double), StringRef range,
                SmallVectorImpl<LayerProblem> &problems);

/// The names of what a training step takes besides the inputs of its net: `labels`, `rows`, what
/// random numbers depend on, and the scalars of all optimizers.
ArrayRef<StringRef> getStepInputs();

/// All optimizers, in the order of the dialect's operations.
ArrayRef<OptimizerDef> getOptimizers();

/// The optimizer called `name`, or null.
const OptimizerDef *findOptimizer(StringRef name);

} // namespace mlir::cnn

#endif // CNNC_DIALECT_OPTIMIZER_H
