//===- BufferPlace.h - Where a buffer of an entry point lies ---------------------------------===//

#ifndef CNNC_DIALECT_BUFFERPLACE_H
#define CNNC_DIALECT_BUFFERPLACE_H

#include "dialect/CnnDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::cnn {

/// Elements of the type, times their bytes.
int64_t getBytes(MemRefType type);

/// The bytes [offset, offset + bytes) of an argument of the entry point, or all of a constant of
/// the module.
struct BufferPlace {
  unsigned argument = 0;
  int64_t offset = 0, bytes = 0;
  StringAttr constant; ///< null for an argument

  /// Whether the two have bytes in common.
  bool overlaps(const BufferPlace &other) const;
};

/// Follows views at constant offsets and other shapes of the same memory; a located error and
/// failure where `buffer`, an operand of a launch, comes from anything else.
FailureOr<BufferPlace> getBufferPlace(Value buffer);

} // namespace mlir::cnn

#endif // CNNC_DIALECT_BUFFERPLACE_H
