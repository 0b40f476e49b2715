// Names and file locations of layers, read from locations.

#include "compiler/transforms/LayerName.h"
#include "mlir/IR/OperationSupport.h"

using namespace mlir;
using namespace mlir::cnn;

/// The first NameLoc of `loc`, or null.
static NameLoc findName(Location loc) {
  if (auto name = dyn_cast<NameLoc>(loc))
    return name;
  if (auto call = dyn_cast<CallSiteLoc>(loc))
    return findName(call.getCallee());
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (NameLoc name = findName(part))
        return name;
  return {};
}

StringRef mlir::cnn::getLocName(Location loc) {
  NameLoc name = findName(loc);
  return name ? name.getName().getValue() : StringRef();
}

Location mlir::cnn::getFileLoc(Location loc) {
  NameLoc name = findName(loc);
  return name ? getFileLoc(name.getChildLoc()) : loc;
}

Location mlir::cnn::renameLoc(Location loc, const Twine &name) {
  return NameLoc::get(StringAttr::get(loc.getContext(), name), getFileLoc(loc));
}

std::string mlir::cnn::getLayerName(Operation *op) {
  StringRef name = getLocName(op->getLoc());
  return (name.empty() ? op->getName().stripDialect() : name).str();
}

std::string mlir::cnn::getGroupName(Operation *op) {
  std::string name = getLayerName(op);
  StringRef last = StringRef(name).rsplit('.').second;
  if (last.ends_with("_grad") || last == "backward" || last == "update" || last == "nonfinite" ||
      last == "statistics" || last == "recompute")
    return name;
  return name + ".forward";
}
