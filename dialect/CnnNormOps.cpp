//===- CnnNormOps.cpp - Batch normalisation --------------------------------------------------===//

#include "dialect/Pointwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/AffineExpr.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace mlir::cnn;

using IndexFn = llvm::function_ref<Value(unsigned)>;
using Values = SmallVector<Value>;

//===--------------------------------------------------------------------------------------------===//
// Checks
//===--------------------------------------------------------------------------------------------===//

/// `input` is [n, c] or [n, c, h, w], each of `perChannel` [c], all of one element type.
static LogicalResult checkNorm(std::optional<Location> loc, RankedTensorType input,
                               ValueRange perChannel, Attribute epsilon) {
  if (input.getRank() != 2 && input.getRank() != 4)
    return emitOptionalError(loc, "input ", input, ", expected [n, c] or [n, c, h, w] (C1)");
  auto expected = RankedTensorType::get({input.getDimSize(1)}, input.getElementType());
  for (Value value : perChannel)
    if (!haveSameShapes(value.getType(), expected))
      return emitOptionalError(loc, "an operand per channel is ", value.getType(), ", expected ",
                               expected, " (C1)");
  auto number = dyn_cast_or_null<FloatAttr>(epsilon);
  if (!number || number.getValueAsDouble() <= 0)
    return emitOptionalError(loc, "epsilon must be positive (C2)");
  return success();
}

static LogicalResult checkRows(std::optional<Location> loc, Value rows) {
  RankedTensorType type = getTensor(rows);
  if (type.getRank() != 0 || !type.getElementType().isInteger(32))
    return emitOptionalError(loc, "rows is ", type, ", expected tensor<i32> (C1)");
  return success();
}

LogicalResult BatchNormOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                            ValueRange operands, DictionaryAttr attributes,
                                            OpaqueProperties properties, RegionRange regions,
                                            SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  RankedTensorType x = getTensor(adaptor.getInput());
  if (failed(checkNorm(loc, x, operands.drop_front(), adaptor.getEpsilonAttr())))
    return failure();
  double momentum = adaptor.getMomentum().convertToDouble();
  if (!(momentum >= 0 && momentum <= 1))
    return emitOptionalError(loc, "momentum is ", momentum, ", expected 0 to 1 (C2)");
  types.push_back(dropLayout(x));
  return success();
}

LogicalResult BatchNormTrainOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                                 ValueRange operands, DictionaryAttr attributes,
                                                 OpaqueProperties properties, RegionRange regions,
                                                 SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  RankedTensorType x = getTensor(adaptor.getInput());
  if (failed(
          checkNorm(loc, x, {adaptor.getWeight(), adaptor.getBias()}, adaptor.getEpsilonAttr())) ||
      failed(checkRows(loc, adaptor.getRows())))
    return failure();
  Type channels = dropLayout(getTensor(adaptor.getWeight()));
  types.append({dropLayout(x), channels, channels});
  return success();
}

LogicalResult BatchNormGradOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                                ValueRange operands, DictionaryAttr attributes,
                                                OpaqueProperties properties, RegionRange regions,
                                                SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  RankedTensorType x = getTensor(adaptor.getInput());
  if (failed(checkNorm(loc, x, {adaptor.getWeight(), adaptor.getMean(), adaptor.getVariance()},
                       adaptor.getEpsilonAttr())) ||
      failed(checkRows(loc, adaptor.getRows())))
    return failure();
  if (!haveSameShapes(adaptor.getGradient().getType(), x))
    return emitOptionalError(loc, "gradient is ", adaptor.getGradient().getType(), ", expected ", x,
                             " (C1)");
  Type channels = dropLayout(getTensor(adaptor.getWeight()));
  types.append({dropLayout(x), channels, channels});
  return success();
}

//===--------------------------------------------------------------------------------------------===//
// What the three decompose into
//===--------------------------------------------------------------------------------------------===//

