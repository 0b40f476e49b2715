// Walks the graph once and calls each layer's builder. Every operation is located at its place in
// the .cnn file under the name of its layer: loc("conv1"("lenet.cnn":13:8)).
//
//   module @lenet { cnn.param @conv1.weight ...; func.func @lenet(%image) { cnn.read, layers,
//   return } }
#include "compiler/frontend/Emit.h"

#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"

using namespace cnn;
using llvm::StringRef;
using llvm::Twine;

namespace {

class Emitter {
public:
  Emitter(mlir::MLIRContext &context, const Graph &graph, const Recipe *recipe, int64_t batch,
          mlir::Type element, Diagnostics &diagnostics)
      : builder(&context), graph(graph), recipe(recipe), batch(batch), element(element),
        diagnostics(diagnostics) {}

  mlir::OwningOpRef<mlir::ModuleOp> run();

private:
  mlir::Location locate(llvm::SMRange range, StringRef name);
  mlir::RankedTensorType batched(const GraphTensor &tensor);
  bool checkSizes();
  bool checkLoss();
  void emitParams();
  void emitRecipe();
  void emitNet();

  mlir::OpBuilder builder;
  const Graph &graph;
  const Recipe *recipe;
  int64_t batch;
  mlir::Type element;
  Diagnostics &diagnostics;
};

mlir::Location Emitter::locate(llvm::SMRange range, StringRef name) {
  SourcePosition place = diagnostics.position(range.Start);
  mlir::Location file = builder.getUnknownLoc();
  if (place.line)
    file = mlir::FileLineColLoc::get(builder.getContext(), place.file, place.line, place.column);
  return mlir::NameLoc::get(builder.getStringAttr(name), file);
}

mlir::RankedTensorType Emitter::batched(const GraphTensor &tensor) {
  llvm::SmallVector<int64_t> shape = {batch};
  llvm::append_range(shape, tensor.shape);
  return mlir::RankedTensorType::get(shape, element);
}

bool Emitter::checkSizes() {
  unsigned bytes = element.getIntOrFloatBitWidth() / 8;
  for (const GraphTensor &tensor : graph.tensors)
    if (std::optional<std::string> problem = describeOversize(batched(tensor).getShape(), bytes)) {
      diagnostics.error(tensor.range,
                        "at a batch of " + Twine(batch) + ", '" + tensor.name + "' " + *problem);
      return false;
    }
  return true;
}

bool Emitter::checkLoss() {
  if (!recipe)
    return true;
  const GraphTensor &output = graph.tensors[graph.outputs.front()];
  if (graph.outputs.size() == 1 && output.shape.size() == 1)
    return true;
  std::string actual = graph.outputs.size() > 1
                           ? std::to_string(graph.outputs.size()) + " outputs"
                           : "an output of " + mlir::cnn::formatShape(output.shape);
  auto error =
      diagnostics.error(recipe->range, "recipe '" + recipe->name + "' cannot train net '" +
                                           graph.net + "': " + recipe->loss +
                                           " takes one number per class, the net has " + actual);
  error.note(output.range, "the output is '" + output.name + "' here");
  if (graph.outputs.size() == 1)
    error.hint("end the net with flatten -> linear(classes)");
  return false;
}

void Emitter::emitParams() {
  for (const GraphParam &param : graph.params) {
    const mlir::cnn::ParamSpec &spec = param.spec;
    StringRef kind = spec.initial                      ? StringRef("constant")
                     : spec.name == "weight" && recipe ? StringRef(recipe->init)
                                                       : StringRef("pytorch_default");
    mlir::FloatAttr value;
    if (spec.initial)
      value = builder.getF64FloatAttr(*spec.initial);
    auto init =
        mlir::cnn::InitAttr::get(builder.getContext(), kind, spec.fanIn, spec.fanOut, value);
    auto type = mlir::RankedTensorType::get(spec.shape, element);
    mlir::cnn::ParamOp::create(builder, locate(param.range, param.name), param.name, type,
                               spec.running ? "running" : "parameter", init);
  }
}

void Emitter::emitRecipe() {
  // A recipe may be called like the net, and both are symbols here.
  std::string symbol = recipe->name + (recipe->name == graph.net ? ".recipe" : "");
  mlir::cnn::RecipeOp::create(builder, locate(recipe->range, recipe->name), symbol,
                              recipe->net, recipe->loss, recipe->optimizer.kind,
                              recipe->optimizer.momentum != 0, recipe->optimizer.weightDecay != 0,
                              recipe->optimizer.nesterov);
}

void Emitter::emitNet() {
  llvm::SmallVector<mlir::Type> inputTypes, outputTypes;
  for (unsigned input : graph.inputs)
    inputTypes.push_back(batched(graph.tensors[input]));
  for (unsigned output : graph.outputs)
    outputTypes.push_back(batched(graph.tensors[output]));
  mlir::Location place = locate(graph.range, graph.net);
  auto function = mlir::func::FuncOp::create(builder, place, graph.net,
                                             builder.getFunctionType(inputTypes, outputTypes));
  mlir::Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);

