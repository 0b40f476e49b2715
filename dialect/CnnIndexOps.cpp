//===- CnnIndexOps.cpp - Functions by index, and literals ------------------------------------===//
//
// The nest of `cnn.generic` is what the operation says; its gradient is found by differentiating
// the region.
//
//===--------------------------------------------------------------------------------------------===//

#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

#include <limits>

using namespace mlir;
using namespace mlir::cnn;

using IndexFn = llvm::function_ref<Value(unsigned)>;
using Values = SmallVector<Value>;

//===--------------------------------------------------------------------------------------------===//
// Parts of the operation
//===--------------------------------------------------------------------------------------------===//

AffineMap GenericOp::getInputMap(unsigned input) {
  return cast<AffineMapAttr>(getMaps()[input]).getValue();
}

AffineMap GenericOp::getResultMap() { return getInputMap(getInputs().size()); }

TermOp GenericOp::getTerm() { return cast<TermOp>(getBody().front().getTerminator()); }

GenericOp GenericOp::make(OpBuilder &builder, Location loc, RankedTensorType result,
                          ValueRange inputs, ArrayRef<int64_t> sizes, int64_t parallel,
                          StringRef reduction, ArrayRef<AffineMap> maps, bool scatter,
                          bool positions,
                          llvm::function_ref<Value(OpBuilder &, ValueRange, ValueRange)> build) {
  auto places = positions ? RankedTensorType::get(result.getShape(), builder.getI32Type())
                          : RankedTensorType();
  auto op =
      GenericOp::create(builder, loc, result, places, inputs, builder.getDenseI64ArrayAttr(sizes),
                        builder.getI64IntegerAttr(parallel), builder.getStringAttr(reduction),
                        builder.getAffineMapArrayAttr(maps), builder.getBoolAttr(scatter));
  Block &block = op.getBody().emplaceBlock();
  for (Value input : inputs)
    block.addArgument(getTensor(input).getElementType(), loc);
  for ([[maybe_unused]] int64_t size : sizes)
    block.addArgument(builder.getI32Type(), loc);
  OpBuilder inner = OpBuilder::atBlockEnd(&block);
  ValueRange arguments = block.getArguments();
  TermOp::create(
      inner, loc,
      build(inner, arguments.take_front(inputs.size()), arguments.drop_front(inputs.size())));
  return op;
}

/// Whether `expr` is a sum of dimensions times constants.
static bool isLinear(AffineExpr expr) {
  if (isa<AffineConstantExpr, AffineDimExpr>(expr))
    return true;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary || !isLinear(binary.getLHS()) || !isLinear(binary.getRHS()))
    return false;
  return binary.getKind() == AffineExprKind::Add ||
         (binary.getKind() == AffineExprKind::Mul && isa<AffineConstantExpr>(binary.getRHS()));
}

/// What a region may consist of: elementwise operations that have a derivative or none is asked
/// for.
static bool isScalarOp(Operation *op) {
  return isa<arith::ConstantOp, arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp,
             arith::NegFOp, arith::CmpFOp, arith::SelectOp, arith::MaximumFOp, arith::MinimumFOp,
             arith::SIToFPOp, arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::CmpIOp,
             arith::AndIOp, arith::OrIOp, arith::XOrIOp, math::ExpOp, math::LogOp, math::TanhOp,
             math::SqrtOp, math::AbsFOp, math::FmaOp>(op);
}

