// `param name: shape = initialiser`: a parameter of a custom layer, which is a tensor of its block.
#include "compiler/frontend/ElaborateImpl.h"

#include "llvm/ADT/STLExtras.h"

using namespace cnn;
using namespace cnn::ast;
using llvm::cast;
using llvm::dyn_cast;
using llvm::SMRange;
using llvm::StringRef;
using llvm::Twine;
using mlir::cnn::Shape;

namespace {

/// An initialiser of the language; the formulas are in runtime/core/Init.h.
struct Initialiser {
  StringRef name;
  unsigned least, most;  // numbers in parentheses
  double first, second;  // where they are left out
  StringRef kind;        // of InitAttr
  bool usesFans = false; // of a layer's weight [outputs, inputs, ...]
};

constexpr Initialiser initialisers[] = {
    {"uniform", 0, 2, 0, 1, "uniform"},
    {"normal", 0, 2, 0, 1, "normal"},
    {"zeros", 0, 0, 0, 0, "constant"},
    {"ones", 0, 0, 1, 0, "constant"},
    {"constant", 1, 1, 0, 0, "constant"},
    {"xavier_uniform", 0, 0, 0, 0, "xavier_uniform", true},
    {"xavier_normal", 0, 0, 0, 0, "xavier_normal", true},
    {"kaiming_uniform", 0, 0, 0, 0, "kaiming_uniform", true},
    {"kaiming_normal", 0, 0, 0, 0, "kaiming_normal", true},
    {"pytorch_default", 0, 0, 0, 0, "pytorch_default", true},
};

} // namespace

/// Reads `uniform(0, 1)`, `zeros`, or a number; nothing when it was reported.
std::optional<ParamInit> Elaborator::evaluateInitialiser(const Expr *expr, const Shape &shape,
                                                         Scope *scope) {
  auto *call = dyn_cast<CallExpr>(expr);
  auto *name = dyn_cast<NameExpr>(call ? call->callee : expr);
  const Initialiser *found = nullptr;
  llvm::SmallVector<StringRef> names;
  for (const Initialiser &initialiser : initialisers) {
    names.push_back(initialiser.name);
    if (name && initialiser.name == name->name)
      found = &initialiser;
  }
  if (!found && name && !lookup(name->name, scope) && !findGlobal(name->name)) {
    error(name->range, "unknown initialiser '" + name->name + "'")
        .hint(suggestName(name->name, names, "initialisers are"));
    return std::nullopt;
  }
  if (!found) {
    Value value = evaluate(expr, scope);
    if (value.isNumber())
      return ParamInit{"constant", value.asDouble(), 0};
    if (!value.isPoison())
      error(expr->range, "a parameter starts from a number or from an initialiser such as "
                         "uniform(0, 1), not from " +
                             describe(value));
    return std::nullopt;
  }
  ParamInit init{found->kind.str(), found->first, found->second};
  size_t given = call ? call->arguments.size() : 0;
  if (given < found->least || given > found->most) {
    error(expr->range, "'" + found->name + "' takes " +
                           (found->most == 0   ? Twine("no numbers")
                            : found->most == 1 ? Twine("one number")
                                               : "up to " + Twine(found->most) + " numbers") +
                           ", not " + Twine(given));
    return std::nullopt;
  }
  for (size_t i = 0; i < given; ++i) {
    const Argument &argument = call->arguments[i];
    Value value = evaluate(argument.value, scope);
    if (value.isPoison())
      return std::nullopt;
    if (!value.isNumber() || !argument.name.name.empty()) {
      error(argument.range, "'" + found->name + "' takes its numbers by place, as in " +
                                (found->most == 1 ? "constant(0.1)" : found->name + "(0, 1)"));
      return std::nullopt;
    }
    (i == 0 ? init.value : init.second) = value.asDouble();
  }
  bool order = init.kind == "uniform" && init.value > init.second;
  if (order || (init.kind == "normal" && init.second < 0)) {
    error(expr->range, order ? "the low end of 'uniform' comes first, its high end second"
                             : "the standard deviation of 'normal' is at least 0");
    return std::nullopt;
  }
  if (found->usesFans && shape.size() < 2) {
    error(expr->range, "'" + found->name +
                           "' needs a shape [outputs, inputs, ...], not one of rank " +
                           Twine(shape.size()))
        .hint("zeros, ones, constant, uniform and normal take any shape");
    return std::nullopt;
  }
  return init;
}

bool Elaborator::declareParam(const ParamStmt &stmt, Scope &scope) {
  std::optional<Shape> shape = evaluateShape(stmt.shape, &scope, /*allowScalar=*/true);
  if (!shape)
    return false;
  GraphParam param;
  param.spec.name = stmt.name.name;
  param.spec.shape = *shape;
  // As PyTorch counts: outputs first, then inputs, then what each of their pairs has.
  if (shape->size() >= 2) {
    int64_t window = mlir::cnn::multiplySaturated(llvm::ArrayRef<int64_t>(*shape).drop_front(2));
    param.spec.fanIn = mlir::cnn::multiplySaturated({(*shape)[1], window});
    param.spec.fanOut = mlir::cnn::multiplySaturated({(*shape)[0], window});
  }
  if (stmt.init)
    param.init = evaluateInitialiser(stmt.init, *shape, &scope);
  else if (shape->size() < 2)
    param.init = ParamInit{"constant", 0, 0};
  if (stmt.init && !param.init)
    return false;
  param.name = path->prefix + stmt.name.name.str();
  param.range = stmt.range;
  if (!checkSize(*shape, "parameter '" + param.name + "'", stmt.shape->range, stmt.shape, &scope))
    return false;
  auto [entry, inserted] = path->taken.try_emplace(stmt.name.name, stmt.name.range);
  if (!inserted) {
    error(stmt.name.range, "the name '" + stmt.name.name + "' is taken")
        .note(entry->second, "by what stands here")
        .hint("in a loop, make the parameter and what uses it a block");
    return false;
  }
  GraphTensor tensor;
  tensor.shape = *shape;
  tensor.name = param.name;
  tensor.range = stmt.name.range;
  tensor.batched = false;
  std::optional<unsigned> made = takeParam(std::move(param), sharing);
  if (!made)
    return false;
  tensor.param = *made;
  graph->tensors.push_back(std::move(tensor));
  return define(scope, stmt.name.name, stmt.name.range,
                Value::makeTensor(graph->tensors.size() - 1, stmt.name.range));
}
