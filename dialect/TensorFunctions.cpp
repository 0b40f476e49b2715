//===- TensorFunctions.cpp - Functions of tensors that are functions by index ----------------===//
//
// Reductions along axes, flip, stack, products of matrices of any rank, and functions of single
// elements that have no operation of their own. Axes count the dimensions of a sample; a negative
// one counts from the last.
//
//===--------------------------------------------------------------------------------------------===//

#include "dialect/Pointwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/AffineExpr.h"

using namespace mlir;
using namespace mlir::cnn;

using Values = SmallVector<Value>;
using Infer = FailureOr<LayerShape>;

/// A function without parameters.
static LayerDef makeFunction(StringRef name, StringRef doc, SmallVector<LayerArg> args = {}) {
  LayerDef layer;
  layer.name = layer.stem = name;
  layer.doc = doc;
  layer.args = std::move(args);
  layer.isFunction = true;
  return layer;
}

/// The axes that a call names, in order; all of them where it names none.
static FailureOr<SmallVector<int64_t>> getAxes(const LayerArgs &args, int64_t rank,
                                               LayerProblem &problem) {
  SmallVector<int64_t> axes;
  if (!args.has("axis")) {
    for (int64_t axis = 0; axis < rank; ++axis)
      axes.push_back(axis);
    return axes;
  }
  for (int64_t axis : args.getList("axis")) {
    int64_t at = axis < 0 ? axis + rank : axis;
    problem.arg = "axis";
    if (at < 0 || at >= rank) {
      problem.message = "axis " + std::to_string(axis) + " is not one of a tensor of " +
                        std::to_string(rank) + (rank == 1 ? " dimension" : " dimensions");
      return failure();
    }
    if (llvm::is_contained(axes, at)) {
      problem.message = "axis " + std::to_string(axis) + " is given twice";
      return failure();
    }
    axes.push_back(at);
  }
  llvm::sort(axes);
  problem = {};
  return axes;
}

static const LayerArg axisArg = {"axis", ArgKind::Ints, std::nullopt,
                                 "the dimensions; all of them by default", true};
static const LayerArg keepArg = {"keepdims", ArgKind::Bool, false,
                                 "whether reduced dimensions stay, with an extent of 1"};

/// The function's axes as dimensions of the operation.
static SmallVector<int64_t> getDims(const LayerArgs &args, Value x) {
  LayerProblem none;
  SmallVector<int64_t> dims = *getAxes(args, getTensor(x).getRank() - 1, none);
  for (int64_t &dim : dims)
    ++dim;
  return dims;
}

//===--------------------------------------------------------------------------------------------===//
// Reductions
//===--------------------------------------------------------------------------------------------===//

static Infer inferReduction(ArrayRef<Shape> inputs, const LayerArgs &args, LayerProblem &problem) {
  auto axes = getAxes(args, inputs[0].size(), problem);
  if (failed(axes))
    return failure();
  LayerShape shape;
  bool keep = args.has("keepdims") && args.getBool("keepdims");
  for (auto [axis, extent] : llvm::enumerate(inputs[0]))
    if (!llvm::is_contained(*axes, axis))
      shape.output.push_back(extent);
    else if (keep)
      shape.output.push_back(1);
  return shape;
}

/// The largest elements of `x` along `dims`, or their positions.
static Value buildLargest(OpBuilder &b, Location loc, Value x, ArrayRef<int64_t> dims, bool keep,
                          bool positions) {
  RankedTensorType type = getTensor(x);
  SmallVector<AffineExpr> place(type.getRank());
  SmallVector<int64_t> sizes, kept;
  for (bool reduced : {false, true})
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (llvm::is_contained(dims, dim) == reduced) {
        place[dim] = b.getAffineDimExpr(sizes.size());
        sizes.push_back(type.getDimSize(dim));
      }
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (!llvm::is_contained(dims, dim))
      kept.push_back(type.getDimSize(dim));
    else if (keep)
      kept.push_back(1);
  unsigned parallel = type.getRank() - dims.size(), rank = sizes.size();
  auto result = RankedTensorType::get(ArrayRef(sizes).take_front(parallel), type.getElementType());
  auto op = GenericOp::make(
      b, loc, result, x, sizes, parallel, dims.empty() ? "none" : "max",
      {AffineMap::get(rank, 0, place, b.getContext()),
       AffineMap::getMultiDimIdentityMap(rank, b.getContext()).getMajorSubMap(parallel)},
      /*scatter=*/false, positions,
      [](OpBuilder &, ValueRange elements, ValueRange) { return elements[0]; });
  Value value = positions ? op.getPositions() : op.getResult();
  if (ArrayRef<int64_t>(kept) == getTensor(value).getShape())
    return value;
  return ReshapeOp::create(b, loc, RankedTensorType::get(kept, getTensor(value).getElementType()),
                           value);
}

