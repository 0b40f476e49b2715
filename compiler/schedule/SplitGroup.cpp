// Takes a group apart where two kernels are better than one.
#include "compiler/schedule/SplitGroup.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::cnn;

namespace {
/// A group that is made of operations of another one, from what it yields back to its inputs.
class GroupCopy {
public:
  /// `given`: values of the old group that this one reads, and where from.
  GroupCopy(GroupOp from, const llvm::MapVector<Value, Value> &given)
      : from(from), given(given), body(std::make_unique<Block>()), inner(from.getContext()) {
    inner.setInsertionPointToEnd(body.get());
  }

  GroupOp make(StringRef name, ArrayRef<Value> values) {
    SmallVector<Value> yielded;
    SmallVector<Type> types;
    for (Value value : values) {
      yielded.push_back(get(value));
      types.push_back(value.getType());
    }
    YieldOp::create(inner, from.getLoc(), yielded);
    OpBuilder b(from);
    OperationState state(from.getLoc(), GroupOp::getOperationName());
    state.addAttribute("name", b.getStringAttr(name));
    state.addOperands(inputs);
    state.addTypes(types);
    state.addRegion()->push_back(body.release());
    return cast<GroupOp>(b.create(state));
  }

private:
  Value get(Value value) {
    if (Value known = map.lookupOrNull(value))
      return known;
    Value input;
    if (auto argument = dyn_cast<BlockArgument>(value))
      input = from.getInputs()[argument.getArgNumber()];
    else if (auto found = given.find(value); found != given.end())
      input = found->second;
    if (input) {
      inputs.push_back(input);
      map.map(value, body->addArgument(value.getType(), value.getLoc()));
      return map.lookup(value);
    }
    Operation *op = value.getDefiningOp();
    for (Value operand : op->getOperands())
      get(operand);
    inner.clone(*op, map);
    return map.lookup(value);
  }

  GroupOp from;
  const llvm::MapVector<Value, Value> &given;
  std::unique_ptr<Block> body;
  OpBuilder inner;
  SmallVector<Value> inputs;
  IRMapping map;
};
} // namespace

std::pair<GroupOp, GroupOp>
mlir::cnn::splitGroup(GroupOp group, function_ref<bool(Operation *)> isFirst, StringRef suffix) {
  SmallVector<Value> passed;
  for (Operation &op : group.getBody().front())
    if (isFirst(&op))
      for (Value result : op.getResults())
        if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !isFirst(user); }))
          passed.push_back(result);
  llvm::MapVector<Value, Value> given;
  GroupOp first = GroupCopy(group, given).make((group.getName() + suffix).str(), passed);
  for (auto [value, result] : llvm::zip(passed, first.getResults()))
    given[value] = result;
  SmallVector<Value> rest;
  for (Value value : group.getYield().getValues())
    if (!given.contains(value))
      rest.push_back(value);
  GroupOp second = GroupCopy(group, given).make(group.getName(), rest);
  second.setReasonAttr(group.getReasonAttr());
  unsigned next = 0;
  for (auto [value, result] : llvm::zip(group.getYield().getValues(), group.getResults()))
    result.replaceAllUsesWith(given.contains(value) ? given[value] : second.getResult(next++));
  group.erase();
  return {first, second};
}

std::pair<GroupOp, GroupOp> mlir::cnn::splitWeightGrad(GroupOp group, ConvWeightGradOp grad,
                                                       int64_t slices) {
  RankedTensorType type = getTensor(grad.getResult());
  SmallVector<int64_t> shape(type.getShape());
  shape.insert(shape.begin(), slices);
  OpBuilder b(grad);
  auto sliced = ConvWeightGradOp::create(
      b, grad.getLoc(), RankedTensorType::get(shape, type.getElementType()), grad.getInput(),
      grad.getGradient(), grad.getStride(), grad.getPadding(), grad.getDilation(), grad.getGroups(),
      slices, /*winograd=*/0);
  Value sum = ReduceSumOp::create(b, grad.getLoc(), sliced.getResult(), ArrayRef<int64_t>{0},
                                  /*keep_dims=*/false);
  grad.getResult().replaceAllUsesWith(sum);
  grad.erase();
  return splitGroup(group, [&](Operation *op) { return op == sliced; }, ".slices");
}
