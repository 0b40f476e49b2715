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
static constexpr int64_t gradTiles[] = {2, 3, 4};

/// The tiles of the algorithms that an operation has beside the direct one.
static SmallVector<int64_t> getTiles(Operation *anchor) {
  if (isa<ConvOp, ConvDataGradOp>(anchor))
    return llvm::to_vector(convTiles);
  if (!isa<ConvWeightGradOp>(anchor))
    return {};
  SmallVector<int64_t> tiles = {plainTile};
  tiles.append(std::begin(gradTiles), std::end(gradTiles));
  return tiles;
}

/// The names of all algorithms of an operation.
static std::vector<std::string> getAlgorithms(Operation *anchor) {
  std::vector<std::string> names = {"direct"};
  if (isa<ConvDataGradOp>(anchor))
    names.insert(names.end(), {"gather", "scatter"});
  for (int64_t tile : getTiles(anchor))
    names.push_back(WeightGradSpace::getName(tile));
  return names;
}

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
    refusals = {};
    if (failed(checkAlgorithms(module)))
      return signalPassFailure();
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
    if (failed(refusals.report()))
      signalPassFailure();
  }

  /// Fails where an algorithm is asked for that the operation has on no layer.
  LogicalResult checkAlgorithms(ModuleOp module) {
    WalkResult result = module.walk([&](GroupOp group) {
      if (group.isOuter())
        return WalkResult::advance();
      FailureOr<GroupInfo> info = GroupInfo::get(group);
      if (failed(info))
        return WalkResult::interrupt();
      Operation *anchor = info->anchor;
      for (const Override &override : asked) {
        const Override::Part *part = override.get(algorithmKey);
        if (!part || !override.matches(group, anchor))
          continue;
        std::vector<std::string> known = getAlgorithms(anchor);
        if (llvm::is_contained(known, part->value))
          continue;
        StringRef op = anchor->getName().stripDialect();
        auto error = emitError(override.getLoc(&getContext()));
        error << "'" << op << "'"
              << (override.name == op ? "" : " of '" + group.getName().str() + "'")
              << " has no algorithm '" << part->value << "'; it has " << joinNames(known);
        std::vector<StringRef> names(known.begin(), known.end());
        if (StringRef near = findNearest(part->value, names); !near.empty())
          error.attachNote() << "hint: did you mean '" << near << "'?";
        else
          error.attachNote() << "hint: --emit=scheduled shows what each group takes, and why";
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
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
    std::optional<WeightGradCandidate> gradient;
    if (grad)
      gradient.emplace(group, grad, ScheduleSpace::getLanes(group, machine), machine);
    auto whyNot = [&](int64_t tile) {
      return grad ? gradient->whyNot(tile) : candidate->whyNot(tile);
    };
    Asked settings(asked, group, info->anchor);
    const Asked::Part *algorithm = settings.get(algorithmKey);
    std::optional<int64_t> wanted = algorithm ? getTile(algorithm->value) : std::nullopt;
    if (std::string why = wanted ? whyNot(*wanted) : ""; !why.empty()) {
      refuse(group, info->anchor, *algorithm, why, whyNot);
      settings.drop(algorithm->from);
      algorithm = nullptr;
      wanted = std::nullopt;
    }
    if (algorithm && !wanted)
      return success(); // cnn-choose-schedules will.
    if (algorithm)
      refusals.take(*algorithm);
    SmallVector<int64_t> inBlock;
    if (const Asked::Part *blocks = settings.get(blocksKey))
      inBlock.assign(blocks->numbers.begin(), blocks->numbers.end());
    std::optional<TunedChoice> tuned;
    if (!algorithm && inBlock.empty() && seed < 0)
      tuned = getTunedAlgorithm(group);
    if (grad)
      return chooseWeightGrad(group, *gradient, wanted, tuned, random);
    if (wanted)
      return replace(*candidate, candidate->plan(*wanted, inBlock));
    auto error = [&](int64_t tile) { return candidate->getError(tile); };
    auto mayNot = [&](int64_t tile) {
      std::string why = candidate->whyNot(tile);
      return why.empty() ? allowed.whyNot(tile, error, candidate->isCoarse(tile)) : why;
    };
    if (seed >= 0) {
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

  void refuse(GroupOp group, Operation *anchor, const Asked::Part &algorithm, StringRef why,
              function_ref<std::string(int64_t)> whyNot) {
    std::vector<std::string> others = {"direct"};
    for (int64_t tile : getTiles(anchor))
      if (whyNot(tile).empty())
        others.push_back(WeightGradSpace::getName(tile));
    refusals.refuse(algorithm, group, why,
                    "'" + group.getName() + "' can take " + joinNames(others));
    group.addReason(algorithm.value + " does not apply: " + why);
  }

  LogicalResult chooseWeightGrad(GroupOp group, WeightGradCandidate &candidate,
                                 std::optional<int64_t> wanted,
                                 const std::optional<TunedChoice> &tuned, std::mt19937_64 &random) {
    auto use = [&](const WeightGradCandidate::Plan &plan) {
      candidate.rewrite(plan);
      ++numWinograd;
      return success();
    };
    if (wanted)
      return use(candidate.plan(*wanted));
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
    SmallVector<int64_t> tiles = llvm::to_vector(gradTiles);
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

  SmallVector<Override> asked;
  Refusals refusals;
  Precision allowed;
};
} // namespace
