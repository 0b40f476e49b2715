//===- Strides.h - How far apart elements lie in memory --------------------------------------===//
//
// Of tensors whose layout permutes their dimensions, as all do on a GPU: no blocks, no zeros around
// them.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_STRIDES_H
#define CNNC_COMPILER_SCHEDULE_STRIDES_H

#include "compiler/schedule/GroupInfo.h"

namespace mlir::cnn {

/// Whether the layout does nothing but give dimensions another order.
bool isPermutation(LayoutAttr layout);

/// The layout of a logical tensor [N, C, ...] with C innermost; of a weight gradient in parts,
/// [parts, N, C, ...]. `channels` is the dimension C.
LayoutAttr getChannelsLast(MLIRContext *context, int64_t rank, int64_t channels = 1);

/// `values`, one for each logical dimension, in the order of the layout: outermost first.
template <typename T> SmallVector<T> permute(LayoutAttr layout, ArrayRef<T> values) {
  SmallVector<T> result;
  for (int64_t dim : layout.getOrder())
    result.push_back(values[dim]);
  return result;
}

/// Elements from one index to the next, along each logical dimension of a tensor of `shape`.
SmallVector<int64_t> getStrides(ArrayRef<int64_t> shape, LayoutAttr layout);

/// Elements from one point to the next, along each dimension of a nest, of a tensor whose indices
/// are `forms`.
SmallVector<int64_t> getStrides(ArrayRef<LinearForm> forms, ArrayRef<int64_t> shape,
                                LayoutAttr layout);

/// How an operand of a group's anchor lies: an input as its type says; what is computed, as the
/// input of its shape that it is computed from.
LayoutAttr getOperandLayout(const GroupInfo &info, Value operand);

/// How the anchor's results lie: as the first of the group's results of the same rank.
LayoutAttr getResultLayout(const GroupInfo &info);

/// How far apart elements of the anchor's result lie along each dimension of its nest.
SmallVector<int64_t> getResultStrides(const GroupInfo &info);

/// Sorts dimensions from the largest to the smallest of `strides`, those of equal ones by number.
void sortByStride(MutableArrayRef<unsigned> dims, ArrayRef<int64_t> strides);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_STRIDES_H
