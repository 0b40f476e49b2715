// Tensors that are made of nothing: zeros, ones, eye, and random ones, which are literals of the
// documented stream (runtime/core/Random.h): element e in row-major order is drawn at e from the
// stream of (seed, Tensor, 0).
#include "compiler/frontend/ElaborateImpl.h"

#include "runtime/core/Random.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace cnn;
using namespace cnn::ast;
using llvm::ArrayRef;
using llvm::SMRange;
using llvm::StringRef;
using llvm::Twine;
using mlir::cnn::Shape;

namespace {

/// A number that a generator takes behind the shape.
struct Setting {
  StringRef name;
  std::optional<double> defaultValue;
  bool integer;
};

struct Generator {
  StringRef name, signature;
  std::vector<Setting> settings;
};

const Generator *findGenerator(StringRef name) {
  static const std::vector<Generator> generators = {
      {"zeros", "zeros(6, 2)", {}},
      {"ones", "ones(6, 2)", {}},
      {"eye", "eye(8)", {}},
      {"uniform",
       "uniform([6, 2], low = 0, high = 1, seed = 0)",
       {{"low", 0.0, false}, {"high", 1.0, false}, {"seed", 0.0, true}}},
      {"normal",
       "normal([6, 2], mean = 0, std = 1, seed = 0)",
       {{"mean", 0.0, false}, {"std", 1.0, false}, {"seed", 0.0, true}}},
      {"randint",
       "randint([6, 2], low, high, seed = 0)",
       {{"low", std::nullopt, true}, {"high", std::nullopt, true}, {"seed", 0.0, true}}},
  };
  auto found = llvm::find_if(generators, [&](const Generator &g) { return g.name == name; });
  return found == generators.end() ? nullptr : &*found;
}

} // namespace

bool Elaborator::isGenerator(StringRef name) { return findGenerator(name) != nullptr; }

/// The extents that a generator's call gives, as integers or as one list of them; they are taken
/// off `values`.
std::optional<Shape> Elaborator::takeShape(const CallExpr &expr, ArrayRef<Value> &values,
                                           bool listOnly) {
  std::string how = ("it is called as " + findGenerator(printed(expr.callee))->signature).str();
  ArrayRef<Value> extents;
  if (!values.empty() && (values[0].is(Value::Kind::List) || values[0].is(Value::Kind::Tuple))) {
    extents = *values[0].elements;
    values = values.drop_front();
  } else if (!listOnly) {
    std::swap(extents, values);
  }
  if (extents.empty()) {
    error(expr.range, "'" + printed(expr.callee) + "' needs a shape").hint(how);
    return std::nullopt;
  }
  Shape shape;
  for (const Value &extent : extents) {
    if (!extent.is(Value::Kind::Int) || extent.integer <= 0) {
      error(extent.origin.isValid() ? extent.origin : expr.range,
            "an extent of a shape is a positive integer, not " + format(extent))
          .hint(how);
      return std::nullopt;
    }
    shape.push_back(extent.integer);
  }
  return shape;
}

Value Elaborator::generate(const CallExpr &expr, Scope *scope) {
  const Generator &generator = *findGenerator(printed(expr.callee));
  StringRef name = generator.name;
  std::string how = ("it is called as " + generator.signature).str();
  Values positional;
  llvm::StringMap<double> given;
  auto take = [&](const Setting &setting, const Value &value, SMRange range) {
    bool fits = setting.integer ? value.is(Value::Kind::Int) : value.isNumber();
    if (!fits)
      error(range, "'" + setting.name + "' of '" + name + "' is " +
                       (setting.integer ? "an integer" : "a number") + ", not " + describe(value));
    else if (!given.try_emplace(setting.name, value.asDouble()).second)
      error(range, "'" + setting.name + "' is given twice"), fits = false;
    return fits;
  };
  for (const Argument &argument : expr.arguments) {
    Value value = evaluate(argument.value, scope);
    if (value.isPoison())
      return Value();
    if (argument.name.name.empty()) {
      positional.push_back(value);
      continue;
    }
    auto setting = llvm::find_if(generator.settings, [&](const Setting &candidate) {
      return candidate.name == argument.name.name;
    });
    if (setting == generator.settings.end()) {
      error(argument.name.range, "'" + name + "' has no argument '" + argument.name.name + "'")
          .hint(how);
      return Value();
    }
    if (!take(*setting, value, argument.range))
      return Value();
  }
  ArrayRef<Value> rest = positional;
  std::optional<Shape> shape = takeShape(expr, rest, !generator.settings.empty());
  if (!shape)
    return Value();
  if (rest.size() > generator.settings.size() || (name == "eye" && shape->size() > 2)) {
    error(expr.range, "'" + name + "' is given too many arguments").hint(how);
    return Value();
  }
  for (auto [setting, value] : llvm::zip(generator.settings, rest))
    if (!take(setting, value, value.origin.isValid() ? value.origin : expr.range))
      return Value();
  for (const Setting &setting : generator.settings)
    if (!given.contains(setting.name)) {
      if (!setting.defaultValue) {
        error(expr.range, "'" + name + "' needs '" + setting.name + "'").hint(how);
        return Value();
      }
      given[setting.name] = *setting.defaultValue;
    }
  if (name == "eye" && shape->size() == 1)
    shape->push_back(shape->front());
  std::optional<int64_t> count = countElements(*shape);
  if (!count || *count > maxLiteral) {
    error(expr.range, "a tensor of " + mlir::cnn::formatShape(*shape) + " is too large for '" +
                          name + "', which makes at most " + Twine(maxLiteral) + " elements");
    return Value();
  }
  std::vector<double> numbers(*count, name == "ones" ? 1.0 : 0.0);
  if (name == "eye")
    for (int64_t i = 0; i < std::min((*shape)[0], (*shape)[1]); ++i)
      numbers[i * (*shape)[1] + i] = 1.0;
  if (generator.settings.empty())
    return makeLiteral(*shape, std::move(numbers), false, expr.range);
  if (given["seed"] < 0) {
    error(expr.range, "'seed' is not negative");
    return Value();
  }
  double low = given.lookup("low"), high = given.lookup("high");
  if (name != "normal" && low >= high) {
    error(expr.range, "'low' is " + format(Value::makeFloat(low, {})) + " and not below 'high', " +
                          format(Value::makeFloat(high, {})));
    return Value();
  }
  if (name == "randint" && (low < INT32_MIN || high > INT32_MAX)) {
    error(expr.range, "the integers of a tensor have 32 bits");
    return Value();
  }
  RandomStream stream(static_cast<uint64_t>(given["seed"]), RandomPurpose::Tensor, 0);
  for (auto [e, number] : llvm::enumerate(numbers))
    number = name == "uniform"  ? low + (high - low) * stream.uniform(e)
             : name == "normal" ? given["mean"] + given["std"] * stream.normal(e)
                                : low + static_cast<double>(stream.below(e, high - low));
  return makeLiteral(*shape, std::move(numbers), name == "randint", expr.range);
}
