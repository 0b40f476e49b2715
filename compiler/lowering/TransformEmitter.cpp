//===- TransformEmitter.cpp - Matrices along the dimensions of a tile ------------------------===//
//
// A window is loaded as a tile, multiplied by one matrix along each of its dimensions, and stored.
// Nothing is multiplied by 0 or 1, and what rows (or columns) of a matrix that differ in signs only
// have in common is computed once:
//
//   rows (a, b, c) and (a, -b, c):       s = a x + c z, d = b y;  s + d and s - d
//   columns (a, b, c) and (a, -b, c):    x + y and x - y, each with half of the coefficients
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/lowering/TileEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::cnn;

namespace {
/// A matrix times a list of tiles.
class MatrixProduct {
public:
  MatrixProduct(OpBuilder &b, Location loc, ArrayRef<double> matrix, SmallVector<Value> inputs)
      : b(b), loc(loc), numColumns(inputs.size()), numRows(matrix.size() / inputs.size()),
        matrix(matrix), inputs(std::move(inputs)) {}

  SmallVector<Value> emit() {
    pairColumns();
    SmallVector<Value> results(numRows);
    for (size_t row = 0; row < numRows; ++row) {
      if (results[row])
        continue;
      size_t other = row + 1;
      while (other < numRows && (results[other] || !isPair(row, other)))
        ++other;
      if (other == numRows) {
        results[row] = combine(getTerms(row, [](size_t) { return true; }));
        continue;
      }
      auto equal = [&](size_t column) { return at(row, column) == at(other, column); };
      Value same = combine(getTerms(row, equal));
      Terms opposed = getTerms(row, [&](size_t column) { return !equal(column); });
      double factor = opposed[0].first;
      for (auto &term : opposed)
        term.first /= factor;
      Value difference = combine(opposed);
      results[row] = addScaled(same, factor, difference);
      results[other] = addScaled(same, -factor, difference);
    }
    return results;
  }

private:
  using Terms = SmallVector<std::pair<double, Value>>;

  double &at(size_t row, size_t column) { return matrix[row * numColumns + column]; }

  Terms getTerms(size_t row, function_ref<bool(size_t)> filter) {
    Terms terms;
    for (size_t column = 0; column < numColumns; ++column)
      if (at(row, column) != 0 && filter(column))
        terms.push_back({at(row, column), inputs[column]});
    return terms;
  }

  /// Whether the rows agree but for some signs.
  bool isPair(size_t row, size_t other) {
    bool same = false, opposed = false;
    for (size_t column = 0; column < numColumns; ++column) {
      double x = at(row, column), y = at(other, column);
      if (x != y && x != -y)
        return false;
      same |= x == y && x != 0;
      opposed |= x != y;
    }
    return same && opposed;
  }

  /// Replaces inputs whose columns agree but for some signs by their sum and difference.
  void pairColumns() {
    for (size_t first = 0; first < numColumns; ++first)
      for (size_t second = first + 1; second < numColumns; ++second) {
        int64_t same = 0, opposed = 0;
        bool pair = true;
        for (size_t row = 0; row < numRows; ++row) {
          double x = at(row, first), y = at(row, second);
          pair &= x == y || x == -y;
          same += x == y && x != 0;
          opposed += x != y;
        }
        if (!pair || same == 0 || opposed == 0 || same + opposed < 3)
          continue;
        Value x = inputs[first], y = inputs[second];
        inputs[first] = arith::AddFOp::create(b, loc, x, y);
        inputs[second] = arith::SubFOp::create(b, loc, x, y);
        for (size_t row = 0; row < numRows; ++row) {
          bool equal = at(row, first) == at(row, second);
          at(row, second) = equal ? 0 : at(row, first);
          at(row, first) = equal ? at(row, first) : 0;
        }
        break;
      }
  }

  /// value + factor * addend.
  Value addScaled(Value value, double factor, Value addend) {
    if (factor == 1)
      return arith::AddFOp::create(b, loc, value, addend);
    if (factor == -1)
      return arith::SubFOp::create(b, loc, value, addend);
    Value splat = buildFloat(b, loc, addend.getType(), factor);
    auto fma = math::FmaOp::create(b, loc, splat, addend, value);
    fma->setAttr("cnn.on_demand", b.getUnitAttr());
    return fma;
  }

  Value combine(Terms terms) {
    if (terms.empty())
      return buildZero(b, loc, inputs[0].getType());
    // Begin with what needs no multiplication.
    auto begin = llvm::find_if(terms, [](auto term) { return term.first == 1; });
    if (begin != terms.end())
      std::rotate(terms.begin(), begin, begin + 1);
    auto [factor, sum] = terms.front();
    if (factor != 1)
      sum = arith::MulFOp::create(b, loc, sum, buildFloat(b, loc, sum.getType(), factor));
    for (auto [next, value] : llvm::drop_begin(terms))
      sum = addScaled(sum, next, value);
    return sum;
  }

  OpBuilder &b;
  Location loc;
  size_t numColumns, numRows;
  SmallVector<double> matrix;
  SmallVector<Value> inputs;
};
} // namespace

Value mlir::cnn::applyMatrix(OpBuilder &b, Location loc, Value tile, unsigned dim,
                             ArrayRef<double> matrix) {
  auto type = cast<VectorType>(tile.getType());
  SmallVector<int64_t> shape(type.getShape());
  int64_t count = shape[dim];
  shape[dim] = 1;
  auto part = VectorType::get(shape, type.getElementType());
  SmallVector<Value> parts;
  SmallVector<int64_t> offsets(shape.size(), 0), strides(shape.size(), 1);
  for (offsets[dim] = 0; offsets[dim] < count; ++offsets[dim])
    parts.push_back(TilePickOp::create(b, loc, part, tile, offsets, strides));
  parts = MatrixProduct(b, loc, matrix, std::move(parts)).emit();
  shape[dim] = parts.size();
  return TileJoinOp::create(b, loc, VectorType::get(shape, type.getElementType()), parts, dim);
}

SmallVector<Value> TileEmitter::emitTransforms() {
  // The dimensions of the window take the places of those that they are transformed to.
  Tile window = anchorTile;
  SmallVector<LinearForm> forms = getForms(nest.operandMaps[0]);
  SmallVector<Position> saved(positions);
  for (const Transform &transform : nest.transforms) {
    int64_t extent = nest.sizes[transform.reduced];
    window.extents[transform.result] = extent;
    positions[transform.result].tile = extent;
    for (LinearForm &form : forms) {
      form.coefficients[transform.result] = form.coefficients[transform.reduced];
      form.coefficients[transform.reduced] = 0;
    }
  }
  Value value = evaluate(info.anchor->getOperand(0), forms, window, nest.padding);
  positions = saved;
  for (const Transform &transform : nest.transforms)
    value = applyMatrix(b, loc, value, transform.result, transform.matrix);
  SmallVector<Value> operands = {value};
  for (unsigned i = 1; i < info.anchor->getNumOperands(); ++i)
    operands.push_back(
        evaluate(info.anchor->getOperand(i), getForms(nest.operandMaps[i]), anchorTile, 0.0));
  unsigned dims = nest.getNumDims();
  NestOpInterface anchor = info.anchor;
  return anchor.buildBody(b, loc, operands, {}, [&](unsigned dim) {
    return buildIndex(LinearForm::getDim(dim, dims), anchorTile);
  });
}
