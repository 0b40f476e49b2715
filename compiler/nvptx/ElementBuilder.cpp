//===- ElementBuilder.cpp - The values of a group at one point -------------------------------===//

#include "compiler/nvptx/ElementBuilder.h"
#include "compiler/schedule/Strides.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

/// Indices up to here fit 32 bits, with room for what a kernel's windows and tiles add.
static constexpr int64_t mostNarrow = int64_t(1) << 30;

ElementBuilder::ElementBuilder(const OpBuilder &at, GroupOp group, const GpuScheduleSpace &space,
                               ArrayRef<Buffer> buffers, Value block)
    : RangedIndices(space.getInfo().anchor->getLoc(), at), space(space), info(space.getInfo()),
      nest(info.nest), group(group), inputs(buffers.take_front(group.getInputs().size())),
      outputs(buffers.drop_front(group.getInputs().size())), ownBlock(block) {
  wide = space.getNumResults() > mostNarrow || space.getNumReduced() > mostNarrow;
  for (ValueRange values : {ValueRange(group.getInputs()), ValueRange(group.getResults())})
    for (Value value : values)
      wide |= getTensor(value).getNumElements() > mostNarrow;
}

//===--------------------------------------------------------------------------------------------===//
// Places
//===--------------------------------------------------------------------------------------------===//

Index ElementBuilder::getThread(int64_t block) {
  Value thread = gpu::ThreadIdOp::create(b, gpu::Dimension::x);
  return {arith::IndexCastUIOp::create(b, getIndexType(), thread), 0, block - 1};
}

Index ElementBuilder::getBlock(int64_t blocks) {
  if (blocks == 1)
    return getConstant(0);
  Value block = ownBlock;
  if (!block)
    block = gpu::BlockIdOp::create(b, gpu::Dimension::x);
  return {arith::IndexCastUIOp::create(b, getIndexType(), block), 0, blocks - 1};
}

int64_t ElementBuilder::getExtent(ArrayRef<unsigned> of) const {
  int64_t extent = 1;
  for (unsigned dim : of)
    extent *= nest.sizes[dim];
  return extent;
}

void ElementBuilder::place(SmallVectorImpl<Index> &dims, ArrayRef<unsigned> of, Index number) {
  auto sizes = llvm::map_to_vector(of, [&](unsigned dim) { return nest.sizes[dim]; });
  for (auto [dim, index] : llvm::zip(of, split(number, sizes)))
    dims[dim] = index;
}

void ElementBuilder::place(SmallVectorImpl<Index> &dims, ArrayRef<unsigned> of,
                           ArrayRef<int64_t> windows, Index number, Index within) {
  if (llvm::all_of(windows, [](int64_t extent) { return extent == 1; }))
    return place(dims, of, number);
  SmallVector<int64_t> sizes;
  for (auto [dim, extent] : llvm::zip(of, windows))
    sizes.push_back(nest.sizes[dim] / extent);
  for (auto [dim, extent, window, inside] :
       llvm::zip(of, windows, split(number, sizes), split(within, windows)))
    dims[dim] = add(multiply(window, extent), inside);
}

//===--------------------------------------------------------------------------------------------===//
// Control flow
//===--------------------------------------------------------------------------------------------===//

