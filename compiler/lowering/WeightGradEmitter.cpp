//===- WeightGradEmitter.cpp - The gradient of a kernel, step by step ----------------------===//

#include "compiler/lowering/WeightGradEmitter.h"
#include "compiler/lowering/TileEmitter.h"
#include "dialect/Winograd.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

WeightGradEmitter::WeightGradEmitter(func::FuncOp kernel, GroupOp group,
                                     const ScheduleSpace &scheduleSpace,
                                     const NestSchedule &schedule, const Machine &machine)
    : IndexBuilder(kernel, group, (*group.getOps<ConvWeightGradOp>().begin())->getLoc()),
      group(group), grad(*group.getOps<ConvWeightGradOp>().begin()),
      space(*scheduleSpace.getWeightGrad()), step(space.getStep(schedule.tile)),
      sliced(kernel->hasAttr("cnn.slices")), transforms(space.tile != plainTile),
      element(getTensor(grad.getResult()).getElementType()), lanes(space.lanes),
      registers(machine.registers) {}

//===--------------------------------------------------------------------------------------------===//
// Small builders
//===--------------------------------------------------------------------------------------------===//

Value WeightGradEmitter::view(int64_t offset, ArrayRef<int64_t> shape) {
  if (auto attr = kernel->getAttrOfType<IntegerAttr>("cnn.scratch_offset"))
    offset += attr.getInt();
  return memref::ViewOp::create(b, loc, MemRefType::get(shape, element), kernel.getArgument(1),
                                constant(offset), {});
}

void WeightGradEmitter::loop(Value end, int64_t step, function_ref<void(Value)> body) {
  auto op = scf::ForOp::create(b, loc, constant(0), end, constant(step));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.getBody());
  body(op.getInductionVar());
}

void WeightGradEmitter::loop(int64_t end, int64_t step, function_ref<void(Value)> body) {
  if (end <= step)
    return body(constant(0));
  loop(constant(end), step, body);
}

VectorType WeightGradEmitter::getTile(ArrayRef<int64_t> extents) const {
  SmallVector<int64_t> shape(extents);
  shape.push_back(lanes);
  return VectorType::get(shape, element);
}

Value WeightGradEmitter::load(Value buffer, ArrayRef<Value> indices, ArrayRef<AffineExpr> exprs,
                              VectorType type) {
  auto map = AffineMap::get(type.getRank(), 0, exprs, b.getContext());
  return TileLoadOp::create(b, loc, type, buffer, indices, map, /*guard=*/ArrayRef<int64_t>{},
                            /*zeros=*/ArrayRef<int64_t>{}, llvm::APFloat(0.0), /*prefetch=*/0);
}

void WeightGradEmitter::store(Value value, Value buffer, ArrayRef<Value> indices,
                              ArrayRef<AffineExpr> exprs, bool nontemporal) {
  auto map = AffineMap::get(cast<VectorType>(value.getType()).getRank(), 0, exprs, b.getContext());
  TileStoreOp::create(b, loc, value, buffer, indices, map, /*guard=*/ArrayRef<int64_t>{},
                      /*accumulate=*/false, nontemporal);
}

//===--------------------------------------------------------------------------------------------===//
// The kernel
//===--------------------------------------------------------------------------------------------===//

WeightGradEmitter::Source WeightGradEmitter::getSource(Value operand, bool ofInput) {
  Source source;
  source.value = operand;
  source.ofInput = ofInput;
  source.count = ofInput ? space.channels : space.outputs;
  source.chunk = ofInput ? step.channels : step.outputs;
  return source;
}

