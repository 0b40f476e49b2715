//===- CnnWinogradOps.cpp - The four parts of a Winograd convolution -------------------------===//

#include "dialect/CnnDialect.h"
#include "dialect/Window.h"
#include "dialect/Winograd.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/AffineExpr.h"

#include <algorithm>

using namespace mlir;
using namespace mlir::cnn;

using IndexFn = llvm::function_ref<Value(unsigned)>;
using Values = SmallVector<Value>;

static constexpr int64_t taps = 3;

static LogicalResult verifyTile(Operation *op, int64_t tile) {
  if (!hasWinogradPoints(tile))
    return op->emitOpError() << "tile is " << tile << ", expected 2, 3, 4 or 6 (C2)";
  return success();
}

/// Checks shape and element type of `what` against those expected (C1); negative extents are free.
static LogicalResult verifyShape(Operation *op, StringRef what, RankedTensorType type,
                                 ArrayRef<int64_t> expected, Type element) {
  bool fits =
      type.getRank() == static_cast<int64_t>(expected.size()) && type.getElementType() == element;
  for (size_t dim = 0; fits && dim < expected.size(); ++dim)
    fits = expected[dim] < 0 || type.getDimSize(dim) == expected[dim];
  if (fits)
    return success();
  std::string text;
  for (int64_t extent : expected)
    text += (text.empty() ? "" : ", ") + (extent < 0 ? "?" : std::to_string(extent));
  return op->emitOpError() << what << " is " << dropLayout(type) << ", expected [" << text
                           << "] of " << element << " (C1)";
}

/// A nest over dimensions of the given extents, the first `numParallel` of them parallel.
static Nest makeNest(ArrayRef<int64_t> sizes, unsigned numParallel) {
  Nest nest;
  nest.sizes.assign(sizes.begin(), sizes.end());
  nest.numParallel = numParallel;
  return nest;
}

//===--------------------------------------------------------------------------------------------===//
// winograd_weight: (k, c, p, q | r, s)
//===--------------------------------------------------------------------------------------------===//

LogicalResult WinogradWeightOp::verify() {
  if (failed(verifyTile(*this, getTile())))
    return failure();
  RankedTensorType w = getTensor(getWeight());
  Type element = w.getElementType();
  if (failed(verifyShape(*this, "weight", w, {-1, -1, taps, taps}, element)))
    return failure();
  int64_t alpha = getTile() + taps - 1;
  return verifyShape(*this, "result", getTensor(getResult()),
                     {alpha, alpha, w.getDimSize(0), w.getDimSize(1)}, element);
}

Nest WinogradWeightOp::getNest() {
  ArrayRef<int64_t> w = getTensor(getWeight()).getShape();
  int64_t alpha = getTile() + taps - 1;
  Nest nest = makeNest({w[0], w[1], alpha, alpha, taps, taps}, 4);
  AffineExpr k, c, p, q, r, s;
  bindDims(getContext(), k, c, p, q, r, s);
  nest.operandMaps = {AffineMap::get(6, 0, {k, c, r, s}, getContext())};
  nest.resultMaps = {AffineMap::get(6, 0, {p, q, k, c}, getContext())};
  SmallVector<double> matrix = getWinogradMatrices(getTile()).weight;
  nest.transforms = {{2, 4, matrix}, {3, 5, matrix}};
  return nest;
}

Values WinogradWeightOp::buildBody(OpBuilder &, Location, ValueRange in, ValueRange, IndexFn) {
  return {in[0]};
}

//===--------------------------------------------------------------------------------------------===//
// winograd_input: (n, bi, bj, c, ti, tj, p, q | r, s)
//===--------------------------------------------------------------------------------------------===//

LogicalResult WinogradInputOp::verify() {
  if (failed(verifyTile(*this, getTile())))
    return failure();
  if (getPadding().size() != 2 ||
      llvm::any_of(getPadding(), [](int64_t zeros) { return zeros < 0; }))
    return emitOpError() << "padding is " << formatShape(getPadding())
                         << ", expected two numbers that are not negative (C2)";
  RankedTensorType x = getTensor(getInput());
  Type element = x.getElementType();
  if (failed(verifyShape(*this, "input", x, {-1, -1, -1, -1}, element)))
    return failure();
  int64_t alpha = getTile() + taps - 1;
  return verifyShape(*this, "result", getTensor(getResult()),
                     {x.getDimSize(0), -1, -1, alpha, alpha, x.getDimSize(1), -1, -1}, element);
}

Nest WinogradInputOp::getNest() {
  ArrayRef<int64_t> v = getTensor(getResult()).getShape();
  int64_t tile = getTile(), alpha = tile + taps - 1;
  Nest nest = makeNest({v[0], v[1], v[2], v[5], v[6], v[7], alpha, alpha, alpha, alpha}, 8);
  AffineExpr n, bi, bj, c, ti, tj, p, q, r, s;
  bindDims(getContext(), n, bi, bj, c, ti, tj, p, q, r, s);
  AffineExpr row = bi * (tile * v[6]) + ti * tile + r - getPadding()[0];
  AffineExpr column = bj * (tile * v[7]) + tj * tile + s - getPadding()[1];
  nest.operandMaps = {AffineMap::get(10, 0, {n, c, row, column}, getContext())};
  nest.resultMaps = {AffineMap::get(10, 0, {n, bi, bj, p, q, c, ti, tj}, getContext())};
  SmallVector<double> matrix = getWinogradMatrices(getTile()).input;
  if (getTurned())
    for (int64_t row = 0; row < alpha; ++row)
      std::reverse(&matrix[row * alpha], &matrix[row * alpha] + alpha);
  nest.transforms = {{6, 8, matrix}, {7, 9, matrix}};
  nest.numSliced = 3;
  return nest;
}

