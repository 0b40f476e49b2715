// Phase `llvm` to machine code. In: a module of the LLVM dialect; out: one object file or its
// assembly. The functions are spread over parts that compile on all cores, each in an LLVM context
// of its own; ObjectMerge.h makes one object of them. The parts follow from the module alone, so
// the object has the same bytes for every number of threads.
#ifndef CNNC_COMPILER_EMIT_CODEGEN_H
#define CNNC_COMPILER_EMIT_CODEGEN_H

#include "compiler/emit/Target.h"
#include "llvm/Support/Error.h"
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace llvm {
class LLVMContext;
class Module;
} // namespace llvm
namespace mlir {
class ModuleOp;
} // namespace mlir

namespace cnn {

/// Builds LLVM IR that goes into the object beside the compiled functions (CWrapper.h).
using IrBuilder = std::function<std::unique_ptr<llvm::Module>(llvm::LLVMContext &)>;

struct CodegenOptions {
  Target target;
  /// Threads that compile; 0: one per core.
  unsigned threads = 0;
  /// Further parts of the object.
  std::vector<IrBuilder> extra;
};

/// The relocatable ELF object of `module`, position-independent. Functions that are not public get
/// local symbols under their own names ("conv1.forward").
llvm::Expected<std::string> generateObject(mlir::ModuleOp module, const CodegenOptions &options);

/// The same code as assembly text, compiled as one part.
llvm::Expected<std::string> generateAssembly(mlir::ModuleOp module, const CodegenOptions &options);

} // namespace cnn

#endif // CNNC_COMPILER_EMIT_CODEGEN_H