LogicalResult GenericOp::verify() {
  unsigned dims = getSizes().size(), count = getInputs().size();
  uint64_t parallel = getParallel();
  if (getMaps().size() != count + 1)
    return emitOpError() << "has " << getMaps().size() << " maps, expected " << count + 1
                         << " (C1)";
  for (unsigned i = 0; i <= count; ++i) {
    AffineMap map = getInputMap(i);
    Value tensor = i < count ? getInputs()[i] : getResult();
    if (map.getNumDims() != dims || map.getNumSymbols() != 0 ||
        map.getNumResults() != getTensor(tensor).getRank() ||
        !llvm::all_of(map.getResults(), isLinear))
      return emitOpError() << "map " << i << " is " << AffineMapAttr::get(map)
                           << ", expected a linear one from " << dims << " dimensions to "
                           << getTensor(tensor).getRank() << " (C1)";
  }
  for (int64_t size : getSizes())
    if (size <= 0)
      return emitOpError() << "size " << size << " is not positive (C2)";
  if (parallel > dims)
    return emitOpError() << "keeps " << parallel << " of " << dims << " dimensions (C2)";
  for (unsigned dim = parallel; dim < dims; ++dim)
    if (getResultMap().isFunctionOfDim(dim))
      return emitOpError() << "the result's map uses dimension " << dim
                           << ", which is reduced (C2)";
  StringRef reduction = getReduction();
  if (reduction != "none" && reduction != "sum" && reduction != "max")
    return emitOpError() << "reduction is '" << reduction << "', expected none, sum or max (C3)";
  if ((reduction == "none") != (parallel == dims))
    return emitOpError() << "reduction is '" << reduction << "', but " << dims - parallel
                         << " dimensions are reduced (C3)";
  if ((reduction != "none" || getScatter()) &&
      !isa<FloatType>(getTensor(getResult()).getElementType()))
    return emitOpError() << "cannot accumulate " << getTensor(getResult()).getElementType()
                         << " (C3)";
  if (!getScatter() &&
      (getResultMap() !=
           AffineMap::getMultiDimIdentityMap(dims, getContext()).getMajorSubMap(parallel) ||
       getSizes().take_front(parallel) != getTensor(getResult()).getShape()))
    return emitOpError() << "the result " << getResult().getType()
                         << " is not that of the kept dimensions in order (C4)";
  if (getPositions() && (reduction != "max" || getScatter() ||
                         getTensor(getPositions()).getShape() != getTensor(getResult()).getShape()))
    return emitOpError() << "positions are those of a maximum, in the result's shape (C5)";
  Block &block = getBody().front();
  SmallVector<Type> types;
  for (Value input : getInputs())
    types.push_back(getTensor(input).getElementType());
  types.append(dims, IntegerType::get(getContext(), 32));
  if (TypeRange(block.getArgumentTypes()) != TypeRange(types))
    return emitOpError() << "region takes " << block.getArgumentTypes() << ", expected " << types
                         << " (C6)";
  for (Operation &op : block.without_terminator()) {
    auto scalar = [](Type type) { return type.isIntOrFloat(); };
    if (!isScalarOp(&op) || !llvm::all_of(op.getResultTypes(), scalar))
      return op.emitOpError() << "cannot stand in a function by index (C6)";
  }
  if (getTerm().getValue().getType() != getTensor(getResult()).getElementType())
    return emitOpError() << "region gives " << getTerm().getValue().getType() << ", expected "
                         << getTensor(getResult()).getElementType() << " (C6)";
  return success();
}

//===--------------------------------------------------------------------------------------------===//
// The nest
//===--------------------------------------------------------------------------------------------===//

Nest GenericOp::getNest() {
  Nest nest;
  nest.sizes.assign(getSizes().begin(), getSizes().end());
  nest.numParallel = getParallel();
  for (unsigned i = 0; i < getInputs().size(); ++i)
    nest.operandMaps.push_back(getInputMap(i));
  nest.resultMaps.assign(getOperation()->getNumResults(), getResultMap());
  if (getReduction() == "max")
    nest.combine = getPositions() ? "" : "max";
  nest.ordered = getPositions() != nullptr;
  nest.scatter = getScatter();
  return nest;
}

Values GenericOp::buildInit(OpBuilder &b, Location loc, ArrayRef<Type> types) {
  double first = getReduction() == "max" ? -std::numeric_limits<double>::infinity() : 0.0;
  Values init = {buildFloat(b, loc, types[0], first)};
  if (getPositions())
    init.push_back(buildZero(b, loc, types[1]));
  return init;
}

