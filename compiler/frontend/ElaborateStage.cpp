// Chains: a tensor goes through stages, each of which gives a tensor. Groups, `repeat`, `for` and
// `if` are expanded here; what is left are calls of layers (ElaborateLayer.cpp).
#include "compiler/frontend/ElaborateImpl.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/SaveAndRestore.h"

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

Value Elaborator::evaluateChain(const ChainExpr &chain, Scope *scope) {
  Value value = evaluate(chain.elements.front(), scope);
  if (value.is(Value::Kind::Stage) || value.is(Value::Kind::Layer))
    return Value::makeStage(&chain, scope, chain.range); // a chain of stages is a stage
  // Behind a mistake nothing is known of the tensors, but layers and arguments may be wrong, too.
  bool known = !value.isPoison();
  if (!known && (!graph || !path))
    return Value();
  for (auto [before, stage] : llvm::zip(chain.elements, chain.elements.drop_front())) {
    Values tensors;
    known = known && toTensors(value, before->range, tensors);
    value = applyExpr(stage, scope, known ? ArrayRef<Value>(tensors) : Value());
  }
  return known ? value : Value();
}

bool Elaborator::toTensors(const Value &value, SMRange range, Values &tensors) {
  bool tuple = value.is(Value::Kind::Tuple);
  for (int64_t i = 0, e = tuple ? value.size() : 1; i < e; ++i) {
    tensors.push_back(tuple ? value.element(i) : value);
    if ((tensors.back().is(Value::Kind::List) || tensors.back().is(Value::Kind::Range)) && graph)
      tensors.back() = toTensor(tensors.back(), range);
    if (tensors.back().isPoison())
      return false;
    if (tensors.back().is(Value::Kind::Tensor))
      continue;
    error(range, "a chain starts with a tensor, not " + describe(tensors.back()));
    return false;
  }
  return true;
}

Value Elaborator::apply(const Value &stage, ArrayRef<Value> inputs, SMRange range) {
  if (stage.isPoison())
    return Value();
  if (stage.is(Value::Kind::Layer))
    return applyShared(stage, inputs, range);
  if (stage.is(Value::Kind::Stage) && stage.expr)
    return applyExpr(stage.expr, stage.scope, inputs);
  if (stage.is(Value::Kind::Stage))
    return inputs.size() == 1
               ? inputs.front()
               : Value::makeList(Value::Kind::Tuple, {inputs.begin(), inputs.end()}, range);
  error(range, "a layer is expected here, not " + describe(stage))
      .hint(stage.is(Value::Kind::Tensor) ? "tensors are combined with operators and functions, as "
                                            "in a + b"
                                          : "");
  return Value();
}

Value Elaborator::applyExpr(const Expr *expr, Scope *scope, ArrayRef<Value> inputs) {
  Step step(*this, expr->range);
  if (!step || diagnostics.full())
    return Value();
  switch (expr->kind) {
  case Expr::Kind::Name:
    return applyCall(*cast<NameExpr>(expr), nullptr, scope, inputs, expr->range);
  case Expr::Kind::Call:
    if (auto *name = dyn_cast<NameExpr>(cast<CallExpr>(expr)->callee))
      return applyCall(*name, cast<CallExpr>(expr), scope, inputs, expr->range);
    return apply(evaluate(expr, scope), inputs, expr->range);
  case Expr::Kind::Chain:
    return inLabel([&]() -> Value {
      Values tensors(inputs.begin(), inputs.end());
      bool known = true; // as in evaluateChain
      for (const Expr *element : cast<ChainExpr>(expr)->elements) {
        Value value = applyExpr(element, scope, known ? ArrayRef<Value>(tensors) : Value());
        tensors.clear();
        known = known && toTensors(value, element->range, tensors);
      }
      if (!known)
        return Value();
      return tensors.size() == 1 ? tensors.front()
                                 : Value::makeList(Value::Kind::Tuple,
                                                   {tensors.begin(), tensors.end()}, expr->range);
    });
  case Expr::Kind::Labelled:
    return applyLabelled(*cast<LabelledExpr>(expr), scope, inputs);
  case Expr::Kind::Group:
    return inLabel(
        [&] { return applyBody(*cast<GroupExpr>(expr)->body, scope, inputs, "this group"); });
  case Expr::Kind::Repeat:
    return inLabel([&] { return applyRepeat(*cast<RepeatExpr>(expr), scope, inputs); });
  case Expr::Kind::For:
    return inLabel([&] { return applyFor(*cast<ForExpr>(expr), scope, inputs); });
  case Expr::Kind::If:
    return inLabel([&] { return applyIf(*cast<IfExpr>(expr), scope, inputs); });
  default:
    return apply(evaluate(expr, scope), inputs, expr->range);
  }
}

