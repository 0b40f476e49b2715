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
    error(place, "the elements of a tensor are numbers, not " + describe(value));
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
  if (!test || !value.is(Value::Kind::List))
    return convertToTensor(value, range);
  if (auto found = tensorsOfLists.find(value.elements.get()); found != tensorsOfLists.end())
    return found->second.second;
  Value tensor = convertToTensor(value, range);
  if (!tensor.isPoison())
    tensorsOfLists[value.elements.get()] = {value, tensor};
  return tensor;
}

Value Elaborator::convertToTensor(const Value &value, SMRange range) {
  switch (value.kind) {
  case Value::Kind::Poison:
  case Value::Kind::Tensor:
    return value;
  case Value::Kind::Int:
  case Value::Kind::Float:
    return makeLiteral({}, {value.asDouble()}, false, range);
  case Value::Kind::List: {
    // Tensors in a list are stacked.
    if (holdsTensor(value)) {
      llvm::SmallVector<unsigned> parts;
      for (const Value &element : *value.elements) {
        Value part = toNumbers(toTensor(element, range));
        if (part.isPoison())
          return Value();
        parts.push_back(part.integer);
      }
      LayerArgs arguments;
      arguments.set("axis", int64_t(0));
      return addNode(*mlir::cnn::findLayer("stack"), std::move(arguments), parts, range);
    }
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
      numbers.push_back(value.integer + i * value.step);
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

bool Elaborator::isNumeric(const Value &value) {
  if (!value.is(Value::Kind::List))
    return value.isNumber() || value.is(Value::Kind::Range) || value.is(Value::Kind::Tensor);
  return value.size() > 0 && llvm::all_of(*value.elements, isNumeric);
}

bool Elaborator::isInTensorText(llvm::SMLoc place) const {
  const Module *module = moduleOf(place.getPointer());
  return module && llvm::any_of(module->file->declarations, [&](const Decl *decl) {
           return llvm::isa<TestDecl, DefDecl>(decl) &&
                  decl->range.Start.getPointer() <= place.getPointer() &&
                  place.getPointer() < decl->range.End.getPointer();
         });
}

bool Elaborator::checkPower(const BinaryExpr &expr, const Value &power) {
  if (!power.is(Value::Kind::Int) || (power.integer <= 64 && power.integer >= -64))
    return true;
  error(expr.rhs->range,
        "an integer that a tensor is raised to is from -64 to 64, not " + format(power))
      .hint("the power of a positive tensor is x ^ " + format(power) + ".0");
  return false;
}

/// `base ^ power`, of which one is a tensor: by multiplication for integers, else
/// exp(power * log(base)).
Value Elaborator::computePower(const BinaryExpr &expr, const Value &base, const Value &power) {
  if (power.isNumber()) {
    if (!checkPower(expr, power))
      return Value();
    Value tensor = toNumbers(base);
    LayerArgs arguments;
    arguments.set("exponent", power.asDouble());
    return tensor.isPoison() ? Value()
                             : addNode(*mlir::cnn::findLayer("pow"), std::move(arguments),
                                       static_cast<unsigned>(tensor.integer), expr.range);
  }
  std::optional<Label> own = std::move(label);
  label.reset();
  Value value = callLayer(*mlir::cnn::findLayer("log"), {}, nullptr, base, expr.range);
  if (!value.isPoison())
    value = callLayer(*mlir::cnn::findLayer("mul"), {}, nullptr, {power, value}, expr.range);
  label = std::move(own);
  return value.isPoison() ? Value()
                          : callLayer(*mlir::cnn::findLayer("exp"), {}, nullptr, value, expr.range);
}

Value Elaborator::computeTensors(const BinaryExpr &expr, const Value &lhs, const Value &rhs) {
  StringRef name = expr.op == BinaryOp::Add   ? "add"
                   : expr.op == BinaryOp::Sub ? "sub"
                   : expr.op == BinaryOp::Mul ? "mul"
                   : expr.op == BinaryOp::Div ? "div"
                                              : "";
  const LayerDef *layer = mlir::cnn::findLayer(name);
  auto isOperand = [](const Value &value) {
    return value.isNumber() || value.is(Value::Kind::Tensor) || value.is(Value::Kind::List) ||
           value.is(Value::Kind::Range);
  };
  bool power = expr.op == BinaryOp::Pow;
  if ((layer || power) && isOperand(lhs) && isOperand(rhs)) {
    std::optional<Label> own = std::move(label);
    label.reset();
    Value left = toTensor(lhs, expr.lhs->range);
    Value right = power && rhs.isNumber() ? rhs : toTensor(rhs, expr.rhs->range);
    label = std::move(own);
    if (left.isPoison() || right.isPoison())
      return Value();
    if (power)
      return computePower(expr, left, right);
    return callLayer(*layer, {}, nullptr, {left, right}, expr.range);
  }
  error(expr.opRange,
        "'" + spelling(expr.op) + "' does not apply to " + describe(lhs) + " and " + describe(rhs))
      .hint(lhs.is(Value::Kind::Stage) || rhs.is(Value::Kind::Stage)
                ? "a layer gives a tensor when it is applied to one: x -> ..."
                : "");
  return Value();
}

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
