// Numbers in functions by index: an expression in indices is a tree of scalars (Value.h), of which
// ElaborateIndex.cpp makes tensors. The functions of the registry are applied to whole tensors
// before their elements are read.
#include "compiler/frontend/ElaborateImpl.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <set>

using namespace cnn;
using namespace cnn::ast;
using llvm::ArrayRef;
using llvm::dyn_cast;
using llvm::SMRange;
using llvm::StringRef;
using llvm::Twine;
using mlir::cnn::formatShape;
using mlir::cnn::IndexForm;
using mlir::cnn::IndexFunction;
using mlir::cnn::IndexTerm;
using mlir::cnn::LayerDef;
using mlir::cnn::Shape;

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

/// A number as a scalar; null and an error where it is none.
Scalar Elaborator::toScalar(const Value &value, SMRange range) {
  switch (value.kind) {
  case Value::Kind::Poison:
    return nullptr;
  case Value::Kind::Scalar:
    return value.scalar;
  case Value::Kind::Int: {
    auto scalar = std::make_shared<ScalarExpr>();
    scalar->number = value.integer;
    auto sum = std::make_shared<IndexSum>();
    sum->constant = value.integer;
    scalar->index = sum;
    return scalar;
  }
  case Value::Kind::Float:
    return makeNumber(value.number);
  case Value::Kind::Tensor: {
    const Shape &shape = graph->tensors[value.integer].shape;
    if (!shape.empty()) {
      error(range, "a number is expected here, not a tensor of " + formatShape(shape))
          .hint("give the indices of an element: x[" +
                std::string(shape.size() == 1 ? "i]" : "i, ...]"));
      return nullptr;
    }
    auto scalar = std::make_shared<ScalarExpr>();
    scalar->kind = IndexTerm::Kind::Element;
    scalar->tensor = value.integer;
    return scalar;
  }
  default:
    error(range, "a number is expected here, not " + describe(value));
    return nullptr;
  }
}

Value Elaborator::negateScalar(const UnaryExpr &expr, const Value &value) {
  auto scalar = std::make_shared<ScalarExpr>();
  scalar->kind = IndexTerm::Kind::Negate;
  scalar->children = {value.scalar};
  if (const IndexSum *operand = value.scalar->index.get()) {
    auto sum = std::make_shared<IndexSum>(*operand);
    sum->constant = -sum->constant;
    for (auto &[number, factor] : sum->coefficients)
      factor = -factor;
    scalar->index = sum;
  }
  if (!checkNumbers({value.scalar}, {expr.operand->range}))
    return Value();
  return Value::makeScalar(scalar, expr.range);
}

bool Elaborator::checkNumbers(ArrayRef<Scalar> scalars, ArrayRef<SMRange> ranges) {
  for (auto [scalar, range] : llvm::zip(scalars, ranges))
    if (isCondition(scalar)) {
      error(range, "a number is expected here, not a condition");
      return false;
    }
  return true;
}

/// The sum of indices that `lhs op rhs` is, if it is one. Coefficients beyond 2^31 are mistakes.
static std::shared_ptr<const IndexSum> combine(BinaryOp op, const IndexSum *lhs,
                                               const IndexSum *rhs) {
  if (!lhs || !rhs)
    return nullptr;
  auto sum = std::make_shared<IndexSum>(*lhs);
  if (op == BinaryOp::Add || op == BinaryOp::Sub) {
    int64_t sign = op == BinaryOp::Add ? 1 : -1;
    sum->constant += sign * rhs->constant;
    for (auto [number, factor] : rhs->coefficients)
      sum->coefficients[number] += sign * factor;
  } else if (op == BinaryOp::Mul && (lhs->coefficients.empty() || rhs->coefficients.empty())) {
    int64_t scale = rhs->coefficients.empty() ? rhs->constant : lhs->constant;
    if (!rhs->coefficients.empty())
      *sum = *rhs;
    if (std::abs(scale) > INT32_MAX)
      return nullptr;
    sum->constant *= scale;
    for (auto &[number, factor] : sum->coefficients)
      factor *= scale;
  } else {
    return nullptr;
  }
  if (std::abs(sum->constant) > INT32_MAX)
    return nullptr;
  for (auto [number, factor] : sum->coefficients)
    if (std::abs(factor) > INT32_MAX)
      return nullptr;
  std::erase_if(sum->coefficients, [](auto term) { return term.second == 0; });
  return sum;
}

