//===- TileIndices.h - Where the elements of a tile lie --------------------------------------===//

#ifndef CNNC_COMPILER_LOWERING_TILEINDICES_H
#define CNNC_COMPILER_LOWERING_TILEINDICES_H

#include "compiler/lowering/IndexBuilder.h"
#include "compiler/schedule/Schedules.h"

namespace mlir::cnn {

/// Values of a group in registers: the logical indices of element t are forms over the nest (or
/// the pooling's result).
struct Tile {
  SmallVector<int64_t>
      extents; ///< one per parallel dimension (or dimension of the pooling's result)
  int64_t lanes = 1;
  bool pooled = false;
};

/// Knows where the loops over tiles stand, and from that the logical and the physical indices of
/// the elements of a tile: the index of its first element, which is a value, plus a linear map of
/// the tile's dimensions. TileEmitter moves `positions` from tile to tile.
class TileIndices : public IndexBuilder {
public:
  TileIndices(func::FuncOp kernel, GroupOp group, const ScheduleSpace &space,
              const NestSchedule &schedule);

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

  /// Per dimension of a buffer: the index of the tile's first element, and what the dimensions of
  /// the tile add to it. Indices in `guard` can leave the tensor; `zeros` is the width of the zeros
  /// stored around it.
  struct Address {
    SmallVector<Value> indices;
    SmallVector<AffineExpr> exprs;
    SmallVector<int64_t> guard, zeros;
  };
  /// The address of the elements of `tile`, whose logical indices are `forms`, in a buffer that
  /// holds a tensor of the given type.
  Address getAddress(Value buffer, RankedTensorType type, ArrayRef<LinearForm> forms,
                     const Tile &tile);
  /// The values of a form at the elements of `tile`.
  Value buildIndex(const LinearForm &form, const Tile &tile);
  /// The smallest and largest index that the tile can reach, wherever the current loops stand.
  std::pair<int64_t, int64_t> getRange(const LinearForm &form, const Tile &tile) const;
  VectorType getTileType(const Tile &tile, Type element) const;
  /// Whether a buffer holds only the slice that the work item computes.
  bool isLocal(Value buffer, RankedTensorType type) const;
  /// What the work item is one of: slices, or shares of the outermost loop.
  Value getItem() { return slice ? sliceItems[0] : kernel.getArgument(0); }

  const ScheduleSpace &space;
  const GroupInfo &info;
  const Nest &nest;
  NestSchedule schedule;
  SliceScheduleAttr slice;
  int64_t lanes;
  /// One per dimension of the nest.
  SmallVector<Position> positions;
  /// The slice of the current work item, and where slices are cut into blocks, the block's row and
  /// column.
  SmallVector<Value> sliceItems;

private:
  Value buildBase(const LinearForm &form, bool local, int64_t extra, bool pooled);
  AffineExpr getTileExpr(const LinearForm &form, const Tile &tile) const;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_LOWERING_TILEINDICES_H
