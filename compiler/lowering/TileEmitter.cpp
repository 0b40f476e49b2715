//===- TileEmitter.cpp - Loops over register tiles of one group ------------------------------===//

#include "compiler/lowering/TileEmitter.h"
#include "compiler/lowering/ZeroFill.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

TileEmitter::TileEmitter(func::FuncOp kernel, GroupOp group, const ScheduleSpace &space,
                         const NestSchedule &schedule)
    : TileIndices(kernel, group, space, schedule), group(group),
      lanesReduced(nest.getNumDims() > 0 && schedule.vector >= nest.numParallel) {
  unsigned at = 2;
  for ([[maybe_unused]] Value input : group.getInputs())
    inputs.push_back(kernel.getArgument(at++));
  for ([[maybe_unused]] Value result : group.getResults())
    outputs.push_back(kernel.getArgument(at++));
}

/// Dumps show which dimension of the nest a loop runs along: d0 is the outermost of the nest's.
void TileEmitter::nameIndex(scf::ForOp loop, unsigned dim) {
  loop.getInductionVar().setLoc(
      NameLoc::get(b.getStringAttr("d" + std::to_string(dim)), loop.getLoc()));
}

Value TileEmitter::splat(Value value, const Tile &tile) {
  if (isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(b, loc, getTileType(tile, value.getType()), value);
}

/// Whether the current point is the first or the last one of the unrolled points of the reduced
/// dimensions but `along`.
bool TileEmitter::isEdge(int64_t along) const {
  auto dims = llvm::make_filter_range(llvm::seq<int64_t>(nest.numParallel, nest.getNumDims()),
                                      [&](int64_t dim) { return dim != along; });
  return llvm::all_of(dims, [&](int64_t dim) { return positions[dim].offset == 0; }) ||
         llvm::all_of(dims,
                      [&](int64_t dim) { return positions[dim].offset + 1 == schedule.tile[dim]; });
}

Value TileEmitter::load(unsigned argument, ArrayRef<LinearForm> forms, const Tile &tile,
                        double padding) {
  RankedTensorType type = getTensor(group.getInputs()[argument]);
  Address address = getAddress(inputs[argument], type, forms, tile);
  int64_t prefetch = 0;
  if (!tile.pooled) {
    prefetchRows(argument, forms, tile);
    prefetch = space.getPrefetch(schedule, forms, type, [&](int64_t dim) { return isEdge(dim); });
  }
  auto map = AffineMap::get(nest.numParallel + 1, 0, address.exprs, b.getContext());
  return TileLoadOp::create(b, loc, getTileType(tile, type.getElementType()), inputs[argument],
                            address.indices, map, address.guard, address.zeros,
                            llvm::APFloat(padding), prefetch);
}

/// Asks for what the next tile reads where all lanes share an element. Its rows follow each other
/// in memory, and every step asks for as much as it reads itself: in the order of memory, since
/// neighbouring rows can fall on the same sets of the first cache.
void TileEmitter::prefetchRows(unsigned argument, ArrayRef<LinearForm> forms, const Tile &tile) {
  RankedTensorType type = getTensor(group.getInputs()[argument]);
  auto rows = space.getSharedRows(schedule, forms, type);
  Position &position = positions[nest.numParallel];
  if (!rows || (position.offset * rows->count) % rows->perLine >= rows->count)
    return; // The step before has asked for this line.
  constexpr uint32_t intoAllCaches = 3;
  const Position saved = position;
  Value first = scale(saved.base, rows->count);
  for (int64_t at = 0; at < rows->count; at += rows->perLine) {
    position.base = position.localBase = position.units = position.localUnits =
        add(first, constant(rows->ahead + at));
    Address address = getAddress(inputs[argument], type, forms, tile);
    memref::PrefetchOp::create(b, loc, inputs[argument], address.indices, /*isWrite=*/false,
                               intoAllCaches, /*isDataCache=*/true);
  }
  position = saved;
}

void TileEmitter::store(Value value, unsigned result, ArrayRef<LinearForm> forms,
                        const Tile &tile) {
  RankedTensorType type = getTensor(group.getResult(result));
  Address address = getAddress(outputs[result], type, forms, tile);
  auto map = AffineMap::get(nest.numParallel + 1, 0, address.exprs, b.getContext());
  TileStoreOp::create(b, loc, splat(value, tile), outputs[result], address.indices, map,
                      address.guard, /*accumulate=*/nest.scatter,
                      cast<ToBufferOp>(*group.getResult(result).user_begin()).getNontemporal());
}

//===--------------------------------------------------------------------------------------------===//
// Values
//===--------------------------------------------------------------------------------------------===//

/// `value` at the indices `forms`, and `padding` where these lie outside of its bounds: loaded, or
/// computed from what it is computed from.
Value TileEmitter::evaluate(Value value, ArrayRef<LinearForm> forms, const Tile &tile,
                            double padding) {
  Value result = compute(value, forms, tile, padding);
  if (isa<BlockArgument>(value) || computed.contains(value))
    return result;
  // Where the anchor pads, what was computed has no meaning.
  return maskOutside(result, getTensor(value), forms, tile, padding);
}

/// The same, but for what is computed outside of the bounds, which has no meaning.
Value TileEmitter::compute(Value value, ArrayRef<LinearForm> forms, const Tile &tile,
                           double padding) {
  if (Value known = computed.lookup(value))
    return known;
  if (auto argument = dyn_cast<BlockArgument>(value))
    return load(argument.getArgNumber(), forms, tile, padding);
  auto op = cast<NestOpInterface>(value.getDefiningOp());
  Nest inner = op.getNest();
  unsigned dims = forms.empty() ? nest.getNumDims() : forms[0].coefficients.size();
  SmallVector<Value> operands;
  for (auto [operand, map] : llvm::zip(op->getOperands(), inner.operandMaps)) {
    SmallVector<LinearForm> at;
    for (const LinearForm &form : getForms(map))
      at.push_back(form.compose(forms, dims));
    operands.push_back(compute(operand, at, tile, 0.0));
  }
  return splat(op.buildBody(b, op->getLoc(), operands, {},
                            [&](unsigned dim) { return buildIndex(forms[dim], tile); })
                   .front(),
               tile);
}

/// `value` where the indices `forms` lie within a tensor of the given type, else `padding`.
Value TileEmitter::maskOutside(Value value, RankedTensorType type, ArrayRef<LinearForm> forms,
                               const Tile &tile, double padding) {
  Value inside;
  for (auto [dim, form] : llvm::enumerate(forms)) {
    auto [low, high] = getRange(form, tile);
    if (low >= 0 && high < type.getDimSize(dim))
      continue;
    Value index = buildIndex(form, tile);
    // One unsigned comparison serves both bounds.
    Value within = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, index,
                                         buildInt(b, loc, index.getType(), type.getDimSize(dim)));
    inside = inside ? Value(arith::AndIOp::create(b, loc, inside, within)) : within;
  }
  if (!inside)
    return value;
  Value outside = isa<FloatType>(type.getElementType())
                      ? buildFloat(b, loc, value.getType(), padding)
                      : buildZero(b, loc, value.getType());
  return arith::SelectOp::create(b, loc, inside, value, outside);
}

