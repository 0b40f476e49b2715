//===- Layer.cpp - The registry of layers
//---------------------------------------------------------===//
//
// Collects LayerDefs from all operations that have a static `getLayer()`: the list of operations is
// the generated one, so nothing is listed here.
//
//===--------------------------------------------------------------------------------------------===//

#include "dialect/CnnDialect.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir;
using namespace mlir::cnn;

namespace {
template <typename Op> void collect(std::vector<LayerDef> &layers) {
  if constexpr (requires { Op::getLayer(); })
    layers.push_back(Op::getLayer());
  if constexpr (requires { Op::getLayers(); })
    llvm::append_range(layers, Op::getLayers());
}

template <typename... Ops> std::vector<LayerDef> collectAll() {
  std::vector<LayerDef> layers;
  (collect<Ops>(layers), ...);
  return layers;
}
} // namespace

ArrayRef<LayerDef> mlir::cnn::getLayers() {
  static const std::vector<LayerDef> layers = collectAll<
#define GET_OP_LIST
#include "dialect/CnnOps.cpp.inc"
      >();
  return layers;
}

const LayerDef *mlir::cnn::findLayer(StringRef name) {
  for (const LayerDef &layer : getLayers())
    if (layer.name == name)
      return &layer;
  return nullptr;
}

int64_t mlir::cnn::multiplySaturated(ArrayRef<int64_t> factors) {
  int64_t product = 1;
  for (int64_t factor : factors)
    if (llvm::MulOverflow(product, factor, product))
      return std::numeric_limits<int64_t>::max();
  return product;
}

std::string mlir::cnn::formatShape(ArrayRef<int64_t> shape) {
  return llvm::join(llvm::map_range(shape, [](int64_t extent) { return std::to_string(extent); }),
                    "x");
}
