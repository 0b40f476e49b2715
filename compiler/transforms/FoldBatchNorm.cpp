// cnn-fold-batch-norm: on the way to phase `fused`, before cnn-decompose. In: entry points with
// batch normalisation by running statistics. Out: convolutions and linear layers that normalise.

#include "compiler/transforms/Decision.h"
#include "compiler/transforms/LayerName.h"
#include "compiler/transforms/Passes.h"
#include "dialect/CnnDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::cnn {
#define GEN_PASS_DEF_FOLDBATCHNORMPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

static constexpr llvm::StringLiteral flag = "cnn-fold-batch-norm";

/// The weight of a layer that is linear in it and whose outputs are its rows; null for others.
static Value getWeight(Operation *layer) {
  if (auto conv = dyn_cast_or_null<ConvOp>(layer))
    return conv.getWeight();
  if (auto linear = dyn_cast_or_null<LinearOp>(layer))
    return linear.getWeight();
  return {};
}

/// Why `norm` stays as it is, or an empty string.
static std::string getObstacle(BatchNormOp norm) {
  Operation *layer = norm.getInput().getDefiningOp();
  if (!getWeight(layer))
    return "its input is not the result of a convolution or a linear layer";
  if (!norm.getInput().hasOneUse())
    return "the result of '" + getLayerName(layer) + "' is used elsewhere, too";
  return "";
}

static void fold(BatchNormOp norm) {
  Operation *layer = norm.getInput().getDefiningOp();
  OpBuilder b(norm);
  Location loc = norm.getLoc();
  Value weight = ScaledWeightOp::create(b, loc, getWeight(layer), norm.getWeight(),
                                        norm.getVariance(), norm.getEpsilonAttr());
  Value old = layer->getNumOperands() > 2 ? layer->getOperand(2) : Value();
  Value shift = old ? SubOp::create(b, loc, old, norm.getMean()).getResult()
                    : NegOp::create(b, loc, norm.getMean()).getResult();
  Value scaled = ScaledWeightOp::create(b, loc, shift, norm.getWeight(), norm.getVariance(),
                                        norm.getEpsilonAttr());
  Value bias = AddOp::create(b, loc, scaled, norm.getBias());
  Operation *folded = b.clone(*layer);
  folded->setOperands({layer->getOperand(0), weight, bias});
  noteDecision(folded, flag, "Folded", /*missed=*/false,
               "'" + getLayerName(norm) + "' is folded into its weight");
  norm.replaceAllUsesWith(folded->getResult(0));
  norm.erase();
  layer->erase();
}

namespace {
class FoldBatchNormPass : public mlir::cnn::impl::FoldBatchNormPassBase<FoldBatchNormPass> {
  void runOnOperation() override {
    // Outside of training they only hide which layer a normalisation follows.
    getOperation().walk([&](DropoutOp dropout) {
      dropout.replaceAllUsesWith(dropout.getInput());
      dropout.erase();
    });
    SmallVector<BatchNormOp> norms;
    getOperation().walk([&](BatchNormOp norm) { norms.push_back(norm); });
    for (BatchNormOp norm : norms) {
      if (std::string obstacle = getObstacle(norm); !obstacle.empty()) {
        noteDecision(norm, flag, "NotFolded", /*missed=*/true,
                     "'" + getLayerName(norm) + "' is not folded: " + obstacle);
        continue;
      }
      fold(norm);
      ++numFolded;
    }
  }
};
} // namespace
