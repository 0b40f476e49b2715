// cnn-run FILE.mlir --inputs in.safetensors --outputs out.safetensors: compiles a module whose
// public functions are entry points (any phase up to `llvm`; `grad` where the module names none),
// runs each on named tensors and writes what they return. For tests that compare values.
//
// The input `x` of the entry `f` is the tensor `f.x` of the file, else `x`; its result `y` becomes
// `f.y`. Parameters are taken by name. Floats are converted to the element type of the module.
//
// Every buffer lies between pages that cannot be touched: code that reads or writes outside of
// arena, scratch, state, inputs or outputs, or changes an input or the old state, is an error.
#include "GuardedBuffer.h"
#include "compiler/pipelines/Compile.h"
#include "compiler/transforms/Passes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "runtime/core/Manifest.h"
#include "runtime/data/Safetensors.h"
#include "runtime/task/ThreadPool.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>

using namespace cnn;
using namespace llvm;

static cl::OptionCategory category("Options");
static cl::opt<std::string> file(cl::Positional, cl::Required, cl::desc("FILE.mlir"),
                                 cl::cat(category));
static cl::opt<std::string> inputsPath("inputs", cl::Required, cl::cat(category),
                                       cl::desc("safetensors file with the arguments"));
static cl::opt<std::string> outputsPath("outputs", cl::Required, cl::cat(category),
                                        cl::desc("safetensors file to write"));
static cl::opt<bool> gradients("gradients", cl::cat(category),
                               cl::desc("also run the gradient f_grad of every function f"));
static cl::opt<unsigned> threads("workers", cl::init(1), cl::cat(category),
                                 cl::desc("threads to run with (default: 1)"));
static cl::opt<std::string> cpu("mcpu", cl::init("native"), cl::cat(category));
static cl::opt<std::string> features("mattr", cl::cat(category));
static cl::list<std::string> settings("set", cl::cat(category),
                                      cl::desc("schedule.KEY=VALUE, as for cnnc"));
static cl::opt<bool> noFusion("no-fusion", cl::cat(category));

static ExitOnError exitOnError("cnn-run: error: ");

template <typename T> static T check(Result<T> result) {
  if (result.failed())
    exitOnError(createStringError(result.message()));
  return std::move(*result);
}

/// One number of a tensor, whatever its type.
static double readNumber(const NamedTensor &tensor, int64_t index) {
  auto at = [&](auto zero) {
    std::memcpy(&zero, tensor.data + index * sizeof(zero), sizeof(zero));
    return static_cast<double>(zero);
  };
  switch (tensor.element) {
  case ElementType::F32:
    return at(float());
  case ElementType::F64:
    return at(double());
  case ElementType::I32:
    return at(int32_t());
  case ElementType::I64:
    return at(int64_t());
  default:
    return at(uint8_t());
  }
}

static void writeNumber(ElementType element, void *memory, int64_t index, double value) {
  switch (element) {
  case ElementType::F32:
    static_cast<float *>(memory)[index] = static_cast<float>(value);
    return;
  case ElementType::F64:
    static_cast<double *>(memory)[index] = value;
    return;
  case ElementType::I32:
    static_cast<int32_t *>(memory)[index] = static_cast<int32_t>(value);
    return;
  default:
    exitOnError(createStringError("an argument is neither float nor i32"));
  }
}