/// The body of the anchor at the current point of the reduced dimensions.
SmallVector<Value> TileEmitter::emitPoint(SmallVector<Value> accumulators) {
  SmallVector<Value> operands;
  for (auto [i, operand] : llvm::enumerate(info.anchor->getOperands()))
    operands.push_back(
        static_cast<int>(i) == nest.initOperand
            ? Value()
            : evaluate(operand, getForms(nest.operandMaps[i]), anchorTile, nest.padding));
  unsigned dims = nest.getNumDims();
  auto index = [&](unsigned dim) { return buildIndex(LinearForm::getDim(dim, dims), anchorTile); };
  NestOpInterface anchor = info.anchor;
  SmallVector<Value> results = anchor.buildBody(b, loc, operands, accumulators, index);
  if (maskLanes) {
    Value lane = index(schedule.vector);
    Value inside =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, lane,
                              buildInt(b, loc, lane.getType(), nest.sizes[schedule.vector]));
    for (auto [result, before] : llvm::zip(results, accumulators))
      result = arith::SelectOp::create(b, loc, inside, result, before);
  }
  return results;
}

/// The elements of a block of a tensor that is read along the reduced dimension `dim`, one element
/// in all lanes: its loop is one over blocks and one inside of them. 1 where there is none.
int64_t TileEmitter::getCut(unsigned dim) {
  if (static_cast<int64_t>(dim) == schedule.vector)
    return 1;
  for (const GroupInfo::Read &read : info.getReads()) {
    LayoutAttr layout = getLayoutOf(getTensor(group.getInputs()[read.argument]));
    if (int64_t split = layout.getBlockedDim();
        split >= 0 && !read.pooled && read.forms[split].runsAlongBlocks(dim, layout.getBlock()))
      return layout.getBlock();
  }
  return 1;
}

