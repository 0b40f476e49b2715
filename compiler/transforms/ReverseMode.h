// Reverse-mode differentiation of a block of operations, through BackwardOpInterface.

#ifndef CNNC_COMPILER_TRANSFORMS_REVERSE_MODE_H
#define CNNC_COMPILER_TRANSFORMS_REVERSE_MODE_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Operation.h"

namespace mlir::cnn {

/// What was differentiated, and by how much.
struct ReverseModeCounts {
  unsigned forward = 0;
  unsigned backward = 0;
};

/// Builds the gradients of `sources` (values of `block`), given `seeds`: pairs of a value of the
/// block and the gradient of the final scalar for it. Operations are added where `builder` stands,
/// behind all others of the block. Returns one value per source, null for a source that no seed
/// depends on. Only what the sources need is computed.
///
/// The new operations are named after the layer whose gradient they compute: `<layer>.<t>_grad` for
/// the state tensor `<layer>.<t>`, `<layer>.data_grad` for the other operands of a layer with
/// parameters,
/// `<layer>.backward` for a layer without.
///
/// Fails with an error at an operation on the way that has no gradient.
FailureOr<SmallVector<Value>> buildGradients(OpBuilder &builder, Block &block,
                                             ArrayRef<std::pair<Value, Value>> seeds,
                                             ArrayRef<Value> sources, ReverseModeCounts &counts);

/// Erases operations of the block that have no effect and whose results nothing uses.
void eraseDeadOps(Block &block);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_TRANSFORMS_REVERSE_MODE_H
