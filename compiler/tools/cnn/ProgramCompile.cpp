// A net of a parsed file -> loaded code: elaboration, emission, compile call, manifest.
#include "compiler/tools/cnn/ProgramCompile.h"

#include "compiler/frontend/Emit.h"
#include "compiler/frontend/MlirDiagnostics.h"
#include "compiler/pipelines/Compile.h"
#include "compiler/schedule/Machine.h"
#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/Options.h"
#include "compiler/tools/measure/CompileNet.h"
#include "compiler/tools/measure/Errors.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/MathExtras.h"

#include <chrono>

namespace cnn::tool {

static CompileOptions compileOptions(const CompileRequest &request) {
  CompileOptions options;
  options.mode = request.train ? Mode::Train : Mode::Infer;
  options.entries = request.entries;
  options.useCache = !noCache;
  options.timed = request.timed;
  setArch(options, request.arch);
  for (const std::string &setting : settings) {
    auto [key, value] = llvm::StringRef(setting).split('=');
    if (key.trim().starts_with("schedule."))
      options.settings.emplace_back(key.trim().str(), value.trim().str());
  }
  return options;
}

/// The batch to compile `graph` for where a call has `batch` samples: as many, or those rounded up
/// to whole vectors of `element` on this machine's CPU, where nobody asked for a layout. Whole
/// vectors can have one sample in each lane (ChooseLayouts.cpp), which is fastest, but the samples
/// that fill them up are computed for nothing. Otherwise there are channels in the lanes.
static int64_t roundBatch(const Graph &graph, int64_t batch, bool train, mlir::Type element,
                          const CompileOptions &options) {
  for (const auto &[key, value] : options.settings)
    if (key == "schedule.layout")
      return batch;
  if (options.target == TargetKind::Nvptx)
    return batch;
  mlir::Location nowhere = mlir::UnknownLoc::get(element.getContext());
  auto machine = mlir::cnn::Machine::get(options.cpu, [&] { return mlir::emitError(nowhere); });
  if (failed(machine))
    return batch; // and compile() fails
  // Samples in use, of those computed, from which on it takes less time. On Zen 5, in AVX-512, a
  // sample with channels in the lanes costs ResNet-18, ResNet-20, VGG-11, ResNet-9, the small VGG
  // and ResNeXt 1.0 to 1.7 times as much in training and 1.0 to 1.7 (half of them 1.1) in
  // inference; LeNet, whose channels fill few lanes, 4 times and twice.
  constexpr int64_t fewOperations = 1 << 21; // a sample
  int64_t operations = 0;
  for (const GraphNode &node : graph.nodes)
    operations += node.flops;
  bool small = operations < fewOperations;
  double least = train ? (small ? 1.0 / 4 : 2.0 / 3) : (small ? 1.0 / 2 : 7.0 / 8);
  int64_t rounded = llvm::alignTo(batch, machine->getLanes(element));
  return static_cast<double>(batch) >= least * static_cast<double>(rounded) ? rounded : batch;
}

/// Says what failed, unless that was said with its place.
static void report(llvm::Error error, const Diagnostics &diagnostics) {
  std::string message = llvm::toString(std::move(error));
  if (!diagnostics.hasErrors())
    fail(message);
}

bool checkSchedule(const Graph &graph, const Recipe *recipe, Diagnostics &diagnostics) {
  CompileRequest request;
  request.train = recipe != nullptr;
  CompileOptions options = compileOptions(request);
  if (options.settings.empty())
    return true;
  std::unique_ptr<mlir::MLIRContext> context = createContext();
  MlirDiagnostics handler(context.get(), diagnostics);
  mlir::OwningOpRef<mlir::ModuleOp> module =
      emit(*context, graph, recipe, EmitOptions(), diagnostics);
  if (!module)
    return false;
  setPhase(*module, Phase::Cnn);
  llvm::Error error = cnn::checkSchedule(*module, options);
  bool valid = !error;
  if (error)
    report(std::move(error), diagnostics);
  return valid;
}

/// The module of phase `cnn` that `request` asks for; null when something was wrong, which has been
/// printed.
static mlir::OwningOpRef<mlir::ModuleOp> emitNet(mlir::MLIRContext &context, Frontend &frontend,
                                                 Diagnostics &diagnostics,
                                                 const CompileRequest &request,
                                                 const CompileOptions &options) {
  std::unique_ptr<Graph> graph = frontend.elaborate(request.net, request.recipe);
  if (!graph)
    return nullptr;
  std::optional<Recipe> recipe;
  if (!request.recipe.empty()) {
    recipe = frontend.recipe(request.recipe);
    if (!recipe)
      return nullptr;
  }
  EmitOptions emitOptions;
  mlir::Builder builder(&context);
  bool isDouble = recipe && recipe->dtype == "f64";
  mlir::Type element = isDouble ? builder.getF64Type() : builder.getF32Type();
  emitOptions.batch = roundBatch(*graph, request.batch, request.train, element, options);
  return emit(context, *graph, recipe ? &*recipe : nullptr, emitOptions, diagnostics);
}

std::optional<std::map<std::string, double>>
measureNetErrors(Frontend &frontend, Diagnostics &diagnostics, const CompileRequest &request,
                 const std::map<std::string, std::string> &algorithms, Device &cpu) {
  std::unique_ptr<mlir::MLIRContext> context = createContext();
  MlirDiagnostics handler(context.get(), diagnostics, &llvm::errs());
  CompileOptions options = compileOptions(request);
  mlir::OwningOpRef<mlir::ModuleOp> module =
      emitNet(*context, frontend, diagnostics, request, options);
  if (!module)
    return std::nullopt;
  if (llvm::Error error = runPhases(*module, Phase::Fused, options)) {
    report(std::move(error), diagnostics);
    return std::nullopt;
  }
  auto entry = module->lookupSymbol<mlir::func::FuncOp>(request.entries.front());
  auto errors = measureErrors(entry, algorithms, options, cpu);
  if (!errors) {
    report(errors.takeError(), diagnostics);
    return std::nullopt;
  }
  return std::move(*errors);
}

std::optional<Compilation> compileNet(Frontend &frontend, Diagnostics &diagnostics,
                                      const CompileRequest &request) {
  auto start = std::chrono::steady_clock::now();
  std::unique_ptr<mlir::MLIRContext> context = createContext();
  MlirDiagnostics handler(context.get(), diagnostics, &llvm::errs());
  CompileOptions options = compileOptions(request);
  mlir::OwningOpRef<mlir::ModuleOp> module =
      emitNet(*context, frontend, diagnostics, request, options);
  if (!module)
    return std::nullopt;
  std::string first;
  std::optional<mlir::ScopedDiagnosticHandler> quiet;
  if (request.refusal)
    quiet.emplace(context.get(), [&](mlir::Diagnostic &diagnostic) {
      if (first.empty() && diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
        first = diagnostic.str();
      return mlir::success();
    });
  llvm::Expected<RunnableNet> code = compileToRun(*module, options);
  quiet.reset();
  if (!code && request.refusal) {
    std::string why = llvm::toString(code.takeError());
    *request.refusal = first.empty() ? why : first;
    return std::nullopt;
  }
  if (!code) {
    report(code.takeError(), diagnostics);
    return std::nullopt;
  }
  Compilation result;
  result.fromCache = code->fromCache;
  result.net = std::move(code->net);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

} // namespace cnn::tool
