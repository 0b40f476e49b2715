// Processor names and features, checked against LLVM's tables; "native" asks the host. Of GPUs,
// the table is ours.
#include "compiler/emit/Target.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Host.h"
#include <algorithm>
#include <mutex>

using namespace cnn;

static void initializeNative() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
  });
}

static void initializeAll() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
  });
}

//===--------------------------------------------------------------------------------------------===//
// Kinds of targets, and GPUs
//===--------------------------------------------------------------------------------------------===//

static constexpr llvm::StringLiteral kindNames[] = {"cpu", "nvptx"};

llvm::StringRef cnn::targetName(TargetKind kind) { return kindNames[static_cast<size_t>(kind)]; }

llvm::Expected<TargetKind> cnn::parseTargetKind(llvm::StringRef name) {
  for (TargetKind kind : {TargetKind::Cpu, TargetKind::Nvptx})
    if (name == targetName(kind))
      return kind;
  return llvm::createStringError("unknown target '" + name.str() +
                                 "'\n  hint: the targets are cpu and nvptx (GPUs of NVIDIA)");
}

namespace {
struct Gpu {
  llvm::StringLiteral name;
  /// The lowest version of PTX that has it, times ten.
  unsigned ptx;
};
} // namespace

static constexpr Gpu gpus[] = {{"sm_75", 63}, {"sm_80", 70},  {"sm_86", 71},  {"sm_89", 78},
                               {"sm_90", 78}, {"sm_90a", 80}, {"sm_100", 86}, {"sm_120", 87}};
static constexpr llvm::StringLiteral defaultGpu = "sm_80";

llvm::Expected<Target> cnn::resolveGpu(llvm::StringRef name) {
  initializeAll();
  if (name == "native")
    name = defaultGpu;
  std::string names;
  for (const Gpu &gpu : gpus) {
    if (gpu.name == name)
      return Target{TargetKind::Nvptx, "nvptx64-nvidia-cuda", gpu.name.str(),
                    "+ptx" + std::to_string(gpu.ptx), /*isHost=*/false};
    names += (names.empty() ? "" : ", ") + gpu.name.str();
  }
  return llvm::createStringError(
      "unknown GPU '" + name.str() + "'\n  hint: known are " + names +
      "; code for one runs on all later ones, for sm_90a on its own alone");
}

//===--------------------------------------------------------------------------------------------===//
// CPUs
//===--------------------------------------------------------------------------------------------===//

static std::unique_ptr<llvm::MCSubtargetInfo> createSubtarget(llvm::StringRef triple,
                                                              llvm::StringRef cpu) {
  std::string error;
  llvm::Triple parsed{triple};
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(parsed, error);
  if (!target)
    return nullptr;
  return std::unique_ptr<llvm::MCSubtargetInfo>(
      target->createMCSubtargetInfo(parsed, cpu, /*Features=*/""));
}

static bool hasFeatureNamed(const llvm::MCSubtargetInfo &subtarget, llvm::StringRef name) {
  return llvm::any_of(subtarget.getAllProcessorFeatures(),
                      [&](const auto &feature) { return name == feature.Key; });
}

/// What the host has and its processor model has not, and the other way round.
static std::string hostFeatureChanges(const llvm::MCSubtargetInfo &model) {
  llvm::SmallVector<std::string> changes;
  for (const auto &feature : llvm::sys::getHostCPUFeatures()) {
    llvm::StringRef name = feature.getKey();
    if (hasFeatureNamed(model, name) &&
        model.checkFeatures(("+" + name).str()) != feature.getValue())
      changes.push_back(((feature.getValue() ? "+" : "-") + name).str());
  }
  llvm::sort(changes);
  return llvm::join(changes, ",");
}

static llvm::Error unknownCpu(llvm::StringRef cpu, llvm::ArrayRef<std::string> triples) {
  if (llvm::any_of(gpus, [&](const Gpu &gpu) { return gpu.name == cpu; }))
    return llvm::createStringError("'" + cpu.str() +
                                   "' is a GPU, and the target is cpu\n  hint: --target=nvptx");
  llvm::StringRef nearest;
  unsigned best = std::max<unsigned>(2, cpu.size() / 3) + 1;
  for (const std::string &triple : triples) {
    auto subtarget = createSubtarget(triple, "");
    if (!subtarget)
      continue;
    for (const auto &known : subtarget->getAllProcessorDescriptions()) {
      unsigned distance = cpu.edit_distance(known.Key, true, best);
      if (distance < best) {
        best = distance;
        nearest = known.Key;
      }
    }
  }
  std::string hint = nearest.empty() ? "'native' is the processor at hand, "
                                       "`llc-22 -mtriple=x86_64 -mcpu=help` lists the others"
                                     : "did you mean '" + nearest.str() + "'?";
  return llvm::createStringError("unknown processor '" + cpu.str() + "'\n  hint: " + hint);
}

static llvm::Error checkFeatures(const Target &target, llvm::StringRef features) {
  auto subtarget = createSubtarget(target.triple, target.cpu);
  llvm::SmallVector<llvm::StringRef> names;
  features.split(names, ',', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef feature : names) {
    if (!feature.starts_with("+") && !feature.starts_with("-"))
      return llvm::createStringError("feature '" + feature.str() +
                                     "' must start with + (add) or - (remove)");
    if (!hasFeatureNamed(*subtarget, feature.drop_front()))
      return llvm::createStringError("processor '" + target.cpu + "' knows no feature '" +
                                     feature.drop_front().str() + "'");
  }
  return llvm::Error::success();
}

llvm::Expected<Target> cnn::resolveTarget(llvm::StringRef cpu, llvm::StringRef features) {
  initializeNative();
  Target target;
  target.triple = llvm::sys::getProcessTriple();
  target.isHost = cpu == "native";
  target.cpu = target.isHost ? llvm::sys::getHostCPUName().str() : cpu.str();
  std::string triples[] = {target.triple, "x86_64-pc-linux-gnu", "aarch64-linux-gnu"};
  bool known = false;
  for (const std::string &triple : triples) {
    if (triple != target.triple)
      initializeAll();
    auto subtarget = createSubtarget(triple, "");
    known = subtarget && subtarget->isCPUStringValid(target.cpu);
    if (known) {
      target.triple = triple;
      break;
    }
  }
  if (!known)
    return unknownCpu(target.cpu, triples);
  if (target.isHost)
    target.features = hostFeatureChanges(*createSubtarget(target.triple, target.cpu));
  if (llvm::Error error = checkFeatures(target, features))
    return error;
  if (!features.empty())
    target.features += (target.features.empty() ? "" : ",") + features.str();
  return target;
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
cnn::createTargetMachine(const Target &target) {
  std::string error;
  llvm::Triple triple{target.triple};
  const llvm::Target *llvmTarget = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!llvmTarget)
    return llvm::createStringError("no code generator for '" + target.triple + "': " + error);
  llvm::TargetOptions options;
  std::unique_ptr<llvm::TargetMachine> machine(llvmTarget->createTargetMachine(
      triple, target.cpu, target.features, options, llvm::Reloc::PIC_, std::nullopt,
      llvm::CodeGenOptLevel::Aggressive));
  if (!machine)
    return llvm::createStringError("no code generator for '" + target.triple + "'");
  return machine;
}