namespace {
/// The layer's location under the name `<layer>.<part>`; a gradient's name says what it is already.
Location getPartLoc(Location loc, StringRef part) {
  auto name = dyn_cast<NameLoc>(loc);
  if (!name || name.getName().getValue().contains("_grad"))
    return loc;
  return NameLoc::get(StringAttr::get(loc.getContext(), name.getName().getValue() + "." + part),
                      name.getChildLoc());
}

/// Builds arithmetic for an input of [n, c] or [n, c, h, w].
struct NormBuilder {
  NormBuilder(OpBuilder &builder, Location loc, Value input)
      : b(builder), loc(loc), type(dropLayout(getTensor(input))) {}

  Value add(Value x, Value y) { return AddOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return SubOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return MulOp::create(b, loc, x, y); }
  Value div(Value x, Value y) { return DivOp::create(b, loc, x, y); }
  Value scalar(double value) {
    auto rank0 = RankedTensorType::get({}, type.getElementType());
    return ConstantOp::create(b, loc, rank0, b.getF64FloatAttr(value));
  }
  bool isImage() const { return type.getRank() == 4; }
  int64_t getPixels() const { return isImage() ? type.getDimSize(2) * type.getDimSize(3) : 1; }
  /// [c] as it is broadcast against the input.
  Value perChannel(Value value) {
    if (!isImage())
      return value;
    auto shape = RankedTensorType::get({type.getDimSize(1), 1, 1}, type.getElementType());
    return ReshapeOp::create(b, loc, shape, value);
  }
  /// The sum over the batch of [n, c].
  Value sumRows(Value value) {
    return ReduceSumOp::create(b, loc, value, ArrayRef<int64_t>{0}, /*keep_dims=*/false);
  }
  Value inverseStd(Value variance, FloatAttr epsilon) {
    return InverseStdOp::create(b, loc, dropLayout(getTensor(variance)), variance, epsilon);
  }
  Value rowCount(Value rows, int64_t factor, int64_t offset) {
    auto rank0 = RankedTensorType::get({}, type.getElementType());
    return RowCountOp::create(b, loc, rank0, rows, factor, offset);
  }
  /// (x - mean) scale + shift
  Value apply(Value x, Value mean, Value scale, Value shift) {
    return add(mul(sub(x, perChannel(mean)), perChannel(scale)), perChannel(shift));
  }

  OpBuilder &b;
  Location loc;
  RankedTensorType type;
};
} // namespace

Values BatchNormOp::decompose(OpBuilder &builder) {
  NormBuilder b(builder, getLoc(), getInput());
  Value scale = b.mul(b.inverseStd(getVariance(), getEpsilonAttr()), getWeight());
  Value shift = b.sub(getBias(), b.mul(getMean(), scale));
  return {b.add(b.mul(getInput(), b.perChannel(scale)), b.perChannel(shift))};
}

/// About which value of each channel of each image the squares are summed: any that is not far from
/// the mean, as the mean of a corner of the image. Of `n` pixels, `k` of them in the corner, it is
/// at most sqrt(n / k) standard deviations away, so that the variance loses at most log10(n / k)
/// digits (Chan, Golub and LeVeque, Algorithms for computing the sample variance, 1983). A corner
/// spares reading the image twice.
static Value buildCenter(NormBuilder &b, Value input) {
  constexpr int64_t side = 4, fewestSides = 3;
  int64_t height = b.type.getDimSize(2), width = b.type.getDimSize(3);
  auto shape = RankedTensorType::get(b.type.getShape().take_front(2), b.type.getElementType());
  if (std::min(height, width) < side * fewestSides) {
    Value sum = ReduceSumOp::create(b.b, b.loc, input, ArrayRef<int64_t>{2, 3},
                                    /*keep_dims=*/false);
    return b.mul(sum, b.scalar(1.0 / static_cast<double>(b.getPixels())));
  }
  Value corner = AvgPoolOp::create(b.b, b.loc, input, /*kernel=*/ArrayRef<int64_t>{side, side},
                                   /*stride=*/ArrayRef<int64_t>{height, width},
                                   /*padding=*/ArrayRef<int64_t>{0, 0, 0, 0});
  return ReshapeOp::create(b.b, b.loc, shape, corner);
}

