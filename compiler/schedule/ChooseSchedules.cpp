//===- ChooseSchedules.cpp - Choose the schedule of every group ------------------------------===//
//
// In: groups with layouts. Out: the same with `#cnn.nest` schedules and reasons. Next: Plan.cpp.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/Overrides.h"
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Prologue.h"
#include "compiler/schedule/Schedules.h"
#include "compiler/schedule/SplitGroup.h"
#include "compiler/schedule/Tuned.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"

namespace mlir::cnn {
#define GEN_PASS_DEF_CHOOSESCHEDULESPASS
#include "compiler/schedule/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

/// Sums of a whole tensor of at least so many elements, some ten microseconds, are split for the
/// cores.
static constexpr int64_t leastSplit = 1 << 16, mostParts = 64;

namespace {
struct ChooseSchedules : mlir::cnn::impl::ChooseSchedulesPassBase<ChooseSchedules> {
  using ChooseSchedulesPassBase::ChooseSchedulesPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<Machine> machine = Machine::get(module);
    if (failed(machine))
      return signalPassFailure();
    SmallVector<std::string> texts(overrides.begin(), overrides.end());
    FailureOr<SmallVector<Override>> parsed = parseOverrides(module, texts);
    if (failed(parsed))
      return signalPassFailure();
    asked = *parsed;
    // A group that cnn-read-through was asked for may be gone.
    llvm::erase_if(asked, [](const Override &override) {
      return llvm::all_of(override.getParts(), [](auto part) { return part.first == loadKey; });
    });
    SmallVector<GroupOp> groups;
    module.walk([&](GroupOp group) {
      if (!group.isOuter() && !isa<GroupOp>(group->getParentOp()))
        groups.push_back(group);
    });
    for (GroupOp group : groups)
      if (failed(splitTotal(group)))
        return signalPassFailure();
    std::mt19937_64 random(seed);
    bool ok = true;
    module.walk([&](GroupOp group) {
      if (ok && !group.isOuter())
        ok = succeeded(schedule(group, *machine, random));
    });
    if (!ok || failed(checkUsed(module, asked, {"layout", "precision", "seed", "tuned"})))
      signalPassFailure();
  }

  /// A sum of a whole tensor would be one work item: splits it into as many as the first dimension
  /// gives.
  static LogicalResult splitTotal(GroupOp group) {
    FailureOr<GroupInfo> info = GroupInfo::get(group);
    if (failed(info))
      return failure();
    const Nest &nest = info->nest;
    unsigned dim = nest.numParallel;
    ArrayRef<int64_t> all(nest.sizes);
    if (dim == all.size() || ShapedType::getNumElements(all.take_front(dim)) > 1 ||
        ShapedType::getNumElements(all.drop_front(dim)) < leastSplit || !canSplitSums(*info))
      return success();
    int64_t parts = 1;
    for (int64_t part = 2; part <= mostParts; ++part)
      if (all[dim] % part == 0)
        parts = part;
    if (parts == 1)
      return success();
    auto [sums, rest] = splitSums(group, *info, dim, parts);
    sums.addReason(llvm::formatv("one sum in {0} parts, a work item to each", parts).str());
    return success();
  }

  LogicalResult schedule(GroupOp group, const Machine &machine, std::mt19937_64 &random) {
    bool sliced = isa<GroupOp>(group->getParentOp());
    SmallVector<const Override *> meant;
    auto fail = [&]() -> InFlightDiagnostic {
      InFlightDiagnostic error = group.emitError() << "group '" << group.getName() << "': ";
      for (const Override *override : meant)
        error.attachNote(override->getLoc(&getContext())) << "it is asked for here";
      return error;
    };
    std::string algorithmReason = ScheduleSpace::chooseForm(group);
    FailureOr<ScheduleSpace> space = ScheduleSpace::get(group, machine, sliced);
    if (failed(space))
      return failure();
    std::string reason;
    NestSchedule chosen = seed >= 0 ? space->chooseRandom(random) : space->choose(reason);
    if (seed >= 0)
      reason = "drawn at random";
    for (Override &override : asked) {
      if (!override.matches(group, space->getInfo().anchor))
        continue;
      override.used = true;
      meant.push_back(&override);
      std::string before = chosen.algorithm;
      if (failed(apply(override, group, chosen, fail)))
        return failure();
      if (chosen.algorithm != before) {
        // Another form has other loops: choose again, then apply what was asked for beside the
        // form.
        ScheduleSpace::applyAlgorithm(group, chosen.algorithm);
        space = ScheduleSpace::get(group, machine, sliced);
        if (failed(space))
          return failure();
        std::string form = chosen.algorithm;
        chosen = space->choose(reason);
        chosen.algorithm = form;
        if (failed(apply(override, group, chosen, fail)))
          return failure();
      }
      reason = "asked for: " + override.text;
    }
    if (meant.empty() && seed < 0 &&
        failed(applyTuned(group, machine, sliced, *space, chosen, reason)))
      return failure();
    if (failed(space->verify(chosen, fail)))
      return failure();
    group.setScheduleAttr(chosen.toAttr(&getContext()));
    // What cnn-choose-algorithms found stands first.
    group.addReason(algorithmReason + reason);
    ++numGroups;
    return success();
  }

