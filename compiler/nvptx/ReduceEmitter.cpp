//===- ReduceEmitter.cpp - Several threads for each element of the result --------------------===//
//
//     x, y = thread % width, thread / width           of the threads that share an element
//     for o = y, y + height, ...                      reduced dimensions that lie apart, numbered
//       for k = x, x + width, ...                     those along which elements are neighbours
//         sum = sum + ...                             or several sums of neighbours
//     sums of the warp, by shuffles; where there are more threads:
//     shared[warp] = sum, barrier, sum = shared[0] + shared[1] + ...
//     first thread: epilogue of the sum, stores
//
// Where neighbours lie along the result, not along what is summed, threads beside each other have
// neighbouring elements, or several each, and those that share one stand apart:
//
//     x, y = thread % across, thread / across
//     for k = y, y + sharing, ...                   reduced dimensions, numbered
//       sum = sum + ...                             of each of the elements of x
//     sums of the warp's threads of the same x, by shuffles
//     shared[warp][x] = sum, barrier
//     threads of y = 0: sum = shared[0][x] + shared[1][x] + ..., epilogue, stores
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/nvptx/Emitters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace mlir::cnn;

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

namespace {

class ReduceEmitter {
public:
  ReduceEmitter(ElementBuilder &e, const GpuSchedule &schedule, gpu::GPUFuncOp kernel,
                bool mayShare)
      : e(e), nest(e.nest), schedule(schedule), kernel(kernel), threads(schedule.getSharing()),
        mayShare(mayShare) {}
  void emit();

private:
  using Values = SmallVector<Value>;

  Value combine(Value lhs, Value rhs) { return e.combine(nest, lhs, rhs); }
  Value exchange(Value value, int64_t distance);
  Values loop(int64_t size, Index first, int64_t step, Values values,
              function_ref<Values(Index, ArrayRef<Value>)> body);
  Values addPoints(ArrayRef<Index> parallel);
  void addWarp(Values &sums);
  void addBlock(Values &sums);
  Value addTree(Values parts);
  Value getShared(int64_t size, Type element);
  void finish(ArrayRef<Index> parallel, Values sums);
  void emitColumns();
  Value toIndex(Index index) {
    return arith::IndexCastUIOp::create(e.b, e.b.getIndexType(), index.value);
  }

