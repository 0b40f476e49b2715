//===- CnnAdaptivePoolOps.cpp - Pooling to a given size --------------------------------------===//
//
// Windows of different extents are no linear function of the output's index. So the nests visit all
// pairs: forward (n, c, i, j | h, w), gradients (n, c, h, w | i, j), and bodies ask whether the
// point lies in the window. Sizes that divide the image become ordinary pooling.
//
//===--------------------------------------------------------------------------------------------===//

#include "dialect/CnnDialect.h"
#include "dialect/Window.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AffineExpr.h"

#include <limits>

using namespace mlir;
using namespace mlir::cnn;

using IndexFn = llvm::function_ref<Value(unsigned)>;
using Values = SmallVector<Value>;

static FailureOr<RankedTensorType> inferAdaptive(std::optional<Location> loc, RankedTensorType x,
                                                 ArrayRef<int64_t> size) {
  if (x.getRank() != 4 || size.size() != 2 || size[0] <= 0 || size[1] <= 0)
    return emitOptionalError(loc, "input ", x,
                             " must have rank 4, and size 2 positive entries "
                             "(C1)");
  return RankedTensorType::get({x.getDimSize(0), x.getDimSize(1), size[0], size[1]},
                               x.getElementType());
}

/// The nest over `to`, with all of the image of `from` reduced.
static Nest getAllPairs(RankedTensorType from, RankedTensorType to) {
  MLIRContext *context = from.getContext();
  AffineExpr n, c, i, j, h, w;
  bindDims(context, n, c, i, j, h, w);
  Nest nest;
  nest.sizes.assign(to.getShape().begin(), to.getShape().end());
  nest.sizes.append({from.getDimSize(2), from.getDimSize(3)});
  nest.numParallel = 4;
  nest.operandMaps = {AffineMap::get(6, 0, {n, c, h, w}, context)};
  nest.resultMaps = {AffineMap::get(6, 0, {n, c, i, j}, context)};
  return nest;
}

namespace {
/// Index arithmetic of the windows along one axis: `out` of them over an extent of `in`.
struct Windows {
  OpBuilder &b;
  Location loc;
  int64_t in, out;

  Value constant(Value like, int64_t value) { return buildInt(b, loc, like.getType(), value); }
  Value times(Value value, int64_t factor) {
    return arith::MulIOp::create(b, loc, value, constant(value, factor));
  }
  Value next(Value value) { return arith::AddIOp::create(b, loc, value, constant(value, 1)); }

  /// floor(i in / out) <= at < ceil((i + 1) in / out), without dividing.
  Value contains(Value i, Value at) {
    Value begun = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, times(i, in),
                                        times(next(at), out));
    Value open = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, times(at, out),
                                       times(next(i), in));
    return arith::AndIOp::create(b, loc, begun, open);
  }

  Value count(Value i) {
    Value divisor = constant(i, out);
    Value begin = arith::DivUIOp::create(b, loc, times(i, in), divisor);
    Value end = arith::AddIOp::create(b, loc, times(next(i), in), constant(i, out - 1));
    end = arith::DivUIOp::create(b, loc, end, divisor);
    return arith::SubIOp::create(b, loc, end, begin);
  }
};

/// The windows of both axes.
struct Grid {
  Grid(OpBuilder &b, Location loc, RankedTensorType image, RankedTensorType pooled)
      : rows{b, loc, image.getDimSize(2), pooled.getDimSize(2)},
        columns{b, loc, image.getDimSize(3), pooled.getDimSize(3)} {}

  Value contains(Value i, Value j, Value h, Value w) {
    return arith::AndIOp::create(rows.b, rows.loc, rows.contains(i, h), columns.contains(j, w));
  }
  /// `value` over the number of elements of window (i, j).
  Value mean(Value value, Value i, Value j) {
    Value count = arith::MulIOp::create(rows.b, rows.loc, rows.count(i), columns.count(j));
    return arith::DivFOp::create(rows.b, rows.loc, value,
                                 arith::SIToFPOp::create(rows.b, rows.loc, value.getType(), count));
  }
  Value select(Value condition, Value yes, Value no) {
    return arith::SelectOp::create(rows.b, rows.loc, condition, yes, no);
  }
  /// h * width + w.
  Value position(Value h, Value w) {
    return arith::AddIOp::create(rows.b, rows.loc, rows.times(h, columns.in), w);
  }

  Windows rows, columns;
};
} // namespace

