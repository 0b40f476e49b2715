// Both executors begin with the module of EmitTest.h, in f32 for the compiler and in f64 for the
// reference. The parameters that the reference starts from are rounded to f32 as those of compiled
// code are.
#include "compiler/tools/cnn/TestExecutors.h"

#include "compiler/frontend/EmitTest.h"
#include "compiler/frontend/MlirDiagnostics.h"
#include "compiler/pipelines/Compile.h"
#include "compiler/reference/Reference.h"
#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/Options.h"
#include "compiler/tools/measure/CompileNet.h"
#include "dialect/CnnDialect.h"
#include "mlir/IR/MLIRContext.h"
#include "runtime/core/Init.h"
#include "runtime/train/Session.h"

namespace cnn::tool {

namespace {

constexpr uint64_t testSeed = 0;

/// What both have: the pieces and the context of their module.
class ModuleExecutor : public TestExecutor {
public:
  ModuleExecutor(const TestProgram &program, Diagnostics &diagnostics)
      : context(createContext()), handler(context.get(), diagnostics), pieces(splitTest(program)),
        diagnostics(diagnostics), before(diagnostics.errorCount()) {}

protected:
  bool emit(const TestProgram &program, const std::string &name, llvm::StringRef element) {
    module = emitTest(*context, program, pieces, name, element, diagnostics);
    return bool(module);
  }
  bool isEmpty() const {
    return llvm::all_of(pieces, [](const TestPiece &piece) { return piece.outputs.empty(); });
  }

  std::unique_ptr<mlir::MLIRContext> context;
  MlirDiagnostics handler;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<TestPiece> pieces;
  Diagnostics &diagnostics;
  unsigned before; // errors that are not of this test
};

class CompiledExecutor : public ModuleExecutor {
public:
  using ModuleExecutor::ModuleExecutor;

  bool load(const TestProgram &program, const std::string &name, Device &device) {
    if (isEmpty())
      return true;
    if (!emit(program, name, "f32"))
      return false;
    CompileOptions options;
    options.useCache = !noCache;
    setArch(options, device.arch());
    llvm::Expected<RunnableNet> compiled = compileToRun(*module, options);
    if (!compiled)
      return report(program, llvm::toString(compiled.takeError()));
    Result<std::unique_ptr<Session>> made = Session::create(std::move(compiled->net), device);
    if (made.failed())
      return report(program, made.message());
    session = std::move(*made);
    if (!session->manifest().stateBytes)
      return true;
    Result<void *> state = session->state();
    if (state.failed())
      return report(program, state.message());
    initializeState(session->manifest(), testSeed, *state);
    return true;
  }

  bool run(unsigned index, std::vector<std::vector<double>> &tensors) override {
    const TestPiece &piece = pieces[index];
    if (piece.outputs.empty())
      return true;
    Result<Call *> call = session->call(entryOfPiece(index));
    if (call.failed())
      return fail(call.status()) == exitSuccess;
    for (unsigned input : piece.inputs)
      if (Result<int> at = (*call)->input(nameOfTensor(input)); !at.failed())
        for (size_t i = 0; i < tensors[input].size(); ++i)
          (*call)->set(*at, tensors[input][i], i);
    if (Status status = (*call)->run(); status.failed())
      return fail(status) == exitSuccess;
    for (unsigned output : piece.outputs) {
      Result<int> at = (*call)->output(nameOfTensor(output));
      if (at.failed())
        return fail(at.status()) == exitSuccess;
      std::optional<int64_t> count = elementCount((*call)->spec(*at).shape);
      tensors[output].resize(count.value_or(0));
      for (size_t i = 0; i < tensors[output].size(); ++i)
        tensors[output][i] = (*call)->get(*at, i);
    }
    return true;
  }

private:
  bool report(const TestProgram &program, const std::string &message) {
    if (diagnostics.errorCount() == before)
      diagnostics.error(program.range, message);
    return false;
  }

