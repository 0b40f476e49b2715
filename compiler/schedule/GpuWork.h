//===- GpuWork.h - What one launch of a kernel does ------------------------------------------===//
//
// Operations and bytes of a group under its schedule, for the performance model of `cnn time`
// (compiler/tools/measure/GpuModel.h) and for people: counted from nest and schedule, not measured.
// What the code of a kernel asks for is added later (compiler/nvptx/CountGpuWork.cpp).
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_GPUWORK_H
#define CNNC_COMPILER_SCHEDULE_GPUWORK_H

#include "compiler/schedule/GpuSchedule.h"

namespace mlir::cnn {

struct GpuWork {
  std::string algorithm;
  /// As the IR has it between the brackets of `#cnn.gpu_schedule`; of several groups, with "; "
  /// between.
  std::string schedule;
  /// What multiplies and adds: "fma", or an instruction of tensor cores.
  std::string instruction;
  /// Two for every point of the nest that is summed; 0 where nothing is.
  int64_t flops = 0;
  /// The same with what the tiles compute beyond the end of the result.
  int64_t operations = 0;
  /// Of the tensors that are read and written, each byte once.
  int64_t bytesRead = 0, bytesWritten = 0;
  /// What blocks ask for beyond what their multiprocessor keeps: a tile's parts once per step.
  int64_t bytesL2 = 0;

  /// Of a launch that does both; the algorithm is that of the first.
  GpuWork &operator+=(const GpuWork &other);
  /// What a launch of phase `gpu` has as `cnn.work`, with the keys of the manifest.
  DictionaryAttr toAttr(MLIRContext *context) const;
};

/// The work of a group, whose schedule is legal.
GpuWork countWork(GroupOp group, const GpuScheduleSpace &space, const GpuSchedule &schedule);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_GPUWORK_H
