// Which layer an operation belongs to, and where that layer stands in the `.cnn` file: both are in
// the operation's location, a NameLoc over the place in the file.

#ifndef CNNC_COMPILER_TRANSFORMS_LAYER_NAME_H
#define CNNC_COMPILER_TRANSFORMS_LAYER_NAME_H

#include "mlir/IR/Location.h"
#include "mlir/IR/Operation.h"

#include <string>

namespace mlir::cnn {

/// The name in `loc` (the first one of a fused location), or an empty string.
StringRef getLocName(Location loc);

/// The place in the file without the name.
Location getFileLoc(Location loc);

/// `name` over the place in the file of `loc`.
Location renameLoc(Location loc, const Twine &name);

/// What messages call an operation: its name in the location, else the operation's own without the
/// dialect ("conv").
std::string getLayerName(Operation *op);

/// The name of the group around an operation: the location's, with `.forward` behind it where it is
/// the name of a layer and not of a gradient or an update.
std::string getGroupName(Operation *op);

} // namespace mlir::cnn

#endif // CNNC_COMPILER_TRANSFORMS_LAYER_NAME_H
