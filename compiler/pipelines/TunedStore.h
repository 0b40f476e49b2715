// What `cnnc --tune` measured, on disk: one file for each entry point of a net and each machine, in
// the folder of the compiled nets (compiler/emit/Cache.h). In: a module of phase `fused`; out: the
// attribute cnn.tuned on its entry points (compiler/schedule/Tuned.h), which phase `scheduled`
// follows.
#ifndef CNNC_COMPILER_PIPELINES_TUNEDSTORE_H
#define CNNC_COMPILER_PIPELINES_TUNEDSTORE_H

#include "compiler/pipelines/Phases.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <map>
#include <string>

namespace mlir::func {
class FuncOp;
} // namespace mlir::func

namespace cnn {

/// A choice for a group, and the text of its reason.
struct StoredChoice {
  std::string choice, reason;
};

/// What was measured for one entry point.
struct TunedResult {
  StoredChoice layout;                                       ///< empty for the cost model's
  std::map<std::string, StoredChoice> algorithms, schedules; ///< by group
};

/// Whether stored results are looked for: the machine is the host with all its features, and no
/// setting asks for random schedules or for none (schedule.tuned=off). A layout that is asked for
/// has results of its own.
bool usesTuned(const PhaseOptions &options);

/// Whether there is a file for a net of this name on this machine; it may be for other shapes.
bool mayHaveTuned(mlir::ModuleOp module);

/// Puts on every entry point what is stored for it, once. `module` is of phase `fused`. A file that
/// is damaged is ignored, with a warning.
void applyTuned(mlir::ModuleOp module, const PhaseOptions &options);

/// All that applyTuned has put there, as text: what the compiled code depends on.
std::string tunedText(mlir::ModuleOp module);

/// Sets what applyTuned would have found.
void setTuned(mlir::func::FuncOp entry, const TunedResult &result);

/// The path of the file for an entry point of a module of phase `fused`; empty where there is no
/// folder for it.
std::string tunedPath(mlir::ModuleOp module, mlir::func::FuncOp entry, const PhaseOptions &options);

/// Writes `result` for the entry point in one step, and returns the path.
llvm::Expected<std::string> storeTuned(mlir::ModuleOp module, mlir::func::FuncOp entry,
                                       const PhaseOptions &options, const TunedResult &result);

} // namespace cnn

#endif // CNNC_COMPILER_PIPELINES_TUNEDSTORE_H