SmallVector<Value>
ElementBuilder::loop(int64_t size, ArrayRef<Value> values,
                     function_ref<SmallVector<Value>(Index, ArrayRef<Value>)> body) {
  // Short loops of several lanes are unrolled, so that these find what others have loaded.
  if (size == 1 || (hasLanes() && size <= 4)) {
    SmallVector<Value> carried(values);
    for (int64_t at = 0; at < size; ++at)
      carried = body(getConstant(at), carried);
    return carried;
  }
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

SmallVector<Value> ElementBuilder::select(Value condition,
                                          function_ref<SmallVector<Value>()> body) {
  if (!condition)
    return body();
  // The types are known when the body is built: it is built first, then moved.
  auto block = std::make_unique<Block>();
  SmallVector<Value> values;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(block.get());
    values = body();
    scf::YieldOp::create(b, values);
  }
  auto branch = scf::IfOp::create(b, TypeRange(ValueRange(values)), condition,
                                  /*withElseRegion=*/true);
  branch.getThenRegion().getBlocks().clear();
  branch.getThenRegion().push_back(block.release());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(&branch.getElseRegion().front());
  SmallVector<Value> zeros;
  for (Value value : values)
    zeros.push_back(buildZero(b, b.getLoc(), value.getType()));
  scf::YieldOp::create(b, zeros);
  return SmallVector<Value>(branch.getResults());
}

//===--------------------------------------------------------------------------------------------===//
// Elements
//===--------------------------------------------------------------------------------------------===//

/// The number of an element in its buffer. Where some of its indices were made of one number, this
/// is taken.
Index ElementBuilder::toAddress(RankedTensorType type, ArrayRef<Index> logical) {
  LayoutAttr layout = getLayoutOf(type);
  SmallVector<int64_t> shape;
  SmallVector<Index> indices;
  for (auto [index, extent] : llvm::zip(permute(layout, logical), permute(layout, type.getShape())))
    if (extent != 1) { // else it is 0
      shape.push_back(extent);
      indices.push_back(index);
    }
  ArrayRef<Index> at = indices;
  Index sum = getConstant(0);
  int64_t stride = 1;
  for (size_t end = at.size(); end > 0;) {
    auto isHere = [&](const Numbering &numbering) {
      size_t rank = numbering.indices.size();
      return rank <= end && ArrayRef(shape).slice(end - rank, rank) == ArrayRef(numbering.sizes) &&
             llvm::equal(at.slice(end - rank, rank), numbering.indices,
                         [](const Index &index, Value value) { return index.value == value; });
    };
    auto found = llvm::find_if(numberings, isHere);
    bool whole = found != numberings.end();
    size_t begin = end - (whole ? found->indices.size() : 1);
    Index index = whole ? found->number : at[begin];
    int64_t extent = 1;
    for (; end > begin; --end)
      extent *= shape[end - 1];
    sum = add(multiply(index, stride), sum);
    stride *= extent;
  }
  return sum;
}

/// As memory operations take it; what is stored to or loaded from is not negative.
Value ElementBuilder::toIndex(Value address) {
  return arith::IndexCastUIOp::create(b, b.getIndexType(), address);
}

Value ElementBuilder::getPadding(Type type, double padding) {
  if (!isa<FloatType>(type) || std::isnan(padding))
    return buildZero(b, b.getLoc(), type);
  return buildFloat(b, b.getLoc(), type, padding);
}

Value ElementBuilder::getNumber(unsigned argument, ArrayRef<Index> at, Value &inside) {
  RankedTensorType type = getTensor(group.getInputs()[argument]);
  for (auto [index, size] : llvm::zip(at, type.getShape()))
    inside = both(inside, isInside(index, size));
  Value number = toAddress(type, at).value;
  return inside ? arith::SelectOp::create(b, inside, number, getConstant(0).value) : number;
}

/// An element of an input. The load goes to the first element where the indices lie outside, so
/// that no branch keeps it from its neighbours.
Value ElementBuilder::load(unsigned argument, ArrayRef<Index> at, double padding) {
  RankedTensorType type = getTensor(group.getInputs()[argument]);
  Value inside;
  for (auto [index, size] : llvm::zip(at, type.getShape()))
    inside = both(inside, isInside(index, size));
  Index address = toAddress(type, at);
  if (!inside)
    return loadLane(argument, address);
  Value number = arith::SelectOp::create(b, inside, address.value, getConstant(0).value);
  Value value = memref::LoadOp::create(b, inputs[argument].memory, toIndex(number));
  return arith::SelectOp::create(b, inside, value, getPadding(value.getType(), padding));
}

