// How the net is scheduled, compiled and measured in one way; see Tuner.h.
#include "compiler/pipelines/Compile.h"
#include "compiler/schedule/Tuned.h"
#include "compiler/tools/cnnc/Tuner.h"
#include "compiler/tools/measure/CompileNet.h"
#include "compiler/tools/measure/LayerTimes.h"
#include "compiler/tools/measure/RandomBatch.h"
#include "dialect/CnnDialect.h"
#include "runtime/core/Init.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace cnn;
using namespace cnn::tool;
using mlir::cnn::GroupOp;
using mlir::cnn::NestScheduleAttr;

static double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

static llvm::Error toError(const Status &status) {
  return llvm::createStringError(status.message());
}

static std::string joined(llvm::ArrayRef<int64_t> numbers) {
  std::string text;
  llvm::raw_string_ostream out(text);
  llvm::interleave(numbers, out, "x");
  return text;
}

std::string TunedLayer::getAlgorithm() const {
  std::string found = "direct";
  for (const TunedPart &part : parts)
    if (part.algorithm != "direct")
      found = part.algorithm;
  return found;
}

double Tuner::elapsed() const { return secondsSince(start); }

double TunedRun::sum() const {
  double sum = 0;
  for (const auto &[layer, time] : layers)
    sum += time;
  return sum;
}

Tuner::Tuner(mlir::ModuleOp fused, mlir::func::FuncOp entry, const PhaseOptions &given,
             int64_t seconds)
    : fused(fused), entry(entry), phases(given), budget(double(seconds)), start(Clock::now()) {
  phases.settings = {{"schedule.tuned", "off"}}; // the rest stands in the module
  phases.dumpDirectory.clear();
  phases.timePhases = false;
  phases.timed = true;
  groupClasses();
}

//===--------------------------------------------------------------------------------------------===//
// Layers
//===--------------------------------------------------------------------------------------------===//

/// What a group computes, whatever it is called.
static std::string getContent(GroupOp group) {
  std::string text;
  llvm::raw_string_ostream out(text);
  GroupOp copy = group.clone();
  copy->setOperands({});
  for (mlir::Operation &op : copy.getBody().front())
    op.print(out, mlir::OpPrintingFlags().useLocalScope());
  copy->erase();
  return text;
}

void Tuner::groupClasses() {
  for (GroupOp group : entry.getOps<GroupOp>()) {
    std::string name = group.getName().str();
    if (!contents.insert({name, getContent(group)}).second)
      continue;
    for (mlir::Operation &op : group.getBody().front())
      if (llvm::isa<mlir::cnn::ConvOp, mlir::cnn::ConvDataGradOp, mlir::cnn::ConvWeightGradOp>(op))
        convolutions.push_back(name);
  }
}

/// The group of phase `fused` that a kernel belongs to: `conv1.forward` of
/// `conv1.forward.winograd_product`; its own name where it is none's.
std::string Tuner::layerOf(llvm::StringRef kernel) const {
  for (llvm::StringRef name = kernel; !name.empty(); name = name.rsplit('.').first) {
    if (contents.count(name.str()))
      return name.str();
    if (!name.contains('.'))
      break;
  }
  return kernel.str();
}

//===--------------------------------------------------------------------------------------------===//
// Compiling and measuring
//===--------------------------------------------------------------------------------------------===//

llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> Tuner::schedule(const TunedResult &wishes,
                                                                  ScheduledNet &net) {
  mlir::OwningOpRef<mlir::ModuleOp> module = fused.clone();
  auto function = module->lookupSymbol<mlir::func::FuncOp>(entry.getName());
  setTuned(function, wishes);
  if (llvm::Error error = runPhases(*module, Phase::Scheduled, phases))
    return error;
  net.clear();
  mlir::FailureOr<mlir::cnn::Machine> machine = mlir::cnn::Machine::get(*module);
  if (failed(machine))
    return llvm::createStringError("the module does not say what it is scheduled for");
  module->walk<mlir::WalkOrder::PreOrder>([&](GroupOp group) {
    TunedLayer &layer = net[layerOf(group.getName())];
    NestScheduleAttr nest = group.getNestSchedule();
    if (!nest)
      return;
    TunedPart part;
    part.name = group.getName().str();
    part.algorithm = nest.getAlgorithm().str();
    part.tile = joined(nest.getTile());
    part.text = part.algorithm + ";vector:" + std::to_string(nest.getVector()) +
                ";tile:" + part.tile + ";order:" + joined(nest.getOrder()) +
                ";chunk:" + std::to_string(nest.getChunk()) +
                ";collapse:" + std::to_string(nest.getCollapse());
    layer.parts.push_back(part);
    auto outer = llvm::dyn_cast<GroupOp>(group->getParentOp());
    auto space = mlir::cnn::ScheduleSpace::get(group, *machine, /*sliced=*/bool(outer));
    if (succeeded(space))
      layer.cycles += space->getCycles(mlir::cnn::NestSchedule::get(nest));
    for (auto window : group.getOps<mlir::cnn::WinogradInputOp>()) {
      auto type = llvm::cast<mlir::RankedTensorType>(window.getResult().getType());
      if (!outer || type.getDimSize(1) * type.getDimSize(2) == 1)
        continue;
      for (int axis : {0, 1}) {
        layer.inBlock[axis] = type.getDimSize(6 + axis);
        layer.tiles[axis] = type.getDimSize(6 + axis) * type.getDimSize(1 + axis);
      }
    }
  });
  return module;
}

