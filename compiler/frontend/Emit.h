// Static graph -> module of phase `cnn`: the parameters as symbols, the net as a function on whole
// batches, the recipe. Next: compiler/transforms.
#ifndef CNNC_COMPILER_FRONTEND_EMIT_H
#define CNNC_COMPILER_FRONTEND_EMIT_H

#include "compiler/frontend/Recipe.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace cnn {

struct EmitOptions {
  /// Images to a batch; the recipe's where it is 0, else 1.
  int64_t batch = 0;
  /// "f32" or "f64"; the recipe's where it is empty, else f32.
  std::string elementType;
};

/// The place of `range` in its file, under a name.
mlir::Location locate(mlir::OpBuilder &builder, llvm::SMRange range, llvm::StringRef name,
                      const Diagnostics &diagnostics);

/// Declares the parameters of `graph` at the builder's place, initialised as `recipe` (which may be
/// null) or the parameter itself says.
void emitParams(mlir::OpBuilder &builder, const Graph &graph, const Recipe *recipe,
                mlir::Type element, const Diagnostics &diagnostics);

/// Emits the nodes of `graph` at the builder's place and gives the values of its outputs. `inputs`
/// are those of the graph, in order. Dimension 0 of every value is the batch, and 1 for a tensor
/// without one. Parameters are read by `cnn.read`.
llvm::SmallVector<mlir::Value> emitBody(mlir::OpBuilder &builder, const Graph &graph,
                                        mlir::ValueRange inputs, int64_t batch, mlir::Type element,
                                        const Diagnostics &diagnostics);

/// Emits `graph`, with a `cnn.recipe` when one is given. Weights are initialised as the recipe says
/// (without one as PyTorch does), biases always as PyTorch does. The context must have the cnn and
/// func dialects. nullptr when something was wrong, which `diagnostics` was told: a tensor that
/// does not fit into memory, a net that the recipe's loss cannot train.
mlir::OwningOpRef<mlir::ModuleOp> emit(mlir::MLIRContext &context, const Graph &graph,
                                       const Recipe *recipe, const EmitOptions &options,
                                       Diagnostics &diagnostics);

} // namespace cnn

#endif // CNNC_COMPILER_FRONTEND_EMIT_H
