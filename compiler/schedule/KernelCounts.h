//===- KernelCounts.h - What kernels are said to compute -------------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_KERNELCOUNTS_H
#define CNNC_COMPILER_SCHEDULE_KERNELCOUNTS_H

#include "compiler/schedule/Machine.h"
#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::cnn {

/// Adds up the operations of an entry point's groups, and says of timed kernels what they are
/// (dialect/Timing.h).
class KernelCounts {
public:
  KernelCounts(const Machine *machine, bool timed) : machine(machine), timed(timed) {}

  void beginEntry(func::FuncOp entry);
  /// Counts the operations of the group at its first part; `kernel`, which computes this part, says
  /// what it is where kernels are timed.
  LogicalResult describe(GroupOp group, func::FuncOp kernel, bool sliced);
  /// The operations of the groups of the entry point so far.
  int64_t getFlops() const { return flops; }

private:
  StringRef getCountedGroup(StringRef name) const;

  const Machine *machine;
  bool timed;
  DictionaryAttr groupFlops;
  llvm::StringSet<> counted;
  int64_t flops = 0;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_KERNELCOUNTS_H
