//===- SliceBatch.cpp - Gather groups that run slice by slice of the batch into outer groups -===//
//
// In: inner groups with layouts. Out: for each stage of the step one outer group with those groups
// of the stage that can run slice by slice; the others stay as they are. A stage ends where
// something needs the whole batch. Next: ChooseSchedules.cpp.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/BatchAnalysis.h"
#include "compiler/schedule/Machine.h"
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Stages.h"
#include "dialect/Recompute.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::cnn {
#define GEN_PASS_DEF_SLICEBATCHPASS
#include "compiler/schedule/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

namespace {
struct SliceBatch : mlir::cnn::impl::SliceBatchPassBase<SliceBatch> {
  using SliceBatchPassBase::SliceBatchPassBase;

  void runOnOperation() override {
    FailureOr<Machine> found = Machine::get(getOperation());
    if (failed(found))
      return signalPassFailure();
    machine = *found;
    for (auto entry : getOperation().getOps<func::FuncOp>())
      if (entry.isPublic() && !entry.isDeclaration())
        runOnEntry(entry);
  }

  void runOnEntry(func::FuncOp entry) {
    int64_t extent = getBatchExtent(entry), block = 1;
    BatchAnalysis batch(entry);
    entry.walk([&](GroupOp group) {
      for (Value result : group.getResults())
        if (LayoutAttr layout = getLayoutOf(getTensor(result));
            batch.isBatched(result) && layout.getBlockedDim() == 0)
          block = std::max(block, layout.getBlock());
    });
    if (extent == 0)
      return;
    if (extent / block < fewest || block == 1)
      return gatherLarge(entry, batch, extent);
    // Stage of what computes a value, and whether it needs a barrier to be read there.
    llvm::DenseMap<Value, int64_t> stages;
    llvm::DenseMap<Value, bool> sliced;
    llvm::MapVector<int64_t, SmallVector<Operation *>> members;
    for (Operation &op : entry.getBody().front()) {
      auto group = dyn_cast<GroupOp>(op);
      auto reshape = dyn_cast<ReshapeOp>(op);
      if (!group && !reshape)
        continue;
      bool slice = group
                       ? batch.isSliceable(group) && !sumsElsewhere(group, extent / block)
                       : batch.isBatched(reshape.getResult()) && sliced.lookup(reshape.getInput());
      int64_t stage = 0;
      for (Value operand : op.getOperands())
        if (auto found = stages.find(operand); found != stages.end())
          stage = std::max(stage,
                           found->second + (reshape || (slice && sliced.lookup(operand)) ? 0 : 1));
      for (Value result : op.getResults()) {
        stages[result] = stage;
        sliced[result] = slice;
      }
    }
    letWait(entry, stages, sliced);
    for (Operation &op : entry.getBody().front())
      if (op.getNumResults() > 0 && sliced.lookup(op.getResult(0)))
        members[stages.at(op.getResult(0))].push_back(&op);
    for (auto &[stage, ops] : members)
      if (ops.size() > 1)
        gather(entry, stage, ops, block, extent / block);
  }

  /// Where images lie one by one, groups of which the second reads what the first makes run image
  /// by image if all images together would leave the third cache in between, and those that cores
  /// are at do not.
  void gatherLarge(func::FuncOp entry, const BatchAnalysis &batch, int64_t extent) {
    if (extent < 2 * machine.cores)
      return;
    auto isInner = [&](Operation *op) {
      auto group = dyn_cast<GroupOp>(op);
      auto isBlocked = [&](Value value) {
        return batch.isBatched(value) && getLayoutOf(getTensor(value)).getBlockedDim() == 0;
      };
      return group && !group.isOuter() && batch.isSliceable(group) &&
             llvm::none_of(group.getInputs(), isBlocked) &&
             llvm::none_of(group.getResults(), isBlocked);
    };
    SmallVector<SmallVector<Operation *>> chains;
    llvm::DenseSet<Operation *> taken;
    for (Operation &op : entry.getBody().front()) {
      if (!isInner(&op) || taken.contains(&op))
        continue;
      SmallVector<Operation *> chain = {&op};
      while (true) {
        Operation *last = chain.back();
        if (last->getNumResults() != 1 || !last->hasOneUse() || !isInner(*last->user_begin()))
          break;
        RankedTensorType type = getTensor(last->getResult(0));
        double bytes =
            static_cast<double>(type.getNumElements()) * type.getElementTypeBitWidth() / 8;
        if (bytes <= machine.level3 / 2.0 || bytes / extent * machine.cores > machine.level3 / 2.0)
          break;
        chain.push_back(*last->user_begin());
      }
      if (chain.size() == 1)
        continue;
      taken.insert(chain.begin(), chain.end());
      chains.push_back(chain);
    }
    for (auto [number, chain] : llvm::enumerate(chains))
      gather(entry, number, chain, /*block=*/1, extent,
             "; all images together would not stay in the third cache in between");
  }

