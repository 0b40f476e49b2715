// The dialects that the phases use, loaded, so that dumps of any phase parse.
#include "compiler/pipelines/Compile.h"
#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/DLTI/DLTI.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

std::unique_ptr<mlir::MLIRContext> cnn::createContext() {
  auto context = std::make_unique<mlir::MLIRContext>();
  // A message points at the .cnn file; the operation behind it is shown by --emit.
  context->printOpOnDiagnostic(false);
  context->loadDialect<mlir::cnn::CnnDialect, mlir::arith::ArithDialect,
                       mlir::cf::ControlFlowDialect, mlir::DLTIDialect, mlir::func::FuncDialect,
                       mlir::gpu::GPUDialect, mlir::LLVM::LLVMDialect, mlir::NVVM::NVVMDialect,
                       mlir::math::MathDialect, mlir::memref::MemRefDialect, mlir::scf::SCFDialect,
                       mlir::vector::VectorDialect>();
  return context;
}