void WeightGradEmitter::emit() {
  input = getSource(grad.getInput(), true);
  gradient = getSource(grad.getGradient(), false);
  if (transforms) {
    WinogradMatrices matrices = getWinogradGradMatrices(space.tile);
    input.matrix = matrices.input;
    gradient.matrix = matrices.weight;
    outputMatrix = matrices.output;
  }
  WeightGradScratch scratch = space.getScratch(step);
  int64_t rows = space.alpha[0], columns = space.alpha[1], depth = space.getDepth(step);
  int64_t stride = std::max(space.getWindowStride(step, true), space.getWindowStride(step, false));
  window = view(scratch.window, {space.block, stride});
  input.points = view(scratch.input, {rows, columns, depth * step.channels + lanes});
  gradient.points = view(scratch.gradient, {transforms ? rows : 1, transforms ? columns : 1,
                                            depth * step.outputs + lanes});
  sum = view(scratch.sum, {rows, columns, step.outputs * step.channels + lanes});
  turned = view(scratch.turned, {space.getNumTaps() * lanes});
  row = view(scratch.row, {space.getNumTaps() * step.channels + lanes});

  Value item = kernel.getArgument(0);
  int64_t ofOutputs = space.getNumChunks(step, true), ofChannels = space.getNumChunks(step, false);
  auto chunk = [&](Value slice, Value outputChunk, Value channelChunk) {
    emitChunk(slice, scale(outputChunk, step.outputs), scale(channelChunk, step.channels));
  };
  if (sliced) {
    loop(ofOutputs, 1, [&](Value k) { loop(ofChannels, 1, [&](Value c) { chunk(item, k, c); }); });
    return;
  }
  Value rest = b.createOrFold<arith::DivUIOp>(loc, item, constant(ofChannels));
  chunk(b.createOrFold<arith::DivUIOp>(loc, rest, constant(ofOutputs)),
        b.createOrFold<arith::RemUIOp>(loc, rest, constant(ofOutputs)),
        b.createOrFold<arith::RemUIOp>(loc, item, constant(ofChannels)));
}

void WeightGradEmitter::emitChunk(Value slice, Value firstOutput, Value firstChannel) {
  auto lane = [&](unsigned dim) { return getAffineDimExpr(dim, b.getContext()); };
  AffineExpr zero = getAffineConstantExpr(0, b.getContext());
  loop(space.alpha[0], 1, [&](Value p) {
    loop(space.alpha[1], 1, [&](Value q) {
      loop(step.outputs * step.channels, lanes, [&](Value at) {
        store(buildZero(b, loc, getTile({})), sum, {p, q, at}, {zero, zero, lane(0)});
      });
    });
  });
  int64_t blocks = space.batch / space.slices / space.block;
  int64_t inStep = step.images / space.block;
  loop(blocks, inStep, [&](Value first) {
    loop(space.tiles[0], step.tiles[0], [&](Value tileRow) {
      loop(space.tiles[1], step.tiles[1], [&](Value tileColumn) {
        loop(inStep, 1, [&](Value inner) {
          Value block = add(first, inner);
          Value whole = add(scale(slice, blocks), block);
          Value firstTile = scale(inner, step.tiles[0] * step.tiles[1]);
          for (const Source *source : {&input, &gradient})
            emitTransforms(*source, source->ofInput ? firstChannel : firstOutput, block, whole,
                           firstTile, tileRow, tileColumn);
        });
        emitProducts();
      });
    });
  });
  emitResult(slice, firstOutput, firstChannel);
}

//===--------------------------------------------------------------------------------------------===//
// Transforms
//===--------------------------------------------------------------------------------------------===//

