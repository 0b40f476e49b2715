// f(reshape(x), y) -> reshape(f(x, reshape(y))): a flatten between a convolution and its activation
// then stands behind both, where it is a view of the group's result.

#include "compiler/transforms/SinkReshapes.h"
#include "compiler/transforms/NestFacts.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace mlir::cnn;

/// The same tensor in another shape, with what is known of it folded.
static Value reshape(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> shape) {
  auto type = RankedTensorType::get(shape, getElementTypeOrSelf(value));
  if (auto constant = value.getDefiningOp<ConstantOp>())
    return ConstantOp::create(builder, loc, type, constant.getValueAttr());
  return builder.createOrFold<ReshapeOp>(loc, type, value);
}

namespace {
struct SinkReshape : OpInterfaceRewritePattern<NestOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  /// The reshape to move: the one of the operand that is computed last. Null where another operand
  /// is computed later, as the operation is then fused with that one.
  static ReshapeOp choose(Operation *op, const NestFacts &facts) {
    ReshapeOp chosen;
    Operation *last = nullptr;
    for (auto [index, operand] : llvm::enumerate(op->getOperands())) {
      if (!facts.readsSamePoint[index] || matchPattern(operand, m_Constant()))
        continue;
      auto view = operand.getDefiningOp<ReshapeOp>();
      Operation *source = view ? view.getInput().getDefiningOp() : operand.getDefiningOp();
      if (!isa_and_nonnull<NestOpInterface>(source) || (last && source->isBeforeInBlock(last)))
        continue;
      last = source;
      chosen = view;
    }
    return chosen;
  }

  LogicalResult matchAndRewrite(NestOpInterface op, PatternRewriter &rewriter) const override {
    if (op->getNumResults() != 1 || !op->getParentOp() || isa<GroupOp>(op->getParentOp()))
      return failure();
    if (isa<GenericOp>(*op))
      return failure(); // its own sizes and maps are those of one shape
    NestFacts facts(op);
    if (!facts.pointwise || facts.usesIndex)
      return failure();
    for (auto [index, operand] : llvm::enumerate(op->getOperands())) {
      if (!facts.readsSamePoint[index] && getTensor(operand).getNumElements() != 1)
        return failure(); // a broadcast along a dimension that the other shape does not have
      // What is computed where it is used would have to be stored to be seen in another shape.
      auto source = operand.getDefiningOp<NestOpInterface>();
      if (source && !matchPattern(operand, m_Constant()) && NestFacts(source).generates)
        return failure();
    }
    ReshapeOp view = choose(op, facts);
    if (!view)
      return failure();
    RankedTensorType from = getTensor(view.getInput()), to = getTensor(op->getResult(0));
    SmallVector<Value> operands;
    for (auto [index, operand] : llvm::enumerate(op->getOperands()))
      operands.push_back(
          reshape(rewriter, op.getLoc(), operand,
                  facts.readsSamePoint[index] ? from.getShape() : ArrayRef<int64_t>()));
    Operation *moved = rewriter.clone(*op);
    rewriter.modifyOpInPlace(moved, [&] {
      moved->setOperands(operands);
      moved->getResult(0).setType(RankedTensorType::get(from.getShape(), to.getElementType()));
    });
    rewriter.replaceOp(op, ReshapeOp::create(rewriter, view.getLoc(), to, moved->getResult(0)));
    return success();
  }
};
} // namespace

void mlir::cnn::sinkReshapes(Operation *root) {
  RewritePatternSet patterns(root->getContext());
  patterns.add<SinkReshape>(root->getContext());
  // The pattern moves reshapes down only, so it comes to an end; a limit would leave correct code.
  (void)applyPatternsGreedily(root, std::move(patterns));
}
