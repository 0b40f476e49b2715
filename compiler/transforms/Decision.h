// What a pass decided about one operation, and why: said as a remark, and kept on the operation
// until cnn-fuse makes it the first part of its group's reason (`because "..."` in dumps,
// layers.txt).

#ifndef CNNC_COMPILER_TRANSFORMS_DECISION_H
#define CNNC_COMPILER_TRANSFORMS_DECISION_H

#include "mlir/IR/Operation.h"

#include <string>

namespace mlir::cnn {

/// Notes that the pass `flag` did to `op` what `text` says, or with `missed` that it did not.
/// `name` is what such remarks are called ("NotFolded").
void noteDecision(Operation *op, StringRef flag, StringRef name, bool missed,
                  const std::string &text);

/// Hands the decisions about `from` to the operation that stands in its place.
void moveDecisions(Operation *from, Operation *to);

/// Takes the decisions about `op` away from it: "a; b", or an empty string.
std::string takeDecisions(Operation *op);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_TRANSFORMS_DECISION_H
