// Reverse-mode differentiation: from the last operation to the first, each operation turns the
// gradients of its results into those of its operands; gradients that meet in one value are added.

#include "compiler/transforms/ReverseMode.h"
#include "compiler/transforms/LayerName.h"
#include "dialect/CnnDialect.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::cnn;

static bool isFloat(Value value) { return isa<FloatType>(getElementTypeOrSelf(value)); }

namespace {
/// Notes the operations that a gradient consists of.
struct Recorder : OpBuilder::Listener {
  void notifyOperationInserted(Operation *op, OpBuilder::InsertPoint) override { ops.insert(op); }
  llvm::SetVector<Operation *> ops;
};

/// The gradients so far, value by value.
class ReverseMode {
public:
  ReverseMode(OpBuilder &builder, ReverseModeCounts &counts) : b(builder), counts(counts) {}

  /// Finds the operations that depend on the sources, in order.
  void findVarying(Block &block, ArrayRef<Value> sources) {
    varying.insert(sources.begin(), sources.end());
    for (Operation &op : block) {
      if (!llvm::any_of(op.getOperands(), [&](Value v) { return varying.contains(v); }))
        continue;
      order.push_back(&op);
      for (Value result : op.getResults())
        if (isFloat(result))
          varying.insert(result);
    }
  }

  void accumulate(Value value, Value gradient, Location loc) {
    Value &sum = gradients[value];
    sum = sum ? AddOp::create(b, loc, sum, gradient).getResult() : gradient;
  }

  LogicalResult run() {
    for (Operation *op : llvm::reverse(order))
      if (failed(differentiate(op)))
        return failure();
    return success();
  }

  Value get(Value value) const { return gradients.lookup(value); }

private:
  LogicalResult differentiate(Operation *op) {
    SmallVector<Value> given;
    for (Value result : op->getResults())
      given.push_back(gradients.lookup(result));
    if (llvm::none_of(given, [](Value v) { return v != nullptr; }))
      return success();
    auto backward = dyn_cast<BackwardOpInterface>(op);
    if (!backward)
      return op->emitError() << "layer '" << getLayerName(op) << "' has no gradient: operation '"
                             << op->getName() << "' cannot be differentiated";
    SmallVector<bool> needed;
    for (Value operand : op->getOperands())
      needed.push_back(varying.contains(operand));

    Recorder recorder;
    b.setListener(&recorder);
    SmallVector<Value> computed = backward.buildBackward(b, given, needed);
    b.setListener(nullptr);
    nameNewOps(op, computed, recorder.ops);
    ++counts.forward;
    counts.backward += recorder.ops.size();
    for (auto [index, operand] : llvm::enumerate(op->getOperands()))
      if (needed[index] && computed[index])
        accumulate(operand, computed[index],
                   renameLoc(op->getLoc(), getLayerName(op) + ".backward"));
    return success();
  }

  /// Whether `value` is a tensor of the state; then `tensor` is what follows the layer in its name.
  static bool isState(Value value, StringRef &tensor) {
    auto read = value.getDefiningOp<ReadOp>();
    if (read)
      tensor = read.getParam().rsplit('.').second;
    return read != nullptr;
  }

  /// Locates new operations at the layer, and names them after the gradient they are part of. An
  /// operation that was put before the layer (a forward pass that also saves positions) is the
  /// layer.
  void nameNewOps(Operation *layer, ArrayRef<Value> computed, llvm::SetVector<Operation *> &ops) {
    StringRef tensor;
    bool hasState = llvm::any_of(layer->getOperands(), [&](Value v) { return isState(v, tensor); });
    std::string name = getLayerName(layer);
    llvm::SmallPtrSet<Operation *, 8> named;
    auto rename = [&](Operation *op, const Twine &suffix) {
      bool forward = op->getBlock() == layer->getBlock() && op->isBeforeInBlock(layer);
      op->setLoc(forward ? layer->getLoc() : renameLoc(layer->getLoc(), name + suffix));
    };
    for (auto [operand, gradient] : llvm::zip(layer->getOperands(), computed)) {
      if (!gradient)
        continue;
      std::string suffix = hasState ? ".data_grad" : ".backward";
      if (isState(operand, tensor))
        suffix = ("." + (tensor.empty() ? StringRef("state") : tensor) + "_grad").str();
      SmallVector<Operation *> pending = {gradient.getDefiningOp()};
      while (!pending.empty()) {
        Operation *op = pending.pop_back_val();
        if (!op || !ops.contains(op) || !named.insert(op).second)
          continue;
        rename(op, suffix);
        for (Value input : op->getOperands())
          pending.push_back(input.getDefiningOp());
      }
    }
    for (Operation *op : ops)
      if (!named.contains(op))
        rename(op, ".backward");
  }

  OpBuilder &b;
  ReverseModeCounts &counts;
  llvm::DenseSet<Value> varying;
  SmallVector<Operation *> order;
  llvm::DenseMap<Value, Value> gradients;
};
} // namespace

FailureOr<SmallVector<Value>> mlir::cnn::buildGradients(OpBuilder &builder, Block &block,
                                                        ArrayRef<std::pair<Value, Value>> seeds,
                                                        ArrayRef<Value> sources,
                                                        ReverseModeCounts &counts) {
  ReverseMode mode(builder, counts);
  mode.findVarying(block, sources);
  for (auto [value, gradient] : seeds)
    mode.accumulate(value, gradient, gradient.getLoc());
  if (failed(mode.run()))
    return failure();
  SmallVector<Value> result;
  for (Value source : sources)
    result.push_back(mode.get(source));
  return result;
}

void mlir::cnn::eraseDeadOps(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isOpTriviallyDead(&op))
      op.erase();
}