/// Whether the elements of all lanes from that of `address` on can be one access.
bool ElementBuilder::isAligned(const Buffer &buffer, const Index &address) const {
  auto type = cast<MemRefType>(buffer.memory.getType());
  Type element = type.getElementType();
  if (!hasLanes() || !address.base || !element.isIntOrFloat() ||
      element.getIntOrFloatBitWidth() % 8 != 0)
    return false;
  int64_t bytes = numLanes * element.getIntOrFloatBitWidth() / 8;
  return bytes <= 16 && buffer.alignment % bytes == 0 && address.multiple % numLanes == 0 &&
         address.shift % numLanes == 0 && address.low >= 0 &&
         address.high + numLanes <= type.getNumElements();
}

/// An element of an input, of which the lanes may have loaded the neighbours already.
Value ElementBuilder::loadLane(unsigned argument, const Index &address) {
  const Buffer &buffer = inputs[argument];
  int64_t lane = address.base ? llvm::mod(address.shift, numLanes) : 0;
  Index first = address;
  first.shift -= lane;
  first.low -= lane;
  first.high -= lane;
  if (!isAligned(buffer, first))
    return memref::LoadOp::create(b, buffer.memory, toIndex(address.value));
  Value &vector =
      loaded[{b.getInsertionBlock(), argument, first.base.getAsOpaquePointer(), first.shift}];
  if (!vector) {
    Type element = cast<MemRefType>(buffer.memory.getType()).getElementType();
    auto type = VectorType::get({numLanes}, element);
    int64_t bytes = numLanes * element.getIntOrFloatBitWidth() / 8;
    Index at = getShifted(first.base, first.shift, first.multiple, first.low, first.high);
    vector = vector::LoadOp::create(b, type, buffer.memory, toIndex(at.value),
                                    /*nontemporal=*/false, llvm::MaybeAlign(bytes));
  }
  return vector::ExtractOp::create(b, vector, lane);
}

void ElementBuilder::forLanes(int64_t lanes, function_ref<void(int64_t)> body) {
  setLanes(lanes);
  laneBlock = b.getInsertionBlock();
  for (int64_t lane = 0; lane < lanes; ++lane)
    body(lane);
  flush();
  setLanes(1);
  laneBlock = nullptr;
  loaded.clear();
}