SmallVector<Value> TileEmitter::emitReduction(unsigned depth, SmallVector<Value> accumulators) {
  if (depth == nest.getNumDims())
    return emitPoint(accumulators);
  unsigned dim = schedule.order[depth];
  int64_t units = space.getUnits(dim, schedule.vector), unroll = schedule.tile[dim];
  int64_t unit = static_cast<int64_t>(dim) == schedule.vector ? lanes : 1;
  // The blocks that the current loop is in: which one, how many, and where they begin.
  Value block, origin;
  int64_t cut = getCut(dim), numBlocks = 1, first = 0;
  auto emitAt = [&](Value iv, int64_t begin, int64_t steps, int64_t count,
                    SmallVector<Value> values) {
    for (int64_t i = 0; i < count; ++i) {
      Position &position = positions[dim];
      position.offset = i;
      Value lane = iv ? add(iv, i ? constant(i) : Value()) : constant(begin + i);
      position.units = origin ? add(origin, lane) : lane;
      position.block = block;
      position.lane = lane;
      position.base = scale(position.units, unit);
      position.localBase = position.base;
      position.localUnits = position.units;
      position.low = (first + begin + i) * unit;
      position.high = (first + (numBlocks - 1) * cut + begin + i + (steps - 1) * count) * unit;
      values = emitReduction(depth + 1, values);
    }
    positions[dim].block = positions[dim].lane = {};
    return values;
  };
  auto emitLoop = [&](int64_t trips, int64_t step, SmallVector<Value> values,
                      function_ref<SmallVector<Value>(Value, SmallVector<Value>)> body) {
    auto loop =
        scf::ForOp::create(b, loc, constant(0), constant(trips * step), constant(step), values);
    nameIndex(loop, dim);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> next =
        body(loop.getInductionVar(), SmallVector<Value>(loop.getRegionIterArgs()));
    if (!next.empty())
      scf::YieldOp::create(b, loc, next);
    return SmallVector<Value>(loop.getResults());
  };
  auto emitRun = [&](int64_t count, SmallVector<Value> values) {
    int64_t trips = count / unroll, rest = count % unroll;
    if (trips == 1)
      values = emitAt({}, 0, 1, unroll, values);
    else if (trips > 1)
      values = emitLoop(trips, unroll, values, [&](Value iv, SmallVector<Value> carried) {
        return emitAt(iv, 0, trips, unroll, carried);
      });
    if (rest > 0)
      values = emitAt({}, trips * unroll, 1, rest, values);
    return values;
  };
  if (cut == 1)
    return emitRun(units, accumulators);
  numBlocks = units / cut;
  if (numBlocks == 1) {
    block = constant(0);
    accumulators = emitRun(cut, accumulators);
  } else if (numBlocks > 1) {
    accumulators = emitLoop(numBlocks, 1, accumulators, [&](Value iv, SmallVector<Value> carried) {
      block = iv;
      origin = scale(iv, cut);
      return emitRun(cut, carried);
    });
  }
  if (units % cut != 0) {
    first = numBlocks * cut;
    block = constant(numBlocks);
    origin = first > 0 ? constant(first) : Value();
    numBlocks = 1;
    accumulators = emitRun(units % cut, accumulators);
  }
  return accumulators;
}