/// `base ^ power`: by multiplication for integers, else exp(power * log(base)).
Value Elaborator::computeScalarPower(const BinaryExpr &expr, const Value &lhs, const Value &rhs,
                                     Scope *scope) {
  Scalar base = toScalar(lhs, expr.lhs->range);
  if (!base || !checkNumbers(base, expr.lhs->range) || !checkPower(expr, rhs))
    return Value();
  if (rhs.is(Value::Kind::Float) && rhs.number == 0.5)
    return Value::makeScalar(makeScalar(IndexTerm::Kind::Root, {base}), expr.range);
  if (!rhs.is(Value::Kind::Int)) {
    Value log = callOnScalar(*mlir::cnn::findLayer("log"), {}, scope,
                             Value::makeScalar(base, expr.lhs->range), expr.range);
    Scalar power = toScalar(rhs, expr.rhs->range);
    if (log.isPoison() || !power || !checkNumbers(power, expr.rhs->range))
      return Value();
    Scalar product = makeScalar(IndexTerm::Kind::Multiply, {power, log.scalar});
    return callOnScalar(*mlir::cnn::findLayer("exp"), {}, scope,
                        Value::makeScalar(product, expr.range), expr.range);
  }
  Scalar product = makeNumber(1.0), square = base;
  bool one = true;
  for (int64_t rest = std::abs(rhs.integer); rest; rest /= 2) {
    if (rest % 2)
      product = one ? square : makeScalar(IndexTerm::Kind::Multiply, {product, square});
    one &= rest % 2 == 0;
    square = makeScalar(IndexTerm::Kind::Multiply, {square, square});
  }
  if (rhs.integer < 0)
    product = makeScalar(IndexTerm::Kind::Divide, {makeNumber(1.0), product});
  return Value::makeScalar(product, expr.range);
}

Value Elaborator::computeScalars(const BinaryExpr &expr, const Value &lhs, const Value &rhs,
                                 Scope *scope) {
  if (expr.op == BinaryOp::Pow)
    return computeScalarPower(expr, lhs, rhs, scope);
  Scalar left = toScalar(lhs, expr.lhs->range), right = toScalar(rhs, expr.rhs->range);
  if (!left || !right || !checkNumbers({left, right}, {expr.lhs->range, expr.rhs->range}))
    return Value();
  auto make = [&](IndexTerm::Kind kind, Scalar a, Scalar b) {
    return Value::makeScalar(makeScalar(kind, {a, b}), expr.range);
  };
  switch (expr.op) {
  case BinaryOp::Add:
  case BinaryOp::Sub:
  case BinaryOp::Mul: {
    auto scalar = std::make_shared<ScalarExpr>();
    scalar->kind = expr.op == BinaryOp::Add   ? IndexTerm::Kind::Add
                   : expr.op == BinaryOp::Sub ? IndexTerm::Kind::Subtract
                                              : IndexTerm::Kind::Multiply;
    scalar->children = {left, right};
    scalar->index = combine(expr.op, left->index.get(), right->index.get());
    return Value::makeScalar(scalar, expr.range);
  }
  case BinaryOp::Div:
    if (!left->index || !right->index)
      return make(IndexTerm::Kind::Divide, left, right);
    error(expr.opRange, "an index cannot be divided: '/' of integers would round down")
        .hint("float(i) / n is the quotient as a number");
    return Value();
  case BinaryOp::Equal:
    return make(IndexTerm::Kind::Equal, left, right);
  case BinaryOp::NotEqual:
    return Value::makeScalar(
        makeScalar(IndexTerm::Kind::Not, {makeScalar(IndexTerm::Kind::Equal, {left, right})}),
        expr.range);
  case BinaryOp::Less:
    return make(IndexTerm::Kind::Less, left, right);
  case BinaryOp::LessEqual:
    return make(IndexTerm::Kind::LessEqual, left, right);
  case BinaryOp::Greater:
    return make(IndexTerm::Kind::Less, right, left);
  case BinaryOp::GreaterEqual:
    return make(IndexTerm::Kind::LessEqual, right, left);
  default:
    error(expr.opRange, "'" + spelling(expr.op) + "' does not apply to " + describe(lhs) + " and " +
                            describe(rhs));
    return Value();
  }
}

