// Code for the CPU is found by symbol, code for a GPU is text.
#include "compiler/tools/measure/CompileNet.h"

#include "mlir/IR/BuiltinOps.h"

#include <memory>
#include <utility>

namespace cnn::tool {

void setArch(PhaseOptions &options, const std::string &arch) {
  if (arch.empty())
    return;
  options.target = TargetKind::Nvptx;
  options.cpu = arch;
}

static llvm::Error readManifest(const std::string &text, CompiledNet &net) {
  Result<Manifest> manifest = parseManifest(text);
  if (manifest.failed())
    return llvm::createStringError(manifest.message());
  net.manifest = std::move(*manifest);
  return llvm::Error::success();
}

llvm::Expected<RunnableNet> compileToRun(mlir::ModuleOp module, const CompileOptions &options) {
  RunnableNet result;
  if (getTargetKind(module, options) == TargetKind::Nvptx) {
    llvm::Expected<DeviceCode> code = compileForDevice(module, options);
    if (!code)
      return code.takeError();
    if (llvm::Error error = readManifest(code->manifest, result.net))
      return error;
    result.net.ptx = std::move(code->ptx);
    result.fromCache = code->fromCache;
    return result;
  }
  llvm::Expected<std::unique_ptr<Executable>> compiled = compile(module, options);
  if (!compiled)
    return compiled.takeError();
  std::shared_ptr<Executable> code = std::move(*compiled);
  if (llvm::Error error = readManifest(code->manifest().str(), result.net))
    return error;
  result.net.lookup = [code](std::string_view name) {
    return reinterpret_cast<cnn_entry>(code->lookup(llvm::StringRef(name.data(), name.size())));
  };
  result.fromCache = code->fromCache;
  return result;
}

} // namespace cnn::tool