//===--------------------------------------------------------------------------------------------===//
// One tile
//===--------------------------------------------------------------------------------------------===//

void TileEmitter::emitBody() {
  computed.clear();
  anchorTile = {};
  for (unsigned dim = 0; dim < nest.numParallel; ++dim)
    anchorTile.extents.push_back(positions[dim].tile);
  anchorTile.lanes = lanes;
  NestOpInterface anchor = info.anchor;
  unsigned dims = nest.getNumDims();
  // What lanes beyond the vector's dimension scatter would fall on other elements of the result.
  auto maskScattered = [&](SmallVector<Value> results) {
    if (!nest.scatter || lanesReduced || nest.sizes[schedule.vector] % lanes == 0)
      return results;
    Value lane = buildIndex(LinearForm::getDim(schedule.vector, dims), anchorTile);
    Value inside =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, lane,
                              buildInt(b, loc, lane.getType(), nest.sizes[schedule.vector]));
    for (Value &result : results)
      result = arith::SelectOp::create(b, loc, inside, result, buildZero(b, loc, result.getType()));
    return results;
  };
  if (!nest.transforms.empty())
    return emitEpilogue(emitTransforms());
  if (nest.numParallel == dims) {
    SmallVector<Value> results = emitPoint({});
    for (Value &result : results)
      result = splat(result, anchorTile);
    return emitEpilogue(maskScattered(results));
  }
  SmallVector<Type> types;
  for (Value result : info.anchor->getResults())
    types.push_back(getTileType(anchorTile, getTensor(result).getElementType()));
  SmallVector<Value> accumulators;
  auto loadInit = [&]() {
    return evaluate(info.anchor->getOperand(nest.initOperand),
                    getForms(nest.operandMaps[nest.initOperand]), anchorTile, 0.0);
  };
  if (nest.initOperand >= 0 && !lanesReduced)
    accumulators = {loadInit()};
  else
    accumulators = anchor.buildInit(b, loc, types);
  maskLanes = lanesReduced && nest.sizes[schedule.vector] % lanes != 0;
  accumulators = emitReduction(nest.numParallel, accumulators);
  maskLanes = false;
  if (lanesReduced) {
    anchorTile.lanes = 1;
    for (Value &value : accumulators)
      value = TileReduceOp::create(
          b, loc, getTileType(anchorTile, cast<VectorType>(value.getType()).getElementType()),
          value, nest.combine);
    if (nest.initOperand >= 0)
      accumulators[0] = arith::AddFOp::create(b, loc, accumulators[0], loadInit());
  }
  emitEpilogue(maskScattered(anchor.buildFinish(b, loc, accumulators, [&](unsigned dim) {
    return buildIndex(LinearForm::getDim(dim, dims), anchorTile);
  })));
}

