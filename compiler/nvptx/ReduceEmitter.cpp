//===- ReduceEmitter.cpp - A block of threads for each element of the result -----------------===//
//
//     for k = thread, thread + threads, ...           the reduced points, numbered
//       sum = sum + ...
//     shared[thread] = sum
//     for half = threads / 2, threads / 4, ..., 1     after a barrier each
//       if thread < half: shared[thread] += shared[thread + half]
//     thread 0: epilogue of shared[0], stores
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/nvptx/Emitters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::cnn;

/// Adds two partial sums, or takes the larger one, as the nest says.
static Value combine(OpBuilder &b, Location loc, StringRef kind, Value lhs, Value rhs) {
  bool isFloat = isa<FloatType>(lhs.getType());
  if (kind == "max")
    return isFloat ? arith::MaximumFOp::create(b, loc, lhs, rhs).getResult()
                   : arith::MaxSIOp::create(b, loc, lhs, rhs).getResult();
  return isFloat ? arith::AddFOp::create(b, loc, lhs, rhs).getResult()
                 : arith::AddIOp::create(b, loc, lhs, rhs).getResult();
}

Value mlir::cnn::addSharedMemory(gpu::GPUFuncOp kernel, Location loc, int64_t size, Type element) {
  auto space =
      gpu::AddressSpaceAttr::get(kernel.getContext(), gpu::GPUDialect::getWorkgroupAddressSpace());
  unsigned number = kernel.getNumWorkgroupAttributions();
  Value memory = kernel.addWorkgroupAttribution(
      MemRefType::get({size}, element, MemRefLayoutAttrInterface(), space), loc);
  kernel.setWorkgroupAttributionAttr(number, "llvm.align",
                                     Builder(kernel.getContext()).getI64IntegerAttr(16));
  return memory;
}

void mlir::cnn::emitReduce(ElementBuilder &e, const GpuSchedule &schedule, gpu::GPUFuncOp kernel) {
  const Nest &nest = e.nest;
  Location loc = e.b.getLoc();
  Index block = e.getBlock(e.space.getNumBlocks(schedule));
  Index thread = e.getThread(schedule.block);
  SmallVector<Index> parallel = e.split(block, ArrayRef(nest.sizes).take_front(nest.numParallel));
  ArrayRef<int64_t> reducedSizes = ArrayRef(nest.sizes).drop_front(nest.numParallel);
  int64_t points = e.space.getNumReduced();

  // The partial sum of this thread.
  SmallVector<Value> sums = e.startAnchor(parallel, /*shared=*/true);
  auto loop = scf::ForOp::create(e.b, thread.value, e.getConstant(points).value,
                                 e.getConstant(schedule.block).value, sums);
  {
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(loop.getBody());
    SmallVector<Index> dims(parallel);
    llvm::append_range(dims, e.split({loop.getInductionVar(), 0, points - 1}, reducedSizes));
    scf::YieldOp::create(e.b, e.stepAnchor(dims, loop.getRegionIterArgs()));
  }
  sums.assign(loop.result_begin(), loop.result_end());

  // Those of the block.
  auto toIndex = [&](Index index) -> Value {
    return arith::IndexCastUIOp::create(e.b, e.b.getIndexType(), index.value);
  };
  SmallVector<Value> shared;
  for (Value sum : sums) {
    shared.push_back(addSharedMemory(kernel, loc, schedule.block, sum.getType()));
    memref::StoreOp::create(e.b, sum, shared.back(), toIndex(thread));
  }
  for (int64_t half = schedule.block / 2; half >= 1; half /= 2) {
    gpu::BarrierOp::create(e.b);
    e.guarded(e.isBelow(thread, half), [&] {
      for (Value memory : shared) {
        Value mine = memref::LoadOp::create(e.b, memory, toIndex(thread));
        Value other =
            memref::LoadOp::create(e.b, memory, toIndex(e.add(thread, e.getConstant(half))));
        memref::StoreOp::create(e.b, combine(e.b, loc, nest.combine, mine, other), memory,
                                toIndex(thread));
      }
    });
  }

  // Thread 0 has written the last sums itself: there is nothing to wait for.
  e.guarded(e.isBelow(thread, 1), [&] {
    for (auto [sum, memory] : llvm::zip(sums, shared))
      sum = memref::LoadOp::create(e.b, memory, toIndex(e.getConstant(0)));
    if (nest.initOperand >= 0)
      sums[0] = combine(e.b, loc, nest.combine, sums[0],
                        e.startAnchor(parallel, /*shared=*/false).front());
    e.bind(e.info.anchor, e.finishAnchor(parallel, sums));
    SmallVector<Index> dims(parallel);
    dims.resize(nest.getNumDims());
    SmallVector<Index> at = e.apply(e.info.getResultForms(), dims);
    e.follow(e.info.epilogue, at);
    e.store([](Operation *) { return true; }, at);
  });
}
