//===- LowerLoops.h - Structured loops to branches -------------------------------------------===//

#ifndef CNNC_COMPILER_LOWERING_LOWERLOOPS_H
#define CNNC_COMPILER_LOWERING_LOWERLOOPS_H

#include "mlir/IR/Operation.h"

namespace mlir::cnn {

/// Replaces the loops and conditions of SCF within `root` by blocks and branches, the step that
/// every target takes before the LLVM dialect. Fails, with MLIR's diagnostic, where one of them has
/// no such form (a loop over vectors that is not lowered yet).
LogicalResult lowerLoops(Operation *root);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_LOWERING_LOWERLOOPS_H
