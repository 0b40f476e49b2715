// What is tried, and in which order; see Tuner.h.
#include "compiler/tools/cnnc/Tuner.h"
#include "compiler/pipelines/Compile.h"
#include "compiler/schedule/Tuned.h"
#include "compiler/tools/measure/LayerTimes.h"
#include "compiler/tools/measure/RandomBatch.h"
#include "dialect/CnnDialect.h"
#include "runtime/core/Init.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
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
/// What the cost model expects to take so many times as long as its own choice is not tried.
static constexpr double hopeless = 2;

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
                ";chunk:" + std::to_string(nest.getChunk());
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

/// Runs steps for so many seconds, at least three, and keeps what each kernel took at least, in
/// this run and before.
llvm::Error Tuner::measure(const CompiledNet &code, TunedRun &run, double seconds) {
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
  for (int steps = 0; steps < 3 || secondsSince(begin) < seconds; ++steps) {
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
  if (secondsSince(start) + longest + first + budget / 15 <= budget)
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
  if (llvm::Error error = measure(*code, *runs.back(), budget / 60))
    return error;
  if (!modelRun) {
    modelRun = bestRun = runs.back().get();
    modelCode = std::move(*code);
  }
  longest = std::max(longest, secondsSince(begin));
  if (first == 0)
    first = longest;
  llvm::errs() << llvm::format("%6.1f s  %-40s %10.4f ms\n", secondsSince(start), what.c_str(),
                               runs.back()->step);
  return runs.back().get();
}

//===--------------------------------------------------------------------------------------------===//
// What is tried
//===--------------------------------------------------------------------------------------------===//

/// Compilations that it takes for as many equal members to try so many choices among them.
static size_t getRounds(size_t choices, size_t members) {
  return members ? (choices + members - 1) / members : 0;
}

void Tuner::takeAlgorithm(const std::vector<std::string> &members, const Tried &found) {
  for (const std::string &member : members)
    best.algorithms[member] = {found.choice, ""};
}

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
      if (got != model[layer].getAlgorithm() && !llvm::is_contained(others[layer], got) &&
          net[layer].cycles < hopeless * model[layer].cycles)
        others[layer].push_back(got);
    }
  }
  std::map<std::string, std::vector<std::string>> classes;
  size_t rounds = 0;
  for (const std::string &layer : convolutions)
    if (!others[layer].empty())
      classes[contents[layer] + model[layer].getAlgorithm() + llvm::join(others[layer], " ")]
          .push_back(layer);
  for (const auto &[content, members] : classes)
    rounds = std::max(rounds, getRounds(others[members[0]].size(), members.size()));
  for (size_t round = 0; round < rounds; ++round) {
    std::string what =
        "other algorithms " + std::to_string(round + 1) + " of " + std::to_string(rounds);
    if (!hasTimeFor(what))
      continue;
    TunedResult wishes;
    for (const auto &[content, members] : classes)
      for (auto [i, layer] : llvm::enumerate(members))
        if (size_t at = round * members.size() + i; at < others[layer].size())
          wishes.algorithms[layer] = {others[layer][at], ""};
    ScheduledNet net;
    auto run = tryOut(what, wishes, net);
    if (!run)
      return run.takeError();
    for (const auto &[content, members] : classes)
      for (const std::string &layer : members)
        if (auto wish = wishes.algorithms.find(layer); wish != wishes.algorithms.end())
          for (const std::string &member : members)
            tried[member].push_back({wish->second.choice, layer, (*run)->layers[layer], 1});
  }
  if (skipped.size() == rounds)
    return llvm::Error::success();
  // A second look at what all is compared with: the machine may have been busier, or less busy.
  if (llvm::Error error = measure(modelCode, *modelRun, budget / 60))
    return error;
  for (auto &[layer, all] : tried)
    for (Tried &each : all)
      each.ratio = each.time / modelRun->layers[each.layer];
  for (const auto &[content, members] : classes) {
    const Tried *found = nullptr;
    for (const Tried &each : tried[members[0]])
      if (each.ratio < (found ? found->ratio : worthWhile))
        found = &each;
    Tried asChosen = {model[members[0]].getAlgorithm(), members[0]};
    takeAlgorithm(members, found ? *found : asChosen);
    differs |= found != nullptr;
  }
  if (!differs || !hasTimeFor("the best algorithms together"))
    return llvm::Error::success();
  ScheduledNet net;
  auto run = tryOut("the best algorithms together", best, net);
  if (!run)
    return run.takeError();
  bestRun = *run;
  for (const auto &[content, members] : classes) {
    double before = 0, after = 0;
    for (const std::string &layer : members) {
      before += modelRun->layers[layer];
      after += bestRun->layers[layer];
    }
    if (after <= before)
      continue;
    // Not so good where all layers have it: back to what the cost model chooses.
    std::string choice = best.algorithms[members[0]].choice;
    takeAlgorithm(members, {model[members[0]].getAlgorithm(), members[0]});
    for (const std::string &layer : members) {
      for (Tried &each : tried[layer])
        if (each.choice == choice)
          each = {choice, layer, bestRun->layers[layer], after / before};
      std::erase_if(bestRun->kernels,
                    [&](const auto &each) { return layerOf(each.first) == layer; });
      for (const auto &[kernel, time] : modelRun->kernels)
        if (layerOf(kernel) == layer)
          bestRun->kernels[kernel] = time;
      bestRun->layers[layer] = modelRun->layers[layer];
    }
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
  constexpr size_t choices = 3; // larger blocks, smaller ones, tiles; or three other tiles
  ScheduledNet before;
  if (auto module = schedule(best, before); !module)
    return module.takeError();
  std::map<std::string, std::vector<std::string>> classes;
  for (const auto &[layer, scheduled] : before)
    if (contents.count(layer)) {
      std::string key = contents[layer];
      for (const TunedPart &part : scheduled.parts)
        key += part.text;
      classes[key].push_back(layer);
    }
  // What was best in each class: other blocks, and other tiles by the rest of the kernel's name.
  std::map<std::string, Tried> blocks;
  std::map<std::string, std::map<std::string, TriedTile>> tiles;
  for (size_t round = 0; round < choices; ++round) {
    std::string what = "blocks and tiles " + std::to_string(round + 1) + " of 3";
    TunedResult wishes = best;
    std::map<std::string, std::string> askedBlocks;
    bool any = false;
    for (const auto &[content, members] : classes)
      for (auto [i, layer] : llvm::enumerate(members)) {
        size_t at = round * members.size() + i;
        if (at >= choices)
          continue;
        const TunedLayer &scheduled = before[layer];
        std::string other = at < 2 ? getBlocks(scheduled, /*larger=*/at == 0) : "";
        if (!other.empty()) {
          askedBlocks[layer] = scheduled.getAlgorithm() + ";blocks:" + other;
          wishes.algorithms[layer] = {askedBlocks[layer], ""};
          any = true;
          continue;
        }
        for (const TunedPart &part : scheduled.parts) {
          if (bestRun->kernels[part.name] < worthTrying * bestRun->sum())
            continue;
          size_t number = scheduled.inBlock[0] > 0 ? 1 : at + 1;
          wishes.schedules[part.name] = {"alternative:" + std::to_string(number), ""};
          any = true;
        }
      }
    if (!any || !hasTimeFor(what))
      continue;
    ScheduledNet net;
    auto run = tryOut(what, wishes, net);
    if (!run)
      return run.takeError();
    for (const auto &[content, members] : classes)
      for (const std::string &layer : members) {
        if (auto asked = askedBlocks.find(layer); asked != askedBlocks.end()) {
          double time = (*run)->layers[layer];
          Tried here = {asked->second, layer, time, time / modelRun->layers[layer]};
          for (const std::string &member : members)
            tried[member].push_back(here);
          if (time < worthWhile * bestRun->layers[layer] &&
              (!blocks.count(content) || here.ratio < blocks[content].ratio))
            blocks[content] = here;
          continue;
        }
        for (const TunedPart &part : net[layer].parts) {
          auto same = llvm::find_if(
              before[layer].parts, [&](const TunedPart &other) { return other.name == part.name; });
          auto time = (*run)->kernels.find(part.name);
          double old = bestRun->kernels[part.name];
          if (same == before[layer].parts.end() || same->tile == part.tile ||
              time == (*run)->kernels.end() || time->second >= worthWhile * old)
            continue;
          TriedTile &known = tiles[content][part.name.substr(layer.size())];
          if (double ratio = time->second / old; ratio < known.ratio)
            known = {part.text, part.tile, same->tile, part.name, time->second, old, ratio};
        }
      }
  }
  for (const auto &[content, members] : classes) {
    if (auto found = blocks.find(content); found != blocks.end()) {
      takeAlgorithm(members, found->second);
      continue; // Tiles were measured in other blocks.
    }
    for (const auto &[suffix, found] : tiles[content])
      for (const std::string &layer : members) {
        std::string reason;
        llvm::raw_string_ostream(reason)
            << "measured: tile " << found.tile << llvm::format(" %.4f ms, ", found.time)
            << found.beforeTile << llvm::format(" %.4f ms", found.before)
            << (found.part == layer + suffix ? "" : ", as " + found.part);
        best.schedules[layer + suffix] = {found.text, reason};
      }
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

/// The reasons of algorithms: all that was tried, the fastest first.
void Tuner::explain() {
  for (auto &[layer, choice] : best.algorithms) {
    std::vector<Tried> all = tried[layer];
    all.insert(all.begin(), {model[layer].getAlgorithm(), layer, modelRun->layers[layer]});
    std::sort(all.begin(), all.end(),
              [](const Tried &left, const Tried &right) { return left.ratio < right.ratio; });
    llvm::raw_string_ostream out(choice.reason);
    for (const Tried &each : all)
      out << (&each == &all.front() ? "measured: " : ", ") << describe(each.choice)
          << llvm::format(" %.4f ms", each.time)
          << (each.layer == layer ? "" : " (" + each.layer + ")");
  }
}

/// Compiles all that is best together; a step must be faster for it than as the cost model chooses.
llvm::Error Tuner::settle() {
  differs = !best.schedules.empty();
  for (const auto &[layer, choice] : best.algorithms)
    differs |= choice.choice != model[layer].getAlgorithm();
  TunedRun ours = *modelRun, theirs = *modelRun;
  ScheduledNet net = model;
  if (differs) {
    auto code = compileNet(best, net);
    if (!code)
      return code.takeError();
    ours = theirs = TunedRun();
    for ([[maybe_unused]] int round : {1, 2, 3}) {
      if (llvm::Error error = measure(*code, ours, budget / 120))
        return error;
      if (llvm::Error error = measure(modelCode, theirs, budget / 120))
        return error;
    }
    llvm::errs() << llvm::format("%6.1f s  %-40s %10.4f ms\n", secondsSince(start),
                                 "the best of all", ours.step);
  }
  modelStep = theirs.step;
  bestStep = ours.step;
  // Both: a step is longer on a machine that is busy, but the sum leaves out what is waited for.
  isModel = bestStep >= 0.99 * modelStep || ours.sum() >= 0.995 * theirs.sum();
  for (const auto &[layer, scheduled] : model) {
    TunedLine line = {layer, scheduled.getAlgorithm(), "", theirs.layers[layer],
                      ours.layers[layer]};
    auto chosen = best.algorithms.find(layer);
    line.best = describe(chosen == best.algorithms.end() ? line.model : chosen->second.choice);
    if (llvm::any_of(best.schedules,
                     [&, name = layer](const auto &part) { return layerOf(part.first) == name; }))
      line.best += ", other tile";
    if (line.modelTime >= worthTrying * theirs.sum() || line.best != line.model)
      lines.push_back(line);
  }
  if (!isModel)
    return llvm::Error::success();
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
  if (llvm::Error error = tryAlgorithms())
    return error;
  if (llvm::Error error = tryTiles())
    return error;
  explain();
  return settle();
}
