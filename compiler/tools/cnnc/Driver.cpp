// Up to phase `llvm` or `nvvm` the module is printed; from there code is generated: an object comes
// with its header and, where asked for, its weights, code for a GPU with its manifest.
#include "compiler/tools/cnnc/Driver.h"
#include "compiler/emit/CWrapper.h"
#include "compiler/emit/Codegen.h"
#include "compiler/emit/Cubin.h"
#include "compiler/emit/Manifest.h"
#include "compiler/emit/Ptx.h"
#include "compiler/frontend/MlirDiagnostics.h"
#include "compiler/pipelines/Compile.h"
#include "compiler/tools/cnnc/Input.h"
#include "compiler/tools/cnnc/Tune.h"
#include "mlir/IR/MLIRContext.h"
#include "runtime/core/Buffer.h"
#include "runtime/core/File.h"
#include "runtime/data/Weights.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace cnn;
using namespace cnn::tool;

static llvm::Error writeOutput(llvm::StringRef path, llvm::StringRef content) {
  if (path.empty())
    return llvm::Error::success();
  if (path == "-") {
    llvm::raw_fd_ostream &out = llvm::outs();
    out << content;
    out.flush();
    std::error_code error = out.error();
    // An error that is still set when the process ends would abort it.
    out.clear_error();
    return error ? llvm::createStringError("standard output: cannot write: " + error.message())
                 : llvm::Error::success();
  }
  Status status = cnn::writeFile(path.str(), {content.data(), content.size()});
  return status.failed() ? llvm::createStringError(status.message()) : llvm::Error::success();
}

/// Writes files that belong together: all are whole beside their places before the first is put
/// there.
static llvm::Error writeTogether(llvm::ArrayRef<std::pair<std::string, llvm::StringRef>> contents) {
  std::vector<AtomicFile> files;
  for (auto [path, content] : contents) {
    Result<AtomicFile> file = AtomicFile::create(path);
    if (file.failed())
      return llvm::createStringError(file.message());
    files.push_back(std::move(*file));
    if (Status status = files.back().write(content.data(), content.size()); status.failed())
      return llvm::createStringError(status.message());
  }
  for (AtomicFile &file : files)
    if (Status status = file.sync(); status.failed())
      return llvm::createStringError(status.message());
  for (AtomicFile &file : files)
    if (Status status = file.commit(); status.failed())
      return llvm::createStringError(status.message());
  return llvm::Error::success();
}

static std::string withExtension(llvm::StringRef path, llvm::StringRef extension) {
  llvm::SmallString<128> result(path);
  llvm::sys::path::replace_extension(result, extension);
  return result.str().str();
}

/// The weights of the file, laid out as the state of the compiled net.
static llvm::Expected<std::string> readWeights(const std::string &path,
                                               const std::string &manifestText) {
  Result<cnn::Manifest> manifest = parseManifest(manifestText);
  if (manifest.failed())
    return llvm::createStringError(manifest.message());
  Result<AlignedBuffer> state = AlignedBuffer::allocate(manifest->stateBytes, "the weights");
  if (state.failed())
    return llvm::createStringError(state.message());
  Result<WeightMapping> mapping = loadWeights(path, *manifest, state->data());
  if (mapping.failed())
    return llvm::createStringError(mapping.message());
  if (Status status = checkSameNet(path, *mapping, *manifest); status.failed())
    return llvm::createStringError(status.message());
  return std::string(static_cast<const char *>(state->data()), state->size());
}

/// The object with its C interface, and the header.
static llvm::Error emitObject(mlir::ModuleOp module, CodegenOptions codegen,
                              const Options &options) {
  auto manifest = findManifest(module);
  if (!manifest)
    return manifest.takeError();
  bool toFile = !options.output.empty() && options.output != "-";
  CInterfaceOptions interface;
  std::string weights;
  if (!options.weights.empty()) {
    auto read = readWeights(options.weights, *manifest);
    if (!read)
      return read.takeError();
    weights = std::move(*read);
  }
  std::string weightsPath = withExtension(options.output, ".weights");
  std::string headerPath = withExtension(options.output, ".h");
  if (options.weightsBeside)
    interface.weightsFile = llvm::sys::path::filename(weightsPath).str();
  else
    interface.weights = std::move(weights);
  interface.headerName = llvm::sys::path::filename(headerPath).str();
  auto extra = buildCInterface(*manifest, interface);
  if (!extra)
    return extra.takeError();
  codegen.extra = std::move(*extra);
  auto object = generateObject(module, codegen);
  if (!object)
    return object.takeError();
  if (!options.phases.dumpDirectory.empty())
    if (llvm::Error error = writeDump(options.phases.dumpDirectory, Phase::Obj, ".o", *object))
      return error;
  if (!toFile)
    return writeOutput(options.output, *object);
  auto header = buildCHeader(*manifest, interface);
  if (!header)
    return header.takeError();
  std::vector<std::pair<std::string, llvm::StringRef>> files = {{options.output, *object},
                                                                {headerPath, *header}};
  if (options.weightsBeside)
    files.push_back({weightsPath, weights});
  return writeTogether(files);
}

