// Counts through NestOpInterface, so that a new operation is counted without an edit here.
#include "compiler/pipelines/Statistics.h"
#include "compiler/schedule/GroupInfo.h"
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

static int64_t getBytes(mlir::Value value) {
  auto type = llvm::dyn_cast<mlir::RankedTensorType>(value.getType());
  if (!type)
    return 0;
  return type.getNumElements() * llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

/// Whether some index depends on two dimensions: those of a window and of its place.
static bool hasWindow(mlir::AffineMap map) {
  return llvm::any_of(mlir::cnn::getForms(map), [](const mlir::cnn::LinearForm &form) {
    return llvm::count_if(form.coefficients, [](int64_t factor) { return factor != 0; }) > 1;
  });
}

static int64_t countFusedBytes(mlir::cnn::NestOpInterface op) {
  mlir::cnn::Nest nest = op.getNest();
  bool reads = countOne(op) > 0 || nest.scatter || llvm::any_of(nest.resultMaps, hasWindow);
  if (!reads && llvm::none_of(nest.operandMaps, hasWindow))
    return 0;
  int64_t bytes = 0;
  for (mlir::Value result : op->getResults())
    bytes += getBytes(result);
  for (mlir::Value operand : op->getOperands())
    bytes += reads ? getBytes(operand) : 0;
  return bytes;
}

void cnn::countFusedBytes(mlir::ModuleOp module) {
  for (auto entry : module.getOps<mlir::func::FuncOp>()) {
    if (!entry.isPublic())
      continue;
    int64_t bytes = 0;
    entry.walk([&](mlir::cnn::NestOpInterface op) { bytes += ::countFusedBytes(op); });
    for (auto write : entry.getOps<mlir::cnn::WriteOp>())
      bytes += 2 * getBytes(write.getOperand());
    entry->setAttr(mlir::cnn::fusedBytesAttr,
                   mlir::Builder(module.getContext()).getI64IntegerAttr(bytes));
  }
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
