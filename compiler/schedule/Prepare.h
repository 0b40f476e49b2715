//===- Prepare.h - What depends on the parameters only ----------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_PREPARE_H
#define CNNC_COMPILER_SCHEDULE_PREPARE_H

#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"

namespace mlir::cnn {

/// The values of an entry point that depend on the state and on literals only, so that
/// `cnn-prepare` computes them once. None where the entry point writes state: there every step has
/// another state.
class PreparedValues {
public:
  explicit PreparedValues(func::FuncOp entry);
  bool contains(Value value) const { return values.contains(value); }

private:
  llvm::DenseSet<Value> values;
};

} // namespace mlir::cnn

#endif
