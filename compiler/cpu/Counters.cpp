//===- Counters.cpp - Code that counts the time spent in kernels -----------------------------===//

#include "compiler/cpu/Counters.h"
#include "dialect/Timing.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace mlir::cnn;

Counters::Counters(ModuleOp module) {
  int64_t next = firstKernelCounter;
  for (func::FuncOp kernel : getTimedKernels(module)) {
    byName[kernel.getName()] = next++;
    if (kernel->getAttrOfType<DictionaryAttr>(timedAttr).contains("outer"))
      outer.insert(kernel.getName());
  }
  if (auto attr = module->getAttrOfType<IntegerAttr>(countersAttr))
    offset = attr.getInt();
}

int64_t Counters::find(StringRef kernel) const {
  auto found = byName.find(kernel);
  return found == byName.end() ? -1 : found->second;
}

Value Counters::readClock(OpBuilder &builder, Location loc) const {
  if (!*this)
    return {};
  // Timed code runs where it is compiled. A program may not read the cycles of an AArch64 core.
  bool x86 = llvm::Triple(llvm::sys::getDefaultTargetTriple()).isX86();
  StringRef intrinsic = x86 ? "llvm.readcyclecounter" : "llvm.readsteadycounter";
  return LLVM::CallIntrinsicOp::create(builder, loc, builder.getI64Type(),
                                       builder.getStringAttr(intrinsic), ValueRange())
      ->getResult(0);
}

void Counters::add(OpBuilder &builder, Location loc, Value scratch, int64_t counter,
                   Value start) const {
  if (!*this || counter < 0)
    return;
  Type i64 = builder.getI64Type(), i8 = builder.getI8Type();
  Value at = LLVM::ConstantOp::create(builder, loc, i64, offset + 8 * counter);
  Value address = LLVM::GEPOp::create(builder, loc, scratch.getType(), i8, scratch, ValueRange(at));
  Value ticks = LLVM::SubOp::create(builder, loc, readClock(builder, loc), start);
  Value before = LLVM::LoadOp::create(builder, loc, i64, address);
  LLVM::StoreOp::create(builder, loc, LLVM::AddOp::create(builder, loc, before, ticks), address);
}

void Counters::timeCalls(ModuleOp module) const {
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    if (!outer.contains(function.getName()))
      continue;
    function.walk([&](LLVM::CallOp call) {
      int64_t counter = call.getCallee() ? find(*call.getCallee()) : -1;
      if (counter < 0)
        return;
      OpBuilder builder(call);
      Value start = readClock(builder, call.getLoc());
      builder.setInsertionPointAfter(call);
      // A kernel's arguments are the work item, the scratch memory and its buffers.
      add(builder, call.getLoc(), function.getArgument(1), counter, start);
    });
  }
}