/// The layer `name`; where `size` divides the image, `pool` builds ordinary pooling, else `build`.
static LayerDef
makeAdaptiveLayer(StringRef name, StringRef doc,
                  std::function<Value(OpBuilder &, Location, Value, const Window &)> pool,
                  std::function<Value(OpBuilder &, Location, Value, ArrayRef<int64_t>)> build) {
  LayerDef layer;
  layer.name = name;
  layer.stem = "pool";
  layer.doc = doc;
  layer.args = {{"size", ArgKind::Size, std::nullopt, "extents of the output"}};
  layer.sampleRank = 3;
  layer.leastRank = 2;
  std::string what = name.str();
  layer.infer = [what](ArrayRef<Shape> inputs, const LayerArgs &args,
                       LayerProblem &problem) -> FailureOr<LayerShape> {
    const Shape &input = inputs[0];
    ArrayRef<int64_t> size = args.getList("size");
    if (input.size() != 3) {
      problem.message =
          what + " takes an image [channels, height, width], not " + formatShape(input);
      problem.input = 0;
      problem.inputText = "the " + formatShape(input) + " input";
      return failure();
    }
    // Index arithmetic has 32 bits.
    constexpr int64_t limit = int64_t(1) << 14;
    for (int axis : {0, 1})
      if (size[axis] <= 0 || size[axis] > limit || input[axis + 1] > limit) {
        problem.message =
            size[axis] <= 0 ? "size must be positive, not " + std::to_string(size[axis])
                            : what + " takes sizes and images of at most " + std::to_string(limit) +
                                  ", not " + std::to_string(std::max(size[axis], input[axis + 1]));
        problem.arg = "size";
        return failure();
      }
    LayerShape shape;
    shape.output = {input[0], size[0], size[1]};
    return shape;
  };
  layer.build = [pool, build](OpBuilder &b, Location loc, ValueRange inputs, ValueRange,
                              const LayerArgs &args) -> Value {
    ArrayRef<int64_t> size = args.getList("size");
    ArrayRef<int64_t> image = getTensor(inputs[0]).getShape().drop_front(2);
    if (image[0] % size[0] || image[1] % size[1])
      return build(b, loc, inputs[0], size);
    Window window;
    window.kernel = window.stride = {image[0] / size[0], image[1] / size[1]};
    window.padding = {0, 0, 0, 0};
    return pool(b, loc, inputs[0], window);
  };
  return layer;
}

//===--------------------------------------------------------------------------------------------===//
// Average
//===--------------------------------------------------------------------------------------------===//

LogicalResult AdaptiveAvgPoolOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                                  ValueRange operands, DictionaryAttr attributes,
                                                  OpaqueProperties properties, RegionRange regions,
                                                  SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  auto type = inferAdaptive(loc, getTensor(operands[0]), adaptor.getSize());
  if (failed(type))
    return failure();
  types.push_back(*type);
  return success();
}

Nest AdaptiveAvgPoolOp::getNest() {
  return getAllPairs(getTensor(getInput()), getTensor(getResult()));
}

Values AdaptiveAvgPoolOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange acc,
                                    IndexFn index) {
  Grid grid(b, loc, getTensor(getInput()), getTensor(getResult()));
  Value sum = arith::AddFOp::create(b, loc, acc[0], in[0]);
  return {grid.select(grid.contains(index(2), index(3), index(4), index(5)), sum, acc[0])};
}

Values AdaptiveAvgPoolOp::buildFinish(OpBuilder &b, Location loc, ValueRange acc, IndexFn index) {
  Grid grid(b, loc, getTensor(getInput()), getTensor(getResult()));
  return {grid.mean(acc[0], index(2), index(3))};
}

Values AdaptiveAvgPoolOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  return {AdaptiveAvgPoolGradOp::create(b, getLoc(), dropLayout(getTensor(getInput())), dy[0])};
}

LayerDef AdaptiveAvgPoolOp::getLayer() {
  return makeAdaptiveLayer(
      "adaptive_avg_pool", "means of windows that cover the image in a given number",
      [](OpBuilder &b, Location loc, Value input, const Window &window) -> Value {
        return AvgPoolOp::create(b, loc, input, window.kernel, window.stride, window.padding,
                                 /*ceil_mode=*/false, /*count_include_pad=*/true);
      },
      [](OpBuilder &b, Location loc, Value input, ArrayRef<int64_t> size) -> Value {
        return AdaptiveAvgPoolOp::create(b, loc, input, size);
      });
}

template <typename Op> static LogicalResult verifyAdaptiveGradient(Op op) {
  RankedTensorType dy = getTensor(op.getGradient()), dx = getTensor(op.getResult());
  if (dy.getRank() != 4 || dx.getRank() != 4 ||
      dy.getShape().take_front(2) != dx.getShape().take_front(2))
    return op.emitOpError() << "gradient " << dy << " and result " << dx
                            << " must agree in rank 4 and their first extents (C1)";
  return success();
}