template <typename Build>
static LayerDef makeReduction(StringRef name, StringRef doc, Build build) {
  LayerDef layer = makeFunction(name, doc, {axisArg, keepArg});
  layer.infer = inferReduction;
  layer.build = [build](OpBuilder &b, Location loc, ValueRange inputs, ValueRange,
                        const LayerArgs &args) -> Value {
    return build(b, loc, inputs[0], getDims(args, inputs[0]), args.getBool("keepdims"));
  };
  return layer;
}

static void addReductions(std::vector<LayerDef> &layers) {
  auto sum = [](OpBuilder &b, Location loc, Value x, ArrayRef<int64_t> dims, bool keep) -> Value {
    return ReduceSumOp::create(b, loc, x, dims, keep);
  };
  layers.push_back(makeReduction("sum", "the sum of the elements along axes", sum));
  layers.push_back(makeReduction(
      "mean", "the mean of the elements along axes",
      [sum](OpBuilder &b, Location loc, Value x, ArrayRef<int64_t> dims, bool keep) -> Value {
        double count = 1;
        for (int64_t dim : dims)
          count *= getTensor(x).getDimSize(dim);
        auto scalar = RankedTensorType::get({1}, getTensor(x).getElementType());
        return DivOp::create(b, loc, sum(b, loc, x, dims, keep),
                             ConstantOp::create(b, loc, scalar, b.getF64FloatAttr(count)));
      }));
  layers.push_back(
      makeReduction("max", "the largest element along axes; the gradient goes to the first that is",
                    [](OpBuilder &b, Location loc, Value x, ArrayRef<int64_t> dims,
                       bool keep) -> Value { return buildLargest(b, loc, x, dims, keep, false); }));
  layers.push_back(makeReduction(
      "min", "the smallest element along axes; the gradient goes to the first that is",
      [](OpBuilder &b, Location loc, Value x, ArrayRef<int64_t> dims, bool keep) -> Value {
        Value negative = NegOp::create(b, loc, x);
        return NegOp::create(b, loc, buildLargest(b, loc, negative, dims, keep, false));
      }));
  layers.back().ofSeveral = "minimum";
  layers[layers.size() - 2].ofSeveral = "maximum";
  LayerDef argmax = makeReduction(
      "argmax", "the index of the first largest element along axes, in row-major order",
      [](OpBuilder &b, Location loc, Value x, ArrayRef<int64_t> dims, bool keep) -> Value {
        return buildLargest(b, loc, x, dims, keep, true);
      });
  argmax.infer = [](ArrayRef<Shape> inputs, const LayerArgs &args, LayerProblem &problem) -> Infer {
    if (inputs[0].empty()) {
      problem.message = "argmax needs a tensor of at least one dimension";
      return failure();
    }
    Infer shape = inferReduction(inputs, args, problem);
    if (succeeded(shape))
      shape->integer = true;
    return shape;
  };
  layers.push_back(std::move(argmax));
}

//===--------------------------------------------------------------------------------------------===//
// Parts in another order
//===--------------------------------------------------------------------------------------------===//

