// What fusion wants to know of an operation, read from its nest and its body.

#ifndef CNNC_COMPILER_TRANSFORMS_NEST_FACTS_H
#define CNNC_COMPILER_TRANSFORMS_NEST_FACTS_H

#include "dialect/CnnDialect.h"

namespace mlir::cnn {

/// A linear expression: one coefficient per dimension, and a constant.
struct LinearExpr {
  SmallVector<int64_t> coefficients;
  int64_t constant = 0;
};

/// The coefficients of `expr` over `numDims` dimensions; none when it is not linear.
std::optional<LinearExpr> getLinear(AffineExpr expr, unsigned numDims);

/// Facts about one operation with a nest.
struct NestFacts {
  explicit NestFacts(NestOpInterface op);

  /// Whether every element of every result is computed on its own, at the same index in all
  /// results.
  bool pointwise = false;
  /// Whether some dimension is reduced.
  bool reduces = false;
  /// Whether results accumulate over the points of the nest.
  bool scatters = false;
  /// Whether this is a reduction over windows that lie side by side and cover the only operand,
  /// whose dimensions the result keeps: a pooling that can be computed from a register tile of its
  /// operand.
  bool tilesOperand = false;
  /// A pointwise operation with less to read than to write (constants, broadcasts): cheaper to
  /// compute again than to store.
  bool generates = false;
  /// A cheap pointwise operation with one large operand: to read its operand and compute it again
  /// costs no more than to read its result.
  bool streams = false;
  /// Whether the body asks for indices, so that the operation depends on the shape of its results.
  bool usesIndex = false;
  /// Per operand: whether it is read at the index of the result.
  SmallVector<bool> readsSamePoint;
  /// Per operand: whether each of its elements is read by one point of the nest at most.
  SmallVector<bool> readsOnce;
  /// Per operand: whether its elements are read by so few points (overlapping windows of a pooling)
  /// that something cheap is rather computed at each than stored.
  SmallVector<bool> readsFew;

private:
  /// Builds the body, and looks at what it consists of; returns whether it divides or calls a
  /// function.
  bool studyBody(NestOpInterface op, const Nest &nest);
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_TRANSFORMS_NEST_FACTS_H
