//===- ChooseAlgorithms.cpp - Other algorithms in place of convolutions ----------------------===//
//
// In: inner groups with layouts. Out: the same, some convolutions in the parts of Winograd's
// algorithm. Next: SliceBatch.cpp.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/Overrides.h"
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Precision.h"
#include "compiler/schedule/Prepare.h"
#include "compiler/schedule/Schedules.h"
#include "compiler/schedule/Tuned.h"
#include "compiler/schedule/WeightGrad.h"
#include "compiler/schedule/Winograd.h"
#include "llvm/Support/FormatVariadic.h"

#include <array>
#include <optional>
#include <random>
#include <vector>

namespace mlir::cnn {
#define GEN_PASS_DEF_CHOOSEALGORITHMSPASS
#include "compiler/schedule/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

/// Of these, precision decides which are chosen unasked.
static constexpr int64_t convTiles[] = {2, 3, 4, 6};
static constexpr std::array<int64_t, 3> gradTiles = {2, 3, 4};

namespace {
struct ChooseAlgorithms : mlir::cnn::impl::ChooseAlgorithmsPassBase<ChooseAlgorithms> {
  using ChooseAlgorithmsPassBase::ChooseAlgorithmsPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<Machine> machine = Machine::get(module);
    SmallVector<std::string> texts(overrides.begin(), overrides.end());
    FailureOr<SmallVector<Override>> parsed = parseOverrides(module, texts);
    if (failed(machine) || failed(parsed))
      return signalPassFailure();
    asked = *parsed;
    problems.clear();
    if (auto bound = module->getAttrOfType<FloatAttr>(precisionAttr); bound && precision == 0)
      allowed = Precision(bound.getValueAsDouble());
    else
      allowed = Precision(precision);
    std::mt19937_64 random(seed);
    for (auto entry : module.getOps<func::FuncOp>())
      if (entry.isPublic() && !entry.isDeclaration()) {
        PreparedValues prepared(entry);
        for (GroupOp group : llvm::to_vector(entry.getOps<GroupOp>()))
          if (!group.isOuter() && failed(runOnGroup(group, prepared, *machine, random)))
            return signalPassFailure();
      }
    for (Problem &problem : problems)
      if (!problem.override->used) {
        InFlightDiagnostic error = problem.group.emitError()
                                   << "group '" << problem.group.getName() << "': algorithm '"
                                   << problem.algorithm << "' does not apply: " << problem.why;
        error.attachNote(problem.override->getLoc(&getContext())) << "it is asked for here";
        return signalPassFailure();
      }
  }

