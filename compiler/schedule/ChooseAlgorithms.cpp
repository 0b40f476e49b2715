//===- ChooseAlgorithms.cpp - Other algorithms in place of convolutions
//-----------------------------===//
//
// In: inner groups with layouts. Out: the same, some convolutions in the parts of Winograd's
// algorithm. Next: SliceBatch.cpp.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/Overrides.h"
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Prepare.h"
#include "compiler/schedule/Winograd.h"

#include <optional>
#include <random>
#include <vector>

namespace mlir::cnn {
#define GEN_PASS_DEF_CHOOSEALGORITHMSPASS
#include "compiler/schedule/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

/// Those that are chosen unasked: tiles of 6 have two to four times the error of tiles of 4.
static constexpr int64_t defaultTiles[] = {2, 4};

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
    if (!candidate)
      return success();
    std::string algorithm;
    SmallVector<int64_t> inBlock;
    Override *from = nullptr;
    for (Override &override : asked) {
      if (!override.matches(group, info->anchor))
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
    if (algorithm.empty() && seed >= 0) {
      SmallVector<int64_t> possible = {0};
      for (int64_t tile : defaultTiles)
        if (candidate->whyNot(tile).empty())
          possible.push_back(tile);
      int64_t tile = possible[random() % possible.size()];
      if (tile == 0)
        return success();
      for ([[maybe_unused]] int axis : {0, 1})
        inBlock.push_back(1 + random() % 4);
      return replace(*candidate, candidate->plan(tile, inBlock));
    }
    StringRef name = algorithm;
    if (name.consume_front("winograd")) {
      int64_t tile = 0;
      if (name.getAsInteger(10, tile))
        tile = 0;
      std::string why = candidate->whyNot(tile);
      if (why.empty()) {
        from->used = true;
        return replace(*candidate, candidate->plan(tile, inBlock));
      }
      // Of all convolutions, those are meant to which it applies; there must be one.
      problems.push_back({from, group, algorithm, why});
      group.addReason(algorithm + " does not apply: " + why);
      return success();
    }
    if (!algorithm.empty() || seed >= 0)
      return success();
    std::string why = candidate->whyNot(defaultTiles[0]);
    std::optional<WinogradPlan> best;
    for (int64_t tile : defaultTiles) {
      if (!candidate->whyNot(tile).empty())
        continue;
      WinogradPlan plan = candidate->plan(tile, inBlock);
      if (!best || plan.cycles < best->cycles)
        best = plan;
    }
    if (best && candidate->isFaster(*best, why))
      return replace(*candidate, *best);
    group.addReason(best ? why : "winograd does not apply: " + why);
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
};
} // namespace
