// Reads maps and bodies of nests: which operations are pointwise, which poolings tile their
// operand, and what is cheap enough to be computed again.

#include "compiler/transforms/NestFacts.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

#include <functional>
#include <numeric>

using namespace mlir;
using namespace mlir::cnn;

std::optional<LinearExpr> mlir::cnn::getLinear(AffineExpr expr, unsigned numDims) {
  LinearExpr linear;
  linear.coefficients.assign(numDims, 0);
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    linear.constant = constant.getValue();
    return linear;
  }
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    linear.coefficients[dim.getPosition()] = 1;
    return linear;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return std::nullopt;
  auto left = getLinear(binary.getLHS(), numDims), right = getLinear(binary.getRHS(), numDims);
  if (!left || !right)
    return std::nullopt;
  if (expr.getKind() == AffineExprKind::Add) {
    for (auto [a, b] : llvm::zip(left->coefficients, right->coefficients))
      a += b;
    left->constant += right->constant;
    return left;
  }
  auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS());
  if (expr.getKind() != AffineExprKind::Mul || !factor)
    return std::nullopt;
  for (int64_t &coefficient : left->coefficients)
    coefficient *= factor.getValue();
  left->constant *= factor.getValue();
  return left;
}

/// Whether different points fall on different elements: every dimension stands in one index only,
/// and in each index every coefficient is larger than all that smaller ones can add up to.
static bool isInjective(AffineMap map, ArrayRef<int64_t> sizes) {
  SmallVector<bool> used(sizes.size(), false);
  for (AffineExpr expr : map.getResults()) {
    auto linear = getLinear(expr, sizes.size());
    if (!linear)
      return false;
    SmallVector<std::pair<int64_t, int64_t>> terms; // coefficient, extent
    for (auto [dim, coefficient] : llvm::enumerate(linear->coefficients)) {
      if (coefficient == 0 || sizes[dim] == 1)
        continue;
      if (used[dim])
        return false;
      used[dim] = true;
      terms.push_back({std::abs(coefficient), sizes[dim]});
    }
    llvm::sort(terms);
    int64_t reach = 0;
    for (auto [coefficient, extent] : terms) {
      if (coefficient <= reach)
        return false;
      reach += coefficient * (extent - 1);
    }
  }
  return llvm::all_of(llvm::enumerate(sizes),
                      [&](auto size) { return size.value() == 1 || used[size.index()]; });
}

/// A pooling in registers keeps the whole window there: 16 is what AVX2 has; larger windows are
/// pooled from memory.
static constexpr int64_t maxPooledArea = 16;

/// Whether the nest's only operand is read through windows that tile it: its index in dimension p
/// is that of the result, `d_p`, or `extent(r) * d_p + d_r` with a reduced r, and covers the
/// operand.
static bool tilesItsOperand(const Nest &nest, Operation *op) {
  if (op->getNumOperands() != 1 || nest.initOperand >= 0 || nest.scatter)
    return false;
  AffineMap operandMap = nest.operandMaps[0];
  ArrayRef<int64_t> shape = getTensor(op->getOperand(0)).getShape();
  for (AffineMap map : nest.resultMaps) {
    if (map.getNumResults() != nest.numParallel || operandMap.getNumResults() != nest.numParallel)
      return false;
    for (auto [position, expr] : llvm::enumerate(map.getResults()))
      if (expr != getAffineDimExpr(position, map.getContext()))
        return false;
  }
  SmallVector<bool> windowed(nest.getNumDims(), false);
  for (auto [position, expr] : llvm::enumerate(operandMap.getResults())) {
    auto linear = getLinear(expr, nest.getNumDims());
    if (!linear || linear->constant != 0)
      return false;
    int64_t window = 1;
    for (unsigned dim = 0; dim < nest.getNumDims(); ++dim) {
      int64_t coefficient = linear->coefficients[dim];
      if (coefficient == 0 || dim == position)
        continue;
      if (nest.isParallel(dim) || coefficient != 1 || window != 1 || windowed[dim])
        return false;
      window = nest.sizes[dim];
      windowed[dim] = true;
    }
    if (linear->coefficients[position] != window ||
        nest.sizes[position] * window != shape[position])
      return false;
  }
  int64_t area = 1;
  for (unsigned dim = nest.numParallel; dim < nest.getNumDims(); ++dim) {
    if (!windowed[dim] && nest.sizes[dim] != 1)
      return false;
    area *= nest.sizes[dim];
  }
  return area > 1 && area <= maxPooledArea;
}

