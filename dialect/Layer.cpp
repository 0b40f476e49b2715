//===- Layer.cpp - The registries of layers and losses ---------------------------------------===//
//
// Collects LayerDefs from all operations that have a static `getLayer()` or `getLayers()`, and
// LossDefs from those with `getLoss()` or `getLosses()`: the list of operations is the generated
// one, so nothing is listed here.
//
//===--------------------------------------------------------------------------------------------===//

#include "dialect/CnnDialect.h"
#include "dialect/Loss.h"
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

template <typename Op> void collect(std::vector<LossDef> &losses) {
  if constexpr (requires { Op::getLoss(); })
    losses.push_back(Op::getLoss());
  if constexpr (requires { Op::getLosses(); })
    llvm::append_range(losses, Op::getLosses());
}

template <typename Def, typename... Ops> std::vector<Def> collectAll() {
  std::vector<Def> found;
  (collect<Ops>(found), ...);
  return found;
}

template <typename Def> const Def *findByName(ArrayRef<Def> all, StringRef name) {
  const Def *found = llvm::find_if(all, [&](const Def &def) { return def.name == name; });
  return found == all.end() ? nullptr : found;
}
} // namespace

ArrayRef<LayerDef> mlir::cnn::getLayers() {
  static const std::vector<LayerDef> layers = collectAll<LayerDef,
#define GET_OP_LIST
#include "dialect/CnnOps.cpp.inc"
                                                         >();
  return layers;
}

ArrayRef<LossDef> mlir::cnn::getLosses() {
  static const std::vector<LossDef> losses = collectAll<LossDef,
#define GET_OP_LIST
#include "dialect/CnnOps.cpp.inc"
                                                        >();
  return losses;
}

unsigned mlir::cnn::getSampleRank(const LayerDef &layer, unsigned rank) {
  if (layer.sampleRank == 0)
    return rank;
  unsigned best = layer.sampleRank;
  for (unsigned lower : layer.lowerRanks)
    if (best > rank || (lower > best && lower <= rank))
      best = lower;
  return best;
}

const LayerDef *mlir::cnn::findLayer(StringRef name) { return findByName(getLayers(), name); }
const LossDef *mlir::cnn::findLoss(StringRef name) { return findByName(getLosses(), name); }

LayerArgs mlir::cnn::getDefaults(const LossDef &loss) {
  LayerArgs args;
  for (const LayerArg &arg : loss.args)
    args.set(arg.name, *arg.defaultValue);
  return args;
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
