// Every result of an entry point is made by a group, which writes it where it belongs. Used by both
// targets before they schedule.
#ifndef CNNC_COMPILER_SCHEDULE_RESULTS_H
#define CNNC_COMPILER_SCHEDULE_RESULTS_H

#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::cnn {

/// Wraps one operation, built by `build` from the group's arguments, into a new group.
GroupOp makeGroup(OpBuilder &b, Location loc, StringRef name, ValueRange inputs,
                  function_ref<Value(OpBuilder &, ValueRange)> build);

/// A group behind `value` that copies it, for readers that want it in another layout; returns the
/// copy, whose type is that of `value` until it gets its layout.
Value makeCopy(Value value, StringRef name);

/// What leaves the entry point is then plain, comes from a group, and leaves in one place only:
/// arguments, reshapes and second uses get a group `<name>.copy`. Returns the number of groups.
unsigned copyResults(func::FuncOp entry);

} // namespace mlir::cnn

#endif
