//===- Machine.cpp - What schedules need to know of a CPU ------------------------------------===//

#include "compiler/schedule/Machine.h"
#include "mlir/IR/Builders.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/Threading.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <memory>
#include <unistd.h>

using namespace mlir;
using namespace mlir::cnn;

FailureOr<Machine> Machine::get(StringRef cpu, function_ref<InFlightDiagnostic()> emitError) {
  llvm::InitializeAllTargetInfos();
  llvm::InitializeAllTargetMCs();
  bool host = cpu.empty() || cpu == "native";
  Machine machine;
  machine.cpu = host ? llvm::sys::getHostCPUName().str() : cpu.str();
  llvm::Triple triple(llvm::sys::getDefaultTargetTriple());
  std::string error;
  auto lookup = [&](const llvm::Triple &candidate) -> std::unique_ptr<llvm::MCSubtargetInfo> {
    const llvm::Target *target = llvm::TargetRegistry::lookupTarget(candidate, error);
    if (!target)
      return nullptr;
    std::unique_ptr<llvm::MCSubtargetInfo> info(target->createMCSubtargetInfo(candidate, "", ""));
    if (!info || !info->isCPUStringValid(machine.cpu))
      return nullptr;
    return std::unique_ptr<llvm::MCSubtargetInfo>(
        target->createMCSubtargetInfo(candidate, machine.cpu, ""));
  };
  std::unique_ptr<llvm::MCSubtargetInfo> info = lookup(triple);
  for (StringRef other : {"x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"})
    if (!info)
      info = lookup(triple = llvm::Triple(other));
  if (!info)
    return emitError() << "unknown CPU '" << machine.cpu
                       << "'; use native or a name LLVM knows, such as haswell, skylake-avx512, "
                          "znver4, sapphirerapids, neoverse-n1";
  if (triple.isX86()) {
    bool wide = info->checkFeatures("+avx512f");
    bool medium = info->checkFeatures("+avx2") && info->checkFeatures("+fma");
    machine.vectorBits = wide ? 512 : medium ? 256 : 128;
    machine.registers = wide ? 32 : 16;
  } else {
    machine.registers = 32;
  }
  if (host) {
    if (long bytes = sysconf(_SC_LEVEL1_DCACHE_SIZE); bytes > 0)
      machine.level1 = bytes;
    if (long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE); bytes > 0)
      machine.level2 = bytes;
    // What a large server reports is shared with other machines on it.
    if (long bytes = sysconf(_SC_LEVEL3_CACHE_SIZE); bytes > 0)
      machine.level3 = std::min<int64_t>(machine.level3, bytes);
    machine.cores = llvm::heavyweight_hardware_concurrency().compute_thread_count();
  }
  return machine;
}

FailureOr<Machine> Machine::get(ModuleOp module) {
  auto entries = module->getAttrOfType<DictionaryAttr>("cnn.machine");
  if (!entries)
    return module.emitError()
           << "the module has no cnn.machine; it must go through phase scheduled";
  Machine machine;
  auto read = [&](StringRef name, int64_t &value) {
    if (auto attr = entries.getAs<IntegerAttr>(name))
      value = attr.getInt();
  };
  if (auto cpu = entries.getAs<StringAttr>("cpu"))
    machine.cpu = cpu.str();
  read("vector_bits", machine.vectorBits);
  read("registers", machine.registers);
  read("l1", machine.level1);
  read("l2", machine.level2);
  read("l3", machine.level3);
  read("cores", machine.cores);
  if (machine.vectorBits < 64 || machine.vectorBits > 4096 || machine.registers < 4 ||
      machine.cores < 1)
    return module.emitError() << "cnn.machine describes no usable CPU: " << entries;
  return machine;
}

void Machine::record(ModuleOp module) const {
  Builder b(module.getContext());
  auto number = [&](StringRef name, int64_t value) {
    return b.getNamedAttr(name, b.getI64IntegerAttr(value));
  };
  module->setAttr(
      "cnn.machine",
      b.getDictionaryAttr({b.getNamedAttr("cpu", b.getStringAttr(cpu)),
                           number("vector_bits", vectorBits), number("registers", registers),
                           number("l1", level1), number("l2", level2), number("l3", level3),
                           number("cores", cores)}));
  module->setAttr("cnn.cpu", b.getStringAttr(cpu));
}