/// Whether a pointwise nest reads an operand of the result's rank elsewhere than at the result's
/// index, but for dimensions that are repeated.
static bool movesElements(AffineMap map, ArrayRef<int64_t> sizes) {
  if (map.getNumResults() != sizes.size())
    return false;
  for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
    auto constant = dyn_cast<AffineConstantExpr>(expr);
    bool repeats = constant && constant.getValue() == 0;
    if (!repeats && expr != getAffineDimExpr(dim, map.getContext()))
      return true;
  }
  return false;
}

/// So many points may read one element for which something cheap is computed again: a window of
/// 3 x 3 at stride 2 has 9 points for every 4 elements.
static constexpr double mostReads = 2.5;

NestFacts::NestFacts(NestOpInterface op) {
  Nest nest = op.getNest();
  double points =
      std::accumulate(nest.sizes.begin(), nest.sizes.end(), 1.0, std::multiplies<double>());
  reduces = nest.numParallel < nest.getNumDims();
  scatters = nest.scatter;
  for (auto [operand, map] : llvm::zip(op->getOperands(), nest.operandMaps)) {
    // The first part of a larger tensor is read at the same index, but is not what was computed.
    readsSamePoint.push_back(map.isIdentity() &&
                             getTensor(operand).getShape() == ArrayRef<int64_t>(nest.sizes));
    readsOnce.push_back(isInjective(map, nest.sizes));
    readsFew.push_back(points <=
                       mostReads * static_cast<double>(getTensor(operand).getNumElements()));
  }
  tilesOperand = tilesItsOperand(nest, op);
  pointwise = !reduces && !scatters &&
              llvm::all_of(nest.resultMaps, [](AffineMap map) { return map.isIdentity(); });
  if (!pointwise)
    return;
  bool costly = studyBody(op, nest);
  // What is moved is stored where it comes to lie: to read it from where it was costs more than to
  // read it there, at every use.
  if (llvm::any_of(nest.operandMaps, [&](AffineMap map) { return movesElements(map, nest.sizes); }))
    return;
  // Operands as large as the result, constants aside.
  unsigned large = 0;
  RankedTensorType result = getTensor(op->getResult(0));
  for (Value operand : op->getOperands())
    if (RankedTensorType type = getTensor(operand);
        !matchPattern(operand, m_Constant()) && type.getRank() >= result.getRank() &&
        type.getNumElements() >= result.getNumElements())
      ++large;
  generates = large == 0;
  streams = large == 1 && !costly;
}

bool NestFacts::studyBody(NestOpInterface op, const Nest &nest) {
  Block block;
  OpBuilder builder(op.getContext());
  builder.setInsertionPointToStart(&block);
  Location loc = op.getLoc();
  auto addScalar = [&](Type type) -> Value { return block.addArgument(type, loc); };
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(addScalar(getElementTypeOrSelf(operand)));
  op.buildBody(builder, loc, operands, {}, [&](unsigned) {
    usesIndex = true;
    return addScalar(builder.getI32Type());
  });
  bool costly = false;
  for (Operation &inner : block)
    costly |= isa<arith::DivFOp, arith::MulUIExtendedOp>(inner) ||
              (isa<math::MathDialect>(inner.getDialect()) && !isa<math::FmaOp>(inner));
  return costly;
}
