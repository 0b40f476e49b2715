//===- Counters.h - Code that counts the time spent in kernels -------------------------------===//

#ifndef CNNC_COMPILER_CPU_COUNTERS_H
#define CNNC_COMPILER_CPU_COUNTERS_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::cnn {

/// The counters of a module with timed kernels (dialect/Timing.h); in others nothing is emitted.
class Counters {
public:
  /// Of a module of phase `vector`: its kernels are functions still.
  explicit Counters(ModuleOp module);

  /// The counter of a kernel; -1 where it has none.
  int64_t find(StringRef kernel) const;
  /// Whether anything is timed.
  explicit operator bool() const { return !byName.empty(); }

  /// The processor's clock, an i64; a null value where nothing is timed.
  Value readClock(OpBuilder &builder, Location loc) const;
  /// Adds the ticks since `start` to a counter of the worker whose scratch memory is at `scratch`.
  void add(OpBuilder &builder, Location loc, Value scratch, int64_t counter, Value start) const;

  /// Times the calls in kernels that only call others: `module` is in the LLVM dialect now.
  void timeCalls(ModuleOp module) const;

private:
  llvm::StringMap<int64_t> byName;
  llvm::StringSet<> outer;
  int64_t offset = 0;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_CPU_COUNTERS_H
