//===- Passes.h - The passes of the CPU ------------------------------------------------------===//

#ifndef CNNC_COMPILER_CPU_PASSES_H
#define CNNC_COMPILER_CPU_PASSES_H

#include "mlir/Pass/Pass.h"

#include <memory>

namespace mlir {
namespace func {
class FuncOp;
}
class ModuleOp;
} // namespace mlir

namespace mlir::cnn {

#define GEN_PASS_DECL
#include "compiler/cpu/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "compiler/cpu/Passes.h.inc"

} // namespace mlir::cnn

#endif // CNNC_COMPILER_CPU_PASSES_H
