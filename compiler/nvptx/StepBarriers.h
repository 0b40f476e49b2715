//===- StepBarriers.h - Where the threads of a block must wait for each other ----------------===//
//
// A launch may compute groups one after the other by one block. A barrier lies between two of them
// only where a thread needs what another one has written.
//
//===----------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_NVPTX_STEPBARRIERS_H
#define CNNC_COMPILER_NVPTX_STEPBARRIERS_H

#include "compiler/schedule/GpuSchedule.h"

namespace mlir::cnn {

/// A group of a kernel, between `cnn.from_buffer` and `cnn.to_buffer`, with its checked schedule.
struct KernelPiece {
  GroupOp group;
  GpuSchedule schedule;
  GpuScheduleSpace space;

  /// The kernel's arguments that hold the group's inputs and results.
  Value getInputBuffer(unsigned number) const;
  Value getResultBuffer(unsigned number) const;
};

/// What two buffers have in common: nothing, every byte, or some, or all in another place.
enum class Sharing { None, Whole, Part };

/// Whether the threads of the block that computes `before` must meet before they compute `after`:
/// some thread reads or writes there what another one has read or written here.
bool mustMeet(const KernelPiece &before, const KernelPiece &after,
              function_ref<Sharing(Value, Value)> getSharing);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_NVPTX_STEPBARRIERS_H
