// Floating-point operations and bytes of what is compiled: counted once, at phase `fused`, when
// layers have been merged and before other algorithms take their places, and carried along by name
// (dialect/Timing.h).
#ifndef CNNC_COMPILER_PIPELINES_STATISTICS_H
#define CNNC_COMPILER_PIPELINES_STATISTICS_H

#include "mlir/IR/BuiltinOps.h"

namespace cnn {

/// Sets `cnn.group_flops` on every entry point: for each group that multiplies and adds into sums,
/// two operations for every product of the direct algorithm.
void countFlops(mlir::ModuleOp module);

/// Sets `cnn.fused_bytes` on every entry point: what must go through the memory of a GPU that fuses
/// whatever can be. Of each product (a convolution, a gradient of one, ...), its factors and its
/// result, once; of a pooling, its result, and of the gradient of one, operands and result; what is
/// updated, once read and once written. Pointwise operations, normalisations and sums are computed
/// with these.
void countFusedBytes(mlir::ModuleOp module);

} // namespace cnn

#endif // CNNC_COMPILER_PIPELINES_STATISTICS_H
