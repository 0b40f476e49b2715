// Tensors that are written down, arithmetic of tensors and numbers, slices, and the nodes that
// elaboration adds itself.
#include "compiler/frontend/ElaborateImpl.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace cnn;
using namespace cnn::ast;
using llvm::ArrayRef;
using llvm::cast;
using llvm::dyn_cast;
using llvm::SMRange;
using llvm::StringRef;
using llvm::Twine;
using mlir::cnn::formatShape;
using mlir::cnn::IndexForm;
using mlir::cnn::IndexFunction;
using mlir::cnn::IndexTerm;
using mlir::cnn::LayerArgs;
using mlir::cnn::LayerDef;
using mlir::cnn::Shape;

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

unsigned Elaborator::addInput(const Shape &shape, bool batched, bool integer, StringRef name,
                              SMRange range) {
  graph->inputs.push_back(graph->tensors.size());
  GraphTensor tensor;
  tensor.shape = shape;
  tensor.name = name.str();
  tensor.range = range;
  tensor.batched = batched;
  tensor.integer = integer;
  graph->tensors.push_back(std::move(tensor));
  return graph->inputs.back();
}

/// A node that elaboration adds itself.
Value Elaborator::addNode(const LayerDef &layer, LayerArgs arguments, ArrayRef<unsigned> operands,
                          SMRange range) {
  GraphNode node;
  node.arguments = std::move(arguments);
  node.operands.assign(operands.begin(), operands.end());
  return finishNode(layer, std::move(node), {}, {}, range, {});
}

Value Elaborator::makeIndexNode(IndexFunction function, ArrayRef<unsigned> operands,
                                SMRange range) {
  LayerArgs arguments;
  arguments.set("function", std::make_shared<const IndexFunction>(std::move(function)));
  return addNode(mlir::cnn::getIndexLayer(), std::move(arguments), operands, range);
}

Value Elaborator::makeLiteral(const Shape &shape, std::vector<double> numbers, bool integer,
                              SMRange range) {
  if (!graph) {
    error(range, "a tensor cannot be used outside of a net or test");
    return Value();
  }
  LayerArgs arguments;
  arguments.set("shape", std::vector<int64_t>(shape.begin(), shape.end()));
  arguments.set("integer", integer);
  arguments.set("numbers", std::make_shared<const std::vector<double>>(std::move(numbers)));
  return addNode(mlir::cnn::getLiteralLayer(), std::move(arguments), {}, range);
}

/// A function of the elements at the same place of one tensor.
Value Elaborator::makePointwise(unsigned tensor, std::vector<IndexTerm> terms, bool integer,
                                SMRange range) {
  IndexFunction function;
  const Shape &shape = graph->tensors[tensor].shape;
  function.sizes = shape;
  function.parallel = shape.size();
  function.reads.emplace_back();
  for (size_t dim = 0; dim < shape.size(); ++dim) {
    IndexForm form;
    form.coefficients.assign(shape.size(), 0);
    form.coefficients[dim] = 1;
    function.reads.back().push_back(form);
  }
  function.terms = std::move(terms);
  function.integer = integer;
  return makeIndexNode(std::move(function), tensor, range);
}

/// Integers as numbers of the net's float type.
Value Elaborator::toNumbers(const Value &value) {
  if (!value.is(Value::Kind::Tensor) || !graph->tensors[value.integer].integer)
    return value;
  IndexTerm element;
  element.kind = IndexTerm::Kind::Element;
  return makePointwise(value.integer, {element}, false, value.origin);
}

//===----------------------------------------------------------------------===//
// Literals
//===----------------------------------------------------------------------===//

/// Appends the numbers of a nested list, whose extents below `depth` are `shape`.
bool Elaborator::flattenList(const Value &value, size_t depth, Shape &shape,
                             std::vector<double> &numbers, SMRange range) {
  SMRange place = value.origin.isValid() && !value.is(Value::Kind::Tensor) ? value.origin : range;
  if (value.isNumber()) {
    if (depth != shape.size()) {
      error(place, "a tensor has rows of one length; here a number stands beside a list of " +
                       Twine(shape[depth]));
      return false;
    }
    numbers.push_back(value.asDouble());
    return true;
  }
  if (!value.is(Value::Kind::List)) {
    error(place, "the elements of a tensor are numbers, not " + describe(value))
        .hint(value.is(Value::Kind::Tensor) ? "stack(a, b) joins tensors" : "");
    return false;
  }
  if (value.size() == 0) {
    error(place, "a tensor has at least one element");
    return false;
  }
  // The first list of each depth says how long all are.
  if (numbers.empty() && depth == shape.size()) {
    shape.push_back(value.size());
  } else if (depth == shape.size() || shape[depth] != value.size()) {
    error(place, depth == shape.size()
                     ? Twine("a tensor has rows of one length; here a list stands beside a number")
                     : "a tensor has rows of one length; this one has " +
                           counted(value.size(), "element") + ", the first " + Twine(shape[depth]));
    return false;
  }
  return llvm::all_of(*value.elements, [&](const Value &element) {
    return flattenList(element, depth + 1, shape, numbers, range);
  });
}