  /// Moves what waits to the stage in which it is read, or to the one before.
  static void letWait(func::FuncOp entry, llvm::DenseMap<Value, int64_t> &stages,
                      const llvm::DenseMap<Value, bool> &sliced) {
    llvm::DenseSet<Operation *> waiting = getWaiting(entry, /*stateWaits=*/false);
    for (Operation &op : llvm::reverse(entry.getBody().front())) {
      bool waits = isa<ReshapeOp>(op) ? waiting.contains(getOwner(op.getResult(0)).getDefiningOp())
                                      : waiting.contains(&op);
      if (!waits)
        continue;
      std::optional<int64_t> latest;
      for (Value result : op.getResults())
        for (Operation *user : result.getUsers()) {
          if (!isa<GroupOp, ReshapeOp>(user))
            continue;
          bool together =
              isa<ReshapeOp>(user) || (sliced.lookup(result) && sliced.lookup(user->getResult(0)));
          int64_t stage = stages.at(user->getResult(0)) - (together ? 0 : 1);
          latest = std::min(latest.value_or(stage), stage);
        }
      if (latest)
        for (Value result : op.getResults())
          stages[result] = *latest;
    }
  }

  /// Whether the group sums over other slices than these: its algorithm cuts the work otherwise.
  static bool sumsElsewhere(GroupOp group, int64_t count) {
    return llvm::any_of(group.getOps<ConvWeightGradOp>(), [&](ConvWeightGradOp grad) {
      return grad.getWinograd() != 0 && static_cast<int64_t>(grad.getSlices()) != count;
    });
  }

  /// Moves `ops` into one outer group at the place of the last of them; what depends on the outer
  /// group moves behind it.
  void gather(func::FuncOp entry, int64_t stage, ArrayRef<Operation *> ops, int64_t block,
              int64_t count, StringRef why = "") {
    llvm::SetVector<Operation *> inside(ops.begin(), ops.end());
    llvm::SetVector<Value> inputs, leaving, results;
    for (Operation *op : ops) {
      for (Value operand : op->getOperands())
        if (!inside.contains(operand.getDefiningOp()))
          inputs.insert(operand);
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUsers(),
                         [&](Operation *user) { return !inside.contains(user); }))
          leaving.insert(result);
    }
    // A buffer leaves once: other shapes of what it holds are given to it behind the outer group.
    llvm::DenseMap<Value, unsigned> shapes;
    for (Value result : leaving)
      ++shapes[getOwner(result)];
    for (Value result : leaving)
      if (Value owner = getOwner(result); shapes.at(owner) == 1)
        results.insert(result);
      else if (inside.contains(owner.getDefiningOp()))
        results.insert(owner);
    OpBuilder b(ops.back());
    SmallVector<Location> locs;
    for (Operation *op : ops)
      locs.push_back(op->getLoc());
    OperationState state(b.getFusedLoc(locs), GroupOp::getOperationName());
    state.addOperands(inputs.getArrayRef());
    for (Value result : results)
      state.addTypes(result.getType());
    state.addAttribute("name", b.getStringAttr(entry.getName() + ".slices" +
                                               (stage ? std::to_string(stage) : std::string())));
    state.addAttribute("schedule", SliceScheduleAttr::get(&getContext(), block, count, {}));
    std::string reason = "each of " + std::to_string(ops.size()) +
                         " members needs only the images of its slice; all run on a slice of " +
                         std::to_string(block) + " before the next" + why.str();
    state.addAttribute("reason", b.getStringAttr(reason));
    Block &body = state.addRegion()->emplaceBlock();
    IRMapping map;
    for (Value input : inputs)
      map.map(input, body.addArgument(input.getType(), input.getLoc()));
    OpBuilder inner(&getContext());
    inner.setInsertionPointToStart(&body);
    for (Operation *op : ops) {
      inner.clone(*op, map);
      ++numMembers;
    }
    SmallVector<Value> yielded;
    for (Value result : results)
      yielded.push_back(map.lookup(result));
    YieldOp::create(inner, state.location, yielded);
    Operation *outer = b.create(state);
    if (llvm::all_of(ops, [](Operation *op) { return op->hasAttr(recomputedAttr); }))
      outer->setAttr(recomputedAttr, b.getUnitAttr());
    IRMapping behind;
    llvm::SetVector<Operation *> made;
    made.insert(outer);
    for (auto [from, to] : llvm::zip(results.getArrayRef(), outer->getResults()))
      behind.map(from, to);
    for (Operation *op : ops)
      if (auto reshape = dyn_cast<ReshapeOp>(op);
          reshape && shapes.lookup(getOwner(reshape.getResult())) > 1)
        made.insert(b.clone(*op, behind));
    for (Value result : leaving)
      result.replaceAllUsesWith(behind.lookup(result));
    for (Operation *op : llvm::reverse(ops))
      op->erase();
    // Users that stood between the members move behind, in their order.
    Block &entryBlock = entry.getBody().front();
    llvm::SetVector<Operation *> late;
    for (Operation &op : entryBlock) {
      if (&op == outer)
        break;
      bool depends = llvm::any_of(op.getOperands(), [&](Value operand) {
        return made.contains(operand.getDefiningOp()) || late.contains(operand.getDefiningOp());
      });
      if (depends)
        late.insert(&op);
    }
    Operation *after = made.back();
    for (Operation *op : late) {
      op->moveAfter(after);
      after = op;
    }
  }

  Machine machine;
};
} // namespace
