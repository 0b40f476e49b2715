//===- Buffers.h - The memory that tensors take ----------------------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_BUFFERS_H
#define CNNC_COMPILER_SCHEDULE_BUFFERS_H

#include "dialect/CnnDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "runtime/abi/cnn_abi.h"

namespace mlir::cnn {

/// Alignment of every buffer.
inline constexpr int64_t bufferAlignment = CNN_ALIGNMENT;

/// The buffer type of a tensor in its layout; with `slice`, of the part of one slice.
MemRefType getBufferType(RankedTensorType type, SliceScheduleAttr slice = {});

/// So many bytes, in which buffers lie.
MemRefType getBytesType(MLIRContext *context, int64_t bytes);

/// The buffer of type `type` that lies in `bytes` from `offset` on.
Value buildView(OpBuilder &b, Location loc, Value bytes, int64_t offset, MemRefType type);

/// Another view, of type `type`, of the memory of `buffer`.
Value buildView(OpBuilder &b, Location loc, Value buffer, MemRefType type);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_BUFFERS_H