static LayerDef getFlip() {
  LayerDef layer = makeFunction("flip", "the elements in reverse order along axes", {axisArg});
  layer.takesIntegers = true;
  layer.infer = [](ArrayRef<Shape> inputs, const LayerArgs &args, LayerProblem &problem) -> Infer {
    if (failed(getAxes(args, inputs[0].size(), problem)))
      return failure();
    LayerShape shape;
    shape.output = inputs[0];
    return shape;
  };
  layer.build = [](OpBuilder &b, Location loc, ValueRange inputs, ValueRange,
                   const LayerArgs &args) -> Value {
    RankedTensorType type = getTensor(inputs[0]);
    auto identity = AffineMap::getMultiDimIdentityMap(type.getRank(), b.getContext());
    SmallVector<AffineExpr> place(identity.getResults());
    for (int64_t dim : getDims(args, inputs[0]))
      place[dim] = place[dim] * -1 + (type.getDimSize(dim) - 1);
    return GenericOp::make(
               b, loc, dropLayout(type), inputs[0], type.getShape(), type.getRank(), "none",
               {AffineMap::get(type.getRank(), 0, place, b.getContext()), identity}, false, false,
               [](OpBuilder &, ValueRange elements, ValueRange) { return elements[0]; })
        .getResult();
  };
  return layer;
}

static LayerDef getStack() {
  LayerDef layer =
      makeFunction("stack", "tensors of one shape, one behind the other along a new axis",
                   {{"axis", ArgKind::Int, int64_t(0), "where the new dimension stands"}});
  layer.isVariadic = true;
  layer.infer = [](ArrayRef<Shape> inputs, const LayerArgs &args, LayerProblem &problem) -> Infer {
    int64_t rank = inputs[0].size(), axis = args.getInt("axis");
    for (auto [i, shape] : llvm::enumerate(inputs))
      if (shape != inputs[0]) {
        auto text = [](const Shape &of) {
          return of.empty() ? "a single number" : formatShape(of);
        };
        problem.message =
            "stack takes tensors of one shape, not " + text(inputs[0]) + " and " + text(shape);
        problem.input = i;
        problem.inputText = "the " + formatShape(shape) + " tensor";
        return failure();
      }
    if (axis < -rank - 1 || axis > rank) {
      problem.message = "the new axis stands at 0 to " + std::to_string(rank) + ", not at " +
                        std::to_string(axis);
      problem.arg = "axis";
      return failure();
    }
    LayerShape shape;
    shape.output = inputs[0];
    shape.output.insert(shape.output.begin() + (axis < 0 ? axis + rank + 1 : axis), inputs.size());
    return shape;
  };
  layer.build = [](OpBuilder &b, Location loc, ValueRange inputs, ValueRange,
                   const LayerArgs &args) -> Value {
    RankedTensorType type = getTensor(inputs[0]);
    int64_t axis = args.getInt("axis"), rank = type.getRank() + 1;
    int64_t at = axis < 0 ? axis + rank : axis + 1;
    SmallVector<int64_t> sizes(type.getShape());
    sizes.insert(sizes.begin() + at, inputs.size());
    auto identity = AffineMap::getMultiDimIdentityMap(rank, b.getContext());
    SmallVector<AffineMap> maps(inputs.size(), identity.dropResult(at));
    maps.push_back(identity);
    return GenericOp::make(b, loc, RankedTensorType::get(sizes, type.getElementType()), inputs,
                           sizes, rank, "none", maps, false, false,
                           [&](OpBuilder &inner, ValueRange elements, ValueRange indices) {
                             Value value = elements.back();
                             for (int64_t i = elements.size() - 2; i >= 0; --i) {
                               Value here = arith::CmpIOp::create(
                                   inner, loc, arith::CmpIPredicate::eq, indices[at],
                                   buildInt(inner, loc, indices[at].getType(), i));
                               value =
                                   arith::SelectOp::create(inner, loc, here, elements[i], value);
                             }
                             return value;
                           })
        .getResult();
  };
  return layer;
}

//===--------------------------------------------------------------------------------------------===//
// Products of matrices
//===--------------------------------------------------------------------------------------------===//

