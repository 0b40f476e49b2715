//===- ChannelBlocks.cpp - Images with their channels in blocks of one vector ----------------===//

#include "compiler/schedule/ChannelBlocks.h"
#include "compiler/schedule/BatchAnalysis.h"

using namespace mlir;
using namespace mlir::cnn;

/// The logical dimension of images that counts channels.
static constexpr int64_t channelDim = 1;

ChannelBlocks::ChannelBlocks(func::FuncOp entry, const Machine &machine, int64_t block, bool always)
    : vectorBits(machine.vectorBits), block(block), always(always) {
  if (block <= 1)
    return;
  BatchAnalysis batch(entry);
  auto isImage = [&](Value value) {
    RankedTensorType type = getTensor(value);
    return type.getRank() == 4 && batch.isBatched(value) && isWorthwhile(type) &&
           // What is reshaped or leaves the entry point is plain.
           llvm::all_of(value.getUsers(), llvm::IsaPred<GroupOp>);
  };
  for (GroupOp group : entry.getOps<GroupOp>())
    for (Value result : group.getResults())
      if (isImage(result))
        images.insert(result);
  // Inputs are copied on the way in, to whatever layout their readers want.
  for (Value argument : entry.getArguments())
    if (isImage(argument))
      images.insert(argument);
  // Where a group has no dimension that suits its images, they are plain, and so on.
  for (bool changed = true; changed;) {
    changed = false;
    for (GroupOp group : entry.getOps<GroupOp>()) {
      FailureOr<GroupInfo> info = GroupInfo::get(group);
      bool touches = false;
      bool suits = succeeded(info);
      if (suits) {
        suits = false;
        for (unsigned dim = 0; dim < info->nest.numParallel && !suits; ++dim)
          suits = isLegal(group, *info, dim, touches);
        if (info->nest.numParallel == 0)
          isLegal(group, *info, 0, touches);
      }
      if (suits || (succeeded(info) && !touches))
        continue;
      for (ValueRange values : {ValueRange(group.getInputs()), ValueRange(group.getResults())})
        for (Value value : values)
          changed |= images.erase(value);
    }
  }
}

bool ChannelBlocks::isWorthwhile(RankedTensorType type) const {
  int64_t channels = type.getDimSize(channelDim);
  return always || 2 * channels >= block;
}

/// Whether vectors along `vector` are whole blocks of a tensor read (or with `store` written) at
/// `forms`, or (unless written) one element of it.
bool ChannelBlocks::fits(ArrayRef<LinearForm> forms, int64_t vector, bool store) const {
  auto uses = [&](const LinearForm &form) {
    return vector < static_cast<int64_t>(form.coefficients.size()) && form.uses(vector);
  };
  for (auto [at, form] : llvm::enumerate(forms))
    if (static_cast<int64_t>(at) != channelDim && uses(form))
      return false;
  const LinearForm &form = forms[channelDim];
  if (!uses(form))
    return !store;
  return form.runsAlongBlocks(vector, block);
}

/// Whether vectors along `vector` suit all images of the group; sets `any` if it has one.
bool ChannelBlocks::isLegal(GroupOp group, const GroupInfo &info, int64_t vector, bool &any) const {
  if (vector < static_cast<int64_t>(info.nest.numSliced) && vector > 0)
    return false;
  for (const Transform &transform : info.nest.transforms)
    if (vector == transform.result || vector == transform.reduced)
      return false;
  int64_t bits = 32;
  bool legal = true;
  SmallVector<LinearForm> results = info.getResultForms();
  auto check = [&](Value value, ArrayRef<LinearForm> forms, bool pooled, bool store) {
    if (auto type = dyn_cast<FloatType>(getTensor(value).getElementType()))
      bits = std::max<int64_t>(bits, type.getWidth());
    if (!contains(value))
      return;
    any = true;
    // The indices of a pooling follow the anchor's results dimension by dimension.
    if (!pooled) {
      legal &= fits(forms, vector, store);
      return;
    }
    SmallVector<LinearForm> at;
    for (const LinearForm &form : forms) {
      int64_t dim = form.getSingleDim();
      at.push_back(dim >= 0 ? results[dim] : form);
      legal &= dim >= 0 &&
               (static_cast<int64_t>(at.size()) - 1 != channelDim || info.poolFactors[dim] == 1);
    }
    legal = legal && fits(at, vector, store);
  };
  for (const GroupInfo::Read &read : info.getReads())
    check(group.getInputs()[read.argument], read.forms, read.pooled, /*store=*/false);
  for (auto [value, result] : llvm::zip(group.getYield().getValues(), group.getResults())) {
    bool pooled = info.isAfterPool(value.getDefiningOp());
    SmallVector<LinearForm> forms = results;
    if (pooled)
      for (auto [dim, form] : llvm::enumerate(forms))
        form = LinearForm::getDim(dim, forms.size());
    check(result, forms, pooled, /*store=*/true);
  }
  return legal && vectorBits / bits == block;
}

void ChannelBlocks::replace(Value argument, Value copy) {
  if (images.erase(argument))
    images.insert(copy);
}

int64_t ChannelBlocks::getVector(GroupOp group, const GroupInfo &info) const {
  for (unsigned dim = 0; dim < info.nest.numParallel; ++dim) {
    bool any = false;
    if (isLegal(group, info, dim, any) && any)
      return dim;
  }
  return -1;
}

int64_t ChannelBlocks::getBlockedDim(ArrayRef<LinearForm> forms, int64_t vector) const {
  int64_t found = -1;
  for (auto [at, form] : llvm::enumerate(forms)) {
    if (!form.uses(vector))
      continue;
    if (found >= 0 || at + 1 == forms.size() || !form.runsAlongBlocks(vector, block))
      return -1;
    found = at;
  }
  return found;
}

LayoutAttr mlir::cnn::getBlockedLayout(MLIRContext *context, int64_t rank, int64_t dim,
                                       int64_t block) {
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  order.push_back(dim);
  return LayoutAttr::get(context, order, block, {});
}