Values BatchNormTrainOp::decompose(OpBuilder &builder) {
  Location loc = getPartLoc(getLoc(), "statistics");
  NormBuilder b(builder, loc, getInput());
  // Mean and variance of each image ...
  Value imageMean = getInput(), imageVariance;
  if (b.isImage()) {
    Value share = b.scalar(1.0 / static_cast<double>(b.getPixels()));
    Value center = buildCenter(b, getInput());
    auto sums = ChannelSumsOp::create(builder, loc, getInput(), center, Value());
    Value correction = b.mul(sums.getSums(), share);
    imageMean = b.add(center, correction);
    imageVariance = b.sub(b.mul(sums.getProducts(), share), b.mul(correction, correction));
  }
  // ... and of all of them: the mean of their variances and the variance of their means.
  auto rowType = RankedTensorType::get({b.type.getDimSize(0), 1}, b.type.getElementType());
  Value share = RowWeightOp::create(builder, loc, rowType, getRows(), /*sum=*/false);
  Value mean = b.sumRows(b.mul(imageMean, share));
  Value distance = b.sub(imageMean, mean);
  Value square = b.mul(distance, distance);
  if (imageVariance)
    square = b.add(imageVariance, square);
  Value variance = b.sumRows(b.mul(square, share));
  Value scale = b.mul(b.inverseStd(variance, getEpsilonAttr()), getWeight());
  b.loc = getLoc();
  return {b.apply(getInput(), mean, scale, getBias()), mean, variance};
}

/// The input's gradient adds up to zero over every channel, since a shift of the channel changes
/// nothing: so does that of a bias in front of the normalisation.
static void replaceSums(OpBuilder &builder, BatchNormGradOp grad, bool isImage) {
  SmallVector<int64_t> dims = {0};
  if (isImage)
    dims.append({2, 3});
  for (Operation *user : llvm::to_vector(grad->getResult(0).getUsers()))
    if (auto sum = dyn_cast<ReduceSumOp>(user);
        sum && !sum.getKeepDims() && sum.getDims() == ArrayRef<int64_t>(dims)) {
      auto type = getTensor(sum.getResult());
      sum.replaceAllUsesWith(
          ConstantOp::create(builder, sum.getLoc(), type, builder.getF64FloatAttr(0.0))
              .getResult());
      sum.erase();
    }
}

Values BatchNormGradOp::decompose(OpBuilder &builder) {
  NormBuilder b(builder, getLoc(), getInput());
  replaceSums(builder, *this, b.isImage());
  Value sums, products;
  if (b.isImage()) {
    auto both = ChannelSumsOp::create(builder, getLoc(), getInput(), getMean(), getGradient());
    sums = both.getSums();
    products = both.getProducts();
  } else {
    sums = getGradient();
    products = b.mul(getGradient(), b.sub(getInput(), getMean()));
  }
  sums = b.sumRows(sums);
  products = b.sumRows(products);
  Value inverse = b.inverseStd(getVariance(), getEpsilonAttr());
  Value count = b.rowCount(getRows(), b.getPixels(), 0);
  Value scale = b.mul(inverse, getWeight());
  Value slope = b.div(b.mul(b.mul(inverse, inverse), products), count);
  Value level = b.div(sums, count);
  Value centered = b.sub(getInput(), b.perChannel(getMean()));
  Value rest =
      b.sub(b.sub(getGradient(), b.perChannel(level)), b.mul(centered, b.perChannel(slope)));
  Value dx = b.mul(rest, b.perChannel(scale));
  return {MaskRowsOp::create(builder, getLoc(), dx, getRows()), b.mul(products, inverse), sums};
}

//===--------------------------------------------------------------------------------------------===//
// Gradients, and what training does
//===--------------------------------------------------------------------------------------------===//

