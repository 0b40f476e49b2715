//===- Results.cpp - Have every result of an entry point made by a group ---------------------===//
//
// In: an entry point on tensors. Out: the same with groups that copy where a result is none's own.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/Results.h"

#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace mlir::cnn;

GroupOp mlir::cnn::makeGroup(OpBuilder &b, Location loc, StringRef name, ValueRange inputs,
                             function_ref<Value(OpBuilder &, ValueRange)> build) {
  OperationState state(loc, GroupOp::getOperationName());
  state.addOperands(inputs);
  state.addAttribute("name", b.getStringAttr(name));
  Region *region = state.addRegion();
  Block &block = region->emplaceBlock();
  for (Value input : inputs)
    block.addArgument(input.getType(), input.getLoc());
  OpBuilder inner(b.getContext());
  inner.setInsertionPointToStart(&block);
  Value result = build(inner, block.getArguments());
  YieldOp::create(inner, loc, result);
  state.addTypes(result.getType());
  return cast<GroupOp>(b.create(state));
}

Value mlir::cnn::makeCopy(Value value, StringRef name) {
  OpBuilder b(value.getContext());
  b.setInsertionPointAfterValue(value);
  return makeGroup(b, value.getLoc(), name, value,
                   [&](OpBuilder &inner, ValueRange in) {
                     return ConvertLayoutOp::create(inner, value.getLoc(), value.getType(), in[0])
                         .getResult();
                   })
      .getResult(0);
}

unsigned mlir::cnn::copyResults(func::FuncOp entry) {
  llvm::DenseSet<Value> homes;
  unsigned copies = 0;
  auto convert = [&](OpOperand &use, StringRef name) {
    Value value = use.get();
    auto type = dropLayout(cast<RankedTensorType>(value.getType()));
    if (value.getDefiningOp<GroupOp>() && value.getType() == type && homes.insert(value).second)
      return;
    OpBuilder b(use.getOwner());
    GroupOp copy = makeGroup(b, value.getLoc(), name, value, [&](OpBuilder &inner, ValueRange in) {
      return ConvertLayoutOp::create(inner, value.getLoc(), type, in[0]).getResult();
    });
    ++copies;
    use.set(copy.getResult(0));
    homes.insert(copy.getResult(0));
  };
  for (auto write : llvm::to_vector(entry.getOps<WriteOp>()))
    convert(write.getValueMutable(), (write.getParam() + ".copy").str());
  Operation *terminator = entry.getBody().front().getTerminator();
  for (OpOperand &use : terminator->getOpOperands()) {
    auto name = entry.getResultAttrOfType<StringAttr>(use.getOperandNumber(), "cnn.name");
    std::string label = name ? name.str() : "result" + std::to_string(use.getOperandNumber());
    convert(use, label + ".copy");
  }
  return copies;
}