namespace {
/// Copies values of a region to where the nest is built: on scalars, or on tiles of any shape.
class RegionCopy {
public:
  RegionCopy(OpBuilder &builder, Location loc, Block &block, ValueRange operands, IndexFn index)
      : b(builder), loc(loc) {
    for (auto [i, argument] : llvm::enumerate(block.getArguments())) {
      if (i < operands.size()) {
        map.map(argument, operands[i]);
        noteShape(operands[i]);
      } else if (!argument.use_empty()) {
        Value value = index(i - operands.size());
        map.map(argument, value);
        noteShape(value);
      }
    }
  }

  void noteShape(Value like) {
    if (auto vector = dyn_cast_or_null<VectorType>(like ? like.getType() : Type()))
      shape = vector.getShape();
  }

  Value get(Value value) {
    if (Value known = map.lookupOrNull(value))
      return known;
    Operation *op = value.getDefiningOp();
    Value copied;
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      TypedAttr number = constant.getValue();
      if (shape)
        number =
            DenseElementsAttr::get(cast<ShapedType>(shaped(number.getType())), Attribute(number));
      copied = arith::ConstantOp::create(b, loc, number);
    } else {
      for (Value operand : op->getOperands())
        get(operand);
      Operation *copy = b.clone(*op, map);
      copy->setLoc(loc);
      copy->getResult(0).setType(shaped(value.getType()));
      copied = copy->getResult(0);
    }
    map.map(value, copied);
    return copied;
  }

private:
  Type shaped(Type type) { return shape ? VectorType::get(*shape, type) : type; }

  OpBuilder &b;
  Location loc;
  IRMapping map;
  std::optional<ArrayRef<int64_t>> shape;
};
} // namespace

/// The linear index of the reduced dimensions, as i32, from the index of each.
static Value buildPosition(OpBuilder &b, Location loc, ArrayRef<int64_t> sizes, unsigned parallel,
                           IndexFn index) {
  Value position;
  for (unsigned dim = parallel; dim < sizes.size(); ++dim) {
    Value at = index(dim);
    position = position ? arith::AddIOp::create(
                              b, loc,
                              arith::MulIOp::create(b, loc, position,
                                                    buildInt(b, loc, at.getType(), sizes[dim])),
                              at)
                              .getResult()
                        : at;
  }
  return position;
}

Values GenericOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange acc,
                            IndexFn index) {
  RegionCopy copy(b, loc, getBody().front(), in, index);
  if (!acc.empty())
    copy.noteShape(acc[0]);
  Value term = getTerm().getValue();
  if (getReduction() == "none")
    return {copy.get(term)};
  if (getReduction() == "sum") {
    if (auto product = term.getDefiningOp<arith::MulFOp>())
      return {math::FmaOp::create(b, loc, copy.get(product.getLhs()), copy.get(product.getRhs()),
                                  acc[0])};
    return {arith::AddFOp::create(b, loc, acc[0], copy.get(term))};
  }
  Value value = copy.get(term);
  if (!getPositions())
    return {arith::MaximumFOp::create(b, loc, acc[0], value)};
  // The first largest element wins, and the first NaN wins over everything, as in PyTorch.
  Value larger = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, value, acc[0]);
  Value fresh = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, acc[0], acc[0]);
  Value bad = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, value, value);
  larger = arith::OrIOp::create(b, loc, larger, arith::AndIOp::create(b, loc, fresh, bad));
  Value position = buildPosition(b, loc, getSizes(), getParallel(), index);
  return {arith::SelectOp::create(b, loc, larger, value, acc[0]),
          arith::SelectOp::create(b, loc, larger, position, acc[1])};
}

//===--------------------------------------------------------------------------------------------===//
// The gradient
//===--------------------------------------------------------------------------------------------===//

namespace {
/// The derivative of values of a region for one of its arguments. Null stands for zero. Where two
/// sides of a maximum or minimum are equal, the left one counts.
class Tangent {
public:
  Tangent(OpBuilder &builder, Location loc, Value argument) : b(builder), loc(loc) {
    known[argument] = buildFloat(b, loc, argument.getType(), 1.0);
  }

