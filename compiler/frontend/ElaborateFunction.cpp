// Uses of nets, blocks and functions: their parameters and inputs are bound in a scope of their
// own, and their bodies walked. In a test, a net sees its inputs as batches of samples.
#include "compiler/frontend/ElaborateImpl.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace cnn;
using namespace cnn::ast;
using llvm::ArrayRef;
using llvm::cast;
using llvm::dyn_cast;
using llvm::isa;
using llvm::SMRange;
using llvm::StringRef;
using llvm::Twine;
using mlir::cnn::formatShape;

static StringRef kindOf(const FunctionDecl &decl) { return decl.isNet() ? "net" : "block"; }

/// "residual(channels, stride = 1)".
static std::string signatureOf(const FunctionDecl &decl) {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << decl.name.name << "(";
  llvm::interleaveComma(decl.hyperparameters, out, [&](const Parameter &parameter) {
    out << parameter.name.name;
    if (!parameter.defaultValue)
      return;
    out << " = ";
    printExpr(parameter.defaultValue, out);
  });
  out << ")";
  return text;
}

bool Elaborator::bindParameters(const FunctionDecl &decl, ArrayRef<Argument> arguments,
                                Scope *caller, Scope &scope, SMRange range, bool isTop) {
  std::string callee = (kindOf(decl) + " '" + decl.name.name + "'").str();
  llvm::SmallVector<StringRef> names;
  for (const Parameter &parameter : decl.hyperparameters)
    names.push_back(parameter.name.name);
  llvm::StringMap<const Argument *> given;
  bool valid = true;
  for (auto [i, argument] : llvm::enumerate(arguments)) {
    StringRef name = argument.name.name;
    if (name.empty() && i >= names.size()) {
      error(argument.range, callee + " takes " + Twine(names.size()) + " parameter" +
                                (names.size() == 1 ? "" : "s") + ", not " + Twine(arguments.size()))
          .note(decl.name.range, "'" + decl.name.name + "' is declared here");
      return false;
    }
    if (name.empty())
      name = names[i];
    if (!llvm::is_contained(names, name)) {
      error(argument.name.range, callee + " has no parameter '" + name + "'")
          .note(decl.name.range, "'" + decl.name.name + "' is declared here")
          .hint(suggestName(name, names, "its parameters are"));
      valid = false;
      continue;
    }
    if (!given.try_emplace(name, &argument).second) {
      error(argument.range, "'" + name + "' is given twice")
          .note(given[name]->range, "it is first given here");
      valid = false;
    }
  }
  // A default that uses a later parameter uses it before its definition.
  for (const Parameter &parameter : decl.hyperparameters)
    if (!findGlobal(parameter.name.name) && !mlir::cnn::findLayer(parameter.name.name))
      scope.names.try_emplace(parameter.name.name,
                              Scope::Binding{Value(), parameter.name.range, false});
  for (const Parameter &parameter : decl.hyperparameters) {
    Value value;
    const SetArgument *set = nullptr;
    for (const SetArgument &candidate : sets)
      if (isTop && candidate.path.size() == 2 && candidate.path[0].name == decl.name.name &&
          candidate.path[1].name == parameter.name.name)
        set = &candidate;
    if (set) {
      value = evaluate(set->value, &globalScope);
    } else if (const Argument *argument = given.lookup(parameter.name.name)) {
      value = evaluate(argument->value, caller);
    } else if (parameter.defaultValue) {
      // Defaults see the parameters before them.
      value = evaluate(parameter.defaultValue, &scope);
    } else if (valid) {
      auto report = error(range, callee + " needs a value for '" + parameter.name.name + "'");
      report.note(parameter.name.range, "'" + parameter.name.name + "' is declared here");
      report.hint(isTop ? "give it with --set " + decl.name.name + "." + parameter.name.name +
                              "=..., in a recipe, or as a default"
                        : "the " + kindOf(decl) + " is " + signatureOf(decl));
    }
    valid &= !value.isPoison();
    define(scope, parameter.name.name, parameter.name.range, value);
  }
  return valid;
}

