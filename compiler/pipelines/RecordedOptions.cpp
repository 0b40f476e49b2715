#include "compiler/pipelines/RecordedOptions.h"
#include "compiler/emit/Target.h"
#include "compiler/schedule/GpuSchedule.h"
#include "compiler/schedule/Precision.h"
#include "compiler/schedule/Tuned.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

using namespace cnn;

static constexpr llvm::StringLiteral phaseAttribute = "cnn.phase";
static constexpr llvm::StringLiteral modeAttribute = "cnn.mode";
static constexpr llvm::StringLiteral fuseAttribute = "cnn.fuse";
static constexpr llvm::StringLiteral settingsAttribute = "cnn.settings";
static constexpr llvm::StringLiteral cpuAttribute = "cnn.cpu";
static constexpr llvm::StringLiteral featuresAttribute = "cnn.features";

llvm::Expected<Phase> cnn::getPhase(mlir::ModuleOp module) {
  auto name = module->getAttrOfType<mlir::StringAttr>(phaseAttribute);
  if (!name)
    return llvm::createStringError("the module has no attribute 'cnn.phase'\n  hint: dumps of cnnc "
                                   "have it; write module @net attributes {cnn.phase = \"cnn\"}");
  return parsePhase(name.getValue());
}

void cnn::setPhase(mlir::ModuleOp module, Phase phase) {
  module->setAttr(phaseAttribute, mlir::StringAttr::get(module.getContext(), phaseName(phase)));
}

static llvm::Error takeTarget(mlir::ModuleOp module, Phase from, PhaseOptions &options) {
  mlir::Builder builder(module.getContext());
  TargetKind recorded = TargetKind::Cpu;
  if (auto name = module->getAttrOfType<mlir::StringAttr>(mlir::cnn::targetAttr)) {
    auto kind = parseTargetKind(name.getValue());
    if (!kind)
      return kind.takeError();
    recorded = *kind;
  }
  TargetKind kind = options.target.value_or(recorded);
  options.target = kind;
  if (kind == recorded)
    return llvm::Error::success();
  if (from >= Phase::Scheduled)
    return llvm::createStringError(
        "the module was compiled for target " + targetName(recorded).str() + " already, not for " +
        targetName(kind).str() + "\n  hint: begin with a dump of phase 'fused' or earlier");
  // What was recorded for the other target says nothing about this one.
  if (module->hasAttr(mlir::cnn::targetAttr))
    for (llvm::StringRef name : {cpuAttribute, featuresAttribute, settingsAttribute})
      module->removeAttr(name);
  if (kind == TargetKind::Cpu)
    module->removeAttr(mlir::cnn::targetAttr);
  else
    module->setAttr(mlir::cnn::targetAttr, builder.getStringAttr(targetName(kind)));
  return llvm::Error::success();
}

TargetKind cnn::getTargetKind(mlir::ModuleOp module, const PhaseOptions &options) {
  if (options.target)
    return *options.target;
  return mlir::cnn::isForGpu(module) ? TargetKind::Nvptx : TargetKind::Cpu;
}

llvm::Error cnn::adoptOptions(mlir::ModuleOp module, Phase from, PhaseOptions &options) {
  mlir::Builder builder(module.getContext());
  if (llvm::Error error = takeTarget(module, from, options))
    return error;
  if (from == Phase::Cnn) {
    if (auto name = module->getAttrOfType<mlir::StringAttr>(modeAttribute)) {
      if (name.getValue() != "train" && name.getValue() != "infer")
        return llvm::createStringError("the module's 'cnn.mode' is '" + name.getValue().str() +
                                       "', expected infer or train");
      if (!options.mode)
        options.mode = name.getValue() == "train" ? Mode::Train : Mode::Infer;
    }
    if (options.mode)
      module->setAttr(modeAttribute,
                      builder.getStringAttr(*options.mode == Mode::Train ? "train" : "infer"));
  }
  if (from < Phase::Fused) {
    if (auto fuse = module->getAttrOfType<mlir::BoolAttr>(fuseAttribute))
      options.fuse &= fuse.getValue();
    if (!options.fuse)
      module->setAttr(fuseAttribute, builder.getBoolAttr(false));
  }
  if (from < Phase::Scheduled) {
    auto take = [&](llvm::StringRef attribute, std::string &option, llvm::StringRef open) {
      auto recorded = module->getAttrOfType<mlir::StringAttr>(attribute);
      if (recorded && option == open)
        option = recorded.getValue();
      if (option != open)
        module->setAttr(attribute, builder.getStringAttr(option));
    };
    take(cpuAttribute, options.cpu, "native");
    take(featuresAttribute, options.features, "");
    std::vector<std::pair<std::string, std::string>> settings;
    if (auto recorded = module->getAttrOfType<mlir::ArrayAttr>(settingsAttribute))
      for (auto text : recorded.getAsRange<mlir::StringAttr>()) {
        auto [key, value] = text.getValue().split('=');
        settings.emplace_back(key, value);
      }
    settings.insert(settings.end(), options.settings.begin(), options.settings.end());
    options.settings = std::move(settings);
    llvm::SmallVector<std::string> texts;
    for (const auto &[key, value] : options.settings)
      texts.push_back(key + "=" + value);
    if (!texts.empty())
      module->setAttr(settingsAttribute, builder.getStrArrayAttr(llvm::SmallVector<llvm::StringRef>(
                                             texts.begin(), texts.end())));
  }
  return llvm::Error::success();
}

void cnn::dropOptions(mlir::ModuleOp module, Phase phase) {
  if (phase == Phase::Grad)
    module->removeAttr(modeAttribute);
  if (phase == Phase::Fused)
    module->removeAttr(fuseAttribute);
  if (phase == Phase::Scheduled) {
    module->removeAttr(settingsAttribute);
    module->removeAttr(mlir::cnn::precisionAttr);
    for (auto entry : module.getOps<mlir::func::FuncOp>())
      for (llvm::StringRef name : {mlir::cnn::tunedAttr, mlir::cnn::tunedLayoutAttr})
        entry->removeAttr(name);
  }
}

llvm::Expected<Target> cnn::getTarget(mlir::ModuleOp module, const PhaseOptions &options) {
  auto cpu = module->getAttrOfType<mlir::StringAttr>(cpuAttribute);
  auto phase = getPhase(module);
  if (!phase)
    return phase.takeError();
  bool isDevice = getTargetKind(module, options) == TargetKind::Nvptx;
  if (!cpu || *phase < Phase::Scheduled)
    return isDevice ? resolveGpu(options.cpu) : resolveTarget(options.cpu, options.features);
  if (options.cpu != "native" && options.cpu != cpu.getValue())
    return llvm::createStringError("the module was compiled for '" + cpu.getValue().str() +
                                   "' already, not for '" + options.cpu +
                                   "'\n  hint: begin with a dump of phase 'fused' or earlier");
  if (isDevice)
    return resolveGpu(cpu.getValue());
  auto features = module->getAttrOfType<mlir::StringAttr>(featuresAttribute);
  return resolveTarget(cpu.getValue(), features ? features.getValue() : "");
}

llvm::Error cnn::setTarget(mlir::ModuleOp module, const PhaseOptions &options) {
  auto target = getTarget(module, options);
  if (!target)
    return target.takeError();
  mlir::Builder builder(module.getContext());
  module->setAttr(cpuAttribute, builder.getStringAttr(target->cpu));
  // A GPU's follow from its name.
  if (target->kind == TargetKind::Cpu && !target->features.empty())
    module->setAttr(featuresAttribute, builder.getStringAttr(target->features));
  return llvm::Error::success();
}
