//===- ContractionEmitter.cpp - Products of two tensors, tile by tile ------------------------===//
//
// A block of threads computes a tile of rows x columns of the result, for the whole depth. With one
// stage:
//
//     for k in steps of the tile's depth
//       every thread reads its share of rows x depth and of columns x depth      (prologue)
//       barrier, stores to shared memory, barrier
//       multiply: sums += rows * columns of the tile                             (TileProduct.h)
//     epilogue, pooling (TileWindows.h) and stores of the sums
//
// With S stages, shared memory has S tiles, of which S - 1 are on their way:
//
//     bring tiles 0 to S - 2
//     for k
//       wait for the copies of tile k, barrier: tile k is there, and tile k - 1 is done with
//       begin to bring tile k + S - 1 to where tile k - 1 was
//       multiply tile k
//       store what was read of tile k + S - 1
//
// What "row", "column" and "depth" are is read off the nest (schedule/Contraction.h), so that
// matrix products, convolutions and their gradients are one case: the matrices are never stored,
// their elements are read where the nest's maps say (an implicit product). Rows, columns and steps
// of the depth beyond the end read zeros.
//
//===----------------------------------------------------------------------------------------===//

#include "compiler/nvptx/Emitters.h"
#include "compiler/nvptx/TileProduct.h"
#include "compiler/nvptx/TileWindows.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::cnn;

namespace {

class ContractionEmitter {
public:
  ContractionEmitter(ElementBuilder &e, const Contraction &product, const GpuSchedule &schedule,
                     gpu::GPUFuncOp kernel)
      : e(e), nest(e.nest), product(product), schedule(schedule),
        rows(e, product, schedule, kernel, /*ofRows=*/true),
        columns(e, product, schedule, kernel, /*ofRows=*/false),
        numTiles(llvm::divideCeil(product.depth, schedule.tile[2])) {}
  void emit(gpu::GPUFuncOp kernel);

private:
  /// The sides that are copied, or those that are not.
  SmallVector<ContractionSide *> getSides(bool copied) {
    SmallVector<ContractionSide *> sides;
    for (ContractionSide *side : {&rows, &columns})
      if (side->isCopied() == copied)
        sides.push_back(side);
    return sides;
  }
  SmallVector<Value> multiplyByTurns(SmallVector<Value> sums);
  SmallVector<Value> multiplyStaged(SmallVector<Value> sums);
  SmallVector<Index> bind(Value sum, ArrayRef<Index> dims);
  void finish(ValueRange sums);
  int32_t getLeastBlocks();

