// A convolution of the net -> a module with nothing else, in its type and in double -> two results.
#include "compiler/tools/measure/Errors.h"
#include "compiler/pipelines/Compile.h"
#include "compiler/tools/measure/CompileNet.h"
#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "runtime/core/Random.h"
#include "runtime/train/Session.h"

#include <cmath>
#include <vector>

using namespace cnn;
using namespace cnn::tool;
using mlir::cnn::GroupOp;

static llvm::Error toError(const Status &status) {
  return llvm::createStringError(status.message());
}

/// A module of phase `fused` whose entry point `infer` computes what `anchor` does, in `element`:
/// images are its inputs, weights and biases its parameters.
static mlir::OwningOpRef<mlir::ModuleOp> makeProbe(mlir::Operation *anchor, mlir::Type element) {
  mlir::OpBuilder b(anchor->getContext());
  mlir::Location loc = anchor->getLoc();
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(b, loc, "probe");
  auto retype = [&](mlir::Type type) {
    return mlir::RankedTensorType::get(llvm::cast<mlir::RankedTensorType>(type).getShape(),
                                       element);
  };
  bool isGradient = llvm::isa<mlir::cnn::ConvWeightGradOp>(anchor);
  llvm::SmallVector<mlir::RankedTensorType> operands;
  llvm::SmallVector<mlir::Type> images;
  for (auto [i, operand] : llvm::enumerate(anchor->getOperands())) {
    operands.push_back(retype(operand.getType()));
    if (i == 0 || isGradient)
      images.push_back(operands.back());
  }
  mlir::RankedTensorType result = retype(anchor->getResult(0).getType());
  b.setInsertionPointToEnd(module->getBody());
  for (size_t i = images.size(); i < operands.size(); ++i)
    mlir::cnn::ParamOp::create(
        b, loc, "w" + std::to_string(i), operands[i], "parameter",
        mlir::cnn::InitAttr::get(b.getContext(), "constant", 0, 0, b.getF64FloatAttr(0)));
  auto entry = mlir::func::FuncOp::create(b, loc, "infer", b.getFunctionType(images, {result}));
  mlir::Block *body = entry.addEntryBlock();
  for (unsigned i = 0; i < images.size(); ++i)
    entry.setArgAttr(i, "cnn.name", b.getStringAttr("x" + std::to_string(i)));
  entry.setResultAttr(0, "cnn.name", b.getStringAttr("y"));
  b.setInsertionPointToEnd(body);
  llvm::SmallVector<mlir::Value> inputs(body->getArguments());
  for (size_t i = images.size(); i < operands.size(); ++i)
    inputs.push_back(mlir::cnn::ReadOp::create(b, loc, operands[i], "w" + std::to_string(i)));
  mlir::OperationState state(loc, GroupOp::getOperationName());
  state.addAttribute("name", b.getStringAttr("probe"));
  state.addOperands(inputs);
  state.addTypes(result);
  mlir::Block &block = state.addRegion()->emplaceBlock();
  mlir::IRMapping map;
  for (auto [operand, type] : llvm::zip(anchor->getOperands(), operands))
    map.map(operand, block.addArgument(type, loc));
  mlir::OpBuilder inner(b.getContext());
  inner.setInsertionPointToEnd(&block);
  mlir::Operation *copy = inner.clone(*anchor, map);
  copy->getResult(0).setType(result);
  mlir::cnn::YieldOp::create(inner, loc, copy->getResult(0));
  mlir::Operation *group = b.create(state);
  mlir::func::ReturnOp::create(b, loc, group->getResults());
  setPhase(*module, Phase::Fused);
  return module;
}

/// Element `index` of the numbers that operand `number` holds, rounded to f32 for both.
static double getNumber(uint64_t number, uint64_t index) {
  return static_cast<float>(2 * RandomStream(number, RandomPurpose::Test, 0).uniform(index) - 1);
}

