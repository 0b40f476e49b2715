// cnn-sink-relu: on the way to phase `grad`, before cnn-differentiate. In: networks. Out: the same,
// with rectifiers that only a max pooling reads behind that pooling: fewer elements to rectify, and
// in training nothing in full size to keep for the gradient.
//
// It is exact. max(relu(x)) = relu(max(x)), also with NaN, which wins in both. The gradient goes to
// the first largest element: where that is positive it is the same one in both; where none is
// positive, the rectifier's gradient is zero.

#include "compiler/transforms/Decision.h"
#include "compiler/transforms/LayerName.h"
#include "compiler/transforms/Passes.h"
#include "dialect/CnnDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::cnn {
#define GEN_PASS_DEF_SINKRELUPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

static constexpr llvm::StringLiteral flag = "cnn-sink-relu";

namespace {
class SinkReluPass : public mlir::cnn::impl::SinkReluPassBase<SinkReluPass> {
  void runOnOperation() override {
    SmallVector<MaxPoolOp> pools;
    getOperation().walk([&](MaxPoolOp pool) { pools.push_back(pool); });
    for (MaxPoolOp pool : pools)
      sink(pool);
  }

  void sink(MaxPoolOp pool) {
    auto relu = pool.getInput().getDefiningOp<ReluOp>();
    if (!relu || pool.getWithPositions())
      return;
    if (!relu->hasOneUse()) {
      noteDecision(relu, flag, "NotSunk", /*missed=*/true,
                   "'" + getLayerName(relu) + "' stays before '" + getLayerName(pool) +
                       "': its result is used elsewhere, too");
      return;
    }
    OpBuilder b(pool);
    b.setInsertionPointAfter(pool);
    pool.getInputMutable().assign(relu.getInput());
    auto sunk = ReluOp::create(b, relu.getLoc(), pool.getResult());
    pool.getResult().replaceAllUsesExcept(sunk, sunk);
    noteDecision(sunk, flag, "Sunk", /*missed=*/false,
                 "'" + getLayerName(relu) + "' behind '" + getLayerName(pool) + "'");
    relu.erase();
    ++numSunk;
  }
};
} // namespace