  Value get(Value value) {
    auto found = known.find(value);
    if (found != known.end())
      return found->second;
    Operation *op = value.getDefiningOp();
    Value tangent = op && isa<FloatType>(value.getType()) ? compute(op) : Value();
    return known[value] = tangent;
  }

private:
  Value add(Value x, Value y) {
    return !x || !y ? (x ? x : y) : Value(arith::AddFOp::create(b, loc, x, y));
  }
  Value mul(Value x, Value y) { return x ? Value(arith::MulFOp::create(b, loc, x, y)) : x; }
  Value div(Value x, Value y) { return x ? Value(arith::DivFOp::create(b, loc, x, y)) : x; }
  Value neg(Value x) { return x ? Value(arith::NegFOp::create(b, loc, x)) : x; }
  Value select(Value condition, Value x, Value y) {
    if (!x && !y)
      return {};
    Value zero = buildZero(b, loc, (x ? x : y).getType());
    return arith::SelectOp::create(b, loc, condition, x ? x : zero, y ? y : zero);
  }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) {
    return arith::CmpFOp::create(b, loc, predicate, x, y);
  }

  Value compute(Operation *op) {
    auto in = [&](unsigned i) { return op->getOperand(i); };
    auto d = [&](unsigned i) { return get(op->getOperand(i)); };
    Value y = op->getResult(0);
    auto constant = [&](double value) { return buildFloat(b, loc, y.getType(), value); };
    if (isa<arith::AddFOp>(op))
      return add(d(0), d(1));
    if (isa<arith::SubFOp>(op))
      return add(d(0), neg(d(1)));
    if (isa<arith::MulFOp>(op))
      return add(mul(d(0), in(1)), mul(d(1), in(0)));
    if (isa<math::FmaOp>(op))
      return add(add(mul(d(0), in(1)), mul(d(1), in(0))), d(2));
    if (isa<arith::DivFOp>(op))
      return div(add(d(0), neg(mul(d(1), y))), in(1));
    if (isa<arith::NegFOp>(op))
      return neg(d(0));
    if (isa<math::ExpOp>(op))
      return mul(d(0), y);
    if (isa<math::LogOp>(op))
      return div(d(0), in(0));
    if (isa<math::SqrtOp>(op))
      return div(d(0), arith::AddFOp::create(b, loc, y, y));
    if (isa<math::TanhOp>(op))
      return mul(d(0),
                 arith::SubFOp::create(b, loc, constant(1.0), arith::MulFOp::create(b, loc, y, y)));
    if (isa<math::AbsFOp>(op)) {
      Value slope = d(0);
      if (!slope)
        return {};
      Value below = compare(arith::CmpFPredicate::OLT, in(0), constant(0.0));
      Value above = compare(arith::CmpFPredicate::OGT, in(0), constant(0.0));
      return select(above, slope, select(below, neg(slope), {}));
    }
    if (isa<arith::SelectOp>(op))
      return select(in(0), d(1), d(2));
    if (isa<arith::MaximumFOp>(op))
      return select(compare(arith::CmpFPredicate::OGE, in(0), in(1)), d(0), d(1));
    if (isa<arith::MinimumFOp>(op))
      return select(compare(arith::CmpFPredicate::OLE, in(0), in(1)), d(0), d(1));
    return {}; // constants and converted indices
  }

  OpBuilder &b;
  Location loc;
  llvm::DenseMap<Value, Value> known;
};

/// The dimensions of a gradient in terms of those of the operation: `order[d]` is the operation's
/// dimension that `d` is, or -1 for a new one of extent 1.
struct GradientNest {
  SmallVector<int64_t> order;
  unsigned parallel = 0;
  bool scatter = false;
};
} // namespace

