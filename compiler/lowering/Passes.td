//===- Passes.td - From groups in kernels to loops over register tiles ----------------------------===//

#ifndef CNNC_COMPILER_LOWERING_PASSES_TD
#define CNNC_COMPILER_LOWERING_PASSES_TD

include "mlir/Pass/PassBase.td"

def TilePass : Pass<"cnn-tile", "::mlir::ModuleOp"> {
  let summary = "Turn the group of every kernel into loops over register tiles";
  let description = [{
    Follows the group's schedule: loops over tiles of the parallel dimensions, in each a loop over the
    reduced ones that carries the accumulators as one vector of many dimensions, then the epilogue and
    the pooling on that vector, then stores. Where a tile could reach outside of a tensor the loop is cut
    into a border, an inside and a rest, and only the border checks.

    Fails, with the reason, for a schedule that is not legal; the rules are those of
    `compiler/schedule/Schedules.h`.
  }];
  let statistics = [Statistic<"numNests", "nests", "Number of loop nests emitted">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

#endif // CNNC_COMPILER_LOWERING_PASSES_TD
