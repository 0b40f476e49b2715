// Expressions that are evaluated at compile time. Integers have 64 bits and neither wrap around nor
// lose a remainder silently; a result that is no finite number is an error.
#include "compiler/frontend/ElaborateImpl.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace cnn;
using namespace cnn::ast;
using llvm::ArrayRef;
using llvm::cast;
using llvm::dyn_cast;
using llvm::isa;
using llvm::SMRange;
using llvm::StringRef;
using llvm::Twine;
using mlir::cnn::findLayer;

// Longer lists and strings are mistakes; doubling one 40 times would take all memory.
static constexpr int64_t maxElements = 1'000'000;

/// Whether `name` is a function of numbers.
static bool isBuiltin(StringRef name) {
  static constexpr StringRef names[] = {"len", "min",   "max",   "abs",
                                        "int", "float", "shape", "grad"};
  return llvm::is_contained(names, name);
}

Value Elaborator::evaluate(const Expr *expr, Scope *scope) {
  Step step(*this, expr->range);
  if (!step)
    return Value();
  switch (expr->kind) {
  case Expr::Kind::Int:
    return Value::makeInt(cast<IntExpr>(expr)->value, expr->range);
  case Expr::Kind::Float:
    return Value::makeFloat(cast<FloatExpr>(expr)->value, expr->range);
  case Expr::Kind::Bool:
    return Value::makeBool(cast<BoolExpr>(expr)->value, expr->range);
  case Expr::Kind::String:
    return evaluateString(*cast<StringExpr>(expr), scope);
  case Expr::Kind::Name:
    return evaluateName(*cast<NameExpr>(expr), scope);
  case Expr::Kind::List:
    return evaluateList(cast<ListExpr>(expr)->elements, Value::Kind::List, expr->range, scope);
  case Expr::Kind::Tuple:
    return evaluateList(cast<TupleExpr>(expr)->elements, Value::Kind::Tuple, expr->range, scope);
  case Expr::Kind::Range: {
    auto *range = cast<RangeExpr>(expr);
    if (!range->begin) {
      error(expr->range, "'..' alone stands for a whole dimension of a tensor, as in x[.., 0]");
      return Value();
    }
    Value begin = evaluate(range->begin, scope), end = evaluate(range->end, scope);
    if (begin.isPoison() || end.isPoison())
      return Value();
    for (auto [value, part] : {std::pair(&begin, range->begin), std::pair(&end, range->end)})
      if (!value->is(Value::Kind::Int)) {
        error(part->range, "the ends of a range are integers, not " + describe(*value));
        return Value();
      }
    if (range->inclusive && llvm::AddOverflow(end.integer, int64_t(1), end.integer)) {
      error(range->end->range, "the end of this range does not fit in 64 bits");
      return Value();
    }
    Value value = Value::makeInt(begin.integer, expr->range);
    value.kind = Value::Kind::Range;
    value.end = end.integer;
    return value;
  }
  case Expr::Kind::Unary:
    return evaluateUnary(*cast<UnaryExpr>(expr), scope);
  case Expr::Kind::Binary:
    return evaluateBinary(*cast<BinaryExpr>(expr), scope);
  case Expr::Kind::Call:
    return evaluateCall(*cast<CallExpr>(expr), scope);
  case Expr::Kind::Index:
    return evaluateIndex(*cast<IndexExpr>(expr), scope);
  case Expr::Kind::Wrong:
    return Value();
  case Expr::Kind::Comprehension:
    return evaluateComprehension(*cast<ComprehensionExpr>(expr), scope);
  case Expr::Kind::Chain:
    return evaluateChain(*cast<ChainExpr>(expr), scope);
  case Expr::Kind::Labelled: {
    // A label on a call that takes its tensors itself, as in `sum: add(a, b)`; otherwise a stage.
    auto *labelled = cast<LabelledExpr>(expr);
    if (!isa<CallExpr, BinaryExpr>(labelled->stage))
      return Value::makeStage(expr, scope, expr->range);
    std::optional<Label> outer = std::move(label);
    Value name = evaluateLabel(labelled->label, scope);
    if (name.isPoison())
      return Value();
    label = Label{name.text, labelled->label->range};
    Value value = evaluate(labelled->stage, scope);
    label = std::move(outer);
    return value.is(Value::Kind::Stage) ? Value::makeStage(expr, scope, expr->range) : value;
  }
  case Expr::Kind::If: {
    auto *branch = cast<IfExpr>(expr);
    Value decision = evaluate(branch->condition, scope);
    if (decision.is(Value::Kind::Scalar))
      return selectScalar(*branch, decision, scope);
    std::optional<bool> condition = toCondition(decision, branch->condition);
    if (!condition)
      return Value();
    const Body *body = *condition ? branch->thenBody : branch->elseBody;
    return body ? evaluateBody(*body, scope, "this branch")
                : Value::makeStage(nullptr, scope, expr->range);
  }
  case Expr::Kind::Group:
  case Expr::Kind::Repeat:
  case Expr::Kind::For:
    return Value::makeStage(expr, scope, expr->range);
  }
  return Value();
}

