// Loads a module: parse, rewrite, optimise, compile, look up.
#include "test/emulator/Program.h"
#include "test/emulator/Rewrite.h"
#include "test/emulator/Runtime.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/Verifier.h"
#include "llvm/IRReader/IRReader.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TargetSelect.h"

#include <algorithm>

using namespace llvm;

namespace cnn::emulator {

Program::~Program() = default;

const Kernel *Program::find(const std::string &name) const {
  auto found = kernels.find(name);
  return found == kernels.end() ? nullptr : &found->second;
}

std::string Program::compare(const Ptx &ptx) const {
  std::string differences;
  for (const auto &[name, parameters] : ptx.entries) {
    const Kernel *kernel = find(name);
    if (!kernel)
      differences += "fakecuda: the PTX has kernel '" + name + "', its IR has not\n";
    else if (kernel->parameters.size() != parameters)
      differences += "fakecuda: kernel '" + name + "' has " + std::to_string(parameters) +
                     " parameters in the PTX and " + std::to_string(kernel->parameters.size()) +
                     " in its IR\n";
  }
  for (const auto &[name, kernel] : kernels)
    if (!ptx.entries.count(name))
      differences += "fakecuda: the IR has kernel '" + name + "', its PTX has not\n";
  return differences;
}

namespace {

/// The IR is optimised already; what is left is to inline and to fold what the rewriting brought.
void optimize(Module &module, TargetMachine *machine) {
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager graphs;
  ModuleAnalysisManager modules;
  PassBuilder passes(machine);
  passes.registerModuleAnalyses(modules);
  passes.registerCGSCCAnalyses(graphs);
  passes.registerFunctionAnalyses(functions);
  passes.registerLoopAnalyses(loops);
  passes.crossRegisterProxies(loops, functions, graphs, modules);
  passes.buildPerModuleDefaultPipeline(OptimizationLevel::O1).run(module, modules);
}

std::unique_ptr<Module> parse(const std::string &path, LLVMContext &context, std::string &log) {
  SMDiagnostic diagnostic;
  std::unique_ptr<Module> module = parseIRFile(path, diagnostic, context);
  if (!module) {
    raw_string_ostream out(log);
    diagnostic.print("fakecuda", out, /*ShowColors=*/false);
  } else if (raw_string_ostream out(log); verifyModule(*module, &out))
    module = nullptr;
  return module;
}

/// Runs `step`; its error goes to `log`.
bool check(Error error, std::string &log) {
  if (!error)
    return true;
  log += "fakecuda: " + toString(std::move(error)) + "\n";
  return false;
}

bool addModule(Program &program, std::unique_ptr<Module> module,
               std::unique_ptr<LLVMContext> context, std::string &log) {
  InitializeNativeTarget();
  InitializeNativeTargetAsmPrinter();
  auto jit = orc::LLJITBuilder().create();
  if (!jit)
    return check(jit.takeError(), log);
  program.jit = std::move(*jit);
  module->setTargetTriple(program.jit->getTargetTriple());
  module->setDataLayout(program.jit->getDataLayout());
  if (raw_string_ostream out(log); verifyModule(*module, &out))
    return false;
  auto builder = orc::JITTargetMachineBuilder::detectHost();
  if (!builder)
    return check(builder.takeError(), log);
  auto machine = builder->createTargetMachine();
  if (!machine)
    return check(machine.takeError(), log);
  optimize(*module, machine->get());
  orc::SymbolMap symbols;
  for (auto [name, address] : runtimeFunctions())
    symbols[program.jit->mangleAndIntern(name)] = {orc::ExecutorAddr::fromPtr(address),
                                                   JITSymbolFlags::Exported};
  orc::JITDylib &library = program.jit->getMainJITDylib();
  if (!check(library.define(orc::absoluteSymbols(std::move(symbols))), log))
    return false;
  // Functions of the C library: expf, memset.
  auto process = orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      program.jit->getDataLayout().getGlobalPrefix());
  if (!process)
    return check(process.takeError(), log);
  library.addGenerator(std::move(*process));
  return check(
      program.jit->addIRModule(orc::ThreadSafeModule(std::move(module), std::move(context))), log);
}

bool lookUp(Program &program, std::string &log) {
  auto find = [&](const std::string &name) -> void * {
    auto address = program.jit->lookup(name);
    if (address)
      return address->toPtr<void *>();
    check(address.takeError(), log);
    return nullptr;
  };
  for (auto &[name, kernel] : program.kernels)
    kernel.entry = reinterpret_cast<void (*)(Thread *, void **)>(find(entryPrefix + name));
  for (GlobalVariable &variable : program.globals)
    variable.data = static_cast<char *>(find(variable.name));
  return log.empty();
}

} // namespace

std::unique_ptr<Program> Program::load(const std::string &path, bool instrument, std::string &log,
                                       const std::function<void(Module &)> &edit) {
  auto context = std::make_unique<LLVMContext>();
  std::unique_ptr<Module> module = parse(path, *context, log);
  if (!module)
    return nullptr;
  if (edit)
    edit(*module);
  auto program = std::make_unique<Program>();
  program->path = path;
  if (!rewrite(*module, *program, instrument, log) ||
      !addModule(*program, std::move(module), std::move(context), log) || !lookUp(*program, log))
    return nullptr;
  return program;
}

} // namespace cnn::emulator
