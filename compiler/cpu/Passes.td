//===- Passes.td - From register tiles to LLVM --------------------------------------------------===//
//
// The passes of phases `vector` and `llvm` for the CPU.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_CPU_PASSES_TD
#define CNNC_COMPILER_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def UnrollTilesPass : Pass<"cnn-unroll-tiles", "::mlir::func::FuncOp"> {
  let summary = "takes register tiles apart into machine vectors";
  let description = [{
    Every n-D vector becomes a list of 1-D vectors of its last dimension (scalars where that has extent 1):
    values, loop-carried values and results alike. `cnn.tile_load` and `cnn.tile_store` become loads and stores of
    machine vectors; what several elements of a tile share is loaded once.

    A load stands right before its first use, so that a matrix product or convolution whose
    accumulators fill the registers does not spill: of the operands of a `math.fma`, the one with
    the most distinct vectors is walked outermost and lives for a few instructions only. Several multiply-adds in
    succession (the taps of a window) are emitted along the addresses of one operand where that takes fewer
    registers; the order of every sum stays. Loads never move
    below a store that may write what they read. Other arithmetic is done one machine vector at a
    time, from the loads to the store.

    Different arguments of a kernel are taken to be different buffers. The order of additions is that of the
    operations. Example: `test/lit/cpu/cnn-unroll-tiles.mlir`. A function without vectors is left alone.
  }];
  let statistics = [
    Statistic<"numLoads", "loads", "Number of machine loads emitted for tiles">,
    Statistic<"numShared", "shared-loads", "Number of loads saved because elements share them">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def ExpandMathPass : Pass<"cnn-expand-math"> {
  let summary = "replaces exp, log, tanh, erf, sin and cos by polynomials";
  let description = [{
    On f32 and f64, numbers and vectors of any shape, by `arith` operations and `math.fma` only; LLVM would call
    the C library once per lane. Infinities, NaN, signed zeros and subnormal numbers are as in C. Error, at most,
    in units in the last place (f32: exp, log and a sigmoid over all numbers, tanh and erf over 4 * 10^6; f64: over
    4 * 10^7):

    | | f32 | f64 |
    | --- | --- | --- |
    | exp | 1.08 | 1.05 |
    | log | 0.86 | 0.9 |
    | tanh | 2.5 | 2.7 |
    | erf | 1.05 | 1.2 |
    | 1 / (1 + exp(-x)) | 2.5 | 2.3 |

    The last is a sigmoid, whose exponential is scaled once and not in two steps; where it is a subnormal number it
    may be zero.

    Example: `test/lit/cpu/cnn-expand-math.mlir`.
  }];
  let statistics = [Statistic<"numExpanded", "expanded", "Number of functions expanded">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def LowerToLLVMPass : Pass<"cnn-lower-to-llvm", "::mlir::ModuleOp"> {
  let summary = "lowers kernels and entry points to the LLVM dialect";
  let description = [{
    An entry point `@e` (any public function) of module `@n` becomes `n_e(ptr buffers, ptr context)` of
    `runtime/abi/cnn_abi.h`. The launches between two barriers form one list of work items, of which worker w of W
    runs the contiguous range [T*w/W, T*(w+1)/W). Kernels become internal functions of bare
    pointers, `noalias` wherever no call passes overlapping buffers, aligned to 64 bytes. `cnn.param` and
    `cnn.recipe` are dropped.

    The processor comes from the module's attribute `cnn.cpu` (a name LLVM knows); without it the
    functions carry no target. Locations become line tables: a profiler shows lines of the `.cnn` file.
    Preconditions: memrefs are static with identity layouts; entry points contain views at constant offsets,
    launches and barriers only. Example: `test/lit/cpu/cnn-lower-to-llvm.mlir`.
  }];
  let options = [
    Option<"vectorWidth", "vector-width", "int64_t", "512",
           "Widest vectors in bits that LLVM should use; default 512">
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::cf::ControlFlowDialect"];
}

#endif // CNNC_COMPILER_CPU_PASSES_TD
