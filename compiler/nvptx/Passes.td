//===- Passes.td - From groups in kernels to NVVM -----------------------------------------------===//
//
// The passes of phases `gpu` and `nvvm`.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_NVPTX_PASSES_TD
#define CNNC_COMPILER_NVPTX_PASSES_TD

include "mlir/Pass/PassBase.td"

def BuildGpuKernelsPass : Pass<"cnn-build-gpu-kernels", "::mlir::ModuleOp"> {
  let summary = "builds a gpu.func of every kernel";
  let description = [{
    The group of each kernel becomes the code of one thread, by the emitter of its schedule's algorithm
    (`compiler/nvptx/Emitters.h`). Kernels stand in the `gpu.module` `@kernels` under names that PTX takes;
    launches name them, and in `cnn.layer` the layer. Their arguments are the buffers, as one dimension each, marked
    with their alignment, and as not overlapping and only read where no launch says otherwise. Literals
    become constants of the `gpu.module`, not arguments.

    ```mlir
    // before
    func.func private @"relu1.forward"(%item: index, %scratch: memref<64xi8>, %x: memref<8x6xf32>, %out: memref<8x6xf32>)
        attributes {cnn.kernel} { ... cnn.group ... schedule #cnn.gpu_schedule<"point", block = 256> ... }
    cnn.launch @"relu1.forward" items 1 (%a, %b) : ...
    // after
    gpu.module @kernels {
      gpu.func @relu1_forward(%x: memref<48xf32>, %out: memref<48xf32>) kernel attributes {known_block_size = ...} {
        %thread = gpu.thread_id x ...
    cnn.launch @relu1_forward items 1 (%a, %b) : ... {cnn.layer = "relu1.forward"}
    ```

    Fails for a group that has no schedule for a GPU, or one that does not apply. Tests: `test/lit/nvptx/`.
  }];
  let statistics = [Statistic<"numKernels", "kernels", "Number of kernels built">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
                           "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def CountGpuWorkPass : Pass<"cnn-count-gpu-work", "::mlir::ModuleOp"> {
  let summary = "counts what the warps of kernels ask for";
  let description = [{
    Adds to `cnn.work` of every launch the instructions that its warps issue, their accesses to global memory
    (`requests`), the sectors of 32 bytes that these touch, and the turns (`passes`) that the banks of shared memory take:
    the indices of a few warps are computed, which stand for the others (`compiler/nvptx/WarpRunner.h`). The model of
    `cnn time --model` is made of these numbers.

    Fails for a launch of what is no kernel. Test: `test/lit/nvptx/cnn-count-gpu-work.mlir`.
  }];
}

def LowerToNvvmPass : Pass<"cnn-lower-to-nvvm", "::mlir::ModuleOp"> {
  let summary = "lowers kernels of a GPU to the LLVM dialect with NVVM's operations";
  let description = [{
    The kernels of every `gpu.module` become `llvm.func`s of bare pointers. Everything else of the module goes:
    entry points and parameters stand in the manifest. No function of a library is called; what would need one is
    an error. Test: `test/lit/nvptx/cnn-lower-to-nvvm.mlir`.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::cf::ControlFlowDialect"];
}

#endif // CNNC_COMPILER_NVPTX_PASSES_TD
