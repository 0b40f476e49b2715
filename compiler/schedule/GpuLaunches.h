//===- GpuLaunches.h - Which groups one launch computes on a GPU -----------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_GPULAUNCHES_H
#define CNNC_COMPILER_SCHEDULE_GPULAUNCHES_H

#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <vector>

namespace mlir::cnn {

/// Groups that one launch computes. Those of one step do not depend on each other: each block
/// computes a part of one of them. Where there are several steps, a single block computes all
/// groups, and waits for its threads between the steps.
struct GpuLaunch {
  SmallVector<SmallVector<GroupOp>, 1> steps;

  SmallVector<GroupOp> getGroups() const;
};

/// The groups of `entry`, which have schedules for a GPU, as launches in the order in which they
/// run. Launches take a few microseconds each, whatever they compute, so:
/// - groups that could run at the same time become one launch, products of tensors aside, whose
///   threads hold so much that they would keep blocks of others from running beside them;
/// - groups with little to do that follow each other are computed by one block;
/// - what is computed of the state or of results alone, for nobody else, waits for the end.
/// Every group has a launch of its own where not `together`. A located error and failure where a
/// schedule is missing or not legal.
FailureOr<std::vector<GpuLaunch>> gatherGpuLaunches(func::FuncOp entry, bool together);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_GPULAUNCHES_H
