// Rewrites a module: functions take the thread, shared variables get their places, memory accesses
// are reported, kernels get entries.
#include "test/emulator/Rewrite.h"
#include "test/emulator/Runtime.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/ReplaceConstant.h"

#include <algorithm>

using namespace llvm;

namespace cnn::emulator {

namespace {

class Rewriter {
public:
  Rewriter(Module &module, Program &program, bool instrument)
      : module(module), program(program), instrument(instrument), slots(&module) {}

  bool run(std::string &log) {
    describeKernels();
    describeGlobals();
    for (Function &function : make_early_inc_range(module))
      if (!function.isDeclaration() && !renewed.contains(&function))
        originals.push_back(&function);
    for (Function *function : originals)
      renew(*function);
    placeShared();
    for (Function *function : originals)
      rewriteBody(*renewals[function]);
    unfoldShared();
    for (Function *function : originals)
      replaceShared(*renewals[function]);
    propagateMeets();
    for (Function *function : originals)
      addEntry(*function);
    for (Function *function : originals)
      function->eraseFromParent();
    removeShared();
    StripDebugInfo(module);
    for (const std::string &what : unsupported)
      log += "fakecuda: not emulated: " + what + "\n";
    return unsupported.empty();
  }

private:
  void describeKernels();
  void describeGlobals();
  void unfoldShared();
  void renew(Function &function);
  void placeShared();
  void rewriteBody(Function &function);
  bool rewriteCall(CallInst &call, NvvmCalls &calls);
  void report(Instruction &instruction, NvvmCalls &calls);
  void replaceShared(Function &function);
  void propagateMeets();
  void addEntry(Function &original);
  void removeShared();
  std::vector<Function *> kernelsOf(const llvm::GlobalVariable &variable);

