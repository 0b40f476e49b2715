// cnn-recompute: on the way to phase `fused`, behind cnn-decompose. In: training steps, and in
// `cnn.recompute` of the module what the recipe has computed again. Out: the backward pass reads
// copies of those operations in place of what the forward pass has computed, which then need not be
// kept. The copies are marked, so that they stay apart and run late.
//
// The forward pass is what stands in front of the loss and is the loss; all behind it is the
// backward pass.

#include "dialect/Recompute.h"
#include "compiler/transforms/Decision.h"
#include "compiler/transforms/LayerName.h"
#include "compiler/transforms/NestFacts.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/ReverseMode.h"
#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"

namespace mlir::cnn {
#define GEN_PASS_DEF_RECOMPUTEPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

static constexpr llvm::StringLiteral flag = "cnn-recompute";

/// Values with fewer elements than this part of the largest are not worth the trouble: they are
/// kept, such as the statistics of a normalisation.
static constexpr int64_t smallPart = 256;

namespace {

/// What one training step keeps and what it computes again.
class Recomputation {
public:
  /// `labels`: the blocks and layers to compute again; none: whatever is cheap.
  Recomputation(func::FuncOp step, Operation *loss, ArrayRef<StringRef> labels)
      : step(step), loss(loss), labels(labels) {}

  /// Returns how many operations were added.
  unsigned run();

private:
  bool isForward(Operation *op) const { return op == loss || op->isBeforeInBlock(loss); }
  bool isLarge(Value value) const {
    return getTensor(value).getNumElements() * smallPart >= largest;
  }
  /// The label of what the operation belongs to, the innermost one; empty: none.
  StringRef getRegion(Operation *op) const;
  /// Whether the backward pass can have a copy of `value`, which the forward pass computes.
  bool isComputedAgain(Value value);
  /// Whether an operation of the forward pass gives the value: neither an input nor the state.
  bool isForwardResult(Value value) const {
    Operation *op = value.getDefiningOp();
    return op && !isa<ReadOp>(op) && isForward(op);
  }
  bool isCheap(Value value);
  bool isDrawn(Value value);
  Value getCopy(Value value, OpBuilder &b);
  std::string getReason(Operation *op) const;

  func::FuncOp step;
  Operation *loss;
  ArrayRef<StringRef> labels;
  int64_t largest = 0;
  /// What the backward pass reads of the forward pass.
  llvm::SetVector<Value> needed;
  llvm::DenseMap<Value, bool> again;
  IRMapping copies;
  unsigned added = 0;
};

class RecomputePass : public mlir::cnn::impl::RecomputePassBase<RecomputePass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    Attribute asked = module->removeAttr(recomputeAttr);
    if (!asked)
      return;
    SmallVector<StringRef> labels;
    auto list = dyn_cast<ArrayAttr>(asked);
    if (list)
      for (Attribute label : list)
        if (auto text = dyn_cast<StringAttr>(label); text && !text.empty())
          labels.push_back(text.getValue());
    auto word = dyn_cast<StringAttr>(asked);
    if (list ? labels.size() != list.size() || labels.empty()
             : !word || word.getValue() != recomputeCheap) {
      module.emitError() << recomputeAttr << " is \"" << recomputeCheap
                         << "\" or a list of the names of blocks, not " << asked;
      return signalPassFailure();
    }
    for (auto entry : module.getOps<func::FuncOp>()) {
      if (entry.getName() != "train_step" || entry.isExternal())
        continue;
      Operation *loss = entry.front().getTerminator()->getOperand(0).getDefiningOp();
      if (loss)
        numRecomputed += Recomputation(entry, loss, labels).run();
    }
  }
};
} // namespace

StringRef Recomputation::getRegion(Operation *op) const {
  StringRef name = getLocName(op->getLoc()), found;
  for (StringRef label : labels) {
    StringRef rest = name;
    if (rest.consume_front(label) && (rest.empty() || rest.starts_with(".")) &&
        label.size() > found.size())
      found = label;
  }
  return found;
}

