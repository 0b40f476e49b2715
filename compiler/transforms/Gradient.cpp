// cnn-gradient: beside every function, the one that computes its gradient, for tests.

#include "compiler/transforms/Passes.h"
#include "compiler/transforms/ReverseMode.h"
#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::cnn {
#define GEN_PASS_DEF_GRADIENTPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

static bool isFloat(Type type) { return isa<FloatType>(getElementTypeOrSelf(type)); }

namespace {
class GradientPass : public mlir::cnn::impl::GradientPassBase<GradientPass> {
  void runOnOperation() override {
    SmallVector<func::FuncOp> functions(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp function : functions)
      if (failed(addGradient(function)))
        return signalPassFailure();
  }

  static StringAttr getName(Builder &builder, Attribute given, const Twine &fallback) {
    auto name = dyn_cast_or_null<StringAttr>(given);
    return name ? name : builder.getStringAttr(fallback);
  }

  LogicalResult addGradient(func::FuncOp function) {
    if (!function.getBody().hasOneBlock())
      return function.emitError() << "function '" << function.getName() << "' must have one block";
    func::FuncOp gradient = function.clone();
    gradient.setName((function.getName() + "_grad").str());
    if (getOperation().lookupSymbol(gradient.getName())) {
      gradient.erase();
      return function.emitError() << "the name '" << function.getName() << "_grad' is taken";
    }
    OpBuilder builder = OpBuilder::atBlockEnd(getOperation().getBody());
    builder.insert(gradient);
    Location loc = gradient.getLoc();
    Block &block = gradient.getBody().front();
    Operation *terminator = block.getTerminator();
    SmallVector<Value> results(terminator->getOperands());

    // Arguments: the function's own, then a gradient for every float result.
    SmallVector<Value> sources;
    SmallVector<DictionaryAttr> argumentAttrs, resultAttrs;
    auto named = [&](StringAttr name) {
      return builder.getDictionaryAttr(builder.getNamedAttr("cnn.name", name));
    };
    for (BlockArgument argument : block.getArguments()) {
      unsigned index = argument.getArgNumber();
      StringAttr name =
          getName(builder, gradient.getArgAttr(index, "cnn.name"), "arg" + Twine(index));
      argumentAttrs.push_back(named(name));
      if (isFloat(argument.getType())) {
        sources.push_back(argument);
        resultAttrs.push_back(named(builder.getStringAttr("d_" + name.getValue())));
      }
    }
    SmallVector<std::pair<Value, Value>> seeds;
    for (auto [index, result] : llvm::enumerate(results))
      if (isFloat(result.getType())) {
        StringAttr name =
            getName(builder, gradient.getResultAttr(index, "cnn.name"), "result" + Twine(index));
        argumentAttrs.push_back(named(builder.getStringAttr("d_" + name.getValue())));
        seeds.push_back({result, block.addArgument(result.getType(), loc)});
      }

    builder.setInsertionPoint(terminator);
    ReverseModeCounts counts;
    FailureOr<SmallVector<Value>> gradients =
        buildGradients(builder, block, seeds, sources, counts);
    if (failed(gradients))
      return failure();
    for (auto [source, value] : llvm::zip(sources, *gradients))
      if (!value)
        value = ConstantOp::create(builder, loc, source.getType(), builder.getF64FloatAttr(0.0));
    terminator->setOperands(*gradients);
    eraseDeadOps(block);
    gradient.setFunctionType(
        builder.getFunctionType(block.getArgumentTypes(), ValueRange(*gradients).getTypes()));
    gradient.setAllArgAttrs(argumentAttrs);
    gradient.setAllResultAttrs(resultAttrs);
    return success();
  }
};
} // namespace
