// cnn-differentiate: from phase `cnn` to `grad`. In: the function of a network, parameters,
// recipes. Out: the entry points train_step, eval and infer, each with the network's body inlined;
// in train_step also gradients and updates. cnn-decompose is next.

#include "compiler/transforms/LayerName.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/ReverseMode.h"
#include "dialect/CnnDialect.h"
#include "dialect/Loss.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::cnn {
#define GEN_PASS_DEF_DIFFERENTIATEPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

namespace {
/// One entry point while it is built: arguments and results are added one by one, its type is set
/// at the end.
class Entry {
public:
  Entry(ModuleOp module, func::FuncOp net, StringRef name)
      : function(
            func::FuncOp::create(net.getLoc(), name, FunctionType::get(net.getContext(), {}, {}))),
        builder(net.getContext()) {
    module.push_back(function);
    builder.setInsertionPointToEnd(function.addEntryBlock());
  }

  Value addArgument(StringRef name, Type type, Location loc) {
    argumentAttrs.push_back(getNameDict(name));
    return function.front().addArgument(type, renameLoc(loc, name));
  }

  void addResult(const Twine &name, Value value) {
    resultAttrs.push_back(getNameDict(name));
    results.push_back(value);
  }

  void finish() {
    func::ReturnOp::create(builder, function.getLoc(), results);
    eraseDeadOps(function.front());
    function.setFunctionType(builder.getFunctionType(function.front().getArgumentTypes(),
                                                     ValueRange(results).getTypes()));
    function.setAllArgAttrs(argumentAttrs);
    function.setAllResultAttrs(resultAttrs);
  }

  func::FuncOp function;
  OpBuilder builder;

private:
  DictionaryAttr getNameDict(const Twine &name) {
    return builder.getDictionaryAttr(builder.getNamedAttr("cnn.name", builder.getStringAttr(name)));
  }

  SmallVector<DictionaryAttr> argumentAttrs, resultAttrs;
  SmallVector<Value> results;
};

class DifferentiatePass : public mlir::cnn::impl::DifferentiatePassBase<DifferentiatePass> {
public:
  using DifferentiatePassBase::DifferentiatePassBase;

private:
  void runOnOperation() override {
    if (failed(run()))
      signalPassFailure();
  }

  LogicalResult run();
  FailureOr<SmallVector<std::string>> getEntryNames();
  LogicalResult findRecipe();
  LogicalResult findNet();
  LogicalResult checkInputs();
  LogicalResult checkLoss();

  LogicalResult buildTrainStep();
  void buildEval();
  void buildInfer();
  /// Adds the network's inputs to the arguments of the entry.
  SmallVector<Value> addInputs(Entry &entry);
  /// Masks the inputs and inlines the network behind; returns its results.
  SmallVector<Value> inlineNet(Entry &entry, ArrayRef<Value> inputs, Value rows);
  /// Replaces what has another form in the training step; notes the running statistics after it.
  LogicalResult buildTrainingForms(Entry &entry, Value rows, llvm::StringMap<Value> &next);
  Value buildLoss(Entry &entry, Value logits, Value labels, Value rows, bool sum);
  /// Writes the next value of `param`, which it returns, and of what the optimizer keeps for it.
  Value buildUpdate(Entry &entry, ParamOp param, Value old, Value gradient,
                    ArrayRef<Value> scalars);
  /// Declares what the optimizer keeps for every parameter: `<parameter>.velocity`.
  LogicalResult addSlots();

  std::string getInputName(unsigned index) {
    return net.getArgAttrOfType<StringAttr>(index, "cnn.name").str();
  }
  RankedTensorType getLabelsType() {
    return RankedTensorType::get({batch}, IntegerType::get(&getContext(), 32));
  }
  RankedTensorType getRowsType() {
    return RankedTensorType::get({}, IntegerType::get(&getContext(), 32));
  }
  SmallVector<ParamOp> getParams(StringRef kind) {
    return llvm::filter_to_vector(getOperation().getOps<ParamOp>(),
                                  [&](ParamOp param) { return param.getKind() == kind; });
  }

