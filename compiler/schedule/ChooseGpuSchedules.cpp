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
    if (layout != "auto" && layout != "plain" && layout != "channels") {
      emitError(getSettingLoc(&getContext(), "layout=" + layout))
          << "unknown layout '" << layout << "', expected auto, plain or channels";
      return signalPassFailure();
    }
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
    if (result.wasInterrupted() || failed(checkUsed(module, *asked, {"precision"})))
      signalPassFailure();
  }

  /// Gathers the gradient of a convolution's input where the stride is 1. With another stride all
  /// phases together are a product of which some factors are zeros; threads with a point each leave
  /// these out, which is better where there is too little to multiply for tiles.
  LogicalResult chooseForm(GroupOp group, ArrayRef<Override> asked) {
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
    bool isAsked = llvm::any_of(asked, [&](const Override &override) {
      return isMeant(override, group, anchor) && llvm::any_of(override.getParts(), [](auto part) {
               return part.first == "instruction" || part.second == "contraction";
             });
    });
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
    for (Override &override : asked) {
      if (!isMeant(override, group, info.anchor))
        continue;
      for (auto [key, value] : override.getParts()) {
        // Only whole results can be pooled.
        if (can && key == "split" && value != "1") {
          apart = true;
          reason = "apart from the pooling: asked for: " + override.text;
        }
        if (key != "pool")
          continue;
        override.used = true;
        bool isKnown = value == "apart" || value == "with";
        if (!can && isKnown && override.name != group.getName())
          continue; // of an operation, those are meant that it applies to
        if (!can || !isKnown) {
          InFlightDiagnostic error = group.emitError()
                                     << "group '" << group.getName() << "': pool:" << value
                                     << " does not apply: "
                                     << (isKnown ? "it is no product that a pooling follows"
                                                 : "a pooling is computed 'with' its product or "
                                                   "'apart'");
          error.attachNote(override.getLoc(&getContext())) << "it is asked for here";
          return failure();
        }
        apart = value == "apart";
        reason = (apart ? "apart from the pooling: asked for: " : "with the pooling: asked for: ") +
                 override.text;
      }
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
    for (Override &override : asked) {
      if (!isMeant(override, group, info.anchor))
        continue;
      for (auto [key, value] : override.getParts()) {
        if (key == "algorithm" && value != "contraction")
          chosen = {};
        if (key != "split")
          continue;
        override.used = true;
        std::string why = "'" + info.anchor->getName().stripDialect().str() + "' is no sum";
        if (can)
          why = space.findSplit(value, chosen);
        // Of an operation, those are meant that it applies to.
        if (int64_t parts = 0; !why.empty() && override.matches(group, info.anchor) &&
                               override.name != group.getName() && !value.getAsInteger(10, parts) &&
                               parts > 0)
          continue;
        if (!why.empty()) {
          InFlightDiagnostic error = group.emitError()
                                     << "group '" << group.getName() << "': split:" << value
                                     << " does not apply: " << why;
          error.attachNote(override.getLoc(&getContext())) << "it is asked for here";
          return failure();
        }
        reason = "asked for: " + override.text;
      }
    }
    if (chosen.parts == 1)
      return success();
    auto [sums, rest] = splitSums(group, info, chosen.dim, chosen.parts);
    sums.addReason("each sum in " + std::to_string(chosen.parts) + " parts: " + reason);
    rests.insert(rest);
    return success();
  }

  /// Whether the group is meant by an override. What is asked for by the name of a group that was
  /// taken apart is meant for its product.
  bool isMeant(const Override &override, GroupOp group, Operation *anchor) const {
    if (rests.contains(group))
      return override.name != group.getName() && override.matches(group, anchor);
    StringRef name = group.getName();
    bool isPart = name.consume_back(".slices");
    isPart |= name.consume_back(".product");
    return override.matches(group, anchor) || (isPart && name == override.name);
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
    SmallVector<const Override *> meant;
    auto fail = [&]() -> InFlightDiagnostic {
      InFlightDiagnostic error = group.emitError() << "group '" << group.getName() << "': ";
      for (const Override *override : meant)
        error.attachNote(override->getLoc(&getContext())) << "it is asked for here";
      return error;
    };
    Operation *named = getNamed(space->getInfo());
    for (Override &override : asked) {
      if (!isMeant(override, group, named))
        continue;
      override.used = true;
      meant.push_back(&override);
      bool ofGroup = override.name == group.getName() || !override.matches(group, named);
      if (failed(apply(override, *space, ofGroup, chosen, fail)))
        return failure();
      if (llvm::any_of(override.getParts(),
                       [](auto part) { return part.first != "windows" && part.first != loadKey; }))
        reason = "asked for: " + override.text;
    }
    if (failed(space->verify(chosen, fail)))
      return failure();
    group.setScheduleAttr(chosen.toAttr(&getContext()));
    group.addReason(reason);
    ++numGroups;
    return success();
  }

  /// `ofGroup`: the override is for this group, not for all of an operation, of which those are
  /// meant that it applies to.
  LogicalResult apply(const Override &override, const GpuScheduleSpace &space, bool ofGroup,
                      GpuSchedule &schedule, function_ref<InFlightDiagnostic()> fail) {
    auto parts = override.getParts();
    // The others change what these two give.
    for (auto [key, value] : parts) {
      if (key != "algorithm")
        continue;
      std::string why = space.whyNot(value);
      if (!why.empty() && (ofGroup || !GpuScheduleSpace::isAlgorithm(value)))
        return fail() << "algorithm '" << value << "' does not apply: " << why;
      if (!why.empty())
        return success();
      schedule = space.getDefault(value);
    }
    for (auto [key, value] : parts) {
      if (key != "instruction")
        continue;
      std::string why = space.whyNot("contraction");
      if (!why.empty() && ofGroup)
        return fail() << "algorithm 'contraction' does not apply: " << why;
      if (!why.empty())
        return success();
      if (why = space.whyNotInstruction(value); !why.empty())
        return fail() << "instruction '" << value << "' does not apply: " << why;
      schedule = space.getContractionDefault(value);
    }
    for (auto [key, value] : parts) {
      FailureOr<SmallVector<int64_t>> numbers = parseNumbers(value);
      bool single = succeeded(numbers) && numbers->size() == 1;
      if (llvm::is_contained({"algorithm", "instruction", "split", "pool"}, key) || key == loadKey)
        continue;
      if (key == "windows" && succeeded(numbers) && numbers->size() == 2)
        continue; // cnn-fuse-moments will.
      if (key == "block" && single) {
        schedule.block = numbers->front();
      } else if (key == "vector" && single) {
        schedule.vector = numbers->front();
      } else if (key == "stages" && single) {
        schedule.stages = numbers->front();
      } else if (key == "tile" && succeeded(numbers)) {
        schedule.tile = *numbers;
        if (int64_t threads = schedule.getTileThreads())
          schedule.block = threads;
      } else {
        return fail()
               << "override '" << key << ":" << value
               << "' is none of algorithm:NAME, block:N, vector:N, tile:NxNxNxNxN, "
                  "instruction:NAME, stages:N, split:N, pool:with|apart, load:through|stored and "
                  "windows:NxN";
      }
    }
    return success();
  }

  /// The largest relative error of instructions that are chosen unasked.
  double bound = 0;
  /// What is left of groups that were taken apart.
  llvm::SmallPtrSet<Operation *, 8> rests;
};
} // namespace