/// `name` or `name(arguments)` behind an arrow.
Value Elaborator::applyCall(const NameExpr &name, const CallExpr *call, Scope *scope,
                            ArrayRef<Value> inputs, SMRange range) {
  ArrayRef<Argument> arguments = call ? call->arguments : ArrayRef<Argument>();
  if (call && !call->binders.empty()) {
    error(range,
          "indices are reduced in an expression, as in sum(x[i] for i < n), not behind '->'");
    return Value();
  }
  if (lookup(name.name, scope)) {
    Value value = evaluateName(name, scope);
    if (value.isPoison())
      return Value();
    bool stage = value.is(Value::Kind::Stage) || value.is(Value::Kind::Layer);
    if (stage && !arguments.empty()) {
      error(range, "'" + name.name + "' already has its hyperparameters")
          .note(value.origin, "it is given them here");
      return Value();
    }
    return apply(value, inputs, range);
  }
  const Decl *decl = findGlobal(name.name);
  if (auto *function = llvm::dyn_cast_or_null<FunctionDecl>(decl))
    return callFunction(*function, arguments, scope, inputs, range);
  if (auto *def = llvm::dyn_cast_or_null<DefDecl>(decl)) {
    DefInputs values(inputs.begin(), inputs.end());
    return arguments.empty() || bindDefArguments(*def, *call, scope, values)
               ? callDef(*def, values, range)
               : Value();
  }
  if (auto *constant = llvm::dyn_cast_or_null<ConstDecl>(decl))
    return apply(evaluateConst(*constant, name.range), inputs, range);
  if (const mlir::cnn::LayerDef *layer = findLayer(name.name))
    return callLayer(*layer, arguments, scope, inputs, range);
  reportUnknown(name, scope, /*asLayer=*/true);
  return Value();
}

/// Further uses of a layer compute with the parameters of the first.
Value Elaborator::applyShared(const Value &value, ArrayRef<Value> inputs, SMRange range) {
  SharedLayer &shared = sharedLayers[value.integer];
  auto *call = dyn_cast<CallExpr>(shared.expr);
  auto *name = dyn_cast<NameExpr>(call ? call->callee : shared.expr);
  const mlir::cnn::LayerDef *layer =
      name && !lookup(name->name, shared.scope) && !findGlobal(name->name) ? findLayer(name->name)
                                                                           : nullptr;
  if (llvm::is_contained(layersInUse, &shared)) {
    error(range, "layer '" + shared.name + "' uses itself");
    return Value();
  }
  Use use(*this, range, "layer '" + shared.name + "' is used here");
  llvm::SaveAndRestore<SharedLayer *> saved(sharing, &shared);
  layersInUse.push_back(&shared);
  shared.isCall = layer != nullptr;
  shared.taken = 0;
  shared.use = range;
  if (shared.uses == 0)
    shared.firstUse = range;
  Value result;
  if (layer) {
    result = callLayer(*layer, call ? call->arguments : ArrayRef<Argument>(), shared.scope, inputs,
                       shared.expr->range);
  } else {
    // What is in it is named after the layer, in further uses with a number.
    InPath home(*this, shared.prefix);
    label = Label{shared.name + (shared.uses ? "." + std::to_string(shared.uses + 1) : ""), range};
    result = applyExpr(shared.expr, shared.scope, inputs);
    label.reset();
  }
  layersInUse.pop_back();
  if (!result.isPoison() && shared.uses > 0 && shared.taken != shared.params.size()) {
    error(range, "layer '" + shared.name + "' does not need the parameter '" +
                     graph->params[shared.params[shared.taken]].name + "' here")
        .note(shared.firstUse, "its first use, which needs it, is here");
    return Value();
  }
  ++shared.uses;
  return result;
}

//===----------------------------------------------------------------------===//
// Labels and compound stages
//===----------------------------------------------------------------------===//

