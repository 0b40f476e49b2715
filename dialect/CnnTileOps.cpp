//===- CnnTileOps.cpp - Register tiles in buffers --------------------------------------------===//

#include "dialect/CnnDialect.h"

using namespace mlir;
using namespace mlir::cnn;

static LogicalResult verifyTile(Operation *op, MemRefType buffer, VectorType tile, AffineMap map,
                                size_t indices, ArrayRef<int64_t> guard) {
  if (map.getNumDims() != tile.getRank() || map.getNumResults() != buffer.getRank() ||
      static_cast<int64_t>(indices) != buffer.getRank())
    return op->emitOpError() << "has a map of " << map.getNumDims() << " dimensions and "
                             << map.getNumResults() << " results and " << indices
                             << " indices for a tile of rank " << tile.getRank()
                             << " and a buffer of rank " << buffer.getRank() << " (C1)";
  if (buffer.getElementType() != tile.getElementType())
    return op->emitOpError() << "has a tile of " << tile.getElementType() << " and a buffer of "
                             << buffer.getElementType() << " (C2)";
  for (int64_t dim : guard)
    if (dim < 0 || dim >= buffer.getRank())
      return op->emitOpError() << "guards dimension " << dim << " of a buffer of rank "
                               << buffer.getRank() << " (C1)";
  return success();
}

LogicalResult TileLoadOp::verify() {
  auto buffer = cast<MemRefType>(getBuffer().getType());
  if (!getZeros().empty() && static_cast<int64_t>(getZeros().size()) != buffer.getRank())
    return emitOpError() << "tells the zeros of " << getZeros().size() << " dimensions of "
                         << buffer << " (C3)";
  return verifyTile(*this, cast<MemRefType>(getBuffer().getType()),
                    cast<VectorType>(getResult().getType()), getMap(), getIndices().size(),
                    getGuard());
}

LogicalResult TileStoreOp::verify() {
  return verifyTile(*this, cast<MemRefType>(getBuffer().getType()),
                    cast<VectorType>(getValue().getType()), getMap(), getIndices().size(),
                    getGuard());
}

void TileLoadOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  effects.emplace_back(MemoryEffects::Read::get(), &getBufferMutable());
}

void TileStoreOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  if (getAccumulate())
    effects.emplace_back(MemoryEffects::Read::get(), &getBufferMutable());
  effects.emplace_back(MemoryEffects::Write::get(), &getBufferMutable());
}

LogicalResult TilePickOp::verify() {
  auto input = cast<VectorType>(getInput().getType()),
       result = cast<VectorType>(getResult().getType());
  int64_t rank = input.getRank();
  if (result.getRank() != rank || static_cast<int64_t>(getOffsets().size()) != rank ||
      static_cast<int64_t>(getStrides().size()) != rank)
    return emitOpError() << "offsets, strides, input and result must have one rank";
  for (int64_t dim = 0; dim < rank; ++dim)
    if (getOffsets()[dim] < 0 || getStrides()[dim] < 1 ||
        getOffsets()[dim] + (result.getDimSize(dim) - 1) * getStrides()[dim] >=
            input.getDimSize(dim))
      return emitOpError() << "picks outside of dimension " << dim;
  if (rank > 0 && (getOffsets().back() != 0 || getStrides().back() != 1))
    return emitOpError() << "must keep the lanes whole";
  return success();
}

LogicalResult TileJoinOp::verify() {
  auto result = cast<VectorType>(getResult().getType());
  int64_t dim = getDim();
  if (getParts().empty() || !llvm::all_equal(getParts().getTypes()))
    return emitOpError() << "needs parts of one type (C1)";
  auto part = cast<VectorType>(getParts()[0].getType());
  if (dim < 0 || dim + 1 >= part.getRank())
    return emitOpError() << "joins dimension " << dim << " of " << part << " (C1)";
  SmallVector<int64_t> shape(part.getShape());
  shape[dim] *= getParts().size();
  if (result != VectorType::get(shape, part.getElementType()))
    return emitOpError() << "result is " << result << ", expected "
                         << VectorType::get(shape, part.getElementType()) << " (C1)";
  return success();
}

LogicalResult TileReduceOp::verify() {
  auto input = cast<VectorType>(getInput().getType()),
       result = cast<VectorType>(getResult().getType());
  if (input.getShape().drop_back() != result.getShape().drop_back() ||
      result.getShape().back() != 1)
    return emitOpError() << "result is " << result << ", expected the input's shape with 1 lane";
  if (getKind() != "add" && getKind() != "max")
    return emitOpError() << "kind is '" << getKind() << "', expected add or max";
  return success();
}
