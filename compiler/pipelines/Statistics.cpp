// Counts through NestOpInterface, so that a new operation is counted without an edit here.
#include "compiler/pipelines/Statistics.h"
#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

using namespace cnn;

static constexpr llvm::StringLiteral flopsAttribute = "cnn.flops";

static int64_t countOne(mlir::cnn::NestOpInterface op) {
  mlir::cnn::Nest nest = op.getNest();
  int64_t points = 1;
  for (int64_t size : nest.sizes)
    points *= size;
  // A bias that accumulators start from is no factor.
  unsigned factors = op->getNumOperands() - (nest.initOperand >= 0 ? 1 : 0);
  bool multiplies = nest.numParallel < nest.getNumDims() && factors >= 2;
  return multiplies ? 2 * points : points;
}

void cnn::countFlops(mlir::ModuleOp module) {
  mlir::Builder builder(module.getContext());
  for (auto function : module.getOps<mlir::func::FuncOp>()) {
    int64_t flops = 0;
    function.walk([&](mlir::cnn::NestOpInterface op) { flops += countOne(op); });
    function->setAttr(flopsAttribute, builder.getI64IntegerAttr(flops));
  }
}

FlopsOfEntries::FlopsOfEntries(mlir::ModuleOp module) {
  for (auto function : module.getOps<mlir::func::FuncOp>())
    if (auto flops = function->getAttrOfType<mlir::IntegerAttr>(flopsAttribute))
      counts[function.getSymName()] = flops.getInt();
}

void FlopsOfEntries::restore(mlir::ModuleOp module) const {
  mlir::Builder builder(module.getContext());
  for (auto function : module.getOps<mlir::func::FuncOp>())
    if (auto known = counts.find(function.getSymName());
        known != counts.end() && function.isPublic())
      function->setAttr(flopsAttribute, builder.getI64IntegerAttr(known->second));
}
