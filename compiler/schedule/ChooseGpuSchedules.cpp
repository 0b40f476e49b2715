//===- ChooseGpuSchedules.cpp - Choose how a GPU computes every group ------------------------===//
//
// In: groups of phase `fused`. Out: the same with `#cnn.gpu_schedule` and reasons. Next: Plan.cpp.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/GpuSchedule.h"
#include "compiler/schedule/Overrides.h"
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Results.h"
#include "compiler/schedule/Schedules.h"

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
    SmallVector<std::string> texts(overrides.begin(), overrides.end());
    FailureOr<SmallVector<Override>> asked = parseOverrides(module, texts);
    if (failed(asked))
      return signalPassFailure();
    for (auto entry : module.getOps<func::FuncOp>())
      if (entry.isPublic() && !entry.isDeclaration())
        copyResults(entry);
    WalkResult result = module.walk([&](GroupOp group) {
      return failed(schedule(group, *asked)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (result.wasInterrupted() || failed(checkUsed(module, *asked, {})))
      signalPassFailure();
  }

  LogicalResult schedule(GroupOp group, MutableArrayRef<Override> asked) {
    if (ScheduleSpace::whyNotForm(group, "gather").empty())
      ScheduleSpace::applyAlgorithm(group, "gather");
    FailureOr<GpuScheduleSpace> space = GpuScheduleSpace::get(group);
    if (failed(space))
      return failure();
    std::string reason;
    GpuSchedule chosen = space->choose(reason);
    SmallVector<const Override *> meant;
    auto fail = [&]() -> InFlightDiagnostic {
      InFlightDiagnostic error = group.emitError() << "group '" << group.getName() << "': ";
      for (const Override *override : meant)
        error.attachNote(override->getLoc(&getContext())) << "it is asked for here";
      return error;
    };
    for (Override &override : asked) {
      if (!override.matches(group, space->getInfo().anchor))
        continue;
      override.used = true;
      meant.push_back(&override);
      bool ofGroup = override.name == group.getName();
      if (failed(apply(override, *space, ofGroup, chosen, fail)))
        return failure();
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
    for (auto [key, value] : override.getParts()) {
      FailureOr<SmallVector<int64_t>> numbers = parseNumbers(value);
      if (key == "algorithm") {
        std::string why = space.whyNot(value);
        if (!why.empty() && (ofGroup || !GpuScheduleSpace::isAlgorithm(value)))
          return fail() << "algorithm '" << value << "' does not apply: " << why;
        if (why.empty())
          schedule = space.getDefault(value);
      } else if (key == "block" && succeeded(numbers) && numbers->size() == 1) {
        schedule.block = numbers->front();
      } else if (key == "tile" && succeeded(numbers)) {
        schedule.tile = *numbers;
        // The threads that it takes, where it is one.
        if (numbers->size() == 5 && (*numbers)[3] > 0 && (*numbers)[4] > 0 &&
            (*numbers)[0] % (*numbers)[3] == 0 && (*numbers)[1] % (*numbers)[4] == 0)
          schedule.block = (*numbers)[0] / (*numbers)[3] * ((*numbers)[1] / (*numbers)[4]);
      } else {
        return fail() << "override '" << key << ":" << value
                      << "' is none of algorithm:NAME, block:N and tile:NxNxNxNxN";
      }
    }
    return success();
  }
};
} // namespace