  std::unique_ptr<Session> session;
};

class ReferenceExecutor : public ModuleExecutor {
public:
  using ModuleExecutor::ModuleExecutor;

  bool load(const TestProgram &program, const std::string &name) {
    if (!emit(program, name, "f64"))
      return false;
    initialize();
    return true;
  }

  bool run(unsigned index, std::vector<std::vector<double>> &tensors) override {
    const TestPiece &piece = pieces[index];
    if (piece.outputs.empty())
      return true;
    std::vector<ReferenceTensor> arguments;
    for (unsigned input : piece.inputs)
      arguments.push_back(tensors[input]);
    mlir::FailureOr<std::vector<ReferenceTensor>> results =
        evaluateReference(*module, entryOfPiece(index), arguments, state);
    if (mlir::failed(results))
      return false;
    for (auto [output, result] : llvm::zip(piece.outputs, *results))
      tensors[output] = std::move(result);
    return true;
  }

private:
  /// The state that compiled code starts from: the manifest of one f32 tensor after the other.
  void initialize() {
    Manifest manifest;
    for (auto param : module->getOps<mlir::cnn::ParamOp>()) {
      auto type = llvm::cast<mlir::RankedTensorType>(param.getType());
      StateTensor tensor;
      tensor.name = param.getSymName().str();
      tensor.kind = param.getKind() == "parameter" ? StateKind::Parameter : StateKind::Running;
      tensor.shape = type.getShape();
      tensor.elements = type.getNumElements();
      tensor.bytes = 4 * tensor.elements;
      tensor.offset = manifest.stateBytes;
      tensor.init = toInitSpec(param);
      manifest.stateBytes += llvm::alignTo(tensor.bytes, CNN_ALIGNMENT);
      manifest.state.push_back(std::move(tensor));
    }
    std::vector<float> values(manifest.stateBytes / sizeof(float));
    if (!values.empty())
      initializeState(manifest, testSeed, values.data());
    for (const StateTensor &tensor : manifest.state) {
      const float *first = values.data() + tensor.offset / sizeof(float);
      state[tensor.name].assign(first, first + tensor.elements);
    }
  }

  static InitSpec toInitSpec(mlir::cnn::ParamOp param) {
    mlir::cnn::InitAttr init = param.getInit();
    InitSpec spec;
    static constexpr std::pair<llvm::StringRef, InitKind> kinds[] = {
        {"xavier_uniform", InitKind::XavierUniform},
        {"xavier_normal", InitKind::XavierNormal},
        {"kaiming_uniform", InitKind::KaimingUniform},
        {"kaiming_normal", InitKind::KaimingNormal},
        {"pytorch_default", InitKind::PytorchDefault},
        {"constant", InitKind::Constant},
        {"zeros", InitKind::Zeros},
        {"uniform", InitKind::Uniform},
        {"normal", InitKind::Normal}};
    for (auto [name, kind] : kinds)
      if (init.getKind() == name)
        spec.kind = kind;
    spec.fanIn = init.getFanIn();
    spec.fanOut = init.getFanOut();
    spec.value = init.getValue() ? init.getValue().getValueAsDouble() : 0;
    if (init.getSecond())
      spec.second = init.getSecond().getValueAsDouble();
    return spec;
  }

  llvm::StringMap<ReferenceTensor> state;
};

} // namespace

std::unique_ptr<TestExecutor> compileTest(const TestProgram &program, const std::string &name,
                                          Device &device, Diagnostics &diagnostics) {
  auto executor = std::make_unique<CompiledExecutor>(program, diagnostics);
  if (!executor->load(program, name, device))
    return nullptr;
  return executor;
}

std::unique_ptr<TestExecutor> interpretTest(const TestProgram &program, const std::string &name,
                                            Diagnostics &diagnostics) {
  auto executor = std::make_unique<ReferenceExecutor>(program, diagnostics);
  if (!executor->load(program, name))
    return nullptr;
  return executor;
}

} // namespace cnn::tool
