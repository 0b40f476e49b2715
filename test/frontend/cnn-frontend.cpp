// The front end as a command, so that its tests need nothing behind it:
//   cnn-frontend registry
//   cnn-frontend check|ast|cnn|summary|recipe|rates FILE [--net N] [--recipe N] [--batch N] [--set
//   k=v]...
// Messages go to stderr, output to stdout; 1 when there were errors.
#include "compiler/frontend/Emit.h"
#include "compiler/frontend/Frontend.h"
#include "compiler/frontend/Initialiser.h"
#include "compiler/frontend/LearningRate.h"
#include "compiler/frontend/MlirDiagnostics.h"
#include "dialect/CnnDialect.h"
#include "dialect/Loss.h"
#include "dialect/Optimizer.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace cnn;

namespace {

llvm::cl::opt<std::string> mode(llvm::cl::Positional, llvm::cl::Required,
                                llvm::cl::desc("registry|check|ast|cnn|summary|recipe|rates"));
llvm::cl::opt<std::string> path(llvm::cl::Positional, llvm::cl::desc("FILE"));
llvm::cl::opt<std::string> net("net"), recipeName("recipe"), element("type");
llvm::cl::opt<int64_t> batch("batch"), depth("depth"), stepsPerEpoch("steps-per-epoch");
llvm::cl::list<std::string> sets("set");
llvm::cl::opt<bool> locations("locations");

/// One line for each entry of a registry: "layer conv channels kernel stride= padding= ...", with a
/// "=" behind arguments that may be left out.
template <typename Entries> void printEntries(llvm::StringRef kind, const Entries &entries) {
  for (const auto &entry : entries) {
    llvm::outs() << kind << " " << entry.name;
    for (const mlir::cnn::LayerArg &arg : entry.args)
      llvm::outs() << " " << arg.name << (arg.defaultValue || arg.optional ? "=" : "");
    llvm::outs() << "\n";
  }
}

int printSummary(const Graph &graph) {
  for (const SummaryRow &row : summarize(graph, depth, /*elementBytes=*/4))
    llvm::outs() << row.name << " | " << row.op << " | " << mlir::cnn::formatShape(row.output)
                 << " | " << row.params << " | " << row.flops << " | " << row.bytes << "\n";
  return 0;
}

int printRecipe(const Recipe &recipe) {
  llvm::outs() << recipe.name << " of " << recipe.net << ": data " << dataText(recipe.data.pipeline)
               << ", batch " << recipe.batch << ", epochs " << recipe.epochs << ", init "
               << recipe.init.def->name.str() << ", loss " << recipe.loss << ", "
               << recipe.optimizer.def->name;
  for (const mlir::cnn::LayerArg &arg : recipe.optimizer.def->args)
    llvm::outs() << " " << arg.name << " " << formatArgument(arg, recipe.optimizer.args);
  llvm::outs() << ", seed " << recipe.seed << ", shuffle " << recipe.shuffle << ", "
               << recipe.dtype;
  if (recipe.schedule.def != &getSchedules().front()) {
    llvm::outs() << ", " << recipe.schedule.def->name;
    for (const mlir::cnn::LayerArg &arg : recipe.schedule.def->args)
      if (recipe.schedule.args.has(arg.name))
        llvm::outs() << " " << arg.name << " " << formatArgument(arg, recipe.schedule.args);
  }
  llvm::outs() << "\n";
  return 0;
}

/// The learning rate of every step.
int printRates(const Recipe &recipe) {
  for (int64_t step = 0; step < recipe.epochs * stepsPerEpoch; ++step)
    llvm::outs() << llvm::format("%.17g\n",
                                 recipe.schedule.def->rateAt(recipe.schedule.args,
                                                             recipe.optimizer.args.getFloat("lr"),
                                                             {step, stepsPerEpoch, recipe.epochs}));
  return 0;
}

int emitModule(Frontend &frontend, const Graph &graph, Diagnostics &diagnostics) {
  mlir::MLIRContext context;
  context.loadDialect<mlir::cnn::CnnDialect, mlir::func::FuncDialect>();
  MlirDiagnostics handler(&context, diagnostics);
  std::optional<Recipe> recipe;
  if (frontend.hasRecipe(recipeName, graph.net))
    if (!(recipe = frontend.recipe(recipeName, graph.net)))
      return 1;
  EmitOptions options;
  options.batch = batch;
  options.elementType = element;
  auto module = emit(context, graph, recipe ? &*recipe : nullptr, options, diagnostics);
  if (!module)
    return 1;
  mlir::OpPrintingFlags flags;
  flags.printNameLocAsPrefix();
  if (locations)
    flags.enableDebugInfo();
  module->print(llvm::outs(), flags);
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  llvm::cl::ParseCommandLineOptions(argc, argv);
  if (mode == "registry") {
    printEntries("layer", mlir::cnn::getLayers());
    printEntries("loss", mlir::cnn::getLosses());
    printEntries("optimizer", mlir::cnn::getOptimizers());
    printEntries("schedule", getSchedules());
    printEntries("init", getInitialisers());
    return 0;
  }
  Diagnostics diagnostics(&llvm::errs());
  std::unique_ptr<Frontend> frontend = Frontend::open(path, sets, diagnostics);
  if (!frontend)
    return 1;
  if (mode == "check")
    return !frontend->check();
  if (mode == "ast") {
    ast::print(frontend->file(), diagnostics, llvm::outs());
    return 0;
  }
  if (mode == "recipe" || mode == "rates") {
    std::optional<Recipe> recipe = frontend->recipe(recipeName, net);
    if (!recipe)
      return 1;
    return mode == "recipe" ? printRecipe(*recipe) : printRates(*recipe);
  }
  std::unique_ptr<Graph> graph = frontend->elaborate(net, recipeName);
  if (!graph)
    return 1;
  return mode == "summary" ? printSummary(*graph) : emitModule(*frontend, *graph, diagnostics);
}
