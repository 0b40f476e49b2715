//===- FitHalos.cpp - As many zeros around tensors as serve their readers -------===//
//
// In: groups with layouts and algorithms. Out: the same; zeros around a tensor that only Winograd's
// algorithms would read are gone. They look at each tile's place anyway, and what is stored without
// zeros takes less of the caches and can take the place of something else. Where the channels of an
// image lie whole pages apart, so that those of one pixel meet in few sets of the caches, a column
// of zeros more on each side moves them. Next: SliceBatch.cpp.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/GroupInfo.h"
#include "compiler/schedule/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <cmath>

namespace mlir::cnn {
#define GEN_PASS_DEF_FITHALOSPASS
#include "compiler/schedule/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

/// Whether the group looks at the bounds of what it reads, tile by tile.
static bool checksBounds(Operation *anchor) {
  auto grad = dyn_cast<ConvWeightGradOp>(anchor);
  return isa<WinogradInputOp>(anchor) || (grad && grad.getWinograd() != 0);
}

namespace {
struct FitHalos : mlir::cnn::impl::FitHalosPassBase<FitHalos> {
  void runOnOperation() override {
    for (auto entry : getOperation().getOps<func::FuncOp>())
      if (entry.isPublic() && !entry.isDeclaration() && failed(runOnEntry(entry)))
        return signalPassFailure();
  }

  LogicalResult runOnEntry(func::FuncOp entry) {
    bool any = false;
    for (GroupOp group : entry.getOps<GroupOp>())
      for (Value result : group.getResults()) {
        RankedTensorType type = getTensor(result);
        LayoutAttr layout = getLayoutOf(type);
        if (layout.getBlock() == 1 && layout.getHalo().empty())
          continue;
        directly = fixed = false;
        FailureOr<SmallVector<int64_t>> needed = getNeeded(result);
        if (failed(needed))
          return failure();
        if (fixed)
          continue;
        if (directly)
          spread(type, *needed);
        if (llvm::all_of(*needed, [](int64_t zeros) { return zeros == 0; }))
          needed->clear();
        if (ArrayRef<int64_t>(*needed) == layout.getHalo())
          continue;
        result.setType(
            RankedTensorType::get(type.getShape(), type.getElementType(),
                                  LayoutAttr::get(&getContext(), layout.getOrder(),
                                                  layout.getBlock(), *needed, layout.getPad())));
        any = true;
        ++numFitted;
      }
    if (any)
      entry.walk<WalkOrder::PreOrder>([](GroupOp group) { group.adoptTypes(); });
    return success();
  }

  /// Widens the zeros around the columns of images in blocks whose channels lie whole pages apart.
  static void spread(RankedTensorType type, SmallVectorImpl<int64_t> &halo) {
    LayoutAttr layout = getLayoutOf(type);
    constexpr int64_t fewChannels = 8;
    if (layout.getBlock() == 1 || type.getRank() != 4 || type.getDimSize(1) <= fewChannels)
      return;
    constexpr int64_t page = 4096;
    int64_t bytes = layout.getBlock() * type.getElementTypeBitWidth() / 8 *
                    (type.getDimSize(2) + 2 * halo[2]) * (type.getDimSize(3) + 2 * halo[3]);
    if (bytes > page && bytes % page == 0)
      ++halo[3];
  }

  /// The zeros that the readers of a tensor ask for.
  FailureOr<SmallVector<int64_t>> getNeeded(Value value) {
    LayoutAttr layout = getLayoutOf(getTensor(value));
    SmallVector<int64_t> needed(layout.getRank(), 0);
    for (Operation *user : value.getUsers()) {
      auto group = dyn_cast<GroupOp>(user);
      if (!group) {
        fixed = true;
        continue;
      }
      auto add = [&](ArrayRef<int64_t> reach) {
        for (auto [dim, zeros] : llvm::enumerate(reach))
          needed[dim] = std::max(needed[dim], std::min(zeros, layout.getHaloOf(dim)));
      };
      if (group.isOuter()) {
        for (auto [input, argument] : llvm::zip(group.getInputs(), group.getBody().getArguments()))
          if (input == value) {
            FailureOr<SmallVector<int64_t>> inside = getNeeded(argument);
            if (failed(inside))
              return failure();
            add(*inside);
          }
        continue;
      }
      FailureOr<GroupInfo> info = GroupInfo::get(group);
      if (failed(info))
        return failure();
      if (checksBounds(info->anchor))
        continue;
      directly |= isa<ConvOp, ConvDataGradOp, ConvWeightGradOp>(info->anchor.getOperation());
      for (const GroupInfo::Read &read : info->getReads()) {
        if (group.getInputs()[read.argument] != value || read.pooled || std::isnan(read.padding))
          continue;
        SmallVector<int64_t> reach = info->getReach(read, getTensor(value));
        if (read.padding == 0.0)
          add(reach);
        else // What is not zero cannot be stored: this reader looks at the bounds.
          fixed |= llvm::any_of(reach, [](int64_t outside) { return outside > 0; });
      }
    }
    return needed;
  }

  /// Whether a convolution reads the tensor at hand pixel by pixel; and whether it stays as it is,
  /// because something else than a group reads it, or a group that pads it by something else.
  bool directly = false, fixed = false;
};
} // namespace
