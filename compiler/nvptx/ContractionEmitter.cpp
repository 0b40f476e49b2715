//===- ContractionEmitter.cpp - Products of two tensors, tile by tile ------------------------===//
//
// A block of threads computes a tile of rows x columns of the result, for the whole depth:
//
//     for k in steps of the tile's depth
//       every thread reads its share of rows x depth and of columns x depth      (prologue)
//       barrier, stores to shared memory, barrier
//       for each step of the depth
//         a[i], b[j] of the thread's own rows and columns, from shared memory
//         sum[i, j] = fma(a[i], b[j], sum[i, j])
//     epilogue and stores of sum[i, j]
//
// What "row", "column" and "depth" are is read off the nest (schedule/Contraction.h), so that
// matrix products, convolutions and their gradients are one case: the matrices are never stored,
// their elements are read where the nest's maps say (an implicit product). Rows, columns and steps
// of the depth beyond the end read zeros.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/nvptx/Emitters.h"
#include "compiler/schedule/Contraction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::cnn;

namespace {

class ContractionEmitter {
public:
  ContractionEmitter(ElementBuilder &e, const Contraction &product, const GpuSchedule &schedule,
                     gpu::GPUFuncOp kernel)
      : e(e), nest(e.nest), product(product), schedule(schedule), kernel(kernel),
        tileRows(schedule.tile[0]), tileColumns(schedule.tile[1]), tileDepth(schedule.tile[2]),
        ownRows(schedule.tile[3]), ownColumns(schedule.tile[4]) {}
  void emit();

private:
  /// One of the two tensors that are multiplied.
  struct Side {
    unsigned operand;
    ArrayRef<unsigned> dims; ///< of the nest, that number its rows (or columns)
    int64_t size, tile;
    /// Whether neighbouring threads read neighbours along the depth, not along rows.
    bool alongDepth = false;
    /// Elements from one step of the depth to the next in shared memory.
    int64_t pitch = 0;
    Value memory;
    Index first = {}; ///< row of the tile's first
  };
  /// One element of a tile that a thread brings to shared memory.
  struct Share {
    Index row, step;
  };

  SmallVector<int64_t> getSizes(ArrayRef<unsigned> dims) const {
    return llvm::map_to_vector(dims, [&](unsigned dim) { return nest.sizes[dim]; });
  }
  void place(SmallVectorImpl<Index> &dims, ArrayRef<unsigned> of, Index number);
  Side getSide(unsigned operand, ArrayRef<unsigned> dims, int64_t size, int64_t tile);
  SmallVector<Share> getShares(const Side &side);
  SmallVector<Value> read(const Side &side, ArrayRef<Share> shares, Index depth);
  void write(const Side &side, ArrayRef<Share> shares, ValueRange values);
  SmallVector<Value> multiply(SmallVector<Value> sums);
  void finish(ValueRange sums);
  Value toIndex(Index index) {
    return arith::IndexCastUIOp::create(e.b, e.b.getIndexType(), index.value);
  }
  /// `index`, or 0 beyond `size`; `inside` becomes the condition that it is not beyond.
  Index clamp(Index index, int64_t size, Value &inside);

