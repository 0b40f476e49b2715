// How the weights of a net start: a recipe's `init = kaiming_normal(mode = "fan_out")`.
#ifndef CNNC_COMPILER_FRONTEND_INITIALISER_H
#define CNNC_COMPILER_FRONTEND_INITIALISER_H

#include "compiler/frontend/Graph.h"

namespace cnn {

/// One kind of initialisation. The numbers are those of PyTorch's function of the same name in
/// torch.nn.init; `pytorch_default` is what its layers start from.
struct InitialiserDef {
  llvm::StringRef name;
  llvm::StringRef example; ///< a call that could stand in a recipe
  llvm::SmallVector<mlir::cnn::LayerArg> args;
  /// Adds what is wrong with the values of the arguments.
  std::function<void(const mlir::cnn::LayerArgs &args,
                     llvm::SmallVectorImpl<mlir::cnn::LayerProblem> &problems)>
      check;
  /// How a weight of these fans starts.
  std::function<ParamInit(const mlir::cnn::LayerArgs &args, int64_t fanIn, int64_t fanOut)> start;
};

/// All initialisations; the first one is the default.
llvm::ArrayRef<InitialiserDef> getInitialisers();

} // namespace cnn

#endif // CNNC_COMPILER_FRONTEND_INITIALISER_H
