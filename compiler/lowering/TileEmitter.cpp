//===- TileEmitter.cpp - Loops over register tiles of one group ------------------------------===//

#include "compiler/lowering/TileEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

TileEmitter::TileEmitter(func::FuncOp kernel, GroupOp group, const ScheduleSpace &space,
                         const NestSchedule &schedule)
    : kernel(kernel), group(group), space(space), info(space.getInfo()), nest(info.nest),
      schedule(schedule), slice(kernel->getAttrOfType<SliceScheduleAttr>("cnn.slices")), b(group),
      loc(info.anchor->getLoc()), lanes(space.getLanes()) {
  unsigned at = 2;
  for ([[maybe_unused]] Value input : group.getInputs())
    inputs.push_back(kernel.getArgument(at++));
  for ([[maybe_unused]] Value result : group.getResults())
    outputs.push_back(kernel.getArgument(at++));
  lanesReduced = nest.getNumDims() > 0 && schedule.vector >= nest.numParallel;
  if (nest.getNumDims() == 0)
    lanes = 1;
}

//===--------------------------------------------------------------------------------------------===//
// Small builders
//===--------------------------------------------------------------------------------------------===//

/// A constant, one of each value at the head of the kernel.
Value TileEmitter::constant(int64_t value) {
  Value &known = constants[value];
  if (!known) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&kernel.getBody().front());
    Location name = NameLoc::get(b.getStringAttr("c" + std::to_string(value)), loc);
    known = arith::ConstantIndexOp::create(b, name, value);
  }
  return known;
}

/// Dumps show which dimension of the nest a loop runs along: d0 is the outermost of the nest's.
void TileEmitter::nameIndex(scf::ForOp loop, unsigned dim) {
  loop.getInductionVar().setLoc(
      NameLoc::get(b.getStringAttr("d" + std::to_string(dim)), loop.getLoc()));
}

Value TileEmitter::add(Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return lhs ? lhs : rhs;
  return b.createOrFold<arith::AddIOp>(loc, lhs, rhs);
}

Value TileEmitter::scale(Value value, int64_t factor) {
  return factor == 1 ? value : b.createOrFold<arith::MulIOp>(loc, value, constant(factor));
}

VectorType TileEmitter::getTileType(const Tile &tile, Type element) const {
  SmallVector<int64_t> shape(tile.extents);
  shape.push_back(tile.lanes);
  return VectorType::get(shape, element);
}