std::optional<mlir::cnn::Shape> Elaborator::evaluateShape(const Expr *expr, Scope *scope,
                                                          bool allowScalar) {
  Value value = evaluate(expr, scope);
  if (value.isPoison())
    return std::nullopt;
  if (!value.is(Value::Kind::List)) {
    error(expr->range, "a shape is a list of integers, not " + describe(value))
        .hint("write [channels, height, width] or [features]");
    return std::nullopt;
  }
  mlir::cnn::Shape shape;
  for (const Value &extent : *value.elements) {
    if (!extent.is(Value::Kind::Int) || extent.integer <= 0) {
      const Expr *place = expr;
      if (auto *list = dyn_cast<ListExpr>(expr))
        place = list->elements[shape.size()];
      auto report =
          error(place->range, "an extent of a shape is a positive integer, not " + format(extent));
      noteValue(report, place, extent.origin, scope);
      return std::nullopt;
    }
    shape.push_back(extent.integer);
  }
  if (shape.empty() && !allowScalar) {
    error(expr->range, "a shape has at least one extent");
    return std::nullopt;
  }
  return shape;
}

/// The numbers of a tensor in another shape of batch and sample.
Value Elaborator::regroup(const Value &value, GraphTensor tensor, SMRange range) {
  GraphNode node;
  node.path = tensor.name;
  node.operands.push_back(value.integer);
  node.range = range;
  node.use = currentUse;
  node.result = graph->tensors.size();
  tensor.node = graph->nodes.size();
  graph->tensors.push_back(std::move(tensor));
  graph->nodes.push_back(std::move(node));
  return Value::makeTensor(graph->nodes.back().result, range);
}

/// A parameter as a tensor that a piece of a test computes, for those who look at it from outside.
Value Elaborator::toComputed(const Value &value, SMRange range) {
  if (!value.is(Value::Kind::Tensor) || graph->tensors[value.integer].param < 0)
    return value;
  GraphTensor copy = graph->tensors[value.integer];
  copy.param = -1;
  return regroup(value, std::move(copy), range);
}

/// The output of a net that a test uses, with the dimensions of the batch in front.
Value Elaborator::toWhole(const Value &value, const mlir::cnn::Shape &batch, SMRange range) {
  if (value.is(Value::Kind::Tuple)) {
    std::vector<Value> parts;
    for (const Value &part : *value.elements)
      parts.push_back(toWhole(part, batch, range));
    return Value::makeList(Value::Kind::Tuple, std::move(parts), value.origin);
  }
  if (!value.is(Value::Kind::Tensor) || !graph->tensors[value.integer].batched)
    return value;
  GraphTensor whole = graph->tensors[value.integer];
  whole.shape.insert(whole.shape.begin(), batch.begin(), batch.end());
  whole.batched = false;
  whole.batch = 0;
  return regroup(value, std::move(whole), range);
}

bool Elaborator::bindInputs(const FunctionDecl &decl, ArrayRef<Value> inputs, Scope &scope,
                            SMRange range, std::optional<mlir::cnn::Shape> &batch) {
  // Behind a mistake the body is walked for its own, with inputs that are not known.
  if (llvm::any_of(inputs, [](const Value &value) { return value.isPoison(); })) {
    for (const Parameter &parameter : decl.inputs)
      define(scope, parameter.name.name, parameter.name.range, Value());
    return true;
  }
  if (inputs.size() != decl.inputs.size()) {
    error(range, kindOf(decl) + " '" + decl.name.name + "' takes " + Twine(decl.inputs.size()) +
                     " input" + (decl.inputs.size() == 1 ? "" : "s") + ", not " +
                     Twine(inputs.size()))
        .note(decl.name.range, "'" + decl.name.name + "' is declared here");
    return false;
  }
  bool batches = test && decl.isNet() && llvm::none_of(inputs, [&](const Value &input) {
                   return graph->tensors[input.integer].batched;
                 });
  llvm::SmallVector<mlir::cnn::Shape> shapes(inputs.size());
  for (auto [parameter, input, sample] : llvm::zip(decl.inputs, inputs, shapes)) {
    const GraphTensor &tensor = graph->tensors[input.integer];
    if (!define(scope, parameter.name.name, parameter.name.range, input))
      return false;
    if (!parameter.shape)
      continue;
    std::optional<mlir::cnn::Shape> shape = evaluateShape(parameter.shape, &scope);
    if (!shape)
      return false;
    sample = *shape;
    // A tensor without a batch of its own may have one in front.
    size_t rank = shape->size(), whole = tensor.shape.size();
    bool fits = whole >= rank && (whole == rank || !tensor.batched) &&
                ArrayRef<int64_t>(tensor.shape).take_back(rank) == ArrayRef<int64_t>(*shape);
    if (!fits) {
      bool isLiteral = tensor.node >= 0 && graph->nodes[tensor.node].operands.empty();
      error(range, "input '" + parameter.name.name + "' of " + kindOf(decl) + " '" +
                       decl.name.name + "' is " + formatShape(*shape) + ", not " +
                       (whole ? formatShape(tensor.shape) : "a single number"))
          .note(parameter.shape->range, "its shape is declared here")
          .note(tensor.range, "the " + formatShape(tensor.shape) + " tensor is " +
                                  (isLiteral ? "made here" : "'" + tensor.name + "' here"));
      return false;
    }
    mlir::cnn::Shape leading(tensor.shape.begin(), tensor.shape.end() - rank);
    if (!batches || leading.empty())
      continue;
    if (batch && *batch != leading) {
      error(range, "the inputs of net '" + decl.name.name + "' have batches of " +
                       formatShape(*batch) + " and " + formatShape(leading))
          .note(tensor.range, "the latter is '" + tensor.name + "' here");
      return false;
    }
    batch = leading;
  }
  if (!batches)
    return true;
  // Inputs without a batch beside such that have one serve all samples.
  bool all = !batch;
  if (all)
    batch.emplace();
  for (auto [parameter, input, sample] : llvm::zip(decl.inputs, inputs, shapes)) {
    GraphTensor tensor = graph->tensors[input.integer];
    if (!all && tensor.shape.size() == sample.size())
      continue;
    tensor.shape = sample;
    tensor.batched = true;
    tensor.batch = mlir::cnn::multiplySaturated(*batch);
    tensor.param = -1;
    scope.names[parameter.name.name].value = regroup(input, std::move(tensor), range);
  }
  return true;
}

