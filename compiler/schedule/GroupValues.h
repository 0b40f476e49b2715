//===- GroupValues.h - Values that pass from group to group ----------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_GROUPVALUES_H
#define CNNC_COMPILER_SCHEDULE_GROUPVALUES_H

#include "dialect/CnnDialect.h"

namespace mlir::cnn {

/// The outer group that the group is a member of, or null.
GroupOp getOuter(GroupOp group);

/// `value`, or what the outer group whose argument it is gets by that.
Value getSource(Value value);

/// The argument by which the group reads `value`, which stands outside of it: one that it has, or
/// a new one.
Value getInput(GroupOp group, Value value);

/// Drops the inputs that nothing in the group uses.
void dropUnusedInputs(GroupOp group);

/// The group with further results, in its place; its members are the same operations.
GroupOp addResults(GroupOp group, ValueRange values);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_GROUPVALUES_H
