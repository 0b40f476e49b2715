//===- Stages.h - When each group of an entry point runs -------------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_STAGES_H
#define CNNC_COMPILER_SCHEDULE_STAGES_H

#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::cnn {

/// The stage of every group of an entry point. Groups of one stage do not depend on each other;
/// between two stages stands a barrier.
using GroupStages = llvm::DenseMap<Operation *, int64_t>;

/// The value that owns the memory of `value`: reshapes are views.
Value getOwner(Value value);

/// All that read a value or another view of its memory, but for the reshapes between.
SmallVector<Operation *> getReaders(Value value);

/// The groups that wait until just before their results are read: what is computed again for the
/// backward pass (`recomputedAttr`), with what only it reads, and what comes from it alone. With
/// `stateWaits`, also what comes from the state alone (transformed weights).
llvm::DenseSet<Operation *> getWaiting(func::FuncOp entry, bool stateWaits);

/// Each group runs as soon as what it reads is there, but for those that wait, which would take
/// memory until they are read. The number of stages is the same.
GroupStages getStages(func::FuncOp entry, bool stateWaits);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_STAGES_H
