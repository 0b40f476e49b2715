//===- Passes.h - Passes of phases scheduled and planned -------------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_PASSES_H
#define CNNC_COMPILER_SCHEDULE_PASSES_H

#include "compiler/schedule/BatchAnalysis.h"
#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::cnn {
#define GEN_PASS_DECL
#include "compiler/schedule/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/schedule/Passes.h.inc"
} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_PASSES_H