Value Elaborator::evaluateList(ArrayRef<Expr *> elements, Value::Kind kind, SMRange range,
                               Scope *scope) {
  std::vector<Value> values;
  bool valid = true;
  for (const Expr *element : elements) {
    values.push_back(evaluate(element, scope));
    valid &= !values.back().isPoison();
  }
  return valid ? makeList(kind, std::move(values), range) : Value();
}

/// A list that is not too large to be walked over.
Value Elaborator::makeList(Value::Kind kind, std::vector<Value> elements, SMRange range) {
  Value list = Value::makeList(kind, std::move(elements), range);
  if (list.integer <= maxElements)
    return list;
  error(range, "this list has more than " + Twine(maxElements) + " elements");
  return Value();
}

Value Elaborator::evaluateString(const StringExpr &expr, Scope *scope) {
  std::string text;
  for (const StringPiece &piece : expr.pieces) {
    if (!piece.expr) {
      text += piece.text;
      continue;
    }
    Value value = evaluate(piece.expr, scope);
    if (value.isPoison())
      return Value();
    if (!piece.format.empty()) {
      error(expr.range,
            "a format such as ':" + piece.format + "' is for values that a test prints");
      return Value();
    }
    text += value.is(Value::Kind::String) ? value.text : format(value);
    if (text.size() > size_t(maxElements)) {
      error(expr.range, "this string has more than " + Twine(maxElements) + " characters");
      return Value();
    }
  }
  return Value::makeString(std::move(text), expr.range);
}

std::optional<bool> Elaborator::evaluateCondition(const Expr *expr, Scope *scope) {
  return toCondition(evaluate(expr, scope), expr);
}

