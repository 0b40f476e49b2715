//===- Prologue.h - Groups that compute what they would read ---------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_PROLOGUE_H
#define CNNC_COMPILER_SCHEDULE_PROLOGUE_H

#include "compiler/schedule/GroupInfo.h"

namespace mlir::cnn {

/// Who uses what a group makes.
struct ResultUsers {
  /// The inner groups that read it, in order; those in outer groups, too.
  SmallVector<GroupOp> groups;
  /// Whether something else does: a view, a parameter that is written, a result of the entry point.
  bool others = false;
};

/// The users of the only result of `maker`, which stands in an entry point.
ResultUsers getResultUsers(GroupOp maker);

/// Why no group can compute what `maker` makes of what it reads itself; empty where one can: the
/// group is pointwise, and what it reads lies as its result does.
std::string whyNoPrologue(GroupOp maker);

/// Why `reader` cannot compute what it reads of `maker`; empty where it can.
std::string whyNoPrologue(GroupOp maker, GroupOp reader);

/// Has `reader`, one of the groups that read what `maker` makes, compute it where it reads it: the
/// operations of `maker` come first in it, and it reads what `maker` reads.
void addPrologue(GroupOp maker, GroupOp reader);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_PROLOGUE_H
