//===- Stages.cpp - When each group of an entry point runs -----------------------------------===//

#include "compiler/schedule/Stages.h"
#include "dialect/Recompute.h"

using namespace mlir;
using namespace mlir::cnn;

Value mlir::cnn::getOwner(Value value) {
  while (auto reshape = value.getDefiningOp<ReshapeOp>())
    value = reshape.getInput();
  return value;
}

static void collectReaders(Value value, SmallVectorImpl<Operation *> &readers) {
  for (Operation *user : value.getUsers()) {
    if (auto reshape = dyn_cast<ReshapeOp>(user))
      collectReaders(reshape.getResult(), readers);
    else
      readers.push_back(user);
  }
}

SmallVector<Operation *> mlir::cnn::getReaders(Value value) {
  SmallVector<Operation *> readers;
  collectReaders(value, readers);
  return readers;
}

GroupStages mlir::cnn::getStages(func::FuncOp entry, bool stateWaits) {
  GroupStages stages;
  llvm::DenseSet<Operation *> ofState;
  SmallVector<GroupOp> groups(entry.getOps<GroupOp>());
  for (GroupOp group : groups) {
    int64_t stage = 0;
    bool stateOnly = stateWaits && !group.getInputs().empty();
    for (Value input : group.getInputs()) {
      Operation *source = getOwner(input).getDefiningOp();
      if (auto found = stages.find(source); found != stages.end())
        stage = std::max(stage, found->second + 1);
      stateOnly &= isa_and_nonnull<ReadOp, LiteralOp>(source) || ofState.contains(source);
    }
    stages[group] = stage;
    if (stateOnly)
      ofState.insert(group);
  }

  llvm::DenseSet<Operation *> again;
  for (GroupOp group : llvm::reverse(groups)) {
    SmallVector<Operation *> readers;
    for (Value result : group.getResults())
      llvm::append_range(readers, getReaders(result));
    bool read = !readers.empty() && llvm::all_of(readers, llvm::IsaPred<GroupOp>);
    if (group->hasAttr(recomputedAttr) ||
        (read && llvm::all_of(readers, [&](Operation *op) { return again.contains(op); })))
      again.insert(group);
    if (!read || !(again.contains(group) || ofState.contains(group)))
      continue;
    int64_t first = std::numeric_limits<int64_t>::max();
    for (Operation *reader : readers)
      first = std::min(first, stages.at(reader));
    stages[group] = first - 1;
  }
  return stages;
}