  LogicalResult runOnGroup(GroupOp group, const PreparedValues &prepared, const Machine &machine,
                           std::mt19937_64 &random) {
    FailureOr<GroupInfo> info = GroupInfo::get(group);
    if (failed(info))
      return failure();
    auto candidate = WinogradCandidate::get(group, *info, prepared, machine);
    auto grad = dyn_cast<ConvWeightGradOp>(info->anchor.getOperation());
    if (!candidate && (!grad || grad.getWinograd() != 0))
      return success();
    std::string algorithm;
    SmallVector<int64_t> inBlock;
    Override *from = nullptr;
    for (Override &override : asked) {
      // A weight's gradient is computed slice by slice in a group of its own.
      if (!override.matches(group, info->anchor) &&
          !(grad && group.getName() == override.name + ".slices"))
        continue;
      for (auto [key, value] : override.getParts()) {
        if (key == "algorithm") {
          algorithm = value.str();
          from = &override;
        }
        if (key != "blocks")
          continue;
        FailureOr<SmallVector<int64_t>> numbers = parseNumbers(value);
        if (failed(numbers) || numbers->size() != 2 ||
            llvm::any_of(*numbers, [](int64_t number) { return number < 1; }))
          return (group.emitError()
                  << "group '" << group.getName() << "': blocks are '" << value
                  << "', expected the rows and columns of tiles of a block, such as 1x4")
                     .attachNote(override.getLoc(&getContext()))
                 << "it is asked for here";
        inBlock = *numbers;
      }
    }
    std::optional<TunedChoice> tuned;
    if (algorithm.empty() && inBlock.empty() && seed < 0)
      tuned = getTunedAlgorithm(group);
    if (grad) {
      WeightGradCandidate gradient(group, grad, ScheduleSpace::getLanes(group, machine), machine);
      return chooseWeightGrad(group, gradient, algorithm, from, tuned, random);
    }
    auto error = [&](int64_t tile) { return candidate->getError(tile); };
    auto mayNot = [&](int64_t tile) {
      std::string why = candidate->whyNot(tile);
      return why.empty() ? allowed.whyNot(tile, error, candidate->isCoarse(tile)) : why;
    };
    if (algorithm.empty() && seed >= 0) {
      SmallVector<int64_t> possible = {0};
      for (int64_t tile : convTiles)
        if (mayNot(tile).empty())
          possible.push_back(tile);
      int64_t tile = possible[random() % possible.size()];
      if (tile == 0)
        return success();
      for ([[maybe_unused]] int axis : {0, 1})
        inBlock.push_back(1 + random() % 4);
      return replace(*candidate, candidate->plan(tile, inBlock));
    }
    if (std::optional<int64_t> tile = getTile(algorithm)) {
      std::string why = candidate->whyNot(*tile);
      if (why.empty()) {
        from->used = true;
        return replace(*candidate, candidate->plan(*tile, inBlock));
      }
      return noteProblem(group, from, algorithm, why);
    }
    if (!algorithm.empty() || seed >= 0)
      return success();
    std::optional<WinogradPlan> best;
    std::string refused, why;
    for (int64_t tile : convTiles) {
      if (!candidate->whyNot(tile).empty())
        continue;
      if (std::string problem = allowed.whyNot(tile, error, candidate->isCoarse(tile));
          !problem.empty()) {
        refused = refused.empty() ? problem : refused;
        continue;
      }
      WinogradPlan plan = candidate->plan(tile, inBlock);
      if (!best || plan.cycles < best->cycles)
        best = plan;
    }
    noteRefused(group, refused);
    bool faster = best && candidate->isFaster(*best, why);
    if (std::string problem = candidate->whyNot(convTiles[0]); !best && !problem.empty())
      why = "winograd does not apply: " + problem;
    if (tuned && checkTuned(group, *tuned, mayNot)) {
      SmallVector<int64_t> blocks = tuned->getNumbers("blocks", 2).value_or(inBlock);
      return useTuned<WinogradPlan>(
          group, *tuned, faster ? best : std::nullopt, why,
          [&](int64_t tile) { return candidate->plan(tile, blocks); },
          [&](const WinogradPlan &plan) { return replace(*candidate, plan); });
    }
    if (faster)
      return replace(*candidate, *best);
    if (!why.empty())
      group.addReason(why);
    return success();
  }

  /// Takes what was measured; the reason also has what the cost model would have taken (`best`), or
  /// why it would have taken the direct algorithm.
  template <typename Plan>
  static LogicalResult useTuned(GroupOp group, const TunedChoice &tuned,
                                const std::optional<Plan> &best, const std::string &why,
                                function_ref<Plan(int64_t)> makePlan,
                                function_ref<LogicalResult(const Plan &)> use) {
    std::optional<int64_t> tile = getTile(tuned.getAlgorithm());
    std::string estimated = best ? getEstimate(best->tile, best->cycles) : why;
    auto with = [&](bool more) { return more && !estimated.empty() ? "; " + estimated : ""; };
    if (!tile) {
      group.addReason(tuned.reason + with(true));
      return success();
    }
    Plan plan = makePlan(*tile);
    plan.reason = tuned.reason + "; " + plan.reason + with(!best || best->tile != *tile);
    return use(plan);
  }

  /// Tells of the algorithm that the precision rules out; without one, tiles of 6 are as a rule.
  void noteRefused(GroupOp group, StringRef refused) {
    if (allowed.isBounded() && !refused.empty())
      group.addReason(refused);
  }

  /// What the cost model says where something else was measured to be better.
  static std::string getEstimate(int64_t tile, double cycles) {
    return llvm::formatv("the cost model has {0}: {1:f0} cycles estimated",
                         WeightGradSpace::getName(tile), cycles)
        .str();
  }

