// The table of phases, and the loop that takes a module from one to the next: run the passes,
// verify, put the module into the state that its dump would have, write the dump.
#include "compiler/pipelines/Phases.h"
#include "compiler/cpu/Passes.h"
#include "compiler/emit/Manifest.h"
#include "compiler/emit/Target.h"
#include "compiler/lowering/Passes.h"
#include "compiler/nvptx/Passes.h"
#include "compiler/pipelines/LayerTable.h"
#include "compiler/pipelines/RecordedOptions.h"
#include "compiler/pipelines/Statistics.h"
#include "compiler/pipelines/TunedStore.h"
#include "compiler/schedule/GpuSchedule.h"
#include "compiler/schedule/Overrides.h"
#include "compiler/schedule/Passes.h"
#include "compiler/transforms/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <array>
#include <chrono>

using namespace cnn;
namespace passes = mlir::cnn;

//===--------------------------------------------------------------------------------------------===//
// The passes of each phase
//===--------------------------------------------------------------------------------------------===//

static void buildGrad(mlir::OpPassManager &manager, const PhaseOptions &options) {
  passes::DifferentiatePassOptions differentiate;
  differentiate.entries.assign(options.entries.begin(), options.entries.end());
  if (options.entries.empty() && options.mode.value_or(Mode::Infer) == Mode::Infer)
    differentiate.entries = {"infer"};
  differentiate.recipe = options.recipe;
  manager.addPass(passes::createSinkReluPass());
  manager.addPass(passes::createDifferentiatePass(differentiate));
}

static void buildFused(mlir::OpPassManager &manager, const PhaseOptions &options) {
  passes::FusePassOptions fuse;
  fuse.maxSize = options.fuse ? 0 : 1;
  manager.addPass(passes::createFoldBatchNormPass());
  manager.addPass(passes::createMergeConvolutionsPass());
  manager.addPass(passes::createTrimKernelsPass());
  manager.addPass(passes::createDecomposePass());
  manager.addPass(passes::createRecomputePass());
  manager.addPass(mlir::createCanonicalizerPass());
  manager.addPass(mlir::createCSEPass());
  manager.addPass(passes::createFusePass(fuse));
}

static void buildGpuSchedules(mlir::OpPassManager &manager, const PhaseOptions &options) {
  passes::ChooseGpuSchedulesPassOptions schedules;
  for (const auto &[key, value] : options.settings) {
    llvm::StringRef name = key;
    name.consume_front("schedule.");
    if (name == "layout")
      schedules.layout = value;
    else if (name == "precision")
      llvm::StringRef(value).getAsDouble(schedules.precision);
    else
      schedules.overrides.push_back(name.str() + "=" + value);
  }
  manager.addPass(passes::createChooseGpuSchedulesPass(schedules));
  manager.addPass(passes::createPreparePass());
  passes::FuseMomentsPassOptions moments;
  moments.overrides.assign(schedules.overrides.begin(), schedules.overrides.end());
  manager.addPass(passes::createFuseMomentsPass(moments));
}

static void buildScheduled(mlir::OpPassManager &manager, const PhaseOptions &options) {
  if (options.target == TargetKind::Nvptx)
    return buildGpuSchedules(manager, options);
  passes::ChooseLayoutsPassOptions layouts;
  layouts.cpu = options.cpu;
  passes::ChooseAlgorithmsPassOptions algorithms;
  passes::ChooseSchedulesPassOptions schedules;
  for (const auto &[key, value] : options.settings) {
    llvm::StringRef name = key;
    name.consume_front("schedule.");
    if (name == "layout")
      layouts.layout = value;
    else if (name == "seed")
      llvm::StringRef(value).getAsInteger(10, schedules.seed);
    else if (name == "precision")
      llvm::StringRef(value).getAsDouble(algorithms.precision);
    else if (name != "tuned")
      schedules.overrides.push_back(name.str() + "=" + value);
  }
  manager.addPass(passes::createChooseLayoutsPass(layouts));
  algorithms.overrides.assign(schedules.overrides.begin(), schedules.overrides.end());
  algorithms.seed = schedules.seed;
  manager.addPass(passes::createChooseAlgorithmsPass(algorithms));
  passes::ReadThroughPassOptions loads;
  loads.overrides = algorithms.overrides;
  loads.seed = schedules.seed;
  manager.addPass(passes::createReadThroughPass(loads));
  manager.addPass(passes::createFitHalosPass());
  manager.addPass(passes::createPreparePass());
  manager.addPass(passes::createSliceBatchPass());
  manager.addPass(passes::createChooseSchedulesPass(schedules));
  passes::FuseMomentsPassOptions moments;
  moments.overrides.assign(schedules.overrides.begin(), schedules.overrides.end());
  manager.addPass(passes::createFuseMomentsPass(moments));
}