  Module &module;
  Program &program;
  const bool instrument;
  ModuleSlotTracker slots;
  std::vector<Function *> originals;
  DenseMap<Function *, Function *> renewals;
  DenseSet<Function *> renewed, meeting;
  std::vector<llvm::GlobalVariable *> shared;
  std::set<std::string> unsupported;
};

void readTriple(const Function &function, StringRef attribute, unsigned (&values)[3]) {
  if (!function.hasFnAttribute(attribute))
    return;
  SmallVector<StringRef, 3> parts;
  function.getFnAttribute(attribute).getValueAsString().split(parts, ',');
  for (unsigned i = 0; i < 3; ++i) {
    values[i] = 1;
    if (i < parts.size())
      parts[i].trim().getAsInteger(10, values[i]);
  }
}

void Rewriter::describeKernels() {
  for (Function &function : module) {
    if (function.getCallingConv() != CallingConv::PTX_Kernel || function.isDeclaration())
      continue;
    Kernel &kernel = program.kernels[function.getName().str()];
    kernel.name = function.getName().str();
    readTriple(function, "nvvm.reqntid", kernel.requiredBlock);
    unsigned most[3] = {0, 0, 0};
    readTriple(function, "nvvm.maxntid", most);
    if (most[0] != 0)
      kernel.maxThreads = most[0] * most[1] * most[2];
    for (Argument &argument : function.args()) {
      Parameter parameter;
      parameter.pointer = argument.getType()->isPointerTy();
      parameter.bytes = module.getDataLayout().getTypeStoreSize(argument.getType());
      if (parameter.pointer) {
        parameter.extent = argument.getDereferenceableBytes();
        parameter.alignment = argument.getParamAlign().valueOrOne().value();
        parameter.readOnly = argument.onlyReadsMemory();
        parameter.noAlias = argument.hasNoAliasAttr();
      }
      if (argument.hasByValAttr())
        unsupported.insert("a byval parameter of kernel '" + kernel.name + "'");
      kernel.parameters.push_back(parameter);
    }
  }
}

void Rewriter::describeGlobals() {
  for (StringRef list : {"llvm.used", "llvm.compiler.used"})
    if (llvm::GlobalVariable *variable = module.getNamedGlobal(list))
      variable->eraseFromParent();
  for (llvm::GlobalVariable &variable : module.globals()) {
    if (variable.getName().starts_with("llvm."))
      continue;
    if (!variable.hasName())
      variable.setName("global");
    if (variable.getAddressSpace() == 3) {
      shared.push_back(&variable);
      continue;
    }
    if (variable.isDeclaration()) {
      unsupported.insert("the undefined global '" + variable.getName().str() + "'");
      continue;
    }
    // Visible, so that the JIT can say where it is.
    variable.setLinkage(GlobalValue::ExternalLinkage);
    variable.setVisibility(GlobalValue::DefaultVisibility);
    program.globals.push_back({variable.getName().str(), nullptr,
                               module.getDataLayout().getTypeAllocSize(variable.getValueType()),
                               variable.isConstant()});
  }
  unfoldShared();
}

/// Constant expressions of shared variables become instructions, which have a thread.
void Rewriter::unfoldShared() {
  std::vector<Constant *> constants(shared.begin(), shared.end());
  convertUsersOfConstantsToInstructions(constants);
}

/// Moves a function's body into one that takes the thread first.
void Rewriter::renew(Function &function) {
  SmallVector<Type *, 8> types{PointerType::get(module.getContext(), 0)};
  llvm::append_range(types, function.getFunctionType()->params());
  auto *type = FunctionType::get(function.getReturnType(), types, false);
  Function *renewal =
      Function::Create(type, GlobalValue::InternalLinkage, function.getName() + ".host", module);
  renewal->splice(renewal->begin(), &function);
  renewal->setSubprogram(function.getSubprogram());
  function.setSubprogram(nullptr);
  for (Argument &argument : function.args()) {
    Argument *with = renewal->getArg(argument.getArgNo() + 1);
    argument.replaceAllUsesWith(with);
    with->takeName(&argument);
  }
  renewals[&function] = renewal;
  renewed.insert(renewal);
}

/// The kernels that reach a use of a variable.
std::vector<Function *> Rewriter::kernelsOf(const llvm::GlobalVariable &variable) {
  SetVector<const Function *> functions;
  for (const User *user : variable.users())
    if (const auto *instruction = dyn_cast<Instruction>(user))
      functions.insert(instruction->getFunction());
  std::vector<Function *> kernels;
  for (size_t i = 0; i < functions.size(); ++i)
    for (Function *original : originals) {
      if (renewals[original] != functions[i])
        continue;
      if (program.find(original->getName().str()))
        kernels.push_back(original);
      for (const User *user : original->users())
        if (const auto *call = dyn_cast<CallInst>(user))
          functions.insert(call->getFunction());
    }
  return kernels;
}

/// Places shared variables one after another in each kernel that uses them, each at an address that
/// is aligned as PTX will say and not better: what relies on more is then misaligned.
void Rewriter::placeShared() {
  const DataLayout &layout = module.getDataLayout();
  for (llvm::GlobalVariable *variable : shared) {
    SharedVariable place;
    place.name = variable->getName().str();
    place.bytes = layout.getTypeAllocSize(variable->getValueType());
    place.dynamic = variable->isDeclaration() && place.bytes == 0;
    std::vector<Function *> kernels = kernelsOf(*variable);
    // What the PTX backend prints for a variable without an alignment.
    uint64_t alignment =
        variable->getAlign().value_or(layout.getPrefTypeAlign(variable->getValueType())).value();
    size_t end = 0;
    for (Function *kernel : kernels)
      end = std::max(end, program.kernels[kernel->getName().str()].sharedBytes);
    place.offset = (end + alignment - 1) / alignment * alignment;
    if (alignment < 128 && place.offset / alignment % 2 == 0)
      place.offset += alignment;
    for (Function *function : kernels) {
      Kernel &kernel = program.kernels[function->getName().str()];
      kernel.shared.push_back(program.sharedVariables.size());
      if (place.dynamic)
        continue;
      kernel.staticShared += place.bytes;
      kernel.sharedBytes = place.offset + place.bytes;
    }
    program.sharedVariables.push_back(place);
  }
  // Dynamic shared memory begins behind the static, as aligned as hardware has it.
  for (auto &[name, kernel] : program.kernels)
    kernel.sharedBytes = (kernel.sharedBytes + 15) / 16 * 16;
}

void Rewriter::rewriteBody(Function &function) {
  Function *original = nullptr;
  for (Function *candidate : originals)
    if (renewals[candidate] == &function)
      original = candidate;
  std::string kernel =
      program.find(original->getName().str()) ? original->getName().str() : std::string();
  slots.incorporateFunction(function);
  NvvmCalls calls(program, function, kernel, slots);
  std::vector<Instruction *> instructions;
  for (Instruction &instruction : llvm::instructions(function))
    instructions.push_back(&instruction);
  for (Instruction *instruction : instructions) {
    if (instrument)
      report(*instruction, calls);
    // Alignment is checked, not relied on.
    if (auto *load = dyn_cast<LoadInst>(instruction); load && !load->isAtomic())
      load->setAlignment(Align(1));
    if (auto *store = dyn_cast<StoreInst>(instruction); store && !store->isAtomic())
      store->setAlignment(Align(1));
    auto *call = dyn_cast<CallInst>(instruction);
    std::string name = call && call->getCalledFunction()
                           ? call->getCalledFunction()->getName().str()
                           : "an indirect call or inline assembly";
    if (call && !rewriteCall(*call, calls))
      unsupported.insert(name);
  }
  if (calls.meets)
    meeting.insert(&function);
}

bool Rewriter::rewriteCall(CallInst &call, NvvmCalls &calls) {
  Function *callee = call.getCalledFunction();
  if (!callee)
    return false;
  StringRef name = callee->getName();
  if (Function *renewal = renewals.lookup(callee)) {
    IRBuilder<> builder(&call);
    SmallVector<Value *, 8> arguments{call.getFunction()->getArg(0)};
    llvm::append_range(arguments, call.args());
    CallInst *with = builder.CreateCall(renewal, arguments);
    call.replaceAllUsesWith(with);
    call.eraseFromParent();
    return true;
  }
  if (name.consume_front("llvm.nvvm."))
    return calls.replace(call, name);
  return callee->isIntrinsic() || name.starts_with("cnnEmulator");
}

/// Before an access to memory: tells checker and model. Accesses to a thread's own variables, when
/// that is plain, are left out.
void Rewriter::report(Instruction &instruction, NvvmCalls &calls) {
  const DataLayout &layout = module.getDataLayout();
  IRBuilder<> builder(&instruction);
  auto access = [&](Value *address, Type *type, Align alignment, Site::Kind kind) {
    if (isa<AllocaInst>(getUnderlyingObject(address)))
      return;
    unsigned site =
        calls.addSite(instruction, kind, layout.getTypeStoreSize(type), alignment.value(), address);
    calls.callRuntime(builder, "cnnEmulatorAccess", builder.getVoidTy(),
                      {calls.toGeneric(builder, address), builder.getInt32(site)});
  };
  auto range = [&](Value *address, Value *bytes, MaybeAlign alignment, Site::Kind kind) {
    unsigned site = calls.addSite(instruction, kind, 0, alignment.valueOrOne().value(), address);
    calls.callRuntime(builder, "cnnEmulatorRange", builder.getVoidTy(),
                      {calls.toGeneric(builder, address),
                       builder.CreateZExtOrTrunc(bytes, builder.getInt64Ty()),
                       builder.getInt32(site)});
  };
  if (auto *load = dyn_cast<LoadInst>(&instruction))
    access(load->getPointerOperand(), load->getType(), load->getAlign(), Site::Load);
  else if (auto *store = dyn_cast<StoreInst>(&instruction))
    access(store->getPointerOperand(), store->getValueOperand()->getType(), store->getAlign(),
           Site::Store);
  else if (auto *atomic = dyn_cast<AtomicRMWInst>(&instruction))
    access(atomic->getPointerOperand(), atomic->getType(), atomic->getAlign(), Site::Atomic);
  else if (auto *exchange = dyn_cast<AtomicCmpXchgInst>(&instruction))
    access(exchange->getPointerOperand(), exchange->getCompareOperand()->getType(),
           exchange->getAlign(), Site::Atomic);
  else if (auto *copy = dyn_cast<MemTransferInst>(&instruction)) {
    range(copy->getSource(), copy->getLength(), copy->getSourceAlign(), Site::Load);
    range(copy->getDest(), copy->getLength(), copy->getDestAlign(), Site::Store);
  } else if (auto *fill = dyn_cast<MemSetInst>(&instruction))
    range(fill->getDest(), fill->getLength(), fill->getDestAlign(), Site::Store);
  else if (auto *other = dyn_cast<IntrinsicInst>(&instruction);
           other &&
           StringRef(Intrinsic::getBaseName(other->getIntrinsicID())).starts_with("llvm.masked."))
    unsupported.insert(Intrinsic::getBaseName(other->getIntrinsicID()).str() +
                       " in checked or model mode");
}

/// Uses of shared variables become offsets from the thread's shared memory.
void Rewriter::replaceShared(Function &function) {
  for (unsigned i = 0; i < shared.size(); ++i) {
    Value *address = nullptr;
    for (Use &use : make_early_inc_range(shared[i]->uses())) {
      auto *user = dyn_cast<Instruction>(use.getUser());
      if (!user || user->getFunction() != &function)
        continue;
      if (!address) {
        IRBuilder<> builder(&*function.getEntryBlock().getFirstInsertionPt());
        std::string none;
        NvvmCalls calls(program, function, none, slots);
        size_t offset = program.sharedVariables[i].offset;
        if (program.sharedVariables[i].dynamic)
          for (auto &[name, kernel] : program.kernels)
            if (llvm::is_contained(kernel.shared, i))
              offset = kernel.sharedBytes;
        address = builder.CreateAddrSpaceCast(
            builder.CreateConstGEP1_64(builder.getInt8Ty(), calls.sharedBase(builder), offset),
            shared[i]->getType());
      }
      use.set(address);
    }
  }
}

/// A function that calls one whose threads meet meets too.
void Rewriter::propagateMeets() {
  for (bool changed = true; changed;) {
    changed = false;
    for (Function *function : renewed)
      for (Instruction &instruction : llvm::instructions(*function))
        if (auto *call = dyn_cast<CallInst>(&instruction))
          if (meeting.contains(call->getCalledFunction()))
            changed |= meeting.insert(function).second;
  }
  for (auto &[name, kernel] : program.kernels)
    kernel.meets = meeting.contains(renewals[module.getFunction(name)]);
}

/// Where arguments are read from memory and the kernel is called.
void Rewriter::addEntry(Function &original) {
  if (!program.find(original.getName().str()))
    return;
  Type *pointer = PointerType::get(module.getContext(), 0);
  auto *type = FunctionType::get(Type::getVoidTy(module.getContext()), {pointer, pointer}, false);
  Function *entry = Function::Create(type, GlobalValue::ExternalLinkage,
                                     entryPrefix + original.getName(), module);
  entry->setVisibility(GlobalValue::DefaultVisibility);
  IRBuilder<> builder(BasicBlock::Create(module.getContext(), "", entry));
  Function *kernel = renewals[&original];
  SmallVector<Value *, 8> arguments{entry->getArg(0)};
  for (Argument &argument : drop_begin(kernel->args())) {
    Value *slot = builder.CreateConstGEP1_32(pointer, entry->getArg(1), argument.getArgNo() - 1);
    arguments.push_back(builder.CreateLoad(argument.getType(), builder.CreateLoad(pointer, slot)));
  }
  builder.CreateCall(kernel, arguments);
  builder.CreateRetVoid();
}

void Rewriter::removeShared() {
  for (llvm::GlobalVariable *variable : shared) {
    variable->replaceAllUsesWith(PoisonValue::get(variable->getType()));
    variable->eraseFromParent();
  }
}

} // namespace

bool rewrite(Module &module, Program &program, bool instrument, std::string &log) {
  return Rewriter(module, program, instrument).run(log);
}

} // namespace cnn::emulator
