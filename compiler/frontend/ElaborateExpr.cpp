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
  case Expr::Kind::Range:
    return evaluateRange(*cast<RangeExpr>(expr), scope);
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
  case Expr::Kind::Member:
    return evaluateMember(*cast<MemberExpr>(expr), scope);
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

/// The ends and the step of a range as they stand; those that are left out stay 0, the step 1.
bool Elaborator::evaluateEnds(const RangeExpr &range, Scope *scope, Value &value) {
  value = Value::makeInt(0, range.range);
  value.kind = Value::Kind::Range;
  for (auto [part, number] : {std::pair(range.begin, &value.integer),
                              {range.end, &value.end},
                              {range.step, &value.step}}) {
    if (!part)
      continue;
    Value given = evaluate(part, scope);
    if (given.isPoison())
      return false;
    if (!given.is(Value::Kind::Int) || (part == range.step && given.integer == 0)) {
      error(part->range,
            part == range.step
                ? "the step of a range is an integer other than 0, not " + describe(given)
                : "the ends of a range are integers, not " + describe(given));
      return false;
    }
    *number = given.integer;
  }
  return true;
}

Value Elaborator::evaluateRange(const RangeExpr &range, Scope *scope) {
  Value value;
  if (!range.begin || !range.end) {
    error(range.range, "a range without both ends stands for a part of a tensor or list, as in "
                       "x[1.., 0]");
    return Value();
  }
  if (!evaluateEnds(range, scope, value))
    return Value();
  if (range.inclusive &&
      llvm::AddOverflow(value.end, int64_t(value.step > 0 ? 1 : -1), value.end)) {
    error(range.end->range, "the end of this range does not fit in 64 bits");
    return Value();
  }
  return value;
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
    return callLayer(*findLayer("neg"), {}, scope, value, expr.range);
  default:
    if (graph && isNumeric(value))
      if (Value tensor = toTensor(value, expr.operand->range); !tensor.isPoison())
        return callLayer(*findLayer("neg"), {}, scope, tensor, expr.range);
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
  Value right = evaluate(expr.rhs, scope);
  if (right.is(Value::Kind::Scalar) && isCondition(right.scalar))
    return right;
  std::optional<bool> rhs = toCondition(right, expr.rhs);
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
    return computeScalars(expr, lhs, rhs, scope);
  if (lhs.is(Value::Kind::Tensor) || rhs.is(Value::Kind::Tensor))
    return computeTensors(expr, lhs, rhs);
  if (expr.op >= BinaryOp::Equal)
    return compare(expr, lhs, rhs);
  if (lhs.is(Value::Kind::Int) && rhs.is(Value::Kind::Int))
    return computeInt(expr, lhs, rhs);
  if (lhs.isNumber() && rhs.isNumber())
    return computeFloat(expr, lhs.asDouble(), rhs.asDouble(), rhs);
  bool lists = lhs.kind == rhs.kind && (lhs.is(Value::Kind::List) || lhs.is(Value::Kind::Tuple));
  bool numeric = graph && isNumeric(lhs) && isNumeric(rhs);
  if (expr.op == BinaryOp::Add && lists && !(numeric && isInTensorText(expr.range.Start))) {
    std::vector<Value> elements = *lhs.elements;
    llvm::append_range(elements, *rhs.elements);
    return makeList(lhs.kind, std::move(elements), expr.range);
  }
  if (expr.op == BinaryOp::Add && lhs.is(Value::Kind::String) && rhs.is(Value::Kind::String) &&
      lhs.text.size() + rhs.text.size() <= size_t(maxElements))
    return Value::makeString(lhs.text + rhs.text, expr.range);
  if (numeric)
    return computeTensors(expr, lhs, rhs);
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
    if (value->origin.isValid() && !contains(part->range, value->origin) &&
        (value == &lhs || lhs.origin.Start != rhs.origin.Start))
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