/// Settings that no pass looks at.
static llvm::Error checkSettings(mlir::ModuleOp module, Phase from, const PhaseOptions &options) {
  for (const auto &[key, value] : options.settings) {
    llvm::StringRef name = key;
    name.consume_front("schedule.");
    auto fail = [&](const llvm::Twine &problem, llvm::StringRef hint) {
      auto error =
          mlir::emitError(mlir::cnn::getSettingLoc(module.getContext(), name + "=" + value));
      error << "schedule." << name << " " << problem;
      error.attachNote() << "hint: " << hint;
      return llvm::createStringError("a setting is wrong");
    };
    if (options.target == TargetKind::Nvptx && llvm::is_contained({"seed", "tuned"}, name))
      return fail("is a setting of target cpu", "leave it out, or compute on the CPU");
    int64_t seed = 0;
    if (name == "seed" && (llvm::StringRef(value).getAsInteger(10, seed) || seed < 0))
      return fail("is a whole number from 0, not '" + value + "'",
                  "such as schedule.seed=7, for schedules drawn at random");
    double precision = 0;
    if (name == "precision" &&
        (llvm::StringRef(value).getAsDouble(precision) || !(precision > 0 && precision <= 1)))
      return fail("is a number above 0 and at most 1, not '" + value + "'",
                  "such as schedule.precision=1e-6, the largest relative error of a layer");
    if (name == "tuned" && value != "on" && value != "off")
      return fail("is on or off, not '" + value + "'",
                  "off does without what cnnc --tune has stored");
    if (from >= Phase::Scheduled)
      return llvm::createStringError("--set " + key + ": the module is of phase '" +
                                     phaseName(from).str() + "', in which schedules are chosen");
  }
  return llvm::Error::success();
}

static void buildPlanned(mlir::OpPassManager &manager, const PhaseOptions &options) {
  passes::PlanPassOptions plan;
  plan.timed = options.timed;
  manager.addPass(passes::createPlanPass(plan));
}

static void buildTiled(mlir::OpPassManager &manager, const PhaseOptions &) {
  manager.addPass(passes::createTilePass());
}

static void buildVector(mlir::OpPassManager &manager, const PhaseOptions &) {
  manager.addNestedPass<mlir::func::FuncOp>(passes::createUnrollTilesPass());
  manager.addNestedPass<mlir::func::FuncOp>(passes::createExpandMathPass());
  manager.addNestedPass<mlir::func::FuncOp>(mlir::createCanonicalizerPass());
  manager.addNestedPass<mlir::func::FuncOp>(mlir::createCSEPass());
}

static void buildLlvm(mlir::OpPassManager &manager, const PhaseOptions &) {
  manager.addPass(passes::createLowerToLLVMPass());
}

static void buildGpu(mlir::OpPassManager &manager, const PhaseOptions &) {
  manager.addPass(passes::createBuildGpuKernelsPass());
  mlir::OpPassManager &kernels =
      manager.nest<mlir::gpu::GPUModuleOp>().nest<mlir::gpu::GPUFuncOp>();
  kernels.addPass(passes::createExpandMathPass());
  kernels.addPass(mlir::createCanonicalizerPass());
  kernels.addPass(mlir::createCSEPass());
  manager.addPass(passes::createCountGpuWorkPass());
}