  std::vector<mlir::Value> values(graph.tensors.size()), params(graph.params.size());
  for (auto [i, input] : llvm::enumerate(graph.inputs)) {
    const GraphTensor &tensor = graph.tensors[input];
    values[input] = body->getArgument(i);
    values[input].setLoc(locate(tensor.range, tensor.name));
    function.setArgAttr(i, "cnn.name", builder.getStringAttr(tensor.name));
  }
  for (auto [i, name] : llvm::enumerate(graph.outputNames))
    function.setResultAttr(i, "cnn.name", builder.getStringAttr(name));

  for (const GraphNode &node : graph.nodes) {
    mlir::Location location = locate(node.range, node.path);
    llvm::SmallVector<mlir::Value> operands, weights;
    for (unsigned operand : node.operands)
      operands.push_back(values[operand]);
    for (unsigned index : node.params) {
      const GraphParam &param = graph.params[index];
      if (!params[index])
        params[index] = mlir::cnn::ReadOp::create(
            builder, locate(param.range, param.name),
            mlir::RankedTensorType::get(param.spec.shape, element), param.name);
      weights.push_back(params[index]);
    }
    values[node.result] = node.layer->build(builder, location, operands, weights, node.arguments);
  }
  llvm::SmallVector<mlir::Value> outputs;
  for (unsigned output : graph.outputs)
    outputs.push_back(values[output]);
  mlir::func::ReturnOp::create(builder, place, outputs);
}

mlir::OwningOpRef<mlir::ModuleOp> Emitter::run() {
  if (!checkLoss() || !checkSizes())
    return nullptr;
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::ModuleOp::create(builder, locate(graph.range, graph.net), graph.net);
  (*module)->setAttr("cnn.phase", builder.getStringAttr("cnn"));
  builder.setInsertionPointToEnd(module->getBody());
  emitParams();
  if (recipe)
    emitRecipe();
  emitNet();
  // The verifiers speak through the context's handler; what they find is a mistake of ours.
  if (mlir::failed(mlir::verify(*module)))
    return nullptr;
  return module;
}

} // namespace

mlir::OwningOpRef<mlir::ModuleOp> cnn::emit(mlir::MLIRContext &context, const Graph &graph,
                                            const Recipe *recipe, const EmitOptions &options,
                                            Diagnostics &diagnostics) {
  int64_t batch = options.batch ? options.batch : recipe ? recipe->batch : 1;
  StringRef type = !options.elementType.empty() ? StringRef(options.elementType)
                   : recipe                     ? StringRef(recipe->dtype)
                                                : StringRef("f32");
  mlir::Builder builder(&context);
  mlir::Type element = type == "f64" ? mlir::Type(builder.getF64Type()) : builder.getF32Type();
  return Emitter(context, graph, recipe, batch, element, diagnostics).run();
}
