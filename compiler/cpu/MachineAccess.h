//===- MachineAccess.h - One tile_load or tile_store as machine accesses ---------------------===//
//
// In: a cnn.tile_load or cnn.tile_store. Out: the addresses of its rows (a row is what one machine
// vector holds) as constants added to one linear base, which rows are the same, and the loads and
// stores themselves. UnrollTiles.cpp and TileRows.cpp decide when each is emitted.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_CPU_MACHINE_ACCESS_H
#define CNNC_COMPILER_CPU_MACHINE_ACCESS_H

#include "dialect/CnnDialect.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseMap.h"

#include <map>

namespace mlir::cnn {

/// The 1-D vector of the last dimension of `tile`, or its element type where that has extent 1.
Type getMachineType(VectorType tile);

/// The number of machine vectors in `tile`.
int64_t getNumRows(VectorType tile);

/// The number of elements in a machine vector of `tile`.
int64_t getNumLanes(VectorType tile);

/// Constants and flat views of buffers, each made once at its place of definition.
class FunctionValues {
public:
  explicit FunctionValues(Block *entry) : entry(entry) {}
  /// A constant, at the top of the function.
  Value getConstant(TypedAttr value);
  Value getIndex(int64_t value);
  /// `value` in every lane of `type`, a number or a vector of numbers.
  Value getSplat(Type type, double value);
  /// The memref `buffer` as one dimension.
  Value getFlat(Value buffer);

private:
  Block *entry;
  Operation *lastConstant = nullptr;
  llvm::DenseMap<Attribute, Value> constants;
  llvm::DenseMap<Value, Value> flats;
};

/// Where the rows of one tile lie in a buffer.
class MachineAccess {
public:
  /// Reads off the addresses; an error where the map is not linear or the buffer not contiguous.
  static FailureOr<MachineAccess> get(Operation *op, Value buffer, ValueRange indices,
                                      AffineMap map, ArrayRef<int64_t> guard,
                                      ArrayRef<int64_t> zeros, VectorType tile);

  /// Rows of one slot are the same elements of the buffer. Slots are numbered in the order of rows.
  ArrayRef<int64_t> getSlots() const { return slots; }
  int64_t getNumSlots() const { return numSlots; }
  /// The address of a row: the sum of `terms` (values times numbers of elements) plus the row's
  /// offset.
  ArrayRef<std::pair<Value, int64_t>> getTerms() const { return terms; }
  int64_t getOffset(int64_t row) const { return rowOffsets[row]; }
  Value getBuffer() const { return buffer; }
  bool isGuarded() const { return !guards.empty(); }
  /// Whether the row is known to hold the zeros that are stored around a tensor.
  bool isZero(int64_t row) const { return zeroRows[row]; }
  /// Whether no two slots overlap.
  bool hasDisjointSlots() const;

  /// The value of one row, `padding` outside of the buffer.
  Value load(OpBuilder &builder, FunctionValues &values, int64_t row, double padding);
  /// Asks for what lies `ahead` elements behind one row, which may be beyond the buffer.
  void prefetch(OpBuilder &builder, FunctionValues &values, int64_t row, int64_t ahead);
  /// Writes the last of `rowValues` to one row, or adds all of them to it, in order.
  /// `nontemporal`: past the caches, where the row is a line of them.
  void store(OpBuilder &builder, FunctionValues &values, int64_t row, ArrayRef<Value> rowValues,
             bool accumulate, bool nontemporal);

private:
  enum class Lanes {
    One,        // a scalar
    Shared,     // all lanes are one element
    Contiguous, // a machine vector in memory
    Strided     // every lane by itself
  };

  Value getIndex(OpBuilder &builder, FunctionValues &values, int64_t offset);
  /// Whether a row is one line of the caches: buffers begin with one.
  bool isLine(int64_t row) const;
  /// Whether a guarded row (with `lane`: one lane of it) lies inside; null where nothing can lie
  /// outside.
  Value getCondition(OpBuilder &builder, FunctionValues &values, int64_t row, int64_t lane);
  /// The same per lane, as a vector; null likewise.
  Value getMask(OpBuilder &builder, FunctionValues &values, int64_t row);
  Value isInside(OpBuilder &builder, FunctionValues &values, unsigned guardIndex, int64_t offset);
  Value loadScalar(OpBuilder &builder, FunctionValues &values, int64_t row, int64_t lane,
                   Value padding);
  void storeScalar(OpBuilder &builder, FunctionValues &values, int64_t row, int64_t lane,
                   ArrayRef<Value> rowValues, bool accumulate);

  MachineAccess(Location loc) : loc(loc) {}

  Location loc;
  Value buffer;
  SmallVector<Value> indices;
  SmallVector<std::pair<Value, int64_t>> terms;
  VectorType tile;
  Lanes lanes = Lanes::One;
  int64_t numLanes = 1, laneStride = 0;
  /// Per row, the constant part of the linear address.
  SmallVector<int64_t> rowOffsets;
  SmallVector<int64_t> slots;
  int64_t numSlots = 0;
  SmallVector<bool> zeroRows;
  /// The guarded dimensions of the buffer: extent, lane coefficient, and offset per row.
  struct Guard {
    int64_t dim, size, laneCoefficient;
    SmallVector<int64_t> rowOffsets;
  };
  SmallVector<Guard> guards;
  Value base;
  std::map<std::pair<unsigned, int64_t>, Value> insides;
  std::map<SmallVector<int64_t>, Value> masks;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_CPU_MACHINE_ACCESS_H
