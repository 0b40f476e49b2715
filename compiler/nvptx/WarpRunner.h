//===- WarpRunner.h - What the warps of a kernel ask for, by running their integers ----------===//
//
// Indices, conditions and addresses of a kernel follow from the numbers of thread and block alone.
// They are computed here for a few warps, whose accesses to memory and instructions stand for those
// of all: the sectors that an access touches, and how often it meets itself in the banks of shared
// memory, show no sooner. Floating-point values are not computed.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_NVPTX_WARPRUNNER_H
#define CNNC_COMPILER_NVPTX_WARPRUNNER_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

#include <array>

namespace mlir::cnn {

/// What warps do, of all blocks of a launch together.
struct WarpCounts {
  /// Instructions that warps issue.
  double instructions = 0;
  /// Accesses of warps to global memory, and the sectors of 32 bytes that they touch.
  double requests = 0, sectors = 0;
  /// Turns that the banks of shared memory take for accesses of warps.
  double passes = 0;
};

/// Counts for a launch of `blocks` blocks. Of long loops, large grids and large blocks a few
/// iterations, blocks and warps are run; each stands for as many as there are like it.
WarpCounts countWarps(gpu::GPUFuncOp kernel, int64_t blocks);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_NVPTX_WARPRUNNER_H