/// Compiles and runs a probe; its result as doubles.
static llvm::Expected<std::vector<double>> runProbe(mlir::ModuleOp module,
                                                    const CompileOptions &options, Device &cpu) {
  auto code = compileToRun(module, options);
  if (!code)
    return code.takeError();
  Result<std::unique_ptr<Session>> session = Session::create(std::move(code->net), cpu);
  if (session.failed())
    return toError(session.status());
  Result<Call *> call = (*session)->call("infer");
  if (call.failed())
    return toError(call.status());
  const std::vector<BufferSpec> &buffers = (*call)->entry().buffers;
  uint64_t number = 0;
  int output = -1;
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].role == BufferRole::Output)
      output = int(i);
    if (buffers[i].role != BufferRole::Input)
      continue;
    for (int64_t e = 0, count = elementCount(buffers[i].shape).value_or(0); e < count; ++e)
      (*call)->set(int(i), getNumber(number, uint64_t(e)), e);
    ++number;
  }
  Result<void *> memory = (*session)->state();
  if (memory.failed())
    return toError(memory.status());
  char *state = static_cast<char *>(*memory);
  for (const StateTensor &tensor : (*session)->manifest().state) {
    for (int64_t e = 0; e < tensor.elements; ++e) {
      double value = getNumber(number, uint64_t(e));
      storeElement(tensor.element, state + tensor.offset, e, value);
    }
    ++number;
  }
  if (Status status = (*call)->run(); status.failed())
    return toError(status);
  std::vector<double> result(elementCount(buffers[output].shape).value_or(0));
  for (size_t e = 0; e < result.size(); ++e)
    result[e] = (*call)->get(output, int64_t(e));
  return result;
}

static bool isConvolution(mlir::Operation &op) {
  return llvm::isa<mlir::cnn::ConvOp, mlir::cnn::ConvDataGradOp, mlir::cnn::ConvWeightGradOp>(op);
}

llvm::Expected<std::map<std::string, double>>
tool::measureErrors(mlir::func::FuncOp entry, const std::map<std::string, std::string> &algorithms,
                    const PhaseOptions &given, Device &cpu) {
  CompileOptions options;
  static_cast<PhaseOptions &>(options) = given;
  options.useCache = false;
  options.timed = false;
  options.recipe.clear();
  options.entries.clear();
  options.settings = {{"schedule.tuned", "off"}};
  for (const auto &[key, value] : given.settings)
    if (key == "schedule.layout")
      options.settings.emplace_back(key, value);
  CompileOptions direct = options;
  std::map<std::string, double> errors, known; // by group, by what it computes
  mlir::Builder b(entry.getContext());
  for (GroupOp group : entry.getOps<GroupOp>())
    for (mlir::Operation &op : group.getBody().front()) {
      auto chosen = algorithms.find(group.getName().str());
      if (!isConvolution(op) || chosen == algorithms.end())
        continue;
      mlir::Type element =
          llvm::cast<mlir::RankedTensorType>(op.getResult(0).getType()).getElementType();
      mlir::OwningOpRef<mlir::ModuleOp> probe = makeProbe(&op, element);
      std::string content;
      llvm::raw_string_ostream(content) << chosen->second << ' ' << *probe;
      if (auto same = known.find(content); same != known.end()) {
        errors[group.getName().str()] = same->second;
        continue;
      }
      CompileOptions asked = options;
      asked.settings.emplace_back("schedule.probe", chosen->second);
      auto ours = runProbe(*probe, asked, cpu);
      if (!ours)
        return ours.takeError();
      auto exact = runProbe(*makeProbe(&op, b.getF64Type()), direct, cpu);
      if (!exact)
        return exact.takeError();
      double difference = 0, sum = 0;
      for (size_t i = 0; i < exact->size(); ++i) {
        difference += ((*ours)[i] - (*exact)[i]) * ((*ours)[i] - (*exact)[i]);
        sum += (*exact)[i] * (*exact)[i];
      }
      errors[group.getName().str()] = known[content] = sum > 0 ? std::sqrt(difference / sum) : 0;
    }
  return errors;
}