/// PTX text or machine code of a GPU, and the manifest.
static llvm::Error emitDevice(mlir::ModuleOp module, const Target &target, const Options &options) {
  const PhaseOptions &phases = options.phases;
  auto manifest = findManifest(module);
  if (!manifest)
    return manifest.takeError();
  std::string code;
  {
    PhaseTimer timer(phaseName(Phase::Ptx), phases.timePhases);
    auto ptx = generatePtx(module, target);
    if (!ptx)
      return ptx.takeError();
    code = std::move(*ptx);
  }
  if (!phases.dumpDirectory.empty())
    if (llvm::Error error = writeDump(phases.dumpDirectory, Phase::Ptx, ".ptx", code))
      return error;
  if (options.emit == Phase::Cubin) {
    PhaseTimer timer(phaseName(Phase::Cubin), phases.timePhases);
    auto cubin = assemblePtx(code, target);
    if (!cubin)
      return cubin.takeError();
    if (options.verbose)
      llvm::errs() << formatUse(cubin->kernels, target);
    code = std::move(cubin->bytes);
    if (!phases.dumpDirectory.empty())
      if (llvm::Error error = writeDump(phases.dumpDirectory, Phase::Cubin, ".cubin", code))
        return error;
  }
  if (options.output.empty() || options.output == "-")
    return writeOutput(options.output, code);
  std::string text = *manifest + "\n";
  return writeTogether(
      {{options.output, code}, {withExtension(options.output, ".json"), llvm::StringRef(text)}});
}

static llvm::Error emitCode(mlir::ModuleOp module, const Options &options) {
  const PhaseOptions &phases = options.phases;
  auto target = getTarget(module, phases);
  if (!target)
    return target.takeError();
  if (target->kind == TargetKind::Nvptx)
    return emitDevice(module, *target, options);
  CodegenOptions codegen;
  codegen.target = *target;
  codegen.threads = phases.compileThreads;
  if (options.emit == Phase::Asm || !phases.dumpDirectory.empty()) {
    PhaseTimer timer(phaseName(Phase::Asm), phases.timePhases);
    auto assembly = generateAssembly(module, codegen);
    if (!assembly)
      return assembly.takeError();
    if (!phases.dumpDirectory.empty())
      if (llvm::Error error = writeDump(phases.dumpDirectory, Phase::Asm, ".s", *assembly))
        return error;
    if (options.emit == Phase::Asm)
      return writeOutput(options.output, *assembly);
  }
  PhaseTimer timer(phaseName(Phase::Obj), phases.timePhases);
  return emitObject(module, std::move(codegen), options);
}

llvm::Error tool::run(const Options &given) {
  Options options = given;
  std::unique_ptr<mlir::MLIRContext> context = createContext();
  Diagnostics diagnostics(&llvm::errs());
  MlirDiagnostics handler(context.get(), diagnostics, &llvm::errs());
  auto input = readInput(*context, options, diagnostics);
  if (!input)
    return input.takeError();
  if (!options.phases.dumpDirectory.empty() && !input->tree.empty())
    if (llvm::Error error =
            writeDump(options.phases.dumpDirectory, Phase::Ast, ".txt", input->tree))
      return error;
  if (options.emit == Phase::Ast)
    return writeOutput(options.output, input->tree);
  mlir::ModuleOp module = *input->module;
  // A dump says what it is compiled for.
  TargetKind target = getTargetKind(module, options.phases);
  if (llvm::Error error = setDefaults(options, target))
    return error;
  bool emitsCode =
      isPhaseOf(options.emit, target) && comesBefore(lastModulePhase(target), options.emit);
  Phase last = emitsCode ? lastModulePhase(target) : options.emit;
  PhaseOptions phases = options.phases;
  if (!input->tree.empty()) {
    phases.recipe.clear(); // what the front end emits has the chosen one only
    phases.mode = phases.mode.value_or(Mode::Infer);
  }
  if (options.tune && input->tree.empty())
    return llvm::createStringError(options.input + ": --tune needs a .cnn file, not a dump");
  llvm::Error error = options.tune || comesBefore(last, Phase::Scheduled)
                          ? checkSchedule(module, phases)
                          : llvm::Error::success();
  if (!error)
    error =
        options.tune ? tune(module, phases, options.tuneSeconds) : runPhases(module, last, phases);
  if (error && diagnostics.hasErrors()) {
    // What went wrong has been said, with its place.
    llvm::consumeError(std::move(error));
    return llvm::createStringError("");
  }
  if (error || options.tune)
    return error;
  if (emitsCode)
    return emitCode(module, options);
  std::string text;
  llvm::raw_string_ostream out(text);
  printModule(module, out);
  return writeOutput(options.output, text);
}
