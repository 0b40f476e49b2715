// What is tried, and in which order; see Tuner.h.
#include "compiler/tools/cnnc/Tuner.h"
#include "compiler/pipelines/Compile.h"
#include "compiler/schedule/Tuned.h"
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

/// How much less time something must take before it replaces what the cost model chooses: less is
/// noise.
static constexpr double worthWhile = 0.97;
/// Kernels below this share of a step keep their tiles.
static constexpr double worthTrying = 0.01;

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
    std::string name = group.getName().str(), content = getContent(group);
    if (!classOf.insert({name, content}).second)
      continue;
    classes[content].push_back(name);
    for (mlir::Operation &op : group.getBody().front())
      if (llvm::isa<mlir::cnn::ConvOp, mlir::cnn::ConvDataGradOp, mlir::cnn::ConvWeightGradOp>(op))
        convolutions.push_back(name);
  }
}

/// The group of phase `fused` that a kernel belongs to: `conv1.forward` of
/// `conv1.forward.winograd_product`; its own name where it is none's.
std::string Tuner::layerOf(llvm::StringRef kernel) const {
  for (llvm::StringRef name = kernel; !name.empty(); name = name.rsplit('.').first) {
    if (classOf.count(name.str()))
      return name.str();
    if (!name.contains('.'))
      break;
  }
  return kernel.str();
}

/// The time of a layer and of those that are equal to it.
double Tuner::classTime(const std::string &layer, const TunedRun &run) const {
  double sum = 0;
  for (const std::string &other : classes.at(classOf.at(layer)))
    if (auto found = run.layers.find(other); found != run.layers.end())
      sum += found->second;
  return sum;
}

/// The same of one of its kernels: the name is the layer's with `suffix`.
double Tuner::classTime(const std::string &layer, llvm::StringRef suffix,
                        const TunedRun &run) const {
  double sum = 0;
  for (const std::string &other : classes.at(classOf.at(layer)))
    if (auto found = run.kernels.find(other + suffix.str()); found != run.kernels.end())
      sum += found->second;
  return sum;
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
                ";chunk:" + std::to_string(nest.getChunk());
    layer.parts.push_back(part);
    auto outer = llvm::dyn_cast<GroupOp>(group->getParentOp());
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
  auto code = compile(**module, options);
  if (!code)
    return code.takeError();
  Result<Manifest> manifest = parseManifest((*code)->manifest().str());
  if (manifest.failed())
    return toError(manifest.status());
  CompiledNet result;
  result.manifest = std::move(*manifest);
  result.lookup = [code = std::shared_ptr<Executable>(std::move(*code))](std::string_view name) {
    return reinterpret_cast<cnn_entry>(code->lookup(llvm::StringRef(name.data(), name.size())));
  };
  return result;
}

/// Runs steps for a sixtieth of the budget, at least three, and keeps what each kernel took at
/// least, in this run and before.
llvm::Error Tuner::measure(const CompiledNet &code, TunedRun &run) {
  Result<std::unique_ptr<Session>> session = Session::create(code, *pool);
  if (session.failed())
    return toError(session.status());
  const Manifest &manifest = (*session)->manifest();
  Result<Call *> call = (*session)->call(entry.getName().str());
  if (call.failed())
    return toError(call.status());
  initializeState(manifest, 0, (*session)->state());
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
    (*call)->run();
    if (updates)
      (*session)->commit();
  };
  step();
  LayerTimes times(manifest, **call, pool->workers());
  times.start();
  Clock::time_point begin = Clock::now();
  for (int steps = 0; steps < 3 || secondsSince(begin) < budget / 60; ++steps) {
    Clock::time_point before = Clock::now();
    step();
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
  if (secondsSince(start) + 2 * longest + budget / 15 <= budget)
    return true;
  skipped.push_back(what);
  return false;
}

llvm::Expected<TunedRun *> Tuner::tryOut(const std::string &what, const TunedResult &wishes,
                                         ScheduledNet &net) {
  Clock::time_point begin = Clock::now();
  auto code = compileNet(wishes, net);
  if (!code)
    return code.takeError();
  runs.push_back(std::make_unique<TunedRun>());
  if (llvm::Error error = measure(*code, *runs.back()))
    return error;
  if (!modelRun) {
    modelRun = runs.back().get();
    modelCode = std::move(*code);
  }
  longest = std::max(longest, secondsSince(begin));
  llvm::errs() << llvm::format("%6.1f s  %-40s %10.4f ms\n", secondsSince(start), what.c_str(),
                               runs.back()->step);
  return runs.back().get();
}

//===--------------------------------------------------------------------------------------------===//
// What is tried
//===--------------------------------------------------------------------------------------------===//

