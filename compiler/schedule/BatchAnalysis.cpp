//===- BatchAnalysis.cpp - Which tensors have a row for every image of the batch -------------===//

#include "compiler/schedule/BatchAnalysis.h"

using namespace mlir;
using namespace mlir::cnn;

int64_t mlir::cnn::getBatchExtent(func::FuncOp entry) {
  int64_t extent = 0;
  for (BlockArgument argument : entry.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type || type.getRank() == 0 || entry.getArgAttr(argument.getArgNumber(), "cnn.unbatched"))
      continue;
    if (extent != 0 && extent != type.getDimSize(0))
      return 0;
    extent = type.getDimSize(0);
  }
  return extent;
}

BatchAnalysis::BatchAnalysis(func::FuncOp entry) : extent(getBatchExtent(entry)) {
  if (extent == 0)
    return;
  for (BlockArgument argument : entry.getArguments())
    if (getTensor(argument).getRank() > 0 &&
        !entry.getArgAttr(argument.getArgNumber(), "cnn.unbatched"))
      batched.insert(argument);
  for (Operation &op : entry.getBody().front()) {
    if (auto reshape = dyn_cast<ReshapeOp>(op)) {
      if (isBatched(reshape.getInput()) && getTensor(reshape.getResult()).getRank() > 0 &&
          getTensor(reshape.getResult()).getDimSize(0) ==
              getTensor(reshape.getInput()).getDimSize(0))
        batched.insert(reshape.getResult());
    } else if (auto group = dyn_cast<GroupOp>(op)) {
      if (group.isOuter()) {
        for (Value result : group.getResults())
          if (getTensor(result).getRank() > 0 && getTensor(result).getDimSize(0) == extent)
            batched.insert(result);
      } else if (check(group)) {
        sliceable.insert(group);
        batched.insert(group.getResults().begin(), group.getResults().end());
      }
    }
  }
}

/// Dimension 0 of the nest must be that of every result and of every batched input, and of nothing
/// else. A nest over slices reads its inputs at slice * rows + row instead.
bool BatchAnalysis::check(GroupOp group) const {
  FailureOr<GroupInfo> info = GroupInfo::get(group);
  if (failed(info) || info->nest.numParallel == 0)
    return false;
  const Nest &nest = info->nest;
  auto leads = [](ArrayRef<LinearForm> forms, unsigned dim) {
    return !forms.empty() && forms[0].getSingleDim() == static_cast<int64_t>(dim) &&
           llvm::none_of(forms.drop_front(),
                         [&](const LinearForm &form) { return form.uses(dim); });
  };
  if (!leads(info->getResultForms(), 0) || (info->pool && info->poolFactors[0] != 1))
    return false;
  bool any = false;
  for (const GroupInfo::Read &read : info->getReads()) {
    if (!isBatched(group.getInputs()[read.argument])) {
      if (llvm::any_of(read.forms, [](const LinearForm &form) { return form.uses(0); }))
        return false;
      continue;
    }
    any = true;
    if (leads(read.forms, 0))
      continue;
    // slice * rows + row, over all the rows of a slice.
    if (read.pooled || read.forms.empty() ||
        llvm::any_of(ArrayRef(read.forms).drop_front(),
                     [](const LinearForm &form) { return form.uses(0); }))
      return false;
    int64_t rows = read.forms[0].coefficients[0], others = 0;
    for (unsigned dim = 1; dim < nest.getNumDims(); ++dim)
      if (int64_t factor = read.forms[0].coefficients[dim]) {
        if (factor != 1 || nest.sizes[dim] != rows)
          return false;
        ++others;
      }
    if (rows == 0 || others != 1 || rows * nest.sizes[0] != extent)
      return false;
  }
  return any;
}
