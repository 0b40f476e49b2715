// Runs the phases up to `fused`, tunes, prints the table, stores the result.
#include "compiler/tools/cnnc/Tune.h"
#include "compiler/tools/cnnc/Tuner.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "runtime/core/Status.h"
#include "runtime/train/Text.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace cnn;
using namespace cnn::tool;

static void print(const Tuner &tuner, int64_t seconds) {
  std::vector<std::vector<std::string>> rows = {
      {"layer", "the cost model's", "ms", "the best measured", "ms"}};
  for (const TunedLine &line : tuner.table())
    rows.push_back({line.layer, line.model, formatText("%.4f", line.modelTime), line.best,
                    formatText("%.4f", line.bestTime)});
  std::vector<int> widths(rows[0].size());
  for (const std::vector<std::string> &row : rows)
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], displayWidth(row[i]));
  for (const std::vector<std::string> &row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i)
      line += (i ? "  " : "") +
              (i == 2 || i == 4 ? padLeft(row[i], widths[i]) : padRight(row[i], widths[i]));
    llvm::outs() << line << "\n";
  }
  llvm::outs() << formatText("\na step: %.4f ms as the cost model chooses, ", tuner.modelStep);
  if (!tuner.differs)
    llvm::outs() << "and nothing else is faster\n";
  else
    llvm::outs() << formatText("%.4f ms with the best of each layer%s\n", tuner.bestStep,
                               tuner.isModel ? ": what the cost model chooses is kept" : "");
  if (const StoredChoice &layout = tuner.result().layout; !layout.choice.empty())
    llvm::outs() << "layout: " << layout.choice << " (" << layout.reason << ")\n";
  if (!tuner.skipped.empty()) {
    llvm::outs() << "not tried within " << seconds << " s: ";
    llvm::interleave(tuner.skipped, llvm::outs(), ", ");
    llvm::outs() << "\n";
  }
}

llvm::Error tool::tune(mlir::ModuleOp module, const PhaseOptions &given, int64_t seconds) {
  PhaseOptions phases = given;
  std::string name = phases.mode.value_or(Mode::Infer) == Mode::Train ? "train_step" : "infer";
  phases.entries = {name};
  if (llvm::Error error = runPhases(module, Phase::Fused, phases))
    return error;
  auto entry = module.lookupSymbol<mlir::func::FuncOp>(name);
  if (!entry)
    return llvm::createStringError("the net has no entry point '" + name + "'");
  if (tunedPath(module, entry, phases).empty())
    return llvm::createStringError("there is no folder to store what is measured in\n  hint: set "
                                   "CNNC_CACHE to one");
  Tuner tuner(module, entry, phases, seconds);
  if (llvm::Error error = tuner.run())
    return error;
  print(tuner, seconds);
  auto path = storeTuned(module, entry, phases, tuner.result());
  if (!path)
    return path.takeError();
  llvm::outs() << "stored: " << *path << "\n";
  return llvm::Error::success();
}
