// Moves reshapes behind pointwise operations, so that they do not separate those from what computes
// their operands.

#ifndef CNNC_COMPILER_TRANSFORMS_SINK_RESHAPES_H
#define CNNC_COMPILER_TRANSFORMS_SINK_RESHAPES_H

#include "mlir/IR/Operation.h"

namespace mlir::cnn {

/// Rewrites `f(reshape(x), ...)` to `reshape(f(x, ...))` in all of `root`, where `f` is pointwise
/// and `x` the result of an operation it could be fused with.
void sinkReshapes(Operation *root);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_TRANSFORMS_SINK_RESHAPES_H
