// `cnnc FILE --tune`: measures what may be faster than what the cost model chooses, and stores what
// is (compiler/pipelines/TunedStore.h). Tuner.h measures, this reads, prints and stores.
#ifndef CNNC_COMPILER_TOOLS_CNNC_TUNE_H
#define CNNC_COMPILER_TOOLS_CNNC_TUNE_H

#include "compiler/tools/cnnc/Options.h"
#include "llvm/Support/Error.h"

namespace mlir {
class ModuleOp;
} // namespace mlir

namespace cnn::tool {

/// Tunes `train_step`, or `infer` in that mode, of `module`, which is of phase `cnn`.
llvm::Error tune(mlir::ModuleOp module, const PhaseOptions &phases, int64_t seconds);

} // namespace cnn::tool

#endif // CNNC_COMPILER_TOOLS_CNNC_TUNE_H
