//===- Prologue.cpp - Groups that compute what they would read -------------------------------===//

#include "compiler/schedule/Prologue.h"
#include "compiler/schedule/GroupValues.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::cnn;

static void collectUsers(Value value, ResultUsers &users) {
  for (OpOperand &use : value.getUses()) {
    auto group = dyn_cast<GroupOp>(use.getOwner());
    if (!group)
      users.others = true;
    else if (group.isOuter())
      collectUsers(group.getBody().getArgument(use.getOperandNumber()), users);
    else if (!llvm::is_contained(users.groups, group))
      users.groups.push_back(group);
  }
}

ResultUsers mlir::cnn::getResultUsers(GroupOp maker) {
  ResultUsers users;
  collectUsers(maker.getResult(0), users);
  // Uses are listed from the last to the first.
  std::reverse(users.groups.begin(), users.groups.end());
  return users;
}

/// Whether an input lies as the result does, but for zeros around it, or is one of few numbers that
/// are repeated.
static bool liesAs(RankedTensorType input, RankedTensorType result) {
  LayoutAttr in = getLayoutOf(input), out = getLayoutOf(result);
  if (input.getNumElements() < result.getNumElements())
    return in.getBlock() == 1 ||
           (in.getBlockedDim() == out.getBlockedDim() && in.getBlock() == out.getBlock());
  return in.getBlock() == out.getBlock() && in.getOrder() == out.getOrder();
}

std::string mlir::cnn::whyNoPrologue(GroupOp maker) {
  if (maker.isOuter() || getOuter(maker))
    return "it runs slice by slice";
  if (maker.getNumResults() != 1)
    return "it makes more than one tensor";
  for (Operation &op : maker.getBody().front().without_terminator())
    if (isa<ConvertLayoutOp>(op))
      return "it makes a copy of another layout, or with zeros around it";
    else if (!isPointwise(&op))
      return "'" + op.getName().stripDialect().str() + "' is not pointwise";
  if (!maker.getYield().getValues()[0].getDefiningOp())
    return "it computes nothing";
  for (Value input : maker.getInputs())
    if (!liesAs(getTensor(input), getTensor(maker.getResult(0))))
      return "what it reads has another layout";
  return "";
}

std::string mlir::cnn::whyNoPrologue(GroupOp maker, GroupOp reader) {
  FailureOr<GroupInfo> info = GroupInfo::get(reader);
  if (failed(info))
    return "it is no group of one anchor";
  // Behind a pooling, operations are told apart by their shapes.
  auto follows = [&](Operation *op) {
    return op != info->anchor && !llvm::is_contained(info->prologue, op);
  };
  for (auto [input, argument] : llvm::zip(reader.getInputs(), reader.getBody().getArguments()))
    if (getSource(input) == maker.getResult(0) && info->pool &&
        llvm::any_of(argument.getUsers(), follows))
      return "it reads it together with a pooling's result";
  return "";
}

void mlir::cnn::addPrologue(GroupOp maker, GroupOp reader) {
  GroupOp outer = getOuter(reader);
  OpBuilder b = OpBuilder::atBlockBegin(&reader.getBody().front());
  IRMapping map;
  for (auto [input, argument] : llvm::zip(maker.getInputs(), maker.getBody().getArguments()))
    map.map(argument, getInput(reader, outer ? getInput(outer, input) : input));
  for (Operation &op : maker.getBody().front().without_terminator())
    b.clone(op, map);
  // There are no zeros around what is not stored.
  Value made = map.lookup(maker.getYield().getValues()[0]);
  RankedTensorType type = getTensor(made);
  LayoutAttr layout = getLayoutOf(type);
  layout = LayoutAttr::get(type.getContext(), layout.getOrder(), layout.getBlock());
  made.setType(RankedTensorType::get(type.getShape(), type.getElementType(),
                                     layout.isPlain() ? Attribute() : Attribute(layout)));
  for (auto [input, argument] : llvm::zip(reader.getInputs(), reader.getBody().getArguments()))
    if (getSource(input) == maker.getResult(0))
      argument.replaceAllUsesWith(made);
  dropUnusedInputs(reader);
  if (outer)
    dropUnusedInputs(outer);
}

//===--------------------------------------------------------------------------------------------===//
// The choice
//===--------------------------------------------------------------------------------------------===//

FailureOr<bool> mlir::cnn::choosePrologue(GroupOp maker, MutableArrayRef<Override> asked,
                                          const PrologueChoice &choice) {
  if (maker.isOuter())
    return false;
  FailureOr<GroupInfo> info = GroupInfo::get(maker);
  if (failed(info))
    return failure();
  Asked settings(asked, maker, info->anchor);
  const Asked::Part *load = settings.get(loadKey);
  bool isStored = load && load->value == "stored", isThrough = load && !isStored;
  bool isCandidate = false;
  // Asked of all groups of an operation, it is meant where it applies.
  auto decline = [&](const Twine &why) -> FailureOr<bool> {
    if (!isThrough || !load->isOwn) {
      if (isCandidate)
        maker.addReason("stored, since its readers cannot compute it: " + why);
      return false;
    }
    auto error = maker.emitError()
                 << "group '" << maker.getName() << "': its readers cannot compute it: " << why;
    error.attachNote(load->from->getLoc(maker.getContext())) << "it is asked for here";
    error.attachNote()
        << "hint: ask for 'load:through' of an operation to mean those groups that can";
    return failure();
  };
  if (std::string why = whyNoPrologue(maker); !why.empty())
    return decline(why);
  ResultUsers users = getResultUsers(maker);
  isCandidate = choice.isCandidate(users.groups);
  if (users.others || users.groups.empty())
    return decline(users.others ? "it is read as another shape, written or returned"
                                : "there are none");
  for (GroupOp reader : users.groups)
    if (std::string why = whyNoPrologue(maker, reader); !why.empty())
      return decline("of '" + reader.getName() + "', " + why);
  if (std::string why = choice.whyNot(users.groups); !why.empty())
    return decline(why);
  std::string why;
  if (isStored)
    return false;
  if (isThrough) {
    why = getAskedReason(load->from);
  } else if (!isCandidate) {
    return false;
  } else if (!choice.isFaster(users.groups, why)) {
    if (!why.empty())
      maker.addReason("stored for " + Twine(users.groups.size()) +
                      " groups: to compute it in each is not faster: " + why);
    return false;
  }
  for (GroupOp reader : users.groups) {
    addPrologue(maker, reader);
    reader.addReason("computes '" + maker.getName() + "' as it reads: " + why);
  }
  maker.erase();
  return true;
}
