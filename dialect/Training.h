//===- Training.h - What an operation learns about the training step --------------------------===//
//
// TrainingFormOpInterface gets this from the pass that makes the entry points.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_DIALECT_TRAINING_H
#define CNNC_DIALECT_TRAINING_H

#include "mlir/IR/Value.h"

#include <functional>

namespace mlir::cnn {

/// The training step around an operation.
struct TrainingStep {
  /// `tensor<i32>`: how many rows of the batch are used.
  Value rows;
  /// A number of the operation's own, the same whenever the network is compiled.
  int64_t number = 0;
  /// The run-time scalar called `name`, of type `tensor<i32>`: `seed` and `seed_high` (the halves
  /// of the run's seed) or `step` (how many steps were taken before). The entry point gets it as an
  /// argument when it is first asked for.
  std::function<Value(StringRef name)> getScalar;
};

} // namespace mlir::cnn

#endif // CNNC_DIALECT_TRAINING_H