/// Transforms the windows (or tiles) of one block of images.
void WeightGradEmitter::emitTransforms(const Source &source, Value firstChannel, Value block,
                                       Value whole, Value firstTile, Value tileRow,
                                       Value tileColumn) {
  int64_t rows = space.getExtent(step, 0, source.ofInput);
  int64_t columns = space.getExtent(step, 1, source.ofInput);
  // What becomes a tile's points, and how far apart it lies.
  int64_t extents[2] = {space.tile, space.tile}, apart[2] = {1, 1};
  if (source.ofInput)
    for (int axis : {0, 1}) {
      extents[axis] = space.alpha[axis];
      apart[axis] = space.dilation[axis];
    }
  int64_t tileSteps[2] = {space.getTileStep(0, source.ofInput),
                          space.getTileStep(1, source.ofInput)};
  Value corner[2] = {scale(tileRow, tileSteps[0]), scale(tileColumn, tileSteps[1])};
  if (source.ofInput)
    for (int axis : {0, 1})
      corner[axis] = add(corner[axis], constant(-space.padding[axis]));
  MLIRContext *context = b.getContext();
  loop(source.chunk, lanes, [&](Value channel) {
    // Lanes beyond the channels repeat the last one; what comes of them is not stored.
    bool beyond = source.count % source.chunk != 0;
    SmallVector<Value> channelOfLane;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      Value at = add(add(firstChannel, channel), constant(lane));
      if (beyond)
        at = arith::MinUIOp::create(b, loc, at, constant(source.count - 1));
      channelOfLane.push_back(at);
    }
    loop(rows, 1, [&](Value row) {
      loop(columns, 1, [&](Value column) {
        Pixel pixel = {
            block, whole, {}, channelOfLane, add(corner[0], row), add(corner[1], column)};
        emitPixel(source, pixel, scale(add(scale(row, columns), column), lanes));
      });
    });
    // Images innermost: what they give lies next to each other.
    loop(step.tiles[0], 1, [&](Value i) {
      loop(step.tiles[1], 1, [&](Value j) {
        loop(space.block, 1, [&](Value image) {
          AffineExpr d0 = getAffineDimExpr(0, context), d1 = getAffineDimExpr(1, context),
                     d2 = getAffineDimExpr(2, context);
          AffineExpr zero = getAffineConstantExpr(0, context);
          Value pixel = scale(add(scale(i, tileSteps[0] * columns), scale(j, tileSteps[1])), lanes);
          Value value =
              load(window, {image, pixel},
                   {zero, d0 * (apart[0] * columns * lanes) + d1 * (apart[1] * lanes) + d2},
                   getTile(extents));
          for (unsigned dim : {0, 1})
            if (transforms)
              value = applyMatrix(b, loc, value, dim, source.matrix);
          Value tile = add(add(scale(i, step.tiles[1]), j), firstTile);
          Value at = add(scale(add(scale(tile, space.block), image), source.chunk), channel);
          store(value, source.points, {constant(0), constant(0), at}, {d0, d1, d2});
        });
      });
    });
  });
}

/// Stores the channels of one pixel of all images of a block to the window, zeros where the pixel
/// lies outside.
void WeightGradEmitter::emitPixel(const Source &source, const Pixel &pixel, Value at) {
  const int64_t *extents = source.ofInput ? space.image : space.result;
  auto isInside = [&](Value index, int64_t extent) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, index, constant(extent));
  };
  Value inside = arith::AndIOp::create(b, loc, isInside(pixel.row, extents[0]),
                                       isInside(pixel.column, extents[1]));
  auto branch = scf::IfOp::create(b, loc, inside, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  VectorType vector = getTile({});
  b.setInsertionPointToStart(branch.elseBlock());
  loop(space.block, 1, [&](Value image) {
    vector::StoreOp::create(b, loc, buildZero(b, loc, vector), window, ValueRange{image, at});
  });

  b.setInsertionPointToStart(branch.thenBlock());
  constexpr unsigned rank = 4;
  SmallVector<LinearForm> forms;
  for (unsigned dim = 0; dim < rank; ++dim)
    forms.push_back(LinearForm::getDim(dim, rank));
  if (space.block > 1) {
    SmallVector<Value> values;
    for (Value channel : pixel.channels) {
      Pixel ofChannel = pixel;
      ofChannel.channels = {channel};
      values.push_back(evaluate(source.value, forms, ofChannel));
    }
    for (auto [image, value] : llvm::enumerate(turn(values)))
      vector::StoreOp::create(b, loc, value, window, ValueRange{constant(image), at});
    return;
  }
  loop(space.block, 1, [&](Value image) {
    Pixel ofImage = pixel;
    ofImage.image = image;
    vector::StoreOp::create(b, loc, evaluate(source.value, forms, ofImage), window,
                            ValueRange{image, at});
  });
}

/// `value` at the indices `forms` over image, channel, row and column: loaded, or computed from
/// what it is computed from.
Value WeightGradEmitter::evaluate(Value value, ArrayRef<LinearForm> forms, const Pixel &pixel) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return loadLanes(argument.getArgNumber(), forms, pixel);
  auto op = cast<NestOpInterface>(value.getDefiningOp());
  unsigned dims = forms[0].coefficients.size();
  SmallVector<Value> operands;
  for (auto [operand, map] : llvm::zip(op->getOperands(), op.getNest().operandMaps)) {
    SmallVector<LinearForm> inner;
    for (const LinearForm &form : getForms(map))
      inner.push_back(form.compose(forms, dims));
    operands.push_back(evaluate(operand, inner, pixel));
  }
  unsigned along = pixel.image ? 1 : 0;
  auto index = [&](unsigned dim) -> Value {
    auto map = AffineMap::get(1, 0, b.getAffineDimExpr(0) * forms[dim].coefficients[along]);
    return TileIndexOp::create(b, loc, VectorType::get(lanes, b.getI32Type()),
                               getIndex(forms[dim], pixel, /*local=*/false, /*lane=*/0), map);
  };
  Value result = op.buildBody(b, op->getLoc(), operands, {}, index).front();
  if (isa<VectorType>(result.getType()))
    return result;
  return vector::BroadcastOp::create(b, loc, VectorType::get(lanes, result.getType()), result);
}

