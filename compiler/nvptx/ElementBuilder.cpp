//===- ElementBuilder.cpp - The values of a group at one point -------------------------------===//

#include "compiler/nvptx/ElementBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <cmath>

using namespace mlir;
using namespace mlir::cnn;

/// Indices up to here fit 32 bits, with room for what a kernel's windows and tiles add.
static constexpr int64_t mostNarrow = int64_t(1) << 30;

ElementBuilder::ElementBuilder(gpu::GPUFuncOp kernel, GroupOp group, const GpuScheduleSpace &space,
                               ArrayRef<Value> buffers)
    : b(space.getInfo().anchor->getLoc(), kernel.getContext()), space(space), info(space.getInfo()),
      nest(info.nest), group(group), inputs(buffers.take_front(group.getInputs().size())),
      outputs(buffers.drop_front(group.getInputs().size())) {
  b.setInsertionPointToEnd(&kernel.getBody().front());
  wide = space.getNumResults() > mostNarrow || space.getNumReduced() > mostNarrow;
  for (ValueRange values : {ValueRange(group.getInputs()), ValueRange(group.getResults())})
    for (Value value : values)
      wide |= getTensor(value).getNumElements() > mostNarrow;
}

//===--------------------------------------------------------------------------------------------===//
// Indices
//===--------------------------------------------------------------------------------------------===//

Type ElementBuilder::getIndexType() { return wide ? b.getI64Type() : b.getI32Type(); }

Index ElementBuilder::getConstant(int64_t value) {
  Value made = arith::ConstantOp::create(b, b.getIntegerAttr(getIndexType(), value));
  return {made, value, value};
}

Index ElementBuilder::getThread(int64_t block) {
  Value thread = gpu::ThreadIdOp::create(b, gpu::Dimension::x);
  return {arith::IndexCastUIOp::create(b, getIndexType(), thread), 0, block - 1};
}

Index ElementBuilder::getBlock(int64_t blocks) {
  if (blocks == 1)
    return getConstant(0);
  Value block = gpu::BlockIdOp::create(b, gpu::Dimension::x);
  return {arith::IndexCastUIOp::create(b, getIndexType(), block), 0, blocks - 1};
}

Index ElementBuilder::add(Index lhs, Index rhs) {
  if (lhs.isConstant() && rhs.isConstant())
    return getConstant(lhs.low + rhs.low);
  if (lhs.isConstant() && lhs.low == 0)
    return rhs;
  if (rhs.isConstant() && rhs.low == 0)
    return lhs;
  return {arith::AddIOp::create(b, lhs.value, rhs.value), lhs.low + rhs.low, lhs.high + rhs.high};
}

Index ElementBuilder::multiply(Index index, int64_t factor) {
  if (factor == 1)
    return index;
  if (index.isConstant())
    return getConstant(index.low * factor);
  Value value = arith::MulIOp::create(b, index.value, getConstant(factor).value);
  int64_t low = index.low * factor, high = index.high * factor;
  return {value, std::min(low, high), std::max(low, high)};
}

Index ElementBuilder::divide(Index index, int64_t divisor) {
  assert(index.low >= 0 && "division rounds down");
  if (divisor == 1)
    return index;
  if (index.high < divisor)
    return getConstant(0);
  return {arith::DivUIOp::create(b, index.value, getConstant(divisor).value), index.low / divisor,
          index.high / divisor};
}

Index ElementBuilder::remainder(Index index, int64_t divisor) {
  assert(index.low >= 0 && "remainders are not negative");
  if (index.high < divisor)
    return index;
  if (divisor == 1)
    return getConstant(0);
  return {arith::RemUIOp::create(b, index.value, getConstant(divisor).value), 0, divisor - 1};
}

Index ElementBuilder::apply(const LinearForm &form, ArrayRef<Index> dims) {
  Index sum = getConstant(form.constant);
  for (auto [dim, factor] : llvm::enumerate(form.coefficients))
    if (factor != 0)
      sum = add(sum, multiply(dims[dim], factor));
  return sum;
}

SmallVector<Index> ElementBuilder::apply(ArrayRef<LinearForm> forms, ArrayRef<Index> dims) {
  SmallVector<Index> indices;
  for (const LinearForm &form : forms)
    indices.push_back(apply(form, dims));
  return indices;
}

