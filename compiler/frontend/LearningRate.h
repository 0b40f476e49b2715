// Learning-rate schedules: the rate of every step, from a recipe's `schedule = cosine(warmup = 5)`.
#ifndef CNNC_COMPILER_FRONTEND_LEARNINGRATE_H
#define CNNC_COMPILER_FRONTEND_LEARNINGRATE_H

#include "dialect/Layer.h"

namespace cnn {

/// Where a run stands.
struct StepPosition {
  int64_t step = 0; ///< steps taken before, over all epochs
  int64_t stepsPerEpoch = 1;
  int64_t epochs = 1; ///< of the whole run
};

/// One kind of schedule. The numbers are those of PyTorch's scheduler of the same form; with a
/// warm-up of n units, those of SequentialLR with LinearLR(start_factor = 1 / (n + 1), total_iters
/// = n) before it. A unit is an epoch, or with `per_step` a step.
struct ScheduleDef {
  llvm::StringRef name;
  llvm::StringRef doc;
  llvm::StringRef example; ///< a call that could stand in a recipe
  llvm::SmallVector<mlir::cnn::LayerArg> args;
  /// Adds what is wrong with the values of the arguments.
  std::function<void(const mlir::cnn::LayerArgs &args,
                     llvm::SmallVectorImpl<mlir::cnn::LayerProblem> &problems)>
      check;
  /// The rate at a position, where the optimizer has `rate`.
  std::function<double(const mlir::cnn::LayerArgs &args, double rate, StepPosition at)> rateAt;
};

/// All schedules; the first one is the default.
llvm::ArrayRef<ScheduleDef> getSchedules();

} // namespace cnn

#endif // CNNC_COMPILER_FRONTEND_LEARNINGRATE_H
