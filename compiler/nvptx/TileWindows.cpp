//===- TileWindows.cpp - A pooling of the results of a product's tile ------------------------===//

#include "compiler/nvptx/TileWindows.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::cnn;

TileWindows::TileWindows(ElementBuilder &e, ContractionSide &rows, ContractionSide &columns,
                         const TileProduct &tile, Index thread,
                         function_ref<SmallVector<Index>(Value, ArrayRef<Index>)> bind)
    : e(e), rows(rows), columns(columns), tile(tile), bind(bind), ofRows(rows.window > 1),
      side(ofRows ? rows : columns) {
  NestOpInterface pool = e.info.pool;
  nest = pool.getNest();
  findLanes(thread);
  findSteps();
  findReads();
}

/// Which threads of the warp have parts of the windows of this one.
void TileWindows::findLanes(Index thread) {
  Index lane = e.remainder(thread, warpSize), before = e.getConstant(0);
  for (const TileDigit &digit : side.digits) {
    if (digit.kind != TileDigit::Kind::Lanes || digit.window == 1)
      continue;
    Index value = e.remainder(e.divide(lane, digit.distance), digit.extent);
    before = e.add(before, e.multiply(e.remainder(value, digit.window), digit.distance));
    threads *= digit.window;
  }
  if (threads == 1)
    return;
  firstLane = e.toInt({arith::SubIOp::create(e.b, lane.value, before.value), 0, warpSize - 1});
  isFirst = e.isBelow(before, 1);
}

/// The points of a window in the order of the pooling's nest.
void TileWindows::findSteps() {
  // Which reduced dimension goes along each dimension of the side.
  SmallVector<LinearForm> reads = getForms(nest.operandMaps[0]), results = e.info.getResultForms();
  for (unsigned dim : side.dims) {
    int64_t reduced = -1;
    for (auto [read, result] : llvm::zip(reads, results))
      for (unsigned d = nest.numParallel; d < nest.getNumDims(); ++d)
        if (read.uses(d) && nest.sizes[d] > 1 && result.getSingleDim() == dim)
          reduced = d - nest.numParallel;
    reducedDims.push_back(reduced);
  }
  ArrayRef<int64_t> sizes = ArrayRef(nest.sizes).drop_front(nest.numParallel);
  for (int64_t number = 0; number < llvm::product_of(sizes); ++number) {
    SmallVector<int64_t> point(sizes.size());
    for (int64_t dim = sizes.size() - 1, left = number; dim >= 0; left /= sizes[dim--])
      point[dim] = left % sizes[dim];
    int64_t within = 0;
    for (auto [reduced, extent] : llvm::zip(reducedDims, side.windows))
      within = within * extent + (reduced < 0 ? 0 : point[reduced]);
    Step step = {{}, 0, 0};
    for (int64_t index : point)
      step.point.push_back(e.getConstant(index));
    size_t numElements = 1;
    for (const TileDigit &digit : side.digits) {
      int64_t value = within % digit.window;
      within /= digit.window;
      if (digit.kind == TileDigit::Kind::Lanes) {
        step.distance += value * digit.distance;
        continue;
      }
      step.element += value * numElements;
      numElements *= digit.window;
    }
    steps.push_back(std::move(step));
  }
}

/// The windows of the rows or columns that a thread has.
SmallVector<TileWindows::Part> TileWindows::getParts(ContractionSide &of, ArrayRef<Index> own) {
  SmallVector<Part> parts;
  if (of.window == 1) {
    for (auto [i, index] : llvm::enumerate(own))
      parts.push_back({of.locateRow(index).first, {i}, {e.getConstant(0)}});
    return parts;
  }
  // What is not numbered by registers is that of the first.
  SmallVector<Index> values = of.getDigits(own.front());
  int64_t points = 1;
  for (const TileDigit &digit : of.digits)
    points *= digit.kind == TileDigit::Kind::Registers ? digit.window : 1;
  parts.resize(own.size() / points);
  for (size_t i = 0; i < own.size(); ++i) {
    int64_t left = i, number = 0, count = 1;
    for (auto [digit, value] : llvm::zip(of.digits, values)) {
      if (digit.kind != TileDigit::Kind::Registers)
        continue;
      int64_t index = left % digit.extent;
      left /= digit.extent;
      value = e.getConstant(index);
      number += index / digit.window * count;
      count *= digit.extent / digit.window;
    }
    auto [place, within] = of.locateRow(values);
    parts[number].place = place;
    parts[number].own.push_back(i);
    parts[number].within.push_back(within);
  }
  return parts;
}

