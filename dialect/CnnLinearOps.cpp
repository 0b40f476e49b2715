//===- CnnLinearOps.cpp - Linear layers, matrix products, reductions -------------------------===//

#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/AffineExpr.h"

#include <limits>

using namespace mlir;
using namespace mlir::cnn;

using IndexFn = llvm::function_ref<Value(unsigned)>;
using Values = SmallVector<Value>;

static AffineMap makeMap(unsigned dims, ArrayRef<unsigned> results, MLIRContext *context) {
  SmallVector<AffineExpr> exprs;
  for (unsigned dim : results)
    exprs.push_back(getAffineDimExpr(dim, context));
  return AffineMap::get(dims, 0, exprs, context);
}

//===--------------------------------------------------------------------------------------------===//
// linear: (n, o | i)
//===--------------------------------------------------------------------------------------------===//

LogicalResult LinearOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                         ValueRange operands, DictionaryAttr, OpaqueProperties,
                                         RegionRange, SmallVectorImpl<Type> &types) {
  RankedTensorType x = getTensor(operands[0]), w = getTensor(operands[1]);
  if (x.getRank() != 2 || w.getRank() != 2 || x.getDimSize(1) != w.getDimSize(1))
    return emitOptionalError(loc, "input ", x, " and weight ", w,
                             ", expected [n, i] and [o, i] (C1)");
  if (x.getElementType() != w.getElementType())
    return emitOptionalError(loc, "element types ", x.getElementType(), " and ", w.getElementType(),
                             " differ (C2)");
  if (operands.size() > 2) {
    RankedTensorType bias = getTensor(operands[2]);
    if (bias.getRank() != 1 || bias.getDimSize(0) != w.getDimSize(0))
      return emitOptionalError(loc, "bias ", bias, ", expected [", w.getDimSize(0), "] (C1)");
    if (bias.getElementType() != w.getElementType())
      return emitOptionalError(loc, "element types ", bias.getElementType(), " and ",
                               w.getElementType(), " differ (C2)");
  }
  types.push_back(RankedTensorType::get({x.getDimSize(0), w.getDimSize(0)}, x.getElementType()));
  return success();
}

Nest LinearOp::getNest() {
  MLIRContext *context = getContext();
  RankedTensorType x = getTensor(getInput()), w = getTensor(getWeight());
  Nest nest;
  nest.sizes = {x.getDimSize(0), w.getDimSize(0), x.getDimSize(1)};
  nest.numParallel = 2;
  nest.operandMaps = {makeMap(3, {0, 2}, context), makeMap(3, {1, 2}, context)};
  if (getBias()) {
    nest.operandMaps.push_back(makeMap(3, {1}, context));
    nest.initOperand = 2;
  }
  nest.resultMaps = {makeMap(3, {0, 1}, context)};
  return nest;
}

Values LinearOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange acc, IndexFn) {
  return {math::FmaOp::create(b, loc, in[0], in[1], acc[0])};
}

Values LinearOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool> needed) {
  Values gradients(needed.size());
  if (needed[0])
    gradients[0] = MatmulOp::create(b, getLoc(), dy[0], getWeight(), false, false);
  if (needed[1])
    gradients[1] = MatmulOp::create(b, getLoc(), dy[0], getInput(), /*transpose_a=*/true, false);
  if (getBias() && needed[2])
    gradients[2] = ReduceSumOp::create(b, getLoc(), dy[0], ArrayRef<int64_t>{0}, false);
  return gradients;
}

LayerDef LinearOp::getLayer() {
  LayerDef layer;
  layer.sampleRank = 1;
  layer.name = layer.stem = "linear";
  layer.doc = "a fully connected layer: y = x W^T + b";
  layer.args = {{"features", ArgKind::Int, std::nullopt, "number of outputs"},
                {"bias", ArgKind::Bool, true, "whether a bias is added"}};
  layer.tensorParams = {"weight", "bias"};
  layer.fromTensors = [](const llvm::StringMap<Shape> &given, LayerArgs &args,
                         LayerProblem &problem) -> LogicalResult {
    if (given.contains("bias") || !args.has("bias"))
      args.set("bias", given.contains("bias"));
    auto weight = given.find("weight");
    if (weight == given.end())
      return success();
    if (weight->second.size() != 2) {
      problem.message = "the weight of a linear layer is [features, input features], not " +
                        formatShape(weight->second);
      return failure();
    }
    if (!args.has("features"))
      args.set("features", weight->second[0]);
    return success();
  };
  layer.infer = [](ArrayRef<Shape> inputs, const LayerArgs &args,
                   LayerProblem &problem) -> FailureOr<LayerShape> {
    int64_t features = args.getInt("features");
    if (inputs[0].size() != 1) {
      problem.message = "linear takes a vector of features, not " + formatShape(inputs[0]);
      problem.input = 0;
      problem.inputText = "the " + formatShape(inputs[0]) + " input";
      problem.hint = "put flatten before it";
      return failure();
    }
    if (features <= 0) {
      problem.message = "features must be positive, not " + std::to_string(features);
      problem.arg = "features";
      return failure();
    }
    LayerShape shape;
    int64_t in = inputs[0][0];
    shape.output = {features};
    shape.params.push_back({"weight", {features, in}, in, features});
    if (args.getBool("bias"))
      shape.params.push_back({"bias", {features}, in, features});
    shape.flops = multiplySaturated({2, in, features});
    return shape;
  };
  layer.build = [](OpBuilder &builder, Location loc, ValueRange inputs, ValueRange params,
                   const LayerArgs &) -> Value {
    Value bias = params.size() > 1 ? params[1] : Value();
    return LinearOp::create(builder, loc, inputs[0], params[0], bias);
  };
  return layer;
}