void TileEmitter::emitEpilogue(SmallVector<Value> results) {
  for (auto [value, result] : llvm::zip(info.anchor->getResults(), results))
    computed[value] = result;
  SmallVector<LinearForm> forms = info.getResultForms();
  for (Operation *op : info.epilogue)
    computed[op->getResult(0)] = evaluate(op->getResult(0), forms, anchorTile, 0.0);

  Tile pooledTile = anchorTile;
  SmallVector<LinearForm> pooledForms;
  if (info.pool) {
    pooledTile.pooled = true;
    for (auto [dim, factor] : llvm::enumerate(info.poolFactors)) {
      if (int64_t at = info.getTileDim(forms[dim]); at >= 0)
        pooledTile.extents[at] /= factor;
      pooledForms.push_back(LinearForm::getDim(dim, info.poolFactors.size()));
    }
    for (Operation *op : info.getFromPool())
      if (isPointwise(op))
        computed[op->getResult(0)] = evaluate(op->getResult(0), pooledForms, pooledTile, 0.0);
      else
        for (auto [value, result] :
             llvm::zip(op->getResults(), emitPool(cast<NestOpInterface>(op))))
          computed[value] = result;
  }
  for (auto [i, value] : llvm::enumerate(group.getYield().getValues())) {
    Operation *def = value.getDefiningOp();
    bool pooled = info.isAfterPool(def);
    const Tile &tile = pooled ? pooledTile : anchorTile;
    ArrayRef<LinearForm> at = pooled ? ArrayRef(pooledForms) : ArrayRef(forms);
    Value result = evaluate(value, at, tile, 0.0);
    // The first block of an image stores the zeros around it; what reaches there is as much.
    bool masks = def == info.anchor || (pooled && !isPointwise(def));
    if (slice && !slice.getTiles().empty() && masks &&
        !getLayoutOf(getTensor(group.getResult(i))).getHalo().empty())
      result = maskOutside(splat(result, tile), getTensor(value), at, tile, 0.0);
    store(result, i, at, tile);
  }
}

/// Combines the picks of every window of the first operand. What further operands have for the
/// window has been computed.
SmallVector<Value> TileEmitter::emitPool(NestOpInterface pool) {
  Value input = computed.lookup(pool->getOperand(0));
  Nest window = pool.getNest();
  SmallVector<LinearForm> reads = getForms(window.operandMaps[0]), results = info.getResultForms();
  Tile tile = anchorTile;
  tile.pooled = true;
  SmallVector<int64_t> strides(anchorTile.extents.size() + 1, 1);
  // The dimension of the tile that a reduced dimension of the window runs along.
  llvm::SmallDenseMap<unsigned, int64_t> along;
  for (auto [dim, factor] : llvm::enumerate(info.poolFactors)) {
    int64_t at = info.getTileDim(results[dim]);
    if (factor != 1) {
      tile.extents[at] /= factor;
      strides[at] = factor;
    }
    for (unsigned d = window.numParallel; d < window.getNumDims(); ++d)
      if (reads[dim].uses(d))
        along[d] = at;
  }
  SmallVector<Type> types;
  for (Value result : pool->getResults())
    types.push_back(getTileType(tile, getTensor(result).getElementType()));
  SmallVector<Value> accumulators = pool.buildInit(b, pool->getLoc(), types);
  SmallVector<int64_t> point(window.getNumDims(), 0);
  auto index = [&](unsigned dim) -> Value {
    if (!window.isParallel(dim))
      return buildInt(b, loc, accumulators[0].getType(), point[dim]);
    return buildIndex(LinearForm::getDim(dim, info.poolFactors.size()), tile);
  };
  std::function<void(unsigned)> visit = [&](unsigned dim) {
    if (dim < window.getNumDims()) {
      for (point[dim] = 0; point[dim] < window.sizes[dim]; ++point[dim])
        visit(dim + 1);
      return;
    }
    SmallVector<int64_t> offsets(strides.size(), 0);
    for (auto [d, at] : along)
      offsets[at] = point[d];
    Type element = cast<VectorType>(input.getType()).getElementType();
    SmallVector<Value> operands = {
        TilePickOp::create(b, pool->getLoc(), getTileType(tile, element), input, offsets, strides)};
    for (Value operand : llvm::drop_begin(pool->getOperands()))
      operands.push_back(computed.lookup(operand));
    accumulators = pool.buildBody(b, pool->getLoc(), operands, accumulators, index);
  };
  visit(window.numParallel);
  return pool.buildFinish(b, pool->getLoc(), accumulators, index);
}

