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

/// `batch` rounded up to whole vectors of `element` on this machine's CPU, where it fills at least
/// one and nobody asked for a layout: then the batch can lie innermost, and a step takes a fraction
/// of the time although it computes a few images for nothing (100 images of LeNet: 1.3 ms
/// against 4.2).
static int64_t roundBatch(int64_t batch, mlir::Type element, const CompileOptions &options) {
  for (const auto &[key, value] : options.settings)
    if (key == "schedule.layout")
      return batch;
  if (options.target == TargetKind::Nvptx)
    return batch;
  mlir::Location nowhere = mlir::UnknownLoc::get(element.getContext());
  auto machine = mlir::cnn::Machine::get(options.cpu, [&] { return mlir::emitError(nowhere); });
  if (failed(machine))
    return batch; // and compile() fails
  int64_t lanes = machine->getLanes(element);
  return batch < lanes ? batch : llvm::alignTo(batch, lanes);
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
  emitOptions.batch = roundBatch(
      request.batch, isDouble ? mlir::Type(builder.getF64Type()) : builder.getF32Type(), options);
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