  /// Takes what was measured, where it applies: the form of a convolution's data gradient, then the
  /// schedule.
  LogicalResult applyTuned(GroupOp group, const Machine &machine, bool sliced, ScheduleSpace &space,
                           NestSchedule &chosen, std::string &reason) {
    Operation *anchor = space.getInfo().anchor;
    if (std::optional<TunedChoice> form = getTunedAlgorithm(group);
        form && isa<ConvDataGradOp>(anchor)) {
      StringRef name = form->getAlgorithm();
      bool applies =
          (name == "scatter" || name == "gather") && ScheduleSpace::whyNotForm(group, name).empty();
      if (applies && name != chosen.algorithm) {
        ScheduleSpace::applyAlgorithm(group, name);
        FailureOr<ScheduleSpace> other = ScheduleSpace::get(group, machine, sliced);
        if (failed(other))
          return failure();
        space = *other;
        chosen = space.choose(reason);
      }
      // cnn-choose-algorithms tells of convolutions that have other algorithms, too.
      if (!group.getReason().value_or("").contains(form->reason))
        reason = form->reason + "; " + reason;
    }
    std::optional<TunedChoice> tuned = getTunedSchedule(group);
    if (!tuned)
      return success();
    NestSchedule wanted = chosen;
    if (auto number = tuned->getNumbers("alternative", 1)) {
      SmallVector<NestSchedule> others = getAlternatives(space, chosen, number->front());
      if (static_cast<int64_t>(others.size()) == number->front())
        chosen = others.back();
      return success();
    }
    ScopedDiagnosticHandler silence(&getContext(), [](Diagnostic &) { return success(); });
    auto fail = [&]() -> InFlightDiagnostic { return group.emitError(); };
    bool applies = tuned->getAlgorithm() == ScheduleSpace::getForm(anchor) &&
                   succeeded(apply({group.getName().str(), tuned->choice}, group, wanted, fail)) &&
                   succeeded(space.verify(wanted, fail));
    if (applies) {
      chosen = wanted;
      reason = tuned->reason + "; the cost model's: " + reason;
    } else {
      reason = "'" + tuned->choice + "' is stored as measured and does not apply; " + reason;
    }
    return success();
  }

  /// Whether the group only sums what a gradient's group gives, slice by slice, under its name.
  static bool sumsGradient(GroupOp group) {
    return llvm::any_of(group.getInputs(), [&](Value input) {
      auto from = input.getDefiningOp<GroupOp>();
      if (from && from.isOuter())
        from = from.getYield()
                   .getValues()[cast<OpResult>(input).getResultNumber()]
                   .getDefiningOp<GroupOp>();
      return from && from.getName() == (group.getName() + ".slices").str();
    });
  }

  LogicalResult apply(const Override &override, GroupOp group, NestSchedule &schedule,
                      function_ref<InFlightDiagnostic()> fail) {
    for (auto [key, value] : override.getParts()) {
      FailureOr<SmallVector<int64_t>> numbers = parseNumbers(value);
      bool valid = succeeded(numbers);
      // Asked of all convolutions: cnn-choose-algorithms has taken it where it applies.
      bool isRewritten =
          value.starts_with("winograd") || value == WeightGradSpace::getName(plainTile);
      if (key == "algorithm" && isRewritten &&
          (override.name != group.getName() || sumsGradient(group)))
        continue;
      // Not by Winograd's algorithm: which of the direct forms is left to the cost.
      if (key == "algorithm" && value == "direct" &&
          (schedule.algorithm == "gather" || schedule.algorithm == "scatter"))
        continue;
      if (std::string why = ScheduleSpace::whyNotForm(group, value);
          key == "algorithm" && !why.empty()) {
        if (override.name != group.getName())
          continue; // Asked of all, it is meant where it applies.
        return fail() << "algorithm '" << value << "' does not apply: " << why;
      }
      if (key == "algorithm")
        schedule.algorithm = value.str();
      else if (key == "tile" && valid)
        schedule.tile = *numbers;
      else if (key == "order" && valid)
        schedule.order = *numbers;
      else if (key == "vector" && valid && numbers->size() == 1)
        schedule.vector = numbers->front();
      else if (key == "chunk" && valid && numbers->size() == 1)
        schedule.chunk = numbers->front();
      else if (key == "collapse" && valid && numbers->size() == 1)
        schedule.collapse = numbers->front();
      else if ((key == "blocks" || key == "windows") && valid && numbers->size() == 2)
        continue; // Likewise, or cnn-fuse-moments will.
      else if (key == loadKey)
        continue; // So has cnn-read-through.
      else
        return fail() << "override '" << key << ":" << value
                      << "' is none of algorithm:NAME, vector:N, tile:NxN, order:NxN, chunk:N, "
                         "collapse:N, windows:NxN, load:through|stored, and for Winograd's "
                         "algorithms blocks:NxN";
    }
    return success();
  }

  SmallVector<Override> asked;
};
} // namespace
