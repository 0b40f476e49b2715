//===- Optimizer.cpp - The registry of optimizers --------------------------------------------===//
//
// Collects the OptimizerDefs of all operations that have a static `getOptimizers()`: the list of
// operations is the generated one, so nothing is listed here.
//
//===--------------------------------------------------------------------------------------------===//

#include "dialect/CnnDialect.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace mlir::cnn;

namespace {
template <typename Op> void collect(std::vector<OptimizerDef> &optimizers) {
  if constexpr (requires { Op::getOptimizers(); })
    for (OptimizerDef &optimizer : Op::getOptimizers())
      optimizers.push_back(std::move(optimizer));
}

template <typename... Ops> std::vector<OptimizerDef> collectAll() {
  std::vector<OptimizerDef> optimizers;
  (collect<Ops>(optimizers), ...);
  return optimizers;
}
} // namespace

ArrayRef<OptimizerDef> mlir::cnn::getOptimizers() {
  static const std::vector<OptimizerDef> optimizers = collectAll<
#define GET_OP_LIST
#include "dialect/CnnOps.cpp.inc"
      >();
  return optimizers;
}

ArrayRef<StringRef> mlir::cnn::getStepInputs() {
  static const SmallVector<StringRef> names = [] {
    llvm::SmallSetVector<StringRef, 16> all;
    all.insert_range(ArrayRef<StringRef>{"labels", "rows", "seed", "seed_high", "step"});
    for (const OptimizerDef &optimizer : getOptimizers())
      all.insert_range(optimizer.scalars(optimizer.flags));
    return all.takeVector();
  }();
  return names;
}

const OptimizerDef *mlir::cnn::findOptimizer(StringRef name) {
  for (const OptimizerDef &optimizer : getOptimizers())
    if (optimizer.name == name)
      return &optimizer;
  return nullptr;
}

void mlir::cnn::checkRange(const LayerArgs &args, StringRef name, bool (*valid)(double),
                           StringRef range, SmallVectorImpl<LayerProblem> &problems) {
  double value = args.getFloat(name);
  if (valid(value))
    return;
  LayerProblem &problem = problems.emplace_back();
  problem.arg = name;
  llvm::raw_string_ostream(problem.message)
      << "'" << name << "' is " << range << ", not " << llvm::format("%g", value);
}
