//===- CnnMomentOps.cpp - Mean and variance by way of windows --------------------------------===//

#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/AffineExpr.h"

using namespace mlir;
using namespace mlir::cnn;

using IndexFn = llvm::function_ref<Value(unsigned)>;
using Values = SmallVector<Value>;

//===--------------------------------------------------------------------------------------------===//
// window_squares: (n, c, i, j | r, s)
//===--------------------------------------------------------------------------------------------===//

LogicalResult WindowSquaresOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                                ValueRange operands, DictionaryAttr attributes,
                                                OpaqueProperties properties, RegionRange regions,
                                                SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  RankedTensorType x = getTensor(adaptor.getInput()), mean = getTensor(adaptor.getMean());
  ArrayRef<int64_t> window = adaptor.getWindow();
  if (x.getRank() != 4 || window.size() != 2 ||
      llvm::any_of(window, [](int64_t extent) { return extent < 1; }) ||
      x.getDimSize(2) % window[0] != 0 || x.getDimSize(3) % window[1] != 0)
    return emitOptionalError(loc, "windows of ", formatShape(window), " do not tile ", x, " (C1)");
  auto result = RankedTensorType::get(
      {x.getDimSize(0), x.getDimSize(1), x.getDimSize(2) / window[0], x.getDimSize(3) / window[1]},
      x.getElementType());
  if (!haveSameShapes(mean, result))
    return emitOptionalError(loc, "mean is ", mean, ", expected ", result, " (C2)");
  types.push_back(result);
  return success();
}

Nest WindowSquaresOp::getNest() {
  AffineExpr n, c, i, j, r, s;
  bindDims(getContext(), n, c, i, j, r, s);
  ArrayRef<int64_t> window = getWindow();
  Nest nest;
  nest.sizes.assign(getTensor(getResult()).getShape().begin(),
                    getTensor(getResult()).getShape().end());
  nest.sizes.append(window.begin(), window.end());
  nest.numParallel = 4;
  auto perWindow = AffineMap::get(6, 0, {n, c, i, j}, getContext());
  nest.operandMaps = {
      AffineMap::get(6, 0, {n, c, i * window[0] + r, j * window[1] + s}, getContext()), perWindow};
  nest.resultMaps = {perWindow};
  return nest;
}

Values WindowSquaresOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange acc,
                                  IndexFn) {
  Value distance = arith::SubFOp::create(b, loc, in[0], in[1]);
  return {math::FmaOp::create(b, loc, distance, distance, acc[0])};
}

//===--------------------------------------------------------------------------------------------===//
// combine_moments: (n, c | h, w)
//===--------------------------------------------------------------------------------------------===//

LogicalResult CombineMomentsOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                                 ValueRange operands, DictionaryAttr attributes,
                                                 OpaqueProperties properties, RegionRange regions,
                                                 SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  RankedTensorType mean = getTensor(adaptor.getMean()), squares = getTensor(adaptor.getSquares()),
                   center = getTensor(adaptor.getCenter());
  if (mean.getRank() != 4 || !haveSameShapes(mean, squares))
    return emitOptionalError(loc, "mean and squares are ", mean, " and ", squares,
                             ", expected two of [n, c, h, w] (C1)");
  ArrayRef<int64_t> shape = mean.getShape().take_front(2);
  if (center.getElementType() != mean.getElementType() ||
      (center.getShape() != shape && center.getShape() != shape.drop_front()))
    return emitOptionalError(loc, "center is ", center, " for means of ", mean,
                             ", expected [c] or [n, c] (C1)");
  if (int64_t area = adaptor.getAreaAttr().getInt(); area < 1)
    return emitOptionalError(loc, "area is ", area, ", expected a positive one (C2)");
  types.append(2, RankedTensorType::get(shape, mean.getElementType()));
  return success();
}

Nest CombineMomentsOp::getNest() {
  MLIRContext *context = getContext();
  RankedTensorType mean = getTensor(getMean());
  Nest nest;
  nest.sizes.assign(mean.getShape().begin(), mean.getShape().end());
  nest.numParallel = 2;
  AffineExpr n = getAffineDimExpr(0, context), c = getAffineDimExpr(1, context);
  AffineMap all = AffineMap::getMultiDimIdentityMap(4, context);
  auto perImage = AffineMap::get(4, 0, {n, c}, context);
  nest.operandMaps = {all, all,
                      getTensor(getCenter()).getRank() == 1 ? AffineMap::get(4, 0, c) : perImage};
  nest.resultMaps = {perImage, perImage};
  return nest;
}

Values CombineMomentsOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange acc,
                                   IndexFn) {
  Value distance = arith::SubFOp::create(b, loc, in[0], in[2]);
  auto area = static_cast<double>(getAreaAttr().getInt());
  Value sum = arith::MulFOp::create(b, loc, distance, buildFloat(b, loc, distance.getType(), area));
  Value squares = arith::AddFOp::create(b, loc, acc[1], in[1]);
  return {arith::AddFOp::create(b, loc, acc[0], sum),
          math::FmaOp::create(b, loc, sum, distance, squares)};
}