/// A form at one lane.
Value WeightGradEmitter::getIndex(const LinearForm &form, const Pixel &pixel, bool local,
                                  int64_t lane) {
  auto getDim = [&](unsigned dim) {
    if (dim == 0)
      return add(scale(local ? pixel.block : pixel.whole, space.block),
                 pixel.image ? pixel.image : constant(lane));
    Value channel = pixel.channels[pixel.image ? lane : 0];
    return dim == 1 ? channel : dim == 2 ? pixel.row : pixel.column;
  };
  Value index;
  for (auto [dim, factor] : llvm::enumerate(form.coefficients))
    if (factor != 0)
      index = add(index, scale(getDim(dim), factor));
  return form.constant != 0 || !index ? add(index, constant(form.constant)) : index;
}

/// What an input has at the indices `forms`: a vector that lies there, one element for all lanes,
/// or elements from several places.
Value WeightGradEmitter::loadLanes(unsigned argument, ArrayRef<LinearForm> forms,
                                   const Pixel &pixel) {
  Value buffer = kernel.getArgument(2 + argument);
  RankedTensorType type = getTensor(group.getInputs()[argument]);
  LayoutAttr layout = getLayoutOf(type);
  auto vector = VectorType::get(lanes, type.getElementType());
  bool local = cast<MemRefType>(buffer.getType()).getShape() !=
               ArrayRef<int64_t>(layout.getPhysicalShape(type.getShape()));
  int64_t split = layout.getBlockedDim();
  auto getIndices = [&](int64_t lane) {
    SmallVector<Value> indices;
    for (auto [at, dim] : llvm::enumerate(layout.getOrder())) {
      Value index = add(getIndex(forms[dim], pixel, local, lane), constant(layout.getHaloOf(dim)));
      if (dim == split && at + 1 < layout.getOrder().size())
        index = b.createOrFold<arith::DivUIOp>(loc, index, constant(layout.getBlock()));
      else if (dim == split)
        index = b.createOrFold<arith::RemUIOp>(loc, index, constant(layout.getBlock()));
      indices.push_back(index);
    }
    return indices;
  };
  // Images of a block, or channels, from a multiple of the lanes on.
  int64_t along = pixel.image ? 1 : 0;
  if (split == along && layout.getBlock() == lanes && forms[along].getSingleDim() == along) {
    SmallVector<Value> indices = getIndices(0);
    if (along == 0)
      indices.front() = local ? pixel.block : pixel.whole;
    indices.back() = constant(0);
    return vector::LoadOp::create(b, loc, vector, buffer, indices);
  }
  if (llvm::none_of(forms, [&](const LinearForm &form) { return form.uses(along); }))
    return vector::BroadcastOp::create(b, loc, vector,
                                       memref::LoadOp::create(b, loc, buffer, getIndices(0)));
  Value value = buildZero(b, loc, vector);
  for (int64_t lane = 0; lane < lanes; ++lane) {
    Value scalar = memref::LoadOp::create(b, loc, buffer, getIndices(lane));
    value = vector::InsertOp::create(b, loc, scalar, value, lane);
  }
  return value;
}

/// Element j of vector i to element i of vector j: at each distance, the halves of pairs of
/// vectors change places.
SmallVector<Value> WeightGradEmitter::turn(SmallVector<Value> rows) {
  int64_t count = rows.size();
  for (int64_t distance = count / 2; distance > 0; distance /= 2)
    for (int64_t at = 0; at < count; ++at) {
      if (at & distance)
        continue;
      SmallVector<int64_t> first, second;
      for (int64_t lane = 0; lane < count; ++lane) {
        bool upper = lane & distance;
        first.push_back(upper ? count + lane - distance : lane);
        second.push_back(upper ? count + lane : lane + distance);
      }
      Value low = rows[at], high = rows[at + distance];
      rows[at] = vector::ShuffleOp::create(b, loc, low, high, first);
      rows[at + distance] = vector::ShuffleOp::create(b, loc, low, high, second);
    }
  return rows;
}

