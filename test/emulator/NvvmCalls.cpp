// NVVM intrinsics as calls of Runtime.h or as plain LLVM IR.
#include "test/emulator/Rewrite.h"
#include "test/emulator/Runtime.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace cnn::emulator {

NvvmCalls::NvvmCalls(Program &program, Function &function, const std::string &kernel,
                     ModuleSlotTracker &slots)
    : program(program), function(function), module(*function.getParent()), kernel(kernel),
      slots(slots), thread(function.getArg(0)), i32(Type::getInt32Ty(module.getContext())),
      pointer(PointerType::get(module.getContext(), 0)) {}

/// What an address was computed from: a kernel's argument or a variable, when it is one only.
Base NvvmCalls::baseOf(Value *address) {
  SmallVector<const Value *, 4> objects;
  getUnderlyingObjects(address, objects, /*LI=*/nullptr, /*MaxLookup=*/0);
  if (objects.empty() || !all_equal(objects))
    return {};
  const Value *object = objects.front();
  if (const auto *argument = dyn_cast<Argument>(object); argument && !kernel.empty())
    return {Base::Argument, argument->getArgNo() - 1};
  const auto *variable = dyn_cast<llvm::GlobalVariable>(object);
  if (!variable)
    return {};
  for (unsigned i = 0; i < program.sharedVariables.size(); ++i)
    if (variable->getAddressSpace() == 3 && program.sharedVariables[i].name == variable->getName())
      return {Base::Shared, i};
  for (unsigned i = 0; i < program.globals.size(); ++i)
    if (program.globals[i].name == variable->getName())
      return {Base::Global, i};
  return {};
}

unsigned NvvmCalls::addSite(Instruction &instruction, Site::Kind kind, unsigned bytes,
                            unsigned alignment, Value *address) {
  Site site;
  site.kind = kind;
  site.bytes = bytes;
  site.alignment = alignment;
  if (address)
    site.base = baseOf(address);
  site.kernel = kernel;
  raw_string_ostream text(site.text);
  instruction.print(text, slots);
  if (const DebugLoc &location = instruction.getDebugLoc()) {
    text << " at ";
    location.print(text);
  }
  site.text.erase(0, site.text.find_first_not_of(' '));
  program.sites.push_back(std::move(site));
  return program.sites.size() - 1;
}

Value *NvvmCalls::callRuntime(IRBuilder<> &builder, StringRef name, Type *result,
                              ArrayRef<Value *> arguments) {
  SmallVector<Value *, 8> all{thread};
  all.append(arguments.begin(), arguments.end());
  SmallVector<Type *, 8> types;
  for (Value *value : all)
    types.push_back(value->getType());
  return builder.CreateCall(
      module.getOrInsertFunction(name, FunctionType::get(result, types, false)), all);
}

Value *NvvmCalls::toGeneric(IRBuilder<> &builder, Value *value) {
  return value->getType() == pointer ? value : builder.CreateAddrSpaceCast(value, pointer);
}

Value *NvvmCalls::buffer(unsigned words) {
  IRBuilder<> entry(&*function.getEntryBlock().getFirstInsertionPt());
  return entry.CreateAlloca(ArrayType::get(i32, words));
}

/// A 32-bit value of any type as i32.
Value *NvvmCalls::word(IRBuilder<> &builder, Value *value) {
  return value->getType() == i32 ? value : builder.CreateBitCast(value, i32);
}

/// A result of type `type` (a struct of 32-bit values, or one) from words in memory.
Value *NvvmCalls::unpack(IRBuilder<> &builder, Type *type, Value *words) {
  auto *structure = dyn_cast<StructType>(type);
  if (!structure)
    return builder.CreateLoad(type, words);
  Value *result = PoisonValue::get(type);
  for (unsigned i = 0; i < structure->getNumElements(); ++i) {
    Value *at = builder.CreateConstGEP1_32(i32, words, i);
    result =
        builder.CreateInsertValue(result, builder.CreateLoad(structure->getElementType(i), at), i);
  }
  return result;
}

/// A field of the thread, which never changes while the kernel runs.
static Value *loadField(IRBuilder<> &builder, Type *type, Value *thread, unsigned offset) {
  Value *at = builder.CreateConstGEP1_32(builder.getInt8Ty(), thread, offset);
  LoadInst *load = builder.CreateLoad(type, at);
  load->setMetadata(LLVMContext::MD_invariant_load, MDNode::get(type->getContext(), {}));
  return load;
}

Value *NvvmCalls::sharedBase(IRBuilder<> &builder) {
  return loadField(builder, pointer, thread, offsetof(Thread, shared));
}