//===--------------------------------------------------------------------------------------------===//
// matmul: (m, n | k)
//===--------------------------------------------------------------------------------------------===//

LogicalResult MatmulOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                         ValueRange operands, DictionaryAttr attributes,
                                         OpaqueProperties properties, RegionRange regions,
                                         SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  RankedTensorType a = getTensor(operands[0]), b = getTensor(operands[1]);
  if (a.getRank() != 2 || b.getRank() != 2)
    return emitOptionalError(loc, "operands ", a, " and ", b, " must have rank 2 (C1)");
  bool ta = adaptor.getTransposeA(), tb = adaptor.getTransposeB();
  if (a.getDimSize(ta ? 0 : 1) != b.getDimSize(tb ? 1 : 0))
    return emitOptionalError(loc, "common extents ", a.getDimSize(ta ? 0 : 1), " and ",
                             b.getDimSize(tb ? 1 : 0), " differ (C1)");
  if (a.getElementType() != b.getElementType())
    return emitOptionalError(loc, "element types ", a.getElementType(), " and ", b.getElementType(),
                             " differ (C2)");
  types.push_back(RankedTensorType::get({a.getDimSize(ta ? 1 : 0), b.getDimSize(tb ? 0 : 1)},
                                        a.getElementType()));
  return success();
}

Nest MatmulOp::getNest() {
  MLIRContext *context = getContext();
  RankedTensorType a = getTensor(getLhs()), result = getTensor(getResult());
  Nest nest;
  nest.sizes = {result.getDimSize(0), result.getDimSize(1), a.getDimSize(getTransposeA() ? 0 : 1)};
  nest.numParallel = 2;
  nest.operandMaps = {getTransposeA() ? makeMap(3, {2, 0}, context) : makeMap(3, {0, 2}, context),
                      getTransposeB() ? makeMap(3, {1, 2}, context) : makeMap(3, {2, 1}, context)};
  nest.resultMaps = {makeMap(3, {0, 1}, context)};
  return nest;
}

Values MatmulOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange acc, IndexFn) {
  return {math::FmaOp::create(b, loc, in[0], in[1], acc[0])};
}

Values MatmulOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool> needed) {
  // c = op(a) op(b): d op(a) = dc op(b)^T, d op(b) = op(a)^T dc; transposed again where op
  // transposes.
  Values gradients(2);
  bool ta = getTransposeA(), tb = getTransposeB();
  if (needed[0])
    gradients[0] = ta ? MatmulOp::create(b, getLoc(), getRhs(), dy[0], tb, true)
                      : MatmulOp::create(b, getLoc(), dy[0], getRhs(), false, !tb);
  if (needed[1])
    gradients[1] = tb ? MatmulOp::create(b, getLoc(), dy[0], getLhs(), true, ta)
                      : MatmulOp::create(b, getLoc(), getLhs(), dy[0], !ta, false);
  return gradients;
}

//===--------------------------------------------------------------------------------------------===//
// Reductions
//===--------------------------------------------------------------------------------------------===//

/// Result type of a reduction of `input` over `dims`.
static LogicalResult inferReduction(std::optional<Location> loc, RankedTensorType input,
                                    ArrayRef<int64_t> dims, bool keep,
                                    SmallVectorImpl<Type> &types) {
  for (auto [position, dim] : llvm::enumerate(dims))
    if (dim < 0 || dim >= input.getRank() || (position > 0 && dim <= dims[position - 1]))
      return emitOptionalError(loc, "dims must increase and be below the rank ", input.getRank(),
                               "; got ", dim, " (C1)");
  SmallVector<int64_t> shape;
  for (int64_t dim = 0; dim < input.getRank(); ++dim)
    if (!llvm::is_contained(dims, dim))
      shape.push_back(input.getDimSize(dim));
    else if (keep)
      shape.push_back(1);
  types.push_back(RankedTensorType::get(shape, input.getElementType()));
  return success();
}

