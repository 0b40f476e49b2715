//===- IndexFunction.h - A function by index, before there is IR -----------------------------===//
//
// What the front end makes of `[sum(x[i + a] * k[a] for a < p) for i < n]`: an iteration space,
// where each tensor is read, and a scalar expression. A layer of its own builds a `cnn.generic` of
// it.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_DIALECT_INDEXFUNCTION_H
#define CNNC_DIALECT_INDEXFUNCTION_H

#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <vector>

namespace mlir::cnn {

struct LayerDef;

/// A sum of dimensions times constants, plus a constant.
struct IndexForm {
  llvm::SmallVector<int64_t, 4> coefficients; // one per dimension
  int64_t constant = 0;

  bool operator==(const IndexForm &) const = default;
};

/// A part of the scalar expression; `children` are indices of parts before it.
struct IndexTerm {
  enum class Kind {
    Number,  // `number`
    Index,   // of dimension `which`, as a number
    Element, // of tensor `which` at its place
    Negate,
    Absolute,
    Root,
    Add,
    Subtract,
    Multiply,
    Divide,
    Minimum,
    Maximum,
    Less, // conditions from here to Not
    LessEqual,
    Equal,
    And,
    Or,
    Not,
    Select, // condition, value where it holds, value where not
  };
  Kind kind = Kind::Number;
  double number = 0;
  unsigned which = 0;
  llvm::SmallVector<unsigned, 3> children;

  bool isCondition() const { return kind >= Kind::Less && kind <= Kind::Not; }
};

struct IndexFunction {
  enum class Reduction { None, Sum, Max };
  /// Extents of the dimensions; the first `parallel` are the result's.
  llvm::SmallVector<int64_t, 4> sizes;
  unsigned parallel = 0;
  Reduction reduction = Reduction::None;
  /// Where the index of the largest element (in row-major order of the reduced dimensions) is
  /// wanted in place of the largest element.
  bool positions = false;
  /// Per tensor, the place that is read: one form per dimension of a sample.
  std::vector<llvm::SmallVector<IndexForm, 4>> reads;
  /// The expression; the last part is its value.
  std::vector<IndexTerm> terms;
  /// Whether the result is of integers: positions, or elements of a tensor of integers.
  bool integer = false;
};

/// The layer behind functions by index, which has no name in the language. Its argument `function`
/// is the function.
const LayerDef &getIndexLayer();

/// The layer of literals: its argument `numbers` are the elements in row-major order, `shape` the
/// shape, and `integer` says that they are integers.
const LayerDef &getLiteralLayer();

} // namespace mlir::cnn

#endif // CNNC_DIALECT_INDEXFUNCTION_H