Value *NvvmCalls::special(IRBuilder<> &builder, StringRef name) {
  if (name == "warpsize")
    return builder.getInt32(32);
  unsigned base = StringSwitch<unsigned>(name.split('.').first)
                      .Case("tid", Tid)
                      .Case("ntid", Ntid)
                      .Case("ctaid", Ctaid)
                      .Case("nctaid", Nctaid)
                      .Case("laneid", LaneId)
                      .Case("warpid", WarpId)
                      .Case("nwarpid", WarpCount)
                      .Default(~0u);
  unsigned axis = StringSwitch<unsigned>(name.split('.').second)
                      .Cases({"", "x"}, 0)
                      .Case("y", 1)
                      .Case("z", 2)
                      .Default(~0u);
  if (base == ~0u || axis == ~0u)
    return nullptr;
  return loadField(builder, i32, thread, offsetof(Thread, special) + 4 * (base + axis));
}

/// sync, arrive, red.{and,or,popc}; then [.aligned].{all,count}.
Value *NvvmCalls::barrier(IRBuilder<> &builder, CallInst &call, StringRef name) {
  StringRef operation = name.split('.').first;
  StringRef reduction = operation == "red" ? name.split('.').second.split('.').first : "";
  uint32_t flags =
      (name.contains("aligned") ? Aligned : 0) | (operation == "arrive" ? ArriveOnly : 0);
  Value *count = name.ends_with("count") ? call.getArgOperand(1) : builder.getInt32(0);
  Value *predicate = builder.getInt32(0);
  if (!reduction.empty())
    predicate = builder.CreateZExt(call.getArgOperand(call.arg_size() - 1), i32);
  Value *result = callRuntime(builder, "cnnEmulatorBarrier", i32,
                              {call.getArgOperand(0), count, builder.getInt32(flags), predicate,
                               builder.getInt32(addSite(call, Site::Meeting))});
  if (reduction == "or")
    return builder.CreateICmpNE(result, builder.getInt32(0));
  if (reduction != "and")
    return result;
  // "and" compares with the number of threads: the count given, or all of the block.
  Value *threads = count;
  if (name.ends_with("all"))
    threads =
        builder.CreateMul(builder.CreateMul(special(builder, "ntid.x"), special(builder, "ntid.y")),
                          special(builder, "ntid.z"));
  return builder.CreateICmpEQ(result, threads);
}

/// {up,down,bfly,idx}.{i32,f32}[p]
Value *NvvmCalls::shuffle(IRBuilder<> &builder, CallInst &call, StringRef name) {
  auto mode = StringSwitch<Shuffle>(name.split('.').first)
                  .Case("up", Shuffle::Up)
                  .Case("down", Shuffle::Down)
                  .Case("bfly", Shuffle::Butterfly)
                  .Default(Shuffle::Index);
  Value *valid = buffer(1);
  Value *result =
      callRuntime(builder, "cnnEmulatorShuffle", i32,
                  {builder.getInt32(uint32_t(mode)), call.getArgOperand(0),
                   word(builder, call.getArgOperand(1)), call.getArgOperand(2),
                   call.getArgOperand(3), valid, builder.getInt32(addSite(call, Site::Meeting))});
  auto *structure = dyn_cast<StructType>(call.getType());
  if (!structure)
    return builder.CreateBitCast(result, call.getType());
  result = builder.CreateBitCast(result, structure->getElementType(0));
  Value *both = builder.CreateInsertValue(PoisonValue::get(structure), result, 0);
  Value *inRange = builder.CreateTrunc(builder.CreateLoad(i32, valid), builder.getInt1Ty());
  return builder.CreateInsertValue(both, inRange, 1);
}

/// vote.{all,any,uni,ballot}.sync(mask, predicate), redux.sync.<operation>(value, mask)
Value *NvvmCalls::warpValue(IRBuilder<> &builder, CallInst &call, StringRef name) {
  if (name.consume_front("vote.")) {
    auto operation = StringSwitch<Vote>(name)
                         .Case("all.sync", Vote::All)
                         .Case("any.sync", Vote::Any)
                         .Case("uni.sync", Vote::Uniform)
                         .Default(Vote::Ballot);
    if (!name.ends_with(".sync"))
      return nullptr;
    Value *result = callRuntime(builder, "cnnEmulatorVote", i32,
                                {builder.getInt32(uint32_t(operation)), call.getArgOperand(0),
                                 builder.CreateZExt(call.getArgOperand(1), i32),
                                 builder.getInt32(addSite(call, Site::Meeting))});
    return builder.CreateTrunc(result, call.getType());
  }
  name.consume_front("redux.sync.");
  uint32_t operation = StringSwitch<uint32_t>(name)
                           .Case("add", uint32_t(Reduce::Add))
                           .Case("min", uint32_t(Reduce::Min))
                           .Case("max", uint32_t(Reduce::Max))
                           .Case("umin", uint32_t(Reduce::UMin))
                           .Case("umax", uint32_t(Reduce::UMax))
                           .Case("and", uint32_t(Reduce::And))
                           .Case("or", uint32_t(Reduce::Or))
                           .Case("xor", uint32_t(Reduce::Xor))
                           .Default(~0u);
  if (operation == ~0u)
    return nullptr;
  return callRuntime(builder, "cnnEmulatorReduce", i32,
                     {builder.getInt32(operation), call.getArgOperand(1), call.getArgOperand(0),
                      builder.getInt32(addSite(call, Site::Meeting))});
}

