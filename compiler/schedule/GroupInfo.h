//===- GroupInfo.h - The roles of the operations of an inner group ---------------------------===//
//
// Reads an inner group: which operation is the anchor, which ones feed it pointwise, which follow,
// and whether a pooling ends it. The schedule and the code generators share this view.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_GROUPINFO_H
#define CNNC_COMPILER_SCHEDULE_GROUPINFO_H

#include "dialect/CnnDialect.h"

namespace mlir::cnn {

/// An affine function of the dimensions of a nest: sum of `coefficients[d] * d`, plus `constant`.
struct LinearForm {
  SmallVector<int64_t> coefficients;
  int64_t constant = 0;

  /// The form of a map's result; the dialect's maps are linear.
  static LinearForm get(AffineExpr expr, unsigned numDims);
  static LinearForm getConstant(int64_t value, unsigned numDims);
  static LinearForm getDim(unsigned dim, unsigned numDims);
  /// Substitutes `forms[d]` for dimension d.
  LinearForm compose(ArrayRef<LinearForm> forms, unsigned numDims) const;
  /// The dimension if the form is just that dimension, else -1.
  int64_t getSingleDim() const;
  bool uses(unsigned dim) const { return coefficients[dim] != 0; }
  /// Whether dimension `dim` counts elements of blocks of `block`, and everything else whole
  /// blocks.
  bool runsAlongBlocks(unsigned dim, int64_t block) const;
};

/// The forms of all results of a map.
SmallVector<LinearForm> getForms(AffineMap map);

/// The roles within one inner group.
struct GroupInfo {
  /// The operation whose nest gives the loops.
  NestOpInterface anchor;
  Nest nest;
  /// Operations before the anchor that it reads through, in order.
  SmallVector<Operation *> prologue;
  /// Pointwise operations on the anchor's result, in order; those before `pool`.
  SmallVector<Operation *> epilogue;
  /// A pooling of the epilogue's result whose windows tile it, or null.
  NestOpInterface pool;
  /// What follows from the pooling's result, in order: pointwise operations, and further poolings
  /// with the same windows.
  SmallVector<Operation *> afterPool;
  /// The extents of the pooling's windows along the dimensions of the anchor's result; 1 elsewhere.
  SmallVector<int64_t> poolFactors;

  /// How the group reads one of its inputs.
  struct Read {
    unsigned argument;
    /// Logical indices of the input. Where `pooled`, in terms of the dimensions of the pooling's
    /// result; else of the anchor's nest.
    SmallVector<LinearForm> forms;
    bool pooled;
    /// What lies outside of the input's bounds; NaN where that is not used.
    double padding;
  };
  /// All reads of inputs, those through the prologue included.
  SmallVector<Read> getReads() const;
  /// How far beyond the bounds of its input of type `type` a read reaches, per dimension; 0 for
  /// those that it does not leave.
  SmallVector<int64_t> getReach(const Read &read, RankedTensorType type) const;
  /// Logical indices of the anchor's results (and of its epilogue's) in terms of the nest.
  SmallVector<LinearForm> getResultForms() const { return getForms(nest.resultMaps[0]); }
  /// Whether results may lie where an input of their type did: each element of it is read for the
  /// result's element at the same index alone.
  bool mayOverwrite(unsigned argument) const;
  /// The dimension of the nest that runs along one index of the anchor's results within a tile: the
  /// only one of the form, or that of a transform whose blocks the others count; -1 for none.
  int64_t getTileDim(const LinearForm &form) const;

  /// The pooling and what follows from it, in order; nothing without one.
  SmallVector<Operation *> getFromPool() const;
  /// Whether `op` is one of these.
  bool isAfterPool(Operation *op) const {
    return pool && (op == pool || llvm::is_contained(afterPool, op));
  }

  /// Reads a group; a located error and failure where it has not the form above.
  static FailureOr<GroupInfo> get(GroupOp group);
};

/// Whether the operation computes each element of its result from the elements at the same index.
bool isPointwise(Operation *op);

/// The operations of a group that `op`, one of them, computes from.
llvm::SmallPtrSet<Operation *, 8> getFeeding(Operation *op);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_GROUPINFO_H
