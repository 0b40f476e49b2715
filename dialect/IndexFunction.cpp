//===- IndexFunction.cpp - Builds functions by index and literals ----------------------------===//

#include "dialect/IndexFunction.h"
#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/AffineExpr.h"

using namespace mlir;
using namespace mlir::cnn;

namespace {
/// The region's operations for the parts of an expression.
class TermBuilder {
public:
  TermBuilder(OpBuilder &builder, Location loc, Type element, ValueRange elements,
              ValueRange indices)
      : b(builder), loc(loc), element(element), elements(elements), indices(indices) {}

  Value build(const IndexTerm &term) {
    auto in = [&](unsigned i) { return values[term.children[i]]; };
    auto compare = [&](arith::CmpFPredicate predicate) -> Value {
      return arith::CmpFOp::create(b, loc, predicate, in(0), in(1));
    };
    switch (term.kind) {
    case IndexTerm::Kind::Number:
      return buildFloat(b, loc, element, term.number);
    case IndexTerm::Kind::Index:
      return convert(indices[term.which]);
    case IndexTerm::Kind::Element:
      return convert(elements[term.which]);
    case IndexTerm::Kind::Negate:
      return arith::NegFOp::create(b, loc, in(0));
    case IndexTerm::Kind::Absolute:
      return math::AbsFOp::create(b, loc, in(0));
    case IndexTerm::Kind::Root:
      return math::SqrtOp::create(b, loc, in(0));
    case IndexTerm::Kind::Add:
      return arith::AddFOp::create(b, loc, in(0), in(1));
    case IndexTerm::Kind::Subtract:
      return arith::SubFOp::create(b, loc, in(0), in(1));
    case IndexTerm::Kind::Multiply:
      return arith::MulFOp::create(b, loc, in(0), in(1));
    case IndexTerm::Kind::Divide:
      return arith::DivFOp::create(b, loc, in(0), in(1));
    case IndexTerm::Kind::Minimum:
      return arith::MinimumFOp::create(b, loc, in(0), in(1));
    case IndexTerm::Kind::Maximum:
      return arith::MaximumFOp::create(b, loc, in(0), in(1));
    case IndexTerm::Kind::Less:
      return compare(arith::CmpFPredicate::OLT);
    case IndexTerm::Kind::LessEqual:
      return compare(arith::CmpFPredicate::OLE);
    case IndexTerm::Kind::Equal:
      return compare(arith::CmpFPredicate::OEQ);
    case IndexTerm::Kind::And:
      return arith::AndIOp::create(b, loc, in(0), in(1));
    case IndexTerm::Kind::Or:
      return arith::OrIOp::create(b, loc, in(0), in(1));
    case IndexTerm::Kind::Not: {
      Value all = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
      return arith::XOrIOp::create(b, loc, in(0), all);
    }
    case IndexTerm::Kind::Select:
      return arith::SelectOp::create(b, loc, in(0), in(1), in(2));
    }
    llvm_unreachable("unknown part of an expression");
  }

  Value build(ArrayRef<IndexTerm> terms) {
    for (const IndexTerm &term : terms)
      values.push_back(build(term));
    return values.back();
  }

private:
  Value convert(Value value) {
    if (isa<FloatType>(value.getType()) == isa<FloatType>(element))
      return value;
    return arith::SIToFPOp::create(b, loc, element, value);
  }

  OpBuilder &b;
  Location loc;
  Type element;
  ValueRange elements, indices;
  SmallVector<Value> values;
};
} // namespace