  RecipeOp chosen;
  const OptimizerDef *optimizer = nullptr;
  SmallVector<StringRef> flags; // of the optimizer
  func::FuncOp net;
  int64_t batch = 0;
};
} // namespace

//===--------------------------------------------------------------------------------------------===//
// What there is to differentiate
//===--------------------------------------------------------------------------------------------===//

LogicalResult DifferentiatePass::run() {
  chosen = {};
  net = {};
  FailureOr<SmallVector<std::string>> names = getEntryNames();
  if (failed(names) || failed(findRecipe()) || failed(findNet()) || failed(checkInputs()))
    return failure();
  bool training = llvm::is_contained(*names, "train_step");
  if ((training || llvm::is_contained(*names, "eval")) && failed(checkLoss()))
    return failure();
  if (training) {
    optimizer = findOptimizer(chosen.getOptimizer());
    flags = chosen.getFlags();
    if (failed(addSlots()))
      return failure();
  }
  // The network makes room for the entry points, which may have its name.
  net->remove();
  LogicalResult result = success();
  for (StringRef name : *names) {
    if (Operation *other = getOperation().lookupSymbol(name)) {
      result = other->emitError() << "the name '" << name << "' is that of an entry point";
      break;
    }
    if (name == "train_step")
      result = buildTrainStep();
    else if (name == "eval")
      buildEval();
    else
      buildInfer();
    if (failed(result))
      break;
  }
  net.erase();
  for (RecipeOp used : llvm::make_early_inc_range(getOperation().getOps<RecipeOp>()))
    used.erase();
  return result;
}

FailureOr<SmallVector<std::string>> DifferentiatePass::getEntryNames() {
  SmallVector<std::string> known = {"train_step", "eval", "infer"};
  SmallVector<std::string> names(entries.begin(), entries.end());
  for (const std::string &name : names) {
    if (!llvm::is_contained(known, name))
      return getOperation().emitError()
             << "unknown entry point '" << name << "', expected train_step, eval or infer";
    if (llvm::count(names, name) > 1)
      return getOperation().emitError() << "entry point '" << name << "' is asked for twice";
  }
  return names.empty() ? known : names;
}

LogicalResult DifferentiatePass::findRecipe() {
  for (RecipeOp candidate : getOperation().getOps<RecipeOp>())
    if (recipe.empty() || candidate.getSymName() == recipe) {
      chosen = candidate;
      return success();
    }
  if (recipe.empty())
    return success();
  InFlightDiagnostic error = getOperation().emitError() << "there is no recipe '" << recipe << "'";
  for (RecipeOp candidate : getOperation().getOps<RecipeOp>())
    error.attachNote(candidate.getLoc()) << "a recipe is '" << candidate.getSymName() << "'";
  return error;
}

LogicalResult DifferentiatePass::findNet() {
  ModuleOp module = getOperation();
  if (chosen) {
    net = module.lookupSymbol<func::FuncOp>(chosen.getNet());
    if (!net)
      return chosen.emitError() << "recipe '" << chosen.getSymName() << "' trains '"
                                << chosen.getNet() << "', which is no network of the module";
  } else {
    for (func::FuncOp function : module.getOps<func::FuncOp>())
      if (!net || function.getName() == module.getName())
        net = function;
    if (!net)
      return module.emitError() << "the module has no network";
  }
  if (net.isExternal() || !net.getBody().hasOneBlock())
    return net.emitError() << "network '" << net.getName() << "' must have a body of one block";
  return success();
}

