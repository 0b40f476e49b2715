//===- Passes.h - Passes of phase tiled ------------------------------------------------------===//

#ifndef CNNC_COMPILER_LOWERING_PASSES_H
#define CNNC_COMPILER_LOWERING_PASSES_H

#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::cnn {
#define GEN_PASS_DECL
#include "compiler/lowering/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/lowering/Passes.h.inc"
} // namespace mlir::cnn

#endif // CNNC_COMPILER_LOWERING_PASSES_H
