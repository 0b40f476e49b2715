//===- GpuPrologues.h - What products compute as they read it, on a GPU ----------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_GPUPROLOGUES_H
#define CNNC_COMPILER_SCHEDULE_GPUPROLOGUES_H

#include "compiler/schedule/Overrides.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::cnn {

/// Has readers compute what pointwise groups of the entry point make, whose tensors have their
/// layouts, where a product reads it and that takes less than to store it, or where `asked` asks
/// for that (`load:through`). `precision`: the largest relative error of instructions.
LogicalResult chooseGpuPrologues(func::FuncOp entry, MutableArrayRef<Override> asked,
                                 double precision);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_GPUPROLOGUES_H