/// By fixed statistics, the result is a linear function of each operand.
Values BatchNormOp::buildBackward(OpBuilder &builder, ValueRange dy, ArrayRef<bool> needed) {
  NormBuilder b(builder, getLoc(), getInput());
  Values gradients(needed.size());
  Value inverse = b.inverseStd(getVariance(), getEpsilonAttr());
  auto sumAll = [&](Value value) -> Value {
    SmallVector<int64_t> dims = {0};
    if (b.isImage())
      dims.append({2, 3});
    return ReduceSumOp::create(builder, getLoc(), value, dims, /*keep_dims=*/false);
  };
  if (needed[0])
    gradients[0] = b.mul(dy[0], b.perChannel(b.mul(inverse, getWeight())));
  if (needed[1])
    gradients[1] = b.mul(sumAll(b.mul(dy[0], b.sub(getInput(), b.perChannel(getMean())))), inverse);
  if (needed[2])
    gradients[2] = sumAll(dy[0]);
  return gradients;
}

Values BatchNormTrainOp::buildBackward(OpBuilder &builder, ValueRange dy, ArrayRef<bool> needed) {
  Values gradients(needed.size());
  if (!dy[0])
    return gradients;
  auto grad =
      BatchNormGradOp::create(builder, getLoc(), dy[0], getInput(), getWeight(), getBatchMean(),
                              getBatchVariance(), getRows(), getEpsilonAttr());
  for (unsigned operand = 0; operand < 3; ++operand)
    if (needed[operand])
      gradients[operand] = grad->getResult(operand);
  return gradients;
}

Values BatchNormOp::buildTrainingForm(OpBuilder &builder, const TrainingStep &step,
                                      MutableArrayRef<Value> next) {
  NormBuilder b(builder, getPartLoc(getLoc(), "statistics"), getInput());
  auto train = BatchNormTrainOp::create(builder, getLoc(), getInput(), getWeight(), getBias(),
                                        step.rows, getEpsilonAttr());
  double momentum = getMomentum().convertToDouble();
  auto mix = [&](Value old, Value now) {
    return b.add(b.mul(old, b.scalar(1 - momentum)), b.mul(now, b.scalar(momentum)));
  };
  Value unbiased = b.mul(train.getBatchVariance(), b.div(b.rowCount(step.rows, b.getPixels(), 0),
                                                         b.rowCount(step.rows, b.getPixels(), -1)));
  next[3] = mix(getMean(), train.getBatchMean());
  next[4] = mix(getVariance(), unbiased);
  return {train.getResult()};
}

static std::string formatNumber(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", value);
  return text;
}

