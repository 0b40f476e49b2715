//===- PointEmitter.cpp - A thread for each element of the result ----------------------------===//
//
//     e = block * threads + thread                    the element, if there is one; or several
//                                                     that are neighbours
//     for each point of the pooling's window
//       sum = bias[...]
//       for c, for r, for s                           reduced dimensions
//         sum = fma(x[n, c, i + r, j + s], w[k, c, r, s], sum)
//       epilogue, stores of what lies before the pooling
//     stores
//
// A scatter is turned round: a thread has one element x of the result, and a point falls on it
// where the form of its index has the value x. Of each form, the longest dimension follows from the
// others: of i * stride + r - padding, i = (x + padding - r) / stride, where this is whole and
// inside.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/nvptx/Emitters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::cnn;

namespace {

/// Which points fall on an element of the result of a scatter.
class Inverse {
public:
  explicit Inverse(const Nest &nest);

  /// Extents of the parallel dimensions that are gone through.
  SmallVector<int64_t> getFreeSizes() const;
  /// The parallel dimensions of the point that falls on the element `at` where the free dimensions
  /// have the values `free`; `holds` becomes the condition that there is one, null for always.
  SmallVector<Index> solve(ElementBuilder &e, ArrayRef<Index> at, ArrayRef<Index> free,
                           Value &holds) const;

private:
  const Nest &nest;
  SmallVector<LinearForm> forms;
  /// Per form, the dimension that follows from it; -1 where all are known already.
  SmallVector<int64_t> solved;
  SmallVector<unsigned> freeDims;
};

Inverse::Inverse(const Nest &nest) : nest(nest), forms(getForms(nest.resultMaps[0])) {
  enum { Open, Free, Solved };
  SmallVector<int> state(nest.numParallel, Open);
  for (const LinearForm &form : forms) {
    int64_t best = -1;
    for (unsigned dim = 0; dim < nest.numParallel; ++dim)
      if (form.uses(dim) && state[dim] == Open && (best < 0 || nest.sizes[dim] > nest.sizes[best]))
        best = dim;
    for (unsigned dim = 0; dim < nest.numParallel; ++dim)
      if (form.uses(dim) && state[dim] == Open)
        state[dim] = static_cast<int64_t>(dim) == best ? Solved : Free;
    solved.push_back(best);
  }
  for (unsigned dim = 0; dim < nest.numParallel; ++dim)
    if (state[dim] != Solved)
      freeDims.push_back(dim);
}

SmallVector<int64_t> Inverse::getFreeSizes() const {
  SmallVector<int64_t> sizes;
  for (unsigned dim : freeDims)
    sizes.push_back(nest.sizes[dim]);
  return sizes;
}

SmallVector<Index> Inverse::solve(ElementBuilder &e, ArrayRef<Index> at, ArrayRef<Index> free,
                                  Value &holds) const {
  SmallVector<Index> dims(nest.getNumDims());
  for (auto [dim, index] : llvm::zip(freeDims, free))
    dims[dim] = index;
  for (auto [form, dim, target] : llvm::zip(forms, solved, at)) {
    LinearForm others = form;
    int64_t factor = dim < 0 ? 0 : form.coefficients[dim];
    if (dim >= 0)
      others.coefficients[dim] = 0;
    // factor * dims[dim] = left
    Index rest = e.apply(others, dims);
    Index left = e.add(target, e.multiply(rest, -1));
    if (factor < 0) {
      left = e.multiply(left, -1);
      factor = -factor;
    }
    if (dim < 0) {
      holds = e.both(holds, e.isInside(left, 1));
      continue;
    }
    Index &index = dims[dim];
    if (factor > 1) {
      Index step = e.getConstant(factor);
      Value whole = arith::CmpIOp::create(e.b, arith::CmpIPredicate::eq,
                                          arith::RemSIOp::create(e.b, left.value, step.value),
                                          e.getConstant(0).value);
      holds = e.both(holds, whole);
      // What is not whole is not used.
      index.value = arith::DivSIOp::create(e.b, left.value, step.value);
      index.low = left.low / factor;
      index.high = left.high / factor;
    } else {
      index = left;
    }
    holds = e.both(holds, e.isInside(index, nest.sizes[dim]));
    index.low = 0;
    index.high = nest.sizes[dim] - 1;
  }
  dims.truncate(nest.numParallel);
  return dims;
}

class PointEmitter {
public:
  PointEmitter(ElementBuilder &e) : e(e), info(e.info), nest(e.nest) {}
  void emit(const GpuSchedule &schedule);

private:
  void emitNumber(Index number);
  void emitScatter(ArrayRef<Index> at);
  void emitElement(ArrayRef<Index> at);
  SmallVector<Index> computePoint(ArrayRef<Index> parallel);
  SmallVector<Value> emitPool(NestOpInterface pool, ArrayRef<Index> at, ArrayRef<Index> pooled,
                              function_ref<void(ArrayRef<Index>)> atPoint);