  ElementBuilder &e;
  const Nest &nest;
  const GpuSchedule &schedule;
  gpu::GPUFuncOp kernel;
  /// Those that share an element, and the number of this one among them.
  int64_t threads;
  Index mine;
  bool mayShare;
  /// The shared memory that this group uses.
  SmallVector<Value> taken;
};

/// The value of the thread of the warp whose number differs in the bit `distance`.
Value ReduceEmitter::exchange(Value value, int64_t distance) {
  return e.shuffle(value, arith::ConstantIntOp::create(e.b, distance, 32), gpu::ShuffleMode::XOR);
}

/// Runs `body` for first, first + step, ... below `size`.
ReduceEmitter::Values ReduceEmitter::loop(int64_t size, Index first, int64_t step, Values values,
                                          function_ref<Values(Index, ArrayRef<Value>)> body) {
  if (first.isConstant() && size <= first.low + step)
    return body(first, values);
  auto loop = scf::ForOp::create(e.b, first.value, e.getConstant(size).value,
                                 e.getConstant(step).value, values);
  OpBuilder::InsertionGuard guard(e.b);
  e.b.setInsertionPointToStart(loop.getBody());
  Values carried(loop.getRegionIterArgs());
  scf::YieldOp::create(e.b, body({loop.getInductionVar(), 0, size - 1}, carried));
  return Values(loop.getResults());
}

/// What this thread adds up: of the points that are neighbours, `vector` at a time, each in a sum
/// of its own.
ReduceEmitter::Values ReduceEmitter::addPoints(ArrayRef<Index> parallel) {
  unsigned numRun = e.space.getNumRun();
  ArrayRef<unsigned> order = e.space.getReducedOrder();
  ArrayRef<unsigned> apart = order.drop_back(numRun), run = order.take_back(numRun);
  int64_t lanes = schedule.vector;
  int64_t rows = e.getExtent(apart), vectors = e.getExtent(run) / lanes;
  int64_t width = std::min<int64_t>(threads, llvm::bit_floor(static_cast<uint64_t>(vectors)));
  Index x = e.remainder(mine, width), y = e.divide(mine, width);

  Values sums;
  for (int64_t lane = 0; lane < lanes; ++lane)
    llvm::append_range(sums, e.startAnchor(parallel, /*shared=*/true));
  size_t count = sums.size() / lanes;
  sums = loop(rows, y, threads / width, sums, [&](Index row, ArrayRef<Value> outer) {
    return loop(vectors, x, width, Values(outer), [&](Index vector, ArrayRef<Value> carried) {
      Values next;
      e.forLanes(lanes, [&](int64_t lane) {
        SmallVector<Index> dims(parallel);
        dims.resize(nest.getNumDims());
        e.place(dims, apart, row);
        e.place(dims, run, e.add(e.multiply(vector, lanes), e.getConstant(lane)));
        llvm::append_range(next, e.stepAnchor(dims, carried.slice(lane * count, count)));
      });
      return next;
    });
  });
  for (int64_t lane = 1; lane < lanes; ++lane)
    for (size_t i = 0; i < count; ++i)
      sums[i] = combine(sums[i], sums[lane * count + i]);
  sums.truncate(count);
  return sums;
}

/// The sums of all threads that share the element and are of one warp.
void ReduceEmitter::addWarp(Values &sums) {
  for (int64_t distance = std::min(threads, warpSize) / 2; distance >= 1; distance /= 2)
    for (Value &sum : sums)
      sum = combine(sum, exchange(sum, distance));
}

/// Memory that the threads share; where other blocks compute the kernel's other groups, theirs.
Value ReduceEmitter::getShared(int64_t size, Type element) {
  for (BlockArgument memory : kernel.getWorkgroupAttributions()) {
    auto type = cast<MemRefType>(memory.getType());
    if (mayShare && type.getElementType() == element && type.getNumElements() >= size &&
        !llvm::is_contained(taken, memory)) {
      taken.push_back(memory);
      return memory;
    }
  }
  taken.push_back(addSharedMemory(kernel, e.b.getLoc(), size, element));
  return taken.back();
}

/// The sum of a power of 2 of parts, as a balanced tree.
Value ReduceEmitter::addTree(Values parts) {
  for (; parts.size() > 1; parts.truncate(parts.size() / 2))
    for (size_t i = 0, half = parts.size() / 2; i < half; ++i)
      parts[i] = combine(parts[i], parts[half + i]);
  return parts.front();
}

/// The sums of all warps of the block, for its first thread.
void ReduceEmitter::addBlock(Values &sums) {
  int64_t warps = threads / warpSize;
  Index number = e.divide(mine, warpSize);
  Values shared;
  for (Value sum : sums)
    shared.push_back(getShared(warps, sum.getType()));
  e.guarded(e.isBelow(e.remainder(mine, warpSize), 1), [&] {
    for (auto [sum, memory] : llvm::zip(sums, shared))
      memref::StoreOp::create(e.b, sum, memory, toIndex(number));
  });
  gpu::BarrierOp::create(e.b);
  for (auto [sum, memory] : llvm::zip(sums, shared)) {
    Values parts;
    for (int64_t i = 0; i < warps; ++i)
      parts.push_back(memref::LoadOp::create(e.b, memory, toIndex(e.getConstant(i))));
    sum = addTree(parts);
  }
}

/// What the group makes of the sums of one element.
void ReduceEmitter::finish(ArrayRef<Index> parallel, Values sums) {
  if (nest.initOperand >= 0)
    sums[0] = combine(sums[0], e.startAnchor(parallel, /*shared=*/false).front());
  e.unbind();
  e.bind(e.info.anchor, e.finishAnchor(parallel, sums));
  SmallVector<Index> dims(parallel);
  dims.resize(nest.getNumDims());
  SmallVector<Index> at = e.apply(e.info.getResultForms(), dims);
  e.follow(e.info.epilogue, at);
  e.store([](Operation *) { return true; }, at);
}

void ReduceEmitter::emitColumns() {
  int64_t across = schedule.getAcross(), lanes = schedule.vector;
  int64_t vectors = e.space.getNumResults() / lanes;
  Index thread = e.getThread(schedule.block);
  Index x = e.remainder(thread, across), y = e.divide(thread, across);
  Index vector = e.add(e.multiply(e.getBlock(e.space.getNumBlocks(schedule)), across), x);
  // Threads beyond the last element help to compute the first, so that all come to the barrier.
  Value exists = e.isBelow(vector, vectors);
  if (exists)
    vector.value = arith::SelectOp::create(e.b, exists, vector.value, e.getConstant(0).value);
  vector.high = std::min(vector.high, vectors - 1);
  auto getPoint = [&](int64_t lane) {
    SmallVector<Index> dims(nest.getNumDims());
    e.place(dims, e.space.getOrder(), e.add(e.multiply(vector, lanes), e.getConstant(lane)));
    return dims;
  };

  Values sums;
  e.forLanes(lanes, [&](int64_t lane) {
    SmallVector<Index> dims = getPoint(lane);
    llvm::append_range(sums, e.startAnchor(ArrayRef(dims).take_front(nest.numParallel),
                                           /*shared=*/true));
  });
  size_t count = sums.size() / lanes;
  sums = loop(e.space.getNumReduced(), y, threads, sums, [&](Index row, ArrayRef<Value> carried) {
    Values next;
    e.forLanes(lanes, [&](int64_t lane) {
      SmallVector<Index> dims = getPoint(lane);
      e.place(dims, e.space.getReducedOrder(), row);
      llvm::append_range(next, e.stepAnchor(dims, carried.slice(lane * count, count)));
    });
    return next;
  });

  // Of a warp, then of the block.
  int64_t width = std::max(across, warpSize), rows = schedule.block / width;
  for (int64_t distance = warpSize / 2; distance >= across; distance /= 2)
    for (Value &sum : sums)
      sum = combine(sum, exchange(sum, distance));
  Values shared;
  for (Value sum : sums)
    shared.push_back(getShared(rows * across, sum.getType()));
  e.guarded(e.isBelow(e.remainder(thread, width), across), [&] {
    Index place = e.add(e.multiply(e.divide(thread, width), across), x);
    for (auto [sum, memory] : llvm::zip(sums, shared))
      memref::StoreOp::create(e.b, sum, memory, toIndex(place));
  });
  gpu::BarrierOp::create(e.b);
  e.guarded(e.both(exists, e.isBelow(thread, across)), [&] {
    Values whole;
    for (Value memory : shared) {
      Values parts;
      for (int64_t row = 0; row < rows; ++row)
        parts.push_back(
            memref::LoadOp::create(e.b, memory, toIndex(e.add(x, e.getConstant(row * across)))));
      whole.push_back(addTree(parts));
    }
    e.forLanes(lanes, [&](int64_t lane) {
      SmallVector<Index> dims = getPoint(lane);
      finish(ArrayRef(dims).take_front(nest.numParallel),
             Values(ArrayRef(whole).slice(lane * count, count)));
    });
  });
}

void ReduceEmitter::emit() {
  if (schedule.getAcross() > 0)
    return emitColumns();
  Index thread = e.getThread(schedule.block);
  int64_t together = schedule.block / threads, results = e.space.getNumResults();
  Index number = e.getBlock(e.space.getNumBlocks(schedule));
  mine = thread;
  Value exists;
  if (together > 1) {
    mine = e.remainder(thread, threads);
    number = e.add(e.multiply(number, together), e.divide(thread, threads));
    // Threads beyond the last element help to compute the first, so that no warp parts.
    if ((exists = e.isBelow(number, results)))
      number.value = arith::SelectOp::create(e.b, exists, number.value, e.getConstant(0).value);
    number.high = std::min(number.high, results - 1);
  }
  SmallVector<Index> parallel(nest.numParallel);
  e.place(parallel, e.space.getOrder(), number);
  Values sums = addPoints(parallel);
  addWarp(sums);
  if (threads > warpSize)
    addBlock(sums);
  e.guarded(e.both(exists, e.isBelow(mine, 1)), [&] { finish(parallel, sums); });
}

} // namespace

void mlir::cnn::emitReduce(ElementBuilder &e, const GpuSchedule &schedule, gpu::GPUFuncOp kernel,
                           bool mayShare) {
  ReduceEmitter(e, schedule, kernel, mayShare).emit();
}
