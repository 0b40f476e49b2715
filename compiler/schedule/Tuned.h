//===- Tuned.h - What was measured for the groups of an entry point --------------------------===//
//
// Contract between `cnnc --tune`, which measures, the phases, which find what is stored, and the
// choices of algorithms and schedules, which follow it where nobody asks for something else. On an
// entry point up to phase `scheduled`:
//
//   cnn.tuned = {algorithms = {conv1.forward = ["winograd4;blocks:1x4", "measured: ..."]},
//                schedules = {linear1.forward = ["direct;tile:1x24x4", "measured: ..."]}}
//
//   cnn.tuned_layout = ["channels", "measured: ..."]
//
// The layout, if any, is one that `schedule.layout` takes. Algorithms go by the groups of phase
// `fused`, schedules by the groups that algorithms make of them. What does not apply is left out,
// with a reason: a stored result is no demand.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_TUNED_H
#define CNNC_COMPILER_SCHEDULE_TUNED_H

#include "compiler/schedule/Schedules.h"

#include <optional>
#include <string>

namespace mlir::cnn {

inline constexpr llvm::StringLiteral tunedAttr = "cnn.tuned";
inline constexpr llvm::StringLiteral tunedLayoutAttr = "cnn.tuned_layout";
inline constexpr llvm::StringLiteral tunedAlgorithms = "algorithms", tunedSchedules = "schedules";

/// What was measured to be best, and the text of the reason.
struct TunedChoice {
  std::string choice, reason;

  /// The algorithm: the part of the choice without a colon; empty where there is none.
  StringRef getAlgorithm() const;
  /// The numbers behind `key:`; none where it is missing or not of `count` numbers from 1.
  std::optional<SmallVector<int64_t>> getNumbers(StringRef key, size_t count) const;
};

/// What was measured of a group; none where nothing was. A weight's gradient that is computed slice
/// by slice in a group of its own has the algorithm of the group that sums over the slices.
std::optional<TunedChoice> getTunedAlgorithm(GroupOp group);
std::optional<TunedChoice> getTunedSchedule(GroupOp group);

/// The schedules nearest to `best`, which is of `space`, with other register tiles: at most
/// `count`, the cheapest first by the cost model. What measuring tries beside it.
SmallVector<NestSchedule> getAlternatives(const ScheduleSpace &space, const NestSchedule &best,
                                          unsigned count);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_TUNED_H
