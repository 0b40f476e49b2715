// Counts through NestOpInterface, so that a new operation is counted without an edit here.
#include "compiler/pipelines/Statistics.h"
#include "dialect/CnnDialect.h"
#include "dialect/Timing.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"

using namespace cnn;

/// The operations of the direct algorithm in the multiply-adds of `op`; 0 where it has none.
static int64_t countOne(mlir::cnn::NestOpInterface op) {
  // Either of its two forms visits points that add nothing where the stride is not 1.
  if (auto grad = llvm::dyn_cast<mlir::cnn::ConvDataGradOp>(op.getOperation())) {
    auto weight = llvm::cast<mlir::RankedTensorType>(grad.getWeight().getType());
    auto gradient = llvm::cast<mlir::RankedTensorType>(grad.getGradient().getType());
    return 2 * gradient.getNumElements() * (weight.getNumElements() / weight.getDimSize(0));
  }
  mlir::cnn::Nest nest = op.getNest();
  // Two factors that sums run over, at different elements: not the square or the product of an
  // image's elements that a normalisation sums, nor a bias that accumulators start from.
  llvm::SmallVector<mlir::AffineMap> factors;
  for (auto [i, map] : llvm::enumerate(nest.operandMaps)) {
    bool summed = false;
    for (unsigned dim = nest.numParallel; dim < nest.getNumDims(); ++dim)
      summed |= map.isFunctionOfDim(dim);
    if (summed && static_cast<int>(i) != nest.initOperand && !llvm::is_contained(factors, map))
      factors.push_back(map);
  }
  if (factors.size() < 2 || !nest.transforms.empty())
    return 0;
  int64_t points = 1;
  for (int64_t size : nest.sizes)
    points *= size;
  return 2 * points;
}

void cnn::countFlops(mlir::ModuleOp module) {
  mlir::Builder builder(module.getContext());
  for (auto entry : module.getOps<mlir::func::FuncOp>()) {
    if (!entry.isPublic())
      continue;
    llvm::MapVector<mlir::StringAttr, int64_t> counts;
    entry.walk([&](mlir::cnn::GroupOp group) {
      int64_t flops = 0;
      for (auto op : group.getOps<mlir::cnn::NestOpInterface>())
        flops += countOne(op);
      if (flops > 0)
        counts[group.getNameAttr()] += flops;
    });
    mlir::NamedAttrList list;
    for (auto &[name, flops] : counts)
      list.set(name, builder.getI64IntegerAttr(flops));
    entry->setAttr(mlir::cnn::groupFlopsAttr, list.getDictionary(module.getContext()));
  }
}
