//===- BufferPlace.cpp - Where a buffer of an entry point lies -------------------------------===//

#include "dialect/BufferPlace.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

int64_t mlir::cnn::getBytes(MemRefType type) {
  return type.getNumElements() * llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

bool BufferPlace::overlaps(const BufferPlace &other) const {
  if (constant || other.constant)
    return constant == other.constant;
  return argument == other.argument && offset < other.offset + other.bytes &&
         other.offset < offset + bytes;
}

FailureOr<BufferPlace> mlir::cnn::getBufferPlace(Value buffer) {
  BufferPlace place;
  place.bytes = getBytes(cast<MemRefType>(buffer.getType()));
  while (Operation *op = buffer.getDefiningOp()) {
    if (auto global = dyn_cast<memref::GetGlobalOp>(op)) {
      place.constant = global.getNameAttr().getAttr();
      return place;
    }
    if (auto cast = dyn_cast<memref::ReinterpretCastOp>(op)) {
      buffer = cast.getSource();
      continue;
    }
    auto view = dyn_cast<memref::ViewOp>(op);
    APInt shift;
    if (!view || !matchPattern(view.getByteShift(), m_ConstantInt(&shift)))
      return op->emitOpError() << "in an entry point must be a memref.view at a constant offset";
    place.offset += shift.getSExtValue();
    buffer = view.getSource();
  }
  place.argument = cast<BlockArgument>(buffer).getArgNumber();
  return place;
}
