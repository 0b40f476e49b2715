//===- CnnPartialOps.cpp - Sums in several parts ---------------------------------------------===//

#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::cnn;

NestOpInterface PartialSumsOp::getWhole() {
  return dyn_cast<NestOpInterface>(getBody().front().front());
}

bool PartialSumsOp::addsUp(NestOpInterface op) {
  Nest nest = op.getNest();
  if (op->getNumResults() != 1 || nest.numParallel == nest.getNumDims() || nest.combine != "add" ||
      nest.ordered || nest.scatter || !nest.transforms.empty() || nest.initOperand >= 0)
    return false;
  Type element = getTensor(op->getResult(0)).getElementType();
  if (!isa<FloatType>(element))
    return false;
  Block block;
  Location loc = op.getLoc();
  Value sum = block.addArgument(element, loc);
  OpBuilder b(op.getContext());
  b.setInsertionPointToEnd(&block);
  bool usesIndex = false;
  auto index = [&](unsigned) -> Value {
    usesIndex = true;
    return buildInt(b, loc, element, 0);
  };
  SmallVector<Value> finished = op.buildFinish(b, loc, sum, index);
  return !usesIndex && finished.front() == sum &&
         matchPattern(op.buildInit(b, loc, element).front(), m_AnyZeroFloat());
}

LogicalResult PartialSumsOp::verify() {
  Block &body = getBody().front();
  NestOpInterface whole = getWhole();
  auto yield = dyn_cast<YieldOp>(body.back());
  if (!haveSameShapes(body.getArgumentTypes(), getInputs().getTypes()))
    return emitOpError("has arguments that differ from its operands (C1)");
  if (!whole || body.getOperations().size() != 2 || !yield ||
      !llvm::equal(yield.getValues(), whole->getResults()))
    return emitOpError("must hold one operation with a loop nest, and yield its results (C1)");
  StringRef name = whole->getName().stripDialect();
  if (!addsUp(whole))
    return emitOpError() << "'" << name << "' does not just add up (C2)";
  Nest nest = whole.getNest();
  int64_t dim = getDim(), parts = getParts();
  if (dim < nest.numParallel || dim >= nest.getNumDims())
    return emitOpError() << "dimension " << dim << " of '" << name
                         << "' is not reduced; those from " << nest.numParallel << " to "
                         << nest.getNumDims() - 1 << " are (C3)";
  if (parts < 1 || nest.sizes[dim] % parts != 0)
    return emitOpError() << parts << " parts do not divide an extent of " << nest.sizes[dim]
                         << " (C3)";
  SmallVector<int64_t> shape(getTensor(whole->getResult(0)).getShape());
  shape.insert(shape.begin(), parts);
  if (getTensor(getResult()).getShape() != ArrayRef<int64_t>(shape))
    return emitOpError() << "result is " << getResult().getType() << ", expected "
                         << formatShape(shape) << " (C4)";
  return success();
}

/// (part, dimensions of the whole): dimension `dim` becomes part * extent + dim.
Nest PartialSumsOp::getNest() {
  Nest nest = getWhole().getNest();
  MLIRContext *context = getContext();
  unsigned dims = nest.getNumDims();
  int64_t extent = nest.sizes[getDim()] / getParts();
  AffineExpr part = getAffineDimExpr(0, context);
  SmallVector<AffineExpr> moved;
  for (unsigned dim = 0; dim < dims; ++dim)
    moved.push_back(getAffineDimExpr(dim + 1, context));
  moved[getDim()] = part * extent + moved[getDim()];
  auto move = [&](AffineMap map) { return map.replaceDimsAndSymbols(moved, {}, dims + 1, 0); };
  for (AffineMap &map : nest.operandMaps)
    map = move(map);
  SmallVector<AffineExpr> at(move(nest.resultMaps[0]).getResults());
  at.insert(at.begin(), part);
  nest.resultMaps[0] = AffineMap::get(dims + 1, 0, at, context);
  nest.sizes[getDim()] = extent;
  nest.sizes.insert(nest.sizes.begin(), getParts());
  ++nest.numParallel;
  return nest;
}

SmallVector<Value> PartialSumsOp::buildBody(OpBuilder &b, Location loc, ValueRange in,
                                            ValueRange acc,
                                            llvm::function_ref<Value(unsigned)> index) {
  NestOpInterface whole = getWhole();
  auto indexOfWhole = [&](unsigned dim) -> Value {
    Value own = index(dim + 1);
    if (dim != getDim())
      return own;
    Value extent = buildInt(b, loc, own.getType(), whole.getNest().sizes[dim] / getParts());
    return arith::AddIOp::create(b, loc, arith::MulIOp::create(b, loc, index(0), extent), own);
  };
  return whole.buildBody(b, loc, in, acc, indexOfWhole);
}