SmallVector<Index> ElementBuilder::split(Index number, ArrayRef<int64_t> sizes) {
  SmallVector<Index> indices(sizes.size());
  for (size_t dim = sizes.size(); dim-- > 0;) {
    // What is left of the first dimension is its index: numbers end with the space.
    indices[dim] = dim == 0 ? number : remainder(number, sizes[dim]);
    number = divide(number, sizes[dim]);
  }
  if (!indices.empty())
    indices[0].high = std::min(indices[0].high, sizes[0] - 1);
  return indices;
}

Value ElementBuilder::isBelow(Index index, int64_t limit) {
  if (index.high < limit)
    return {};
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, index.value, getConstant(limit).value);
}

Value ElementBuilder::isInside(Index index, int64_t size) {
  if (index.low >= 0)
    return isBelow(index, size);
  // As a number without sign, a negative index is a large one.
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, index.value, getConstant(size).value);
}

Value ElementBuilder::both(Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return lhs ? lhs : rhs;
  return arith::AndIOp::create(b, lhs, rhs);
}

//===--------------------------------------------------------------------------------------------===//
// Control flow
//===--------------------------------------------------------------------------------------------===//

SmallVector<Value>
ElementBuilder::loop(int64_t size, ArrayRef<Value> values,
                     function_ref<SmallVector<Value>(Index, ArrayRef<Value>)> body) {
  if (size == 1)
    return body(getConstant(0), values);
  auto loop = scf::ForOp::create(b, getConstant(0).value, getConstant(size).value,
                                 getConstant(1).value, values);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> carried(loop.getRegionIterArgs());
  SmallVector<Value> next = body({loop.getInductionVar(), 0, size - 1}, carried);
  if (!next.empty())
    scf::YieldOp::create(b, next);
  return SmallVector<Value>(loop.getResults());
}

SmallVector<Value>
ElementBuilder::loops(ArrayRef<int64_t> sizes, ArrayRef<Value> values,
                      function_ref<SmallVector<Value>(ArrayRef<Index>, ArrayRef<Value>)> body) {
  SmallVector<Index> indices;
  std::function<SmallVector<Value>(ArrayRef<Value>)> visit = [&](ArrayRef<Value> carried) {
    if (indices.size() == sizes.size())
      return body(indices, carried);
    return loop(sizes[indices.size()], carried, [&](Index index, ArrayRef<Value> inner) {
      indices.push_back(index);
      SmallVector<Value> next = visit(inner);
      indices.pop_back();
      return next;
    });
  };
  return visit(values);
}

void ElementBuilder::guarded(Value condition, function_ref<void()> body) {
  if (!condition)
    return body();
  auto branch = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
}

//===--------------------------------------------------------------------------------------------===//
// Elements
//===--------------------------------------------------------------------------------------------===//

/// The number of an element in its buffer; 0 where `inside` does not hold.
Value ElementBuilder::toAddress(RankedTensorType type, ArrayRef<Index> at, Value inside) {
  Index sum = getConstant(0);
  int64_t stride = 1;
  for (size_t dim = at.size(); dim-- > 0; stride *= type.getDimSize(dim))
    if (type.getDimSize(dim) != 1)
      sum = add(multiply(at[dim], stride), sum);
  if (inside)
    sum.value = arith::SelectOp::create(b, inside, sum.value, getConstant(0).value);
  // What is stored to or loaded from is not negative.
  return arith::IndexCastUIOp::create(b, b.getIndexType(), sum.value);
}

Value ElementBuilder::getPadding(Type type, double padding) {
  if (!isa<FloatType>(type) || std::isnan(padding))
    return buildZero(b, b.getLoc(), type);
  return buildFloat(b, b.getLoc(), type, padding);
}

/// An element of an input. The load goes to the first element where the indices lie outside, so
/// that no branch keeps it from its neighbours.
Value ElementBuilder::load(unsigned argument, ArrayRef<Index> at, double padding) {
  RankedTensorType type = getTensor(group.getInputs()[argument]);
  Value inside;
  for (auto [index, size] : llvm::zip(at, type.getShape()))
    inside = both(inside, isInside(index, size));
  Value value = memref::LoadOp::create(b, inputs[argument], toAddress(type, at, inside));
  if (inside)
    value = arith::SelectOp::create(b, inside, value, getPadding(value.getType(), padding));
  return value;
}

/// Bodies take indices as i32.
Value ElementBuilder::toInt(Index index) {
  return wide ? arith::TruncIOp::create(b, b.getI32Type(), index.value) : index.value;
}