/// Makes the stores of all lanes, those of neighbours at once.
void ElementBuilder::flush() {
  while (!stores.empty()) {
    Store first = stores.front();
    const Buffer &buffer = outputs[first.output];
    SmallVector<Value> lanes(numLanes);
    auto isBehind = [&](const Store &other) {
      int64_t lane = other.address.shift - first.address.shift;
      if (other.output != first.output || other.address.base != first.address.base || lane < 0 ||
          lane >= numLanes)
        return false;
      lanes[lane] = other.value;
      return true;
    };
    size_t count = llvm::count_if(stores, isBehind);
    if (count == lanes.size() && !llvm::is_contained(lanes, Value()) &&
        isAligned(buffer, first.address)) {
      auto type = VectorType::get({numLanes}, first.value.getType());
      Value vector = vector::FromElementsOp::create(b, type, lanes);
      int64_t bytes = numLanes * type.getElementTypeBitWidth() / 8;
      vector::StoreOp::create(b, vector, buffer.memory, toIndex(first.address.value),
                              /*nontemporal=*/false, llvm::MaybeAlign(bytes));
      llvm::erase_if(stores, isBehind);
      continue;
    }
    memref::StoreOp::create(b, first.value, buffer.memory, toIndex(first.address.value));
    stores.erase(stores.begin());
  }
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

Value ElementBuilder::readPool(NestOpInterface pool, const Nest &window, unsigned number,
                               ArrayRef<Index> dims) {
  Value operand = pool->getOperand(number);
  SmallVector<Index> at;
  if (!known.contains(operand))
    at = apply(getForms(window.operandMaps[number]), dims);
  return evaluate(operand, at, window.padding);
}

SmallVector<Value> ElementBuilder::startPool(NestOpInterface pool) {
  SmallVector<Type> types;
  for (Value result : pool->getResults())
    types.push_back(getTensor(result).getElementType());
  return pool.buildInit(b, pool->getLoc(), types);
}

SmallVector<Value> ElementBuilder::stepPool(NestOpInterface pool, ArrayRef<Index> dims,
                                            ValueRange operands, ValueRange accumulators) {
  return pool.buildBody(b, pool->getLoc(), operands, accumulators,
                        [&](unsigned dim) { return toInt(dims[dim]); });
}

SmallVector<Value> ElementBuilder::finishPool(NestOpInterface pool, ArrayRef<Index> dims,
                                              ValueRange accumulators) {
  return pool.buildFinish(b, pool->getLoc(), accumulators,
                          [&](unsigned dim) { return toInt(dims[dim]); });
}

Value ElementBuilder::combine(const Nest &of, Value lhs, Value rhs) {
  bool isFloat = isa<FloatType>(lhs.getType());
  if (of.combine == "max")
    return isFloat ? arith::MaximumFOp::create(b, lhs, rhs).getResult()
                   : arith::MaxSIOp::create(b, lhs, rhs).getResult();
  return isFloat ? arith::AddFOp::create(b, lhs, rhs).getResult()
                 : arith::AddIOp::create(b, lhs, rhs).getResult();
}

Value ElementBuilder::shuffle(Value value, Value by, gpu::ShuffleMode mode) {
  Value width = arith::ConstantIntOp::create(b, warpSize, 32);
  auto move = [&](Value word) -> Value {
    return gpu::ShuffleOp::create(b, word, by, width, mode).getShuffleResult();
  };
  Type type = value.getType();
  if (type.getIntOrFloatBitWidth() == 32)
    return move(value);
  // Shuffles move words of 32 bits.
  Type word = b.getI32Type(), wide = b.getI64Type();
  Value bits = isa<FloatType>(type) ? arith::BitcastOp::create(b, wide, value).getResult() : value;
  Value half = arith::ConstantOp::create(b, b.getI64IntegerAttr(32));
  Value low = arith::TruncIOp::create(b, word, bits);
  Value high = arith::TruncIOp::create(b, word, arith::ShRUIOp::create(b, bits, half));
  low = arith::ExtUIOp::create(b, wide, move(low));
  high = arith::ShLIOp::create(b, arith::ExtUIOp::create(b, wide, move(high)), half);
  bits = arith::OrIOp::create(b, low, high);
  return isa<FloatType>(type) ? arith::BitcastOp::create(b, type, bits).getResult() : bits;
}

SmallVector<Value> ElementBuilder::computeAnchor(ArrayRef<Index> parallel) {
  if (nest.numParallel == nest.getNumDims())
    return stepAnchor(parallel, {});
  SmallVector<Value> start = startAnchor(parallel, /*shared=*/false);
  ArrayRef<unsigned> order = space.getReducedOrder();
  SmallVector<int64_t> sizes;
  for (unsigned dim : order)
    sizes.push_back(nest.sizes[dim]);
  SmallVector<Value> sums =
      loops(sizes, start, [&](ArrayRef<Index> reduced, ArrayRef<Value> carried) {
        SmallVector<Index> dims(parallel);
        dims.resize(nest.getNumDims());
        for (auto [dim, index] : llvm::zip(order, reduced))
          dims[dim] = index;
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
    Index address = toAddress(getTensor(value), at);
    if (hasLanes() && b.getInsertionBlock() == laneBlock)
      stores.push_back({static_cast<unsigned>(i), address, result});
    else
      memref::StoreOp::create(b, result, outputs[i].memory, toIndex(address.value));
  }
}
