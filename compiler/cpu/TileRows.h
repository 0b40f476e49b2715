//===- TileRows.h - The machine vectors of register tiles ------------------------------------===//

#ifndef CNNC_COMPILER_CPU_TILEROWS_H
#define CNNC_COMPILER_CPU_TILEROWS_H

#include "compiler/cpu/MachineAccess.h"

#include <memory>

namespace mlir::cnn {

/// A tile is a list of rows, one per machine vector, and a row is made when something asks for it:
/// then those it is computed from are made just before. Multiply-adds are gathered in a chain, and
/// emitted together, in the order that ChainOrder.h finds, when one of their rows is asked for.
class TileRows {
public:
  using Values = SmallVector<Value>;

  /// Rows are made at the insertion point of `builder`.
  TileRows(FunctionValues &values, OpBuilder &builder) : values(values), builder(builder) {}

  bool contains(Value tile) const { return tiles.contains(tile); }
  /// Notes a tile whose rows are made on demand; `access` is that of a load.
  void add(Value tile, std::unique_ptr<MachineAccess> access = {});
  /// The access of a tile that is loaded; null for others.
  MachineAccess *getAccess(Value tile) const;
  Value getRow(Value tile, int64_t row);

  /// The values with each tile replaced by its rows, which are made in the order of rows.
  Values flatten(ValueRange operands);
  /// The inverse of flatten, for results and arguments.
  void bind(ValueRange oldValues, ValueRange newValues);

  /// Notes a multiply-add of the current block that is not emitted yet.
  void addToChain(Operation *op) { chain.push_back(op); }
  void emitChain();
  /// Forgets what nobody asked for.
  void dropChain() { chain.clear(); }

  int64_t numLoads = 0, numShared = 0;

private:
  /// The machine vectors of one tile; null where not made yet.
  struct Tile {
    Values rows;
    /// Of a tile_load: which rows are the same, and what has been loaded, by slot.
    std::unique_ptr<MachineAccess> access;
    Values loaded;
    Value shared;
  };

  Value makeRow(OpResult tile, int64_t row);
  bool isZero(Value tile, int64_t row);
  Value makeElementwise(Operation *op, int64_t row, unsigned resultNumber);
  Value makeReduction(TileReduceOp op, int64_t row);
  Value makeIndex(TileIndexOp op, int64_t row);
  Value makeConstant(arith::ConstantOp op, int64_t row);

  FunctionValues &values;
  OpBuilder &builder;
  llvm::DenseMap<Value, Tile> tiles;
  SmallVector<Operation *> chain;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_CPU_TILEROWS_H