static void buildNvvm(mlir::OpPassManager &manager, const PhaseOptions &) {
  manager.addPass(passes::createLowerToNvvmPass());
}

namespace {
struct PhaseEntry {
  Phase phase;
  llvm::StringLiteral name;
  llvm::StringLiteral summary;
  /// Adds the passes that lead here from the phase before; null where no pass does.
  void (*build)(mlir::OpPassManager &manager, const PhaseOptions &options);
  /// The only target that it belongs to; none: all of them.
  std::optional<TargetKind> target = std::nullopt;
};
} // namespace

static constexpr PhaseEntry table[] = {
    {Phase::Ast, "ast", "the parsed file", nullptr},
    {Phase::Cnn, "cnn", "the static graph: typed, shapes inferred, one operation per layer",
     nullptr},
    {Phase::Grad, "grad", "entry points: forward, loss, backward and update as one pure step",
     buildGrad},
    {Phase::Fused, "fused", "losses and updates decomposed, operations gathered into groups",
     buildFused},
    {Phase::Scheduled, "scheduled", "algorithm, layout and tiles chosen for the processor",
     buildScheduled},
    {Phase::Planned, "planned", "kernels on buffers; the step as launches over one arena",
     buildPlanned},
    {Phase::Tiled, "tiled", "loops over register tiles, inside kernels (cpu)", buildTiled,
     TargetKind::Cpu},
    {Phase::Vector, "vector", "vector code, one operation per register (cpu)", buildVector,
     TargetKind::Cpu},
    {Phase::Llvm, "llvm", "the LLVM dialect (cpu)", buildLlvm, TargetKind::Cpu},
    {Phase::Asm, "asm", "assembly (cpu)", nullptr, TargetKind::Cpu},
    {Phase::Obj, "obj", "an ELF object, with a C header beside it (cpu)", nullptr, TargetKind::Cpu},
    {Phase::Gpu, "gpu", "every kernel as the code of one thread (nvptx)", buildGpu,
     TargetKind::Nvptx},
    {Phase::Nvvm, "nvvm", "the kernels in the LLVM dialect (nvptx)", buildNvvm, TargetKind::Nvptx},
    {Phase::Ptx, "ptx", "PTX text, with a manifest beside it (nvptx)", nullptr, TargetKind::Nvptx},
    {Phase::Cubin, "cubin", "machine code of a GPU, by the CUDA toolkit's ptxas (nvptx)", nullptr,
     TargetKind::Nvptx},
};

static const PhaseEntry &entryOf(Phase phase) { return table[static_cast<size_t>(phase)]; }

llvm::StringRef cnn::phaseName(Phase phase) { return entryOf(phase).name; }
llvm::StringRef cnn::phaseSummary(Phase phase) { return entryOf(phase).summary; }

llvm::ArrayRef<Phase> cnn::allPhases() {
  static const std::vector<Phase> phases = [] {
    std::vector<Phase> list;
    for (const PhaseEntry &entry : table)
      list.push_back(entry.phase);
    return list;
  }();
  return phases;
}

llvm::ArrayRef<Phase> cnn::phasesOf(TargetKind target) {
  static const std::array<std::vector<Phase>, 2> phases = [] {
    std::array<std::vector<Phase>, 2> lists;
    for (const PhaseEntry &entry : table)
      for (TargetKind kind : {TargetKind::Cpu, TargetKind::Nvptx})
        if (entry.target.value_or(kind) == kind)
          lists[static_cast<size_t>(kind)].push_back(entry.phase);
    return lists;
  }();
  return phases[static_cast<size_t>(target)];
}

bool cnn::isPhaseOf(Phase phase, TargetKind target) {
  return entryOf(phase).target.value_or(target) == target;
}

/// The number of a phase among those of its target.
static size_t positionOf(Phase phase) {
  llvm::ArrayRef<Phase> phases = phasesOf(entryOf(phase).target.value_or(TargetKind::Cpu));
  return llvm::find(phases, phase) - phases.begin();
}

