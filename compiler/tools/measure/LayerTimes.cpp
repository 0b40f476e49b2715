// Counters of the workers -> medians over steps -> lines of a table.
#include "compiler/tools/measure/LayerTimes.h"

#include "runtime/train/Text.h"

#include <algorithm>
#include <chrono>

namespace cnn::tool {

/// More steps than these do not make medians better.
static constexpr size_t mostSteps = 20000;

/// The clock that compiled code reads (compiler/cpu/Counters.cpp).
static uint64_t readClock() {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t ticks;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#else
  return 0;
#endif
}

static double nowMilliseconds() {
  std::chrono::duration<double, std::milli> time =
      std::chrono::steady_clock::now().time_since_epoch();
  return time.count();
}

static double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  auto middle = values.begin() + values.size() / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

LayerTimes::LayerTimes(const Manifest &manifest, const Call &call, int workers)
    : timing(manifest.timing), call(call), workers(workers),
      ticks(Timing::firstKernel + manifest.timing.kernels.size()) {}

uint64_t *LayerTimes::counters(int worker) const {
  return reinterpret_cast<uint64_t *>(static_cast<char *>(call.scratch(worker)) + timing.counters);
}

void LayerTimes::start() {
  for (int worker = 0; worker < workers; ++worker)
    std::fill_n(counters(worker), ticks.size(), 0);
  firstTick = readClock();
  firstTime = nowMilliseconds();
}

void LayerTimes::record(double milliseconds) {
  bool keep = steps.size() < mostSteps;
  if (keep)
    steps.push_back(milliseconds);
  for (size_t counter = 0; counter < ticks.size(); ++counter) {
    double sum = 0;
    for (int worker = 0; worker < workers; ++worker) {
      sum += double(counters(worker)[counter]);
      counters(worker)[counter] = 0;
    }
    if (keep)
      ticks[counter].push_back(sum);
  }
}

void LayerTimes::finish() {
  uint64_t passed = readClock() - firstTick;
  millisecondsPerTick = passed > 0 ? (nowMilliseconds() - firstTime) / double(passed) : 0;
}

double LayerTimes::medianTicks(size_t counter) const { return median(ticks[counter]); }

std::vector<double> LayerTimes::leastOfKernels() const {
  std::vector<double> result;
  for (size_t i = 0; i < timing.kernels.size(); ++i) {
    const std::vector<double> &counted = ticks[Timing::firstKernel + i];
    result.push_back(counted.empty() ? 0
                                     : *std::min_element(counted.begin(), counted.end()) *
                                           millisecondsPerTick / workers);
  }
  return result;
}

double LayerTimes::leastOfSteps() const {
  return steps.empty() ? 0 : *std::min_element(steps.begin(), steps.end());
}

static std::string tileText(const TimedKernel &kernel) {
  std::string text;
  for (int64_t extent : kernel.tile)
    text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text.empty() ? text : text + formatText(", vector %lld", (long long)kernel.vector);
}

std::vector<LayerTime> LayerTimes::lines() const {
  // Parts of a layer belong together, although kernels of others may run between them.
  struct Layer {
    LayerTime line;
    std::vector<LayerTime> parts;
    size_t position = 0; // of the slowest part
    double slowest = -1;
  };
  std::vector<Layer> layers;
  auto toTime = [&](double counted) { return counted * millisecondsPerTick / workers; };
  for (size_t i = 0; i < timing.kernels.size(); ++i) {
    const TimedKernel &kernel = timing.kernels[i];
    double counted = medianTicks(Timing::firstKernel + i);
    if (counted <= 0 || kernel.isOuter) // what an outer kernel does itself is in the rest
      continue;
    auto layer = std::find_if(layers.begin(), layers.end(),
                              [&](const Layer &each) { return each.line.name == kernel.group; });
    if (layer == layers.end()) {
      layers.emplace_back().line.name = kernel.group;
      layer = layers.end() - 1;
    }
    LayerTime part = {kernel.name, kernel.algorithm, tileText(kernel), toTime(counted),
                      0,           kernel.cycles,    /*isPart=*/true,  /*isKernel=*/true};
    layer->line.milliseconds += part.milliseconds;
    layer->line.flops += kernel.flops;
    layer->line.cycles += part.cycles;
    if (part.milliseconds > layer->slowest) {
      layer->slowest = part.milliseconds;
      layer->position = i;
      // What converts or sums beside it is direct.
      if (layer->line.algorithm.empty() || kernel.algorithm != "direct")
        layer->line.algorithm = kernel.algorithm;
    } else if (layer->line.algorithm == "direct") {
      layer->line.algorithm = kernel.algorithm;
    }
    layer->line.tile = layer->parts.empty() ? part.tile : "";
    layer->parts.push_back(part);
  }
  std::sort(layers.begin(), layers.end(),
            [](const Layer &left, const Layer &right) { return left.position < right.position; });
  std::vector<LayerTime> result;
  double total = 0;
  for (const Layer &layer : layers) {
    total += layer.line.milliseconds;
    result.push_back(layer.line);
    if (layer.parts.size() > 1)
      result.insert(result.end(), layer.parts.begin(), layer.parts.end());
  }
  auto add = [&](const char *name, double milliseconds) {
    LayerTime line;
    line.name = name;
    line.milliseconds = milliseconds;
    line.isKernel = false;
    result.push_back(line);
  };
  double waiting = toTime(medianTicks(Timing::barrier));
  add("all kernels", total);
  add("waiting at barriers", waiting);
  add("rest", std::max(0.0, median(steps) - total - waiting));
  return result;
}

/// The cost model counts two multiply-adds of whole vectors per cycle.
double LayerTimes::predict(const LayerTime &line, double peak) const {
  double flopsPerCycle = 4.0 * double(timing.vectorBits) / 32;
  return peak > 0 ? line.cycles * flopsPerCycle / (peak * 1e6) : 0;
}

std::map<std::string, std::string> LayerTimes::algorithms() const {
  std::map<std::string, std::string> result;
  for (const LayerTime &line : lines())
    if (line.isKernel && !line.isPart)
      result[line.name] = line.algorithm;
  return result;
}

std::string LayerTimes::table(double peak) const {
  std::vector<std::vector<std::string>> rows = {
      {"layer", "algorithm", "tile", "ms", "share", "GFLOP/s", "of peak", "predicted ms"}};
  constexpr int leftColumns = 3;
  if (!errors.empty())
    rows[0].push_back("error");
  const int columns = int(rows[0].size());
  double total = 0; // a share of the step would depend on how busy the machine is
  for (const LayerTime &line : lines())
    total += line.isKernel && !line.isPart ? line.milliseconds : 0;
  for (const LayerTime &line : lines()) {
    double rate = line.milliseconds > 0 ? line.flops / line.milliseconds / 1e6 : 0;
    bool rated = rate > 0;
    rows.push_back({(line.isPart ? "  " : "") + line.name, line.algorithm, line.tile,
                    formatText("%.4f", line.milliseconds),
                    line.isKernel ? formatText("%.1f%%", 100 * line.milliseconds / total) : "",
                    rated ? formatText("%.0f", rate) : "",
                    rated && peak > 0 ? formatText("%.0f%%", 100 * rate / peak) : "",
                    line.isKernel && peak > 0 ? formatText("%.4f", predict(line, peak)) : ""});
    if (errors.empty())
      continue;
    auto error = line.isPart ? errors.end() : errors.find(line.name);
    rows.back().push_back(error == errors.end() ? "" : formatText("%.1e", error->second));
  }
  std::vector<int> widths(columns);
  for (const std::vector<std::string> &row : rows)
    for (int i = 0; i < columns; ++i)
      widths[i] = std::max(widths[i], displayWidth(row[i]));
  std::string text;
  for (const std::vector<std::string> &row : rows) {
    std::string line;
    for (int i = 0; i < columns; ++i)
      line += (i ? "  " : "") +
              (i < leftColumns ? padRight(row[i], widths[i]) : padLeft(row[i], widths[i]));
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

Json LayerTimes::json(double peak) const {
  Json all = Json::array();
  for (const LayerTime &line : lines()) {
    Json entry = {{"name", line.name}, {"ms", line.milliseconds}};
    if (line.isPart)
      entry["part"] = true;
    if (line.isKernel) {
      entry["algorithm"] = line.algorithm;
      entry["tile"] = line.tile;
      entry["cycles"] = line.cycles;
      if (peak > 0)
        entry["predicted_ms"] = predict(line, peak);
    }
    if (auto error = errors.find(line.name); error != errors.end() && !line.isPart)
      entry["error"] = error->second;
    if (line.flops > 0) {
      entry["gflop"] = line.flops / 1e9;
      if (peak > 0 && line.milliseconds > 0)
        entry["percent_of_peak"] = 100 * line.flops / line.milliseconds / 1e6 / peak;
    }
    all.push_back(entry);
  }
  return all;
}

} // namespace cnn::tool
