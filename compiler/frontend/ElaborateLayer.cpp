// Calls of layers: hyperparameters are bound and converted after the registry's declaration, shapes
// are inferred by the layer, and a node with its parameters joins the graph.
#include "compiler/frontend/ElaborateImpl.h"
#include "compiler/frontend/Recipe.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace cnn;
using namespace cnn::ast;
using llvm::ArrayRef;
using llvm::SMRange;
using llvm::StringRef;
using llvm::Twine;
using mlir::cnn::ArgKind;
using mlir::cnn::formatShape;
using mlir::cnn::LayerArg;
using mlir::cnn::LayerArgs;
using mlir::cnn::LayerDef;
using mlir::cnn::LayerProblem;
using mlir::cnn::LayerShape;

namespace {

// Larger hyperparameters are mistakes, and could overflow the products that shapes are made of.
constexpr int64_t maxArgument = int64_t(1) << 31;
constexpr size_t maxNodes = 100'000;

/// "conv(channels, kernel, stride = ..., padding = ...)".
std::string signatureOf(const LayerDef &layer) {
  std::string required, optional;
  for (const LayerArg &arg : layer.args)
    if (!arg.defaultValue && !arg.optional)
      required += ", " + arg.name.str();
    else
      optional += ", " + arg.name.str() + " = ...";
  return layer.name.str() + "(" + StringRef(required + optional).drop_front(2).str() + ")";
}

/// The argument that gives hyperparameter `name`, or null.
const Argument *findArgument(const LayerDef &layer, ArrayRef<Argument> arguments, StringRef name) {
  for (auto [i, argument] : llvm::enumerate(arguments))
    if (argument.name.name.empty() ? i < layer.args.size() && layer.args[i].name == name
                                   : argument.name.name == name)
      return &argument;
  return nullptr;
}

} // namespace

//===----------------------------------------------------------------------===//
// Hyperparameters
//===----------------------------------------------------------------------===//

bool Elaborator::bindLayerArguments(const LayerDef &layer, ArrayRef<Argument> arguments,
                                    Scope *scope, SMRange range, LayerArgs &bound,
                                    llvm::StringMap<Value> &tensors) {
  llvm::SmallVector<StringRef> names;
  for (const LayerArg &arg : layer.args)
    names.push_back(arg.name);
  bool valid = true;
  BoundCall call;
  call.scope = scope;
  std::string callee = "'" + layer.name.str() + "'";
  for (auto [i, argument] : llvm::enumerate(arguments)) {
    StringRef name = argument.name.name;
    bool isParam = llvm::is_contained(layer.tensorParams, name);
    if (name.empty() && i < names.size()) {
      name = names[i];
    } else if (!isParam && (name.empty() || !llvm::is_contained(names, name))) {
      valid = false;
      if (names.empty()) {
        error(argument.range, callee + " takes no hyperparameters");
        break;
      }
      if (name.empty()) {
        error(argument.range, callee + " takes at most " + Twine(names.size()) + " hyperparameter" +
                                  (names.size() == 1 ? "" : "s") + ", not " +
                                  Twine(arguments.size()))
            .hint("it is called as " + signatureOf(layer));
        break;
      }
      error(argument.name.range, callee + " has no hyperparameter '" + name + "'")
          .hint(suggestName(name, names, "its hyperparameters are"));
      continue;
    }
    if (const Argument *first = findArgument(layer, arguments, name); first != &argument) {
      error(argument.range, "'" + name + "' is given twice")
          .note(first->range, "it is first given here");
      valid = false;
      continue;
    }
    Value value = evaluate(argument.value, scope);
    // `bias = false` is a hyperparameter, `bias = b` the parameter itself.
    if (isParam && (!llvm::is_contained(names, name) || value.is(Value::Kind::Tensor) ||
                    value.is(Value::Kind::List) || value.is(Value::Kind::Range))) {
      tensors[name] = toTensor(value, argument.range);
      valid &= !tensors[name].isPoison();
      continue;
    }
    const LayerArg &arg = layer.args[llvm::find(names, name) - names.begin()];
    valid &= !value.isPoison() && convertArgument(layer, arg, value, argument, scope, bound);
    call.origins[name] = value.origin;
  }
  if (!valid || (!tensors.empty() && !takeTensors(layer, tensors, bound, range)))
    return false;
  for (const LayerArg &arg : layer.args) {
    if (bound.has(arg.name) || arg.optional)
      continue;
    if (arg.defaultValue) {
      bound.set(arg.name, *arg.defaultValue);
      continue;
    }
    error(range, callee + " needs '" + arg.name + "', " + arg.doc)
        .hint("it is called as " + signatureOf(layer));
    valid = false;
  }
  boundCall = std::move(call);
  return valid;
}