bool cnn::comesBefore(Phase before, Phase after) { return positionOf(before) < positionOf(after); }

Phase cnn::lastModulePhase(TargetKind target) {
  return target == TargetKind::Cpu ? Phase::Llvm : Phase::Nvvm;
}

Phase cnn::defaultPhase(TargetKind target) {
  return target == TargetKind::Cpu ? Phase::Obj : Phase::Ptx;
}

llvm::Expected<Phase> cnn::parsePhase(llvm::StringRef name) {
  const PhaseEntry *nearest = nullptr;
  unsigned best = 1 + std::max<unsigned>(1, name.size() / 3);
  std::string names;
  for (const PhaseEntry &entry : table) {
    if (entry.name == name)
      return entry.phase;
    unsigned distance = name.edit_distance(entry.name, true, best);
    if (distance < best) {
      best = distance;
      nearest = &entry;
    }
    names += (names.empty() ? "" : ", ") + entry.name.str();
  }
  return llvm::createStringError(
      "unknown phase '" + name.str() + "'\n  hint: " +
      (nearest ? "did you mean '" + nearest->name.str() + "'?" : "the phases are " + names));
}

//===--------------------------------------------------------------------------------------------===//
// Modules as text
//===--------------------------------------------------------------------------------------------===//

void cnn::printModule(mlir::ModuleOp module, llvm::raw_ostream &out) {
  mlir::OpPrintingFlags flags;
  flags.enableDebugInfo(/*enable=*/true, /*prettyForm=*/false);
  flags.printNameLocAsPrefix();
  module.print(out, flags);
  out << '\n';
}

/// Brings the lists of uses into the order that parsing the printed module gives. Passes and the
/// translation to LLVM IR walk them, so that otherwise a dump fed back could give other code.
static void normalize(mlir::ModuleOp module) {
  module->walk<mlir::WalkOrder::PostOrder>([](mlir::Operation *op) {
    for (mlir::OpOperand &operand : op->getOpOperands())
      operand.set(operand.get());
    for (mlir::BlockOperand &successor : op->getBlockOperands())
      successor.set(successor.get());
  });
}

//===--------------------------------------------------------------------------------------------===//
// From phase to phase
//===--------------------------------------------------------------------------------------------===//

std::string cnn::dumpPath(llvm::StringRef directory, Phase phase, llvm::StringRef extension) {
  std::string name;
  llvm::raw_string_ostream(name) << directory << '/' << llvm::format_decimal(positionOf(phase), 2)
                                 << '-' << phaseName(phase) << extension;
  for (size_t at = directory.size(); at < name.size(); ++at)
    if (name[at] == ' ')
      name[at] = '0';
  return name;
}

/// Through a file beside it, so that a full disk leaves the old one whole.
static llvm::Error writeText(const std::string &path, llvm::StringRef content) {
  std::string temporary = path + ".tmp";
  std::error_code error;
  llvm::raw_fd_ostream out(temporary, error);
  if (!error) {
    out << content;
    out.close();
    error = out.error();
    out.clear_error();
    if (!error)
      error = llvm::sys::fs::rename(temporary, path);
    if (error)
      llvm::sys::fs::remove(temporary);
  }
  return error ? llvm::createStringError(path + ": cannot write: " + error.message())
               : llvm::Error::success();
}

llvm::Error cnn::writeDump(llvm::StringRef directory, Phase phase, llvm::StringRef extension,
                           llvm::StringRef content) {
  if (std::error_code error = llvm::sys::fs::create_directories(directory))
    return llvm::createStringError(directory.str() + ": " + error.message());
  return writeText(dumpPath(directory, phase, extension), content);
}

static llvm::Error dumpModule(mlir::ModuleOp module, Phase phase, const PhaseOptions &options) {
  if (options.dumpDirectory.empty())
    return llvm::Error::success();
  std::string text;
  llvm::raw_string_ostream out(text);
  printModule(module, out);
  if (llvm::Error error = writeDump(options.dumpDirectory, phase, ".mlir", text))
    return error;
  if (phase != Phase::Scheduled)
    return llvm::Error::success();
  return writeText(options.dumpDirectory + "/layers.txt", layerTable(module));
}