LogicalResult DifferentiatePass::checkInputs() {
  auto fail = [&](const Twine &text) {
    return net.emitError() << "network '" << net.getName() << "': " << text;
  };
  if (net.getNumArguments() == 0)
    return fail("it has no input");
  if (net.getNumResults() == 0)
    return fail("it has no output");
  for (unsigned index = 0; index < net.getNumArguments(); ++index) {
    auto name = net.getArgAttrOfType<StringAttr>(index, "cnn.name");
    if (!name)
      return fail("input " + Twine(index) + " has no cnn.name");
    if (llvm::is_contained(getStepInputs(), name.getValue()))
      return fail("an input cannot be called '" + name.getValue() +
                  "', which is the name of an input of the training step");
    auto type = dyn_cast<RankedTensorType>(net.getArgument(index).getType());
    if (!type || !type.hasStaticShape() || type.getRank() == 0)
      return fail("input '" + name.getValue() + "' must be a tensor of static shape with a batch");
    if (index == 0)
      batch = type.getDimSize(0);
    if (type.getDimSize(0) != batch)
      return fail("input '" + name.getValue() + "' has a batch of " + Twine(type.getDimSize(0)) +
                  ", another one of " + Twine(batch));
  }
  for (unsigned index = 0; index < net.getNumResults(); ++index)
    if (!net.getResultAttrOfType<StringAttr>(index, "cnn.name"))
      return fail("output " + Twine(index) + " has no cnn.name");
  return success();
}

LogicalResult DifferentiatePass::checkLoss() {
  if (!chosen)
    return net.emitError() << "network '" << net.getName() << "' has no recipe to train it by";
  auto type = dyn_cast<RankedTensorType>(net.getResultTypes()[0]);
  if (net.getNumResults() != 1 || !type || type.getRank() != 2 || type.getDimSize(0) != batch) {
    InFlightDiagnostic error = chosen.emitError()
                               << "loss '" << chosen.getLoss() << "' needs a network with one "
                               << "output [batch, classes]";
    error.attachNote(net.getLoc())
        << "network '" << net.getName() << "' has " << net.getNumResults()
        << (net.getNumResults() == 1 ? " output, " : " outputs, ") << "the first of type "
        << net.getResultTypes()[0];
    return error;
  }
  return success();
}

LogicalResult DifferentiatePass::addSlots() {
  SmallVector<ParamOp> params = getParams("parameter");
  SmallVector<StringRef> slots = optimizer->slots(flags);
  if (params.empty() || slots.empty())
    return success();
  OpBuilder builder(&getContext());
  builder.setInsertionPointAfter(params.back());
  auto zeros = InitAttr::get(&getContext(), "constant", 0, 0, builder.getF64FloatAttr(0.0));
  for (ParamOp param : params)
    for (StringRef slot : slots) {
      std::string name = (param.getSymName() + "." + slot).str();
      if (Operation *other = getOperation().lookupSymbol(name))
        return other->emitError() << "the name '" << name << "' is that of optimizer state";
      ParamOp::create(builder, renameLoc(param.getLoc(), name), builder.getStringAttr(name),
                      param.getTypeAttr(), builder.getStringAttr("optimizer"), zeros);
    }
  return success();
}

//===--------------------------------------------------------------------------------------------===//
// Entry points
//===--------------------------------------------------------------------------------------------===//

SmallVector<Value> DifferentiatePass::addInputs(Entry &entry) {
  SmallVector<Value> inputs;
  for (BlockArgument input : net.getArguments())
    inputs.push_back(
        entry.addArgument(getInputName(input.getArgNumber()), input.getType(), input.getLoc()));
  return inputs;
}

SmallVector<Value> DifferentiatePass::inlineNet(Entry &entry, ArrayRef<Value> inputs, Value rows) {
  IRMapping mapping;
  for (auto [argument, input] : llvm::zip(net.getArguments(), inputs))
    mapping.map(argument, MaskRowsOp::create(entry.builder, input.getLoc(), input, rows));
  Block &body = net.front();
  for (Operation &op : body.without_terminator())
    if (auto all = dyn_cast<AllRowsOp>(op); all && all.getCountAttr().getInt() == batch)
      mapping.map(all.getResult(), rows);
    else
      entry.builder.clone(op, mapping);
  SmallVector<Value> results;
  for (Value result : body.getTerminator()->getOperands())
    results.push_back(mapping.lookupOrDefault(result));
  return results;
}

Value DifferentiatePass::buildLoss(Entry &entry, Value logits, Value labels, Value rows, bool sum) {
  const LossDef *loss = findLoss(chosen.getLoss());
  LayerArgs args = getDefaults(*loss);
  if (DictionaryAttr given = chosen.getLossArgsAttr())
    for (NamedAttribute arg : given)
      args.set(arg.getName(), cast<FloatAttr>(arg.getValue()).getValueAsDouble());
  return loss->build(entry.builder, renameLoc(chosen.getLoc(), "loss"), logits, labels, rows, sum,
                     args);
}

