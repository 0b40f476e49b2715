//===- ZeroFill.cpp - The zeros that a kernel stores in its results --------------------------===//
//
// Loops over the physical dimensions of the buffer, outermost first. Along each of them there are
// zeros before and behind the tensor's elements (its halo):
//
//     |  zeros  |  elements of this item  |  elements of the next  |  zeros  |
//
// Rows of zeros are stored by vectors; where only the halo is filled, the loops over elements go
// on to those inner dimensions that have one.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/lowering/ZeroFill.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

namespace {
class ZeroFill {
public:
  ZeroFill(TileIndices &at, Value buffer, RankedTensorType type)
      : at(at), b(at.b), loc(at.loc), buffer(buffer), type(type),
        memref(cast<MemRefType>(buffer.getType())), layout(getLayoutOf(type)), item(at.getItem()),
        innermost(memref.getRank() - 1), indices(memref.getRank()),
        exprs(memref.getRank(), getAffineConstantExpr(0, b.getContext())) {
    if (innermost >= 0)
      exprs[innermost] = getAffineDimExpr(0, b.getContext());
  }

  void emit(bool whole) {
    OpBuilder::InsertionGuard behind(b);
    // Of the blocks of a slice, the first one has the zeros.
    for (Value block : ArrayRef(at.sliceItems).drop_front(at.slice ? 1 : 0))
      b.setInsertionPointToStart(scf::IfOp::create(b, loc, isEqual(block, 0)).thenBlock());
    visit(0, whole);
  }

private:
  /// What the work item owns along a dimension, of the elements between the zeros; and whether it
  /// owns the zeros before and behind them, too. Where that is missing, it does.
  struct Share {
    Value lower, upper, first, last;
  };
  Share getShare(int64_t physical);
  Share getSliceShare(int64_t physical);
  Share getLaneShare(int64_t physical, Share all);
  Share getChunkShare(int64_t physical, Share all);

  /// Fills what the dimensions from `physical` on have; `outside` the elements, or around them
  /// only.
  void visit(int64_t physical, bool outside);
  void storeVector();
  void storeEnds(int64_t size);

  /// The zeros along a physical dimension; a block's lanes have none of their own.
  int64_t getHalo(int64_t physical) const {
    int64_t dim = layout.getOrder()[physical];
    return llvm::count(layout.getOrder().take_front(physical), dim) ? 0 : layout.getHaloOf(dim);
  }
  Value isEqual(Value index, int64_t value) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, index, at.constant(value));
  }

  TileIndices &at;
  OpBuilder &b;
  Location loc;
  Value buffer;
  RankedTensorType type;
  MemRefType memref;
  LayoutAttr layout;
  Value item;
  int64_t innermost;
  SmallVector<Value> indices;
  SmallVector<AffineExpr> exprs;
  bool single = false; ///< elements one by one: behind those of this item lie those of the next
};

ZeroFill::Share ZeroFill::getShare(int64_t physical) {
  const NestSchedule &schedule = at.schedule;
  int64_t dim = layout.getOrder()[physical], halo = getHalo(physical);
  Share all = {at.constant(halo), at.constant(memref.getDimSize(physical) - halo), {}, {}};
  if (at.slice)
    return dim == 0 && physical == 0 && !at.isLocal(buffer, type) ? getSliceShare(physical) : all;
  if (schedule.chunk <= 0 || at.info.getResultForms()[dim].getSingleDim() != schedule.order[0])
    return all;
  bool blocked = dim == layout.getBlockedDim(), alongLanes = blocked && physical == innermost;
  if (blocked && schedule.order[0] != schedule.vector)
    return alongLanes ? getLaneShare(physical, all) : all;
  return alongLanes ? all : getChunkShare(physical, all);
}

/// Blocks, slices, or rows of the batch.
ZeroFill::Share ZeroFill::getSliceShare(int64_t physical) {
  int64_t block = at.slice.getBlock();
  int64_t rows = memref.getDimSize(physical) == block * at.slice.getCount() ? block : 1;
  single = physical == innermost && rows % at.lanes != 0;
  Value lower = at.scale(item, rows);
  return {lower, at.add(lower, at.constant(rows)), {}, {}};
}

