//===- ChainOrder.cpp - The order of the rows of multiply-adds -------------------------------===//

#include "compiler/cpu/ChainOrder.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace mlir::cnn;

/// Collects the loads whose rows those of `tile` are computed from.
void ChainOrder::addLoads(Value tile, int64_t numRows, unsigned depth,
                          SmallVectorImpl<TileLoadOp> &loads) {
  auto type = dyn_cast<VectorType>(tile.getType());
  Operation *op = tile.getDefiningOp();
  if (!type || !op || depth == 0 || getNumRows(type) != numRows)
    return;
  if (auto load = dyn_cast<TileLoadOp>(op))
    loads.push_back(load);
  else if (OpTrait::hasElementwiseMappableTraits(op))
    for (Value operand : op->getOperands())
      addLoads(operand, numRows, depth - 1, loads);
}

/// The order in which the rows of a multiply-add are made. Of the loads that several rows share,
/// the one with the most distinct vectors goes outermost: each is needed for a few rows in
/// succession, and the few vectors of the others stay in registers.
SmallVector<int64_t> ChainOrder::chooseOrder(Operation *op) {
  const int64_t numRows = getNumRows(cast<VectorType>(op->getResult(0).getType()));
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, numRows));
  SmallVector<TileLoadOp> loads;
  for (Value operand : op->getOperands())
    addLoads(operand, numRows, /*depth=*/4, loads);
  MachineAccess *outermost = nullptr;
  for (TileLoadOp load : loads) {
    MachineAccess *access = rows.getAccess(load.getResult());
    if (access->getNumSlots() < numRows &&
        (!outermost || access->getNumSlots() > outermost->getNumSlots()))
      outermost = access;
  }
  if (outermost)
    llvm::sort(order, [&](int64_t lhs, int64_t rhs) {
      ArrayRef<int64_t> slots = outermost->getSlots();
      return std::make_pair(slots[lhs], lhs) < std::make_pair(slots[rhs], rhs);
    });
  return order;
}

/// What a row of `tile` is loaded from, as a number of the variable part of its address and the
/// constant part; {-1, ...} with a number of its own where the tile is no plain load.
std::pair<int64_t, int64_t> ChainOrder::getLoaded(Value tile, int64_t row) {
  auto load = tile.getDefiningOp<TileLoadOp>();
  if (!load)
    return {-1, row};
  MachineAccess &access = *rows.getAccess(tile);
  std::vector<std::pair<void *, int64_t>> form = {{access.getBuffer().getAsOpaquePointer(), 0}};
  for (auto [value, factor] : access.getTerms())
    form.push_back({value.getAsOpaquePointer(), factor});
  llvm::sort(llvm::drop_begin(form));
  if (access.isGuarded()) // equal addresses need not be equal values
    form.push_back({load.getOperation(), 0});
  int64_t number = addressForms.try_emplace(std::move(form), addressForms.size()).first->second;
  return {number, access.getOffset(row)};
}

/// The steps in the order of the addresses that `operand` is loaded from, so that a window that
/// slides over a row loads each element once; none where that is not possible or changes the order
/// of additions.
std::optional<ChainOrder::Steps> ChainOrder::orderByAddress(unsigned operand) {
  SmallVector<std::pair<int64_t, Step>> keyed;
  std::optional<int64_t> form;
  for (auto [at, op] : llvm::enumerate(ops))
    for (int64_t row = 0; row < getNumRows(cast<VectorType>(op->getResult(0).getType())); ++row) {
      auto [number, offset] = getLoaded(op->getOperand(operand), row);
      if (number < 0 || (form && *form != number))
        return std::nullopt;
      form = number;
      keyed.push_back({offset, {static_cast<unsigned>(at), row}});
    }
  llvm::sort(keyed, [](const auto &lhs, const auto &rhs) {
    return std::tie(lhs.first, lhs.second.op, lhs.second.row) <
           std::tie(rhs.first, rhs.second.op, rhs.second.row);
  });
  llvm::SmallDenseSet<std::pair<void *, int64_t>> made;
  Steps steps;
  for (auto [offset, step] : keyed) {
    for (Value source : ops[step.op]->getOperands())
      if (Operation *def = source.getDefiningOp();
          llvm::is_contained(ops, def) && !made.contains({def, step.row}))
        return std::nullopt;
    made.insert({ops[step.op], step.row});
    steps.push_back(step);
  }
  return steps;
}

/// The most loaded vectors that are alive at once when the multiply-adds run in this order.
int64_t ChainOrder::countRegisters(ArrayRef<Step> steps) {
  std::map<std::pair<int64_t, int64_t>, std::pair<size_t, size_t>> lives;
  for (auto [at, step] : llvm::enumerate(steps))
    for (Value source : ops[step.op]->getOperands().take_front(2)) {
      auto loaded = getLoaded(source, step.row);
      if (loaded.first >= 0)
        lives.try_emplace(loaded, at, at).first->second.second = at;
    }
  SmallVector<int64_t> changes(steps.size() + 1, 0);
  for (auto [loaded, life] : lives) {
    ++changes[life.first];
    --changes[life.second + 1];
  }
  int64_t alive = 0, most = 0;
  for (int64_t change : changes)
    most = std::max(most, alive += change);
  return most;
}

ChainOrder::Steps ChainOrder::getSteps() {
  Steps best;
  for (auto [at, op] : llvm::enumerate(ops))
    for (int64_t row : chooseOrder(op))
      best.push_back({static_cast<unsigned>(at), row});
  if (ops.size() > 1) {
    int64_t fewest = countRegisters(best);
    for (unsigned operand : {0, 1})
      if (auto steps = orderByAddress(operand))
        if (int64_t count = countRegisters(*steps); count < fewest) {
          fewest = count;
          best = std::move(*steps);
        }
  }
  return best;
}
