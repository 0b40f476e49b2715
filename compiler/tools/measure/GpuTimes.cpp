// Table and JSON of the launches of a step.
#include "compiler/tools/measure/GpuTimes.h"

#include "runtime/train/Text.h"

#include <algorithm>

namespace cnn::tool {

Result<GpuTimes> GpuTimes::make(const Manifest &manifest, const EntryPoint &entry,
                                const GpuLimits *gpu) {
  GpuTimes times(manifest, entry, gpu);
  if (!gpu)
    return times;
  Result<StepPrediction> predicted = predictStep(manifest, entry, *gpu);
  if (predicted.failed())
    return predicted.status();
  times.prediction = std::move(*predicted);
  return times;
}

/// The median of the steps, in milliseconds.
double GpuTimes::measured(size_t launch) const {
  std::vector<double> values;
  for (const std::vector<double> &step : steps)
    values.push_back(step[launch]);
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

static int64_t product(const std::array<int64_t, 3> &extents) {
  return extents[0] * extents[1] * extents[2];
}

/// "1.2e-05 GFLOP" helps nobody: at least two digits, at most two after the point.
static std::string amountText(double value) {
  return value <= 0 ? "" : formatText(value < 0.1 ? "%.4f" : value < 10 ? "%.2f" : "%.0f", value);
}

/// "conv1.nonfinite and 8 more": a launch may compute as many groups as a net has parameters.
static std::string shortLayer(const std::string &layer) {
  size_t first = layer.find(", "), more = 0;
  for (size_t at = first; at != std::string::npos; at = layer.find(", ", at + 1))
    ++more;
  return more == 0 ? layer : formatText("%s and %zu more", layer.substr(0, first).c_str(), more);
}

std::string GpuTimes::floorsText() const {
  StepFloors floors = getFloors(*manifest, *entry, *gpu);
  double megabytes = floors.memory * gpu->memory / 1e6;
  std::string text =
      formatText("No %s is faster than: %.4g ms for %.4g GFLOP at %.0f TFLOP/s", gpu->text,
                 1e3 * floors.fma, entry->flops / 1e9, gpu->rate("fma", manifest->element) / 1e12);
  if (manifest->element == ElementType::F32)
    text += formatText(" (tf32, %.0f: %.4g ms; bf16, %.0f: %.4g ms)", gpu->tf32 / 1e12,
                       1e3 * floors.tf32, gpu->bf16 / 1e12, 1e3 * floors.bf16);
  text +=
      formatText(";\n%.4g ms for the %.4g MB of products and poolings, were all else computed with "
                 "them; %.4g ms for the %.4g MB that these kernels read and write, each once",
                 1e3 * floors.fused, entry->fusedBytes / 1e6, 1e3 * floors.memory, megabytes);
  if (prediction->fitsL2)
    text += ", but all of it fits L2";
  text += formatText(";\n%.4g ms for starting %zu kernels one after the other.\n",
                     1e3 * floors.launches, entry->launches.size());
  if (prediction->copies > 0)
    text +=
        formatText("The next batch is copied meanwhile, in %.4g ms.\n", 1e3 * prediction->copies);
  return text;
}

std::string GpuTimes::table() const {
  std::vector<std::string> head = {"layer",   "algorithm", "units", "blocks",
                                   "threads", "GFLOP",     "MB"};
  constexpr size_t leftColumns = 3;
  if (prediction)
    head.insert(head.end(), {"rounds", "predicted us", "bound by"});
  if (!steps.empty())
    head.push_back("measured us");
  if (prediction && !steps.empty())
    head.push_back("ratio");
  std::vector<std::vector<std::string>> rows = {head};
  double allFlops = 0, allBytes = 0, allMeasured = 0;
  for (size_t i = 0; i < entry->launches.size(); ++i) {
    const Launch &launch = entry->launches[i];
    LaunchWork work = launch.work.value_or(LaunchWork());
    double bytes = double(work.bytesRead + work.bytesWritten);
    std::vector<std::string> row = {shortLayer(launch.layer),
                                    work.algorithm,
                                    work.flops > 0 ? work.instruction : "",
                                    groupDigits(product(launch.grid)),
                                    groupDigits(product(launch.block)),
                                    amountText(double(work.flops) / 1e9),
                                    amountText(bytes / 1e6)};
    allFlops += double(work.flops);
    allBytes += bytes;
    if (prediction) {
      const LaunchPrediction &predicted = prediction->launches[i];
      row.push_back(formatText("%.0f", predicted.rounds));
      row.push_back(formatText("%.2f", 1e6 * predicted.seconds));
      row.push_back(predicted.bound);
    }
    if (!steps.empty()) {
      allMeasured += measured(i);
      row.push_back(formatText("%.2f", 1e3 * measured(i)));
    }
    if (prediction && !steps.empty())
      row.push_back(formatText("%.2f", 1e-3 * measured(i) / prediction->launches[i].seconds));
    rows.push_back(row);
  }
  std::vector<std::string> sum = {formatText("%zu kernels", entry->launches.size()),
                                  "",
                                  "",
                                  "",
                                  "",
                                  amountText(allFlops / 1e9),
                                  amountText(allBytes / 1e6)};
  if (prediction)
    sum.insert(sum.end(), {"", formatText("%.2f", 1e6 * prediction->seconds), ""});
  if (!steps.empty())
    sum.push_back(formatText("%.2f", 1e3 * allMeasured));
  if (prediction && !steps.empty())
    sum.push_back(formatText("%.2f", 1e-3 * allMeasured / prediction->seconds));
  rows.push_back(sum);

  std::vector<int> widths(head.size());
  for (const std::vector<std::string> &row : rows)
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], displayWidth(row[i]));
  std::string text;
  for (const std::vector<std::string> &row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      bool isLeft = i < leftColumns || head[i] == "bound by";
      line += (i ? "  " : "") + (isLeft ? padRight(row[i], widths[i]) : padLeft(row[i], widths[i]));
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  if (prediction)
    text += "\n" + floorsText();
  return text;
}

Json GpuTimes::json() const {
  Json launches = Json::array();
  for (size_t i = 0; i < entry->launches.size(); ++i) {
    const Launch &launch = entry->launches[i];
    Json line = {{"layer", launch.layer},
                 {"kernel", launch.kernel},
                 {"blocks", product(launch.grid)},
                 {"threads", product(launch.block)}};
    if (launch.work) {
      line["algorithm"] = launch.work->algorithm;
      line["instruction"] = launch.work->instruction;
      line["schedule"] = launch.work->schedule;
      line["flops"] = launch.work->flops;
      line["operations"] = launch.work->operations;
      line["bytes_read"] = launch.work->bytesRead;
      line["bytes_written"] = launch.work->bytesWritten;
      line["bytes_l2"] = launch.work->bytesL2;
      line["instructions"] = launch.work->instructions;
      line["requests"] = launch.work->requests;
      line["sectors"] = launch.work->sectors;
      line["passes"] = launch.work->passes;
    }
    if (prediction) {
      line["rounds"] = prediction->launches[i].rounds;
      line["predicted_ms"] = 1e3 * prediction->launches[i].seconds;
      line["bound"] = prediction->launches[i].bound;
    }
    if (!steps.empty())
      line["ms"] = measured(i);
    launches.push_back(line);
  }
  Json result = {{"launches", launches}};
  if (prediction) {
    StepFloors floors = getFloors(*manifest, *entry, *gpu);
    result["model"] = gpu->option;
    result["predicted_ms"] = 1e3 * prediction->seconds;
    result["predicted_copies_ms"] = 1e3 * prediction->copies;
    result["floors_ms"] = {{"fma", 1e3 * floors.fma},       {"tf32", 1e3 * floors.tf32},
                           {"bf16", 1e3 * floors.bf16},     {"fused", 1e3 * floors.fused},
                           {"memory", 1e3 * floors.memory}, {"launches", 1e3 * floors.launches}};
  }
  return result;
}

} // namespace cnn::tool
