// Front end, compiler, session; and the module of phase grad in double for the reference.
#include "TestNet.h"

#include "TestValues.h"
#include "compiler/frontend/Emit.h"
#include "compiler/reference/Reference.h"
#include "compiler/tools/measure/CompileNet.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/raw_ostream.h"

using namespace cnn;

TestNet::TestNet(const TestNetOptions &options)
    : options(options), diagnostics(&llvm::errs()), context(createContext()),
      handler(context.get(), diagnostics) {}

bool TestNet::fail(const std::string &message) {
  llvm::errs() << "cnn-steps: error: " << message << "\n";
  return false;
}

std::unique_ptr<TestNet> TestNet::open(const std::string &path, const TestNetOptions &options,
                                       Device &device) {
  std::unique_ptr<TestNet> net(new TestNet(options));
  if (!net->compile(path, device))
    return nullptr;
  return net;
}

mlir::OwningOpRef<mlir::ModuleOp> TestNet::emitModule(const std::string &element) {
  EmitOptions emitOptions;
  emitOptions.batch = options.batch;
  emitOptions.elementType = element;
  return emit(*context, *graph, &*recipe, emitOptions, diagnostics);
}

bool TestNet::compile(const std::string &path, Device &device) {
  frontend = Frontend::open(path, options.settings, diagnostics);
  if (!frontend)
    return false;
  recipe = frontend->recipe(options.recipe, options.net);
  if (!recipe || !(graph = frontend->elaborate(recipe->net, recipe->name)))
    return false;
  mlir::OwningOpRef<mlir::ModuleOp> module = emitModule(options.element);
  if (!module)
    return false;
  CompileOptions compileOptions;
  compileOptions.mode = Mode::Train;
  compileOptions.entries = options.entries;
  compileOptions.useCache = false;
  compileOptions.cpu = options.cpu;
  for (const std::string &setting : options.settings)
    if (auto [key, value] = llvm::StringRef(setting).split('='); key.starts_with("schedule."))
      compileOptions.settings.emplace_back(key.str(), value.str());
  tool::setArch(compileOptions, device.arch());
  llvm::Expected<tool::RunnableNet> compiled = tool::compileToRun(*module, compileOptions);
  if (!compiled)
    return fail(path + ": " + llvm::toString(compiled.takeError()));
  Result<std::unique_ptr<Session>> made = Session::create(std::move(compiled->net), device);
  if (made.failed())
    return fail(made.message());
  opened = std::move(*made);
  Result<void *> state = opened->state();
  if (state.failed())
    return fail(state.message());
  fillState(options.seed, manifest(), *state);
  return true;
}

static int64_t countElements(const std::vector<int64_t> &shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

NamedValues TestNet::inputs(const EntryPoint &entry, int64_t step, int64_t rows) const {
  const Optimizer &optimizer = recipe->optimizer;
  double rate = optimizer.args.getFloat("lr");
  NamedValues all;
  for (llvm::StringRef name : optimizer.def->scalars(optimizer.def->getFlags(optimizer.args)))
    all[name.str()] = {optimizer.def->value(name, optimizer.args, rate, step + 1)};
  all["rows"] = {static_cast<double>(rows)};
  // The keys of dropout's masks.
  all["seed"] = {static_cast<double>(options.seed)};
  all["seed_high"] = {0.0};
  all["step"] = {static_cast<double>(step)};

  int64_t classes = graph->tensors[graph->outputs.front()].shape.back();
  NamedValues chosen;
  for (const BufferSpec &spec : entry.buffers) {
    if (spec.role != BufferRole::Input)
      continue;
    std::vector<double> &tensor = chosen[spec.name];
    if (auto found = all.find(spec.name); found != all.end()) {
      tensor = found->second;
      continue;
    }
    TestValues values(options.seed, spec.name + "." + std::to_string(step), -1, 1);
    bool isLabel = spec.element == ElementType::I32;
    for (int64_t i = 0, count = countElements(spec.shape); i < count; ++i)
      tensor.push_back(isLabel ? static_cast<double>(values.below(i, classes)) : values.at(i));
  }
  return chosen;
}

bool TestNet::run(const std::string &entry, const NamedValues &inputs, NamedValues &results) {
  Result<Call *> call = opened->call(entry);
  if (call.failed())
    return fail(call.message());
  for (const auto &[name, values] : inputs) {
    Result<int> at = (*call)->input(name);
    if (at.failed())
      return fail(at.message());
    for (size_t i = 0; i < values.size(); ++i)
      (*call)->set(*at, values[i], i);
  }
  if (Status status = (*call)->run(); status.failed())
    return fail(status.message());
  const std::vector<BufferSpec> &buffers = (*call)->entry().buffers;
  for (size_t position = 0; position < buffers.size(); ++position) {
    if (buffers[position].role != BufferRole::Output)
      continue;
    std::vector<double> &tensor = results[buffers[position].name];
    for (int64_t i = 0, count = countElements(buffers[position].shape); i < count; ++i)
      tensor.push_back((*call)->get(position, i));
  }
  return true;
}

bool TestNet::evaluate(const std::string &entry, const NamedValues &inputs, NamedValues &results) {
  if (!reference) {
    reference = emitModule("f64");
    if (!reference)
      return false;
    PhaseOptions phases;
    phases.mode = Mode::Train;
    phases.entries = options.entries;
    if (llvm::Error error = runPhases(*reference, Phase::Grad, phases))
      return fail(llvm::toString(std::move(error)));
  }
  llvm::StringMap<ReferenceTensor> state;
  for (const StateTensor &tensor : manifest().state) {
    TestValues values = stateValues(options.seed, tensor);
    for (int64_t i = 0; i < tensor.elements; ++i)
      state[tensor.name].push_back(values.at(i));
  }
  auto function = reference->lookupSymbol<mlir::func::FuncOp>(entry);
  if (!function)
    return fail("the reference has no entry '" + entry + "'");
  std::vector<ReferenceTensor> arguments;
  for (unsigned i = 0; i < function.getNumArguments(); ++i) {
    auto name = function.getArgAttrOfType<mlir::StringAttr>(i, "cnn.name");
    auto found = name ? inputs.find(name.str()) : inputs.end();
    if (found == inputs.end())
      return fail("an argument of the reference has no value");
    arguments.push_back(found->second);
  }
  llvm::StringMap<ReferenceTensor> written;
  auto outputs = evaluateReference(*reference, entry, arguments, state, &written);
  if (mlir::failed(outputs))
    return false;
  for (auto [i, output] : llvm::enumerate(*outputs)) {
    // Results called x.0, x.1, ... are the elements of the output x.
    llvm::StringRef name = function.getResultAttrOfType<mlir::StringAttr>(i, "cnn.name").getValue();
    auto [stem, number] = name.rsplit('.');
    bool isElement = !number.empty() && llvm::all_of(number, llvm::isDigit);
    std::vector<double> &tensor = results[(isElement ? stem : name).str()];
    tensor.insert(tensor.end(), output.begin(), output.end());
  }
  for (auto &entry : written)
    results["state " + entry.getKey().str()] = entry.getValue();
  return true;
}
