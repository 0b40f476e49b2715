// Walks the graph once and calls each layer's builder. Every operation is located at its place in
// the .cnn file under the name of its layer: loc("conv1"("lenet.cnn":13:8)).
//
//   module @lenet { cnn.param @conv1.weight ...; func.func @lenet(%image) { cnn.read, layers,
//   return } }
#include "compiler/frontend/Emit.h"

#include "compiler/transforms/ReverseMode.h"
#include "dialect/CnnDialect.h"
#include "dialect/Loss.h"
#include "dialect/Recompute.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"

using namespace cnn;
using llvm::StringRef;
using llvm::Twine;

namespace {

mlir::RankedTensorType getType(const GraphTensor &tensor, int64_t batch, mlir::Type element) {
  llvm::SmallVector<int64_t> shape = {!tensor.batched ? 1 : tensor.batch ? tensor.batch : batch};
  llvm::append_range(shape, tensor.shape);
  if (tensor.integer)
    element = mlir::IntegerType::get(element.getContext(), 32);
  return mlir::RankedTensorType::get(shape, element);
}

mlir::Value reshape(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
                    llvm::ArrayRef<int64_t> shape) {
  auto type = mlir::cast<mlir::RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  return mlir::cnn::ReshapeOp::create(
      builder, loc, mlir::RankedTensorType::get(shape, type.getElementType()), value);
}

/// A tensor without a batch, once for every sample.
mlir::Value repeat(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value, int64_t batch) {
  auto type = mlir::cast<mlir::RankedTensorType>(value.getType());
  if (type.getDimSize(0) == batch)
    return value;
  llvm::SmallVector<int64_t> sizes(type.getShape());
  sizes[0] = batch;
  auto identity = mlir::AffineMap::getMultiDimIdentityMap(sizes.size(), builder.getContext());
  llvm::SmallVector<mlir::AffineExpr> exprs(identity.getResults());
  exprs[0] = builder.getAffineConstantExpr(0);
  return mlir::cnn::GenericOp::make(
             builder, loc, mlir::RankedTensorType::get(sizes, type.getElementType()), value, sizes,
             sizes.size(), "none",
             {mlir::AffineMap::get(sizes.size(), 0, exprs, builder.getContext()), identity},
             /*scatter=*/false, /*positions=*/false,
             [](mlir::OpBuilder &, mlir::ValueRange elements, mlir::ValueRange) {
               return elements[0];
             })
      .getResult();
}

/// The operands of a node as its layer takes them.
llvm::SmallVector<mlir::Value> prepareOperands(mlir::OpBuilder &builder, mlir::Location loc,
                                               const Graph &graph, const GraphNode &node,
                                               llvm::ArrayRef<mlir::Value> values, int64_t batch) {
  llvm::SmallVector<mlir::Value> operands;
  bool batched = graph.tensors[node.result].batched;
  if (int64_t samples = graph.tensors[node.result].batch)
    batch = samples;
  for (unsigned index : node.operands) {
    const GraphTensor &tensor = graph.tensors[index];
    mlir::Value value = values[index];
    unsigned rank = mlir::cnn::getSampleRank(*node.layer, tensor.shape.size());
    if (batched && !tensor.batched && !node.layer->mixesBatch) {
      value = repeat(builder, loc, value, batch);
    } else if (!tensor.batched && node.layer->sampleRank) {
      // The leading dimensions are the batch.
      llvm::SmallVector<int64_t> sample(tensor.shape.begin(), tensor.shape.end());
      while (sample.size() < rank)
        sample.insert(sample.begin(), 1);
      int64_t count = 1;
      for (int64_t extent : llvm::ArrayRef(sample).drop_back(rank))
        count *= extent;
      llvm::SmallVector<int64_t> shape = {count};
      llvm::append_range(shape, llvm::ArrayRef(sample).take_back(rank));
      value = reshape(builder, loc, value, shape);
    }
    operands.push_back(value);
  }
  return operands;
}

class Emitter {
public:
  Emitter(mlir::MLIRContext &context, const Graph &graph, const Recipe *recipe, int64_t batch,
          mlir::Type element, Diagnostics &diagnostics)
      : builder(&context), graph(graph), recipe(recipe), batch(batch), element(element),
        diagnostics(diagnostics) {}

  mlir::OwningOpRef<mlir::ModuleOp> run();

private:
  mlir::Location locate(llvm::SMRange range, StringRef name) {
    return cnn::locate(builder, range, name, diagnostics);
  }
  mlir::RankedTensorType batched(const GraphTensor &tensor) {
    return getType(tensor, batch, element);
  }
  bool checkSizes();
  bool checkLoss();
  mlir::DictionaryAttr getLossArgs();
  void emitRecipe();
  void emitRecompute();
  void emitNet();

