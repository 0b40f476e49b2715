// From a module of phase `cnn` to code in memory, in one call: the phases of Phases.h, the object
// file of compiler/emit, the cache, the loader. What `cnn train` and its siblings call; `cnnc` uses
// the parts.
#ifndef CNNC_COMPILER_PIPELINES_COMPILE_H
#define CNNC_COMPILER_PIPELINES_COMPILE_H

#include "compiler/pipelines/Phases.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace mlir {
class MLIRContext;
class ModuleOp;
} // namespace mlir

namespace cnn {

struct CompileOptions : PhaseOptions {
  /// Whether the disk cache is read and written (compiler/emit/Cache.h says where it is).
  bool useCache = true;
};

/// Compiled code in this process; it is unloaded with the object.
class Executable {
public:
  virtual ~Executable() = default;
  /// The net's manifest: JSON, as cnn::parseManifest (runtime/core/Manifest.h) reads it.
  virtual llvm::StringRef manifest() const = 0;
  /// The address of a function of the manifest (`entries[i].symbol`, a cnn_entry of
  /// runtime/abi/cnn_abi.h), or null when there is none of that name.
  virtual void *lookup(llvm::StringRef symbol) const = 0;
  /// Wall-clock seconds from the call of `compile` until the code was loaded.
  double compileSeconds = 0;
  /// The object came from the cache: no phase ran.
  bool fromCache = false;
};

/// A context with every dialect that a phase uses; build or parse modules in it.
std::unique_ptr<mlir::MLIRContext> createContext();

/// Compiles `module`, of phase `cnn`, and loads it. `module` is changed: it goes through the
/// phases, or through the first of them where the code comes from the cache. Diagnostics go to the
/// context's handler with the location in the `.cnn` file; the error says which phase of which net
/// failed.
llvm::Expected<std::unique_ptr<Executable>> compile(mlir::ModuleOp module,
                                                    const CompileOptions &options);

/// What a GPU runs, and what it is told.
struct DeviceCode {
  /// JSON with the launches of every entry point, as cnn::parseManifest reads it.
  std::string manifest;
  /// The kernels, which the driver compiles for the GPU at hand.
  std::string ptx;
  /// Wall-clock seconds of the call.
  double compileSeconds = 0;
  /// The code came from the cache: no phase ran.
  bool fromCache = false;
};

/// Compiles `module`, of phase `cnn`, for the GPU that `options.cpu` names ("sm_90"; "native" is
/// the oldest that is supported with everything); as `compile`, with the same cache.
llvm::Expected<DeviceCode> compileForDevice(mlir::ModuleOp module, const CompileOptions &options);

} // namespace cnn

#endif // CNNC_COMPILER_PIPELINES_COMPILE_H