/// The nest of a reduction: the kept dimensions in order, then the reduced ones.
static Nest getReductionNest(RankedTensorType input, ArrayRef<int64_t> dims, bool keep) {
  MLIRContext *context = input.getContext();
  Nest nest;
  unsigned rank = input.getRank();
  SmallVector<AffineExpr> in(rank), out;
  for (unsigned dim = 0; dim < rank; ++dim)
    if (!llvm::is_contained(dims, dim)) {
      in[dim] = getAffineDimExpr(nest.sizes.size(), context);
      out.push_back(in[dim]);
      nest.sizes.push_back(input.getDimSize(dim));
    } else if (keep) {
      out.push_back(getAffineConstantExpr(0, context));
    }
  nest.numParallel = nest.sizes.size();
  for (int64_t dim : dims) {
    in[dim] = getAffineDimExpr(nest.sizes.size(), context);
    nest.sizes.push_back(input.getDimSize(dim));
  }
  nest.operandMaps = {AffineMap::get(rank, 0, in, context)};
  nest.resultMaps = {AffineMap::get(rank, 0, out, context)};
  return nest;
}

#define CNN_REDUCE(OP)                                                                             \
  LogicalResult OP::inferReturnTypes(                                                              \
      MLIRContext *, std::optional<Location> loc, ValueRange operands, DictionaryAttr attributes,  \
      OpaqueProperties properties, RegionRange regions, SmallVectorImpl<Type> &types) {            \
    Adaptor adaptor(operands, attributes, properties, regions);                                    \
    return inferReduction(loc, getTensor(operands[0]), adaptor.getDims(), adaptor.getKeepDims(),   \
                          types);                                                                  \
  }
CNN_REDUCE(ReduceSumOp)
CNN_REDUCE(ReduceMaxOp)
#undef CNN_REDUCE

Nest ReduceSumOp::getNest() {
  return getReductionNest(getTensor(getInput()), getDims(), getKeepDims());
}

Nest ReduceMaxOp::getNest() {
  Nest nest = getReductionNest(getTensor(getInput()), getDims(), getKeepDims());
  nest.combine = "max";
  nest.padding = -std::numeric_limits<double>::infinity();
  return nest;
}

Values ReduceSumOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange acc, IndexFn) {
  return {arith::AddFOp::create(b, loc, acc[0], in[0])};
}

Values ReduceSumOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  // Give the gradient the reduced dimensions again, with extent 1, and repeat it by multiplying
  // ones.
  RankedTensorType input = getTensor(getInput());
  SmallVector<int64_t> kept(input.getShape());
  for (int64_t dim : getDims())
    kept[dim] = 1;
  auto type = RankedTensorType::get(kept, input.getElementType());
  Value gradient = dy[0];
  if (getTensor(gradient).getShape() != type.getShape())
    gradient = ReshapeOp::create(b, getLoc(), type, gradient);
  Value ones = ConstantOp::create(b, getLoc(), dropLayout(input), b.getF64FloatAttr(1.0));
  return {MulOp::create(b, getLoc(), ones, gradient)};
}

Values ReduceMaxOp::buildInit(OpBuilder &b, Location loc, ArrayRef<Type> types) {
  return {buildFloat(b, loc, types[0], -std::numeric_limits<double>::infinity())};
}

Values ReduceMaxOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange acc, IndexFn) {
  return {arith::MaximumFOp::create(b, loc, acc[0], in[0])};
}

LogicalResult NonfiniteOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                            ValueRange operands, DictionaryAttr, OpaqueProperties,
                                            RegionRange, SmallVectorImpl<Type> &types) {
  types.push_back(RankedTensorType::get({}, getTensor(operands[0]).getElementType()));
  return success();
}

Nest NonfiniteOp::getNest() {
  RankedTensorType input = getTensor(getInput());
  return getReductionNest(input, llvm::to_vector(llvm::seq<int64_t>(0, input.getRank())), false);
}

Values NonfiniteOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange acc, IndexFn) {
  Value zero = buildZero(b, loc, in[0].getType());
  return {arith::AddFOp::create(b, loc, acc[0], arith::MulFOp::create(b, loc, in[0], zero))};
}