void DifferentiatePass::buildInfer() {
  Entry entry(getOperation(), net, "infer");
  SmallVector<Value> inputs = addInputs(entry);
  Value rows = entry.addArgument("rows", getRowsType(), net.getLoc());
  SmallVector<Value> results = inlineNet(entry, inputs, rows);
  // One result is called as in `eval`, whatever layer it comes from.
  for (auto [index, result] : llvm::enumerate(results))
    entry.addResult(results.size() == 1
                        ? "logits"
                        : net.getResultAttrOfType<StringAttr>(index, "cnn.name").getValue(),
                    result);
  entry.finish();
}

void DifferentiatePass::buildEval() {
  Entry entry(getOperation(), net, "eval");
  SmallVector<Value> inputs = addInputs(entry);
  Value labels = entry.addArgument("labels", getLabelsType(), chosen.getLoc());
  Value rows = entry.addArgument("rows", getRowsType(), chosen.getLoc());
  Value logits = inlineNet(entry, inputs, rows)[0];
  entry.addResult("loss_sum", buildLoss(entry, logits, labels, rows, /*sum=*/true));
  entry.addResult("logits", logits);
  entry.finish();
}

LogicalResult DifferentiatePass::buildTrainStep() {
  Entry entry(getOperation(), net, "train_step");
  OpBuilder &builder = entry.builder;
  SmallVector<Value> inputs = addInputs(entry);
  Value labels = entry.addArgument("labels", getLabelsType(), chosen.getLoc());
  Value rows = entry.addArgument("rows", getRowsType(), chosen.getLoc());
  auto scalar = RankedTensorType::get({}, getElementTypeOrSelf(net.getResultTypes()[0]));
  SmallVector<Value> scalars;
  for (StringRef name : optimizer->scalars(flags))
    scalars.push_back(entry.addArgument(name, scalar, chosen.getLoc()));

  Value logits = inlineNet(entry, inputs, rows)[0];
  Value loss = buildLoss(entry, logits, labels, rows, /*sum=*/false);
  llvm::StringMap<Value> nextRunning;
  if (failed(buildTrainingForms(entry, rows, nextRunning)))
    return failure();
  entry.addResult("loss", loss);

  // The sources: all reads of parameters, not those of running statistics.
  SmallVector<ParamOp> params = getParams("parameter");
  llvm::StringMap<SmallVector<Value>> readsOf;
  for (ParamOp param : params)
    readsOf[param.getSymName()] = {};
  SmallVector<Value> sources;
  Block &block = entry.function.front();
  for (ReadOp read : block.getOps<ReadOp>())
    if (auto at = readsOf.find(read.getParam()); at != readsOf.end()) {
      at->second.push_back(read);
      sources.push_back(read);
    }
  Location seedLoc = renameLoc(chosen.getLoc(), "loss.backward");
  Value one = ConstantOp::create(builder, seedLoc, scalar, builder.getF64FloatAttr(1.0));
  ReverseModeCounts counts;
  FailureOr<SmallVector<Value>> gradients =
      buildGradients(builder, block, {{loss, one}}, sources, counts);
  if (failed(gradients))
    return failure();
  numForward += counts.forward;
  numBackward += counts.backward;
  llvm::DenseMap<Value, Value> gradientOf;
  for (auto [source, gradient] : llvm::zip(sources, *gradients))
    gradientOf[source] = gradient;

  for (auto [index, param] : llvm::enumerate(params)) {
    StringRef layer = param.getSymName().rsplit('.').first;
    Value old, gradient;
    // A parameter may be read in several places: its gradient is the sum over all of them.
    for (Value read : readsOf.lookup(param.getSymName())) {
      old = read;
      if (Value part = gradientOf.lookup(old))
        gradient = gradient ? AddOp::create(builder, renameLoc(param.getLoc(), layer + ".backward"),
                                            gradient, part)
                                  .getResult()
                            : part;
    }
    if (!old)
      old = ReadOp::create(builder, param.getLoc(), param.getType(), param.getSymName());
    Location loc = renameLoc(param.getLoc(), layer + ".nonfinite");
    // What is not finite in a gradient is in the updated parameter, too, which is stored anyway. A
    // parameter without gradient has one that is zero.
    Value checked = buildUpdate(entry, param, old, gradient, scalars);
    if (!gradient)
      checked =
          ConstantOp::create(builder, loc, RankedTensorType::get({1}, scalar.getElementType()),
                             builder.getF64FloatAttr(0.0));
    Value nonfinite = NonfiniteOp::create(builder, loc, checked);
    entry.addResult("nonfinite." + Twine(index), nonfinite);
  }
  // The next state is a whole: what nothing changes is carried over.
  for (ParamOp param : getParams("running")) {
    Value value = nextRunning.lookup(param.getSymName());
    if (!value)
      value = ReadOp::create(builder, param.getLoc(), param.getType(), param.getSymName());
    WriteOp::create(builder, param.getLoc(), param.getSymName(), value);
  }
  entry.finish();
  return success();
}

