//===- Buffers.cpp - The memory that tensors take --------------------------------------------===//

#include "compiler/schedule/Buffers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::cnn;

MemRefType mlir::cnn::getBufferType(RankedTensorType type, SliceScheduleAttr slice) {
  LayoutAttr layout = getLayoutOf(type);
  SmallVector<int64_t> logical(type.getShape());
  if (slice) {
    if (logical[0] == slice.getCount() && layout.isPlain() && slice.getBlock() != 1)
      logical[0] = 1;
    else
      logical[0] = slice.getBlock();
    // What passes between the members counts the blocks of an image behind the images.
    for (size_t dim = 1; dim <= slice.getTiles().size(); ++dim)
      logical[dim] = 1;
  }
  return MemRefType::get(layout.getPhysicalShape(logical), type.getElementType());
}

MemRefType mlir::cnn::getBytesType(MLIRContext *context, int64_t bytes) {
  return MemRefType::get({bytes}, IntegerType::get(context, 8));
}

Value mlir::cnn::buildView(OpBuilder &b, Location loc, Value bytes, int64_t offset,
                           MemRefType type) {
  Value shift = arith::ConstantIndexOp::create(b, loc, offset);
  return memref::ViewOp::create(b, loc, type, bytes, shift, {});
}

Value mlir::cnn::buildView(OpBuilder &b, Location loc, Value buffer, MemRefType type) {
  if (buffer.getType() == type)
    return buffer;
  if (auto view = buffer.getDefiningOp<memref::ViewOp>())
    return memref::ViewOp::create(b, loc, type, view.getSource(), view.getByteShift(), {});
  auto [strides, offset] = type.getStridesAndOffset();
  return memref::ReinterpretCastOp::create(b, loc, type, buffer, offset, type.getShape(), strides);
}
