//===- Contraction.h - Groups whose anchor is a product of two tensors -----------------------===//
//
// Read off a nest alone: matrix products, and convolutions with both of their gradients, in any
// layout, are sums of products of an element of one operand and one of another.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_CONTRACTION_H
#define CNNC_COMPILER_SCHEDULE_CONTRACTION_H

#include "compiler/schedule/GroupInfo.h"

namespace mlir::cnn {

/// result[batch, row, column] = sum over depth of rows[batch, row, depth] * columns[batch, column,
/// depth]
struct Contraction {
  /// The operands of the anchor that rows and columns come from. Neighbouring columns are
  /// neighbours in the result.
  unsigned rowOperand = 0, columnOperand = 0;
  /// The dimensions of the nest that make up each: parallel ones that both operands, only the one,
  /// or only the other use.
  SmallVector<unsigned> batch, rows, columns;
  /// The reduced dimensions, which make up the depth. All of these go from the dimension along
  /// which elements of the factors (of `batch`: of the result) lie farthest apart to the one along
  /// which they are neighbours.
  SmallVector<unsigned> reduced;
  /// Products of their extents, and of those of the reduced dimensions.
  int64_t numBatches = 1, numRows = 1, numColumns = 1, depth = 1;
  /// The extents of the windows of the pooling that follows along each dimension of `rows` and
  /// `columns`, and how many points a window has along either.
  SmallVector<int64_t> rowWindows, columnWindows;
  int64_t rowWindow = 1, columnWindow = 1;

  /// The contraction that the group's anchor is; else fills `whyNot` and fails. `windows`: the
  /// extents of the pooling's windows along the parallel dimensions of the nest.
  static FailureOr<Contraction> get(const GroupInfo &info, ArrayRef<int64_t> windows,
                                    std::string &whyNot);
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_CONTRACTION_H