/// The index of a window in the result of the pooling.
SmallVector<Index> TileWindows::placeWindow(ArrayRef<Index> dims, const Index &row,
                                            const Index &column) {
  SmallVector<Index> windows(dims);
  for (auto [of, number] : {std::pair(&rows, &row), std::pair(&columns, &column)}) {
    SmallVector<int64_t> sizes;
    for (auto [dim, extent] : llvm::zip(of->dims, of->windows))
      sizes.push_back(e.nest.sizes[dim] / extent);
    for (auto [dim, index] : llvm::zip(of->dims, e.split(*number, sizes)))
      windows[dim] = index;
  }
  return e.apply(e.info.getResultForms(), windows);
}

/// The point of the pooling's nest that is number `within` of the window.
SmallVector<Index> TileWindows::getPoint(Index within, ArrayRef<Index> pooled) {
  SmallVector<Index> point(pooled);
  point.resize(nest.getNumDims(), e.getConstant(0));
  for (auto [dim, index] : llvm::zip(reducedDims, e.split(within, side.windows)))
    if (dim >= 0)
      point[nest.numParallel + dim] = index;
  return point;
}

/// What the pooling reads at one point, which is stored where the group yields it.
SmallVector<Value> TileWindows::readPoint(Value sum, ArrayRef<Index> dims, Index within,
                                          ArrayRef<Index> pooled) {
  SmallVector<Index> at = bind(sum, dims);
  e.store([&](Operation *op) { return !e.info.isAfterPool(op); }, at);
  SmallVector<Index> point = getPoint(within, pooled);
  SmallVector<Value> values;
  for (const Read &read : reads)
    values.push_back(
        e.readPool(read.pool, NestOpInterface(read.pool).getNest(), read.operand, point));
  return values;
}

/// What the pooling reads at all points that the thread has of a window.
SmallVector<Value> TileWindows::readPoints(SmallVector<Index> dims, const Part &row,
                                           const Part &column, const Index &columnPlace,
                                           ArrayRef<Index> pooled, ValueRange sums) {
  SmallVector<Value> values;
  auto read = [&](size_t i, size_t j) {
    e.place(dims, rows.dims, rows.windows, row.place, row.within[i]);
    e.place(dims, columns.dims, columns.windows, columnPlace, column.within[j]);
    llvm::append_range(values, readPoint(sums[row.own[i] * tile.columns.size() + column.own[j]],
                                         dims, ofRows ? row.within[i] : column.within[j], pooled));
  };
  if (ofRows) {
    for (size_t i = 0; i < row.own.size(); ++i)
      read(i, 0);
    return values;
  }
  // Registers beside each other are, in a row of a window, neighbours in memory.
  const TileDigit &digit = columns.digits.front();
  int64_t lanes = digit.kind == TileDigit::Kind::Registers ? digit.window : 1;
  for (size_t j = 0; j < column.own.size(); j += lanes)
    e.forLanes(lanes, [&](int64_t lane) { read(0, j + lane); });
  return values;
}

int64_t TileWindows::findRead(NestOpInterface op, const Nest &window, unsigned operand) const {
  Value value = op->getOperand(operand);
  AffineMap map = window.operandMaps[operand];
  for (auto [i, read] : llvm::enumerate(reads)) {
    NestOpInterface other = read.pool;
    if (other->getOperand(read.operand) == value &&
        other.getNest().operandMaps[read.operand] == map)
      return static_cast<int64_t>(i);
  }
  return -1;
}

/// What poolings read that varies within a window: indices with a reduced dimension.
void TileWindows::findReads() {
  for (Operation *op : e.info.getFromPool()) {
    if (isPointwise(op))
      continue;
    auto pool = cast<NestOpInterface>(op);
    Nest window = pool.getNest();
    for (unsigned operand = 0; operand < op->getNumOperands(); ++operand) {
      bool varies =
          llvm::any_of(getForms(window.operandMaps[operand]), [&](const LinearForm &form) {
            for (unsigned dim = window.numParallel; dim < window.getNumDims(); ++dim)
              if (form.uses(dim))
                return true;
            return false;
          });
      if (varies && findRead(pool, window, operand) < 0)
        reads.push_back({pool, operand});
    }
  }
}