Value TileEmitter::splat(Value value, const Tile &tile) {
  if (isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(b, loc, getTileType(tile, value.getType()), value);
}

bool TileEmitter::isLocal(Value buffer, RankedTensorType type) const {
  return slice && cast<MemRefType>(buffer.getType()).getShape() !=
                      ArrayRef<int64_t>(getLayoutOf(type).getPhysicalShape(type.getShape()));
}

//===--------------------------------------------------------------------------------------------===//
// Indices: the base of the tile plus a linear map of the tile's dimensions
//===--------------------------------------------------------------------------------------------===//

/// Index of the tile's first element.
Value TileEmitter::buildBase(const LinearForm &form, bool local, int64_t extra, bool pooled) {
  Value sum;
  if (pooled) {
    SmallVector<LinearForm> results = info.getResultForms();
    for (auto [dim, factor] : llvm::enumerate(form.coefficients))
      if (factor != 0) {
        Value index = buildBase(results[dim], local, 0, false);
        if (info.poolFactors[dim] != 1)
          index = b.createOrFold<arith::DivUIOp>(loc, index, constant(info.poolFactors[dim]));
        sum = add(sum, scale(index, factor));
      }
  } else {
    for (auto [dim, factor] : llvm::enumerate(form.coefficients))
      if (factor != 0)
        sum = add(sum, scale(local ? positions[dim].localBase : positions[dim].base, factor));
  }
  if (form.constant + extra != 0 || !sum)
    sum = add(sum, constant(form.constant + extra));
  return sum;
}

/// What the dimensions of the tile add to the base.
AffineExpr TileEmitter::getTileExpr(const LinearForm &form, const Tile &tile) const {
  MLIRContext *context = b.getContext();
  AffineExpr expr = getAffineConstantExpr(0, context);
  if (tile.pooled) {
    Tile anchor = tile;
    anchor.pooled = false;
    SmallVector<LinearForm> results = info.getResultForms();
    for (auto [dim, factor] : llvm::enumerate(form.coefficients))
      if (factor != 0) {
        LinearForm result = results[dim];
        expr = expr + getTileExpr(result, anchor) * factor;
      }
    return expr;
  }
  for (auto [dim, factor] : llvm::enumerate(form.coefficients)) {
    if (factor == 0)
      continue;
    bool vector = static_cast<int64_t>(dim) == schedule.vector;
    if (nest.isParallel(dim))
      expr = expr + getAffineDimExpr(dim, context) * (factor * (vector ? lanes : 1));
    if (vector && tile.lanes > 1)
      expr = expr + getAffineDimExpr(nest.numParallel, context) * factor;
  }
  return expr;
}

/// The smallest and largest index that the tile can reach, wherever the current loops stand.
std::pair<int64_t, int64_t> TileEmitter::getRange(const LinearForm &form, const Tile &tile) const {
  int64_t low = form.constant, high = form.constant;
  if (tile.pooled) {
    // A pooling's result has exactly its windows, but the last vector or the last tile of a
    // transform may reach beyond it.
    SmallVector<LinearForm> results = info.getResultForms();
    Tile anchor = tile;
    anchor.pooled = false;
    for (auto [dim, factor] : llvm::enumerate(form.coefficients))
      if (factor != 0 &&
          (results[dim].coefficients[schedule.vector] != 0 || results[dim].getSingleDim() < 0)) {
        auto [first, last] = getRange(results[dim], anchor);
        return {first / info.poolFactors[dim], last / info.poolFactors[dim]};
      }
    return {0, 0};
  }
  for (auto [dim, factor] : llvm::enumerate(form.coefficients)) {
    if (factor == 0)
      continue;
    const Position &position = positions[dim];
    bool vector = static_cast<int64_t>(dim) == schedule.vector;
    int64_t unit = vector ? lanes : 1;
    int64_t span = nest.isParallel(dim) ? (position.tile - 1) * unit : 0;
    int64_t last = position.high + span + (vector ? lanes - 1 : 0);
    low += factor * (factor > 0 ? position.low : last);
    high += factor * (factor > 0 ? last : position.low);
  }
  return {low, high};
}

TileEmitter::Address TileEmitter::getAddress(Value buffer, RankedTensorType type,
                                             ArrayRef<LinearForm> forms, const Tile &tile) {
  Address address;
  MLIRContext *context = b.getContext();
  LayoutAttr layout = getLayoutOf(type);
  int64_t split = layout.getBlockedDim(), block = layout.getBlock();
  bool local = isLocal(buffer, type);
  size_t numLocal = slice ? 1 + slice.getTiles().size() : 0;
  AffineExpr zero = getAffineConstantExpr(0, context);
  if (!layout.getHalo().empty())
    address.zeros.assign(layout.getOrder().size(), 0);
  for (auto [physical, dim] : llvm::enumerate(layout.getOrder())) {
    const LinearForm &form = forms[dim];
    bool here = local && dim < static_cast<int64_t>(numLocal);
    if (dim != split) {
      int64_t halo = layout.getHaloOf(dim);
      if (halo != 0)
        address.zeros[physical] = halo;
      address.indices.push_back(buildBase(form, here, halo, tile.pooled));
      address.exprs.push_back(getTileExpr(form, tile));
      auto [low, high] = getRange(form, tile);
      if (low < -halo || high >= type.getDimSize(dim) + halo)
        address.guard.push_back(physical);
      continue;
    }
    bool inner = physical + 1 == layout.getOrder().size();
    // Where vectors run along the blocks, the block is counted in vectors and the lane is the lane.
    LinearForm rest = form;
    int64_t vectorAt = -1;
    if (tile.pooled) {
      int64_t at = form.getSingleDim();
      LinearForm result = info.getResultForms()[at];
      rest = result;
    }
    if (lanes == block && tile.lanes > 1 && rest.coefficients[schedule.vector] == 1) {
      vectorAt = schedule.vector;
      rest.coefficients[vectorAt] = 0;
    }
    if (vectorAt >= 0) {
      if (inner) {
        address.indices.push_back(constant(0));
        address.exprs.push_back(getAffineDimExpr(nest.numParallel, context));
        continue;
      }
      const Position &position = positions[vectorAt];
      Value index = here ? position.localUnits : position.units;
      AffineExpr expr = nest.isParallel(vectorAt) ? getAffineDimExpr(vectorAt, context) : zero;
      for (auto [d, factor] : llvm::enumerate(rest.coefficients))
        if (factor != 0) {
          index =
              add(index, scale(here ? positions[d].localBase : positions[d].base, factor / block));
          if (nest.isParallel(d))
            expr = expr + getAffineDimExpr(d, context) * (factor / block);
        }
      if (rest.constant != 0)
        index = add(index, constant(rest.constant / block));
      address.indices.push_back(index);
      address.exprs.push_back(expr);
      continue;
    }
    // One element of a block in all lanes, in a loop over blocks and one inside of them.
    auto counts = [&](unsigned d) {
      return !tile.pooled && positions[d].block && form.runsAlongBlocks(d, block);
    };
    auto dims = llvm::to_vector(llvm::seq<unsigned>(0, form.coefficients.size()));
    if (auto at = llvm::find_if(dims, counts); at != dims.end()) {
      Value index = positions[*at].lane;
      AffineExpr expr = zero;
      if (!inner) {
        index = positions[*at].block;
        for (auto [d, factor] : llvm::enumerate(form.coefficients)) {
          if (factor == 0 || d == *at)
            continue;
          index =
              add(index, scale(here ? positions[d].localBase : positions[d].base, factor / block));
          expr = expr + getTileExpr(LinearForm::getDim(d, dims.size()), tile) * (factor / block);
        }
        if (form.constant != 0)
          index = add(index, constant(form.constant / block));
      }
      address.indices.push_back(index);
      address.exprs.push_back(expr);
      continue;
    }
    // One row at a time, or some of one block: find the block and the place there.
    Value row = buildBase(form, here, 0, tile.pooled);
    address.indices.push_back(inner ? b.createOrFold<arith::RemUIOp>(loc, row, constant(block))
                                    : b.createOrFold<arith::DivUIOp>(loc, row, constant(block)));
    address.exprs.push_back(inner && !tile.pooled ? getTileExpr(form, tile) : zero);
  }
  return address;
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
  if (!tile.pooled)
    prefetch = space.getPrefetch(schedule, forms, type, [&](int64_t dim) { return isEdge(dim); });
  auto map = AffineMap::get(nest.numParallel + 1, 0, address.exprs, b.getContext());
  return TileLoadOp::create(b, loc, getTileType(tile, type.getElementType()), inputs[argument],
                            address.indices, map, address.guard, address.zeros,
                            llvm::APFloat(padding), prefetch);
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

Value TileEmitter::buildIndex(const LinearForm &form, const Tile &tile) {
  auto map = AffineMap::get(nest.numParallel + 1, 0, getTileExpr(form, tile));
  return TileIndexOp::create(b, loc, getTileType(tile, b.getI32Type()),
                             buildBase(form, false, 0, tile.pooled), map);
}

//===--------------------------------------------------------------------------------------------===//
// Values
//===--------------------------------------------------------------------------------------------===//

/// `value` at the indices `forms`: loaded, or computed from what it is computed from.
Value TileEmitter::evaluate(Value value, ArrayRef<LinearForm> forms, const Tile &tile,
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
    operands.push_back(evaluate(operand, at, tile, 0.0));
  }
  Value result = splat(op.buildBody(b, op->getLoc(), operands, {},
                                    [&](unsigned dim) { return buildIndex(forms[dim], tile); })
                           .front(),
                       tile);
  // Outside of the value's bounds, where the anchor pads, what was computed has no meaning.
  return maskOutside(result, getTensor(value), forms, tile, padding);
}

/// `value` where the indices `forms` lie within a tensor of the given type, else `padding`.
Value TileEmitter::maskOutside(Value value, RankedTensorType type, ArrayRef<LinearForm> forms,
                               const Tile &tile, double padding) {
  for (auto [dim, form] : llvm::enumerate(forms)) {
    auto [low, high] = getRange(form, tile);
    if (low >= 0 && high < type.getDimSize(dim))
      continue;
    Value index = buildIndex(form, tile);
    // One unsigned comparison serves both bounds.
    Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, index,
                                         buildInt(b, loc, index.getType(), type.getDimSize(dim)));
    Value outside = isa<FloatType>(type.getElementType())
                        ? buildFloat(b, loc, value.getType(), padding)
                        : buildZero(b, loc, value.getType());
    value = arith::SelectOp::create(b, loc, inside, value, outside);
  }
  return value;
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
    auto pool = [&](NestOpInterface op) {
      for (auto [value, result] : llvm::zip(op->getResults(), emitPool(op)))
        computed[value] = result;
    };
    pool(info.pool);
    for (Operation *op : info.afterPool)
      if (isPointwise(op))
        computed[op->getResult(0)] = evaluate(op->getResult(0), pooledForms, pooledTile, 0.0);
      else
        pool(cast<NestOpInterface>(op));
  }
  for (auto [i, value] : llvm::enumerate(group.getYield().getValues())) {
    Operation *def = value.getDefiningOp();
    bool pooled = info.pool && def && (def == info.pool || llvm::is_contained(info.afterPool, def));
    const Tile &tile = pooled ? pooledTile : anchorTile;
    ArrayRef<LinearForm> at = pooled ? ArrayRef(pooledForms) : ArrayRef(forms);
    Value result = evaluate(value, at, tile, 0.0);
    // The first block of an image stores the zeros around it; what reaches there is as much.
    bool computed = def == info.anchor || (pooled && !isPointwise(def));
    if (slice && !slice.getTiles().empty() && computed &&
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
  Value item = slice ? sliceItems[0] : kernel.getArgument(0);

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

/// Stores zeros in what this work item owns of a buffer: everywhere (`whole`), or around the tensor
/// only.
void TileEmitter::emitZeroFill(Value buffer, RankedTensorType type, bool whole) {
  auto memref = cast<MemRefType>(buffer.getType());
  LayoutAttr layout = getLayoutOf(type);
  Value item = slice ? sliceItems[0] : kernel.getArgument(0);
  OpBuilder::InsertionGuard behind(b);
  // Of the blocks of a slice, the first one has the zeros.
  for (Value block : ArrayRef(sliceItems).drop_front(slice ? 1 : 0)) {
    Value first = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, block, constant(0));
    b.setInsertionPointToStart(scf::IfOp::create(b, loc, first).thenBlock());
  }
  SmallVector<Value> indices(memref.getRank());
  int64_t innermost = memref.getRank() - 1;
  SmallVector<AffineExpr> exprs(memref.getRank(), getAffineConstantExpr(0, b.getContext()));
  if (innermost >= 0)
    exprs[innermost] = getAffineDimExpr(0, b.getContext());
  // The zeros along a physical dimension; a block's lanes have none of their own.
  auto getHalo = [&](int64_t physical) {
    int64_t dim = layout.getOrder()[physical];
    return llvm::count(layout.getOrder().take_front(physical), dim) ? 0 : layout.getHaloOf(dim);
  };
  bool single = false; // elements one by one: behind those of this item lie those of the next
  std::function<void(int64_t, bool)> visit = [&](int64_t physical, bool outside) {
    if (physical > innermost) {
      auto tile = VectorType::get({single ? 1 : lanes}, type.getElementType());
      SmallVector<int64_t> guard;
      if (innermost >= 0 && !single && memref.getDimSize(innermost) % lanes != 0)
        guard.push_back(innermost);
      TileStoreOp::create(b, loc, buildZero(b, loc, tile), buffer, indices,
                          AffineMap::get(1, 0, exprs, b.getContext()), guard, false);
      return;
    }
    int64_t size = memref.getDimSize(physical);
    auto loop = [&](Value lower, Value upper, bool inBorder) {
      int64_t step = physical == innermost && !single ? lanes : 1;
      auto op = scf::ForOp::create(b, loc, lower, upper, constant(step));
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(op.getBody());
      indices[physical] = op.getInductionVar();
      visit(physical + 1, inBorder);
    };
    int64_t halo = getHalo(physical), dim = layout.getOrder()[physical];
    bool later = false;
    for (int64_t next = physical + 1; next <= innermost; ++next)
      later |= getHalo(next) != 0;
    // What this work item owns of the elements between the zeros.
    Value lower = constant(halo), upper = constant(size - halo);
    Value first, last; // whether the item has the zeros before and behind them, too
    if (slice && dim == 0 && physical == 0 && !isLocal(buffer, type)) {
      // Blocks, slices, or rows of the batch.
      int64_t rows = size == slice.getBlock() * slice.getCount() ? slice.getBlock() : 1;
      lower = scale(item, rows);
      upper = add(lower, constant(rows));
      single = physical == innermost && rows % lanes != 0;
    } else if (!slice && schedule.chunk > 0 && dim == layout.getBlockedDim() &&
               info.getResultForms()[dim].getSingleDim() == schedule.order[0] &&
               schedule.order[0] != schedule.vector) {
      // Items share the lanes of a block; the last one has all that are left.
      if (physical == innermost) {
        int64_t outer = llvm::find(layout.getOrder(), dim) - layout.getOrder().begin();
        int64_t share = schedule.chunk * schedule.tile[schedule.order[0]];
        int64_t items = llvm::divideCeil(info.nest.sizes[schedule.order[0]], share);
        Value begin = scale(indices[outer], size), from = scale(item, share);
        Value isLast =
            arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, item, constant(items - 1));
        Value to = arith::SelectOp::create(
            b, loc, isLast, constant(memref.getDimSize(outer) * size), add(from, constant(share)));
        auto toLane = [&](Value place) -> Value {
          Value behind = arith::MaxUIOp::create(b, loc, place, begin);
          return arith::MinUIOp::create(b, loc, constant(size),
                                        arith::SubIOp::create(b, loc, behind, begin));
        };
        lower = toLane(from);
        upper = toLane(to);
        single = true;
      }
    } else if (!slice && schedule.chunk > 0 &&
               info.getResultForms()[dim].getSingleDim() == schedule.order[0] &&
               !(dim == layout.getBlockedDim() && physical == innermost)) {
      bool vector = schedule.order[0] == schedule.vector && dim != layout.getBlockedDim();
      int64_t share = schedule.chunk * schedule.tile[schedule.order[0]] * (vector ? lanes : 1);
      if (info.pool && type.getDimSize(dim) != info.nest.sizes[schedule.order[0]])
        share /= info.poolFactors[dim];
      single = physical == innermost && share % lanes != 0;
      Value end = upper;
      lower = arith::MinUIOp::create(b, loc, end, add(scale(item, share), lower));
      upper = arith::MinUIOp::create(b, loc, end, add(lower, constant(share)));
      // A scatter may reach only the first elements; the last item has the rest as well.
      int64_t units = info.nest.sizes[schedule.order[0]];
      if (schedule.order[0] == schedule.vector)
        units = llvm::divideCeil(units, lanes);
      int64_t items = llvm::divideCeil(units, schedule.chunk * schedule.tile[schedule.order[0]]);
      if (items * share < size - 2 * halo) {
        Value isLast =
            arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, item, constant(items - 1));
        upper = arith::SelectOp::create(b, loc, isLast, end, upper);
      }
      if (halo != 0) {
        auto is = [&](Value index, int64_t value) {
          return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, index, constant(value));
        };
        first = is(item, 0);
        last = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, upper, end);
      }
    }
    Value before = constant(0), behind = constant(size);
    if (first) {
      before = arith::SelectOp::create(b, loc, first, before, lower);
      behind = arith::SelectOp::create(b, loc, last, behind, upper);
    }
    if (outside || halo == 0) {
      loop(halo == 0 ? lower : before, halo == 0 ? upper : behind, outside);
      return;
    }
    if (physical == innermost) {
      // One by one: what is between them stays.
      auto tile = VectorType::get({halo, 1}, type.getElementType());
      for (int64_t begin : {int64_t(0), size - halo}) {
        indices[physical] = constant(begin);
        TileStoreOp::create(b, loc, buildZero(b, loc, tile), buffer, indices,
                            AffineMap::get(2, 0, exprs, b.getContext()), {}, false);
      }
      return;
    }
    loop(before, lower, true);
    loop(upper, behind, true);
    if (later)
      loop(lower, upper, false);
  };
  visit(0, whole);
}

LogicalResult TileEmitter::emit() {
  for (Value value : group.getYield().getValues()) {
    Operation *def = value.getDefiningOp();
    if (!def || llvm::is_contained(info.prologue, def))
      return group.emitError() << "group '" << group.getName()
                               << "' yields a value that it does not compute in its tile";
  }
  positions.resize(nest.getNumDims());
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
  auto fill = [&] {
    for (auto [i, result] : llvm::enumerate(group.getResults())) {
      LayoutAttr layout = getLayoutOf(getTensor(result));
      bool halo = llvm::any_of(layout.getHalo(), [](int64_t zeros) { return zeros != 0; });
      if (nest.scatter || halo)
        emitZeroFill(outputs[i], getTensor(result), /*whole=*/nest.scatter);
    }
  };
  if (nest.scatter)
    fill();
  emitParallel(0);
  // Behind the loops: lanes beyond the end of a row reach into the zeros around it.
  if (!nest.scatter)
    fill();
  return success();
}
