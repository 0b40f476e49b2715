// cnn-decompose: replaces losses and updates by the operations they consist of.

#include "compiler/transforms/Decision.h"
#include "compiler/transforms/Passes.h"
#include "dialect/CnnDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::cnn {
#define GEN_PASS_DEF_DECOMPOSEPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

namespace {
class DecomposePass : public mlir::cnn::impl::DecomposePassBase<DecomposePass> {
  void runOnOperation() override {
    SmallVector<DecomposeOpInterface> pending;
    auto collect = [&] {
      pending.clear();
      getOperation().walk([&](DecomposeOpInterface op) { pending.push_back(op); });
      return !pending.empty();
    };
    // What an operation decomposes into may decompose in turn.
    while (collect())
      for (DecomposeOpInterface op : pending) {
        OpBuilder builder(op);
        SmallVector<Value> results = op.decompose(builder);
        if (Operation *result = results.front().getDefiningOp())
          moveDecisions(op, result);
        op->replaceAllUsesWith(results);
        op->erase();
        ++numDecomposed;
      }
  }
};
} // namespace