llvm::Expected<CompiledNet> Tuner::compileNet(const TunedResult &wishes, ScheduledNet &net) {
  auto module = schedule(wishes, net);
  if (!module)
    return module.takeError();
  CompileOptions options;
  static_cast<PhaseOptions &>(options) = phases;
  options.settings.clear();
  options.useCache = false;
  auto code = compileToRun(**module, options);
  if (!code)
    return code.takeError();
  return std::move(code->net);
}

/// Runs steps for so many seconds, at least three, and keeps what each kernel took at least, in
/// this run and before.
llvm::Error Tuner::measure(const CompiledNet &code, TunedRun &run, double seconds) {
  Result<std::unique_ptr<Session>> session = Session::create(code, *device);
  if (session.failed())
    return toError(session.status());
  const Manifest &manifest = (*session)->manifest();
  Result<Call *> call = (*session)->call(entry.getName().str());
  if (call.failed())
    return toError(call.status());
  Result<void *> state = (*session)->state();
  if (state.failed())
    return toError(state.status());
  initializeState(manifest, 0, *state);
  // Learning rates and the like: small, so that all numbers stay finite.
  const std::vector<BufferSpec> &buffers = (*call)->entry().buffers;
  for (size_t i = 0; i < buffers.size(); ++i)
    if (buffers[i].role == BufferRole::Input && buffers[i].shape.empty())
      (*call)->set(int(i), buffers[i].name == "rows" ? double(manifest.batch) : 1e-3);
  Result<RandomBatch> batch = RandomBatch::make(**call, /*classes=*/1, /*number=*/0);
  if (batch.failed())
    return toError(batch.status());
  bool updates = (*call)->entry().find(BufferRole::StateOut) >= 0;
  auto step = [&] {
    Status status = (*call)->run();
    if (updates && status.isOk())
      (*session)->commit();
    return status;
  };
  if (Status status = step(); status.failed())
    return toError(status);
  LayerTimes times(manifest, **call, device->pool().workers());
  times.start();
  Clock::time_point begin = Clock::now();
  for (int steps = 0; steps < 3 || secondsSince(begin) < seconds; ++steps) {
    Clock::time_point before = Clock::now();
    if (Status status = step(); status.failed())
      return toError(status);
    times.record(1e3 * secondsSince(before));
  }
  times.finish();
  run.step = run.step > 0 ? std::min(run.step, times.leastOfSteps()) : times.leastOfSteps();
  std::vector<double> least = times.leastOfKernels();
  for (size_t i = 0; i < least.size(); ++i) {
    const TimedKernel &kernel = manifest.timing.kernels[i];
    if (kernel.isOuter || least[i] <= 0)
      continue;
    auto [known, isNew] = run.kernels.try_emplace(kernel.name, least[i]);
    known->second = std::min(known->second, least[i]);
  }
  run.layers.clear();
  for (const auto &[name, time] : run.kernels)
    run.layers[layerOf(name)] += time;
  return llvm::Error::success();
}

/// Whether there is time for another compilation and the last one, which settles the result.
bool Tuner::hasTimeFor(const std::string &what) {
  if (elapsed() + longest + first + budget / 15 <= budget)
    return true;
  skipped.push_back(what);
  return false;
}

llvm::Expected<TunedRun *> Tuner::tryOut(const std::string &what, const TunedResult &wishes,
                                         ScheduledNet &net, CompiledNet *keep) {
  Clock::time_point begin = Clock::now();
  auto code = compileNet(wishes, net);
  if (!code)
    return code.takeError();
  runs.push_back(std::make_unique<TunedRun>());
  if (llvm::Error error = measure(*code, *runs.back(), budget / 60))
    return error;
  if (keep)
    *keep = std::move(*code);
  longest = std::max(longest, secondsSince(begin));
  if (first == 0)
    first = longest;
  llvm::errs() << llvm::format("%6.1f s  %-40s %10.4f ms\n", elapsed(), what.c_str(),
                               runs.back()->step);
  return runs.back().get();
}
