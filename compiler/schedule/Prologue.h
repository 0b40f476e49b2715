//===- Prologue.h - Groups that compute what they would read ---------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_PROLOGUE_H
#define CNNC_COMPILER_SCHEDULE_PROLOGUE_H

#include "compiler/schedule/GroupInfo.h"
#include "compiler/schedule/Overrides.h"

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

/// What a target says about groups that readers could compute.
struct PrologueChoice {
  using Readers = ArrayRef<GroupOp>;
  /// Whether it is a question unasked; else nothing is said about it.
  function_ref<bool(Readers)> isCandidate;
  /// Why these readers cannot compute it on this target; empty where they can.
  function_ref<std::string(Readers)> whyNot;
  /// Whether it is faster that they do; what speaks for it, or against it, empty for nothing to
  /// say.
  function_ref<bool(Readers, std::string &)> isFaster;
};

/// Has all readers of what `maker` makes compute it, where `asked` asks for that (`load:through`;
/// `load:stored` for the opposite), or where nothing is asked for and it is faster: then `maker` is
/// erased, and the result true. The reason stands with the readers, or with `maker`.
FailureOr<bool> choosePrologue(GroupOp maker, MutableArrayRef<Override> asked,
                               const PrologueChoice &choice);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_PROLOGUE_H