/// Every element of an operand read at one point of the kept dimensions is a sum; everything else
/// scatters.
static GradientNest getGradientNest(GenericOp op, unsigned input) {
  AffineMap map = op.getInputMap(input);
  ArrayRef<int64_t> shape = getTensor(op.getInputs()[input]).getShape(), sizes = op.getSizes();
  GradientNest nest;
  SmallVector<bool> used(sizes.size(), false);
  bool once = true;
  for (auto [expr, extent] : llvm::zip(map.getResults(), shape)) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (dim && !used[dim.getPosition()] && sizes[dim.getPosition()] == extent) {
      used[dim.getPosition()] = true;
      nest.order.push_back(dim.getPosition());
    } else if (expr == getAffineConstantExpr(0, op.getContext()) && extent == 1) {
      nest.order.push_back(-1);
    } else {
      once = false;
    }
  }
  if (!once) {
    nest.scatter = true;
    nest.order.clear();
    for (unsigned dim = 0; dim < sizes.size(); ++dim)
      if ((used[dim] = map.isFunctionOfDim(dim)))
        nest.order.push_back(dim);
    if (nest.order.empty()) // one element of several
      nest.order.push_back(-1);
  }
  nest.parallel = nest.order.size();
  for (unsigned dim = 0; dim < sizes.size(); ++dim)
    if (!used[dim])
      nest.order.push_back(dim);
  return nest;
}

/// The gradient for one input; null where nothing depends on it.
static Value buildGradient(OpBuilder &b, GenericOp op, unsigned input, Value dy) {
  MLIRContext *context = b.getContext();
  Location loc = op.getLoc();
  GradientNest nest = getGradientNest(op, input);
  unsigned dims = nest.order.size();
  SmallVector<AffineExpr> place(op.getSizes().size());
  SmallVector<int64_t> sizes;
  for (auto [dim, old] : llvm::enumerate(nest.order)) {
    sizes.push_back(old < 0 ? 1 : op.getSizes()[old]);
    if (old >= 0)
      place[old] = getAffineDimExpr(dim, context);
  }
  auto rewrite = [&](AffineMap map) { return map.replaceDimsAndSymbols(place, {}, dims, 0); };

  // All the inputs, the result's gradient and the positions; what the region does not use is left
  // out by the canonicalization of the operation below.
  Values inputs(op.getInputs());
  SmallVector<AffineMap> maps;
  for (unsigned i = 0; i < inputs.size(); ++i)
    maps.push_back(rewrite(op.getInputMap(i)));
  unsigned gradientAt = inputs.size();
  inputs.push_back(dy);
  maps.push_back(rewrite(op.getResultMap()));
  if (op.getPositions()) {
    inputs.push_back(op.getPositions());
    maps.push_back(maps.back());
  }
  maps.push_back(
      nest.scatter
          ? rewrite(op.getInputMap(input))
          : AffineMap::getMultiDimIdentityMap(dims, context).getMajorSubMap(nest.parallel));
  bool zero = false;
  auto build = [&](OpBuilder &inner, ValueRange elements, ValueRange indices) -> Value {
    Values old(elements.take_front(gradientAt));
    old.resize(gradientAt + op.getSizes().size());
    for (auto [dim, from] : llvm::enumerate(nest.order))
      if (from >= 0)
        old[gradientAt + from] = indices[dim];
    IRMapping map;
    map.map(op.getBody().getArguments(), old);
    for (Operation &scalar : op.getBody().front().without_terminator())
      inner.clone(scalar, map);
    Value term = map.lookup(op.getTerm().getValue());
    Value tangent = Tangent(inner, loc, elements[input]).get(term);
    Value gradient = elements[gradientAt];
    zero = !tangent;
    if (!tangent)
      return buildZero(inner, loc, gradient.getType());
    auto slope = tangent.getDefiningOp<arith::ConstantOp>();
    if (!slope || cast<FloatAttr>(slope.getValue()).getValueAsDouble() != 1.0)
      gradient = arith::MulFOp::create(inner, loc, gradient, tangent);
    if (!op.getPositions())
      return gradient;
    Value position = buildPosition(inner, loc, op.getSizes(), op.getParallel(),
                                   [&](unsigned dim) -> Value { return old[gradientAt + dim]; });
    Value hit = arith::CmpIOp::create(inner, loc, arith::CmpIPredicate::eq,
                                      elements[gradientAt + 1], position);
    return arith::SelectOp::create(inner, loc, hit, gradient,
                                   buildZero(inner, loc, gradient.getType()));
  };
  auto type = dropLayout(getTensor(op.getInputs()[input]));
  auto made =
      GenericOp::make(b, loc, type, inputs, sizes, nest.parallel,
                      nest.parallel == dims ? "none" : "sum", maps, nest.scatter, false, build);
  if (zero) {
    made.erase();
    return {};
  }
  return made.getResult();
}