std::optional<bool> Elaborator::toCondition(const Value &value, const Expr *expr) {
  if (value.isPoison())
    return std::nullopt;
  if (value.is(Value::Kind::Bool))
    return value.integer != 0;
  error(expr->range, "a condition is true or false, not " + describe(value))
      .hint(value.is(Value::Kind::Int) ? "compare it, as in ... != 0" : "");
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

Value Elaborator::evaluateUnary(const UnaryExpr &expr, Scope *scope) {
  Value value = evaluate(expr.operand, scope);
  if (expr.op == UnaryOp::Not) {
    if (value.is(Value::Kind::Scalar))
      return notScalar(expr, value);
    std::optional<bool> condition = toCondition(value, expr.operand);
    return condition ? Value::makeBool(!*condition, expr.range) : Value();
  }
  int64_t negated = 0;
  switch (value.kind) {
  case Value::Kind::Poison:
    return Value();
  case Value::Kind::Int:
    if (!llvm::SubOverflow(int64_t(0), value.integer, negated))
      return Value::makeInt(negated, expr.range);
    error(expr.range, "integer overflow: -(" + Twine(value.integer) + ") does not fit in 64 bits");
    return Value();
  case Value::Kind::Float:
    return Value::makeFloat(-value.number, expr.range);
  case Value::Kind::Scalar:
    return negateScalar(expr, value);
  case Value::Kind::Tensor:
    if (const mlir::cnn::LayerDef *layer = findLayer("neg"))
      return callLayer(*layer, {}, scope, value, expr.range);
    [[fallthrough]];
  default:
    error(expr.range, "cannot negate " + describe(value));
    return Value();
  }
}

Value Elaborator::evaluateLogic(const BinaryExpr &expr, Scope *scope) {
  Value left = evaluate(expr.lhs, scope);
  if (left.is(Value::Kind::Scalar))
    return logicScalars(expr, left, scope);
  std::optional<bool> lhs = toCondition(left, expr.lhs);
  if (!lhs)
    return Value();
  if (*lhs == (expr.op == BinaryOp::Or))
    return Value::makeBool(*lhs, expr.range);
  std::optional<bool> rhs = evaluateCondition(expr.rhs, scope);
  return rhs ? Value::makeBool(*rhs, expr.range) : Value();
}

Value Elaborator::evaluateBinary(const BinaryExpr &expr, Scope *scope) {
  if (expr.op == BinaryOp::And || expr.op == BinaryOp::Or)
    return evaluateLogic(expr, scope);
  // A pending label names the result of the operator, not one of its operands.
  std::optional<Label> own = std::move(label);
  label.reset();
  Value lhs = evaluate(expr.lhs, scope), rhs = evaluate(expr.rhs, scope);
  label = std::move(own);
  if (lhs.isPoison() || rhs.isPoison())
    return Value();
  if (lhs.is(Value::Kind::Scalar) || rhs.is(Value::Kind::Scalar))
    return computeScalars(expr, lhs, rhs);
  if (lhs.is(Value::Kind::Tensor) || rhs.is(Value::Kind::Tensor))
    return computeTensors(expr, lhs, rhs);
  if (expr.op >= BinaryOp::Equal)
    return compare(expr, lhs, rhs);
  if (lhs.is(Value::Kind::Int) && rhs.is(Value::Kind::Int))
    return computeInt(expr, lhs, rhs);
  if (lhs.isNumber() && rhs.isNumber())
    return computeFloat(expr, lhs.asDouble(), rhs.asDouble(), rhs);
  bool lists = lhs.kind == rhs.kind && (lhs.is(Value::Kind::List) || lhs.is(Value::Kind::Tuple));
  if (expr.op == BinaryOp::Add && lists) {
    std::vector<Value> elements = *lhs.elements;
    llvm::append_range(elements, *rhs.elements);
    return makeList(lhs.kind, std::move(elements), expr.range);
  }
  if (expr.op == BinaryOp::Add && lhs.is(Value::Kind::String) && rhs.is(Value::Kind::String) &&
      lhs.text.size() + rhs.text.size() <= size_t(maxElements))
    return Value::makeString(lhs.text + rhs.text, expr.range);
  error(expr.opRange,
        "'" + spelling(expr.op) + "' does not apply to " + describe(lhs) + " and " + describe(rhs));
  return Value();
}

Value Elaborator::computeInt(const BinaryExpr &expr, const Value &lhs, const Value &rhs) {
  int64_t a = lhs.integer, b = rhs.integer, result = 0;
  bool overflow = false;
  auto floorDivide = [&] { return a / b - (a % b != 0 && (a < 0) != (b < 0)); };
  switch (expr.op) {
  case BinaryOp::Add:
    overflow = llvm::AddOverflow(a, b, result);
    break;
  case BinaryOp::Sub:
    overflow = llvm::SubOverflow(a, b, result);
    break;
  case BinaryOp::Mul:
    overflow = llvm::MulOverflow(a, b, result);
    break;
  case BinaryOp::Div:
  case BinaryOp::Mod:
    if (b == 0) {
      auto report = error(expr.range, "division of " + Twine(a) + " by zero");
      if (!isa<IntExpr>(expr.rhs) && rhs.origin.isValid())
        report.note(rhs.origin, "the zero comes from here");
      return Value();
    }
    if (b == -1) {
      overflow = llvm::SubOverflow(int64_t(0), a, result);
      if (expr.op == BinaryOp::Mod)
        overflow = false, result = 0;
    } else {
      result = expr.op == BinaryOp::Div ? floorDivide() : a - floorDivide() * b;
    }
    break;
  default: // Pow
    if (b < 0)
      return computeFloat(expr, a, b, rhs);
    result = 1;
    // |a| >= 2 overflows within 64 steps; the others need none.
    if (a == 0 || a == 1 || a == -1)
      result = b == 0 ? 1 : a == -1 && b % 2 == 0 ? 1 : a;
    else
      for (int64_t i = 0; i < b && !overflow; ++i)
        overflow = llvm::MulOverflow(result, a, result);
    break;
  }
  if (!overflow)
    return Value::makeInt(result, expr.range);
  auto report = error(expr.range, "integer overflow: " + Twine(a) + " " + spelling(expr.op) + " " +
                                      Twine(b) + " does not fit in 64 bits");
  for (auto [part, value] : {std::pair(expr.lhs, &lhs), std::pair(expr.rhs, &rhs)})
    if (value->origin.isValid() && !contains(part->range, value->origin))
      report.note(value->origin, "the " + format(*value) + " comes from here");
  return Value();
}

Value Elaborator::computeFloat(const BinaryExpr &expr, double lhs, double rhs,
                               const Value &divisor) {
  double result = 0;
  switch (expr.op) {
  case BinaryOp::Add:
    result = lhs + rhs;
    break;
  case BinaryOp::Sub:
    result = lhs - rhs;
    break;
  case BinaryOp::Mul:
    result = lhs * rhs;
    break;
  case BinaryOp::Div:
  case BinaryOp::Mod:
    if (rhs == 0) {
      auto report =
          error(expr.range, "division of " + format(Value::makeFloat(lhs, {})) + " by zero");
      if (!isa<IntExpr, FloatExpr>(expr.rhs) && divisor.origin.isValid())
        report.note(divisor.origin, "the zero comes from here");
      return Value();
    }
    result = expr.op == BinaryOp::Div ? lhs / rhs : lhs - std::floor(lhs / rhs) * rhs;
    break;
  default:
    result = std::pow(lhs, rhs);
    break;
  }
  if (std::isfinite(result))
    return Value::makeFloat(result, expr.range);
  error(expr.range, "the result of '" + spelling(expr.op) + "' is not a finite number");
  return Value();
}

Value Elaborator::compare(const BinaryExpr &expr, const Value &lhs, const Value &rhs) {
  bool equality = expr.op == BinaryOp::Equal || expr.op == BinaryOp::NotEqual;
  bool stage = lhs.kind >= Value::Kind::Stage || rhs.kind >= Value::Kind::Stage;
  bool comparable = lhs.kind == rhs.kind || (lhs.isNumber() && rhs.isNumber());
  bool ordered = (lhs.isNumber() && rhs.isNumber()) ||
                 (lhs.is(Value::Kind::String) && rhs.is(Value::Kind::String));
  if (stage || !comparable || (!equality && !ordered)) {
    error(expr.opRange, "'" + spelling(expr.op) + "' does not apply to " + describe(lhs) + " and " +
                            describe(rhs));
    return Value();
  }
  if (equality)
    return Value::makeBool(equal(lhs, rhs) == (expr.op == BinaryOp::Equal), expr.range);
  int order = 0;
  if (lhs.is(Value::Kind::String))
    order = lhs.text.compare(rhs.text);
  else if (lhs.is(Value::Kind::Int) && rhs.is(Value::Kind::Int))
    order = lhs.integer < rhs.integer ? -1 : lhs.integer > rhs.integer;
  else
    order = lhs.asDouble() < rhs.asDouble() ? -1 : lhs.asDouble() > rhs.asDouble();
  bool result = expr.op == BinaryOp::Less        ? order < 0
                : expr.op == BinaryOp::LessEqual ? order <= 0
                : expr.op == BinaryOp::Greater   ? order > 0
                                                 : order >= 0;
  return Value::makeBool(result, expr.range);
}

//===----------------------------------------------------------------------===//
// Elements and calls
//===----------------------------------------------------------------------===//

Value Elaborator::evaluateIndex(const IndexExpr &expr, Scope *scope) {
  Value base = evaluate(expr.base, scope);
  if (base.isPoison())
    return Value();
  if (base.is(Value::Kind::Tensor))
    return evaluateTensorIndex(expr, base, scope);
  Value index = evaluate(expr.indices.front(), scope);
  if (index.isPoison())
    return Value();
  // Of a list of numbers, read at an index that runs, a tensor is made.
  if (base.is(Value::Kind::List) && index.is(Value::Kind::Scalar)) {
    base = toTensor(base, expr.base->range);
    return base.isPoison() ? Value() : evaluateTensorIndex(expr, base, scope);
  }
  if (!base.is(Value::Kind::List) && !base.is(Value::Kind::Tuple) && !base.is(Value::Kind::Range)) {
    error(expr.range, "cannot take an element of " + describe(base));
    return Value();
  }
  if (expr.indices.size() != 1 || !index.is(Value::Kind::Int)) {
    error(expr.indices.front()->range,
          "the index of a list is one integer, not " +
              (expr.indices.size() == 1 ? describe(index)
                                        : std::to_string(expr.indices.size()) + " values"));
    return Value();
  }
  int64_t at = index.integer < 0 ? index.integer + base.size() : index.integer;
  if (at < 0 || at >= base.size()) {
    auto report = error(expr.indices.front()->range, "index " + Twine(index.integer) +
                                                         " is outside of a list of " +
                                                         counted(base.size(), "element"));
    noteValue(report, expr.indices.front(), index.origin, scope);
    if (base.origin.isValid() && !contains(expr.base->range, base.origin))
      report.note(base.origin, "the list comes from here");
    return Value();
  }
  return base.element(at);
}

/// The values of arguments, of which none has a name.
bool Elaborator::evaluateArguments(ArrayRef<Argument> arguments, Scope *scope, Values &values) {
  std::optional<Label> own = std::move(label);
  label.reset();
  bool valid = true;
  for (const Argument &argument : arguments) {
    values.push_back(evaluate(argument.value, scope));
    valid &= !values.back().isPoison();
    if (argument.name.name.empty() || !valid)
      continue;
    error(argument.range, "a tensor is expected here, not " + describe(values.back()));
    valid = false;
  }
  label = std::move(own);
  return valid;
}

/// Lists of numbers become tensors, and numbers do where a tensor stands beside them.
bool Elaborator::toTensorArguments(ArrayRef<Argument> arguments, Values &values) {
  bool numbers = llvm::any_of(values, [](const Value &value) {
    return value.is(Value::Kind::Tensor) || value.is(Value::Kind::List);
  });
  std::optional<Label> own = std::move(label);
  label.reset();
  bool valid = true;
  for (auto [value, argument] : llvm::zip(values, arguments)) {
    if (value.is(Value::Kind::List) || value.is(Value::Kind::Range) ||
        (numbers && value.isNumber()))
      value = toTensor(value, argument.range);
    else if (!value.is(Value::Kind::Tensor)) {
      error(argument.range, "a tensor is expected here, not " + describe(value));
      value = Value();
    }
    valid &= !value.isPoison();
  }
  label = std::move(own);
  return valid;
}

bool Elaborator::evaluateTensors(const CallExpr &expr, Scope *scope, Values &tensors) {
  return evaluateArguments(expr.arguments, scope, tensors) &&
         toTensorArguments(expr.arguments, tensors);
}

/// Reports `conv(image, 6)`: a layer stands behind an arrow.
bool Elaborator::takesTensor(const mlir::cnn::LayerDef &layer, const CallExpr &expr, Scope *scope) {
  for (const Argument &argument : expr.arguments) {
    auto *name = dyn_cast<NameExpr>(argument.value);
    Scope::Binding *binding = name ? lookup(name->name, scope) : nullptr;
    if (!binding || !binding->value.is(Value::Kind::Tensor))
      continue;
    error(argument.range, "'" + layer.name + "' takes its tensor from '->', not as an argument")
        .hint("write " + name->name + " -> " + layer.name + "(...)");
    return true;
  }
  return false;
}

Value Elaborator::evaluateCall(const CallExpr &expr, Scope *scope) {
  if (!expr.binders.empty())
    return evaluateReduction(expr, scope);
  Values tensors;
  auto *name = dyn_cast<NameExpr>(expr.callee);
  if (!name) {
    // `residual(64)(x)`: the callee gives a stage, which is applied to the tensors.
    Value callee = evaluate(expr.callee, scope);
    if (callee.isPoison() || !evaluateTensors(expr, scope, tensors))
      return Value();
    return apply(callee, tensors, expr.range);
  }
  if (lookup(name->name, scope)) {
    Value callee = evaluateName(*name, scope);
    if (callee.isPoison() || !evaluateTensors(expr, scope, tensors))
      return Value();
    return apply(callee, tensors, expr.range);
  }
  if (const Decl *decl = findGlobal(name->name)) {
    if (auto *function = dyn_cast<FunctionDecl>(decl)) {
      if (!function->hyperparameters.empty())
        return Value::makeStage(&expr, scope, expr.range);
      return evaluateTensors(expr, scope, tensors)
                 ? callFunction(*function, {}, scope, tensors, expr.range)
                 : Value();
    }
    if (auto *def = dyn_cast<DefDecl>(decl)) {
      if (!evaluateArguments(expr.arguments, scope, tensors))
        return Value();
      bool scalars =
          llvm::any_of(tensors, [](const Value &value) { return value.is(Value::Kind::Scalar); });
      return scalars || toTensorArguments(expr.arguments, tensors)
                 ? callDef(*def, tensors, expr.range)
                 : Value();
    }
    error(name->range, "'" + name->name + "' is a constant and cannot be called")
        .note(decl->name.range, "'" + name->name + "' is declared here");
    return Value();
  }
  return callRegistered(findLayer(name->name), *name, expr, scope);
}

/// A function or layer of the registry, or a function of numbers.
Value Elaborator::callRegistered(const mlir::cnn::LayerDef *layer, const NameExpr &name,
                                 const CallExpr &expr, Scope *scope) {
  if (!layer && isGenerator(name.name))
    return generate(expr, scope);
  if (!layer && !isBuiltin(name.name)) {
    reportUnknown(name, scope, /*asLayer=*/true);
    return Value();
  }
  if (layer && !layer->isFunction && takesTensor(*layer, expr, scope))
    return Value();
  // The tensors come first, without names; hyperparameters follow.
  ArrayRef<Argument> arguments = expr.arguments;
  size_t count = 0, most = !layer || layer->isVariadic ? arguments.size() : layer->numInputs;
  while (count < std::min(most, arguments.size()) && arguments[count].name.name.empty())
    ++count;
  if (layer && (!layer->isFunction || count == 0))
    return Value::makeStage(&expr, scope, expr.range);
  Values values;
  if (!evaluateArguments(arguments.take_front(count), scope, values))
    return Value();
  auto isScalar = [](const Value &value) { return value.is(Value::Kind::Scalar); };
  auto isTensor = [](const Value &value) {
    return value.is(Value::Kind::Tensor) || value.is(Value::Kind::List) ||
           value.is(Value::Kind::Range);
  };
  if (isBuiltin(name.name) && (!layer || llvm::none_of(values, isTensor))) {
    Values rest;
    if (!evaluateArguments(arguments.drop_front(count), scope, rest))
      return Value();
    values.append(rest.begin(), rest.end());
    if (llvm::any_of(values, isScalar))
      if (std::optional<Value> value = callScalarBuiltin(name.name, expr, values))
        return *value;
    return *evaluateBuiltin(name.name, expr, values);
  }
  if (llvm::any_of(values, isScalar))
    return callOnScalar(*layer, arguments.drop_front(count), scope, values, expr.range);
  // `leaky_relu(0.1)` and `reshape([2, 3])` are stages: what is given are hyperparameters.
  bool given = llvm::any_of(values, isTensor);
  if (!layer->args.empty() && arguments.size() == count &&
      (!given || (count == 1 && !values[0].is(Value::Kind::Tensor) && layer->numInputs == 1 &&
                  !layer->args[0].defaultValue && !layer->args[0].optional)))
    return Value::makeStage(&expr, scope, expr.range);
  return toTensorArguments(arguments, values)
             ? callLayer(*layer, arguments.drop_front(count), scope, values, expr.range)
             : Value();
}

/// The functions of numbers: len, min, max, abs, int, float; and shape and grad of tensors.
std::optional<Value> Elaborator::evaluateBuiltin(StringRef name, const CallExpr &expr,
                                                 ArrayRef<Value> values) {
  if (!isBuiltin(name))
    return std::nullopt;
  auto wrong = [&](const Twine &what) {
    error(expr.range, "'" + name + "' takes " + what);
    return Value();
  };
  if (name == "grad")
    return evaluateGradient(expr, values);
  if (name == "shape") {
    if (values.size() != 1 || !graph)
      return wrong("one tensor");
    Value tensor = toTensor(values[0], expr.arguments[0].range);
    if (tensor.isPoison())
      return Value();
    std::vector<Value> extents;
    for (int64_t extent : graph->tensors[tensor.integer].shape)
      extents.push_back(Value::makeInt(extent, expr.range));
    return Value::makeList(Value::Kind::List, std::move(extents), expr.range);
  }
  if (name == "len") {
    if (values.size() != 1 || values[0].kind < Value::Kind::List ||
        values[0].kind > Value::Kind::Range)
      return wrong("one list");
    return Value::makeInt(values[0].size(), expr.range);
  }
  if (name == "min" || name == "max") {
    if (values.empty() || !llvm::all_of(values, [](const Value &v) { return v.isNumber(); }))
      return wrong("numbers");
    Value best = values[0];
    for (const Value &value : values)
      if (name == "min" ? value.asDouble() < best.asDouble() : value.asDouble() > best.asDouble())
        best = value;
    best.origin = expr.range;
    return best;
  }
  if (values.size() != 1 || !values[0].isNumber())
    return wrong("one number");
  Value value = values[0];
  value.origin = expr.range;
  if (name == "float")
    return Value::makeFloat(value.asDouble(), expr.range);
  if (name == "int") {
    double whole = std::trunc(value.asDouble());
    if (value.is(Value::Kind::Int))
      return value;
    if (std::abs(whole) >= 0x1p63)
      return wrong("a number that fits in 64 bits");
    return Value::makeInt(static_cast<int64_t>(whole), expr.range);
  }
  if (value.is(Value::Kind::Float))
    return Value::makeFloat(std::abs(value.number), expr.range);
  if (value.integer < 0 && llvm::SubOverflow(int64_t(0), value.integer, value.integer))
    return wrong("a number whose absolute value fits in 64 bits");
  return value;
}
