//===- TileIndices.cpp - Where the elements of a tile lie ------------------------------------===//

#include "compiler/lowering/TileIndices.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::cnn;

TileIndices::TileIndices(func::FuncOp kernel, GroupOp group, const ScheduleSpace &space,
                         const NestSchedule &schedule)
    : IndexBuilder(kernel, group, space.getInfo().anchor->getLoc()), space(space),
      info(space.getInfo()), nest(info.nest), schedule(schedule),
      slice(kernel->getAttrOfType<SliceScheduleAttr>("cnn.slices")),
      lanes(nest.getNumDims() > 0 ? space.getLanes() : 1), positions(nest.getNumDims()) {}

VectorType TileIndices::getTileType(const Tile &tile, Type element) const {
  SmallVector<int64_t> shape(tile.extents);
  shape.push_back(tile.lanes);
  return VectorType::get(shape, element);
}

bool TileIndices::isLocal(Value buffer, RankedTensorType type) const {
  return slice && cast<MemRefType>(buffer.getType()).getShape() !=
                      ArrayRef<int64_t>(getLayoutOf(type).getPhysicalShape(type.getShape()));
}

/// Index of the tile's first element.
Value TileIndices::buildBase(const LinearForm &form, bool local, int64_t extra, bool pooled) {
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
AffineExpr TileIndices::getTileExpr(const LinearForm &form, const Tile &tile) const {
  MLIRContext *context = b.getContext();
  AffineExpr expr = getAffineConstantExpr(0, context);
  if (tile.pooled) {
    Tile anchor = tile;
    anchor.pooled = false;
    SmallVector<LinearForm> results = info.getResultForms();
    for (auto [dim, factor] : llvm::enumerate(form.coefficients))
      if (factor != 0) {
        // The tile's extent along its own dimension is that of the windows already; along all
        // others, such as the tiles of a transform, as many results are fewer windows.
        LinearForm result = results[dim];
        int64_t own = info.getTileDim(result);
        for (auto [along, coefficient] : llvm::enumerate(result.coefficients))
          if (static_cast<int64_t>(along) != own)
            coefficient /= info.poolFactors[dim];
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
std::pair<int64_t, int64_t> TileIndices::getRange(const LinearForm &form, const Tile &tile) const {
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

TileIndices::Address TileIndices::getAddress(Value buffer, RankedTensorType type,
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

Value TileIndices::buildIndex(const LinearForm &form, const Tile &tile) {
  auto map = AffineMap::get(nest.numParallel + 1, 0, getTileExpr(form, tile));
  return TileIndexOp::create(b, loc, getTileType(tile, b.getI32Type()),
                             buildBase(form, false, 0, tile.pooled), map);
}
