// A module to a net that a Session takes: the compile call for its target, and the manifest read.
#ifndef CNNC_COMPILER_TOOLS_MEASURE_COMPILENET_H
#define CNNC_COMPILER_TOOLS_MEASURE_COMPILENET_H

#include "compiler/pipelines/Compile.h"
#include "runtime/device/CompiledNet.h"
#include "llvm/Support/Error.h"

#include <string>

namespace cnn::tool {

struct RunnableNet {
  CompiledNet net;
  bool fromCache = false;
};

/// Makes `options` compile for a device whose Device::arch() is `arch`.
void setArch(PhaseOptions &options, const std::string &arch);

/// Compiles `module`, of phase `cnn` or a later one, for the target of `options`: compile() or
/// compileForDevice() of compiler/pipelines/Compile.h, which say how it fails.
llvm::Expected<RunnableNet> compileToRun(mlir::ModuleOp module, const CompileOptions &options);

} // namespace cnn::tool

#endif
