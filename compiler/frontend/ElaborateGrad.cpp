// `grad(loss, k)`: nodes of the graph that reverse mode expands when the test is emitted.
#include "compiler/frontend/ElaborateImpl.h"

#include "llvm/ADT/STLExtras.h"

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

/// grad(loss, k), or grad(loss, (a, b)), which are several.
Value Elaborator::evaluateGradient(const CallExpr &expr, ArrayRef<Value> values) {
  if (!test) {
    error(expr.range, "'grad' belongs in a test, not in a net or block")
        .hint("a net is trained by a recipe: train NAME = NET { ... }");
    return Value();
  }
  bool several =
      values.size() == 2 && (values[1].is(Value::Kind::Tuple) ||
                             (values[1].is(Value::Kind::List) && holdsTensor(values[1])));
  Values sources;
  if (several)
    sources.append(values[1].elements->begin(), values[1].elements->end());
  else
    sources.append(values.begin() + 1, values.end());
  bool valid = values.size() == 2 && values[0].is(Value::Kind::Tensor);
  for (Value &source : sources) {
    // A list is the tensor that it became where it was computed with.
    if (auto found = tensorsOfLists.find(source.elements.get()); found != tensorsOfLists.end())
      source = found->second.second;
    valid &= source.is(Value::Kind::Tensor);
  }
  if (!valid) {
    bool isList = values.size() == 2 && values[0].is(Value::Kind::Tensor);
    error(isList ? expr.arguments[1].range : expr.range,
          "'grad' takes a loss and a tensor that it depends on, as in grad(loss, k), or several, "
          "as in grad(loss, (a, b))")
        .hint(isList && values[1].is(Value::Kind::List) && isa<NameExpr>(expr.arguments[1].value)
                  ? "no tensor was made of this list here; declare it as one: var " +
                        printed(expr.arguments[1].value) + " = ..."
                  : "");
    return Value();
  }
  unsigned loss = values[0].integer;
  if (countElements(graph->tensors[loss].shape) != 1) {
    error(expr.arguments[0].range, "the gradient is that of a single number, not of a tensor of " +
                                       formatShape(graph->tensors[loss].shape))
        .hint("sum(...) makes one of it");
    return Value();
  }
  std::vector<Value> gradients;
  for (const Value &source : sources) {
    gradients.push_back(makeGradient(loss, source.integer, expr, expr.arguments[1].range));
    if (gradients.back().isPoison())
      return Value();
  }
  return several ? Value::makeList(Value::Kind::Tuple, std::move(gradients), expr.range)
                 : gradients.front();
}

/// A node whose operands are the loss and the tensor by which it is differentiated.
Value Elaborator::makeGradient(unsigned loss, unsigned source, const CallExpr &expr,
                               SMRange sourceRange) {
  // Nodes that depend on the source, and of those, the ones that the loss depends on.
  tagNodes(graph->nodes.size());
  llvm::DenseSet<unsigned> dependent = {source}, wanted = {loss};
  int param = graph->tensors[source].param;
  for (auto [index, tensor] : llvm::enumerate(graph->tensors))
    if (param >= 0 && tensor.param == param)
      dependent.insert(index);
  auto depends = [&](unsigned tensor) { return dependent.contains(tensor); };
  for (const GraphNode &node : graph->nodes)
    if (llvm::any_of(node.operands, depends) ||
        llvm::any_of(node.given, [&](auto &given) { return depends(given.second); }) ||
        (param >= 0 && llvm::is_contained(node.params, static_cast<unsigned>(param))))
      dependent.insert(node.result);
  if (!dependent.contains(loss)) {
    error(expr.arguments[0].range,
          "the loss does not depend on the tensor that it is differentiated by")
        .note(sourceRange, "this tensor");
    return Value();
  }
  for (unsigned i = graph->nodes.size(); i-- > 0;) {
    const GraphNode &node = graph->nodes[i];
    if (!wanted.contains(node.result))
      continue;
    wanted.insert(node.operands.begin(), node.operands.end());
    for (auto [place, tensor] : node.given)
      wanted.insert(tensor);
    if (!dependent.contains(node.result) || node.result == source ||
        test->program->pieceOfNode[i] == test->piece)
      continue;
    error(expr.range, "this gradient reaches back to before a loop or 'if' that changes variables")
        .note(node.range, "this is computed before it")
        .hint("compute the loss beside its gradient");
    return Value();
  }
  std::optional<std::string> name = takeName("grad", expr.range);
  if (!name)
    return Value();
  GraphNode node;
  node.gradient = true;
  node.path = *name;
  node.operands = {loss, source};
  node.range = expr.range;
  node.use = currentUse;
  node.result = graph->tensors.size();
  GraphTensor result;
  result.shape = graph->tensors[source].shape;
  result.node = graph->nodes.size();
  result.name = *name;
  result.range = expr.range;
  result.batched = false;
  graph->tensors.push_back(std::move(result));
  graph->nodes.push_back(std::move(node));
  return Value::makeTensor(graph->nodes.back().result, expr.range);
}
