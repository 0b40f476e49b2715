//===- GroupValues.cpp - Values that pass from group to group --------------------------------===//

#include "compiler/schedule/GroupValues.h"

using namespace mlir;
using namespace mlir::cnn;

GroupOp mlir::cnn::getOuter(GroupOp group) { return dyn_cast<GroupOp>(group->getParentOp()); }

Value mlir::cnn::getSource(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  auto outer = argument ? dyn_cast<GroupOp>(argument.getOwner()->getParentOp()) : GroupOp();
  return outer ? outer.getInputs()[argument.getArgNumber()] : value;
}

Value mlir::cnn::getInput(GroupOp group, Value value) {
  Block &body = group.getBody().front();
  for (auto [input, argument] : llvm::zip(group.getInputs(), body.getArguments()))
    if (input == value)
      return argument;
  group.getInputsMutable().append(value);
  return body.addArgument(value.getType(), value.getLoc());
}

void mlir::cnn::dropUnusedInputs(GroupOp group) {
  Block &body = group.getBody().front();
  for (int64_t i = body.getNumArguments() - 1; i >= 0; --i)
    if (body.getArgument(i).use_empty()) {
      body.eraseArgument(i);
      group->eraseOperand(i);
    }
}

GroupOp mlir::cnn::addResults(GroupOp group, ValueRange values) {
  group.getYield().getValuesMutable().append(values);
  OpBuilder b(group);
  OperationState state(group.getLoc(), GroupOp::getOperationName());
  state.addOperands(group.getInputs());
  state.addTypes(group.getResultTypes());
  state.addTypes(values.getTypes());
  state.addAttributes(group->getAttrs());
  state.addRegion()->takeBody(group.getBody());
  Operation *made = b.create(state);
  for (auto [before, now] : llvm::zip(group.getResults(), made->getResults()))
    before.replaceAllUsesWith(now);
  group.erase();
  return cast<GroupOp>(made);
}