static int64_t countElements(const std::vector<int64_t> &shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

/// Copies the tensor called `name`, or `<prefix>.<name>`, into `memory`.
static void fill(const Safetensors &file, const std::string &prefix, const std::string &name,
                 ElementType element, const std::vector<int64_t> &shape, void *memory) {
  const NamedTensor *tensor = file.find(prefix + "." + name);
  if (!tensor)
    tensor = file.find(name);
  if (!tensor)
    exitOnError(createStringError(inputsPath + ": no tensor '" + prefix + "." + name + "' or '" +
                                  name + "'"));
  if (countElements(tensor->shape) != countElements(shape))
    exitOnError(createStringError(inputsPath + ": '" + name + "' is " + shapeText(tensor->shape) +
                                  ", the argument is " + shapeText(shape)));
  for (int64_t index = 0, count = countElements(shape); index < count; ++index)
    writeNumber(element, memory, index, readNumber(*tensor, index));
}

static uint64_t bufferBytes(const BufferSpec &spec, unsigned workers) {
  bool isTensor = spec.role == BufferRole::Input || spec.role == BufferRole::Output;
  uint64_t size = spec.element == ElementType::F64 || spec.element == ElementType::I64 ? 8 : 4;
  if (isTensor)
    return countElements(spec.shape) * size;
  return spec.role == BufferRole::Scratch ? spec.bytes * workers : spec.bytes;
}

/// "train_step's output 'loss'".
static std::string describe(const EntryPoint &entry, const BufferSpec &spec) {
  static const char *const roles[] = {"state_in", "state_out", "prepared", "input",
                                      "output",   "arena",     "scratch"};
  return entry.name + "'s " + roles[static_cast<int>(spec.role)] +
         (spec.name.empty() ? "" : " '" + spec.name + "'");
}

/// Runs one entry point; its outputs stay in `results`. `prepared` is what `prepare` has written.
static void runEntry(const Executable &code, const Manifest &manifest, const EntryPoint &entry,
                     const Safetensors &inputs, ThreadPool &pool, std::string &prepared,
                     std::vector<GuardedBuffer> &results, std::vector<NamedTensor> &tensors) {
  std::vector<GuardedBuffer> buffers;
  std::vector<std::string> contents; // of inputs and the old state; else empty
  std::vector<void *> pointers;
  for (const BufferSpec &spec : entry.buffers) {
    uint64_t bytes = bufferBytes(spec, pool.workers());
    buffers.emplace_back(bytes, describe(entry, spec));
    char *memory = buffers.back().data();
    pointers.push_back(memory);
    if (spec.role == BufferRole::Input)
      fill(inputs, entry.name, spec.name, spec.element, spec.shape, memory);
    if (spec.role == BufferRole::StateIn)
      for (const StateTensor &state : manifest.state)
        fill(inputs, entry.name, state.name, state.element, state.shape, memory + state.offset);
    bool prepares = entry.name == "prepare" && spec.role == BufferRole::Prepared;
    if (spec.role == BufferRole::Prepared && !prepares)
      std::memcpy(memory, prepared.data(), prepared.size());
    bool isRead = spec.role == BufferRole::Input || spec.role == BufferRole::StateIn ||
                  (spec.role == BufferRole::Prepared && !prepares);
    contents.emplace_back(memory, isRead ? bytes : 0);
  }
  auto function = reinterpret_cast<cnn_entry>(code.lookup(entry.symbol));
  if (!function)
    exitOnError(createStringError("no function '" + entry.symbol + "' in the object"));
  pool.run(function, pointers.data());
  for (auto [spec, buffer, before] : llvm::zip(entry.buffers, buffers, contents)) {
    if (!buffer.isIntact())
      exitOnError(createStringError("compiled code wrote outside of " + describe(entry, spec)));
    if (std::memcmp(buffer.data(), before.data(), before.size()) != 0)
      exitOnError(createStringError("compiled code changed " + describe(entry, spec)));
    if (spec.role == BufferRole::Prepared)
      prepared.assign(buffer.data(), spec.bytes);
    if (spec.role != BufferRole::Output)
      continue;
    results.push_back(std::move(buffer));
    tensors.push_back({entry.name + "." + spec.name, spec.element, spec.shape,
                       reinterpret_cast<const uint8_t *>(results.back().data()),
                       bufferBytes(spec, 1)});
  }
}

static void addGradients(mlir::ModuleOp module) {
  mlir::PassManager manager(module.getContext());
  manager.addPass(mlir::cnn::createGradientPass());
  if (failed(manager.run(module)))
    exitOnError(createStringError("no gradient"));
}

int main(int argc, char **argv) {
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, "compiles and runs the entry points of a module\n");
  std::unique_ptr<mlir::MLIRContext> context = createContext();
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(file, context.get());
  if (!module)
    return 1;
  if (!(*module).getSymName())
    module->setSymName("module");
  if (!(*module)->hasAttr("cnn.phase"))
    setPhase(*module, Phase::Grad);
  if (gradients)
    addGradients(*module);
  CompileOptions options;
  options.useCache = false;
  options.cpu = cpu;
  options.features = features;
  options.fuse = !noFusion;
  for (const std::string &setting : settings) {
    auto [key, value] = StringRef(setting).split('=');
    options.settings.emplace_back(key.str(), value.str());
  }
  std::unique_ptr<Executable> code = exitOnError(compile(*module, options));
  Manifest manifest = check(parseManifest(code->manifest().str()));
  Safetensors inputs = check(readSafetensors(inputsPath));
  std::unique_ptr<ThreadPool> pool = check(ThreadPool::create(threads));
  std::vector<GuardedBuffer> results;
  std::vector<NamedTensor> tensors;
  std::string prepared;
  if (const EntryPoint *prepare = manifest.findEntry("prepare"))
    runEntry(*code, manifest, *prepare, inputs, *pool, prepared, results, tensors);
  for (const EntryPoint &entry : manifest.entries)
    if (entry.name != "prepare")
      runEntry(*code, manifest, entry, inputs, *pool, prepared, results, tensors);
  cnn::Status written = writeSafetensors(outputsPath, tensors, {});
  if (written.failed())
    exitOnError(createStringError(written.message()));
  return 0;
}
