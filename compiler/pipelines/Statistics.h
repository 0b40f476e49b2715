// Floating-point operations of each entry point: counted once, at phase `grad`, and carried along as
// the attribute `cnn.flops` of the function until the manifest takes it.
#ifndef CNNC_COMPILER_PIPELINES_STATISTICS_H
#define CNNC_COMPILER_PIPELINES_STATISTICS_H

#include "llvm/ADT/StringMap.h"

namespace mlir {
class ModuleOp;
} // namespace mlir

namespace cnn {

/// Sets `cnn.flops` on every function of `module`: over all its loop nests, the points, twice where a
/// point multiplies and adds into a reduction.
void countFlops(mlir::ModuleOp module);

/// Remembers the counts, for passes that replace the functions.
class FlopsOfEntries {
public:
  explicit FlopsOfEntries(mlir::ModuleOp module);
  void restore(mlir::ModuleOp module) const;

private:
  llvm::StringMap<int64_t> counts;
};

} // namespace cnn

#endif // CNNC_COMPILER_PIPELINES_STATISTICS_H
