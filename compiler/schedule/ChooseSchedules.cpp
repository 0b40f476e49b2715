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
    refusals = {};
    // A group that cnn-read-through was asked for may be gone.
    llvm::erase_if(asked, [](const Override &override) {
      return llvm::all_of(override.parts, [](auto &part) { return part.key == loadKey; });
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
    if (!ok || failed(refusals.report()) ||
        failed(checkUsed(module, asked, {"layout", "precision", "seed", "tuned"})))
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
    std::string algorithmReason = ScheduleSpace::chooseForm(group);
    FailureOr<ScheduleSpace> space = ScheduleSpace::get(group, machine, sliced);
    if (failed(space))
      return failure();
    Asked settings(asked, group, space->getInfo().anchor);
    auto fail = [&]() -> InFlightDiagnostic {
      InFlightDiagnostic error = group.emitError() << "group '" << group.getName() << "': ";
      settings.addNotes(error, &getContext());
      if (!settings.getParts().empty())
        error.attachNote() << "hint: --emit=scheduled, without the setting, shows a legal schedule "
                              "of the group";
      return error;
    };
    SmallVector<Override *> followed;
    if (const Asked::Part *algorithm = settings.get(algorithmKey)) {
      std::string before = ScheduleSpace::getForm(space->getInfo().anchor);
      if (followAlgorithm(group, space->getInfo().anchor, *algorithm))
        followed.push_back(algorithm->from);
      else
        settings.drop(algorithm->from);
      // Another form has other loops.
      if (ScheduleSpace::getForm(space->getInfo().anchor) != before)
        space = ScheduleSpace::get(group, machine, sliced);
      if (failed(space))
        return failure();
    }
    std::string reason;
    NestSchedule chosen = seed >= 0 ? space->chooseRandom(random) : space->choose(reason);
    if (seed >= 0)
      reason = "drawn at random";
    for (const Asked::Part &part : settings.getParts())
      if (apply(part.key, part.value, part.numbers, chosen) &&
          !llvm::is_contained(followed, part.from))
        followed.push_back(part.from);
    if (!followed.empty())
      reason = getAskedReason(followed);
    else if (seed < 0 && failed(applyTuned(group, machine, sliced, *space, chosen, reason)))
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
    FailureOr<Override> stored = parseStored(group, tuned->choice);
    bool applies = succeeded(stored) && tuned->getAlgorithm() == ScheduleSpace::getForm(anchor);
    if (applies)
      for (const Override::Part &part : stored->parts)
        apply(part.key, part.value, part.numbers, wanted);
    applies = applies && succeeded(space.verify(wanted, fail));
    if (applies) {
      chosen = wanted;
      reason = tuned->reason + "; the cost model's: " + reason;
    } else {
      reason = "'" + tuned->choice + "' is stored as measured and does not apply; " + reason;
    }
    return success();
  }

  /// Sets the form that is asked for, or sees that the group has the algorithm; false where it
  /// does not.
  bool followAlgorithm(GroupOp group, Operation *anchor, const Asked::Part &part) {
    std::string form = ScheduleSpace::getForm(anchor);
    bool hasForms = isa<ConvDataGradOp>(anchor);
    // Not by Winograd's algorithm: which of the direct forms is left to the cost.
    if (part.value == form || (hasForms && part.value == "direct")) {
      refusals.take(part);
      return true;
    }
    bool isForm = part.value == "gather" || part.value == "scatter";
    // Of all groups of a kind, cnn-choose-algorithms has asked those that have several algorithms.
    bool isConv = isa<ConvOp, ConvDataGradOp, ConvWeightGradOp>(anchor);
    if (!part.isOwn && !isForm && (isConv || part.from->name != anchor->getName().stripDialect()))
      return false;
    std::string why = ScheduleSpace::whyNotForm(group, part.value);
    if (!hasForms || !isForm)
      why = ("'" + anchor->getName().stripDialect() + "' has no algorithm '" + part.value +
             "'; it has " + form)
                .str();
    if (!why.empty()) {
      refusals.refuse(part, group, why, "'" + group.getName() + "' can take " + form);
      return false;
    }
    refusals.take(part);
    ScheduleSpace::applyAlgorithm(group, part.value);
    return true;
  }

  /// Sets what a part asks for, if it is one of a schedule; the others are for other passes.
  static bool apply(StringRef key, StringRef value, ArrayRef<int64_t> numbers,
                    NestSchedule &schedule) {
    if (key == "tile")
      schedule.tile.assign(numbers.begin(), numbers.end());
    else if (key == "order")
      schedule.order.assign(numbers.begin(), numbers.end());
    else if (key == "vector")
      schedule.vector = numbers.front();
    else if (key == "chunk")
      schedule.chunk = numbers.front();
    else if (key == "collapse")
      schedule.collapse = numbers.front();
    else
      return false;
    return true;
  }

  SmallVector<Override> asked;
  Refusals refusals;
};
} // namespace