bool Elaborator::takeTensors(const LayerDef &layer, const llvm::StringMap<Value> &tensors,
                             LayerArgs &bound, SMRange range) {
  llvm::StringMap<mlir::cnn::Shape> given;
  for (const auto &entry : tensors) {
    const GraphTensor &tensor = graph->tensors[entry.second.integer];
    given[entry.first()] = tensor.shape;
    if (!tensor.batched)
      continue;
    error(range, "'" + entry.first() + "' of '" + layer.name +
                     "' serves all samples of a batch; there is one '" + tensor.name + "' for each")
        .note(tensor.range, "it is defined here");
    return false;
  }
  LayerProblem problem;
  if (mlir::succeeded(layer.fromTensors(given, bound, problem)))
    return true;
  error(range, problem.message).hint(problem.hint);
  return false;
}

bool Elaborator::giveParams(GraphNode &node, LayerShape &shape,
                            const llvm::StringMap<Value> &tensors, SMRange range) {
  llvm::SmallVector<mlir::cnn::ParamSpec> own;
  for (auto [place, spec] : llvm::enumerate(shape.params)) {
    auto found = tensors.find(spec.name);
    if (found == tensors.end()) {
      own.push_back(spec);
      continue;
    }
    const GraphTensor &tensor = graph->tensors[found->second.integer];
    if (tensor.shape != spec.shape) {
      error(range, "'" + spec.name + "' is " + formatShape(tensor.shape) + ", but '" +
                       node.layer->name + "' needs " + formatShape(spec.shape) + " here")
          .note(tensor.range, "'" + spec.name + "' is '" + tensor.name + "' here");
      return false;
    }
    node.given.push_back({place, toNumbers(found->second).integer});
  }
  shape.params.assign(own.begin(), own.end());
  return true;
}

