// The passes from phase `cnn` to phase `fused`: differentiation, decomposition, fusion.

#ifndef CNNC_COMPILER_TRANSFORMS_PASSES_H
#define CNNC_COMPILER_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::cnn {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/transforms/Passes.h.inc"

} // namespace mlir::cnn

#endif // CNNC_COMPILER_TRANSFORMS_PASSES_H
