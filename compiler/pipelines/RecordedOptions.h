// What a module says of itself, so that a dump fed back needs no options: its phase, the options of
// the passes ahead, the target that it was scheduled for.
#ifndef CNNC_COMPILER_PIPELINES_RECORDEDOPTIONS_H
#define CNNC_COMPILER_PIPELINES_RECORDEDOPTIONS_H

#include "compiler/pipelines/Phases.h"

namespace cnn {

/// What `options` leaves open is taken from `module`, a dump of phase `from`, and all that passes
/// ahead look at is recorded there again. Fails where the module is for another target already.
llvm::Error adoptOptions(mlir::ModuleOp module, Phase from, PhaseOptions &options);

/// Takes away what the passes to `phase` have used up.
void dropOptions(mlir::ModuleOp module, Phase phase);

/// From `scheduled` on a module says which processor it is for.
llvm::Error setTarget(mlir::ModuleOp module, const PhaseOptions &options);

} // namespace cnn

#endif // CNNC_COMPILER_PIPELINES_RECORDEDOPTIONS_H