//===--------------------------------------------------------------------------------------------===//
// Loops over tiles
//===--------------------------------------------------------------------------------------------===//

/// Cuts a parallel dimension where its tiles begin or cease to read (or scatter) outside of a
/// tensor.
SmallVector<TileEmitter::Segment> TileEmitter::getSegments(unsigned dim) {
  int64_t units = space.getUnits(dim, schedule.vector), tile = schedule.tile[dim];
  SmallVector<Segment> segments;
  if (space.isPhase(dim)) {
    for (int64_t begin = 0; begin < units; begin += tile)
      segments.push_back({begin, 1, std::min(tile, units - begin)});
    return segments;
  }
  int64_t low = 0, high = units - 1;
  auto narrow = [&](ArrayRef<LinearForm> forms, RankedTensorType type) {
    LayoutAttr layout = getLayoutOf(type);
    for (auto [at, form] : llvm::enumerate(forms)) {
      int64_t factor = form.coefficients[dim];
      if (factor <= 0)
        continue;
      int64_t least = form.constant, most = form.constant;
      for (unsigned other = 0; other < nest.getNumDims(); ++other)
        if (other != dim)
          (form.coefficients[other] < 0 ? least : most) +=
              form.coefficients[other] * (nest.sizes[other] - 1);
      int64_t halo = layout.getHaloOf(at), size = type.getDimSize(at);
      if (least < -halo)
        low = std::max<int64_t>(low, llvm::divideCeil(-halo - least, factor));
      if (factor * (units - 1) + most >= size + halo)
        high = std::min<int64_t>(high, llvm::divideFloorSigned(size - 1 + halo - most, factor));
    }
  };
  if (static_cast<int64_t>(dim) != schedule.vector) {
    for (const GroupInfo::Read &read : info.getReads())
      if (!read.pooled)
        narrow(read.forms, getTensor(group.getInputs()[read.argument]));
    if (nest.transforms.empty() && !info.pool)
      narrow(info.getResultForms(), getTensor(group.getResult(0)));
  }
  int64_t begin = llvm::alignTo(low, tile);
  int64_t end = high + 1 > begin ? begin + (high + 1 - begin) / tile * tile : begin;
  if (begin >= end)
    begin = end = 0; // No tile lies inside.
  if (begin > 0)
    segments.push_back({0, begin / tile, tile});
  if (end > begin)
    segments.push_back({begin, (end - begin) / tile, tile});
  if (int64_t full = (units - end) / tile)
    segments.push_back({end, full, tile});
  if (int64_t rest = (units - end) % tile)
    segments.push_back({units - rest, 1, rest});
  return segments;
}

