//===- TileEmitter.h - Loops over register tiles of one group --------------------------------===//

#ifndef CNNC_COMPILER_LOWERING_TILEEMITTER_H
#define CNNC_COMPILER_LOWERING_TILEEMITTER_H

#include "compiler/schedule/Schedules.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
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
class TileEmitter {
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
  /// Where the current tile stands: per dimension the index of its first element and the range of
  /// values that index can take, both in elements.
  struct Position {
    Value base;       ///< in elements
    Value localBase;  ///< the same within the slice, for dimension 0
    Value units;      ///< in vectors, for the vector dimension
    Value localUnits; ///< the same within the slice
    /// Of a reduced dimension that runs along the blocks of a tensor: the block, and the element of
    /// it.
    Value block, lane;
    int64_t low = 0, high = 0;
    int64_t tile = 1;
    int64_t offset = 0; ///< of the unrolled point of a reduced dimension, in units
  };
  /// Values of a group in registers: the logical indices of element t are forms over the nest (or
  /// the pooling's result).
  struct Tile {
    SmallVector<int64_t>
        extents; ///< one per parallel dimension (or dimension of the pooling's result)
    int64_t lanes = 1;
    bool pooled = false;
  };

  // Loops.
  void emitZeroFill(Value buffer, RankedTensorType type, bool whole);
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
  Value maskOutside(Value value, RankedTensorType type, ArrayRef<LinearForm> forms,
                    const Tile &tile, double padding);
  bool isEdge(int64_t along) const;
  Value load(unsigned argument, ArrayRef<LinearForm> forms, const Tile &tile, double padding);
  void store(Value value, unsigned result, ArrayRef<LinearForm> forms, const Tile &tile);
  Value buildIndex(const LinearForm &form, const Tile &tile);
  Value splat(Value value, const Tile &tile);
  VectorType getTileType(const Tile &tile, Type element) const;
  /// Inserts into the address of one physical dimension; see the definition.
  struct Address {
    SmallVector<Value> indices;
    SmallVector<AffineExpr> exprs;
    SmallVector<int64_t> guard, zeros;
  };
  Address getAddress(Value buffer, RankedTensorType type, ArrayRef<LinearForm> forms,
                     const Tile &tile);
  Value buildBase(const LinearForm &form, bool local, int64_t extra, bool pooled);
  AffineExpr getTileExpr(const LinearForm &form, const Tile &tile) const;
  std::pair<int64_t, int64_t> getRange(const LinearForm &form, const Tile &tile) const;
  Value constant(int64_t value);
  void nameIndex(scf::ForOp loop, unsigned dim);
  Value add(Value lhs, Value rhs);
  Value scale(Value value, int64_t factor);
  bool isLocal(Value buffer, RankedTensorType type) const;

  func::FuncOp kernel;
  GroupOp group;
  const ScheduleSpace &space;
  const GroupInfo &info;
  const Nest &nest;
  NestSchedule schedule;
  SliceScheduleAttr slice;
  OpBuilder b;
  Location loc;
  int64_t lanes;
  bool lanesReduced = false;
  SmallVector<Position> positions;
  /// The slice of the current work item, and where slices are cut into blocks, the block's row and
  /// column.
  SmallVector<Value> sliceItems;
  SmallVector<Value> inputs, outputs;
  Tile anchorTile;
  llvm::DenseMap<Value, Value> computed;
  llvm::DenseMap<int64_t, Value> constants;
  bool maskLanes = false;
};

/// Multiplies `tile` along its dimension `dim` by a row-major matrix.
Value applyMatrix(OpBuilder &b, Location loc, Value tile, unsigned dim, ArrayRef<double> matrix);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_LOWERING_TILEEMITTER_H
