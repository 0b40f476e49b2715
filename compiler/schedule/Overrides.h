//===- Overrides.h - What a user asks of schedules -------------------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_OVERRIDES_H
#define CNNC_COMPILER_SCHEDULE_OVERRIDES_H

#include "dialect/CnnDialect.h"
#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace mlir::cnn {

/// `name=key:value;key:value`, or `name=algorithm`: parts of the schedules of the group `name`, or
/// of all groups that compute the operation `name`. Of several that fit a group the last one
/// counts, its own before those of its operation.
struct Override {
  std::string name, text;
  bool used = false;

  /// The place of the override: the argument `--set schedule.NAME=TEXT`, which MlirDiagnostics
  /// finds.
  Location getLoc(MLIRContext *context) const;
  /// Whether the group, whose anchor is given, is meant; a copy for the backward pass is, too,
  /// where the group is that it repeats.
  bool matches(GroupOp group, Operation *anchor) const;
  /// The parts as pairs of key and value; a part without a colon is `algorithm`.
  SmallVector<std::pair<StringRef, StringRef>> getParts() const;
};

/// The name of the group, or of the one that it repeats for the backward pass: `conv1.forward` of
/// `conv1.recompute`. Both are to compute the same bits, so what is asked for one is for both.
std::string getRepeatedName(GroupOp group);

/// The place of `--set schedule.SETTING`.
Location getSettingLoc(MLIRContext *context, const Twine &setting);

/// Reads all; a located error and failure for one that has not the form above.
FailureOr<SmallVector<Override>> parseOverrides(ModuleOp module, ArrayRef<std::string> texts);

/// Fails, with an error at the first of them, where an override names neither a group of the module
/// nor an operation of one; the hint is the nearest name, also among `settings`.
LogicalResult checkUsed(ModuleOp module, ArrayRef<Override> overrides,
                        ArrayRef<StringRef> settings);

/// Numbers joined by `x`; failure for anything else.
FailureOr<SmallVector<int64_t>> parseNumbers(StringRef text);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_OVERRIDES_H