void TileEmitter::emitParallel(unsigned depth) {
  if (depth == nest.numParallel)
    return emitBody();
  unsigned dim = schedule.order[depth];
  bool vector = static_cast<int64_t>(dim) == schedule.vector;
  int64_t unit = vector ? lanes : 1;
  Position &position = positions[dim];
  Value item = getItem();

  auto place = [&](Value units, int64_t low, int64_t high, int64_t tile) {
    Position &at = positions[dim];
    at.units = at.localUnits = units;
    at.base = at.localBase = scale(units, unit);
    at.low = low * unit;
    at.high = high * unit;
    at.tile = tile;
  };
  auto loop = [&](Value lower, Value upper, int64_t step, function_ref<void(Value)> body) {
    auto op = scf::ForOp::create(b, loc, lower, upper, constant(step));
    nameIndex(op, dim);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(op.getBody());
    body(op.getInductionVar());
  };

  if (slice && dim == 0) {
    int64_t size = nest.sizes[0], block = slice.getBlock(), count = slice.getCount();
    if (size != block * count || vector) {
      // The slice is one index (of the slices, or of the vectors of the batch).
      place(item, 0, (size == block * count ? count : size) - 1, 1);
      position.localUnits = constant(0);
      position.localBase = constant(0);
      return emitParallel(depth + 1);
    }
    return loop(constant(0), constant(block), 1, [&](Value row) {
      place(add(scale(item, block), row), 0, size - 1, 1);
      positions[dim].localUnits = positions[dim].localBase = row;
      emitParallel(depth + 1);
    });
  }

  if (slice && dim <= slice.getTiles().size()) {
    // So is the block of the image.
    place(sliceItems[dim], 0, nest.sizes[dim] - 1, 1);
    position.localUnits = position.localBase = constant(0);
    return emitParallel(depth + 1);
  }

  bool chunked = static_cast<int64_t>(depth) < schedule.collapse && !slice && schedule.chunk > 0;
  int64_t chunk = depth == 0 ? schedule.chunk : 1;
  if (chunked && schedule.collapse > 1) {
    int64_t inner = space.getSteps(schedule, schedule.order[1]);
    item = depth == 0 ? b.createOrFold<arith::DivUIOp>(loc, item, constant(inner))
                      : b.createOrFold<arith::RemUIOp>(loc, item, constant(inner));
  }
  for (const Segment &segment : getSegments(dim)) {
    int64_t last = segment.begin + (segment.count - 1) * segment.tile;
    int64_t end = segment.begin + segment.count * segment.tile;
    if (!chunked && segment.count == 1) {
      place(constant(segment.begin), segment.begin, segment.begin, segment.tile);
      emitParallel(depth + 1);
      continue;
    }
    Value lower = constant(segment.begin), upper = constant(end);
    if (chunked) {
      Value first = scale(item, chunk * schedule.tile[dim]);
      Value behind = add(first, constant(chunk * schedule.tile[dim]));
      lower = arith::MaxUIOp::create(b, loc, lower, first);
      upper = arith::MinUIOp::create(b, loc, upper, behind);
    }
    loop(lower, upper, segment.tile, [&](Value units) {
      place(units, segment.begin, last, segment.tile);
      emitParallel(depth + 1);
    });
  }
}

LogicalResult TileEmitter::emit() {
  for (Value value : group.getYield().getValues()) {
    Operation *def = value.getDefiningOp();
    if (!def || llvm::is_contained(info.prologue, def))
      return group.emitError() << "group '" << group.getName()
                               << "' yields a value that it does not compute in its tile";
  }
  if (slice) {
    ArrayRef<int64_t> tiles = slice.getTiles();
    if (!tiles.empty() &&
        (nest.numSliced != 3 || nest.sizes[1] != tiles[0] || nest.sizes[2] != tiles[1]))
      return group.emitError() << "group '" << group.getName() << "' does not count " << tiles[0]
                               << " x " << tiles[1] << " blocks of an image, as its slices do";
    Value item = kernel.getArgument(0);
    sliceItems = {item};
    if (!tiles.empty())
      sliceItems = {b.createOrFold<arith::DivUIOp>(loc, item, constant(tiles[0] * tiles[1])),
                    b.createOrFold<arith::RemUIOp>(
                        loc, b.createOrFold<arith::DivUIOp>(loc, item, constant(tiles[1])),
                        constant(tiles[0])),
                    b.createOrFold<arith::RemUIOp>(loc, item, constant(tiles[1]))};
  }
  auto fill = [&](bool whole) {
    for (auto [i, result] : llvm::enumerate(group.getResults())) {
      LayoutAttr layout = getLayoutOf(getTensor(result));
      if (whole || llvm::any_of(layout.getHalo(), [](int64_t zeros) { return zeros != 0; }))
        emitZeroFill(*this, outputs[i], getTensor(result), whole);
    }
  };
  if (nest.scatter)
    fill(/*whole=*/true);
  emitParallel(0);
  // Behind the loops: lanes beyond the end of a row, and what is scattered outside of a tensor,
  // reach into the zeros around it.
  fill(/*whole=*/false);
  return success();
}