/// `min`, `max`, `abs` and `float` of numbers that depend on indices.
std::optional<Value> Elaborator::callScalarBuiltin(StringRef name, const CallExpr &expr,
                                                   ArrayRef<Value> values) {
  std::vector<Scalar> scalars;
  llvm::SmallVector<SMRange> ranges;
  for (auto [value, argument] : llvm::zip(values, expr.arguments)) {
    scalars.push_back(toScalar(value, argument.range));
    ranges.push_back(argument.range);
    if (!scalars.back())
      return Value();
  }
  if (!checkNumbers(scalars, ranges))
    return Value();
  if ((name == "abs" || name == "float") && scalars.size() == 1) {
    if (name == "abs")
      return Value::makeScalar(makeScalar(IndexTerm::Kind::Absolute, scalars), expr.range);
    auto number = std::make_shared<ScalarExpr>(*scalars[0]);
    if (number->kind != IndexTerm::Kind::Index) // an index itself needs its sum
      number->index = nullptr;
    else
      number = std::make_shared<ScalarExpr>(
          *makeScalar(IndexTerm::Kind::Add, {scalars[0], makeNumber(0.0)}));
    return Value::makeScalar(number, expr.range);
  }
  if (name != "min" && name != "max")
    return std::nullopt;
  IndexTerm::Kind kind = name == "min" ? IndexTerm::Kind::Minimum : IndexTerm::Kind::Maximum;
  Scalar best = scalars[0];
  for (const Scalar &scalar : llvm::drop_begin(scalars))
    best = makeScalar(kind, {best, scalar});
  return Value::makeScalar(best, expr.range);
}

/// `if c { a } else { b }` on numbers.
Value Elaborator::selectScalar(const IfExpr &expr, const Value &condition, Scope *scope) {
  if (!isCondition(condition.scalar)) {
    error(expr.condition->range, "a condition is true or false, not a number")
        .hint("compare it, as in ... != 0");
    return Value();
  }
  if (!expr.elseBody) {
    error(expr.range, "where the condition depends on indices, 'if' needs an 'else'");
    return Value();
  }
  auto evaluateBranch = [&](const Body &body, bool holds) {
    Assumption known(*this, condition.scalar, holds);
    return evaluateBody(body, scope, "this branch");
  };
  Value yes = evaluateBranch(*expr.thenBody, true), no = evaluateBranch(*expr.elseBody, false);
  if (yes.isPoison() || no.isPoison())
    return Value();
  Scalar a = toScalar(yes, expr.thenBody->range), b = toScalar(no, expr.elseBody->range);
  if (!a || !b || !checkNumbers({a, b}, {expr.thenBody->range, expr.elseBody->range}))
    return Value();
  return Value::makeScalar(makeScalar(IndexTerm::Kind::Select, {condition.scalar, a, b}),
                           expr.range);
}

Value Elaborator::logicScalars(const BinaryExpr &expr, const Value &lhs, Scope *scope) {
  Value rhs;
  {
    // The right side counts only where the left one does not decide.
    Assumption known(*this, lhs.scalar, expr.op == BinaryOp::And);
    rhs = evaluate(expr.rhs, scope);
  }
  if (rhs.isPoison())
    return Value();
  if (rhs.is(Value::Kind::Bool) && isCondition(lhs.scalar))
    return (rhs.integer != 0) == (expr.op == BinaryOp::Or) ? rhs : lhs;
  for (auto [value, operand] :
       {std::pair(&lhs, expr.lhs), std::pair(&std::as_const(rhs), expr.rhs)})
    if (!value->is(Value::Kind::Scalar) || !isCondition(value->scalar)) {
      error(operand->range, "a condition on indices is expected here, not " + describe(*value));
      return Value();
    }
  IndexTerm::Kind kind = expr.op == BinaryOp::And ? IndexTerm::Kind::And : IndexTerm::Kind::Or;
  return Value::makeScalar(makeScalar(kind, {lhs.scalar, rhs.scalar}), expr.range);
}

