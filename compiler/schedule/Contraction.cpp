//===- Contraction.cpp - Groups whose anchor is a product of two tensors ---------------------===//

#include "compiler/schedule/Contraction.h"
#include "mlir/Dialect/Math/IR/Math.h"

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

FailureOr<Contraction> Contraction::get(const GroupInfo &info, std::string &whyNot) {
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
  if (info.pool)
    return fail("a pooling follows");
  Contraction made;
  made.rowOperand = factors[0];
  made.columnOperand = factors[1];
  auto uses = [&](unsigned operand, unsigned dim) {
    return llvm::any_of(getForms(nest.operandMaps[operand]),
                        [&](const LinearForm &form) { return form.uses(dim); });
  };
  // How far apart the elements of the result are along a dimension.
  SmallVector<LinearForm> results = info.getResultForms();
  ArrayRef<int64_t> shape = getTensor(anchor->getResult(0)).getShape();
  auto getStride = [&](unsigned dim) {
    int64_t stride = 0, step = 1;
    for (size_t at = results.size(); at-- > 0; step *= shape[at])
      stride += results[at].coefficients[dim] * step;
    return stride;
  };
  int64_t nearest = std::numeric_limits<int64_t>::max();
  bool inRows = false;
  for (unsigned dim = 0; dim < nest.numParallel; ++dim) {
    bool row = uses(made.rowOperand, dim), column = uses(made.columnOperand, dim);
    if (!row && !column)
      return fail("one of its dimensions is in neither tensor");
    (row && column ? made.batch : row ? made.rows : made.columns).push_back(dim);
    if (row != column && nest.sizes[dim] > 1 && getStride(dim) < nearest) {
      nearest = getStride(dim);
      inRows = row;
    }
  }
  if (inRows) {
    std::swap(made.rowOperand, made.columnOperand);
    std::swap(made.rows, made.columns);
  }
  for (unsigned dim : made.batch)
    made.numBatches *= nest.sizes[dim];
  for (unsigned dim : made.rows)
    made.numRows *= nest.sizes[dim];
  for (unsigned dim : made.columns)
    made.numColumns *= nest.sizes[dim];
  for (unsigned dim = nest.numParallel; dim < nest.getNumDims(); ++dim)
    made.depth *= nest.sizes[dim];
  return made;
}
