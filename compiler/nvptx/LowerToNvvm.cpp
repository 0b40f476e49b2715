//===- LowerToNvvm.cpp - Kernels of a GPU to the LLVM dialect --------------------------------===//
//
// In: phase `gpu`. Out: phase `nvvm`, which emit/Ptx.h translates: the kernels, and nothing else.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/lowering/LowerLoops.h"
#include "compiler/nvptx/Passes.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::cnn {
#define GEN_PASS_DEF_LOWERTONVVMPASS
#include "compiler/nvptx/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

namespace {
/// A pointer to the memory of a memref, which copies and matrix operations take.
struct PointerPattern : OpConversionPattern<UnrealizedConversionCastOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(UnrealizedConversionCastOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (op.getNumOperands() != 1 || op.getNumResults() != 1 ||
        !isa<MemRefType>(op.getOperand(0).getType()) ||
        !isa<LLVM::LLVMPointerType>(op.getResult(0).getType()))
      return failure();
    MemRefDescriptor memory(adaptor.getInputs().front());
    rewriter.replaceOp(op, memory.alignedPtr(rewriter, op.getLoc()));
    return success();
  }
};

struct LowerToNvvm : mlir::cnn::impl::LowerToNvvmPassBase<LowerToNvvm> {
  using LowerToNvvmPassBase::LowerToNvvmPassBase;

  void runOnOperation() override {
    for (Operation &op : llvm::make_early_inc_range(*getOperation().getBody()))
      if (!isa<gpu::GPUModuleOp>(op))
        op.erase();
    for (auto kernels : getOperation().getOps<gpu::GPUModuleOp>())
      if (failed(check(kernels)) || failed(convert(kernels)))
        return signalPassFailure();
  }

  LogicalResult convert(gpu::GPUModuleOp kernels) {
    MLIRContext *context = &getContext();
    if (failed(lowerLoops(kernels)))
      return failure();
    // What is left is LLVM's dialects, which its own tools read.
    for (auto function : kernels.getOps<gpu::GPUFuncOp>())
      function->removeAttr("cnn.decisions");
    LowerToLLVMOptions options(context);
    options.useBarePtrCallConv = true;
    LLVMTypeConverter converter(context, options);
    configureGpuToNVVMTypeConverter(converter);
    RewritePatternSet patterns(context);
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
    ub::populateUBToLLVMConversionPatterns(converter, patterns);
    populateGpuToNVVMConversionPatterns(converter, patterns);
    populateMathToLLVMConversionPatterns(converter, patterns);
    populateVectorToLLVMConversionPatterns(converter, patterns);
    patterns.add<PointerPattern>(converter, context);
    LLVMConversionTarget target(*context);
    target.addLegalDialect<NVVM::NVVMDialect>();
    target.addIllegalDialect<arith::ArithDialect, cf::ControlFlowDialect, gpu::GPUDialect,
                             math::MathDialect, memref::MemRefDialect, ub::UBDialect,
                             vector::VectorDialect>();
    target.addLegalOp<gpu::GPUModuleOp>();
    target.addIllegalOp<UnrealizedConversionCastOp>();
    return applyFullConversion(kernels, target, std::move(patterns));
  }

  /// Functions that the processor has no instruction for would be missing on the user's machine,
  /// and so would what is not defined here.
  LogicalResult check(gpu::GPUModuleOp kernels) {
    WalkResult result = kernels.walk([](Operation *op) -> WalkResult {
      bool isFunction = isa<math::MathDialect>(op->getDialect()) || isa<arith::RemFOp>(op);
      bool hasInstruction =
          isa<math::AbsFOp, math::CeilOp, math::FloorOp, math::FmaOp, math::SqrtOp>(op);
      if ((isFunction && !hasInstruction) || isa<CallOpInterface>(op))
        return op->emitError() << "'" << op->getName()
                               << "' calls a function, and kernels must not need a library";
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }
};
} // namespace
