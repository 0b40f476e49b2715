//===- LowerEntry.h - Entry points to the C interface ----------------------------------------===//
//
// In: a public function of views, launches and barriers. Out: an llvm.func with the signature of
// runtime/abi/cnn_abi.h that runs one worker's share of the launches.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_CPU_LOWER_ENTRY_H
#define CNNC_COMPILER_CPU_LOWER_ENTRY_H

#include "compiler/cpu/Counters.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace mlir::cnn {

/// Replaces `entry` by `symbol`(ptr buffers, ptr context). Kernels are called by name as functions
/// of an i64 and pointers, all void. Launches, barriers and the whole are timed where `counters`
/// has any. Errors where the function contains anything else.
LogicalResult lowerEntry(func::FuncOp entry, StringRef symbol, const Counters &counters);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_CPU_LOWER_ENTRY_H