  ElementBuilder &e;
  const Nest &nest;
  const Contraction &product;
  const GpuSchedule &schedule;
  ContractionSide rows, columns;
  int64_t numTiles;
  Index thread, batch;
  std::unique_ptr<TileProduct> tile;
};

SmallVector<Value> ContractionEmitter::multiplyByTurns(SmallVector<Value> sums) {
  Index stage = e.getConstant(0);
  return e.loop(numTiles, sums, [&](Index number, ArrayRef<Value> carried) {
    Index depth = e.multiply(number, schedule.tile[2]);
    SmallVector<Value> a = rows.read(depth), b = columns.read(depth);
    // The tile before has been read by all.
    if (numTiles > 1)
      gpu::BarrierOp::create(e.b);
    rows.write(a, depth, stage);
    columns.write(b, depth, stage);
    gpu::BarrierOp::create(e.b);
    return tile->multiply(stage, SmallVector<Value>(carried));
  });
}

SmallVector<Value> ContractionEmitter::multiplyStaged(SmallVector<Value> sums) {
  SmallVector<ContractionSide *> copied = getSides(true), read = getSides(false);
  int64_t ahead = schedule.stages - 1;
  for (int64_t i = 0; i < ahead; ++i) {
    if (i < numTiles) {
      Index depth = e.getConstant(i * schedule.tile[2]), stage = e.getConstant(i);
      for (ContractionSide *side : copied)
        side->copy(depth, stage);
      for (ContractionSide *side : read)
        side->write(side->read(depth), depth, stage);
    }
    if (!copied.empty())
      NVVM::CpAsyncCommitGroupOp::create(e.b);
  }
  return e.loop(numTiles, sums, [&](Index number, ArrayRef<Value> carried) {
    if (!copied.empty())
      NVVM::CpAsyncWaitGroupOp::create(e.b, static_cast<uint32_t>(ahead - 1));
    gpu::BarrierOp::create(e.b);
    Index next = e.add(number, e.getConstant(ahead));
    Value isThere = e.isBelow(next, numTiles);
    next.high = std::min(next.high, numTiles - 1);
    bool any = next.low <= next.high;
    Index depth = e.multiply(next, schedule.tile[2]);
    Index stage = e.remainder(next, schedule.stages);
    SmallVector<SmallVector<Value>> values;
    if (any)
      for (ContractionSide *side : read)
        values.push_back(e.select(isThere, [&] { return side->read(depth); }));
    if (any)
      e.guarded(isThere, [&] {
        for (ContractionSide *side : copied)
          side->copy(depth, stage);
      });
    if (!copied.empty())
      NVVM::CpAsyncCommitGroupOp::create(e.b);
    SmallVector<Value> added =
        tile->multiply(e.remainder(number, schedule.stages), SmallVector<Value>(carried));
    if (any && !read.empty())
      e.guarded(isThere, [&] {
        for (auto [side, value] : llvm::zip(read, values))
          side->write(value, depth, stage);
      });
    return added;
  });
}

/// Makes one sum, and what follows it, that of the current point, the point `dims` of the nest; its
/// index in the result.
SmallVector<Index> ContractionEmitter::bind(Value sum, ArrayRef<Index> dims) {
  ArrayRef<Index> parallel = dims.take_front(nest.numParallel);
  if (nest.initOperand >= 0)
    sum = arith::AddFOp::create(e.b, sum, e.startAnchor(parallel, /*shared=*/false).front());
  e.unbind();
  e.bind(e.info.anchor, e.finishAnchor(parallel, sum));
  SmallVector<Index> at = e.apply(e.info.getResultForms(), dims);
  e.follow(e.info.epilogue, at);
  return at;
}

void ContractionEmitter::finish(ValueRange sums) {
  SmallVector<Index> dims(nest.getNumDims(), e.getConstant(0));
  e.place(dims, product.batch, batch);
  if (e.info.pool) {
    auto bindPoint = [&](Value sum, ArrayRef<Index> point) { return bind(sum, point); };
    return TileWindows(e, rows, columns, *tile, thread, bindPoint).finish(dims, sums);
  }
  // Of neighbouring columns, there are all or none.
  int64_t lanes = columns.size % tile->neighbours == 0 ? tile->neighbours : 1;
  size_t numColumns = tile->columns.size();
  for (auto [i, ownRow] : llvm::enumerate(tile->rows)) {
    Index row = rows.locateRow(ownRow).first;
    e.guarded(e.isBelow(row, rows.size), [&, i = i] {
      e.place(dims, rows.dims, row);
      for (size_t j = 0; j < numColumns; j += lanes) {
        Index column = columns.locateRow(tile->columns[j]).first;
        column.base = column.value;
        column.multiple = lanes;
        e.guarded(e.isBelow(column, columns.size), [&] {
          e.forLanes(lanes, [&](int64_t lane) {
            e.place(dims, columns.dims, e.add(column, e.getConstant(lane)));
            e.store([](Operation *) { return true; }, bind(sums[i * numColumns + j + lane], dims));
          });
        });
      }
    });
  }
}

/// So many blocks should be on a multiprocessor at a time. Unasked, ptxas gives threads 64
/// registers and spills rather than have fewer; two blocks hide each other's waits.
int32_t ContractionEmitter::getLeastBlocks() {
  // Sums, what is on its way of the next tile, addresses and factors, and what is read behind the
  // sums, which of tensor cores lie in more places.
  constexpr int64_t allRegisters = 65536, registerBytes = 4;
  int64_t ofInput = schedule.usesTensorCores() ? 8 : 4;
  auto element = cast<FloatType>(getTensor(e.info.anchor->getResult(0)).getElementType());
  int64_t values = tile->rows.size() * tile->columns.size(), addresses = 0;
  if (schedule.stages > 1) {
    values += rows.getNumHeld() + columns.getNumHeld();
    addresses = rows.getNumAddresses() + columns.getNumAddresses();
  }
  int64_t registers = values * (element.getWidth() / 8) / registerBytes + addresses +
                      GpuScheduleSpace::workRegisters +
                      ofInput * (static_cast<int64_t>(e.info.getReads().size()) - 2);
  return 2 * schedule.block * registers <= allRegisters ? 2 : 1;
}

void ContractionEmitter::emit(gpu::GPUFuncOp kernel) {
  thread = e.getThread(schedule.block);
  int64_t rowTiles = llvm::divideCeil(rows.size, rows.tile);
  int64_t columnTiles = llvm::divideCeil(columns.size, columns.tile);
  SmallVector<int64_t> grid = {product.numBatches, rowTiles, columnTiles};
  SmallVector<Index> block = e.split(e.getBlock(e.space.getNumBlocks(schedule)), grid);
  batch = block[0];
  rows.begin(thread, batch, block[1]);
  columns.begin(thread, batch, block[2]);
  tile = TileProduct::create(e, schedule, rows, columns, thread);
  kernel->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                  e.b.getI32IntegerAttr(getLeastBlocks()));
  Type element = getTensor(e.info.anchor->getResult(0)).getElementType();
  SmallVector<Value> sums(tile->rows.size() * tile->columns.size(),
                          buildZero(e.b, e.b.getLoc(), element));
  finish(schedule.stages > 1 ? multiplyStaged(sums) : multiplyByTurns(sums));
}

} // namespace

void mlir::cnn::emitContraction(ElementBuilder &e, const GpuSchedule &schedule,
                                gpu::GPUFuncOp kernel) {
  ContractionEmitter(e, *e.space.getContraction(), schedule, kernel).emit(kernel);
}