bool Elaborator::convertArgument(const LayerDef &layer, const LayerArg &arg, const Value &value,
                                 const Argument &argument, Scope *scope, LayerArgs &bound) {
  auto fail = [&](const Twine &message) {
    auto report = error(argument.range, message);
    noteValue(report, argument.value, value.origin, scope);
    return false;
  };
  auto wrongType = [&] {
    return fail("'" + arg.name + "' of '" + layer.name + "' is " + describeKind(arg) + ", not " +
                cnn::describe(value));
  };
  auto tooLarge = [&](int64_t number) {
    return fail("'" + arg.name + "' of '" + layer.name + "' is " + Twine(number) +
                ", more than the largest possible " + Twine(maxArgument));
  };
  auto inRange = [](int64_t number) { return number <= maxArgument && number >= -maxArgument; };

  if (value.is(Value::Kind::String) && llvm::is_contained(arg.words, value.text)) {
    bound.set(arg.name, value.text);
    return true;
  }
  switch (arg.kind) {
  case ArgKind::Int:
    if (!value.is(Value::Kind::Int))
      return wrongType();
    if (!inRange(value.integer))
      return tooLarge(value.integer);
    bound.set(arg.name, value.integer);
    return true;
  case ArgKind::Float:
    if (!value.isNumber())
      return wrongType();
    bound.set(arg.name, value.asDouble());
    return true;
  case ArgKind::Bool:
    if (!value.is(Value::Kind::Bool))
      return wrongType();
    bound.set(arg.name, value.integer != 0);
    return true;
  case ArgKind::String:
    if (!value.is(Value::Kind::String))
      return wrongType();
    bound.set(arg.name, value.text);
    return true;
  case ArgKind::Size:
  case ArgKind::Padding:
  case ArgKind::Ints:
    break;
  }
  std::vector<int64_t> given;
  if (value.is(Value::Kind::Int)) {
    given.assign(arg.kind == ArgKind::Ints ? 1 : 2, value.integer);
  } else if (value.is(Value::Kind::Tuple) || value.is(Value::Kind::List)) {
    for (const Value &element : *value.elements) {
      if (!element.is(Value::Kind::Int))
        return wrongType();
      given.push_back(element.integer);
    }
  }
  bool four = arg.kind == ArgKind::Padding && given.size() == 4;
  if (arg.kind == ArgKind::Ints ? given.empty() : given.size() != 2 && !four)
    return wrongType();
  for (int64_t number : given)
    if (!inRange(number))
      return tooLarge(number);
  if (arg.kind == ArgKind::Padding && !four)
    given = {given[0], given[0], given[1], given[1]};
  bound.set(arg.name, given);
  return true;
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

bool Elaborator::checkSize(ArrayRef<int64_t> shape, const Twine &what, SMRange range,
                           const Expr *expr, Scope *scope) {
  // Four bytes an element, the smallest element type there is, and one image.
  std::optional<std::string> problem = describeOversize(shape, 4);
  if (!problem)
    return true;
  auto report = error(range, what + " " + *problem);
  llvm::SmallVector<const char *> noted;
  noteNames(report, expr, scope, noted);
  return false;
}

bool Elaborator::checkSize(ArrayRef<int64_t> shape, const Twine &what, SMRange range,
                           ArrayRef<Argument> arguments, ArrayRef<Value> inputs) {
  std::optional<std::string> problem = describeOversize(shape, 4);
  if (!problem)
    return true;
  auto report = error(range, what + " " + *problem);
  llvm::SmallVector<const char *> noted;
  for (const Argument &argument : arguments)
    noteNames(report, argument.value, boundCall.scope, noted);
  if (!inputs.empty() && inputs.front().is(Value::Kind::Tensor))
    noteOrigin(report, LayerProblem(), inputs.front());
  return false;
}

/// "the 5x5 input comes from 'pool1' here (14x14 -> 5x5)".
void Elaborator::noteOrigin(Report &report, const LayerProblem &problem, const Value &input) {
  unsigned index = input.integer;
  // Functions such as relu keep the shape; who is looked for is who made it.
  for (int node = graph->tensors[index].node; node >= 0 && !graph->nodes[node].operands.empty();
       node = graph->tensors[index].node) {
    unsigned before = graph->nodes[node].operands.front();
    bool isLayer = graph->nodes[node].layer != nullptr;
    if (isLayer && graph->tensors[before].shape != graph->tensors[index].shape)
      break;
    index = before;
  }
  const GraphTensor &tensor = graph->tensors[index];
  std::string what =
      problem.inputText.empty() ? "the " + formatShape(tensor.shape) + " input" : problem.inputText;
  if (tensor.node < 0) {
    report.note(tensor.range, what + " is '" + tensor.name + "' here");
    return;
  }
  const GraphNode &node = graph->nodes[tensor.node];
  if (node.operands.empty()) {
    report.note(tensor.range, what + " is made here");
    return;
  }
  const GraphTensor &before = graph->tensors[node.operands.front()];
  ArrayRef<int64_t> from = before.shape, to = tensor.shape;
  // Where the message speaks of images without their channels, so does the note.
  if (from.size() == 3 && to.size() == 3 &&
      StringRef(what).contains(formatShape(to.drop_front())) &&
      !StringRef(what).contains(formatShape(to))) {
    from = from.drop_front();
    to = to.drop_front();
  }
  report.note(tensor.range, what + " comes from '" + tensor.name + "' here (" + formatShape(from) +
                                " -> " + formatShape(to) + ")");
}

void Elaborator::reportProblem(const LayerDef &layer, const LayerProblem &problem,
                               ArrayRef<Argument> arguments, ArrayRef<Value> inputs,
                               SMRange range) {
  const Argument *argument =
      problem.arg.empty() ? nullptr : findArgument(layer, arguments, problem.arg);
  auto report = error(argument ? argument->range : range, problem.message);
  if (argument)
    noteValue(report, argument->value, boundCall.origins.lookup(problem.arg), boundCall.scope);
  if (problem.input >= 0 && problem.input < static_cast<int>(inputs.size()))
    noteOrigin(report, problem, inputs[problem.input]);
  report.hint(problem.hint);
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

std::optional<std::string> Elaborator::takeName(StringRef stem, SMRange range) {
  std::string name;
  if (label) {
    name = label->text;
    range = label->range;
    label.reset();
    // A label counts, so that a second, unlabelled conv is conv2 beside one labelled conv1.
    if (!stem.empty())
      ++path->ordinals[stem];
  } else {
    do
      name = (stem + Twine(++path->ordinals[stem])).str();
    while (path->taken.contains(name));
  }
  auto [entry, inserted] = path->taken.try_emplace(name, range);
  if (inserted)
    return path->prefix + name;
  auto taken = error(range, "the name '" + name + "' is taken");
  taken.note(entry->second, "by the layer here");
  bool inLoop = entry->second.Start == range.Start; // the same call for the second time
  taken.hint("labels are unique within a block" +
             (inLoop ? Twine("; in a loop, make them so: \"" + name + "{i}\"") : Twine()));
  return std::nullopt;
}

/// The parameter that a layer or declaration needs next: a new one, or where a shared layer is used
/// again, the one that its first use made.
std::optional<unsigned> Elaborator::takeParam(GraphParam param, SharedLayer *shared) {
  if (!shared) {
    graph->params.push_back(std::move(param));
    return graph->params.size() - 1;
  }
  if (shared->uses == 0) {
    std::optional<unsigned> made = takeParam(std::move(param), shared->outer);
    if (made)
      shared->params.push_back(*made);
    return made;
  }
  if (shared->taken == shared->params.size()) {
    error(shared->use, "layer '" + shared->name + "' needs the parameter '" + param.spec.name +
                           "' here, which its first use did not need")
        .note(shared->firstUse, "its first use is here");
    return std::nullopt;
  }
  unsigned index = shared->params[shared->taken++];
  const GraphParam &first = graph->params[index];
  if (first.spec.name == param.spec.name && first.spec.shape == param.spec.shape)
    return index;
  error(shared->use,
        "layer '" + shared->name + "' has a " + first.spec.name + " of " +
            formatShape(first.spec.shape) + "; here it would need " +
            (first.spec.name == param.spec.name ? "" : "a " + param.spec.name + " of ") +
            formatShape(param.spec.shape))
      .note(shared->firstUse, "its first use is here");
  return std::nullopt;
}

bool Elaborator::addParams(GraphNode &node, const LayerShape &shape, SMRange range,
                           ArrayRef<Argument> arguments, ArrayRef<Value> inputs) {
  for (const mlir::cnn::ParamSpec &spec : shape.params) {
    std::string name = node.path + "." + spec.name.str();
    if (!checkSize(spec.shape, "parameter '" + name + "'", range, arguments, inputs))
      return false;
    std::optional<unsigned> param = takeParam({name, spec, range, std::nullopt}, sharing);
    if (!param)
      return false;
    node.params.push_back(*param);
  }
  return true;
}

Value Elaborator::callLayer(const LayerDef &layer, ArrayRef<Argument> arguments, Scope *scope,
                            ArrayRef<Value> inputs, SMRange range) {
  if (!graph) {
    error(range, "a layer cannot be used outside of a net");
    return Value();
  }
  GraphNode node;
  llvm::StringMap<Value> tensors;
  if (!bindLayerArguments(layer, arguments, scope, range, node.arguments, tensors))
    return Value();
  if (llvm::any_of(inputs, [](const Value &input) { return input.isPoison(); })) {
    if (!sharing)
      takeName(layer.stem, range); // those behind it keep their names
    return Value();
  }
  bool enough =
      layer.isVariadic ? inputs.size() >= layer.numInputs : inputs.size() == layer.numInputs;
  if (!enough) {
    error(range, "'" + layer.name + "' takes " + (layer.isVariadic ? "at least " : "") +
                     Twine(layer.numInputs) + " tensor" + (layer.numInputs == 1 ? "" : "s") +
                     ", not " + Twine(inputs.size()))
        .hint(layer.numInputs == 2 ? "write " + layer.name + "(a, b)" : Twine());
    return Value();
  }
  for (const Value &input : inputs) {
    Value operand = layer.takesIntegers ? input : toNumbers(input);
    if (operand.isPoison())
      return Value();
    node.operands.push_back(operand.integer);
  }
  return finishNode(layer, std::move(node), arguments, inputs, range, tensors);
}

/// The shape of a sample that a layer of fixed rank sees: of a tensor without a batch the last
/// extents, or all with ones in front.
static mlir::cnn::Shape toSample(const LayerDef &layer, const GraphTensor &tensor) {
  mlir::cnn::Shape shape = tensor.shape;
  if (tensor.batched || layer.sampleRank == 0)
    return shape;
  unsigned rank = getSampleRank(layer, shape.size());
  if (layer.leastRank && shape.size() >= layer.leastRank)
    while (shape.size() < rank)
      shape.insert(shape.begin(), 1);
  if (shape.size() > rank)
    shape.erase(shape.begin(), shape.end() - rank);
  return shape;
}

Value Elaborator::finishNode(const LayerDef &layer, GraphNode node, ArrayRef<Argument> arguments,
                             ArrayRef<Value> inputs, SMRange range,
                             const llvm::StringMap<Value> &tensors) {
  node.layer = &layer;
  node.range = range;
  node.use = currentUse;
  llvm::SmallVector<mlir::cnn::Shape> shapes;
  bool batched = false;
  int64_t batch = 0;
  for (unsigned operand : node.operands) {
    shapes.push_back(toSample(layer, graph->tensors[operand]));
    batched |= graph->tensors[operand].batched;
    batch = std::max(batch, graph->tensors[operand].batch);
  }
  LayerProblem problem;
  mlir::FailureOr<LayerShape> shape = layer.infer(shapes, node.arguments, problem);
  if (mlir::failed(shape)) {
    reportProblem(layer, problem, arguments, inputs, range);
    return Value();
  }
  if (!giveParams(node, *shape, tensors, range))
    return Value();
  if (graph->nodes.size() >= maxNodes) {
    error(range, "net '" + graph->net + "' has more than " + Twine(maxNodes) + " layers");
    aborted = true;
    return Value();
  }
  std::optional<std::string> name;
  if (sharing && sharing->isCall)
    // The first use bears the layer's name, further ones a number behind it.
    name = sharing->prefix + sharing->name +
           (sharing->uses ? "." + std::to_string(sharing->uses + 1) : "");
  else
    name = takeName(layer.stem, range);
  if (!name)
    return Value();
  node.path = *name;
  node.flops = shape->flops;
  if (!batched && layer.sampleRank && !node.operands.empty()) {
    // The dimensions before the sample's come back, the ones that were put before it go.
    ArrayRef<int64_t> whole = graph->tensors[node.operands[0]].shape;
    unsigned rank = getSampleRank(layer, whole.size());
    if (whole.size() > rank)
      shape->output.insert(shape->output.begin(), whole.begin(), whole.end() - rank);
    else
      shape->output.erase(shape->output.begin(), shape->output.begin() + (rank - whole.size()));
  }
  if (!checkSize(shape->output, "the output of '" + node.path + "'", range, arguments, inputs) ||
      !addParams(node, *shape, range, arguments, inputs))
    return Value();
  node.result = graph->tensors.size();
  graph->tensors.push_back({shape->output, static_cast<int>(graph->nodes.size()), node.path, range,
                            batched, batch, shape->integer});
  graph->nodes.push_back(std::move(node));
  return Value::makeTensor(graph->nodes.back().result, range);
}
