// cnn-fuse: to phase `fused`. In: functions of decomposed operations. Out: the same in cnn.groups,
// with reads, writes and reshapes between them. FusionPlan decides; the schedule phase is next.

#include "compiler/transforms/Decision.h"
#include "compiler/transforms/FusionPlan.h"
#include "compiler/transforms/LayerName.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/ReverseMode.h"
#include "compiler/transforms/SinkReshapes.h"
#include "dialect/Recompute.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::cnn {
#define GEN_PASS_DEF_FUSEPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

namespace {
class FusePass : public mlir::cnn::impl::FusePassBase<FusePass> {
public:
  using FusePassBase::FusePassBase;

private:
  void runOnOperation() override;
  LogicalResult fuse(func::FuncOp function);
  GroupOp buildGroup(OpBuilder &builder, const FusionPlan &plan, const FusionUnit &unit,
                     IRMapping &outside, StringRef entry);
  std::string makeUnique(std::string name, StringRef entry);

  /// The names of the groups of the module, and the functions they stand in.
  llvm::StringMap<StringRef> names;
};
} // namespace

void FusePass::runOnOperation() {
  names.clear();
  getOperation().walk([&](GroupOp group) {
    names.try_emplace(group.getName(), group->getParentOfType<func::FuncOp>().getName());
  });
  for (func::FuncOp function : getOperation().getOps<func::FuncOp>()) {
    if (function.isExternal())
      continue;
    if (!function.getBody().hasOneBlock()) {
      function.emitError() << "function '" << function.getName()
                           << "' must have one block to be fused";
      return signalPassFailure();
    }
    if (failed(fuse(function)))
      return signalPassFailure();
  }
}

LogicalResult FusePass::fuse(func::FuncOp function) {
  Block &block = function.front();
  if (maxSize != 1)
    sinkReshapes(function);
  eraseDeadOps(block);
  // Constants that a pass joined stand for several places, and belong to the function.
  for (Operation &op : block)
    if (isa<UnknownLoc>(op.getLoc()))
      op.setLoc(renameLoc(function.getLoc(), op.getName().stripDialect()));
  FusionPlan plan(block, maxSize);
  SmallVector<const FusionUnit *> order = plan.getOrder();
  if (order.size() != plan.getNumUnits())
    return function.emitError() << "groups of function '" << function.getName()
                                << "' wait for each other; this is a mistake in cnn-fuse";

  Operation *terminator = block.getTerminator();
  OpBuilder builder(terminator);
  SmallVector<Operation *> replaced;
  for (Operation &op : block)
    if (isa<NestOpInterface>(op))
      replaced.push_back(&op);
  IRMapping outside;
  auto remapOperands = [&](Operation *op) {
    for (OpOperand &operand : op->getOpOperands())
      operand.set(outside.lookupOrDefault(operand.get()));
  };
  unsigned groups = 0;
  for (const FusionUnit *unit : order) {
    Operation *op = unit->members.front();
    if (unit->isGroup) {
      buildGroup(builder, plan, *unit, outside, function.getName());
      ++groups;
      continue;
    }
    remapOperands(op);
    if (op != terminator)
      op->moveBefore(terminator);
  }
  remark::analysis(function.getLoc(), remark::RemarkOpts::name("Groups").category("cnn-fuse"))
      << (function.getName() + ": " + Twine(replaced.size()) + " operations in " + Twine(groups) +
          " groups")
             .str();
  for (Operation *op : llvm::reverse(replaced))
    op->erase();
  return success();
}

GroupOp FusePass::buildGroup(OpBuilder &builder, const FusionPlan &plan, const FusionUnit &unit,
                             IRMapping &outside, StringRef entry) {
  SmallVector<Operation *> ops(unit.members);
  ops.append(unit.copies.begin(), unit.copies.end());
  llvm::sort(ops, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });

  llvm::SetVector<Value> inputs;
  for (Operation *op : ops)
    for (Value operand : op->getOperands())
      if (!llvm::is_contained(ops, operand.getDefiningOp()))
        inputs.insert(operand);
  SmallVector<Value> operands =
      llvm::map_to_vector(inputs, [&](Value input) { return outside.lookupOrDefault(input); });
  SmallVector<Value> results = plan.getResults(unit);

  Operation *anchor = unit.anchor ? unit.anchor : unit.members.back();
  // Folding leaves constants without a place; then it is that of the first reader.
  Location loc = anchor->getLoc();
  if (isa<UnknownLoc>(loc) && !anchor->use_empty())
    loc = anchor->user_begin()->getLoc();
  auto group = GroupOp::create(builder, loc, ValueRange(results).getTypes(),
                               makeUnique(getGroupName(anchor), entry), operands,
                               /*schedule=*/Attribute(), /*reason=*/StringAttr());
  if (anchor->hasAttr(recomputedAttr))
    group->setAttr(recomputedAttr, builder.getUnitAttr());
  Block &body = group.getBody().emplaceBlock();
  OpBuilder inner = OpBuilder::atBlockEnd(&body);
  IRMapping inside;
  for (Value input : inputs)
    inside.map(input, body.addArgument(input.getType(), input.getLoc()));
  llvm::StringSet<> reasons;
  for (Operation *op : ops) {
    Operation *copy = inner.clone(*op, inside);
    copy->removeAttr(recomputedAttr); // now it is the group's
    if (std::string reason = takeDecisions(copy); !reason.empty() && reasons.insert(reason).second)
      group.addReason(reason);
  }
  YieldOp::create(inner, loc, llvm::map_to_vector(results, [&](Value result) {
                    return inside.lookup(result);
                  }));
  for (auto [result, replacement] : llvm::zip(results, group.getResults()))
    outside.map(result, replacement);

  ++numGroups;
  numCopied += unit.copies.size();
  if (ops.size() > 1)
    numFused += ops.size();
  return group;
}

/// Groups of one entry point are numbered; one of several entry points says in which it stands.
std::string FusePass::makeUnique(std::string name, StringRef entry) {
  for (unsigned number = 1;; ++number) {
    std::string candidate = number == 1 ? name : name + "_" + std::to_string(number);
    auto [owner, isNew] = names.try_emplace(candidate, entry);
    if (!isNew && owner->second != entry) {
      candidate += "." + entry.str();
      isNew = names.try_emplace(candidate, entry).second;
    }
    if (isNew)
      return candidate;
  }
}