LogicalResult AdaptiveAvgPoolGradOp::verify() { return verifyAdaptiveGradient(*this); }

Nest AdaptiveAvgPoolGradOp::getNest() {
  return getAllPairs(getTensor(getGradient()), getTensor(getResult()));
}

Values AdaptiveAvgPoolGradOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange acc,
                                        IndexFn index) {
  Grid grid(b, loc, getTensor(getResult()), getTensor(getGradient()));
  Value sum = arith::AddFOp::create(b, loc, acc[0], grid.mean(in[0], index(4), index(5)));
  return {grid.select(grid.contains(index(4), index(5), index(2), index(3)), sum, acc[0])};
}

//===--------------------------------------------------------------------------------------------===//
// Max
//===--------------------------------------------------------------------------------------------===//

LogicalResult AdaptiveMaxPoolOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                                  ValueRange operands, DictionaryAttr attributes,
                                                  OpaqueProperties properties, RegionRange regions,
                                                  SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  auto type = inferAdaptive(loc, getTensor(operands[0]), adaptor.getSize());
  if (failed(type))
    return failure();
  types.push_back(*type);
  types.push_back(RankedTensorType::get(type->getShape(), IntegerType::get(context, 32)));
  return success();
}

Nest AdaptiveMaxPoolOp::getNest() {
  Nest nest = getAllPairs(getTensor(getInput()), getTensor(getResult()));
  nest.combine = "";
  nest.ordered = true;
  nest.resultMaps.push_back(nest.resultMaps[0]);
  return nest;
}

Values AdaptiveMaxPoolOp::buildInit(OpBuilder &b, Location loc, ArrayRef<Type> types) {
  return {buildFloat(b, loc, types[0], -std::numeric_limits<double>::infinity()),
          buildZero(b, loc, types[1])};
}

Values AdaptiveMaxPoolOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange acc,
                                    IndexFn index) {
  // The first largest element wins, and the first NaN wins over everything, as in PyTorch.
  Grid grid(b, loc, getTensor(getInput()), getTensor(getResult()));
  Value larger = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, in[0], acc[0]);
  Value fresh = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, acc[0], acc[0]);
  Value bad = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, in[0], in[0]);
  larger = arith::OrIOp::create(b, loc, larger, arith::AndIOp::create(b, loc, fresh, bad));
  larger =
      arith::AndIOp::create(b, loc, larger, grid.contains(index(2), index(3), index(4), index(5)));
  return {grid.select(larger, in[0], acc[0]),
          grid.select(larger, grid.position(index(4), index(5)), acc[1])};
}

Values AdaptiveMaxPoolOp::buildBackward(OpBuilder &b, ValueRange dy, ArrayRef<bool>) {
  return {AdaptiveMaxPoolGradOp::create(b, getLoc(), dropLayout(getTensor(getInput())), dy[0],
                                        getPositions())};
}

LayerDef AdaptiveMaxPoolOp::getLayer() {
  return makeAdaptiveLayer(
      "adaptive_max_pool", "the largest elements of windows that cover the image in a given number",
      [](OpBuilder &b, Location loc, Value input, const Window &window) -> Value {
        return MaxPoolOp::create(b, loc, input, window.kernel, window.stride, window.padding,
                                 /*ceil_mode=*/false, /*with_positions=*/false)
            .getResult();
      },
      [](OpBuilder &b, Location loc, Value input, ArrayRef<int64_t> size) -> Value {
        return AdaptiveMaxPoolOp::create(b, loc, input, size).getResult();
      });
}

LogicalResult AdaptiveMaxPoolGradOp::verify() {
  RankedTensorType positions = getTensor(getPositions());
  if (positions.getShape() != getTensor(getGradient()).getShape() ||
      !positions.getElementType().isInteger(32))
    return emitOpError() << "positions are " << positions
                         << ", expected the gradient's shape with i32 (C2)";
  return verifyAdaptiveGradient(*this);
}

Nest AdaptiveMaxPoolGradOp::getNest() {
  Nest nest = getAllPairs(getTensor(getGradient()), getTensor(getResult()));
  nest.operandMaps.push_back(nest.operandMaps[0]);
  return nest;
}

Values AdaptiveMaxPoolGradOp::buildBody(OpBuilder &b, Location loc, ValueRange in, ValueRange acc,
                                        IndexFn index) {
  Grid grid(b, loc, getTensor(getResult()), getTensor(getGradient()));
  Value hit = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, in[1],
                                    grid.position(index(2), index(3)));
  return {grid.select(hit, arith::AddFOp::create(b, loc, acc[0], in[0]), acc[0])};
}
