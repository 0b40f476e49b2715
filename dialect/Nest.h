//===- Nest.h - The loop nest of an operation ------------------------------------------------===//
//
// What NestOpInterface returns: an iteration space with one affine map per operand and result. The
// tests, the schedule and the code generators of all targets read operations through this.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_DIALECT_NEST_H
#define CNNC_DIALECT_NEST_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/SmallVector.h"

namespace mlir::cnn {

/// A matrix applied along one dimension of what a point reads: index `reduced` of the operand is
/// replaced by index `result`. `matrix` is row-major, one row for each index of `result`.
struct Transform {
  unsigned result;
  unsigned reduced;
  SmallVector<double> matrix;
};

/// A loop nest. Maps are linear: sums of dimensions times constants, plus a constant.
struct Nest {
  /// Extent of every dimension. Parallel dimensions stand before reduced ones.
  SmallVector<int64_t> sizes;
  /// How many of the dimensions are parallel; the others are reduced.
  unsigned numParallel = 0;
  /// Per operand, from the dimensions to the operand's logical indices. An index outside of the
  /// operand (a convolution's padding) reads `padding`.
  SmallVector<AffineMap> operandMaps;
  /// Per result, from the dimensions to the result's logical indices. What falls outside of the
  /// result is dropped.
  SmallVector<AffineMap> resultMaps;
  /// What an operand gives outside of its bounds; NaN where the body does not use it there.
  double padding = 0.0;
  /// The operand that accumulators start from (a bias), or -1 for `buildInit`. It is not passed to
  /// the body (a null value stands in its place).
  int initOperand = -1;
  /// How accumulators of different lanes are combined where the vector runs along a reduced
  /// dimension: "add" or "max"; empty where that is impossible.
  StringRef combine = "add";
  /// Whether the reduced dimensions must be visited in the order in which they stand: the first of
  /// equal elements counts.
  bool ordered = false;
  /// Several points may fall on one element of the result, or on none: the result starts from zero,
  /// and what each point gives is added to it, in the order of the loops. Indices outside of the
  /// result are dropped.
  bool scatter = false;
  /// Where not empty: every reduced dimension belongs to one transform, operand 0 is transformed
  /// along each, and the body is pointwise on what comes out. Such a nest is computed for all
  /// indices of the transforms' dimensions at once.
  SmallVector<Transform> transforms;
  /// How many of the first dimensions an outer group can fix for its members: the batch, and where
  /// it is 3 also blocks of rows and of columns of an image.
  unsigned numSliced = 1;

  unsigned getNumDims() const { return sizes.size(); }
  bool isParallel(unsigned dim) const { return dim < numParallel; }
};

/// Zero of a float or integer type, or a vector of them.
Value buildZero(OpBuilder &builder, Location loc, Type type);

/// A float constant of `type` (a float type or a vector of one).
Value buildFloat(OpBuilder &builder, Location loc, Type type, double value);

/// An i32 constant in the shape of `like` (a scalar or a vector of any element type).
Value buildInt(OpBuilder &builder, Location loc, Type like, int64_t value);

} // namespace mlir::cnn

#endif // CNNC_DIALECT_NEST_H