  /// Whether what was measured applies; else the group's reason says why it does not.
  static bool checkTuned(GroupOp group, const TunedChoice &tuned,
                         llvm::function_ref<std::string(int64_t)> whyNot) {
    StringRef algorithm = tuned.getAlgorithm();
    std::optional<int64_t> tile = getTile(algorithm);
    std::string why;
    if (tile)
      why = whyNot(*tile);
    else if (!llvm::is_contained({"direct", "scatter", "gather"}, algorithm))
      why = "there is no such algorithm";
    if (why.empty())
      return true;
    group.addReason("'" + algorithm + "' is stored as measured and does not apply: " + why);
    return false;
  }

  /// The tiles of `winogradN`, or of steps without transforms: 0 where N is no size; none for other
  /// algorithms.
  static std::optional<int64_t> getTile(StringRef algorithm) {
    int64_t tile = 0;
    if (algorithm == WeightGradSpace::getName(plainTile))
      return plainTile;
    if (!algorithm.consume_front("winograd"))
      return std::nullopt;
    return algorithm.getAsInteger(10, tile) || tile == plainTile ? 0 : tile;
  }

  /// Of all convolutions, those are meant to which an algorithm applies; there must be one.
  LogicalResult noteProblem(GroupOp group, Override *from, StringRef algorithm, StringRef why) {
    problems.push_back({from, group, algorithm.str(), why.str()});
    group.addReason(algorithm + " does not apply: " + why);
    return success();
  }

  LogicalResult chooseWeightGrad(GroupOp group, WeightGradCandidate &candidate, StringRef algorithm,
                                 Override *from, const std::optional<TunedChoice> &tuned,
                                 std::mt19937_64 &random) {
    auto use = [&](const WeightGradCandidate::Plan &plan) {
      candidate.rewrite(plan);
      ++numWinograd;
      return success();
    };
    if (std::optional<int64_t> tile = getTile(algorithm)) {
      if (std::string why = candidate.whyNot(*tile); !why.empty())
        return noteProblem(group, from, algorithm, why);
      from->used = true;
      return use(candidate.plan(*tile));
    }
    if (!algorithm.empty())
      return success();
    auto error = [&](int64_t tile) { return candidate.getError(tile); };
    auto mayNot = [&](int64_t tile) {
      std::string why = candidate.whyNot(tile);
      return why.empty() && tile != plainTile ? allowed.whyNot(tile, error) : why;
    };
    if (seed >= 0) {
      SmallVector<int64_t> possible = {0};
      for (int64_t tile : {plainTile, gradTiles[0], gradTiles[1], gradTiles[2]})
        if (mayNot(tile).empty())
          possible.push_back(tile);
      int64_t tile = possible[random() % possible.size()];
      return tile == 0 ? success() : use(candidate.plan(tile));
    }
    std::optional<WeightGradCandidate::Plan> best;
    std::string refused, why;
    SmallVector<int64_t> tiles(gradTiles.begin(), gradTiles.end());
    if (std::string problem = candidate.whyNot(gradTiles[0]); !problem.empty()) {
      group.addReason("winograd does not apply: " + problem);
      if (!candidate.whyNot(plainTile).empty())
        return success(); // Nothing was measured beside the direct algorithm.
      tiles = {plainTile};
    }
    for (int64_t tile : tiles) {
      if (std::string problem = mayNot(tile); !problem.empty()) {
        refused = refused.empty() ? problem : refused;
        continue;
      }
      WeightGradCandidate::Plan plan = candidate.plan(tile);
      if (!best || plan.cycles < best->cycles)
        best = plan;
    }
    noteRefused(group, refused);
    bool faster = best && candidate.isFaster(*best, why);
    if (tuned && checkTuned(group, *tuned, mayNot))
      return useTuned<WeightGradCandidate::Plan>(
          group, *tuned, faster ? best : std::nullopt, why,
          [&](int64_t tile) { return candidate.plan(tile); }, use);
    if (faster)
      return use(*best);
    if (!why.empty())
      group.addReason(why);
    return success();
  }

  LogicalResult replace(WinogradCandidate &candidate, const WinogradPlan &plan) {
    candidate.rewrite(plan);
    ++numWinograd;
    return success();
  }

  /// What was asked for and does not apply.
  struct Problem {
    Override *override;
    GroupOp group;
    std::string algorithm, why;
  };
  SmallVector<Override> asked;
  std::vector<Problem> problems;
  Precision allowed;
};
} // namespace