  mlir::OpBuilder builder;
  const Graph &graph;
  const Recipe *recipe;
  int64_t batch;
  mlir::Type element;
  Diagnostics &diagnostics;
};

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

/// The hyperparameters of the loss that are not the default, or null.
mlir::DictionaryAttr Emitter::getLossArgs() {
  llvm::SmallVector<mlir::NamedAttribute> changed;
  for (const mlir::cnn::LayerArg &arg : mlir::cnn::findLoss(recipe->loss)->args) {
    double value = recipe->lossArgs.getFloat(arg.name);
    if (value != std::get<double>(*arg.defaultValue))
      changed.push_back(builder.getNamedAttr(arg.name, builder.getF64FloatAttr(value)));
  }
  return changed.empty() ? mlir::DictionaryAttr() : builder.getDictionaryAttr(changed);
}

void Emitter::emitRecipe() {
  // A recipe may be called like the net, and both are symbols here.
  std::string symbol = recipe->name + (recipe->name == graph.net ? ".recipe" : "");
  const Optimizer &optimizer = recipe->optimizer;
  auto op =
      mlir::cnn::RecipeOp::create(builder, locate(recipe->range, recipe->name), symbol, recipe->net,
                                  recipe->loss, getLossArgs(), optimizer.def->name);
  for (StringRef flag : optimizer.def->getFlags(optimizer.args))
    op->setAttr(flag, builder.getBoolAttr(true));
}

void Emitter::emitNet() {
  llvm::SmallVector<mlir::Type> inputTypes, outputTypes;
  for (unsigned input : graph.inputs)
    inputTypes.push_back(batched(graph.tensors[input]));
  for (unsigned output : graph.outputs) {
    // An output that does not depend on the batch is given for every sample.
    GraphTensor tensor = graph.tensors[output];
    tensor.batched = true;
    outputTypes.push_back(batched(tensor));
  }
  mlir::Location place = locate(graph.range, graph.net);
  auto function = mlir::func::FuncOp::create(builder, place, graph.net,
                                             builder.getFunctionType(inputTypes, outputTypes));
  mlir::Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);

  for (auto [i, input] : llvm::enumerate(graph.inputs)) {
    const GraphTensor &tensor = graph.tensors[input];
    body->getArgument(i).setLoc(locate(tensor.range, tensor.name));
    function.setArgAttr(i, "cnn.name", builder.getStringAttr(tensor.name));
  }
  for (auto [i, name] : llvm::enumerate(graph.outputNames))
    function.setResultAttr(i, "cnn.name", builder.getStringAttr(name));

  llvm::SmallVector<mlir::Value> outputs =
      emitBody(builder, graph, body->getArguments(), batch, element, diagnostics);
  for (mlir::Value &output : outputs)
    output = repeat(builder, output.getLoc(), output, batch);
  mlir::func::ReturnOp::create(builder, place, outputs);
}

void Emitter::emitRecompute() {
  std::vector<std::string> names = getRecomputed(*recipe, graph);
  if (names.empty())
    return;
  mlir::Operation *module = builder.getInsertionBlock()->getParentOp();
  if (recipe->recompute == mlir::cnn::recomputeCheap)
    module->setAttr(mlir::cnn::recomputeAttr, builder.getStringAttr(mlir::cnn::recomputeCheap));
  else
    module->setAttr(mlir::cnn::recomputeAttr, builder.getStrArrayAttr(llvm::SmallVector<StringRef>(
                                                  names.begin(), names.end())));
}

mlir::OwningOpRef<mlir::ModuleOp> Emitter::run() {
  if (!checkLoss() || !checkSizes() || (recipe && !checkRecompute(*recipe, graph, diagnostics)))
    return nullptr;
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::ModuleOp::create(builder, locate(graph.range, graph.net), graph.net);
  (*module)->setAttr("cnn.phase", builder.getStringAttr("cnn"));
  builder.setInsertionPointToEnd(module->getBody());
  emitParams(builder, graph, recipe, element, diagnostics);
  if (recipe)
    emitRecipe();
  if (recipe && recipe->precision > 0)
    (*module)->setAttr("cnn.precision", builder.getF64FloatAttr(recipe->precision));
  if (recipe)
    emitRecompute();
  emitNet();
  // The verifiers speak through the context's handler; what they find is a mistake of ours.
  if (mlir::failed(mlir::verify(*module)))
    return nullptr;
  return module;
}

} // namespace

mlir::Location cnn::locate(mlir::OpBuilder &builder, llvm::SMRange range, StringRef name,
                           const Diagnostics &diagnostics) {
  SourcePosition place = diagnostics.position(range.Start);
  mlir::Location file = builder.getUnknownLoc();
  if (place.line)
    file = mlir::FileLineColLoc::get(builder.getContext(), place.file, place.line, place.column);
  return mlir::NameLoc::get(builder.getStringAttr(name), file);
}