/// Dimension 0 of every tensor is the batch, or 1 where the tensor has none.
static Value buildIndexFunction(OpBuilder &b, Location loc, ValueRange inputs,
                                const LayerArgs &args) {
  const IndexFunction &function = args.getFunction("function");
  MLIRContext *context = b.getContext();
  int64_t batch = 1;
  for (Value input : inputs)
    batch = std::max(batch, getTensor(input).getDimSize(0));
  SmallVector<int64_t> sizes = {batch};
  llvm::append_range(sizes, function.sizes);
  SmallVector<AffineMap> maps;
  for (auto [input, forms] : llvm::zip(inputs, function.reads)) {
    SmallVector<AffineExpr> exprs = {getTensor(input).getDimSize(0) == batch
                                         ? getAffineDimExpr(0, context)
                                         : getAffineConstantExpr(0, context)};
    for (const IndexForm &form : forms) {
      AffineExpr expr = getAffineConstantExpr(form.constant, context);
      for (auto [dim, factor] : llvm::enumerate(form.coefficients))
        expr = expr + getAffineDimExpr(dim + 1, context) * factor;
      exprs.push_back(expr);
    }
    maps.push_back(AffineMap::get(sizes.size(), 0, exprs, context));
  }
  unsigned parallel = function.parallel + 1;
  maps.push_back(AffineMap::getMultiDimIdentityMap(sizes.size(), context).getMajorSubMap(parallel));
  Type element = args.getElementType();
  if (function.integer && !function.positions)
    element = b.getI32Type();
  auto type = RankedTensorType::get(ArrayRef(sizes).take_front(parallel), element);
  StringRef reduction = function.reduction == IndexFunction::Reduction::Sum   ? "sum"
                        : function.reduction == IndexFunction::Reduction::Max ? "max"
                                                                              : "none";
  auto op =
      GenericOp::make(b, loc, type, inputs, sizes, parallel, reduction, maps,
                      /*scatter=*/false, function.positions,
                      [&](OpBuilder &inner, ValueRange elements, ValueRange indices) {
                        return TermBuilder(inner, loc, element, elements, indices.drop_front())
                            .build(function.terms);
                      });
  return function.positions ? op.getPositions() : op.getResult();
}

const LayerDef &mlir::cnn::getIndexLayer() {
  static const LayerDef layer = [] {
    LayerDef index;
    index.name = index.stem = "index";
    index.doc = "a function by index";
    index.isFunction = true;
    index.takesIntegers = true;
    index.mixesBatch = true;
    index.infer = [](ArrayRef<Shape>, const LayerArgs &args, LayerProblem &) {
      const IndexFunction &function = args.getFunction("function");
      LayerShape shape;
      ArrayRef<int64_t> sizes = function.sizes;
      shape.output.assign(sizes.begin(), sizes.begin() + function.parallel);
      shape.integer = function.integer;
      if (function.reduction != IndexFunction::Reduction::None)
        shape.flops = multiplySaturated({2, multiplySaturated(sizes)});
      return FailureOr<LayerShape>(shape);
    };
    index.build = [](OpBuilder &builder, Location loc, ValueRange inputs, ValueRange,
                     const LayerArgs &args) {
      return buildIndexFunction(builder, loc, inputs, args);
    };
    return index;
  }();
  return layer;
}

const LayerDef &mlir::cnn::getLiteralLayer() {
  static const LayerDef layer = [] {
    LayerDef literal;
    literal.name = literal.stem = "literal";
    literal.doc = "numbers that are written down";
    literal.numInputs = 0;
    literal.isFunction = true;
    literal.infer = [](ArrayRef<Shape>, const LayerArgs &args, LayerProblem &) {
      LayerShape shape;
      shape.output.assign(args.getList("shape").begin(), args.getList("shape").end());
      shape.integer = args.getBool("integer");
      return FailureOr<LayerShape>(shape);
    };
    literal.build = [](OpBuilder &b, Location loc, ValueRange, ValueRange,
                       const LayerArgs &args) -> Value {
      ArrayRef<double> numbers = args.getNumbers("numbers");
      SmallVector<int64_t> shape = {1};
      llvm::append_range(shape, args.getList("shape"));
      if (args.getBool("integer")) {
        auto type = RankedTensorType::get(shape, b.getI32Type());
        SmallVector<int32_t> values(numbers.begin(), numbers.end());
        return LiteralOp::create(b, loc, type, DenseElementsAttr::get(type, ArrayRef(values)));
      }
      auto type = RankedTensorType::get(shape, args.getElementType());
      if (llvm::all_equal(numbers) && !numbers.empty())
        return ConstantOp::create(b, loc, type, b.getF64FloatAttr(numbers[0]));
      SmallVector<Attribute> values;
      for (double number : numbers)
        values.push_back(b.getFloatAttr(args.getElementType(), number));
      return LiteralOp::create(b, loc, type, DenseElementsAttr::get(type, values));
    };
    return literal;
  }();
  return layer;
}