Value Elaborator::callFunction(const FunctionDecl &decl, ArrayRef<Argument> arguments,
                               Scope *caller, ArrayRef<Value> inputs, SMRange range) {
  if (unsure.contains(decl.name.name))
    return Value();
  if (decl.isNet() && llvm::is_contained(llvm::make_first_range(running), &decl)) {
    // A cycle is one mistake, whichever of its nets is elaborated first.
    if (!netsInCycles.contains(&decl))
      error(range, "net '" + decl.name.name + "' uses itself")
          .note(decl.name.range, "'" + decl.name.name + "' is declared here");
    for (auto [net, use] : running)
      netsInCycles.insert(net);
    aborted = true;
    return Value();
  }
  std::optional<std::string> name = takeName(decl.name.name, range);
  Scope &scope = makeScope(&globalScope);
  // What --set says of a net counts where a test uses it, too.
  bool isTop = test && decl.isNet() && running.empty();
  if (!name || !bindParameters(decl, arguments, caller, scope, range, isTop))
    return Value();
  Use use(*this, range, (kindOf(decl) + " '" + decl.name.name + "' is used here").str());
  std::optional<mlir::cnn::Shape> batch;
  if (!bindInputs(decl, inputs, scope, range, batch))
    return Value();
  InPath inner(*this, *name + ".");
  running.push_back({&decl, range});
  Value value = evaluateBody(*decl.body, &scope, kindOf(decl) + " '" + decl.name.name + "'");
  running.pop_back();
  return batch ? toWhole(value, *batch, range) : value;
}

/// Binds the names of a shape such as `[h, w]` to the extents of the tensor.
bool Elaborator::bindExtents(const Parameter &input, const GraphTensor &tensor, Scope &scope,
                             SMRange range) {
  auto *list = dyn_cast<ListExpr>(input.shape);
  bool matches = list && list->elements.size() == tensor.shape.size();
  std::string text = printed(input.shape);
  for (size_t i = 0; matches && i < tensor.shape.size(); ++i) {
    auto *name = dyn_cast<NameExpr>(list->elements[i]);
    bool isConstant = name && llvm::isa_and_nonnull<ConstDecl>(findGlobal(name->name));
    if (name && !scope.names.contains(name->name) && !isConstant) {
      define(scope, name->name, name->range, Value::makeInt(tensor.shape[i], name->range));
      continue;
    }
    Value extent = evaluate(list->elements[i], &scope);
    if (extent.isPoison())
      return false;
    matches = extent.is(Value::Kind::Int) && extent.integer == tensor.shape[i];
  }
  if (matches)
    return true;
  error(range, "input '" + input.name.name + "' is " + text + ", not " + formatShape(tensor.shape))
      .note(input.shape->range, "its shape is declared here");
  return false;
}

