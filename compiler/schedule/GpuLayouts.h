//===- GpuLayouts.h - How tensors lie on a GPU -----------------------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_GPULAYOUTS_H
#define CNNC_COMPILER_SCHEDULE_GPULAYOUTS_H

#include "compiler/schedule/GpuSchedule.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::cnn {

/// Lets images between groups of the entry point lie channels-last, [N, H, W, C] in memory, with
/// the weights that they are multiplied by and the gradients of these, where that saves accesses:
/// the attribute `cnn.layout_reason` of the entry point says why, or why not. Inputs, outputs,
/// state and what a reshape gives or takes stay plain. Weights get a group that copies them.
///
/// `asked`: "auto", "plain" (no layout but the plain one), or "channels" (wherever it is possible,
/// whatever it costs). `precision` is that of `GpuScheduleSpace::choose`.
LogicalResult chooseGpuLayouts(func::FuncOp entry, StringRef asked, double precision);

/// Lets parts of sums, [parts, ...], lie as what they are added up to; those of gradients of
/// weights as the images that these are products of.
LogicalResult followGpuLayouts(func::FuncOp entry);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_GPULAYOUTS_H
