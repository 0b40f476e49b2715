//===- Strides.cpp - How far apart elements lie in memory ------------------------------------===//

#include "compiler/schedule/Strides.h"

using namespace mlir;
using namespace mlir::cnn;

bool mlir::cnn::isPermutation(LayoutAttr layout) {
  return layout.getBlock() == 1 &&
         llvm::all_of(layout.getHalo(), [](int64_t zeros) { return zeros == 0; });
}

LayoutAttr mlir::cnn::getChannelsLast(MLIRContext *context, int64_t rank, int64_t channels) {
  SmallVector<int64_t> order;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (dim != channels)
      order.push_back(dim);
  order.push_back(channels);
  return LayoutAttr::get(context, order, /*block=*/1, /*halo=*/{});
}

SmallVector<int64_t> mlir::cnn::getStrides(ArrayRef<int64_t> shape, LayoutAttr layout) {
  SmallVector<int64_t> strides(shape.size(), 0);
  int64_t step = 1;
  for (int64_t dim : llvm::reverse(layout.getOrder())) {
    strides[dim] = step;
    step *= shape[dim];
  }
  return strides;
}

SmallVector<int64_t> mlir::cnn::getStrides(ArrayRef<LinearForm> forms, ArrayRef<int64_t> shape,
                                           LayoutAttr layout) {
  SmallVector<int64_t> strides(forms.empty() ? 0 : forms[0].coefficients.size(), 0);
  for (auto [form, step] : llvm::zip(forms, getStrides(shape, layout)))
    for (auto [stride, factor] : llvm::zip(strides, form.coefficients))
      stride += factor * step;
  return strides;
}

/// The layout of the input that `value` of rank and shape `shape` is computed from; null for none.
static LayoutAttr findLayout(GroupOp group, Value value, ArrayRef<int64_t> shape) {
  if (getTensor(value).getShape() != shape)
    return {};
  if (auto argument = dyn_cast<BlockArgument>(value))
    return getLayoutOf(getTensor(group.getInputs()[argument.getArgNumber()]));
  for (Value operand : value.getDefiningOp()->getOperands())
    if (LayoutAttr layout = findLayout(group, operand, shape))
      return layout;
  return {};
}

LayoutAttr mlir::cnn::getOperandLayout(const GroupInfo &info, Value operand) {
  RankedTensorType type = getTensor(operand);
  NestOpInterface anchor = info.anchor;
  LayoutAttr layout = findLayout(anchor->getParentOfType<GroupOp>(), operand, type.getShape());
  return layout ? layout : LayoutAttr::getPlain(type.getContext(), type.getRank());
}

LayoutAttr mlir::cnn::getResultLayout(const GroupInfo &info) {
  NestOpInterface anchor = info.anchor;
  RankedTensorType type = getTensor(anchor->getResult(0));
  for (Value result : anchor->getParentOfType<GroupOp>().getResults())
    if (getTensor(result).getRank() == type.getRank())
      return getLayoutOf(getTensor(result));
  return LayoutAttr::getPlain(type.getContext(), type.getRank());
}

SmallVector<int64_t> mlir::cnn::getResultStrides(const GroupInfo &info) {
  NestOpInterface anchor = info.anchor;
  SmallVector<int64_t> strides = getStrides(
      info.getResultForms(), getTensor(anchor->getResult(0)).getShape(), getResultLayout(info));
  strides.resize(info.nest.getNumDims(), 0);
  return strides;
}

void mlir::cnn::sortByStride(MutableArrayRef<unsigned> dims, ArrayRef<int64_t> strides) {
  llvm::sort(dims, [&](unsigned lhs, unsigned rhs) {
    return std::pair(-strides[lhs], lhs) < std::pair(-strides[rhs], rhs);
  });
}
