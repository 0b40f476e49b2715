// compile(): look the module up in the cache; else run the phases and generate code; load it.
// compileForDevice(): the same for a GPU, whose code the driver loads.
#include "compiler/pipelines/Compile.h"
#include "compiler/emit/Cache.h"
#include "compiler/emit/Codegen.h"
#include "compiler/emit/Jit.h"
#include "compiler/emit/Manifest.h"
#include "compiler/emit/Ptx.h"
#include "compiler/pipelines/TunedStore.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>

using namespace cnn;

namespace {
class LoadedNet : public Executable {
public:
  LoadedNet(std::string manifest, std::unique_ptr<LoadedObject> code)
      : text(std::move(manifest)), code(std::move(code)) {}
  llvm::StringRef manifest() const override { return text; }
  void *lookup(llvm::StringRef symbol) const override { return code->lookup(symbol); }

private:
  std::string text;
  std::unique_ptr<LoadedObject> code;
};
} // namespace

/// Everything that the object depends on beside the compiler. Not the number of threads.
static std::string keyOf(mlir::ModuleOp module, const Target &target,
                         const CompileOptions &options) {
  std::string ir, choices;
  llvm::raw_string_ostream irOut(ir), out(choices);
  printModule(module, irOut);
  out << "mode " << int(options.mode.value_or(Mode::Infer)) << "\nrecipe " << options.recipe
      << "\nfuse " << options.fuse << "\ntimed " << options.timed << '\n';
  for (const std::string &entry : options.entries)
    out << "entry " << entry << '\n';
  for (const auto &[key, value] : options.settings)
    out << "set " << key << '=' << value << '\n';
  return cacheKey({ir, choices, target.triple, target.cpu, target.features});
}

static Cache getCache(const CompileOptions &options) {
  // Dumps were asked for: the phases must run.
  return options.useCache && options.dumpDirectory.empty() ? Cache::fromEnvironment() : Cache("");
}

static llvm::Expected<CacheEntry> compileEntry(mlir::ModuleOp module, const Target &target,
                                               const CompileOptions &options) {
  if (llvm::Error error = runPhases(module, Phase::Llvm, options))
    return error;
  auto manifest = findManifest(module);
  if (!manifest)
    return manifest.takeError();
  CodegenOptions codegen;
  codegen.target = target;
  codegen.threads = options.compileThreads;
  PhaseTimer timer(phaseName(Phase::Obj), options.timePhases);
  auto object = generateObject(module, codegen);
  if (!object)
    return object.takeError();
  return CacheEntry{std::move(*manifest), std::move(*object)};
}

llvm::Expected<std::unique_ptr<Executable>> cnn::compile(mlir::ModuleOp module,
                                                         const CompileOptions &options) {
  auto start = std::chrono::steady_clock::now();
  auto target = getTarget(module, options);
  if (!target)
    return target.takeError();
  Cache cache = getCache(options);
  std::string key = cache.isOn() ? keyOf(module, *target, options) : "";
  CompileOptions rest = options;
  if (cache.isOn() && usesTuned(options) && mayHaveTuned(module)) {
    // What is stored as measured goes by what the phases make of the net.
    if (llvm::Error error = runPhases(module, Phase::Fused, options))
      return error;
    applyTuned(module, options);
    rest.settings.clear(); // They stand in the module now.
    key = cacheKey({key, tunedText(module)});
  }
  std::optional<CacheEntry> entry = cache.load(key);
  std::unique_ptr<LoadedObject> code;
  bool fromCache = false;
  if (entry) {
    // An object that cannot be loaded (another C library since) is compiled again.
    auto loaded = loadObject(entry->object);
    if (loaded)
      code = std::move(*loaded);
    else
      llvm::consumeError(loaded.takeError());
    fromCache = code != nullptr;
  }
  if (!code) {
    auto compiled = compileEntry(module, *target, rest);
    if (!compiled)
      return compiled.takeError();
    entry = std::move(*compiled);
    auto loaded = loadObject(entry->object);
    if (!loaded)
      return loaded.takeError();
    code = std::move(*loaded);
    cache.store(key, *entry);
  }
  std::unique_ptr<Executable> net =
      std::make_unique<LoadedNet>(std::move(entry->manifest), std::move(code));
  net->compileSeconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  net->fromCache = fromCache;
  return net;
}

/// Whether the IR of a stored PTX text is kept where CNNC_SAVE_NVVM wants it.
static bool isIrKept(llvm::StringRef ptx) {
  std::string folder = nvvmFolder();
  if (folder.empty())
    return true;
  ptx.consume_front("// cnnc-ir ");
  return llvm::sys::fs::exists(folder + "/" + ptx.take_until([](char c) { return c == '\n'; }) +
                               ".bc");
}

llvm::Expected<DeviceCode> cnn::compileForDevice(mlir::ModuleOp module,
                                                 const CompileOptions &given) {
  auto start = std::chrono::steady_clock::now();
  CompileOptions options = given;
  options.target = TargetKind::Nvptx;
  auto target = getTarget(module, options);
  if (!target)
    return target.takeError();
  Cache cache = getCache(options);
  std::string key = cache.isOn() ? keyOf(module, *target, options) : "";
  std::optional<CacheEntry> entry = cache.load(key);
  DeviceCode code;
  code.fromCache = entry && isIrKept(entry->object);
  if (!code.fromCache) {
    if (llvm::Error error = runPhases(module, Phase::Nvvm, options))
      return error;
    auto manifest = findManifest(module);
    if (!manifest)
      return manifest.takeError();
    PhaseTimer timer(phaseName(Phase::Ptx), options.timePhases);
    auto ptx = generatePtx(module, *target);
    if (!ptx)
      return ptx.takeError();
    entry = CacheEntry{std::move(*manifest), std::move(*ptx)};
    cache.store(key, *entry);
  }
  code.manifest = std::move(entry->manifest);
  code.ptx = std::move(entry->object);
  code.compileSeconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return code;
}