LogicalResult DifferentiatePass::buildTrainingForms(Entry &entry, Value rows,
                                                    llvm::StringMap<Value> &next) {
  TrainingStep step;
  step.rows = rows;
  llvm::StringMap<Value> scalars;
  step.getScalar = [&](StringRef name) {
    Value &scalar = scalars[name];
    if (!scalar)
      scalar = entry.addArgument(name, getRowsType(), chosen.getLoc());
    return scalar;
  };
  for (auto op : llvm::to_vector(entry.function.front().getOps<TrainingFormOpInterface>())) {
    // A layer that is used twice goes on from where its first use has left the statistics.
    auto findRunning = [&](Value operand) -> ReadOp {
      auto read = operand.getDefiningOp<ReadOp>();
      auto param = read ? getOperation().lookupSymbol<ParamOp>(read.getParam()) : ParamOp();
      return param && param.getKind() == "running" ? read : ReadOp();
    };
    SmallVector<ReadOp> reads;
    for (OpOperand &operand : op->getOpOperands()) {
      reads.push_back(findRunning(operand.get()));
      if (Value changed = reads.back() ? next.lookup(reads.back().getParam()) : Value())
        operand.set(changed);
    }
    OpBuilder builder(op);
    SmallVector<Value> changed(op->getNumOperands());
    op->replaceAllUsesWith(op.buildTrainingForm(builder, step, changed));
    for (auto [read, value] : llvm::zip(reads, changed)) {
      if (!value)
        continue;
      if (!read)
        return op->emitError() << "layer '" << getLayerName(op)
                               << "' changes an operand that is no running statistic";
      next[read.getParam()] = value;
    }
    ++step.number;
    op->erase();
  }
  return success();
}

Value DifferentiatePass::buildUpdate(Entry &entry, ParamOp param, Value old, Value gradient,
                                     ArrayRef<Value> scalars) {
  OpBuilder &builder = entry.builder;
  StringRef name = param.getSymName();
  Location loc = renameLoc(param.getLoc(), name.rsplit('.').first + ".update");
  ParameterUpdate update;
  SmallVector<std::string> slots;
  for (StringRef slot : optimizer->slots(flags)) {
    slots.push_back((name + "." + slot).str());
    update.slots.push_back(ReadOp::create(builder, loc, param.getType(), slots.back()));
  }
  if (!gradient) {
    param.emitWarning() << "parameter '" << name
                        << "' does not influence the loss, so it is not trained";
    WriteOp::create(builder, loc, name, old);
    for (auto [slot, value] : llvm::zip(slots, update.slots))
      WriteOp::create(builder, loc, slot, value);
    return old;
  }
  update.parameter = old;
  update.gradient = gradient;
  update.scalars.append(scalars.begin(), scalars.end());
  SmallVector<Value> next = optimizer->build(builder, loc, update, flags);
  WriteOp::create(builder, loc, name, next[0]);
  for (auto [slot, value] : llvm::zip(slots, ArrayRef(next).drop_front()))
    WriteOp::create(builder, loc, slot, value);
  return next[0];
}
