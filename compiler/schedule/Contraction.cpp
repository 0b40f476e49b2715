//===- Contraction.cpp - Groups whose anchor is a product of two tensors ---------------------===//

#include "compiler/schedule/Contraction.h"
#include "compiler/schedule/Strides.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

/// Whether the body of the anchor is `accumulator + a * b` of the operands `a` and `b`.
static bool isMultiplyAdd(NestOpInterface anchor, unsigned a, unsigned b) {
  MLIRContext *context = anchor.getContext();
  Location loc = anchor.getLoc();
  Block block;
  SmallVector<Value> operands;
  for (Value operand : anchor->getOperands())
    operands.push_back(block.addArgument(getTensor(operand).getElementType(), loc));
  Value sum = block.addArgument(getTensor(anchor->getResult(0)).getElementType(), loc);
  OpBuilder builder(context);
  builder.setInsertionPointToEnd(&block);
  bool usesIndex = false;
  auto index = [&](unsigned) -> Value {
    usesIndex = true;
    return buildInt(builder, loc, sum.getType(), 0);
  };
  SmallVector<Value> results = anchor.buildBody(builder, loc, operands, sum, index);
  auto fma = results.front().getDefiningOp<math::FmaOp>();
  return fma && !usesIndex && llvm::hasSingleElement(block) && fma.getC() == sum &&
         ((fma.getA() == operands[a] && fma.getB() == operands[b]) ||
          (fma.getA() == operands[b] && fma.getB() == operands[a]));
}

/// How far apart elements of an operand lie along each dimension, whatever the direction.
static SmallVector<int64_t> getFactorStrides(const GroupInfo &info, unsigned factor) {
  NestOpInterface anchor = info.anchor;
  Value operand = anchor->getOperand(factor);
  SmallVector<int64_t> strides =
      getStrides(getForms(info.nest.operandMaps[factor]), getTensor(operand).getShape(),
                 getOperandLayout(info, operand));
  for (int64_t &stride : strides)
    stride = std::abs(stride);
  return strides;
}

/// The reduced dimensions, the one innermost along which elements of one of the factors are
/// neighbours.
static SmallVector<unsigned> getDepthOrder(const GroupInfo &info, ArrayRef<unsigned> factors) {
  const Nest &nest = info.nest;
  SmallVector<int64_t> nearest(nest.getNumDims(), std::numeric_limits<int64_t>::max());
  for (unsigned factor : factors)
    for (auto [distance, stride] : llvm::zip(nearest, getFactorStrides(info, factor)))
      if (stride != 0)
        distance = std::min(distance, stride);
  auto dims = llvm::to_vector(llvm::seq<unsigned>(nest.numParallel, nest.getNumDims()));
  sortByStride(dims, nearest);
  return dims;
}

FailureOr<Contraction> Contraction::get(const GroupInfo &info, ArrayRef<int64_t> windows,
                                        std::string &whyNot) {
  const Nest &nest = info.nest;
  NestOpInterface anchor = info.anchor;
  auto fail = [&](StringRef why) {
    whyNot = why.str();
    return failure();
  };
  SmallVector<unsigned> factors;
  for (unsigned i = 0; i < anchor->getNumOperands(); ++i)
    if (static_cast<int>(i) != nest.initOperand)
      factors.push_back(i);
  if (nest.numParallel == nest.getNumDims() || nest.scatter || anchor->getNumResults() != 1 ||
      factors.size() != 2 || !isMultiplyAdd(anchor, factors[0], factors[1]))
    return fail("it is no sum of products of two tensors");
  Contraction made;
  made.rowOperand = factors[0];
  made.columnOperand = factors[1];
  auto uses = [&](unsigned operand, unsigned dim) {
    return llvm::any_of(getForms(nest.operandMaps[operand]),
                        [&](const LinearForm &form) { return form.uses(dim); });
  };
  SmallVector<int64_t> strides = getResultStrides(info);
  int64_t nearest = std::numeric_limits<int64_t>::max();
  bool inRows = false;
  for (unsigned dim = 0; dim < nest.numParallel; ++dim) {
    bool row = uses(made.rowOperand, dim), column = uses(made.columnOperand, dim);
    if (!row && !column)
      return fail("one of its dimensions is in neither tensor");
    (row && column ? made.batch : row ? made.rows : made.columns).push_back(dim);
    if (row != column && nest.sizes[dim] > 1 && strides[dim] < nearest) {
      nearest = strides[dim];
      inRows = row;
    }
  }
  if (inRows) {
    std::swap(made.rowOperand, made.columnOperand);
    std::swap(made.rows, made.columns);
  }
  sortByStride(made.batch, strides);
  // What a factor is read along matters more than what the result is stored along: it is read
  // more often.
  sortByStride(made.rows, getFactorStrides(info, made.rowOperand));
  sortByStride(made.columns, getFactorStrides(info, made.columnOperand));
  made.reduced = getDepthOrder(info, factors);
  auto getExtent = [&](ArrayRef<unsigned> dims) {
    int64_t extent = 1;
    for (unsigned dim : dims)
      extent *= nest.sizes[dim];
    return extent;
  };
  made.numBatches = getExtent(made.batch);
  made.numRows = getExtent(made.rows);
  made.numColumns = getExtent(made.columns);
  made.depth = getExtent(made.reduced);
  for (unsigned dim : made.rows) {
    made.rowWindows.push_back(windows[dim]);
    made.rowWindow *= windows[dim];
  }
  for (unsigned dim : made.columns) {
    made.columnWindows.push_back(windows[dim]);
    made.columnWindow *= windows[dim];
  }
  // Threads that have a window's points between them exchange them all.
  constexpr int64_t mostPoints = 16;
  int64_t points = llvm::product_of(windows);
  if (std::max(made.rowWindow, made.columnWindow) != points)
    return fail("the windows of the pooling that follows are not of rows or of columns alone");
  if (!llvm::isPowerOf2_64(points) || points > mostPoints)
    return fail("windows of " + std::to_string(points) +
                " points follow, of which tiles have no whole number");
  return made;
}
