// What a recipe has computed again for the backward pass: how modules say it.

#ifndef CNNC_DIALECT_RECOMPUTE_H
#define CNNC_DIALECT_RECOMPUTE_H

#include "llvm/ADT/StringRef.h"

namespace mlir::cnn {

/// Of a module, until phase `fused`: `recomputeCheap`, or a list of the names of blocks and layers.
inline constexpr llvm::StringLiteral recomputeAttr = "cnn.recompute";
inline constexpr llvm::StringLiteral recomputeCheap = "cheap";

/// On operations and groups that repeat a part of the forward pass: they are not merged with what
/// they repeat, and wait until the backward pass reads them.
inline constexpr llvm::StringLiteral recomputedAttr = "cnn.recomputed";

} // namespace mlir::cnn

#endif // CNNC_DIALECT_RECOMPUTE_H