Values WinogradInputOp::buildBody(OpBuilder &, Location, ValueRange in, ValueRange, IndexFn) {
  return {in[0]};
}

//===--------------------------------------------------------------------------------------------===//
// winograd_product: (n, bi, bj, p, q, k, ti, tj | c)
//===--------------------------------------------------------------------------------------------===//

LogicalResult WinogradProductOp::verify() {
  RankedTensorType v = getTensor(getInput()), u = getTensor(getWeight());
  Type element = v.getElementType();
  if (failed(verifyShape(*this, "input", v, {-1, -1, -1, -1, -1, -1, -1, -1}, element)) ||
      failed(verifyShape(*this, "weight", u,
                         {v.getDimSize(3), v.getDimSize(4), getTurned() ? v.getDimSize(5) : -1,
                          getTurned() ? -1 : v.getDimSize(5)},
                         element)))
    return failure();
  SmallVector<int64_t> shape(v.getShape());
  shape[5] = u.getDimSize(getTurned() ? 3 : 2);
  return verifyShape(*this, "result", getTensor(getResult()), shape, element);
}

Nest WinogradProductOp::getNest() {
  SmallVector<int64_t> sizes(getTensor(getResult()).getShape());
  sizes.push_back(getTensor(getInput()).getDimSize(5));
  Nest nest = makeNest(sizes, 8);
  AffineExpr n, bi, bj, p, q, k, ti, tj, c;
  bindDims(getContext(), n, bi, bj, p, q, k, ti, tj, c);
  nest.operandMaps = {AffineMap::get(9, 0, {n, bi, bj, p, q, c, ti, tj}, getContext()),
                      getTurned() ? AffineMap::get(9, 0, {p, q, c, k}, getContext())
                                  : AffineMap::get(9, 0, {p, q, k, c}, getContext())};
  nest.resultMaps = {AffineMap::get(9, 0, {n, bi, bj, p, q, k, ti, tj}, getContext())};
  nest.numSliced = 3;
  return nest;
}

Values WinogradProductOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange acc,
                                    IndexFn) {
  return {math::FmaOp::create(b, loc, in[0], in[1], acc[0])};
}

//===--------------------------------------------------------------------------------------------===//
// winograd_output: (n, bi, bj, k, ti, tj, a, b | p, q)
//===--------------------------------------------------------------------------------------------===//

LogicalResult WinogradOutputOp::verify() {
  if (failed(verifyTile(*this, getTile())))
    return failure();
  RankedTensorType m = getTensor(getInput()), y = getTensor(getResult());
  Type element = m.getElementType();
  int64_t tile = getTile(), alpha = tile + taps - 1;
  if (failed(verifyShape(*this, "input", m, {-1, -1, -1, alpha, alpha, -1, -1, -1}, element)) ||
      failed(verifyShape(*this, "result", y, {m.getDimSize(0), m.getDimSize(5), -1, -1}, element)))
    return failure();
  if (getBias() &&
      failed(verifyShape(*this, "bias", getTensor(getBias()), {m.getDimSize(5)}, element)))
    return failure();
  for (int axis : {0, 1})
    if (m.getDimSize(1 + axis) * m.getDimSize(6 + axis) * tile < y.getDimSize(2 + axis))
      return emitOpError() << m.getDimSize(1 + axis) << " blocks of " << m.getDimSize(6 + axis)
                           << " tiles of " << tile << " do not cover an extent of "
                           << y.getDimSize(2 + axis) << " (C3)";
  return success();
}

Nest WinogradOutputOp::getNest() {
  ArrayRef<int64_t> m = getTensor(getInput()).getShape();
  int64_t tile = getTile();
  Nest nest = makeNest({m[0], m[1], m[2], m[5], m[6], m[7], tile, tile, m[3], m[4]}, 8);
  AffineExpr n, bi, bj, k, ti, tj, i, j, p, q;
  bindDims(getContext(), n, bi, bj, k, ti, tj, i, j, p, q);
  nest.operandMaps = {AffineMap::get(10, 0, {n, bi, bj, p, q, k, ti, tj}, getContext())};
  if (getBias())
    nest.operandMaps.push_back(AffineMap::get(10, 0, {k}, getContext()));
  AffineExpr row = bi * (tile * m[6]) + ti * tile + i, column = bj * (tile * m[7]) + tj * tile + j;
  nest.resultMaps = {AffineMap::get(10, 0, {n, k, row, column}, getContext())};
  SmallVector<double> matrix = getWinogradMatrices(tile).output;
  if (getTurned())
    for (int64_t row = 0, alpha = tile + taps - 1; row < tile / 2; ++row)
      std::swap_ranges(&matrix[row * alpha], &matrix[row * alpha] + alpha,
                       &matrix[(tile - 1 - row) * alpha]);
  nest.transforms = {{6, 8, matrix}, {7, 9, matrix}};
  nest.numSliced = 3;
  return nest;
}

Values WinogradOutputOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  if (!getBias())
    return {in[0]};
  return {arith::AddFOp::create(b, loc, in[0], in[1])};
}
