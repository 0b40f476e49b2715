//===- TileEmitter.h - Loops over register tiles of one group --------------------------------===//

#ifndef CNNC_COMPILER_LOWERING_TILEEMITTER_H
#define CNNC_COMPILER_LOWERING_TILEEMITTER_H

#include "compiler/lowering/TileIndices.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::cnn {

/// Emits the code of one kernel in place of its group.
///
/// The loops of a convolution with vectors along n, a tile of 6 x 2 x 2 and a pooling of 2 x 2:
///
///     for k in steps of 6                    parallel dimensions, in the schedule's order
///       for i in steps of 2                  cut where a tile would leave a tensor
///         for j in steps of 2
///           acc : vector<1x6x2x2x16>         [n k i j lanes]
///           for c, for r, for s unrolled     reduced dimensions
///             acc = fma(x[n, c, i + r, j + s], w[k, c, r, s], acc)
///           epilogue on acc
///           pool  : vector<1x6x1x1x16>       picks of acc, combined
///           stores
class TileEmitter : TileIndices {
public:
  TileEmitter(func::FuncOp kernel, GroupOp group, const ScheduleSpace &space,
              const NestSchedule &schedule);
  LogicalResult emit();

private:
  /// The part of a parallel dimension that one loop covers: `count` tiles of `tile` units from unit
  /// `begin`.
  struct Segment {
    int64_t begin, count, tile;
  };

  // Loops.
  void nameIndex(scf::ForOp loop, unsigned dim);
  void emitParallel(unsigned depth);
  SmallVector<Segment> getSegments(unsigned dim);
  void emitBody();
  SmallVector<Value> emitReduction(unsigned depth, SmallVector<Value> accumulators);
  int64_t getCut(unsigned dim);
  SmallVector<Value> emitPoint(SmallVector<Value> accumulators);
  void emitEpilogue(SmallVector<Value> results);
  SmallVector<Value> emitPool(NestOpInterface pool);
  SmallVector<Value> emitTransforms();

  // Values at a tile.
  Value evaluate(Value value, ArrayRef<LinearForm> forms, const Tile &tile, double padding);
  Value compute(Value value, ArrayRef<LinearForm> forms, const Tile &tile, double padding);
  Value maskOutside(Value value, RankedTensorType type, ArrayRef<LinearForm> forms,
                    const Tile &tile, double padding);
  bool isEdge(int64_t along) const;
  Value load(unsigned argument, ArrayRef<LinearForm> forms, const Tile &tile, double padding);
  void prefetchRows(unsigned argument, ArrayRef<LinearForm> forms, const Tile &tile);
  void store(Value value, unsigned result, ArrayRef<LinearForm> forms, const Tile &tile);
  Value splat(Value value, const Tile &tile);

  GroupOp group;
  bool lanesReduced;
  SmallVector<Value> inputs, outputs;
  Tile anchorTile;
  llvm::DenseMap<Value, Value> computed;
  bool maskLanes = false;
};

/// Multiplies `tile` along its dimension `dim` by a row-major matrix.
Value applyMatrix(OpBuilder &b, Location loc, Value tile, unsigned dim, ArrayRef<double> matrix);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_LOWERING_TILEEMITTER_H
