//===- cnn-opt.cpp - mlir-opt with the cnn dialect and every pass of the compiler ------------===//

#include "compiler/cpu/Passes.h"
#include "compiler/lowering/Passes.h"
#include "compiler/nvptx/Passes.h"
#include "compiler/schedule/Passes.h"
#include "compiler/tools/StandardOutput.h"
#include "compiler/transforms/Passes.h"
#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/DLTI/DLTI.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  cnn::tool::guardStandardOutput("cnn-opt: ");
  mlir::DialectRegistry registry;
  registry.insert<mlir::cnn::CnnDialect, mlir::arith::ArithDialect, mlir::DLTIDialect,
                  mlir::func::FuncDialect, mlir::gpu::GPUDialect, mlir::LLVM::LLVMDialect,
                  mlir::NVVM::NVVMDialect, mlir::math::MathDialect, mlir::memref::MemRefDialect,
                  mlir::scf::SCFDialect, mlir::vector::VectorDialect>();
  mlir::registerTransformsPasses();
  mlir::cnn::registerCnnCpuPasses();
  mlir::cnn::registerCnnTransformsPasses();
  mlir::cnn::registerCnnSchedulePasses();
  mlir::cnn::registerCnnLoweringPasses();
  mlir::cnn::registerCnnNvptxPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Optimiser driver of the cnn dialect\n", registry));
}
