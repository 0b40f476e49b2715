//===- StepBarriers.cpp - Where the threads of a block must wait for each other --------------===//

#include "compiler/nvptx/StepBarriers.h"
#include "compiler/schedule/Strides.h"

using namespace mlir;
using namespace mlir::cnn;

Value KernelPiece::getInputBuffer(unsigned number) const {
  return GroupOp(group).getInputs()[number].getDefiningOp<FromBufferOp>().getBuffer();
}

Value KernelPiece::getResultBuffer(unsigned number) const {
  return cast<ToBufferOp>(*GroupOp(group)->getResult(number).user_begin()).getBuffer();
}

namespace {

/// Which thread reads or writes which elements of a buffer.
struct Access {
  Value buffer;
  bool writes;
  enum By {
    Any,
    /// The first thread alone.
    First,
    /// Element e, counted in memory, by a thread that follows from e, the tensor's shape and
    /// layout, the block and the vector alone.
    Owner
  } by;
};

} // namespace

/// Whether the threads of a group are numbered by the elements that they give.
static bool isNumberedByResult(const KernelPiece &piece) {
  const GroupInfo &info = piece.space.getInfo();
  RankedTensorType type = getTensor(info.anchor->getResult(0));
  if (piece.schedule.algorithm != "point" || info.pool ||
      type.getNumElements() != piece.space.getNumResults())
    return false;
  if (info.nest.scatter)
    return true;
  return llvm::all_of(info.getResultForms(),
                      [](const LinearForm &form) { return form.getSingleDim() >= 0; });
}

static SmallVector<Access> getAccesses(const KernelPiece &piece) {
  SmallVector<Access> accesses;
  const GroupInfo &info = piece.space.getInfo();
  bool isPoint = piece.schedule.algorithm == "point", isNumbered = isNumberedByResult(piece);
  bool isOne = piece.space.getNumResults() == 1;
  SmallVector<LinearForm> result = info.getResultForms();
  auto isSame = [](const LinearForm &lhs, const LinearForm &rhs) {
    return lhs.constant == rhs.constant && lhs.coefficients == rhs.coefficients;
  };
  SmallVector<GroupInfo::Read> reads = info.getReads();
  LayoutAttr layout = getResultLayout(info);
  for (unsigned i = 0; i < GroupOp(piece.group).getInputs().size(); ++i) {
    bool liesSo = getLayoutOf(getTensor(GroupOp(piece.group).getInputs()[i])) == layout;
    bool isOwn =
        isNumbered && !info.nest.scatter && liesSo && llvm::all_of(reads, [&](const auto &read) {
          return read.argument != i || llvm::equal(read.forms, result, isSame);
        });
    Access::By by = isPoint && isOne ? Access::First : isOwn ? Access::Owner : Access::Any;
    accesses.push_back({piece.getInputBuffer(i), false, by});
  }
  for (unsigned i = 0; i < GroupOp(piece.group)->getNumResults(); ++i) {
    Access::By by = isOne ? Access::First : isNumbered ? Access::Owner : Access::Any;
    accesses.push_back({piece.getResultBuffer(i), true, by});
  }
  return accesses;
}

bool mlir::cnn::mustMeet(const KernelPiece &before, const KernelPiece &after,
                         function_ref<Sharing(Value, Value)> getSharing) {
  auto getResultType = [](const KernelPiece &piece) {
    RankedTensorType type = getTensor(piece.space.getInfo().anchor->getResult(0));
    return std::pair(type.getShape(), getResultLayout(piece.space.getInfo()));
  };
  bool haveSameOwners = before.schedule.block == after.schedule.block &&
                        before.schedule.vector == after.schedule.vector &&
                        getResultType(before) == getResultType(after);
  SmallVector<Access> earlier = getAccesses(before), later = getAccesses(after);
  return llvm::any_of(later, [&](const Access &second) {
    return llvm::any_of(earlier, [&](const Access &first) {
      if (!first.writes && !second.writes)
        return false;
      Sharing sharing = getSharing(first.buffer, second.buffer);
      if (sharing == Sharing::Whole && first.by == second.by &&
          (first.by == Access::First || (first.by == Access::Owner && haveSameOwners)))
        return false;
      return sharing != Sharing::None;
    });
  });
}
