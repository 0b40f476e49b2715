// Takes a group apart where two kernels are better than one.
#ifndef CNNC_COMPILER_SCHEDULE_SPLITGROUP_H
#define CNNC_COMPILER_SCHEDULE_SPLITGROUP_H

#include "dialect/CnnDialect.h"

#include <utility>

namespace mlir::cnn {

/// Two groups in place of one, which is erased: `<name><suffix>` computes the operations of which
/// `isFirst` is true, and yields what others use of them; the second, which keeps the name and the
/// reasons, the rest. What both need that is not first, both compute.
std::pair<GroupOp, GroupOp> splitGroup(GroupOp group, function_ref<bool(Operation *)> isFirst,
                                       StringRef suffix);

/// The gradient as `slices` sums of parts of the batch, by the group `<name>.slices`, and a group
/// that adds these up. `slices` divides the batch; `grad` has none yet.
std::pair<GroupOp, GroupOp> splitWeightGrad(GroupOp group, ConvWeightGradOp grad, int64_t slices);

} // namespace mlir::cnn

#endif
