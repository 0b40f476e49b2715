// A dump is known by its attribute `cnn.phase` or its extension; everything else is a .cnn file.
#include "compiler/tools/cnnc/Input.h"
#include "compiler/frontend/Emit.h"
#include "compiler/frontend/Frontend.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

using namespace cnn;
using namespace cnn::tool;

static llvm::Error reported() { return llvm::createStringError(""); }

static bool isDump(llvm::StringRef path, llvm::StringRef text) {
  return path.ends_with(".mlir") || (!path.ends_with(".cnn") && text.contains("cnn.phase"));
}

/// Options that come too late for a dump: what they decide stands in it already.
static llvm::Error checkDump(mlir::ModuleOp module, const Options &options) {
  auto phase = getPhase(module);
  if (!phase)
    return phase.takeError();
  auto late = [&](llvm::StringRef option, llvm::StringRef why, llvm::StringRef before) {
    return llvm::createStringError(options.input + ": " + option.str() +
                                   " comes too late for a dump of phase '" +
                                   phaseName(*phase).str() + "': " + why.str() +
                                   "\n  hint: leave it out, or begin with " + before.str());
  };
  if (!options.net.empty() && options.net != module.getSymName().value_or(""))
    return late("--net=" + options.net,
                "it holds net '" + module.getSymName().value_or("").str() + "'", "the .cnn file");
  if (options.batch)
    return late("--batch=" + std::to_string(options.batch), "its shapes are fixed",
                "the .cnn file");
  if (!options.element.empty())
    return late("--element=" + options.element, "its types are fixed", "the .cnn file");
  bool hasEntries = *phase >= Phase::Grad && *phase != Phase::Llvm && *phase != Phase::Nvvm;
  if (hasEntries && options.phases.mode) {
    bool trains = module.lookupSymbol("train_step") != nullptr;
    if (trains != (*options.phases.mode == Mode::Train))
      return late(trains ? "--mode=infer" : "--mode=train",
                  trains ? "its entry points are those of training"
                         : "it has no entry point that trains",
                  "a dump of phase 'cnn'");
  }
  if (*phase >= Phase::Grad && !options.recipe.empty())
    return late("--recipe=" + options.recipe, "its entry points are made", "a dump of phase 'cnn'");
  if (*phase >= Phase::Fused && !options.phases.fuse)
    return late("--no-fusion", "its operations are in groups", "a dump of phase 'grad' or before");
  return llvm::Error::success();
}

static llvm::Expected<Input> readDump(mlir::MLIRContext &context, const Options &options,
                                      std::unique_ptr<llvm::MemoryBuffer> buffer,
                                      Diagnostics &diagnostics) {
  for (const std::string &setting : options.settings) {
    if (!isScheduleSetting(setting))
      return llvm::createStringError("--set " + setting +
                                     ": of a dump only the schedule can be set\n  hint: "
                                     "schedule.KEY=VALUE, in a dump before phase 'scheduled'");
    if (!addScheduleSetting(setting, diagnostics))
      return reported();
  }
  if (options.emit == Phase::Ast)
    return llvm::createStringError("phase 'ast' can only be made from a .cnn file");
  llvm::StringRef name = options.input == "-" ? "<stdin>" : llvm::StringRef(options.input);
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBuffer(buffer->getBuffer(), name, /*RequiresNullTerminator=*/false),
      llvm::SMLoc());
  Input input;
  input.module = mlir::parseSourceFile<mlir::ModuleOp>(sources, &context);
  if (!input.module)
    return reported();
  if (llvm::Error error = checkDump(*input.module, options))
    return error;
  return input;
}

static llvm::Expected<Input> readNet(mlir::MLIRContext &context, const Options &options,
                                     Diagnostics &diagnostics, llvm::StringRef text) {
  std::unique_ptr<Frontend> frontend =
      options.input == "-" ? Frontend::openText("<stdin>", text, options.settings, diagnostics)
                           : Frontend::open(options.input, options.settings, diagnostics);
  if (!frontend)
    return reported();
  Input input;
  llvm::raw_string_ostream tree(input.tree);
  print(frontend->file(), diagnostics, tree);
  if (options.emit == Phase::Ast)
    return input;
  std::unique_ptr<Graph> graph = frontend->elaborate(options.net, options.recipe);
  if (!graph)
    return reported();
  std::optional<Recipe> recipe;
  Mode mode = options.phases.mode.value_or(Mode::Infer);
  if (mode == Mode::Train || !options.recipe.empty()) {
    recipe = frontend->recipe(options.recipe, graph->net);
    if (!recipe)
      return reported();
  }
  EmitOptions emitOptions;
  emitOptions.batch = options.batch;
  emitOptions.elementType = options.element;
  input.module = emit(context, *graph, recipe ? &*recipe : nullptr, emitOptions, diagnostics);
  if (!input.module)
    return reported();
  setPhase(*input.module, Phase::Cnn);
  return input;
}

llvm::Expected<Input> tool::readInput(mlir::MLIRContext &context, const Options &options,
                                      Diagnostics &diagnostics) {
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(options.input);
  if (!buffer)
    return llvm::createStringError(options.input +
                                   ": cannot be read: " + buffer.getError().message());
  if (isDump(options.input, (*buffer)->getBuffer()))
    return readDump(context, options, std::move(*buffer), diagnostics);
  return readNet(context, options, diagnostics, (*buffer)->getBuffer());
}