//===--------------------------------------------------------------------------------------------===//
// Products and result
//===--------------------------------------------------------------------------------------------===//

void WeightGradEmitter::emitProducts() {
  int64_t vectors = step.channels / lanes;
  // Accumulators, one row of vectors of c, and an element of k.
  int64_t along = std::min<int64_t>(vectors, registers >= 32 ? 4 : 2);
  while (vectors % along != 0)
    --along;
  int64_t down = std::clamp<int64_t>((registers - along - 2) / along, 1, 14);
  down = std::min(down, step.outputs);
  loop(space.alpha[0], 1, [&](Value p) {
    loop(space.alpha[1], 1, [&](Value q) {
      int64_t whole = step.outputs / down * down;
      loop(whole, down, [&](Value k) {
        loop(vectors, along, [&](Value c) { emitProduct(p, q, k, down, c, along); });
      });
      if (int64_t rest = step.outputs - whole)
        loop(vectors, along, [&](Value c) { emitProduct(p, q, constant(whole), rest, c, along); });
    });
  });
}

void WeightGradEmitter::emitProduct(Value p, Value q, Value firstOutput, int64_t outputs,
                                    Value vector, int64_t vectors) {
  MLIRContext *context = b.getContext();
  AffineExpr k = getAffineDimExpr(0, context), c = getAffineDimExpr(1, context),
             lane = getAffineDimExpr(2, context), zero = getAffineConstantExpr(0, context);
  VectorType type = getTile({outputs, vectors});
  Value channel = scale(vector, lanes);
  Value place = add(scale(firstOutput, step.channels), channel);
  SmallVector<AffineExpr> places = {zero, zero, k * step.channels + c * lanes + lane};
  Value before = load(sum, {p, q, place}, places, type);
  auto ofGradient = [&](Value point) { return transforms ? point : constant(0); };
  int64_t depth = space.getDepth(step);
  int64_t unroll = depth % 4 == 0 ? 4 : depth % 2 == 0 ? 2 : 1;
  auto reduce = scf::ForOp::create(b, loc, constant(0), constant(depth), constant(unroll), before);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(reduce.getBody());
    Value value = reduce.getRegionIterArg(0);
    for (int64_t i = 0; i < unroll; ++i) {
      Value t = add(reduce.getInductionVar(), constant(i));
      Value z = load(gradient.points,
                     {ofGradient(p), ofGradient(q), add(scale(t, step.outputs), firstOutput)},
                     {zero, zero, k}, type);
      Value v = load(input.points, {p, q, add(scale(t, step.channels), channel)},
                     {zero, zero, c * lanes + lane}, type);
      value = math::FmaOp::create(b, loc, v, z, value);
    }
    scf::YieldOp::create(b, loc, value);
  }
  store(reduce.getResult(0), sum, {p, q, place}, places);
}