Value Elaborator::notScalar(const UnaryExpr &expr, const Value &value) {
  if (!isCondition(value.scalar)) {
    error(expr.operand->range, "a condition is true or false, not a number");
    return Value();
  }
  return Value::makeScalar(makeScalar(IndexTerm::Kind::Not, {value.scalar}), expr.range);
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// `x[i + a, 2 * j]`: every index must be a sum of indices times integers that stays inside.
Value Elaborator::evaluateElement(const IndexExpr &expr, const Value &base,
                                  ArrayRef<Value> indices) {
  const GraphTensor &tensor = graph->tensors[base.integer];
  std::string name = printed(expr.base);
  if (indices.size() != tensor.shape.size()) {
    error(expr.range, "'" + name + "' has " + Twine(tensor.shape.size()) + " dimensions (" +
                          formatShape(tensor.shape) + "), but " + Twine(indices.size()) +
                          (indices.size() == 1 ? " index is given" : " indices are given"));
    return Value();
  }
  auto scalar = std::make_shared<ScalarExpr>();
  scalar->kind = IndexTerm::Kind::Element;
  scalar->tensor = base.integer;
  Scalar inside; // whether it is, where only a condition around it says so
  for (auto [dim, index] : llvm::enumerate(indices)) {
    SMRange range = expr.indices[dim]->range;
    if (index.is(Value::Kind::Range)) {
      error(range, "a range and an index that runs cannot stand together")
          .hint("read the part of the tensor first: y = x[" + printed(expr.indices[dim]) + ", ..]");
      return Value();
    }
    IndexSum sum;
    if (index.is(Value::Kind::Int)) {
      sum.constant = index.integer < 0 ? index.integer + tensor.shape[dim] : index.integer;
    } else if (!index.scalar->index) {
      error(range, "the index '" + printed(expr.indices[dim]) +
                       "' is no sum of indices times integers, such as 2 * i + a");
      return Value();
    } else {
      sum = *index.scalar->index;
    }
    auto [low, high] = boundsOf(sum, facts);
    if (low < 0 || high >= tensor.shape[dim]) {
      auto report =
          error(range, "the index '" + printed(expr.indices[dim]) + "' " +
                           (low < 0 ? "begins at " + Twine(low) : "reaches " + Twine(high)) +
                           ", but dimension " + Twine(dim) + " of '" + name + "' has " +
                           counted(tensor.shape[dim], "element") + " (0 to " +
                           Twine(tensor.shape[dim] - 1) + ")");
      for (auto [number, factor] : sum.coefficients)
        report.note(binders[number].range, "'" + binders[number].name + "' runs from 0 to " +
                                               Twine(binders[number].size - 1) + " here");
      return Value();
    }
    auto [least, most] = boundsOf(sum, /*facts=*/{});
    auto require = [&](Scalar lesser, Scalar greater) {
      Scalar condition = makeScalar(IndexTerm::Kind::LessEqual, {lesser, greater});
      inside = inside ? makeScalar(IndexTerm::Kind::And, {inside, condition}) : condition;
    };
    if (least < 0)
      require(makeNumber(0), index.scalar);
    if (most >= tensor.shape[dim])
      require(index.scalar, makeNumber(tensor.shape[dim] - 1));
    scalar->place.push_back(std::move(sum));
  }
  // Elsewhere it is not used: 1 keeps quotients and roots, and so gradients, finite.
  return Value::makeScalar(
      inside ? makeScalar(IndexTerm::Kind::Select, {inside, scalar, makeNumber(1)}) : scalar,
      expr.range);
}

/// A function of the registry on a number: it is applied to the tensor that the number is read
/// from, or to one of all the numbers that the expression gives.
Value Elaborator::callOnScalar(const LayerDef &layer, ArrayRef<Argument> arguments, Scope *scope,
                               ArrayRef<Value> values, SMRange range) {
  if (layer.numInputs != 1 || values.size() != 1) {
    error(range, "'" + layer.name + "' cannot be used on numbers that depend on indices");
    return Value();
  }
  if (!layer.isElementwise) {
    error(range, "'" + layer.name + "' is no function of single numbers")
        .hint("apply it to the whole tensor first");
    return Value();
  }
  Scalar scalar = toScalar(values[0], range);
  if (!scalar || !checkNumbers(scalar, range))
    return Value();
  auto result = std::make_shared<ScalarExpr>();
  result->kind = IndexTerm::Kind::Element;
  Value tensor;
  if (scalar->kind == IndexTerm::Kind::Element) {
    tensor = Value::makeTensor(scalar->tensor, range);
    result->place = scalar->place;
  } else {
    std::set<unsigned> used;
    collectIndices(scalar, used);
    llvm::SmallVector<unsigned> kept(used.begin(), used.end());
    tensor = gather(scalar, kept, {}, IndexFunction::Reduction::None, range);
    for (unsigned number : kept) {
      IndexSum sum;
      sum.coefficients[number] = 1;
      result->place.push_back(sum);
    }
  }
  if (tensor.isPoison())
    return Value();
  Value applied = callLayer(layer, arguments, scope, tensor, range);
  if (applied.isPoison())
    return Value();
  result->tensor = applied.integer;
  return Value::makeScalar(result, range);
}
