//===- Overrides.h - What a user asks of schedules -------------------------------------------===//
//
// What `--set schedule.NAME=PART;PART` means, for every pass and every target:
//
//   A part is `KEY:VALUE`, or an algorithm's name alone. NAME is a group (`conv1.forward`), or an
//   operation (`conv`): all groups that compute it.
//   Key by key, what is asked for a group counts before what is asked for all of its kind, and of
//   several settings of one name the last. Parts beside an algorithm belong to it: they count where
//   it is the one that counts. Order matters in no other way.
//   What a named group cannot take is an error. Of a kind, those groups are meant that can take it,
//   and the others are as if nobody had asked; if there are none, a warning says so. Two things are
//   errors of a kind, too: an algorithm that the operation does not have, and loops (`tile`,
//   `order`, `vector`, ...) that are not legal for one of its groups.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_OVERRIDES_H
#define CNNC_COMPILER_SCHEDULE_OVERRIDES_H

#include "dialect/CnnDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SmallPtrSet.h"

#include <string>
#include <vector>

namespace mlir::cnn {

/// The keys of parts that several passes look at.
inline constexpr llvm::StringLiteral algorithmKey = "algorithm", blocksKey = "blocks",
                                     windowsKey = "windows", loadKey = "load";

/// A setting, `--set schedule.NAME=TEXT`, whose parts are well formed.
struct Override {
  struct Part {
    std::string key, value;
    /// The value, if it is numbers joined by `x`.
    SmallVector<int64_t> numbers;
  };
  std::string name, text;
  std::vector<Part> parts;
  bool used = false;

  /// The place of the setting: the argument of `--set`, which MlirDiagnostics finds.
  Location getLoc(MLIRContext *context) const;
  /// Whether the group is meant by its name. Where it only adds up what a group of parts has
  /// computed (`conv1.weight_grad.slices`), that one is meant by the name of both.
  bool names(GroupOp group) const;
  /// Whether the group, whose anchor is given, is meant by its name, its operation, or the name of
  /// the group that it repeats for the backward pass.
  bool matches(GroupOp group, Operation *anchor) const;
  /// The part with this key, of several the last; null for none.
  const Part *get(StringRef key) const;
};

/// What all settings together ask of one group: of each key one part.
class Asked {
public:
  struct Part {
    StringRef key, value;
    ArrayRef<int64_t> numbers;
    Override *from;
    /// The group was named, so what it cannot take is an error.
    bool isOwn;
  };

  /// By the settings of `overrides` that match the group: they are used then. They live longer, and
  /// lie in the order of parseOverrides().
  Asked(MutableArrayRef<Override> overrides, GroupOp group, Operation *anchor)
      : Asked(overrides, group,
              [&](const Override &override) { return override.matches(group, anchor); }) {}
  /// By those that are meant for the group, or for something beside it.
  Asked(MutableArrayRef<Override> overrides, GroupOp group,
        function_ref<bool(const Override &)> isMeant);

  /// The part with this key; null where nothing is asked.
  const Part *get(StringRef key) const;
  ArrayRef<Part> getParts() const { return parts; }
  /// Leaves out what a setting asks for: the group cannot take its algorithm.
  void drop(const Override *override);
  /// Says in notes of an error which settings there are.
  void addNotes(InFlightDiagnostic &error, MLIRContext *context) const;

private:
  std::vector<Part> parts;
};

/// The reason for what settings have chosen: `asked for: winograd4;blocks:1x4`.
std::string getAskedReason(ArrayRef<Override *> overrides);

/// Algorithms that were asked for, where they were refused and whether they were taken elsewhere: a
/// setting may be meant for groups of several entry points.
class Refusals {
public:
  /// `hint` says what the group can take.
  void refuse(const Asked::Part &part, GroupOp group, const Twine &why, const Twine &hint = "");
  void take(const Asked::Part &part) { taken.insert(part.from); }
  /// Of settings that no group has taken, fails with an error at the first that names a group, and
  /// warns of those that name an operation.
  LogicalResult report() const;

private:
  /// The group itself may be another by the time of the report, or none.
  struct Refusal {
    Location loc;
    std::string group, algorithm, why, hint;
    bool isOwn;
    unsigned count = 1;
  };
  llvm::MapVector<const Override *, Refusal> refused;
  llvm::SmallPtrSet<const Override *, 4> taken;
};

/// The name of the group, or of the one that it repeats for the backward pass: `conv1.forward` of
/// `conv1.recompute`. Both are to compute the same bits, so what is asked for one is for both.
std::string getRepeatedName(GroupOp group);

/// The place of `--set schedule.SETTING`.
Location getSettingLoc(MLIRContext *context, const Twine &setting);

/// Reads all, in the order in which they count: the last that fits. A located error with a hint,
/// and failure, for one that has not the form above, or has a part that schedules of the module's
/// target do not have.
FailureOr<SmallVector<Override>> parseOverrides(ModuleOp module, ArrayRef<std::string> texts);

/// Reads what is stored for a group of a CPU; failure where it is not well formed.
FailureOr<Override> parseStored(GroupOp group, StringRef text);

/// Fails, with an error at the first of them, where an override names neither a group of the module
/// nor an operation; the hint is the nearest name, also among `settings`. A warning says of which
/// operations there are no groups.
LogicalResult checkUsed(ModuleOp module, ArrayRef<Override> overrides,
                        ArrayRef<StringRef> settings);

/// Fails, with an error at `--set schedule.layout`, where there is no such layout.
LogicalResult checkLayout(MLIRContext *context, StringRef layout, ArrayRef<StringRef> known);

/// The name among `candidates` that is near to `name` and nearest, of several the last; empty if
/// none is.
StringRef findNearest(StringRef name, ArrayRef<StringRef> candidates);

/// The names as an enumeration: `direct, gather and scatter`.
std::string joinNames(ArrayRef<std::string> names, StringRef last = "and");

/// Numbers joined by `x`; failure for anything else.
FailureOr<SmallVector<int64_t>> parseNumbers(StringRef text);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_OVERRIDES_H