/// A label as a String value.
Value Elaborator::evaluateLabel(const Expr *expr, Scope *scope) {
  auto *name = dyn_cast<NameExpr>(expr);
  Value value = name ? Value::makeString(name->name.str(), name->range) : evaluate(expr, scope);
  if (value.isPoison())
    return Value();
  // Labels become parts of paths, symbols and names in weight files.
  auto forbidden = [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '.' || c == '"' || c == '/' || c == '\\' ||
           c == 0x7F;
  };
  if (!value.text.empty() && llvm::none_of(value.text, forbidden))
    return value;
  error(expr->range, "a label has at least one character and neither spaces nor dots, slashes or "
                     "quotes");
  return Value();
}

Value Elaborator::applyLabelled(const LabelledExpr &expr, Scope *scope, ArrayRef<Value> inputs) {
  return inLabel([&] {
    Value name = evaluateLabel(expr.label, scope);
    if (name.isPoison())
      return Value();
    label = Label{name.text, expr.label->range};
    Value value = applyExpr(expr.stage, scope, inputs);
    label.reset();
    return value;
  });
}

Value Elaborator::inLabel(llvm::function_ref<Value()> inside) {
  if (!label)
    return inside();
  std::optional<std::string> name = takeName("", label->range);
  if (!name)
    return Value();
  InPath inner(*this, *name + ".");
  return inside();
}

Value Elaborator::applyBody(const Body &body, Scope *scope, ArrayRef<Value> inputs,
                            const Twine &what) {
  Value value = evaluateBody(body, scope, what);
  if (value.isPoison())
    return Value();
  const Expr *last = cast<ExprStmt>(body.statements.back())->expr;
  if (value.is(Value::Kind::Tensor)) {
    error(last->range, what + " does not use the tensor that it is applied to")
        .hint("start its chain with a layer, without a tensor before it");
    return Value();
  }
  return apply(value, inputs, last->range);
}

Value Elaborator::applyRepeat(const RepeatExpr &expr, Scope *scope, ArrayRef<Value> inputs) {
  Value count = evaluate(expr.count, scope);
  if (count.isPoison())
    return Value();
  if (!count.is(Value::Kind::Int) || count.integer < 0) {
    auto report = error(expr.count->range,
                        "'repeat' takes how often as a non-negative integer, not " + format(count));
    noteValue(report, expr.count, count.origin, scope);
    return Value();
  }
  Values tensors(inputs.begin(), inputs.end());
  for (int64_t i = 0; i < count.integer; ++i) {
    Value value = applyBody(*expr.body, scope, tensors, "the body of 'repeat'");
    tensors.clear();
    if (value.isPoison() || aborted || !toTensors(value, expr.range, tensors))
      return Value();
  }
  return tensors.size() == 1
             ? tensors.front()
             : Value::makeList(Value::Kind::Tuple, {tensors.begin(), tensors.end()}, expr.range);
}

Value Elaborator::applyFor(const ForExpr &expr, Scope *scope, ArrayRef<Value> inputs) {
  Value list = evaluate(expr.iterable, scope);
  if (list.isPoison())
    return Value();
  if (list.kind < Value::Kind::List || list.kind > Value::Kind::Range) {
    error(expr.iterable->range, "'for' goes over a list or a range, not " + describe(list))
        .hint(list.is(Value::Kind::Int) ? "write 0.." + format(list) : "");
    return Value();
  }
  Values tensors(inputs.begin(), inputs.end());
  for (int64_t i = 0; i < list.size(); ++i) {
    Value element = list.element(i);
    Scope &inner = makeScope(scope);
    if ((!expr.index.name.empty() &&
         !define(inner, expr.index.name, expr.index.range, Value::makeInt(i, expr.index.range))) ||
        !bindPattern(*expr.pattern, element, inner))
      return Value();
    Use use(*this, expr.range,
            "in round " + std::to_string(i + 1) + " of this 'for', with " + format(element));
    Value value = applyBody(*expr.body, &inner, tensors, "the body of 'for'");
    tensors.clear();
    if (value.isPoison() || aborted || !toTensors(value, expr.range, tensors))
      return Value();
  }
  return tensors.size() == 1
             ? tensors.front()
             : Value::makeList(Value::Kind::Tuple, {tensors.begin(), tensors.end()}, expr.range);
}

Value Elaborator::applyIf(const IfExpr &expr, Scope *scope, ArrayRef<Value> inputs) {
  std::optional<bool> condition = evaluateCondition(expr.condition, scope);
  if (!condition)
    return Value();
  const Body *body = *condition ? expr.thenBody : expr.elseBody;
  if (body)
    return applyBody(*body, scope, inputs, "this branch");
  return apply(Value::makeStage(nullptr, scope, expr.range), inputs, expr.range);
}
