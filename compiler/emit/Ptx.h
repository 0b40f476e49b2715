// Phase `nvvm` to PTX text. The text begins with a comment that tells which LLVM IR it is made of;
// where CNNC_SAVE_NVVM names a folder, that IR is kept there, so that it can be run without a GPU.
#ifndef CNNC_COMPILER_EMIT_PTX_H
#define CNNC_COMPILER_EMIT_PTX_H

#include "compiler/emit/Target.h"
#include "llvm/Support/Error.h"
#include <string>

namespace mlir {
class ModuleOp;
} // namespace mlir

namespace cnn {

/// The PTX of all kernels of `module`, for `target` (of kind Nvptx). Its first line is
/// `// cnnc-ir <16 hexadecimal digits>`: the hash of the optimised LLVM IR. Fails where the IR
/// cannot be kept in the folder that CNNC_SAVE_NVVM names.
llvm::Expected<std::string> generatePtx(mlir::ModuleOp module, const Target &target);

/// The folder that CNNC_SAVE_NVVM names; empty for none.
std::string nvvmFolder();

} // namespace cnn

#endif // CNNC_COMPILER_EMIT_PTX_H
