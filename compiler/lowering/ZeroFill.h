//===- ZeroFill.h - The zeros that a kernel stores in its results ----------------------------===//

#ifndef CNNC_COMPILER_LOWERING_ZEROFILL_H
#define CNNC_COMPILER_LOWERING_ZEROFILL_H

#include "compiler/lowering/TileIndices.h"

namespace mlir::cnn {

/// Stores zeros in what the work item owns of a buffer that holds a result of the given type:
/// everywhere (`whole`), as scattered sums begin with them, or only around the tensor, where
/// readers' padding meets them. Work items own what they compute, and the first and the last one
/// what lies before and behind.
void emitZeroFill(TileIndices &at, Value buffer, RankedTensorType type, bool whole);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_LOWERING_ZEROFILL_H
