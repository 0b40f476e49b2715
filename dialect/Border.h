//===- Border.h - Padding by an image's own elements -----------------------------------------===//
//
// What `pad(mode = ...)` and `conv(padding_mode = ...)` have in common.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_DIALECT_BORDER_H
#define CNNC_DIALECT_BORDER_H

#include "dialect/Layer.h"

namespace mlir::cnn {

/// Whether `mode` is `constant` (the name of the mode that this is not about), "reflect",
/// "replicate" or "circular", and can put `sides` (before and behind each of the extents) around an
/// image: as PyTorch, reflection needs more elements than it puts, a circle as many. Fills
/// `problem` otherwise; `arg` is the argument that `mode` comes from, the sides' is `padding`.
LogicalResult checkBorder(StringRef mode, StringRef constant, StringRef arg,
                          ArrayRef<int64_t> extents, ArrayRef<int64_t> sides,
                          LayerProblem &problem);

/// `x` with `low` and `high` elements before and behind those of each dimension, taken from `x`:
/// "reflect" mirrors it about its outermost elements, "replicate" repeats these, "circular" goes on
/// at the other end.
Value buildBorder(OpBuilder &builder, Location loc, Value x, ArrayRef<int64_t> low,
                  ArrayRef<int64_t> high, StringRef mode);

} // namespace mlir::cnn

#endif // CNNC_DIALECT_BORDER_H