/// What one pooling gives of a window, of which the thread has `points`.
SmallVector<Value> TileWindows::pool(NestOpInterface op, ArrayRef<Value> points,
                                     ArrayRef<Index> within, ArrayRef<Index> pooled) {
  Nest window = op.getNest();
  SmallVector<int64_t> numbers;
  SmallVector<Value> fixed;
  for (unsigned operand = 0; operand < op->getNumOperands(); ++operand) {
    numbers.push_back(findRead(op, window, operand));
    SmallVector<Index> dims(pooled);
    dims.resize(window.getNumDims(), e.getConstant(0));
    fixed.push_back(numbers.back() < 0 ? e.readPool(op, window, operand, dims) : Value());
  }
  auto step = [&](size_t element, ArrayRef<Index> dims, ArrayRef<Value> sums, Value lane) {
    SmallVector<Value> operands(fixed);
    for (auto [operand, number] : llvm::zip(operands, numbers))
      if (number >= 0) {
        operand = points[element * reads.size() + number];
        if (lane)
          operand = e.shuffle(operand, lane, gpu::ShuffleMode::IDX);
      }
    return e.stepPool(op, dims, operands, sums);
  };
  SmallVector<Value> sums = e.startPool(op);
  if (threads > 1 && !window.ordered && !window.combine.empty()) {
    for (auto [element, number] : llvm::enumerate(within))
      sums = step(element, getPoint(number, pooled), sums, {});
    for (const TileDigit &digit : side.digits) {
      if (digit.kind != TileDigit::Kind::Lanes)
        continue;
      for (int64_t bit = 1; bit < digit.window; bit *= 2) {
        Value distance = arith::ConstantIntOp::create(e.b, bit * digit.distance, 32);
        for (Value &sum : sums)
          sum = e.combine(window, sum, e.shuffle(sum, distance, gpu::ShuffleMode::XOR));
      }
    }
    return e.finishPool(op, pooled, sums);
  }
  for (const Step &next : steps) {
    Value lane;
    if (threads > 1)
      lane = arith::AddIOp::create(e.b, firstLane,
                                   arith::ConstantIntOp::create(e.b, next.distance, 32));
    SmallVector<Index> dims(pooled);
    llvm::append_range(dims, next.point);
    sums = step(next.element, dims, sums, lane);
  }
  return e.finishPool(op, pooled, sums);
}

/// What the operations from the pooling on give of a window, of which the thread has `points`.
TileWindows::Results TileWindows::pool(ArrayRef<Value> points, ArrayRef<Index> within,
                                       ArrayRef<Index> pooled) {
  Results results;
  e.unbind();
  for (Operation *op : e.info.getFromPool()) {
    if (isPointwise(op))
      results.push_back({op, {e.evaluate(op->getResult(0), pooled, 0.0)}});
    else
      results.push_back({op, pool(cast<NestOpInterface>(op), points, within, pooled)});
    e.bind(op, results.back().second);
  }
  return results;
}

void TileWindows::store(const Results &results, ArrayRef<Index> pooled) {
  e.unbind();
  for (auto &[op, values] : results)
    e.bind(op, values);
  e.store([&](Operation *op) { return e.info.isAfterPool(op); }, pooled);
}

void TileWindows::finish(ArrayRef<Index> dims, ValueRange sums) {
  SmallVector<Part> rowParts = getParts(rows, tile.rows),
                    columnParts = getParts(columns, tile.columns);
  // Of neighbouring columns, there are all or none.
  int64_t lanes = ofRows && columns.size % tile.neighbours == 0 ? tile.neighbours : 1;
  auto forLanes = [&](function_ref<void(int64_t)> body) {
    ofRows ? e.forLanes(lanes, body) : body(0);
  };
  for (const Part &row : rowParts)
    for (size_t j = 0; j < columnParts.size(); j += lanes) {
      const Part &column = columnParts[j];
      Index first = column.place;
      first.base = first.value;
      first.multiple = lanes;
      Value inside = e.both(e.isBelow(row.place, rows.getNumWindows()),
                            e.isBelow(first, columns.getNumWindows()));
      ArrayRef<Index> within = ofRows ? row.within : column.within;
      auto getColumn = [&](int64_t lane) { return e.add(first, e.getConstant(lane)); };
      auto read = [&](int64_t lane, ArrayRef<Index> pooled) {
        return readPoints(SmallVector<Index>(dims), row, columnParts[j + lane], getColumn(lane),
                          pooled, sums);
      };
      if (threads == 1) {
        e.guarded(inside, [&] {
          forLanes([&](int64_t lane) {
            SmallVector<Index> pooled = placeWindow(dims, row.place, getColumn(lane));
            store(pool(read(lane, pooled), within, pooled), pooled);
          });
        });
        continue;
      }
      // All threads of a warp come to the exchange; those without a window read for the first.
      SmallVector<Value> points = e.select(inside, [&] {
        SmallVector<Value> values;
        forLanes([&](int64_t lane) {
          llvm::append_range(values, read(lane, placeWindow(dims, row.place, getColumn(lane))));
        });
        return values;
      });
      SmallVector<Results> results;
      size_t numPoints = points.size() / lanes;
      for (int64_t lane = 0; lane < lanes; ++lane) {
        Value isThere;
        Index rowPlace = e.clamp(row.place, rows.getNumWindows(), isThere);
        Index columnPlace = e.clamp(getColumn(lane), columns.getNumWindows(), isThere);
        results.push_back(pool(ArrayRef(points).slice(lane * numPoints, numPoints), within,
                               placeWindow(dims, rowPlace, columnPlace)));
      }
      e.guarded(e.both(inside, isFirst), [&] {
        forLanes([&](int64_t lane) {
          store(results[lane], placeWindow(dims, row.place, getColumn(lane)));
        });
      });
    }
}
