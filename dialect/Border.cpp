//===- Border.cpp - Padding by an image's own elements ---------------------------------------===//
//
// Dimension after dimension, the part before, the tensor, and the part behind are concatenated;
// each part is a function by index. So the gradient is that of concatenation and of these.
//
//===--------------------------------------------------------------------------------------------===//

#include "dialect/Border.h"
#include "dialect/CnnDialect.h"
#include "mlir/IR/AffineExpr.h"

using namespace mlir;
using namespace mlir::cnn;

LogicalResult mlir::cnn::checkBorder(StringRef mode, StringRef constant, StringRef arg,
                                     ArrayRef<int64_t> extents, ArrayRef<int64_t> sides,
                                     LayerProblem &problem) {
  if (mode == constant)
    return success();
  if (mode != "reflect" && mode != "replicate" && mode != "circular") {
    problem.message = (arg + " cannot be \"" + mode + "\"").str();
    problem.arg = arg;
    problem.hint = ("it is \"" + constant + "\", \"reflect\", \"replicate\" or \"circular\"").str();
    return failure();
  }
  for (auto [axis, extent] : llvm::enumerate(extents))
    for (int64_t side : sides.slice(2 * axis, 2)) {
      int64_t most = mode == "reflect" ? extent - 1 : extent;
      if (side >= 0 && (side <= most || mode == "replicate"))
        continue;
      problem.arg = "padding";
      problem.message =
          side < 0 ? (arg + " \"" + mode + "\" cannot cut: padding is " + Twine(side)).str()
                   : (arg + " \"" + mode + "\" of an extent of " + Twine(extent) + " reaches " +
                      Twine(most) + ", not " + Twine(side))
                         .str();
      return failure();
    }
  return success();
}

/// `extent` elements of dimension `dim` of `x`, each from where `from` says.
static Value buildPart(OpBuilder &b, Location loc, Value x, unsigned dim, int64_t extent,
                       llvm::function_ref<AffineExpr(AffineExpr)> from) {
  RankedTensorType type = getTensor(x);
  SmallVector<int64_t> sizes(type.getShape());
  sizes[dim] = extent;
  auto identity = AffineMap::getMultiDimIdentityMap(sizes.size(), b.getContext());
  SmallVector<AffineExpr> place(identity.getResults());
  place[dim] = from(place[dim]);
  return GenericOp::make(b, loc, RankedTensorType::get(sizes, type.getElementType()), x, sizes,
                         sizes.size(), "none",
                         {AffineMap::get(sizes.size(), 0, place, b.getContext()), identity},
                         /*scatter=*/false, /*positions=*/false,
                         [](OpBuilder &, ValueRange elements, ValueRange) { return elements[0]; })
      .getResult();
}

Value mlir::cnn::buildBorder(OpBuilder &b, Location loc, Value x, ArrayRef<int64_t> low,
                             ArrayRef<int64_t> high, StringRef mode) {
  for (unsigned dim = 0; dim < low.size(); ++dim) {
    int64_t extent = getTensor(x).getDimSize(dim), before = low[dim], behind = high[dim];
    AffineExpr zero = b.getAffineConstantExpr(0);
    auto first = [&](AffineExpr at) {
      return mode == "reflect" ? before - at : mode == "circular" ? at + (extent - before) : zero;
    };
    auto last = [&](AffineExpr at) {
      return mode == "reflect" ? extent - 2 - at : mode == "circular" ? at : zero + (extent - 1);
    };
    SmallVector<Value> parts;
    if (before > 0)
      parts.push_back(buildPart(b, loc, x, dim, before, first));
    parts.push_back(x);
    if (behind > 0)
      parts.push_back(buildPart(b, loc, x, dim, behind, last));
    if (parts.size() > 1)
      x = ConcatOp::create(b, loc, parts, dim);
  }
  return x;
}