  ElementBuilder &e;
  const Nest &nest;
  const Contraction &product;
  const GpuSchedule &schedule;
  gpu::GPUFuncOp kernel;
  int64_t tileRows, tileColumns, tileDepth, ownRows, ownColumns;
  Index thread, batch;
  Side rows, columns;
  /// Of the thread's own elements: its number among those along columns, and along rows.
  Index threadColumn, threadRow;
};

Index ContractionEmitter::clamp(Index index, int64_t size, Value &inside) {
  Value holds = e.isBelow(index, size);
  if (!holds)
    return index;
  inside = e.both(inside, holds);
  return {arith::SelectOp::create(e.b, holds, index.value, e.getConstant(0).value), 0, size - 1};
}

/// The values of the dimensions `of`, of which `number` counts the points.
void ContractionEmitter::place(SmallVectorImpl<Index> &dims, ArrayRef<unsigned> of, Index number) {
  for (auto [dim, index] : llvm::zip(of, e.split(number, getSizes(of))))
    dims[dim] = index;
}

ContractionEmitter::Side ContractionEmitter::getSide(unsigned operand, ArrayRef<unsigned> dims,
                                                     int64_t size, int64_t tile) {
  Side side{operand, dims, size, tile};
  // Along which of the two the elements of the operand lie closer to each other.
  auto getStride = [&](unsigned dim) {
    auto type = getTensor(e.info.anchor->getOperand(operand));
    int64_t stride = 0, step = 1;
    SmallVector<LinearForm> forms = getForms(nest.operandMaps[operand]);
    for (size_t at = forms.size(); at-- > 0; step *= type.getDimSize(at))
      stride += std::abs(forms[at].coefficients[dim]) * step;
    return stride;
  };
  auto getNearest = [&](auto &&candidates) {
    int64_t nearest = std::numeric_limits<int64_t>::max();
    for (unsigned dim : candidates)
      if (nest.sizes[dim] > 1 && getStride(dim) > 0)
        nearest = std::min(nearest, getStride(dim));
    return nearest;
  };
  side.alongDepth =
      getNearest(llvm::seq<unsigned>(nest.numParallel, nest.getNumDims())) < getNearest(dims);
  // Threads that store along the depth would otherwise meet in few banks.
  side.pitch = tile + (side.alongDepth ? 1 : 0);
  Type element = getTensor(e.info.anchor->getResult(0)).getElementType();
  side.memory = addSharedMemory(kernel, e.b.getLoc(), tileDepth * side.pitch, element);
  return side;
}

SmallVector<ContractionEmitter::Share> ContractionEmitter::getShares(const Side &side) {
  SmallVector<Share> shares;
  for (int64_t at = 0; at < side.tile * tileDepth; at += schedule.block) {
    Index number = e.add(thread, e.getConstant(at));
    int64_t inner = side.alongDepth ? tileDepth : side.tile;
    Index fast = e.remainder(number, inner), slow = e.divide(number, inner);
    shares.push_back(side.alongDepth ? Share{slow, fast} : Share{fast, slow});
  }
  return shares;
}

/// The elements of a thread's share of the tile whose first step is `depth`.
SmallVector<Value> ContractionEmitter::read(const Side &side, ArrayRef<Share> shares, Index depth) {
  NestOpInterface anchor = e.info.anchor;
  SmallVector<LinearForm> forms = getForms(nest.operandMaps[side.operand]);
  auto reduced = llvm::to_vector(llvm::seq<unsigned>(nest.numParallel, nest.getNumDims()));
  SmallVector<Value> values;
  for (const Share &share : shares) {
    Value inside;
    SmallVector<Index> dims(nest.getNumDims(), e.getConstant(0));
    place(dims, product.batch, batch);
    place(dims, side.dims, clamp(e.add(side.first, share.row), side.size, inside));
    place(dims, reduced, clamp(e.add(depth, share.step), product.depth, inside));
    Value value = e.evaluate(anchor->getOperand(side.operand), e.apply(forms, dims), nest.padding);
    if (inside)
      value = arith::SelectOp::create(e.b, inside, value,
                                      buildZero(e.b, e.b.getLoc(), value.getType()));
    values.push_back(value);
  }
  return values;
}

void ContractionEmitter::write(const Side &side, ArrayRef<Share> shares, ValueRange values) {
  for (auto [share, value] : llvm::zip(shares, values))
    memref::StoreOp::create(e.b, value, side.memory,
                            toIndex(e.add(e.multiply(share.step, side.pitch), share.row)));
}

/// Adds the products of one tile's depth to the sums of the thread.
SmallVector<Value> ContractionEmitter::multiply(SmallVector<Value> sums) {
  // Columns of a thread stand apart by the threads along columns: neighbouring threads read, and
  // later store, neighbours.
  int64_t threadsAlong = tileColumns / ownColumns;
  Index firstRow = e.multiply(threadRow, ownRows);
  for (int64_t step = 0; step < tileDepth; ++step) {
    SmallVector<Value> a, b;
    for (int64_t i = 0; i < ownRows; ++i)
      a.push_back(memref::LoadOp::create(
          e.b, rows.memory, toIndex(e.add(firstRow, e.getConstant(step * rows.pitch + i)))));
    for (int64_t j = 0; j < ownColumns; ++j)
      b.push_back(memref::LoadOp::create(
          e.b, columns.memory,
          toIndex(e.add(threadColumn, e.getConstant(step * columns.pitch + j * threadsAlong)))));
    for (int64_t i = 0; i < ownRows; ++i)
      for (int64_t j = 0; j < ownColumns; ++j) {
        Value &sum = sums[i * ownColumns + j];
        sum = math::FmaOp::create(e.b, a[i], b[j], sum);
      }
  }
  return sums;
}

void ContractionEmitter::finish(ValueRange sums) {
  int64_t threadsAlong = tileColumns / ownColumns;
  SmallVector<Index> dims(nest.getNumDims(), e.getConstant(0));
  place(dims, product.batch, batch);
  for (int64_t i = 0; i < ownRows; ++i) {
    Index row = e.add(rows.first, e.add(e.multiply(threadRow, ownRows), e.getConstant(i)));
    e.guarded(e.isBelow(row, rows.size), [&] {
      place(dims, rows.dims, row);
      for (int64_t j = 0; j < ownColumns; ++j) {
        Index column = e.add(columns.first, e.add(threadColumn, e.getConstant(j * threadsAlong)));
        e.guarded(e.isBelow(column, columns.size), [&] {
          place(dims, columns.dims, column);
          ArrayRef<Index> parallel = ArrayRef(dims).take_front(nest.numParallel);
          Value sum = sums[i * ownColumns + j];
          if (nest.initOperand >= 0)
            sum =
                arith::AddFOp::create(e.b, sum, e.startAnchor(parallel, /*shared=*/false).front());
          e.unbind();
          e.bind(e.info.anchor, e.finishAnchor(parallel, sum));
          SmallVector<Index> at = e.apply(e.info.getResultForms(), dims);
          e.follow(e.info.epilogue, at);
          e.store([](Operation *) { return true; }, at);
        });
      }
    });
  }
}

void ContractionEmitter::emit() {
  // Unasked, ptxas gives threads 64 registers and spills rather than have fewer blocks at a time;
  // two of them hide each other's waits.
  kernel->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(), e.b.getI32IntegerAttr(2));
  thread = e.getThread(schedule.block);
  int64_t threadsAlong = tileColumns / ownColumns;
  threadColumn = e.remainder(thread, threadsAlong);
  threadRow = e.divide(thread, threadsAlong);
  rows = getSide(product.rowOperand, product.rows, product.numRows, tileRows);
  columns = getSide(product.columnOperand, product.columns, product.numColumns, tileColumns);