Values GenericOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool> needed) {
  GenericOp op = *this;
  if (getReduction() == "max" && !getPositions()) {
    // The gradient needs the positions: compute the forward with them.
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(*this);
    IRMapping map;
    op = GenericOp::create(b, getLoc(), getResult().getType(),
                           RankedTensorType::get(getTensor(getResult()).getShape(), b.getI32Type()),
                           getInputs(), getSizesAttr(), getParallelAttr(), getReductionAttr(),
                           getMapsAttr(), getScatterAttr());
    getBody().cloneInto(&op.getBody(), map);
    getResult().replaceAllUsesWith(op.getResult());
  }
  Values gradients(needed.size());
  for (auto [i, input] : llvm::enumerate(getInputs()))
    if (needed[i] && isa<FloatType>(getTensor(input).getElementType()))
      gradients[i] = buildGradient(b, op, i, dy[0]);
  return gradients;
}

//===--------------------------------------------------------------------------------------------===//
// Canonicalization
//===--------------------------------------------------------------------------------------------===//

namespace {
/// Leaves out inputs that the region does not use, and reads an input once where it is read twice
/// at the same place.
struct DropInputs : OpRewritePattern<GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GenericOp op, PatternRewriter &rewriter) const override {
    Block &block = op.getBody().front();
    unsigned count = op.getInputs().size();
    SmallVector<AffineMap> maps;
    Values inputs;
    llvm::BitVector dropped(block.getNumArguments());
    for (unsigned i = 0; i < count; ++i) {
      for (unsigned j = 0; j < i && !dropped[i]; ++j)
        if (!dropped[j] && op.getInputs()[i] == op.getInputs()[j] &&
            op.getInputMap(i) == op.getInputMap(j)) {
          rewriter.replaceAllUsesWith(block.getArgument(i), block.getArgument(j));
          dropped.set(i);
        }
      if (block.getArgument(i).use_empty())
        dropped.set(i);
      if (dropped[i])
        continue;
      inputs.push_back(op.getInputs()[i]);
      maps.push_back(op.getInputMap(i));
    }
    if (dropped.none())
      return failure();
    maps.push_back(op.getResultMap());
    rewriter.modifyOpInPlace(op, [&] {
      block.eraseArguments(dropped);
      op.getInputsMutable().assign(inputs);
      op.setMapsAttr(rewriter.getAffineMapArrayAttr(maps));
    });
    return success();
  }
};

/// A copy is its input.
struct DropCopy : OpRewritePattern<GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GenericOp op, PatternRewriter &rewriter) const override {
    if (op.getInputs().size() != 1 || op.getScatter() || op.getReduction() != "none" ||
        !op.getInputMap(0).isIdentity() ||
        op.getTerm().getValue() != op.getBody().front().getArgument(0) ||
        op.getInputs()[0].getType() != op.getResult().getType())
      return failure();
    rewriter.replaceOp(op, op.getInputs()[0]);
    return success();
  }
};
} // namespace

void GenericOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropInputs, DropCopy>(context);
}

//===--------------------------------------------------------------------------------------------===//
// Literals
//===--------------------------------------------------------------------------------------------===//

LogicalResult LiteralOp::verify() {
  if (getValue().getType() != getResult().getType() || getTensor(getResult()).getEncoding())
    return emitOpError() << "value has type " << getValue().getType() << ", the result "
                         << getResult().getType() << " (C1)";
  return success();
}

LogicalResult LiteralOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                          LiteralOp::Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  types.push_back(adaptor.getValue().getType());
  return success();
}