/// Brings the arguments of a function's call into the order of its parameters, behind the tensors
/// in `values` that came by '->'; those that are left out are empty. Lists of numbers become
/// tensors, numbers where a shape is declared.
bool Elaborator::bindDefArguments(const DefDecl &decl, const CallExpr &expr, Scope *scope,
                                  DefInputs &values) {
  std::optional<Label> own = std::move(label);
  label.reset();
  size_t first = values.size();
  bool valid = first + expr.arguments.size() <= decl.inputs.size();
  if (!valid)
    reportCount(decl, first + expr.arguments.size(), expr.range);
  values.resize(decl.inputs.size());
  llvm::SmallVector<StringRef> names;
  for (const Parameter &parameter : decl.inputs)
    names.push_back(parameter.name.name);
  llvm::SmallVector<SMRange> givenBy(names.size());
  for (auto [i, argument] : llvm::enumerate(expr.arguments)) {
    if (!valid)
      break;
    StringRef name = argument.name.name;
    size_t place = name.empty() ? first + i : llvm::find(names, name) - names.begin();
    if (place == names.size()) {
      error(argument.name.range,
            "function '" + decl.name.name + "' has no parameter '" + name + "'")
          .note(decl.name.range, "'" + decl.name.name + "' is declared here")
          .hint(suggestName(name, names, "its parameters are"));
      valid = false;
      break;
    }
    if (values[place]) {
      auto report = error(argument.range, "'" + names[place] + "' is given twice");
      if (place < first)
        report.hint("it is the tensor before '->'");
      else
        report.note(givenBy[place], "it is first given here");
      valid = false;
      break;
    }
    givenBy[place] = argument.range;
    Value value = evaluate(argument.value, scope);
    bool isTensor = decl.inputs[place].shape && (value.isNumber() || value.is(Value::Kind::Range));
    if (isTensor || (value.is(Value::Kind::List) && isNumeric(value)))
      value = toTensor(value, argument.range);
    valid = !value.isPoison();
    values[place] = value;
  }
  label = std::move(own);
  return valid;
}

void Elaborator::reportCount(const DefDecl &decl, size_t given, SMRange range) {
  error(range, "function '" + decl.name.name + "' takes " + Twine(decl.inputs.size()) +
                   " argument" + (decl.inputs.size() == 1 ? "" : "s") + ", not " + Twine(given))
      .note(decl.name.range, "'" + decl.name.name + "' is declared here");
}

Value Elaborator::callDef(const DefDecl &decl, const DefInputs &inputs, SMRange range) {
  if (unsure.contains(decl.name.name) ||
      llvm::any_of(inputs,
                   [](const std::optional<Value> &input) { return input && input->isPoison(); }))
    return Value();
  size_t given = llvm::count_if(inputs, [](const auto &input) { return input.has_value(); });
  bool enough = inputs.size() <= decl.inputs.size();
  for (auto [i, parameter] : llvm::enumerate(decl.inputs))
    enough &= parameter.defaultValue || (i < inputs.size() && inputs[i]);
  if (!enough) {
    reportCount(decl, given, range);
    return Value();
  }
  std::optional<std::string> name = takeName(decl.name.name, range);
  if (!name)
    return Value();
  Use use(*this, range, ("function '" + decl.name.name + "' is used here").str());
  Scope &scope = makeScope(&globalScope);
  InPath inner(*this, *name + ".");
  for (auto [i, parameter] : llvm::enumerate(decl.inputs)) {
    // Defaults see the parameters before them.
    Value input =
        i < inputs.size() && inputs[i] ? *inputs[i] : evaluate(parameter.defaultValue, &scope);
    if (input.isPoison())
      return Value();
    if (parameter.shape && !input.is(Value::Kind::Tensor)) {
      error(range, "input '" + parameter.name.name + "' of function '" + decl.name.name +
                       "' is a tensor, not " + describe(input))
          .note(parameter.shape->range, "its shape is declared here");
      return Value();
    }
    if (!define(scope, parameter.name.name, parameter.name.range, input) ||
        (parameter.shape && !bindExtents(parameter, graph->tensors[input.integer], scope, range)))
      return Value();
  }
  running.push_back({&decl, range});
  Value value = evaluate(decl.value, &scope);
  running.pop_back();
  return value;
}