llvm::Error Tuner::tryAlgorithms() {
  // What is possible, by asking for each of all layers; nothing is compiled for it.
  std::map<std::string, std::vector<std::string>> others;
  for (const char *algorithm :
       {"winograd4", "winograd2", "winograd3", "winograd6", "direct", "gather", "scatter"}) {
    TunedResult wishes;
    for (const std::string &layer : convolutions)
      wishes.algorithms[layer] = {algorithm, ""};
    ScheduledNet net;
    auto module = schedule(wishes, net);
    if (!module)
      return module.takeError();
    for (const std::string &layer : convolutions) {
      std::string got = net[layer].getAlgorithm();
      if (got != tried[layer].front().choice && !llvm::is_contained(others[layer], got))
        others[layer].push_back(got);
    }
  }
  size_t most = 0;
  for (const auto &[layer, choices] : others)
    most = std::max(most, choices.size());
  for (size_t i = 0; i < most; ++i) {
    std::string what = "other algorithms " + std::to_string(i + 1) + " of " + std::to_string(most);
    if (!hasTimeFor(what))
      continue;
    TunedResult wishes;
    for (const auto &[layer, choices] : others)
      if (i < choices.size())
        wishes.algorithms[layer] = {choices[i], ""};
    ScheduledNet net;
    auto run = tryOut(what, wishes, net);
    if (!run)
      return run.takeError();
    for (const auto &[layer, choices] : others)
      if (i < choices.size())
        tried[layer].push_back({choices[i], *run});
  }
  // A second look at what all is compared with: the machine may have been busier, or less busy.
  if (most > 0)
    if (llvm::Error error = measure(modelCode, *modelRun))
      return error;
  for (const std::string &layer : convolutions) {
    std::vector<Tried> &all = tried[layer];
    double least = worthWhile * classTime(layer, *all[0].run);
    for (size_t i = 1; i < all.size(); ++i)
      if (double time = classTime(layer, *all[i].run); time < least) {
        least = time;
        std::swap(all[0], all[i]);
      }
    if (all.size() > 1)
      best.algorithms[layer] = {all[0].choice, ""};
  }
  return llvm::Error::success();
}

/// Twice the tiles of a block, or half of them; empty where there is no such block.
static std::string getBlocks(const TunedLayer &layer, bool larger) {
  int64_t rows = layer.inBlock[0], columns = layer.inBlock[1];
  if (rows == 0)
    return "";
  if (larger)
    (columns < layer.tiles[1] ? columns : rows) *= 2;
  else
    (rows > 1 ? rows : columns) /= 2;
  if (rows < 1 || columns < 1 || (rows > layer.tiles[0] && rows > layer.inBlock[0]))
    return "";
  return joined({rows, std::min(columns, layer.tiles[1])});
}

llvm::Error Tuner::tryTiles() {
  ScheduledNet before;
  if (auto module = schedule(best, before); !module)
    return module.takeError();
  auto runOf = [&](const std::string &layer) -> TunedRun & {
    auto found = tried.find(layer);
    return found == tried.end() ? *modelRun : *found->second.front().run;
  };
  struct Found {
    double time, own; ///< of all that are equal, and of the first one alone
    std::string text, reason;
  };
  std::map<std::string, Found> blocks, tiles;
  for (int round : {1, 2, 3}) {
    std::string what = "blocks and tiles " + std::to_string(round) + " of 3";
    if (!hasTimeFor(what))
      continue;
    TunedResult wishes = best;
    bool any = false;
    std::map<std::string, std::string> askedBlocks;
    for (const auto &[layer, scheduled] : before) {
      if (!classOf.count(layer))
        continue;
      std::string other = round < 3 ? getBlocks(scheduled, round == 1) : "";
      if (!other.empty()) {
        wishes.algorithms[layer] = {scheduled.getAlgorithm() + ";blocks:" + other, ""};
        askedBlocks[layer] = other;
        any = true;
        continue;
      }
      for (const TunedPart &part : scheduled.parts) {
        auto time = runOf(layer).kernels.find(part.name);
        if (time == runOf(layer).kernels.end() || time->second < worthTrying * modelRun->sum())
          continue;
        bool inBlocks = scheduled.inBlock[0] > 0;
        wishes.schedules[part.name] = {"alternative:" + std::to_string(inBlocks ? 1 : round), ""};
        any = true;
      }
    }
    if (!any)
      continue;
    ScheduledNet net;
    auto run = tryOut(what, wishes, net);
    if (!run)
      return run.takeError();
    for (const auto &[layer, scheduled] : before) {
      if (!classOf.count(layer))
        continue;
      if (auto asked = askedBlocks.find(layer); asked != askedBlocks.end()) {
        double old = classTime(layer, runOf(layer)), time = classTime(layer, **run);
        if (time >= worthWhile * old || (blocks.count(layer) && blocks[layer].time <= time))
          continue;
        blocks[layer] = {time, (*run)->layers[layer],
                         scheduled.getAlgorithm() + ";blocks:" + asked->second, ""};
        tried[layer].insert(tried[layer].begin() + 1, Tried{blocks[layer].text, *run});
        continue;
      }
      for (const TunedPart &part : net[layer].parts) {
        auto same = llvm::find_if(scheduled.parts,
                                  [&](const TunedPart &other) { return other.name == part.name; });
        if (same == scheduled.parts.end() || same->tile == part.tile)
          continue;
        llvm::StringRef suffix = llvm::StringRef(part.name).drop_front(layer.size());
        double old = classTime(layer, suffix, runOf(layer)), time = classTime(layer, suffix, **run);
        if (time <= 0 || time >= worthWhile * old ||
            (tiles.count(part.name) && tiles[part.name].time <= time))
          continue;
        std::string reason;
        llvm::raw_string_ostream(reason)
            << "measured: tile " << part.tile << " "
            << llvm::format("%.4f ms, ", (*run)->kernels[part.name]) << same->tile << " "
            << llvm::format("%.4f ms", runOf(layer).kernels[part.name]);
        tiles[part.name] = {time, (*run)->kernels[part.name], part.text, reason};
      }
    }
  }
  for (const auto &[layer, found] : blocks) {
    best.algorithms[layer] = {found.text, ""};
    std::swap(tried[layer][0], *llvm::find_if(tried[layer], [&](const Tried &each) {
                return each.choice == found.text;
              }));
  }
  for (const auto &[part, found] : tiles) {
    std::string layer = layerOf(part);
    if (blocks.count(layer)) // their tiles were measured in other blocks
      continue;
    best.schedules[part] = {found.text, found.reason};
    gained[layer] += runOf(layer).kernels[part] - found.own;
  }
  return llvm::Error::success();
}