/// The rows of a chunk: one output's taps of all channels, as they lie in the weight.
void WeightGradEmitter::emitResult(Value slice, Value firstOutput, Value firstChannel) {
  bool local =
      cast<MemRefType>(kernel.getArgument(2 + group.getInputs().size()).getType()).getDimSize(0) ==
      1;
  auto getRest = [&](int64_t count, Value first, int64_t chunk) -> Value {
    if (count % chunk == 0)
      return constant(chunk);
    Value rest = arith::SubIOp::create(b, loc, constant(count), first);
    return arith::MinUIOp::create(b, loc, rest, constant(chunk));
  };
  int64_t taps = space.getNumTaps();
  Value outputs = getRest(space.outputs, firstOutput, step.outputs);
  Value elements = scale(getRest(space.channels, firstChannel, step.channels), taps);
  loop(outputs, 1, [&](Value output) {
    emitRow(output);
    SmallVector<Value> place = {add(firstOutput, output), firstChannel, constant(0)};
    if (space.hasSlices)
      place.insert(place.begin(), local ? constant(0) : slice);
    Value whole = elements;
    bool rest = space.channels * taps % lanes != 0;
    if (rest)
      whole = arith::SubIOp::create(b, loc, elements,
                                    arith::RemUIOp::create(b, loc, elements, constant(lanes)));
    loop(whole, lanes, [&](Value at) { emitFollowing(place, at, lanes); });
    if (!rest)
      return;
    auto single = scf::ForOp::create(b, loc, whole, elements, constant(1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(single.getBody());
    emitFollowing(place, single.getInductionVar(), 1);
  });
}

/// Puts the taps of one output and all channels of the chunk into the row: the vectors of channels
/// turned round, `lanes` taps at a time. Lanes behind the last tap reach into the next channel,
/// which is stored later.
void WeightGradEmitter::emitRow(Value output) {
  MLIRContext *context = b.getContext();
  AffineExpr i = getAffineDimExpr(0, context), j = getAffineDimExpr(1, context),
             lane = getAffineDimExpr(2, context);
  int64_t taps = space.getNumTaps();
  VectorType vector = getTile({});
  loop(step.channels, lanes, [&](Value channel) {
    Value value = load(sum, {constant(0), constant(0), add(scale(output, step.channels), channel)},
                       {i, j, lane}, getTile(space.alpha));
    for (unsigned dim : {0, 1})
      if (transforms)
        value = applyMatrix(b, loc, value, dim, outputMatrix);
    Value first = scale(channel, taps);
    if (taps == 1)
      return store(value, row, {first}, {lane});
    store(value, turned, {constant(0)}, {i * (space.kernel[1] * lanes) + j * lanes + lane});
    SmallVector<SmallVector<Value>> ofLane(lanes);
    for (int64_t tap = 0; tap < taps; tap += lanes) {
      SmallVector<Value> rows;
      for (int64_t at = tap; at < tap + lanes; ++at)
        rows.push_back(
            at < taps ? Value(vector::LoadOp::create(b, loc, vector, turned, constant(at * lanes)))
                      : buildZero(b, loc, vector));
      for (auto [at, value] : llvm::enumerate(turn(rows)))
        ofLane[at].push_back(value);
    }
    for (auto [at, values] : llvm::enumerate(ofLane))
      for (auto [part, value] : llvm::enumerate(values))
        vector::StoreOp::create(b, loc, value, row, add(first, constant(at * taps + part * lanes)));
  });
}

/// Stores what the group yields for `count` elements of the row from `at` on, which lie so far
/// behind `place` in every tensor of the weight's shape.
void WeightGradEmitter::emitFollowing(ArrayRef<Value> place, Value at, int64_t count) {
  auto type = VectorType::get({count}, element);
  AffineExpr lane = getAffineDimExpr(0, b.getContext()),
             zero = getAffineConstantExpr(0, b.getContext());
  SmallVector<Value> indices(place);
  indices.push_back(at);
  SmallVector<AffineExpr> exprs(place.size(), zero);
  exprs.push_back(lane);
  llvm::DenseMap<Value, Value> computed;
  computed[grad.getResult()] = load(row, {at}, {lane}, type);
  std::function<Value(Value)> evaluate = [&](Value value) -> Value {
    if (Value known = computed.lookup(value))
      return known;
    auto vector = VectorType::get({count}, getTensor(value).getElementType());
    Value result;
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      Value buffer = kernel.getArgument(2 + argument.getArgNumber());
      size_t rank = getTensor(value).getRank();
      bool single = getTensor(value).getShape() != getTensor(grad.getResult()).getShape();
      result = single ? load(buffer, SmallVector<Value>(rank, constant(0)),
                             SmallVector<AffineExpr>(rank, zero), vector)
                      : load(buffer, indices, exprs, vector);
    } else {
      auto op = cast<NestOpInterface>(value.getDefiningOp());
      SmallVector<Value> operands;
      for (Value operand : op->getOperands())
        operands.push_back(evaluate(operand));
      result =
          op.buildBody(b, op->getLoc(), operands, {}, [&](unsigned) { return Value(); }).front();
      if (!isa<VectorType>(result.getType()))
        result = vector::BroadcastOp::create(b, loc, vector, result);
    }
    return computed[value] = result;
  };
  for (auto [number, value] : llvm::enumerate(group.getYield().getValues())) {
    auto result = group.getResult(number);
    store(evaluate(value), kernel.getArgument(2 + group.getInputs().size() + number), indices,
          exprs, cast<ToBufferOp>(*result.user_begin()).getNontemporal());
  }
}
