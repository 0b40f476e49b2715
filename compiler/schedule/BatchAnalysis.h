//===- BatchAnalysis.h - Which tensors have a row for every image of the batch ---------------===//

#ifndef CNNC_COMPILER_SCHEDULE_BATCHANALYSIS_H
#define CNNC_COMPILER_SCHEDULE_BATCHANALYSIS_H

#include "compiler/schedule/GroupInfo.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"

namespace mlir::cnn {

/// With fewer slices than this, cnn-slice-batch gathers nothing.
inline constexpr int64_t fewestSlices = 8;

/// The extent of the batch: that of the first dimension of the entry's inputs of rank 1 or more
/// that are not marked `cnn.unbatched`; 0 where there is none or they differ.
int64_t getBatchExtent(func::FuncOp entry);

/// Follows the batch from the inputs of an entry point through its groups.
class BatchAnalysis {
public:
  explicit BatchAnalysis(func::FuncOp entry);
  /// Whether dimension 0 of the value is the batch (or counts its slices), and the part of the
  /// value for some images depends on those images only.
  bool isBatched(Value value) const { return batched.contains(value); }
  /// Whether all results of the group are, so that it can run slice by slice.
  bool isSliceable(GroupOp group) const { return sliceable.contains(group); }

private:
  bool check(GroupOp group) const;
  int64_t extent;
  llvm::DenseSet<Value> batched;
  llvm::DenseSet<Operation *> sliceable;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_BATCHANALYSIS_H
