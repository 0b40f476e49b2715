//===- CnnWinogradOps.cpp - The four parts of a Winograd convolution -------------------------===//

#include "dialect/CnnDialect.h"
#include "dialect/Window.h"
#include "dialect/Winograd.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/AffineExpr.h"

using namespace mlir;
using namespace mlir::cnn;

using IndexFn = llvm::function_ref<Value(unsigned)>;
using Values = SmallVector<Value>;

/// The algorithm that an operation is a part of.
template <typename Op> static WinogradForm getForm(Op op) {
  WinogradForm form;
  form.tile = op.getTile();
  form.stride = op.getStride();
  if constexpr (std::is_same_v<Op, WinogradWeightOp>) {
    form.taps = getTensor(op.getWeight()).getShape().back();
  } else {
    form.turned = op.getTurned();
    form.taps = op.getTaps();
  }
  return form;
}

static LogicalResult verifyForm(Operation *op, const WinogradForm &form) {
  if (form.stride != 1 && form.stride != 2)
    return op->emitOpError() << "stride is " << form.stride << ", expected 1 or 2 (C2)";
  if (form.taps != 3 && form.taps != 5)
    return op->emitOpError() << "taps is " << form.taps << ", expected 3 or 5 (C2)";
  if (!form.isKnown())
    return op->emitOpError() << "tile is " << form.tile << ", expected "
                             << (form.taps == 5     ? "2 or 4 at stride 1 with 5 taps (C2)"
                                 : form.stride == 1 ? "2, 3, 4 or 6 (C2)"
                                                    : "2, 3 or 4 at stride 2 (C2)");
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
  RankedTensorType w = getTensor(getWeight());
  Type element = w.getElementType();
  int64_t taps = w.getRank() == 4 && w.getDimSize(3) == 5 ? 5 : 3;
  if (failed(verifyShape(*this, "weight", w, {-1, -1, taps, taps}, element)))
    return failure();
  WinogradForm form = getForm(*this);
  if (failed(verifyForm(*this, form)))
    return failure();
  return verifyShape(*this, "result", getTensor(getResult()),
                     {form.getPoints(), form.getPoints(), w.getDimSize(0), w.getDimSize(1)},
                     element);
}

Nest WinogradWeightOp::getNest() {
  ArrayRef<int64_t> w = getTensor(getWeight()).getShape();
  WinogradForm form = getForm(*this);
  Nest nest = makeNest({w[0], w[1], form.getPoints(), form.getPoints(), form.taps, form.taps}, 4);
  AffineExpr k, c, p, q, r, s;
  bindDims(getContext(), k, c, p, q, r, s);
  nest.operandMaps = {AffineMap::get(6, 0, {k, c, r, s}, getContext())};
  nest.resultMaps = {AffineMap::get(6, 0, {p, q, k, c}, getContext())};
  SmallVector<double> matrix = form.getMatrices().weight;
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
  WinogradForm form = getForm(*this);
  if (failed(verifyForm(*this, form)))
    return failure();
  if (getPadding().size() != 2 ||
      llvm::any_of(getPadding(), [](int64_t zeros) { return zeros < 0; }))
    return emitOpError() << "padding is " << formatShape(getPadding())
                         << ", expected two numbers that are not negative (C2)";
  RankedTensorType x = getTensor(getInput());
  Type element = x.getElementType();
  if (failed(verifyShape(*this, "input", x, {-1, -1, -1, -1}, element)))
    return failure();
  int64_t points = form.getPoints();
  return verifyShape(*this, "result", getTensor(getResult()),
                     {x.getDimSize(0), -1, -1, points, points, x.getDimSize(1), -1, -1}, element);
}

Nest WinogradInputOp::getNest() {
  ArrayRef<int64_t> v = getTensor(getResult()).getShape();
  WinogradForm form = getForm(*this);
  int64_t step = form.getStep(), points = form.getPoints(), window = form.getWindow();
  Nest nest = makeNest({v[0], v[1], v[2], v[5], v[6], v[7], points, points, window, window}, 8);
  AffineExpr n, bi, bj, c, ti, tj, p, q, r, s;
  bindDims(getContext(), n, bi, bj, c, ti, tj, p, q, r, s);
  AffineExpr row = bi * (step * v[6]) + ti * step + r - getPadding()[0];
  AffineExpr column = bj * (step * v[7]) + tj * step + s - getPadding()[1];
  nest.operandMaps = {AffineMap::get(10, 0, {n, c, row, column}, getContext())};
  nest.resultMaps = {AffineMap::get(10, 0, {n, bi, bj, p, q, c, ti, tj}, getContext())};
  SmallVector<double> matrix = form.getMatrices().input;
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
  WinogradForm form = getForm(*this);
  if (failed(verifyForm(*this, form)))
    return failure();
  RankedTensorType m = getTensor(getInput()), y = getTensor(getResult());
  Type element = m.getElementType();
  int64_t outputs = form.getOutputs(), points = form.getPoints();
  if (failed(verifyShape(*this, "input", m, {-1, -1, -1, points, points, -1, -1, -1}, element)) ||
      failed(verifyShape(*this, "result", y, {m.getDimSize(0), m.getDimSize(5), -1, -1}, element)))
    return failure();
  if (getBias() &&
      failed(verifyShape(*this, "bias", getTensor(getBias()), {m.getDimSize(5)}, element)))
    return failure();
  for (int axis : {0, 1})
    if (m.getDimSize(1 + axis) * m.getDimSize(6 + axis) * outputs < y.getDimSize(2 + axis))
      return emitOpError() << m.getDimSize(1 + axis) << " blocks of " << m.getDimSize(6 + axis)
                           << " tiles of " << outputs << " do not cover an extent of "
                           << y.getDimSize(2 + axis) << " (C3)";
  return success();
}

Nest WinogradOutputOp::getNest() {
  ArrayRef<int64_t> m = getTensor(getInput()).getShape();
  WinogradForm form = getForm(*this);
  int64_t outputs = form.getOutputs();
  Nest nest = makeNest({m[0], m[1], m[2], m[5], m[6], m[7], outputs, outputs, m[3], m[4]}, 8);
  AffineExpr n, bi, bj, k, ti, tj, i, j, p, q;
  bindDims(getContext(), n, bi, bj, k, ti, tj, i, j, p, q);
  nest.operandMaps = {AffineMap::get(10, 0, {n, bi, bj, p, q, k, ti, tj}, getContext())};
  if (getBias())
    nest.operandMaps.push_back(AffineMap::get(10, 0, {k}, getContext()));
  AffineExpr row = bi * (outputs * m[6]) + ti * outputs + i;
  AffineExpr column = bj * (outputs * m[7]) + tj * outputs + j;
  nest.resultMaps = {AffineMap::get(10, 0, {n, k, row, column}, getContext())};
  SmallVector<double> matrix = form.getMatrices().output;
  nest.transforms = {{6, 8, matrix}, {7, 9, matrix}};
  nest.numSliced = 3;
  return nest;
}

Values WinogradOutputOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  if (!getBias())
    return {in[0]};
  return {arith::AddFOp::create(b, loc, in[0], in[1])};
}
