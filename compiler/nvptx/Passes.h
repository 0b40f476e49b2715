//===- Passes.h - From groups in kernels to NVVM ---------------------------------------------===//

#ifndef CNNC_COMPILER_NVPTX_PASSES_H
#define CNNC_COMPILER_NVPTX_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::cnn {

#define GEN_PASS_DECL
#include "compiler/nvptx/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "compiler/nvptx/Passes.h.inc"

} // namespace mlir::cnn

#endif // CNNC_COMPILER_NVPTX_PASSES_H