LayerDef BatchNormOp::getLayer() {
  LayerDef layer;
  layer.name = "batch_norm";
  layer.stem = "bn";
  layer.sampleRank = 3;
  layer.lowerRanks = {1};
  layer.doc = "each channel at mean 0 and variance 1 over the batch, then scaled and shifted; in "
              "evaluation by running statistics";
  layer.args = {{"eps", ArgKind::Float, 1e-5, "what is added to the variance"},
                {"momentum", ArgKind::Float, 0.1, "share of a batch in the running statistics"},
                {"affine", ArgKind::Bool, true, "whether it scales and shifts"},
                {"track_running_stats", ArgKind::Bool, true,
                 "whether running statistics are kept, for evaluation"}};
  layer.infer = [](ArrayRef<Shape> inputs, const LayerArgs &args,
                   LayerProblem &problem) -> FailureOr<LayerShape> {
    const Shape &input = inputs[0];
    auto fail = [&](const std::string &message, StringRef arg) {
      problem.message = message;
      problem.arg = arg;
      return failure();
    };
    if (input.size() != 1 && input.size() != 3) {
      problem.input = 0;
      problem.inputText = "the " + formatShape(input) + " input";
      return fail("batch_norm takes [channels, height, width] or [features], not " +
                      formatShape(input),
                  "");
    }
    double eps = args.getFloat("eps"), momentum = args.getFloat("momentum");
    if (!(eps > 0))
      return fail("eps must be positive, not " + formatNumber(eps), "eps");
    if (!(momentum >= 0 && momentum <= 1))
      return fail("momentum is between 0 and 1, not " + formatNumber(momentum), "momentum");
    LayerShape shape;
    shape.output = input;
    Shape channels = {input[0]};
    if (args.getBool("affine"))
      shape.params.append({{"weight", channels, 0, 0, 1.0}, {"bias", channels, 0, 0, 0.0}});
    if (args.getBool("track_running_stats"))
      shape.params.append({{"running_mean", channels, 0, 0, 0.0, /*running=*/true},
                           {"running_var", channels, 0, 0, 1.0, /*running=*/true}});
    shape.flops = 2 * multiplySaturated(input);
    return shape;
  };
  layer.build = [](OpBuilder &builder, Location loc, ValueRange inputs, ValueRange params,
                   const LayerArgs &args) -> Value {
    RankedTensorType type = getTensor(inputs[0]);
    auto perChannel = RankedTensorType::get({type.getDimSize(1)}, type.getElementType());
    auto constant = [&](double value) -> Value {
      return ConstantOp::create(builder, loc, perChannel, builder.getF64FloatAttr(value));
    };
    bool affine = args.getBool("affine");
    Value weight = affine ? params[0] : constant(1.0), bias = affine ? params[1] : constant(0.0);
    FloatAttr epsilon = builder.getF64FloatAttr(args.getFloat("eps"));
    if (!args.getBool("track_running_stats")) {
      auto count = RankedTensorType::get({}, builder.getI32Type());
      Value rows = AllRowsOp::create(builder, loc, count, type.getDimSize(0));
      return BatchNormTrainOp::create(builder, loc, inputs[0], weight, bias, rows, epsilon)
          .getResult();
    }
    ValueRange running = params.take_back(2);
    return BatchNormOp::create(builder, loc, inputs[0], weight, bias, running[0], running[1],
                               epsilon, builder.getF64FloatAttr(args.getFloat("momentum")));
  };
  return layer;
}

//===--------------------------------------------------------------------------------------------===//
// channel_sums: (n, c | h, w)
//===--------------------------------------------------------------------------------------------===//

LogicalResult ChannelSumsOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                              ValueRange operands, DictionaryAttr, OpaqueProperties,
                                              RegionRange, SmallVectorImpl<Type> &types) {
  RankedTensorType x = getTensor(operands[0]), center = getTensor(operands[1]);
  if (x.getRank() != 4)
    return emitOptionalError(loc, "input ", x, ", expected [n, c, h, w] (C1)");
  ArrayRef<int64_t> shape = x.getShape().take_front(2);
  if (center.getElementType() != x.getElementType() ||
      (center.getShape() != shape && center.getShape() != shape.drop_front()))
    return emitOptionalError(loc, "center is ", center, " for an input of ", x,
                             ", expected [c] or [n, c] (C1)");
  if (operands.size() > 2 && !haveSameShapes(operands[2].getType(), x))
    return emitOptionalError(loc, "factor is ", operands[2].getType(), ", expected ", x, " (C1)");
  types.append(2, RankedTensorType::get(shape, x.getElementType()));
  return success();
}

Nest ChannelSumsOp::getNest() {
  MLIRContext *context = getContext();
  RankedTensorType x = getTensor(getInput());
  Nest nest;
  nest.sizes.assign(x.getShape().begin(), x.getShape().end());
  nest.numParallel = 2;
  AffineExpr n = getAffineDimExpr(0, context), c = getAffineDimExpr(1, context);
  AffineMap all = AffineMap::getMultiDimIdentityMap(4, context);
  auto perImage = AffineMap::get(4, 0, {n, c}, context);
  nest.operandMaps = {all,
                      getTensor(getCenter()).getRank() == 1 ? AffineMap::get(4, 0, c) : perImage};
  if (getFactor())
    nest.operandMaps.push_back(all);
  nest.resultMaps = {perImage, perImage};
  return nest;
}

