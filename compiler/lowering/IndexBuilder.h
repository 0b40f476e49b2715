//===- IndexBuilder.h - Arithmetic on indices in one kernel ----------------------------------===//

#ifndef CNNC_COMPILER_LOWERING_INDEXBUILDER_H
#define CNNC_COMPILER_LOWERING_INDEXBUILDER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::cnn {

/// Builds sums and products of indices, folded where they are known. What emits a kernel derives
/// from it.
class IndexBuilder {
public:
  /// Inserts before `at`, which is in `kernel`.
  IndexBuilder(func::FuncOp kernel, Operation *at, Location loc)
      : kernel(kernel), b(at), loc(loc) {}

  /// A constant, one of each value at the head of the kernel.
  Value constant(int64_t value);
  /// The sum; what is missing counts as zero.
  Value add(Value lhs, Value rhs);
  Value scale(Value value, int64_t factor);

  func::FuncOp kernel;
  OpBuilder b;
  Location loc;

private:
  llvm::DenseMap<int64_t, Value> constants;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_LOWERING_INDEXBUILDER_H