Value Elaborator::toTensor(const Value &value, SMRange range) {
  switch (value.kind) {
  case Value::Kind::Poison:
  case Value::Kind::Tensor:
    return value;
  case Value::Kind::Int:
  case Value::Kind::Float:
    return makeLiteral({}, {value.asDouble()}, false, range);
  case Value::Kind::List: {
    Shape shape;
    std::vector<double> numbers;
    if (!flattenList(value, 0, shape, numbers, range))
      return Value();
    return makeLiteral(shape, std::move(numbers), false, range);
  }
  case Value::Kind::Range: {
    if (value.size() == 0 || value.size() > maxLiteral) {
      error(range, "a tensor cannot have " + Twine(value.size()) + " elements");
      return Value();
    }
    std::vector<double> numbers;
    for (int64_t i = 0; i < value.size(); ++i)
      numbers.push_back(value.integer + i);
    return makeLiteral({value.size()}, std::move(numbers), false, range);
  }
  default:
    error(range, "a tensor is expected here, not " + describe(value));
    return Value();
  }
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

/// The parts of `x ^ power`, by repeated squaring, with x as part 0.
static std::vector<IndexTerm> buildPower(int64_t power) {
  IndexTerm element;
  element.kind = IndexTerm::Kind::Element;
  std::vector<IndexTerm> terms = {element};
  auto add = [&](IndexTerm::Kind kind, unsigned lhs, unsigned rhs) -> unsigned {
    IndexTerm term;
    term.kind = kind;
    term.children = {lhs, rhs};
    terms.push_back(term);
    return terms.size() - 1;
  };
  auto number = [&](double value) -> unsigned {
    IndexTerm term;
    term.number = value;
    terms.push_back(term);
    return terms.size() - 1;
  };
  std::optional<unsigned> product;
  unsigned square = 0;
  for (uint64_t rest = power < 0 ? -power : power; rest; rest /= 2) {
    if (rest % 2)
      product = product ? add(IndexTerm::Kind::Multiply, *product, square) : square;
    if (rest > 1)
      square = add(IndexTerm::Kind::Multiply, square, square);
  }
  if (!product)
    number(1.0);
  else if (power < 0)
    add(IndexTerm::Kind::Divide, number(1.0), *product);
  else if (*product + 1 != terms.size())
    add(IndexTerm::Kind::Add, *product, number(0.0));
  return terms;
}

bool Elaborator::checkPower(const BinaryExpr &expr, const Value &power) {
  if ((power.is(Value::Kind::Int) && power.integer <= 64 && power.integer >= -64) ||
      (power.is(Value::Kind::Float) && power.number == 0.5))
    return true;
  error(expr.rhs->range,
        "a tensor is raised to an integer from -64 to 64 or to 0.5, not to " + describe(power))
      .hint("exp(b * log(a)) is the power of a positive tensor");
  return false;
}

Value Elaborator::computePower(const BinaryExpr &expr, const Value &base, const Value &power) {
  if (!checkPower(expr, power))
    return Value();
  Value tensor = toNumbers(base);
  if (tensor.isPoison())
    return Value();
  if (power.is(Value::Kind::Int))
    return makePointwise(tensor.integer, buildPower(power.integer), false, expr.range);
  IndexTerm element, root;
  element.kind = IndexTerm::Kind::Element;
  root.kind = IndexTerm::Kind::Root;
  root.children = {0};
  return makePointwise(tensor.integer, {element, root}, false, expr.range);
}

Value Elaborator::computeTensors(const BinaryExpr &expr, const Value &lhs, const Value &rhs) {
  StringRef name = expr.op == BinaryOp::Add   ? "add"
                   : expr.op == BinaryOp::Sub ? "sub"
                   : expr.op == BinaryOp::Mul ? "mul"
                   : expr.op == BinaryOp::Div ? "div"
                                              : "";
  const LayerDef *layer = mlir::cnn::findLayer(name);
  auto isOperand = [](const Value &value) {
    return value.isNumber() || value.is(Value::Kind::Tensor) || value.is(Value::Kind::List);
  };
  if (expr.op == BinaryOp::Pow && lhs.is(Value::Kind::Tensor) && isOperand(rhs))
    return computePower(expr, lhs, rhs);
  if (layer && isOperand(lhs) && isOperand(rhs)) {
    std::optional<Label> own = std::move(label);
    label.reset();
    Value left = toTensor(lhs, expr.lhs->range), right = toTensor(rhs, expr.rhs->range);
    label = std::move(own);
    if (left.isPoison() || right.isPoison())
      return Value();
    return callLayer(*layer, {}, nullptr, {left, right}, expr.range);
  }
  error(expr.opRange,
        "'" + spelling(expr.op) + "' does not apply to " + describe(lhs) + " and " + describe(rhs))
      .hint(lhs.is(Value::Kind::Stage) || rhs.is(Value::Kind::Stage)
                ? "a layer gives a tensor when it is applied to one: x -> ..."
                : "");
  return Value();
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

std::string cnn::printed(const Expr *expr) {
  // As it was written, where that is on one line.
  const char *begin = expr->range.Start.getPointer();
  StringRef written(begin, expr->range.End.getPointer() - begin);
  if (!written.contains('\n'))
    return written.str();
  std::string text;
  llvm::raw_string_ostream out(text);
  printExpr(expr, out);
  return text;
}

/// `x[a..b, c, ..]`: a part of a tensor. A dimension with one index is gone, one without any is
/// whole.
Value Elaborator::evaluateSlice(const IndexExpr &expr, const Value &base, ArrayRef<Value> indices) {
  const Shape shape = graph->tensors[base.integer].shape;
  std::string name = printed(expr.base);
  IndexFunction function;
  function.reads.emplace_back();
  llvm::SmallVector<int64_t, 4> starts, along;
  for (size_t dim = 0; dim < shape.size(); ++dim) {
    int64_t begin = 0, end = shape[dim];
    bool kept = true;
    if (dim < indices.size() && expr.indices[dim]->kind == Expr::Kind::Range &&
        !cast<RangeExpr>(expr.indices[dim])->begin) {
      // `..`
    } else if (dim < indices.size()) {
      const Value &index = indices[dim];
      auto fromEnd = [&](int64_t at) { return at < 0 ? at + shape[dim] : at; };
      kept = index.is(Value::Kind::Range);
      begin = fromEnd(index.integer);
      end = kept ? fromEnd(index.end) : begin + 1;
      // The end of `-2..0` is that of the dimension.
      if (kept && index.integer < 0 && index.end == 0)
        end = shape[dim];
      if (begin < 0 || end > shape[dim] || begin >= end) {
        error(expr.indices[dim]->range,
              (begin >= end && kept ? "the range " : "index ") + format(index) +
                  (begin >= end && kept ? " takes nothing of" : " is outside of") + " dimension " +
                  Twine(dim) + " of '" + name + "', which has " + counted(shape[dim], "element"));
        return Value();
      }
    }
    starts.push_back(begin);
    along.push_back(kept ? static_cast<int64_t>(function.sizes.size()) : -1);
    if (kept)
      function.sizes.push_back(end - begin);
  }
  function.parallel = function.sizes.size();
  for (auto [start, dim] : llvm::zip(starts, along)) {
    IndexForm form;
    form.coefficients.assign(function.sizes.size(), 0);
    if (dim >= 0)
      form.coefficients[dim] = 1;
    form.constant = start;
    function.reads.back().push_back(form);
  }
  IndexTerm element;
  element.kind = IndexTerm::Kind::Element;
  function.terms = {element};
  function.integer = graph->tensors[base.integer].integer;
  return makeIndexNode(std::move(function), static_cast<unsigned>(base.integer), expr.range);
}

Value Elaborator::evaluateTensorIndex(const IndexExpr &expr, const Value &base, Scope *scope) {
  Values indices;
  const Shape &shape = graph->tensors[base.integer].shape;
  bool scalar = false;
  for (const Expr *index : expr.indices) {
    auto *range = dyn_cast<RangeExpr>(index);
    indices.push_back(range && !range->begin ? Value::makeInt(0, index->range)
                                             : evaluate(index, scope));
    const Value &value = indices.back();
    if (value.isPoison())
      return Value();
    scalar |= value.is(Value::Kind::Scalar);
    if (value.is(Value::Kind::Int) || value.is(Value::Kind::Range) || value.is(Value::Kind::Scalar))
      continue;
    error(index->range, "the index of a tensor is an integer or a range, not " + describe(value));
    return Value();
  }
  if (indices.size() > shape.size()) {
    error(expr.range, "'" + printed(expr.base) + "' has " + Twine(shape.size()) + " dimension" +
                          (shape.size() == 1 ? "" : "s") + " (" + formatShape(shape) + "), but " +
                          Twine(indices.size()) + " indices are given");
    return Value();
  }
  return scalar ? evaluateElement(expr, base, indices) : evaluateSlice(expr, base, indices);
}