Value *NvvmCalls::matrix(IRBuilder<> &builder, CallInst &call, StringRef name) {
  for (unsigned shape = 0; shape < matrixShapeCount; ++shape) {
    if (name != matrixShapes[shape].name)
      continue;
    Value *in = buffer(16), *out = buffer(4);
    for (unsigned i = 0; i < call.arg_size(); ++i)
      builder.CreateStore(call.getArgOperand(i), builder.CreateConstGEP1_32(i32, in, i));
    callRuntime(builder, "cnnEmulatorMatrix", builder.getVoidTy(),
                {builder.getInt32(shape), in, out, builder.getInt32(addSite(call, Site::Meeting))});
    return unpack(builder, call.getType(), out);
  }
  return nullptr;
}

/// m8n8.x{1,2,4}[.trans].b16
Value *NvvmCalls::loadMatrix(IRBuilder<> &builder, CallInst &call, StringRef name) {
  unsigned count = 0;
  bool transposed = name.contains(".trans");
  if (!name.consume_front("m8n8.x") || name.consumeInteger(10, count) || !name.contains(".b16"))
    return nullptr;
  Value *out = buffer(4);
  unsigned site = addSite(call, Site::Load, 16, 16, call.getArgOperand(0));
  callRuntime(builder, "cnnEmulatorLoadMatrix", builder.getVoidTy(),
              {builder.getInt32(count), builder.getInt32(transposed),
               toGeneric(builder, call.getArgOperand(0)), out, builder.getInt32(site)});
  return unpack(builder, call.getType(), out);
}

/// {ca,cg}.shared.global.{4,8,16}[.s], commit.group, wait.group, wait.all
bool NvvmCalls::copyAsync(IRBuilder<> &builder, CallInst &call, StringRef name) {
  Type *none = builder.getVoidTy();
  if (name == "commit.group")
    return callRuntime(builder, "cnnEmulatorCommit", none, {});
  if (name == "wait.group")
    return callRuntime(builder, "cnnEmulatorWait", none, {call.getArgOperand(0)});
  if (name == "wait.all")
    return callRuntime(builder, "cnnEmulatorWait", none, {builder.getInt32(~0u)});
  unsigned bytes = 0;
  if (!(name.consume_front("ca.shared.global.") || name.consume_front("cg.shared.global.")) ||
      name.consumeInteger(10, bytes))
    return false;
  Value *destination = call.getArgOperand(0), *source = call.getArgOperand(1);
  Value *sourceBytes = name == ".s" ? call.getArgOperand(2) : builder.getInt32(bytes);
  // Two sites in a row: the write, then the read.
  unsigned site = addSite(call, Site::Store, bytes, bytes, destination);
  addSite(call, Site::Load, bytes, bytes, source);
  callRuntime(builder, "cnnEmulatorCopyAsync", none,
              {toGeneric(builder, destination), toGeneric(builder, source), builder.getInt32(bytes),
               sourceBytes, builder.getInt32(site)});
  return true;
}

bool NvvmCalls::replace(CallInst &call, StringRef name) {
  IRBuilder<> builder(&call);
  Value *result = nullptr;
  bool known = false, blocks = true;
  if (name.consume_front("read.ptx.sreg.")) {
    result = special(builder, name);
    blocks = false;
  } else if (name.consume_front("barrier.cta.")) {
    known = result = barrier(builder, call, name);
  } else if (name == "barrier0") {
    known = callRuntime(builder, "cnnEmulatorBarrier", i32,
                        {builder.getInt32(0), builder.getInt32(0), builder.getInt32(Aligned),
                         builder.getInt32(0), builder.getInt32(addSite(call, Site::Meeting))});
  } else if (name == "bar.warp.sync") {
    known = callRuntime(builder, "cnnEmulatorSyncWarp", builder.getVoidTy(),
                        {call.getArgOperand(0), builder.getInt32(addSite(call, Site::Meeting))});
  } else if (name.consume_front("shfl.sync.")) {
    result = shuffle(builder, call, name);
  } else if (name.starts_with("vote.") || name.starts_with("redux.sync.")) {
    result = warpValue(builder, call, name);
  } else if (name.consume_front("mma.")) {
    result = matrix(builder, call, name);
  } else if (name.consume_front("ldmatrix.sync.aligned.")) {
    result = loadMatrix(builder, call, name);
  } else if (name.consume_front("cp.async.")) {
    known = copyAsync(builder, call, name);
  } else if (name.starts_with("membar.") || name.starts_with("prefetch")) {
    known = true;
    blocks = false;
  } else {
    result = scalar(builder, call, name);
    blocks = false;
  }
  if (!known && !result)
    return false;
  meets |= blocks;
  if (!call.getType()->isVoidTy())
    call.replaceAllUsesWith(result);
  call.eraseFromParent();
  return true;
}

} // namespace cnn::emulator
