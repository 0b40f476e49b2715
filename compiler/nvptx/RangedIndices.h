//===- RangedIndices.h - Indices and the ranges they lie in ----------------------------------===//
//
// Integer arithmetic of a kernel. Ranges tell which divisions and checks can be left out; what is
// the same for several elements of one thread is computed once.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_NVPTX_RANGEDINDICES_H
#define CNNC_COMPILER_NVPTX_RANGEDINDICES_H

#include "compiler/schedule/GroupInfo.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <map>
#include <tuple>

namespace mlir::cnn {

/// An index in a kernel: what it is, and the smallest and largest value it takes.
struct Index {
  Value value;
  int64_t low = 0, high = 0;
  /// Where a thread has several elements: value = base + shift, and the base, which is the same for
  /// all of them, is a multiple of `multiple`. Without a base the value is its own.
  Value base = {};
  int64_t shift = 0, multiple = 1;

  bool isConstant() const { return low == high; }
};

/// Builds indices where `b` stands.
class RangedIndices {
public:
  RangedIndices(Location loc, const OpBuilder &at) : b(loc, at) {}

  ImplicitLocOpBuilder b;

  Index getConstant(int64_t value);
  Index add(Index lhs, Index rhs);
  Index multiply(Index index, int64_t factor);
  Index divide(Index index, int64_t divisor);
  Index remainder(Index index, int64_t divisor);
  /// The value of a form where dimension d has the value `dims[d]`.
  Index apply(const LinearForm &form, ArrayRef<Index> dims);
  SmallVector<Index> apply(ArrayRef<LinearForm> forms, ArrayRef<Index> dims);
  /// The index of each dimension of a space of extents `sizes` whose points are numbered in
  /// row-major order.
  SmallVector<Index> split(Index number, ArrayRef<int64_t> sizes);
  /// `index < limit`, of values that are not negative; null where it is always so.
  Value isBelow(Index index, int64_t limit);
  /// Whether the index lies in [0, size); null where it always does.
  Value isInside(Index index, int64_t size);
  /// Both; null stands for true.
  Value both(Value lhs, Value rhs);
  /// `index`, or 0 beyond `size`; `inside`, which it is added to, becomes the condition that it is
  /// not beyond.
  Index clamp(Index index, int64_t size, Value &inside);
  /// As i32, the type in which bodies of operations take indices.
  Value toInt(Index index);

protected:
  /// Indices that number the points of a space of extents `sizes`, made by `split`.
  struct Numbering {
    SmallVector<Value> indices;
    SmallVector<int64_t> sizes;
    Index number;
  };
  Type getIndexType();
  /// The index base + shift.
  Index getShifted(Value base, int64_t shift, int64_t multiple, int64_t low, int64_t high);
  /// Says how many elements a thread has from here on, of whose indices bases are shared.
  void setLanes(int64_t lanes);
  bool hasLanes() const { return numLanes > 1; }

  /// Whether 32 bits do not hold every index.
  bool wide = false;
  std::vector<Numbering> numberings;
  int64_t numLanes = 1;

private:
  enum class Kind { Add, Multiply, Divide, Remainder };

  /// `inRange`: neither operands nor result are negative, or too large for their type. Then
  /// constants can become part of an address.
  Value make(Kind kind, Value lhs, Value rhs, bool inRange = false);
  Value make(Kind kind, Value lhs, int64_t rhs, bool inRange = false);

  /// Values by their block, operation and operands, so that lanes share their bases.
  std::map<std::tuple<Block *, Kind, void *, void *, int64_t>, Value> made;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_NVPTX_RANGEDINDICES_H
