//===- ChooseGpuSchedules.cpp - Choose how a GPU computes every group ------------------------===//
//
// In: groups of phase `fused`. Out: the same with `#cnn.gpu_schedule` and reasons. Next: Plan.cpp.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/GpuLayouts.h"
#include "compiler/schedule/GpuPrologues.h"
#include "compiler/schedule/GpuSchedule.h"
#include "compiler/schedule/Overrides.h"
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Precision.h"
#include "compiler/schedule/Prologue.h"
#include "compiler/schedule/Results.h"
#include "compiler/schedule/Schedules.h"
#include "compiler/schedule/SplitGroup.h"
#include "compiler/schedule/Strides.h"

namespace mlir::cnn {
#define GEN_PASS_DEF_CHOOSEGPUSCHEDULESPASS
#include "compiler/schedule/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

namespace {
struct ChooseGpuSchedules : mlir::cnn::impl::ChooseGpuSchedulesPassBase<ChooseGpuSchedules> {
  using ChooseGpuSchedulesPassBase::ChooseGpuSchedulesPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(checkLayout(&getContext(), layout, {"auto", "plain", "channels"})))
      return signalPassFailure();
    SmallVector<std::string> texts(overrides.begin(), overrides.end());
    FailureOr<SmallVector<Override>> asked = parseOverrides(module, texts);
    if (failed(asked))
      return signalPassFailure();
    bound = precision;
    if (auto attr = module->getAttrOfType<FloatAttr>(precisionAttr); attr && bound == 0)
      bound = attr.getValueAsDouble();
    for (auto entry : module.getOps<func::FuncOp>())
      if (entry.isPublic() && !entry.isDeclaration())
        copyResults(entry);
    rests.clear();
    refusals = {};
    auto forGroups = [&](function_ref<LogicalResult(GroupOp)> change) {
      SmallVector<GroupOp> groups;
      module.walk([&](GroupOp group) { groups.push_back(group); });
      return success(llvm::all_of(groups, [&](GroupOp group) { return succeeded(change(group)); }));
    };
    auto forEntries = [&](function_ref<LogicalResult(func::FuncOp)> change) {
      for (auto entry : module.getOps<func::FuncOp>())
        if (entry.isPublic() && !entry.isDeclaration() && failed(change(entry)))
          return failure();
      return success();
    };
    // How long products take follows from layouts, and where groups are taken apart, there are
    // tensors more.
    if (failed(forGroups([&](GroupOp group) { return chooseForm(group, *asked); })) ||
        failed(forEntries(
            [&](func::FuncOp entry) { return chooseGpuLayouts(entry, layout, bound); })) ||
        failed(forEntries(
            [&](func::FuncOp entry) { return chooseGpuPrologues(entry, *asked, bound); })) ||
        failed(forGroups([&](GroupOp group) { return splitPool(group, *asked); })) ||
        failed(forGroups([&](GroupOp group) { return splitDepth(group, *asked); })) ||
        failed(forEntries(followGpuLayouts)))
      return signalPassFailure();
    WalkResult result = module.walk([&](GroupOp group) {
      return failed(schedule(group, *asked)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (result.wasInterrupted() || failed(refusals.report()) ||
        failed(checkUsed(module, *asked, {"precision"})))
      signalPassFailure();
  }

  /// Gathers the gradient of a convolution's input where the stride is 1. With another stride all
  /// phases together are a product of which some factors are zeros; threads with a point each leave
  /// these out, which is better where there is too little to multiply for tiles.
  LogicalResult chooseForm(GroupOp group, MutableArrayRef<Override> asked) {
    FailureOr<GpuScheduleSpace> given = GpuScheduleSpace::get(group);
    if (failed(given))
      return failure();
    if (!given->getInfo().nest.scatter || !ScheduleSpace::whyNotForm(group, "gather").empty())
      return success();
    Operation *anchor = NestOpInterface(given->getInfo().anchor);
    auto grad = dyn_cast<ConvDataGradOp>(anchor);
    if (!grad)
      return success();
    bool isUnit = true, isWhole = true;
    for (auto [stride, extent] :
         llvm::zip(grad.getStride(), getTensor(grad.getResult()).getShape().take_back(2))) {
      isUnit &= stride == 1;
      isWhole &= extent % stride == 0;
    }
    if (!isWhole)
      return success();
    Asked settings(asked, group, anchor);
    const Asked::Part *algorithm = settings.get(algorithmKey);
    bool isAsked = settings.get("instruction") || (algorithm && algorithm->value == "contraction");
    ScheduleSpace::applyAlgorithm(group, "gather");
    FailureOr<GpuScheduleSpace> gathered = GpuScheduleSpace::get(group);
    std::string reason;
    if (failed(gathered))
      return failure();
    if (!isUnit && !isAsked && gathered->choose(reason, bound).algorithm != "contraction")
      ScheduleSpace::applyAlgorithm(group, "scatter");
    return success();
  }

  /// Takes a product that a pooling follows apart from it where that is faster.
  LogicalResult splitPool(GroupOp group, MutableArrayRef<Override> asked) {
    FailureOr<GpuScheduleSpace> space = GpuScheduleSpace::get(group);
    if (failed(space))
      return failure();
    const GroupInfo &info = space->getInfo();
    bool can = info.pool && space->withoutPool().getContraction();
    std::string reason;
    bool apart = can && space->isFasterApart(bound, reason);
    Asked settings(asked, group, info.anchor);
    // Only whole results can be pooled.
    if (const Asked::Part *split = settings.get("split"); can && split && split->value != "1") {
      apart = true;
      reason = "apart from the pooling: " + getAskedReason(split->from);
    }
    const Asked::Part *pool = settings.get("pool");
    if (pool && can) {
      apart = pool->value == "apart";
      reason =
          (apart ? "apart from the pooling: " : "with the pooling: ") + getAskedReason(pool->from);
    } else if (pool && pool->isOwn) {
      return refuse(group, *pool, "it is no product that a pooling follows",
                    "asked of an operation, such as 'conv', it is meant where one follows");
    }
    if (!apart) {
      if (!reason.empty())
        group.addReason(reason);
      return success();
    }
    Operation *anchor = NestOpInterface(info.anchor);
    llvm::SmallPtrSet<Operation *, 8> firsts(info.epilogue.begin(), info.epilogue.end());
    firsts.insert(anchor);
    LayoutAttr layout = getResultLayout(info);
    auto [product, rest] =
        splitGroup(group, [&](Operation *op) { return firsts.contains(op); }, ".product");
    for (Value result : product.getResults())
      if (RankedTensorType type = getTensor(result);
          !layout.isPlain() && type.getRank() == static_cast<int64_t>(layout.getOrder().size()))
        result.setType(RankedTensorType::get(type.getShape(), type.getElementType(), layout));
    product.adoptTypes();
    rest.adoptTypes();
    product.addReason(reason);
    rests.insert(rest);
    return success();
  }

  /// Cuts sums of many points into several, which are then added up.
  LogicalResult splitDepth(GroupOp group, MutableArrayRef<Override> asked) {
    if (rests.contains(group))
      return success();
    FailureOr<GpuScheduleSpace> whole = GpuScheduleSpace::get(group);
    if (failed(whole))
      return failure();
    const GpuScheduleSpace &space = *whole;
    const GroupInfo &info = space.getInfo();
    bool can = canSplitSums(info);
    std::string reason;
    DepthSplit chosen = can ? space.chooseSplit(bound, reason) : DepthSplit();
    Asked settings(asked, group, info.anchor);
    if (const Asked::Part *algorithm = settings.get(algorithmKey);
        algorithm && algorithm->value != "contraction")
      chosen = {};
    if (const Asked::Part *split = settings.get("split")) {
      std::string why = "'" + info.anchor->getName().stripDialect().str() + "' is no sum";
      if (can)
        why = space.findSplit(split->value, chosen);
      if (why.empty())
        reason = getAskedReason(split->from);
      else if (split->isOwn)
        return refuse(group, *split, why,
                      "asked of an operation, such as 'conv_weight_grad', it is meant where it "
                      "divides the sums");
    }
    if (chosen.parts == 1)
      return success();
    auto [sums, rest] = splitSums(group, info, chosen.dim, chosen.parts);
    sums.addReason("each sum in " + std::to_string(chosen.parts) + " parts: " + reason);
    rests.insert(rest);
    return success();
  }

  /// Fails with an error: a group that was named cannot take a part.
  LogicalResult refuse(GroupOp group, const Asked::Part &part, const Twine &why,
                       const Twine &hint) {
    InFlightDiagnostic error = group.emitError()
                               << "group '" << group.getName() << "': " << part.key << ":"
                               << part.value << " does not apply: " << why;
    error.attachNote(part.from->getLoc(&getContext())) << "it is asked for here";
    error.attachNote() << "hint: " << hint;
    return failure();
  }

  /// The operation that overrides name: an anchor, or the one whose sums it has parts of.
  static Operation *getNamed(const GroupInfo &info) {
    Operation *anchor = NestOpInterface(info.anchor);
    auto partial = dyn_cast<PartialSumsOp>(anchor);
    return partial ? partial.getWhole().getOperation() : anchor;
  }

  LogicalResult schedule(GroupOp group, MutableArrayRef<Override> asked) {
    FailureOr<GpuScheduleSpace> space = GpuScheduleSpace::get(group);
    if (failed(space))
      return failure();
    std::string reason;
    GpuSchedule chosen = space->choose(reason, bound);
    Asked settings(asked, group, getNamed(space->getInfo()));
    auto fail = [&]() -> InFlightDiagnostic {
      InFlightDiagnostic error = group.emitError() << "group '" << group.getName() << "': ";
      settings.addNotes(error, &getContext());
      if (!settings.getParts().empty())
        error.attachNote() << "hint: --emit=scheduled, without the setting, shows a legal schedule "
                              "of the group";
      return error;
    };
    if (failed(follow(group, settings, *space, chosen, fail)))
      return failure();
    SmallVector<Override *> followed;
    for (const Asked::Part &part : settings.getParts())
      if (part.key != windowsKey && part.key != loadKey)
        followed.push_back(part.from);
    if (!followed.empty())
      reason = getAskedReason(followed);
    if (failed(space->verify(chosen, fail)))
      return failure();
    group.setScheduleAttr(chosen.toAttr(&getContext()));
    group.addReason(reason);
    ++numGroups;
    return success();
  }

  /// Sets what is asked for; leaves out of it what the group cannot take.
  LogicalResult follow(GroupOp group, Asked &settings, const GpuScheduleSpace &space,
                       GpuSchedule &schedule, function_ref<InFlightDiagnostic()> fail) {
    // The others change what these two give.
    if (const Asked::Part *algorithm = settings.get(algorithmKey)) {
      std::string why = space.whyNot(algorithm->value);
      if (!why.empty() && !GpuScheduleSpace::isAlgorithm(algorithm->value))
        return fail() << "algorithm '" << algorithm->value << "' does not apply: " << why;
      if (why.empty()) {
        refusals.take(*algorithm);
        schedule = space.getDefault(algorithm->value);
      } else {
        refusals.refuse(*algorithm, group, why,
                        "'" + group.getName() + "' can take " + schedule.algorithm);
        settings.drop(algorithm->from);
      }
    }
    if (const Asked::Part *instruction = settings.get("instruction")) {
      std::string why = space.whyNot("contraction");
      if (!why.empty() && instruction->isOwn)
        return fail() << "algorithm 'contraction' does not apply: " << why;
      if (!why.empty()) {
        settings.drop(instruction->from);
      } else {
        if (why = space.whyNotInstruction(instruction->value); !why.empty())
          return fail() << "instruction '" << instruction->value << "' does not apply: " << why;
        schedule = space.getContractionDefault(instruction->value);
      }
    }
    for (const Asked::Part &part : settings.getParts()) {
      if (part.key == "block") {
        schedule.block = part.numbers.front();
      } else if (part.key == "vector") {
        schedule.vector = part.numbers.front();
      } else if (part.key == "stages") {
        schedule.stages = part.numbers.front();
      } else if (part.key == "tile") {
        schedule.tile.assign(part.numbers.begin(), part.numbers.end());
        if (int64_t threads = schedule.getTileThreads())
          schedule.block = threads;
      }
    }
    return success();
  }

  /// The largest relative error of instructions that are chosen unasked.
  double bound = 0;
  /// What is left of groups that were taken apart.
  llvm::SmallPtrSet<Operation *, 8> rests;
  Refusals refusals;
};
} // namespace
