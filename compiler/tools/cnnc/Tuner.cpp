// What is tried, and in which order; see Tuner.h.
#include "compiler/tools/cnnc/Tuner.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace cnn;
using namespace cnn::tool;

/// How much less time something must take before it replaces what the cost model chooses: less is
/// noise.
static constexpr double worthWhile = 0.97;
/// Kernels below this share of a step keep their tiles.
static constexpr double worthTrying = 0.01;
/// What the cost model expects to take so many times as long as its own choice is not tried.
static constexpr double hopeless = 2;

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

/// All that was decided, as text.
static std::string getSignature(const ScheduledNet &net) {
  std::string text;
  for (const auto &[layer, scheduled] : net)
    for (const TunedPart &part : scheduled.parts)
      text += part.name + " " + part.text + "\n";
  return text;
}

static double getCycles(const ScheduledNet &net) {
  double cycles = 0;
  for (const auto &[layer, scheduled] : net)
    cycles += scheduled.cycles;
  return cycles;
}

llvm::Error Tuner::tryLayouts() {
  base = model;
  baseRun = modelRun;
  baseCode = modelCode;
  std::vector<std::string> seen = {getSignature(model)};
  std::string found;
  for (const char *layout : {"batch", "channels", "plain"}) {
    TunedResult wishes = {{layout, ""}, {}, {}};
    ScheduledNet net;
    if (auto module = schedule(wishes, net); !module)
      return module.takeError();
    std::string what = std::string("layout ") + layout;
    if (llvm::is_contained(seen, getSignature(net)) ||
        getCycles(net) > hopeless * getCycles(model) || !hasTimeFor(what))
      continue;
    seen.push_back(getSignature(net));
    CompiledNet code;
    auto run = tryOut(what, wishes, net, &code);
    if (!run)
      return run.takeError();
    if (llvm::Error error = measure(modelCode, *modelRun, budget / 60))
      return error;
    if ((*run)->sum() >= worthWhile * baseRun->sum() || (*run)->step >= baseRun->step)
      continue;
    best.layout.choice = layout;
    llvm::raw_string_ostream(best.layout.reason = "")
        << "measured: a step takes " << llvm::format("%.4f ms, ", (*run)->step)
        << llvm::format("%.4f ms otherwise", modelRun->step);
    base = net;
    baseRun = bestRun = *run;
    baseCode = std::move(code);
  }
  return llvm::Error::success();
}

llvm::Error Tuner::tryAlgorithms() {
  // What is possible, by asking for each of all layers; nothing is compiled for it.
  std::map<std::string, std::vector<std::string>> others;
  for (const char *algorithm : {"winograd4", "winograd2", "winograd3", "winograd6", "steps",
                                "direct", "gather", "scatter"}) {
    TunedResult wishes = {best.layout, {}, {}};
    for (const std::string &layer : convolutions)
      wishes.algorithms[layer] = {algorithm, ""};
    ScheduledNet net;
    auto module = schedule(wishes, net);
    if (!module)
      return module.takeError();
    for (const std::string &layer : convolutions) {
      std::string got = net[layer].getAlgorithm();
      if (got != base[layer].getAlgorithm() && !llvm::is_contained(others[layer], got) &&
          net[layer].cycles < hopeless * base[layer].cycles)
        others[layer].push_back(got);
    }
  }
  std::map<std::string, std::vector<std::string>> classes;
  size_t rounds = 0;
  for (const std::string &layer : convolutions)
    if (!others[layer].empty())
      classes[contents[layer] + base[layer].getAlgorithm() + llvm::join(others[layer], " ")]
          .push_back(layer);
  for (const auto &[content, members] : classes)
    rounds = std::max(rounds, getRounds(others[members[0]].size(), members.size()));
  for (size_t round = 0; round < rounds; ++round) {
    std::string what =
        "other algorithms " + std::to_string(round + 1) + " of " + std::to_string(rounds);
    if (!hasTimeFor(what))
      continue;
    TunedResult wishes = {best.layout, {}, {}};
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
  if (rounds == 0 || tried.empty())
    return llvm::Error::success();
  // A second look at what all is compared with: the machine may have been busier, or less busy.
  if (llvm::Error error = measure(baseCode, *baseRun, budget / 60))
    return error;
  for (auto &[layer, all] : tried)
    for (Tried &each : all)
      each.ratio = each.time / baseRun->layers[each.layer];
  for (const auto &[content, members] : classes) {
    const Tried *found = nullptr;
    for (const Tried &each : tried[members[0]])
      if (each.ratio < (found ? found->ratio : worthWhile))
        found = &each;
    Tried asChosen = {base[members[0]].getAlgorithm(), members[0]};
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
      before += baseRun->layers[layer];
      after += bestRun->layers[layer];
    }
    if (after <= before)
      continue;
    // Not so good where all layers have it: back to what the cost model chooses.
    std::string choice = best.algorithms[members[0]].choice;
    takeAlgorithm(members, {base[members[0]].getAlgorithm(), members[0]});
    for (const std::string &layer : members) {
      for (Tried &each : tried[layer])
        if (each.choice == choice)
          each = {choice, layer, bestRun->layers[layer], after / before};
      std::erase_if(bestRun->kernels,
                    [&](const auto &each) { return layerOf(each.first) == layer; });
      for (const auto &[kernel, time] : baseRun->kernels)
        if (layerOf(kernel) == layer)
          bestRun->kernels[kernel] = time;
      bestRun->layers[layer] = baseRun->layers[layer];
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
  return std::to_string(rows) + "x" + std::to_string(std::min(columns, layer.tiles[1]));
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
          Tried here = {asked->second, layer, time, time / baseRun->layers[layer]};
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
    all.insert(all.begin(), {base[layer].getAlgorithm(), layer, baseRun->layers[layer]});
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
  differs = !best.schedules.empty() || !best.layout.choice.empty();
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
    llvm::errs() << llvm::format("%6.1f s  %-40s %10.4f ms\n", elapsed(), "the best of all",
                                 ours.step);
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
  if (!best.layout.choice.empty())
    best = TunedResult(); // The rest was measured in another layout.
  for (auto &[layer, choice] : best.algorithms) {
    choice.choice = model[layer].getAlgorithm();
    if (differs)
      choice.reason += "; a whole step is fastest as the cost model chooses";
  }
  return llvm::Error::success();
}

llvm::Error Tuner::run() {
  Result<std::unique_ptr<CpuDevice>> made = CpuDevice::create(ThreadPool::availableProcessors());
  if (made.failed())
    return llvm::createStringError(made.message());
  device = std::move(*made);
  auto chosen = tryOut("as the cost model chooses", TunedResult(), model, &modelCode);
  if (!chosen)
    return chosen.takeError();
  modelRun = bestRun = *chosen;
  if (llvm::Error error = tryLayouts())
    return error;
  if (llvm::Error error = tryAlgorithms())
    return error;
  if (llvm::Error error = tryTiles())
    return error;
  explain();
  return settle();
}
