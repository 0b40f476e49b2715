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

llvm::DenseSet<Operation *> mlir::cnn::getWaiting(func::FuncOp entry, bool stateWaits) {
  llvm::DenseSet<Operation *> waiting;
  SmallVector<GroupOp> groups(entry.getOps<GroupOp>());
  for (GroupOp group : groups) {
    bool only = true, any = stateWaits && !group.getInputs().empty();
    for (Value input : group.getInputs()) {
      Operation *source = getOwner(input).getDefiningOp();
      any |= waiting.contains(source);
      only &= isa_and_nonnull<ReadOp, LiteralOp>(source) || waiting.contains(source);
    }
    if (group->hasAttr(recomputedAttr) || (only && any))
      waiting.insert(group);
  }
  for (GroupOp group : llvm::reverse(groups)) {
    SmallVector<Operation *> readers;
    for (Value result : group.getResults())
      llvm::append_range(readers, getReaders(result));
    if (!readers.empty() &&
        llvm::all_of(readers, [&](Operation *op) { return waiting.contains(op); }))
      waiting.insert(group);
  }
  return waiting;
}

GroupStages mlir::cnn::getStages(func::FuncOp entry, bool stateWaits) {
  GroupStages stages;
  SmallVector<GroupOp> groups(entry.getOps<GroupOp>());
  for (GroupOp group : groups) {
    int64_t stage = 0;
    for (Value input : group.getInputs())
      if (auto found = stages.find(getOwner(input).getDefiningOp()); found != stages.end())
        stage = std::max(stage, found->second + 1);
    stages[group] = stage;
  }
  llvm::DenseSet<Operation *> waiting = getWaiting(entry, stateWaits);
  for (GroupOp group : llvm::reverse(groups)) {
    std::optional<int64_t> first;
    bool leaves = !waiting.contains(group);
    for (Value result : group.getResults())
      for (Operation *reader : getReaders(result)) {
        leaves |= !isa<GroupOp>(reader);
        if (auto found = stages.find(reader); found != stages.end())
          first = std::min(first.value_or(found->second), found->second);
      }
    if (!leaves && first)
      stages[group] = *first - 1;
  }
  return stages;
}
