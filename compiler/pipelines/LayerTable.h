// What was decided for each layer, as a table: `layers.txt` of --dump-phases. In: a module of phase
// `scheduled`, whether it was chosen or edited; nothing is derived a second time.
#ifndef CNNC_COMPILER_PIPELINES_LAYERTABLE_H
#define CNNC_COMPILER_PIPELINES_LAYERTABLE_H

#include <string>

namespace mlir {
class ModuleOp;
} // namespace mlir

namespace cnn {

/// For each entry point a line per group, in the order in which they run: the layer, the kernel
/// that the group becomes, its operations, the layout of what it writes, algorithm, tile and
/// reason.
std::string layerTable(mlir::ModuleOp module);

} // namespace cnn

#endif // CNNC_COMPILER_PIPELINES_LAYERTABLE_H
