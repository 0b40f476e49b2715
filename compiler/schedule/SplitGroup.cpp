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
  for (auto [value, result] : llvm::zip(group.getYield().getValues(), group.getResults())) {
    Value now = given.contains(value) ? given[value] : second.getResult(next++);
    now.setType(result.getType()); // an operation that is new here has no layout yet
    result.replaceAllUsesWith(now);
  }
  first.adoptTypes();
  second.adoptTypes();
  group.erase();
  return {first, second};
}

/// A copy of `anchor`, in no block, that starts its sums from zero.
static NestOpInterface cloneFromZero(NestOpInterface anchor) {
  int init = anchor.getNest().initOperand;
  Operation *copy = anchor->clone();
  if (init >= 0)
    copy->eraseOperand(init);
  return cast<NestOpInterface>(copy);
}

bool mlir::cnn::canSplitSums(const GroupInfo &info) {
  NestOpInterface anchor = info.anchor;
  if (info.pool || anchor->hasTrait<OpTrait::AttrSizedOperandSegments>())
    return false;
  if (info.nest.initOperand >= 0 && !isa<BlockArgument>(anchor->getOperand(info.nest.initOperand)))
    return false;
  NestOpInterface whole = cloneFromZero(anchor);
  bool can = PartialSumsOp::addsUp(whole);
  whole->erase();
  return can;
}

/// What the anchor starts from, an input of the group, in a shape that is added to its result.
static Value spreadInit(GroupOp group, const GroupInfo &info) {
  Nest nest = info.nest;
  NestOpInterface anchor = info.anchor;
  auto init = cast<BlockArgument>(anchor->getOperand(nest.initOperand));
  ArrayRef<AffineExpr> given = nest.operandMaps[nest.initOperand].getResults();
  RankedTensorType type = getTensor(init);
  SmallVector<int64_t> shape;
  for (AffineExpr expr : nest.resultMaps[0].getResults())
    if (const auto *found = llvm::find(given, expr); found != given.end())
      shape.push_back(type.getDimSize(found - given.begin()));
    else if (!shape.empty())
      shape.push_back(1);
  if (ArrayRef<int64_t>(shape) == type.getShape())
    return init;
  OpBuilder b(group);
  Value input = group.getInputs()[init.getArgNumber()];
  auto spread = RankedTensorType::get(shape, type.getElementType());
  group.getInputsMutable().append(ReshapeOp::create(b, group.getLoc(), spread, input).getResult());
  return group.getBody().front().addArgument(spread, init.getLoc());
}

std::pair<GroupOp, GroupOp> mlir::cnn::splitSums(GroupOp group, const GroupInfo &info, unsigned dim,
                                                 int64_t parts) {
  NestOpInterface anchor = info.anchor;
  Location loc = anchor.getLoc();
  RankedTensorType type = getTensor(anchor->getResult(0));
  SmallVector<int64_t> shape(type.getShape());
  shape.insert(shape.begin(), parts);
  NestOpInterface whole = cloneFromZero(anchor);
  SmallVector<Value> operands(whole->getOperands());
  OpBuilder b(anchor);
  auto partial = PartialSumsOp::create(b, loc, RankedTensorType::get(shape, type.getElementType()),
                                       operands, static_cast<int64_t>(dim), parts);
  Block &body = partial.getBody().emplaceBlock();
  body.push_back(whole);
  for (OpOperand &operand : whole->getOpOperands())
    operand.set(body.addArgument(operand.get().getType(), operand.get().getLoc()));
  OpBuilder inner = OpBuilder::atBlockEnd(&body);
  YieldOp::create(inner, loc, whole->getResults());
  Value sum = ReduceSumOp::create(b, loc, partial.getResult(), ArrayRef<int64_t>{0},
                                  /*keep_dims=*/false);
  if (info.nest.initOperand >= 0)
    sum = AddOp::create(b, loc, sum, spreadInit(group, info));
  anchor->getResult(0).replaceAllUsesWith(sum);
  anchor->erase();
  return splitGroup(group, [&](Operation *op) { return op == partial; }, ".slices");
}