void cnn::emitParams(mlir::OpBuilder &builder, const Graph &graph, const Recipe *recipe,
                     mlir::Type element, const Diagnostics &diagnostics) {
  auto number = [&](double value) { return builder.getF64FloatAttr(value); };
  for (const GraphParam &param : graph.params) {
    const mlir::cnn::ParamSpec &spec = param.spec;
    ParamInit init{spec.initial ? "constant" : "pytorch_default", spec.initial.value_or(0)};
    if (!spec.initial && spec.name == "weight" && recipe)
      init = recipe->init.def->start(recipe->init.args, spec.fanIn, spec.fanOut);
    if (param.init)
      init = *param.init;
    bool two = init.kind == "uniform" || init.kind == "normal";
    bool given = two || init.kind == "constant"; // by numbers, not by the shape
    auto attribute = mlir::cnn::InitAttr::get(builder.getContext(), init.kind,
                                              given ? 0 : spec.fanIn, given ? 0 : spec.fanOut,
                                              given ? number(init.value) : mlir::FloatAttr(),
                                              two ? number(init.second) : mlir::FloatAttr());
    auto type = mlir::RankedTensorType::get(spec.shape, element);
    mlir::cnn::ParamOp::create(builder, locate(builder, param.range, param.name, diagnostics),
                               param.name, type, spec.running ? "running" : "parameter", attribute);
  }
}

/// The gradient of the first operand of `node` for the second. What the former was computed from
/// stands before the builder in its block.
static mlir::Value emitGradient(mlir::OpBuilder &builder, mlir::Location location, mlir::Value loss,
                                mlir::Value source) {
  auto type = mlir::cast<mlir::RankedTensorType>(loss.getType());
  mlir::Value one =
      mlir::cnn::ConstantOp::create(builder, location, type, builder.getF64FloatAttr(1.0));
  mlir::cnn::ReverseModeCounts counts;
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> gradients =
      mlir::cnn::buildGradients(builder, *builder.getBlock(), {{loss, one}}, source, counts);
  if (mlir::failed(gradients))
    return nullptr;
  if (gradients->front())
    return gradients->front();
  return mlir::cnn::ConstantOp::create(builder, location, source.getType(),
                                       builder.getF64FloatAttr(0.0));
}

llvm::SmallVector<mlir::Value> cnn::emitBody(mlir::OpBuilder &builder, const Graph &graph,
                                             mlir::ValueRange inputs, int64_t batch,
                                             mlir::Type element, const Diagnostics &diagnostics) {
  std::vector<mlir::Value> values(graph.tensors.size()), params(graph.params.size());
  auto readParam = [&](unsigned index) {
    const GraphParam &param = graph.params[index];
    if (!params[index])
      params[index] = mlir::cnn::ReadOp::create(
          builder, locate(builder, param.range, param.name, diagnostics),
          mlir::RankedTensorType::get(param.spec.shape, element), param.name);
    return params[index];
  };
  for (auto [index, input] : llvm::zip(graph.inputs, inputs))
    values[index] = input;
  for (auto [index, tensor] : llvm::enumerate(graph.tensors))
    if (tensor.param >= 0) {
      mlir::Value read = readParam(tensor.param);
      values[index] =
          reshape(builder, read.getLoc(), read, getType(tensor, batch, element).getShape());
    }
  for (const GraphNode &node : graph.nodes) {
    mlir::Location location = locate(builder, node.range, node.path, diagnostics);
    if (node.gradient) {
      // The parameter itself, not its copy with a leading extent.
      int param = graph.tensors[node.operands[1]].param;
      mlir::Value gradient = emitGradient(builder, location, values[node.operands[0]],
                                          param >= 0 ? readParam(param) : values[node.operands[1]]);
      if (!gradient)
        return {};
      values[node.result] = reshape(builder, location, gradient,
                                    getType(graph.tensors[node.result], batch, element).getShape());
      continue;
    }
    if (!node.layer) {
      values[node.result] = reshape(builder, location, values[node.operands[0]],
                                    getType(graph.tensors[node.result], batch, element).getShape());
      continue;
    }
    llvm::SmallVector<mlir::Value> weights;
    for (unsigned index : node.params)
      weights.push_back(readParam(index));
    // Those that the call gave stand among them at the layer's places, without the leading 1.
    for (auto [place, index] : node.given)
      weights.insert(
          weights.begin() + place,
          reshape(
              builder, location, values[index],
              mlir::cast<mlir::RankedTensorType>(values[index].getType()).getShape().drop_front()));
    llvm::SmallVector<mlir::Value> operands =
        prepareOperands(builder, location, graph, node, values, batch);
    mlir::cnn::LayerArgs arguments = node.arguments;
    arguments.setElementType(element);
    mlir::Value value = node.layer->build(builder, location, operands, weights, arguments);
    values[node.result] = reshape(builder, location, value,
                                  getType(graph.tensors[node.result], batch, element).getShape());
  }
  llvm::SmallVector<mlir::Value> outputs;
  for (unsigned output : graph.outputs)
    outputs.push_back(values[output]);
  return outputs;
}

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