Values ChannelSumsOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange acc,
                                IndexFn) {
  Value distance = arith::SubFOp::create(b, loc, in[0], in[1]);
  Value factor = in.size() > 2 ? in[2] : distance;
  return {arith::AddFOp::create(b, loc, acc[0], factor),
          math::FmaOp::create(b, loc, factor, distance, acc[1])};
}

//===--------------------------------------------------------------------------------------------===//
// Small helpers
//===--------------------------------------------------------------------------------------------===//

LogicalResult InverseStdOp::verify() {
  if (getEpsilon().convertToDouble() <= 0)
    return emitOpError() << "epsilon must be positive (C1)";
  return success();
}

CNN_POINTWISE_OP(InverseStdOp)

Values InverseStdOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  Type type = in[0].getType();
  Value sum = arith::AddFOp::create(b, loc, in[0],
                                    buildFloat(b, loc, type, getEpsilon().convertToDouble()));
  return {arith::DivFOp::create(b, loc, buildFloat(b, loc, type, 1.0),
                                math::SqrtOp::create(b, loc, sum))};
}

LogicalResult ScaledWeightOp::verify() {
  if (getEpsilon().convertToDouble() <= 0)
    return emitOpError() << "epsilon must be positive (C2)";
  return success();
}

LogicalResult ScaledWeightOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                               ValueRange operands, DictionaryAttr,
                                               OpaqueProperties, RegionRange,
                                               SmallVectorImpl<Type> &types) {
  RankedTensorType weight = dropLayout(getTensor(operands[0]));
  if (weight.getRank() == 0)
    return emitOptionalError(loc, "weight is ", weight, ", expected [k, ...] (C1)");
  auto channels = RankedTensorType::get({weight.getDimSize(0)}, weight.getElementType());
  for (Value value : operands.drop_front())
    if (!haveSameShapes(value.getType(), channels))
      return emitOptionalError(loc, "scale or variance is ", value.getType(), ", expected ",
                               channels, " (C1)");
  types.push_back(weight);
  return success();
}

Nest ScaledWeightOp::getNest() {
  Nest nest = getPointwiseNest(getTensor(getResult()), {getWeight()});
  auto channel = AffineMap::get(nest.getNumDims(), 0, getAffineDimExpr(0, getContext()));
  nest.operandMaps.append(2, channel);
  return nest;
}

Values ScaledWeightOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  Value root = math::SqrtOp::create(
      b, loc,
      arith::AddFOp::create(b, loc, in[2],
                            buildFloat(b, loc, in[2].getType(), getEpsilon().convertToDouble())));
  return {arith::MulFOp::create(b, loc, in[0], arith::DivFOp::create(b, loc, in[1], root))};
}

LogicalResult RowCountOp::verify() {
  if (failed(checkRows(getLoc(), getRows())))
    return failure();
  if (getTensor(getResult()).getRank() != 0)
    return emitOpError() << "result is " << getTensor(getResult()) << ", expected rank 0 (C1)";
  if (int64_t factor = getFactorAttr().getInt(); factor <= 0)
    return emitOpError() << "factor is " << factor << ", expected a positive one (C2)";
  return success();
}

Nest RowCountOp::getNest() { return getPointwiseNest(getTensor(getResult()), {getRows()}); }

Values RowCountOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange, IndexFn) {
  Type type = getTensor(getResult()).getElementType();
  if (auto vector = dyn_cast<VectorType>(in[0].getType()))
    type = vector.clone(type);
  auto number = [&](IntegerAttr attr) {
    return buildFloat(b, loc, type, static_cast<double>(attr.getInt()));
  };
  Value rows = arith::SIToFPOp::create(b, loc, type, in[0]);
  Value count =
      arith::AddFOp::create(b, loc, arith::MulFOp::create(b, loc, rows, number(getFactorAttr())),
                            number(getOffsetAttr()));
  return {arith::MaximumFOp::create(b, loc, count, buildFloat(b, loc, type, 1.0))};
}