static llvm::Error runPhase(mlir::ModuleOp module, const PhaseEntry &entry,
                            const PhaseOptions &options) {
  std::string net = module.getSymName().value_or("").str();
  if (!entry.build)
    return llvm::createStringError("this build has no passes to phase '" + entry.name.str() + "'");
  if (entry.phase == Phase::Scheduled) {
    if (llvm::Error error = setTarget(module, options))
      return error;
    if (options.target == TargetKind::Cpu)
      applyTuned(module, options);
  }
  std::string manifest;
  bool isLast = entry.phase == lastModulePhase(*options.target);
  if (isLast) {
    auto built = buildManifest(module);
    if (!built)
      return built.takeError();
    manifest = std::move(*built);
  }
  mlir::PassManager manager(module.getContext(), mlir::ModuleOp::getOperationName());
  manager.enableVerifier(false); // once, below
  entry.build(manager, options);
  if (failed(manager.run(module)) || failed(mlir::verify(module)))
    return llvm::createStringError("net '" + net + "' could not be compiled: phase '" +
                                   entry.name.str() + "' failed");
  if (entry.phase == Phase::Fused) {
    countFlops(module);
    if (mlir::cnn::isForGpu(module))
      countFusedBytes(module);
  }
  if (isLast)
    embedManifest(module, manifest);
  setPhase(module, entry.phase);
  dropOptions(module, entry.phase);
  normalize(module);
  return dumpModule(module, entry.phase, options);
}

PhaseTimer::PhaseTimer(llvm::StringRef name, bool enabled)
    : name(name), enabled(enabled), start(std::chrono::steady_clock::now()) {}

PhaseTimer::~PhaseTimer() {
  std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
  if (enabled)
    llvm::errs() << llvm::format("%-10s %8.1f ms\n", name.str().c_str(), time.count());
}

llvm::Error cnn::checkSchedule(mlir::ModuleOp module, const PhaseOptions &options) {
  auto from = getPhase(module);
  if (!from)
    return from.takeError();
  if (options.settings.empty() || *from >= Phase::Scheduled)
    return llvm::Error::success();
  mlir::OwningOpRef<mlir::ModuleOp> copy = module.clone();
  PhaseOptions silent = options;
  silent.dumpDirectory.clear();
  silent.timePhases = false;
  return runPhases(*copy, Phase::Scheduled, silent);
}

llvm::Error cnn::runPhases(mlir::ModuleOp module, Phase to, const PhaseOptions &given) {
  auto from = getPhase(module);
  if (!from)
    return from.takeError();
  PhaseOptions options = given;
  if (llvm::Error error = adoptOptions(module, *from, options))
    return error;
  for (Phase phase : {*from, to})
    if (!isPhaseOf(phase, *options.target))
      return llvm::createStringError(
          "phase '" + phaseName(phase).str() + "' is one of target " +
          targetName(*entryOf(phase).target).str() + ", and the module is compiled for " +
          targetName(*options.target).str() +
          "\n  hint: --target=" + targetName(*entryOf(phase).target).str());
  if (comesBefore(to, *from))
    return llvm::createStringError("the module is of phase '" + phaseName(*from).str() +
                                   "' already, which comes after '" + phaseName(to).str() + "'");
  module.getContext()->disableMultithreading(options.compileThreads == 1);
  normalize(module);
  if (llvm::Error error = dumpModule(module, *from, options))
    return error;
  if (llvm::Error error = checkSettings(module, *from, options))
    return error;
  for (Phase phase : phasesOf(*options.target)) {
    if (!comesBefore(*from, phase) || comesBefore(to, phase))
      continue;
    PhaseTimer timer(phaseName(phase), options.timePhases);
    if (llvm::Error error = runPhase(module, entryOf(phase), options))
      return error;
  }
  return llvm::Error::success();
}