/// Items share the lanes of a block; the last one has all that are left.
ZeroFill::Share ZeroFill::getLaneShare(int64_t physical, Share all) {
  const NestSchedule &schedule = at.schedule;
  int64_t dim = layout.getOrder()[physical], size = memref.getDimSize(physical);
  int64_t outer = llvm::find(layout.getOrder(), dim) - layout.getOrder().begin();
  int64_t share = schedule.chunk * schedule.tile[schedule.order[0]];
  int64_t items = llvm::divideCeil(at.nest.sizes[schedule.order[0]], share);
  Value begin = at.scale(indices[outer], size), from = at.scale(item, share);
  Value isLast = isEqual(item, items - 1);
  Value to = arith::SelectOp::create(b, loc, isLast, at.constant(memref.getDimSize(outer) * size),
                                     at.add(from, at.constant(share)));
  auto toLane = [&](Value place) -> Value {
    Value behind = arith::MaxUIOp::create(b, loc, place, begin);
    return arith::MinUIOp::create(b, loc, at.constant(size),
                                  arith::SubIOp::create(b, loc, behind, begin));
  };
  single = true;
  all.lower = toLane(from);
  all.upper = toLane(to);
  return all;
}

/// The tiles of the outermost loop that an item has.
ZeroFill::Share ZeroFill::getChunkShare(int64_t physical, Share all) {
  const NestSchedule &schedule = at.schedule;
  int64_t dim = layout.getOrder()[physical], size = memref.getDimSize(physical);
  int64_t halo = getHalo(physical), lanes = at.lanes;
  int64_t extent = at.nest.sizes[schedule.order[0]];
  int64_t tiles = schedule.chunk * schedule.tile[schedule.order[0]];
  bool vector = schedule.order[0] == schedule.vector;
  int64_t share = tiles * (vector && dim != layout.getBlockedDim() ? lanes : 1);
  if (at.info.pool && type.getDimSize(dim) != extent)
    share /= at.info.poolFactors[dim];
  single = physical == innermost && share % lanes != 0;
  Value end = all.upper;
  Value lower = arith::MinUIOp::create(b, loc, end, at.add(at.scale(item, share), all.lower));
  Value upper = arith::MinUIOp::create(b, loc, end, at.add(lower, at.constant(share)));
  // A scatter may reach only the first elements; the last item has the rest as well.
  int64_t items = llvm::divideCeil(vector ? llvm::divideCeil(extent, lanes) : extent, tiles);
  if (items * share < size - 2 * halo)
    upper = arith::SelectOp::create(b, loc, isEqual(item, items - 1), end, upper);
  if (halo == 0)
    return {lower, upper, {}, {}};
  Value first = isEqual(item, 0);
  Value last = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, upper, end);
  return {lower, upper, first, last};
}

void ZeroFill::visit(int64_t physical, bool outside) {
  if (physical > innermost)
    return storeVector();
  auto loop = [&](Value lower, Value upper, bool inBorder) {
    int64_t step = physical == innermost && !single ? at.lanes : 1;
    auto op = scf::ForOp::create(b, loc, lower, upper, at.constant(step));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(op.getBody());
    indices[physical] = op.getInductionVar();
    visit(physical + 1, inBorder);
  };
  int64_t size = memref.getDimSize(physical), halo = getHalo(physical);
  auto [lower, upper, first, last] = getShare(physical);
  Value before = at.constant(0), behind = at.constant(size);
  if (first) {
    before = arith::SelectOp::create(b, loc, first, before, lower);
    behind = arith::SelectOp::create(b, loc, last, behind, upper);
  }
  if (halo == 0)
    return loop(lower, upper, outside);
  if (outside)
    return loop(before, behind, true);
  if (physical == innermost)
    return storeEnds(size);
  loop(before, lower, true);
  loop(upper, behind, true);
  bool later = llvm::any_of(llvm::seq(physical + 1, innermost + 1),
                            [&](int64_t next) { return getHalo(next) != 0; });
  if (later)
    loop(lower, upper, false);
}

void ZeroFill::storeVector() {
  auto tile = VectorType::get({single ? 1 : at.lanes}, type.getElementType());
  SmallVector<int64_t> guard;
  if (innermost >= 0 && !single && memref.getDimSize(innermost) % at.lanes != 0)
    guard.push_back(innermost);
  TileStoreOp::create(b, loc, buildZero(b, loc, tile), buffer, indices,
                      AffineMap::get(1, 0, exprs, b.getContext()), guard, false);
}

/// Both ends of a row, one element at a time: what is between them stays.
void ZeroFill::storeEnds(int64_t size) {
  int64_t halo = getHalo(innermost);
  auto tile = VectorType::get({halo, 1}, type.getElementType());
  for (int64_t begin : {int64_t(0), size - halo}) {
    indices[innermost] = at.constant(begin);
    TileStoreOp::create(b, loc, buildZero(b, loc, tile), buffer, indices,
                        AffineMap::get(2, 0, exprs, b.getContext()), {}, false);
  }
}
} // namespace

void mlir::cnn::emitZeroFill(TileIndices &at, Value buffer, RankedTensorType type, bool whole) {
  ZeroFill(at, buffer, type).emit(whole);
}
