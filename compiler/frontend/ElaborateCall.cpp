// Calls in expressions: of stages, blocks, functions of the file, and of the registry, which take
// tensors, numbers, or numbers that depend on indices.
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

/// Whether `name` is a function of numbers.
static bool isBuiltin(StringRef name) {
  static constexpr StringRef names[] = {"len", "min",   "max",   "abs",
                                        "int", "float", "shape", "grad"};
  return llvm::is_contained(names, name);
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
    error(argument.range, "'" + argument.name.name +
                              "' is given by name, but the arguments of this call go by place");
    valid = false;
  }
  label = std::move(own);
  return valid;
}

/// Lists of numbers become tensors, and numbers do where a tensor stands beside them.
bool Elaborator::toTensorArguments(ArrayRef<Argument> arguments, Values &values) {
  // In a test, functions are called on numbers alone, too.
  bool numbers = test || llvm::any_of(values, [](const Value &value) {
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
      // Without its first tensor, f(n = 5) is a stage.
      auto isFirst = [&](const Argument &argument) {
        StringRef given = argument.name.name;
        return given.empty() || def->inputs.empty() || given == def->inputs[0].name.name;
      };
      if (!expr.arguments.empty() && llvm::none_of(expr.arguments, isFirst))
        return Value::makeStage(&expr, scope, expr.range);
      DefInputs inputs;
      return bindDefArguments(*def, expr, scope, inputs) ? callDef(*def, inputs, expr.range)
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
  size_t unnamed = 0;
  while (unnamed < arguments.size() && arguments[unnamed].name.name.empty())
    ++unnamed;
  bool several = layer && !layer->ofSeveral.empty() && unnamed > 1;
  size_t count = !layer || layer->isVariadic || several
                     ? unnamed
                     : std::min<size_t>(unnamed, layer->numInputs);
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
  if (layer->ofNumber && arguments.size() == 1 && values[0].isNumber()) {
    double result = layer->ofNumber(values[0].asDouble());
    if (std::isfinite(result))
      return Value::makeFloat(result, expr.range);
    error(expr.range, "'" + name.name + "' of " + format(values[0]) + " is not a finite number");
    return Value();
  }
  if (llvm::any_of(values, isScalar))
    return callOnScalar(*layer, arguments.drop_front(count), scope, values, expr.range);
  // `leaky_relu(0.1)` and `reshape([2, 3])` are stages: what is given are hyperparameters.
  bool given = llvm::any_of(values, isTensor);
  if (!layer->args.empty() && arguments.size() == count &&
      (!given || (count == 1 && !values[0].is(Value::Kind::Tensor) && layer->numInputs == 1 &&
                  !layer->args[0].defaultValue && !layer->args[0].optional)))
    return Value::makeStage(&expr, scope, expr.range);
  if (!toTensorArguments(arguments, values))
    return Value();
  if (!several)
    return callLayer(*layer, arguments.drop_front(count), scope, values, expr.range);
  Value result = values[0];
  for (const Value &value : llvm::drop_begin(values))
    if (!result.isPoison())
      result = callLayer(*findLayer(layer->ofSeveral), arguments.drop_front(count), scope,
                         {result, value}, expr.range);
  return result;
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