//===--------------------------------------------------------------------------------------------===//
// Operations
//===--------------------------------------------------------------------------------------------===//

Value ElementBuilder::evaluate(Value value, ArrayRef<Index> at, double padding) {
  if (Value computed = known.lookup(value))
    return computed;
  if (auto argument = dyn_cast<BlockArgument>(value))
    return load(argument.getArgNumber(), at, padding);
  auto op = cast<NestOpInterface>(value.getDefiningOp());
  Nest inner = op.getNest();
  SmallVector<Value> operands;
  for (auto [operand, map] : llvm::zip(op->getOperands(), inner.operandMaps))
    operands.push_back(evaluate(operand, apply(getForms(map), at), 0.0));
  Value result = op.buildBody(b, op->getLoc(), operands, {}, [&](unsigned dim) {
                     return toInt(at[dim]);
                   }).front();
  // Outside of the value's bounds, where the anchor pads, what was computed has no meaning.
  Value inside;
  for (auto [index, size] : llvm::zip(at, getTensor(value).getShape()))
    inside = both(inside, isInside(index, size));
  if (inside)
    result = arith::SelectOp::create(b, inside, result, getPadding(result.getType(), padding));
  return result;
}

SmallVector<Value> ElementBuilder::startAnchor(ArrayRef<Index> parallel, bool shared) {
  NestOpInterface anchor = info.anchor;
  if (nest.initOperand >= 0 && !shared) {
    // Its map uses parallel dimensions only.
    SmallVector<Index> dims(parallel);
    dims.resize(nest.getNumDims());
    return {evaluate(anchor->getOperand(nest.initOperand),
                     apply(getForms(nest.operandMaps[nest.initOperand]), dims), 0.0)};
  }
  SmallVector<Type> types;
  for (Value result : anchor->getResults())
    types.push_back(getTensor(result).getElementType());
  return anchor.buildInit(b, b.getLoc(), types);
}

SmallVector<Value> ElementBuilder::stepAnchor(ArrayRef<Index> dims, ValueRange accumulators) {
  NestOpInterface anchor = info.anchor;
  SmallVector<Value> operands;
  for (auto [i, operand] : llvm::enumerate(anchor->getOperands()))
    operands.push_back(
        static_cast<int>(i) == nest.initOperand
            ? Value()
            : evaluate(operand, apply(getForms(nest.operandMaps[i]), dims), nest.padding));
  return anchor.buildBody(b, b.getLoc(), operands, accumulators,
                          [&](unsigned dim) { return toInt(dims[dim]); });
}

SmallVector<Value> ElementBuilder::finishAnchor(ArrayRef<Index> parallel, ValueRange accumulators) {
  NestOpInterface anchor = info.anchor;
  return anchor.buildFinish(b, b.getLoc(), accumulators,
                            [&](unsigned dim) { return toInt(parallel[dim]); });
}

SmallVector<Value> ElementBuilder::computeAnchor(ArrayRef<Index> parallel) {
  if (nest.numParallel == nest.getNumDims())
    return stepAnchor(parallel, {});
  SmallVector<Value> start = startAnchor(parallel, /*shared=*/false);
  SmallVector<Value> sums = loops(ArrayRef(nest.sizes).drop_front(nest.numParallel), start,
                                  [&](ArrayRef<Index> reduced, ArrayRef<Value> carried) {
                                    SmallVector<Index> dims(parallel);
                                    llvm::append_range(dims, reduced);
                                    return stepAnchor(dims, carried);
                                  });
  return finishAnchor(parallel, sums);
}

void ElementBuilder::bind(Operation *op, ValueRange results) {
  for (auto [value, result] : llvm::zip(op->getResults(), results))
    known[value] = result;
}

void ElementBuilder::follow(ArrayRef<Operation *> ops, ArrayRef<Index> at) {
  for (Operation *op : ops)
    bind(op, evaluate(op->getResult(0), at, 0.0));
}

void ElementBuilder::store(llvm::function_ref<bool(Operation *)> isMeant, ArrayRef<Index> at) {
  for (auto [i, value] : llvm::enumerate(group.getYield().getValues())) {
    Operation *def = value.getDefiningOp();
    if (!def || !isMeant(def))
      continue;
    Value result = evaluate(value, at, 0.0);
    memref::StoreOp::create(b, result, outputs[i], toAddress(getTensor(value), at, {}));
  }
}
