// What a compiled net says about itself: the JSON string `<net>_manifest`, which the runtime reads
// (runtime/core/Manifest.h) and CWrapper.h takes the sizes from.
#ifndef CNNC_COMPILER_EMIT_MANIFEST_H
#define CNNC_COMPILER_EMIT_MANIFEST_H

#include "llvm/Support/Error.h"
#include <string>

namespace mlir {
class ModuleOp;
} // namespace mlir

namespace cnn {

/// The manifest of a module of phase `planned`, `tiled`, `vector` or `gpu`: its `cnn.param`
/// operations and the attributes `cnn.role`, `cnn.name` and `cnn.flops` of its public functions;
/// for a GPU also their launches. One line. Fails when one of them is missing.
llvm::Expected<std::string> buildManifest(mlir::ModuleOp module);

/// Adds the manifest to a module of phase `llvm`, as a constant that ends in a zero, or of phase
/// `nvvm`, as its attribute `cnn.manifest`.
void embedManifest(mlir::ModuleOp module, const std::string &manifest);

/// The manifest that `embedManifest` put into the module.
llvm::Expected<std::string> findManifest(mlir::ModuleOp module);

} // namespace cnn

#endif // CNNC_COMPILER_EMIT_MANIFEST_H