//===--------------------------------------------------------------------------------------------===//
// The result
//===--------------------------------------------------------------------------------------------===//

static std::string describe(llvm::StringRef choice) {
  auto [algorithm, rest] = choice.split(";blocks:");
  return rest.empty() ? algorithm.str() : (algorithm + " in blocks of " + rest).str();
}

/// The reasons, and the lines of the table.
void Tuner::explain() {
  for (const auto &[layer, scheduled] : model) {
    auto found = tried.find(layer);
    TunedLine line;
    line.layer = layer;
    line.model = scheduled.getAlgorithm();
    line.modelTime = line.bestTime = modelRun->layers[layer];
    line.best = line.model;
    if (found != tried.end() && found->second.size() > 1) {
      std::vector<Tried> all = found->second;
      std::sort(all.begin(), all.end(), [&, name = layer](auto &left, auto &right) {
        return left.run->layers[name] < right.run->layers[name];
      });
      std::string reason;
      llvm::raw_string_ostream out(reason);
      for (const Tried &each : all)
        out << (reason.empty() ? "measured: " : ", ") << describe(each.choice)
            << llvm::format(" %.4f ms", each.run->layers[layer]);
      best.algorithms[layer].reason = reason;
      line.best = describe(found->second.front().choice);
      line.bestTime = found->second.front().run->layers[layer];
    }
    if (auto tile = gained.find(layer); tile != gained.end()) {
      line.best += ", other tile";
      line.bestTime -= tile->second;
    }
    if (line.modelTime >= worthTrying * modelRun->sum() || line.best != line.model ||
        (found != tried.end() && found->second.size() > 1))
      lines.push_back(line);
  }
}

/// Compiles all that is best together; a step must be faster for it than as the cost model chooses.
llvm::Error Tuner::settle() {
  bool differs = !best.schedules.empty();
  for (const auto &[layer, choice] : best.algorithms)
    differs |= choice.choice != model[layer].getAlgorithm();
  modelStep = bestStep = modelRun->step;
  if (differs) {
    ScheduledNet net;
    auto code = compileNet(best, net);
    if (!code)
      return code.takeError();
    TunedRun ours, theirs;
    for ([[maybe_unused]] int round : {1, 2, 3}) {
      if (llvm::Error error = measure(*code, ours))
        return error;
      if (llvm::Error error = measure(modelCode, theirs))
        return error;
    }
    modelStep = theirs.step;
    bestStep = ours.step;
    llvm::errs() << llvm::format("%6.1f s  %-40s %10.4f ms\n", secondsSince(start),
                                 "the best of all", bestStep);
  }
  if (bestStep < 0.99 * modelStep)
    return llvm::Error::success();
  isModel = true;
  bestStep = modelStep;
  best.schedules.clear();
  for (auto &[layer, choice] : best.algorithms) {
    choice.choice = model[layer].getAlgorithm();
    if (differs)
      choice.reason += "; a whole step is fastest as the cost model chooses";
  }
  return llvm::Error::success();
}

llvm::Error Tuner::run() {
  Result<std::unique_ptr<ThreadPool>> made = ThreadPool::create(ThreadPool::availableProcessors());
  if (made.failed())
    return toError(made.status());
  pool = std::move(*made);
  auto first = tryOut("as the cost model chooses", TunedResult(), model);
  if (!first)
    return first.takeError();
  for (const std::string &layer : convolutions)
    tried[layer] = {{model[layer].getAlgorithm(), *first}};
  if (llvm::Error error = tryAlgorithms())
    return error;
  if (llvm::Error error = tryTiles())
    return error;
  explain();
  return settle();
}
