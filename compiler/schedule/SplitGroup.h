// Takes a group apart where two kernels are better than one.
#ifndef CNNC_COMPILER_SCHEDULE_SPLITGROUP_H
#define CNNC_COMPILER_SCHEDULE_SPLITGROUP_H

#include "compiler/schedule/GroupInfo.h"

#include <utility>

namespace mlir::cnn {

/// Two groups in place of one, which is erased: `<name><suffix>` computes the operations of which
/// `isFirst` is true, and yields what others use of them; the second, which keeps the name and the
/// reasons, the rest. What both need that is not first, both compute.
std::pair<GroupOp, GroupOp> splitGroup(GroupOp group, function_ref<bool(Operation *)> isFirst,
                                       StringRef suffix);

/// Whether `splitSums` can split the sums of the anchor of a group.
bool canSplitSums(const GroupInfo &info);

/// The sums of the group's anchor in `parts` parts of its reduced dimension `dim`, whose extent
/// they divide, by the group `<name>.slices`, and a group that adds these up, from what the anchor
/// starts from.
std::pair<GroupOp, GroupOp> splitSums(GroupOp group, const GroupInfo &info, unsigned dim,
                                      int64_t parts);

} // namespace mlir::cnn

#endif