static Infer inferMatmul(ArrayRef<Shape> inputs, const LayerArgs &, LayerProblem &problem) {
  ArrayRef<int64_t> a = inputs[0], b = inputs[1];
  std::string shapes = formatShape(a) + " and " + formatShape(b);
  if (a.empty() || b.empty()) {
    problem.message = "matmul takes vectors and matrices, no single numbers";
    problem.hint = "write a * b";
    return failure();
  }
  int64_t common = b[b.size() == 1 ? 0 : b.size() - 2];
  if (a.back() != common) {
    problem.message = "cannot multiply " + shapes + ": rows of " + std::to_string(a.back()) +
                      " meet columns of " + std::to_string(common);
    problem.input = 1;
    problem.inputText = "the " + formatShape(b) + " operand";
    return failure();
  }
  auto leading = broadcastShapes(a.drop_back(std::min<size_t>(a.size(), 2)),
                                 b.drop_back(std::min<size_t>(b.size(), 2)));
  if (!leading) {
    problem.message = "cannot multiply " + shapes + ": their leading dimensions do not match";
    problem.input = 1;
    problem.inputText = "the " + formatShape(b) + " operand";
    return failure();
  }
  LayerShape shape;
  shape.output = *leading;
  if (a.size() > 1)
    shape.output.push_back(a[a.size() - 2]);
  if (b.size() > 1)
    shape.output.push_back(b.back());
  shape.flops = multiplySaturated({2, multiplySaturated(shape.output), common});
  return shape;
}

static LayerDef getMatmul() {
  LayerDef layer = makeFunction("matmul", "the product of matrices, for any rank as NumPy's");
  layer.numInputs = 2;
  layer.mixesBatch = true;
  layer.infer = inferMatmul;
  layer.build = [](OpBuilder &b, Location loc, ValueRange inputs, ValueRange,
                   const LayerArgs &args) -> Value {
    RankedTensorType left = getTensor(inputs[0]), right = getTensor(inputs[1]);
    LayerProblem none;
    Shape first(left.getShape().drop_front()), second(right.getShape().drop_front());
    Shape output = inferMatmul({first, second}, args, none)->output;
    SmallVector<int64_t> sizes = {std::max(left.getDimSize(0), right.getDimSize(0))};
    llvm::append_range(sizes, output);
    unsigned parallel = sizes.size(), rank = parallel + 1;
    bool hasRow = first.size() > 1, hasColumn = second.size() > 1;
    unsigned leading = parallel - hasRow - hasColumn;
    sizes.push_back(first.back());
    // Leading dimensions are aligned at their last; an extent of 1 is repeated.
    auto read = [&](RankedTensorType type, unsigned matrix, ArrayRef<unsigned> dims) {
      SmallVector<AffineExpr> place;
      unsigned count = type.getRank() - 1 - matrix;
      for (unsigned i = 0; i <= count; ++i) {
        unsigned dim = i == 0 ? 0 : leading - count + i - 1;
        place.push_back(type.getDimSize(i) == sizes[dim] ? b.getAffineDimExpr(dim)
                                                         : b.getAffineConstantExpr(0));
      }
      for (unsigned dim : dims)
        place.push_back(b.getAffineDimExpr(dim));
      return AffineMap::get(rank, 0, place, b.getContext());
    };
    SmallVector<unsigned> rows, columns;
    if (hasRow)
      rows.push_back(leading);
    rows.push_back(parallel);
    columns.push_back(parallel);
    if (hasColumn)
      columns.push_back(parallel - 1);
    auto type = RankedTensorType::get(ArrayRef(sizes).take_front(parallel), left.getElementType());
    return GenericOp::make(
               b, loc, type, inputs, sizes, parallel, "sum",
               {read(left, rows.size(), rows), read(right, columns.size(), columns),
                AffineMap::getMultiDimIdentityMap(rank, b.getContext()).getMajorSubMap(parallel)},
               false, false,
               [&](OpBuilder &inner, ValueRange elements, ValueRange) -> Value {
                 return arith::MulFOp::create(inner, loc, elements[0], elements[1]);
               })
        .getResult();
  };
  return layer;
}

std::vector<LayerDef> GenericOp::getLayers() {
  std::vector<LayerDef> layers;
  addReductions(layers);
  layers.push_back(getFlip());
  layers.push_back(getStack());
  layers.push_back(getMatmul());
  return layers;
}