/// Whether the value is computed point by point of nothing large (a random mask), or of one large
/// value that is there anyway.
bool Recomputation::isCheap(Value value) {
  auto nest = value.getDefiningOp<NestOpInterface>();
  if (!nest || !NestFacts(nest).pointwise)
    return false;
  SmallVector<Value> large;
  for (Value operand : nest->getOperands())
    if (isLarge(operand) && !isDrawn(operand))
      large.push_back(operand);
  if (large.size() != 1)
    return large.empty();
  return !isForwardResult(large[0]) || needed.contains(large[0]) || isComputedAgain(large[0]);
}

/// Whether nothing large is read to compute the value.
bool Recomputation::isDrawn(Value value) {
  auto nest = value.getDefiningOp<NestOpInterface>();
  return nest && NestFacts(nest).pointwise &&
         llvm::none_of(nest->getOperands(), [&](Value operand) { return isLarge(operand); });
}

bool Recomputation::isComputedAgain(Value value) {
  Operation *op = value.getDefiningOp();
  if (!isForwardResult(value) || !isMemoryEffectFree(op) || !isLarge(value))
    return false;
  if (auto found = again.find(value); found != again.end())
    return found->second;
  bool result = false;
  if (labels.empty()) {
    result = isCheap(value);
  } else if (StringRef region = getRegion(op); !region.empty()) {
    // What leaves the block is where the next one starts from.
    result = llvm::all_of(value.getUsers(), [&](Operation *user) {
      return !isForward(user) || getRegion(user) == region;
    });
  }
  return again[value] = result;
}

std::string Recomputation::getReason(Operation *op) const {
  return "computed again for the backward pass: the recipe does not keep what " +
         (labels.empty() ? "is cheap to compute" : "is inside of '" + getRegion(op).str() + "'");
}

Value Recomputation::getCopy(Value value, OpBuilder &b) {
  if (!isComputedAgain(value))
    return value;
  if (Value known = copies.lookupOrNull(value))
    return known;
  Operation *op = value.getDefiningOp();
  for (Value operand : op->getOperands())
    copies.map(operand, getCopy(operand, b));
  Operation *copy = b.clone(*op, copies);
  copy->setAttr(recomputedAttr, b.getUnitAttr());
  copy->setLoc(renameLoc(op->getLoc(), getLayerName(op) + ".recompute"));
  takeDecisions(copy);
  noteDecision(copy, flag, "Recomputed", /*missed=*/false, getReason(op));
  ++added;
  return copies.lookup(value);
}

unsigned Recomputation::run() {
  Block &block = step.front();
  for (Operation &op : block) {
    if (isForward(&op)) {
      for (Value result : op.getResults())
        if (isForwardResult(result))
          largest = std::max(largest, getTensor(result).getNumElements());
      continue;
    }
    for (Value operand : op.getOperands())
      if (isForwardResult(operand))
        needed.insert(operand);
  }
  int64_t before = 0, kept = 0;
  for (Value value : needed) {
    int64_t bytes =
        getTensor(value).getNumElements() * getElementTypeOrSelf(value).getIntOrFloatBitWidth() / 8;
    before += bytes;
    kept += isComputedAgain(value) ? 0 : bytes;
  }
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (isForward(&op) || op.hasAttr(recomputedAttr))
      continue;
    OpBuilder b(&op);
    for (OpOperand &operand : op.getOpOperands())
      operand.set(getCopy(operand.get(), b));
  }
  eraseDeadOps(block);
  remark::analysis(step.getLoc(), remark::RemarkOpts::name("Kept").category(flag))
      << llvm::formatv("{0}: {1} of {2} bytes are kept for the backward pass, {3} operations are "
                       "computed again",
                       step.getName(), kept, before, added)
             .str();
  return added;
}
