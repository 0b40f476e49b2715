//===- Timing.h - Kernels that count the time spent in them ----------------------------------===//
//
// Contract between planning, which decides that kernels are timed, the lowering to LLVM, which adds
// the counters, and the manifest, which tells the runtime what each counter is. Every worker has
// its own counters, of 8 bytes each, behind what it uses of its scratch memory: first that of whole
// calls of an entry point, then that of barriers, then one for each timed kernel. Compiled code
// adds ticks of the processor's clock to them; whoever calls it reads and clears them.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_DIALECT_TIMING_H
#define CNNC_DIALECT_TIMING_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::cnn {

/// On entry points up to phase `scheduled`: a dictionary from the names of groups to the operations
/// of the direct algorithm in their multiply-adds.
inline constexpr llvm::StringLiteral groupFlopsAttr = "cnn.group_flops";
/// On entry points from phase `planned`: the sum of these over the groups that are left.
inline constexpr llvm::StringLiteral flopsAttr = "cnn.flops";
/// On entry points of a GPU from phase `fused`: the bytes that products and poolings read and write
/// where everything else is computed with them.
inline constexpr llvm::StringLiteral fusedBytesAttr = "cnn.fused_bytes";

/// On a timed kernel: a dictionary of `group`, `algorithm`, `tile`, `vector`, `flops`, `cycles`,
/// and `outer` where it only calls others.
inline constexpr llvm::StringLiteral timedAttr = "cnn.timed";
/// On a module with timed kernels: the offset in bytes of the counters in a worker's scratch
/// memory.
inline constexpr llvm::StringLiteral countersAttr = "cnn.counters";

inline constexpr int64_t callCounter = 0, barrierCounter = 1, firstKernelCounter = 2;

/// The timed kernels of a module, in the order of their counters.
inline SmallVector<func::FuncOp> getTimedKernels(ModuleOp module) {
  SmallVector<func::FuncOp> kernels;
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr(timedAttr))
      kernels.push_back(function);
  return kernels;
}

} // namespace mlir::cnn

#endif // CNNC_DIALECT_TIMING_H
