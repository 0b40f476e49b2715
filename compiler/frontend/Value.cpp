// Construction, comparison and printing of compile-time values.
#include "compiler/frontend/Value.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <charconv>

using namespace cnn;
using llvm::SMRange;
using llvm::StringRef;
using mlir::cnn::IndexTerm;

Value Value::makeInt(int64_t value, SMRange origin) {
  Value result;
  result.kind = Kind::Int;
  result.integer = value;
  result.origin = origin;
  return result;
}

Value Value::makeFloat(double value, SMRange origin) {
  Value result;
  result.kind = Kind::Float;
  result.number = value;
  result.origin = origin;
  return result;
}

Value Value::makeBool(bool value, SMRange origin) {
  Value result = makeInt(value, origin);
  result.kind = Kind::Bool;
  return result;
}

Value Value::makeString(std::string value, SMRange origin) {
  Value result;
  result.kind = Kind::String;
  result.text = std::move(value);
  result.origin = origin;
  return result;
}

Value Value::makeList(Kind kind, std::vector<Value> elements, SMRange origin) {
  Value result;
  result.kind = kind;
  for (const Value &element : elements)
    result.integer += 1 + (element.elements ? element.integer : 0);
  result.elements = std::make_shared<const std::vector<Value>>(std::move(elements));
  result.origin = origin;
  return result;
}

Value Value::makeTensor(unsigned index, SMRange origin) {
  Value result = makeInt(index, origin);
  result.kind = Kind::Tensor;
  return result;
}

Value Value::makeScalar(std::shared_ptr<const ScalarExpr> scalar, SMRange origin) {
  Value result;
  result.kind = Kind::Scalar;
  result.scalar = std::move(scalar);
  result.origin = origin;
  return result;
}

Value Value::makeStage(const ast::Expr *expr, Scope *scope, SMRange origin) {
  Value result;
  result.kind = Kind::Stage;
  result.expr = expr;
  result.scope = scope;
  result.origin = origin;
  return result;
}

Scalar cnn::makeNumber(double value) {
  auto scalar = std::make_shared<ScalarExpr>();
  scalar->number = value;
  return scalar;
}

Scalar cnn::makeScalar(IndexTerm::Kind kind, std::vector<Scalar> children) {
  auto scalar = std::make_shared<ScalarExpr>();
  scalar->kind = kind;
  scalar->children = std::move(children);
  return scalar;
}

bool cnn::isCondition(const Scalar &scalar) {
  if (scalar->kind == IndexTerm::Kind::Select)
    return isCondition(scalar->children[1]);
  return scalar->kind >= IndexTerm::Kind::Less && scalar->kind <= IndexTerm::Kind::Not;
}

void cnn::collectIndices(const Scalar &scalar, std::set<unsigned> &indices) {
  if (scalar->kind == IndexTerm::Kind::Index)
    for (auto [number, factor] : scalar->index->coefficients)
      indices.insert(number);
  for (const IndexSum &sum : scalar->place)
    for (auto [number, factor] : sum.coefficients)
      indices.insert(number);
  for (const Scalar &child : scalar->children)
    collectIndices(child, indices);
}

int64_t Value::size() const {
  if (kind == Kind::Range) {
    if (step > 0 ? end <= integer : end >= integer)
      return 0;
    // The distance may be more than an int64_t holds; no list is that long.
    uint64_t distance = step > 0 ? uint64_t(end) - integer : uint64_t(integer) - end;
    uint64_t apart = step > 0 ? step : -uint64_t(step);
    return std::min<uint64_t>((distance - 1) / apart + 1, INT64_MAX);
  }
  return elements ? elements->size() : 0;
}

Value Value::element(int64_t index) const {
  return kind == Kind::Range ? makeInt(integer + index * step, origin) : (*elements)[index];
}

StringRef cnn::describe(Value::Kind kind) {
  switch (kind) {
  case Value::Kind::Poison:
    return "nothing";
  case Value::Kind::Int:
    return "an integer";
  case Value::Kind::Float:
    return "a number";
  case Value::Kind::Bool:
    return "a truth value";
  case Value::Kind::String:
    return "a string";
  case Value::Kind::List:
    return "a list";
  case Value::Kind::Tuple:
    return "a tuple";
  case Value::Kind::Range:
    return "a range";
  case Value::Kind::Tensor:
    return "a tensor";
  case Value::Kind::Stage:
  case Value::Kind::Layer:
    return "a layer";
  case Value::Kind::Scalar:
    return "a number that depends on indices";
  }
  return "";
}

std::string cnn::describe(const Value &value) {
  switch (value.kind) {
  case Value::Kind::Int:
    return "the integer " + format(value);
  case Value::Kind::Float:
    return "the number " + format(value);
  case Value::Kind::Bool:
    return format(value);
  case Value::Kind::String:
    return "the string " + format(value);
  case Value::Kind::List:
  case Value::Kind::Tuple:
  case Value::Kind::Range: {
    std::string text = format(value);
    if (text.size() <= 40)
      return "the " + describe(value.kind).drop_front(2).str() + " " + text;
    break;
  }
  default:
    break;
  }
  return describe(value.kind).str();
}

std::string cnn::format(const Value &value) {
  switch (value.kind) {
  case Value::Kind::Int:
    return std::to_string(value.integer);
  case Value::Kind::Float: {
    char buffer[32];
    auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value.number);
    std::string text(buffer, end);
    return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
  }
  case Value::Kind::Bool:
    return value.integer ? "true" : "false";
  case Value::Kind::String:
    return "\"" + value.text + "\"";
  case Value::Kind::Range:
    return std::to_string(value.integer) + ".." + std::to_string(value.end) +
           (value.step == 1 ? "" : " step " + std::to_string(value.step));
  case Value::Kind::List:
  case Value::Kind::Tuple: {
    bool list = value.kind == Value::Kind::List;
    std::string text = list ? "[" : "(";
    for (auto [i, element] : llvm::enumerate(*value.elements))
      text += (i ? ", " : "") + format(element);
    return text + (list ? "]" : value.size() == 1 ? ",)" : ")");
  }
  default:
    return describe(value.kind).str();
  }
}

bool cnn::contains(llvm::SMRange outer, llvm::SMRange inner) {
  return outer.isValid() && inner.isValid() &&
         outer.Start.getPointer() <= inner.Start.getPointer() &&
         inner.End.getPointer() <= outer.End.getPointer();
}

bool cnn::holdsTensor(const Value &value) {
  return value.is(Value::Kind::Tensor) ||
         (value.elements && llvm::any_of(*value.elements, holdsTensor));
}

bool cnn::equal(const Value &a, const Value &b) {
  if (a.is(Value::Kind::Int) && b.is(Value::Kind::Int))
    return a.integer == b.integer;
  if (a.isNumber() && b.isNumber())
    return a.asDouble() == b.asDouble();
  if (a.kind != b.kind)
    return false;
  switch (a.kind) {
  case Value::Kind::Bool:
    return a.integer == b.integer;
  case Value::Kind::String:
    return a.text == b.text;
  case Value::Kind::Range:
    return a.integer == b.integer && a.end == b.end && a.step == b.step;
  case Value::Kind::List:
  case Value::Kind::Tuple:
    return a.size() == b.size() &&
           llvm::equal(*a.elements, *b.elements, [](auto &x, auto &y) { return equal(x, y); });
  default:
    return false;
  }
}