  ElementBuilder &e;
  const GroupInfo &info;
  const Nest &nest;
};

void PointEmitter::emit(const GpuSchedule &schedule) {
  Index block = e.getBlock(e.space.getNumBlocks(schedule));
  Index thread = e.add(e.multiply(block, schedule.block), e.getThread(schedule.block));
  int64_t lanes = schedule.vector, results = e.space.getNumResults();
  int64_t vectors = results / lanes, rest = results % lanes;
  auto run = [&](int64_t threads, llvm::function_ref<void(Index)> body) {
    if (threads == 0)
      return;
    e.guarded(e.isBelow(thread, threads), [&] {
      Index mine = thread;
      mine.high = std::min(mine.high, threads - 1);
      body(mine);
    });
  };
  run(vectors, [&](Index mine) {
    e.forLanes(lanes, [&](int64_t lane) {
      emitNumber(e.add(e.multiply(mine, lanes), e.getConstant(lane)));
    });
  });
  // What is left has a thread for each element.
  run(rest, [&](Index mine) { emitNumber(e.add(mine, e.getConstant(vectors * lanes))); });
}

/// Element `number` of the result, counted as they lie in memory.
void PointEmitter::emitNumber(Index number) {
  SmallVector<int64_t> sizes;
  for (unsigned dim : e.space.getOrder())
    sizes.push_back(e.space.getSpace()[dim]);
  SmallVector<Index> at(sizes.size());
  for (auto [dim, index] : llvm::zip(e.space.getOrder(), e.split(number, sizes)))
    at[dim] = index;
  nest.scatter ? emitScatter(at) : emitElement(at);
}

void PointEmitter::emitScatter(ArrayRef<Index> at) {
  Inverse inverse(nest);
  Type type = getTensor(info.anchor->getResult(0)).getElementType();
  Value zero = buildZero(e.b, e.b.getLoc(), type);
  SmallVector<Value> sums =
      e.loops(inverse.getFreeSizes(), zero,
              [&](ArrayRef<Index> free, ArrayRef<Value> carried) -> SmallVector<Value> {
                Value holds;
                SmallVector<Index> point = inverse.solve(e, at, free, holds);
                auto addPoint = [&]() -> Value {
                  Value value = e.computeAnchor(point).front();
                  if (isa<FloatType>(type))
                    return arith::AddFOp::create(e.b, carried.front(), value);
                  return arith::AddIOp::create(e.b, carried.front(), value);
                };
                if (!holds)
                  return {addPoint()};
                auto branch = scf::IfOp::create(e.b, type, holds, /*withElseRegion=*/true);
                OpBuilder::InsertionGuard guard(e.b);
                e.b.setInsertionPointToStart(branch.thenBlock());
                scf::YieldOp::create(e.b, addPoint());
                e.b.setInsertionPointToStart(branch.elseBlock());
                scf::YieldOp::create(e.b, carried);
                return {branch.getResult(0)};
              });
  e.unbind();
  e.bind(info.anchor, sums);
  e.store([](Operation *) { return true; }, at);
}

/// Makes the anchor and its epilogue those of one point; its index in the result.
SmallVector<Index> PointEmitter::computePoint(ArrayRef<Index> parallel) {
  e.unbind();
  e.bind(info.anchor, e.computeAnchor(parallel));
  SmallVector<Index> dims(parallel);
  dims.resize(nest.getNumDims());
  SmallVector<Index> at = e.apply(info.getResultForms(), dims);
  e.follow(info.epilogue, at);
  return at;
}

void PointEmitter::emitElement(ArrayRef<Index> at) {
  auto storePoint = [&](ArrayRef<Index> index) {
    e.store([&](Operation *op) { return !info.isAfterPool(op); }, index);
  };
  if (!info.pool)
    return storePoint(computePoint(at));
  SmallVector<Index> dims(at);
  dims.resize(nest.getNumDims());
  // The index of the pooling's result: what is pooled is counted in windows already.
  SmallVector<Index> pooled = e.apply(info.getResultForms(), dims);
  std::vector<std::pair<Operation *, SmallVector<Value>>> made;
  auto bindMade = [&] {
    for (auto &[op, results] : made)
      e.bind(op, results);
  };
  for (Operation *op : info.getFromPool()) {
    if (isPointwise(op)) {
      e.unbind();
      bindMade();
      made.push_back({op, {e.evaluate(op->getResult(0), pooled, 0.0)}});
      continue;
    }
    auto pool = cast<NestOpInterface>(op);
    made.push_back({op, emitPool(pool, at, pooled, [&](ArrayRef<Index> index) {
                      bindMade();
                      if (op == info.pool)
                        storePoint(index);
                    })});
  }
  e.unbind();
  bindMade();
  e.store([&](Operation *op) { return info.isAfterPool(op); }, pooled);
}

/// The results of a pooling of the window `at`. `atPoint` runs where the anchor and its epilogue
/// are those of a point.
SmallVector<Value> PointEmitter::emitPool(NestOpInterface pool, ArrayRef<Index> at,
                                          ArrayRef<Index> pooled,
                                          function_ref<void(ArrayRef<Index>)> atPoint) {
  Nest window = pool.getNest();
  SmallVector<LinearForm> reads = getForms(window.operandMaps[0]), results = info.getResultForms();
  SmallVector<Value> sums =
      e.loops(ArrayRef(window.sizes).drop_front(window.numParallel), e.startPool(pool),
              [&](ArrayRef<Index> inside, ArrayRef<Value> carried) {
                SmallVector<Index> point(at);
                for (auto [dim, factor] : llvm::enumerate(info.poolFactors)) {
                  if (factor == 1)
                    continue;
                  Index &along = point[results[dim].getSingleDim()];
                  along = e.multiply(along, factor);
                  for (unsigned d = window.numParallel; d < window.getNumDims(); ++d)
                    if (reads[dim].uses(d))
                      along = e.add(along, inside[d - window.numParallel]);
                }
                atPoint(computePoint(point));
                SmallVector<Index> windowDims(pooled);
                llvm::append_range(windowDims, inside);
                SmallVector<Value> operands;
                for (unsigned number = 0; number < pool->getNumOperands(); ++number)
                  operands.push_back(e.readPool(pool, window, number, windowDims));
                return e.stepPool(pool, windowDims, operands, carried);
              });
  return e.finishPool(pool, pooled, sums);
}

} // namespace

void mlir::cnn::emitPoint(ElementBuilder &e, const GpuSchedule &schedule) {
  PointEmitter(e).emit(schedule);
}