  int64_t rowTiles = llvm::divideCeil(rows.size, tileRows);
  int64_t columnTiles = llvm::divideCeil(columns.size, tileColumns);
  SmallVector<int64_t> grid = {product.numBatches, rowTiles, columnTiles};
  SmallVector<Index> block = e.split(e.getBlock(e.space.getNumBlocks(schedule)), grid);
  batch = block[0];
  rows.first = e.multiply(block[1], tileRows);
  columns.first = e.multiply(block[2], tileColumns);

  SmallVector<Share> rowShares = getShares(rows), columnShares = getShares(columns);
  Type element = getTensor(e.info.anchor->getResult(0)).getElementType();
  SmallVector<Value> sums(ownRows * ownColumns, buildZero(e.b, e.b.getLoc(), element));
  int64_t numTiles = llvm::divideCeil(product.depth, tileDepth);
  sums = e.loop(numTiles, sums, [&](Index tile, ArrayRef<Value> carried) {
    Index depth = e.multiply(tile, tileDepth);
    SmallVector<Value> a = read(rows, rowShares, depth), b = read(columns, columnShares, depth);
    // The tile before has been read by all.
    if (numTiles > 1)
      gpu::BarrierOp::create(e.b);
    write(rows, rowShares, a);
    write(columns, columnShares, b);
    gpu::BarrierOp::create(e.b);
    return multiply(SmallVector<Value>(carried));
  });
  finish(sums);
}

} // namespace

void mlir::cnn::emitContraction(ElementBuilder &e, const GpuSchedule &schedule,
                                gpu::GPUFuncOp kernel) {
  ContractionEmitter(e, *e.space.getContraction(), schedule, kernel).emit();
}
