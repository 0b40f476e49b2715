//===- ChainOrder.h - The order of the rows of multiply-adds ---------------------------------===//

#ifndef CNNC_COMPILER_CPU_CHAINORDER_H
#define CNNC_COMPILER_CPU_CHAINORDER_H

#include "compiler/cpu/TileRows.h"

#include <map>
#include <optional>
#include <vector>

namespace mlir::cnn {

/// Finds the order in which the rows of multiply-adds that follow each other are made, so that few
/// loaded vectors are alive at a time: one operation after the other, or along the addresses of one
/// operand.
class ChainOrder {
public:
  ChainOrder(const TileRows &rows, ArrayRef<Operation *> ops) : rows(rows), ops(ops) {}

  /// One row of one of the operations.
  struct Step {
    unsigned op;
    int64_t row;
  };
  using Steps = SmallVector<Step>;
  Steps getSteps();

private:
  SmallVector<int64_t> chooseOrder(Operation *op);
  void addLoads(Value tile, int64_t numRows, unsigned depth, SmallVectorImpl<TileLoadOp> &loads);
  std::pair<int64_t, int64_t> getLoaded(Value tile, int64_t row);
  std::optional<Steps> orderByAddress(unsigned operand);
  int64_t countRegisters(ArrayRef<Step> steps);

  const TileRows &rows;
  ArrayRef<Operation *> ops;
  /// Numbers the buffers and variable parts of addresses.
  std::map<std::vector<std::pair<void *, int64_t>>, int64_t> addressForms;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_CPU_CHAINORDER_H
