// cnn summary FILE: the layers of a net, as a table or as JSON.
#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/Options.h"
#include "compiler/tools/cnn/Program.h"
#include "runtime/train/Text.h"

#include <algorithm>
#include <cstdio>

namespace cnn::tool {

static void printJson(const NetSummary &net, int64_t images, const SummaryLine &total) {
  Json result = {{"net", net.net}, {"batch", images}};
  if (!net.inputs.empty())
    result["input"] = net.inputs.front();
  if (net.inputs.size() > 1)
    result["inputs"] = net.inputs;
  result["layers"] = Json::array();
  for (const SummaryLine &line : net.lines)
    result["layers"].push_back({{"name", line.name},
                                {"op", line.op},
                                {"output", line.output},
                                {"parameters", line.parameters},
                                {"flops", line.flops},
                                {"bytes", line.bytes}});
  result["total"] = {{"parameters", total.parameters},
                     {"parameter_bytes", total.parameters * net.elementBytes},
                     {"flops", total.flops},
                     {"bytes", total.bytes}};
  std::printf("%s\n", jsonText(result).c_str());
}

static void printTable(const NetSummary &net, const SummaryLine &total) {
  std::vector<std::vector<std::string>> rows = {
      {"name", "op", "output", "parameters", "FLOPs", "bytes"}};
  auto add = [&](const SummaryLine &line, const std::string &shape) {
    rows.push_back({line.name, line.op, shape, groupDigits(line.parameters),
                    groupDigits(line.flops), groupDigits(line.bytes)});
  };
  for (const SummaryLine &line : net.lines)
    add(line, shapeText(line.output));
  add(total, "");
  int widths[6] = {};
  for (const std::vector<std::string> &row : rows)
    for (int i = 0; i < 6; ++i)
      widths[i] = std::max(widths[i], displayWidth(row[i]));
  for (const std::vector<std::string> &row : rows) {
    std::string text;
    for (int i = 0; i < 6; ++i)
      text += (i ? "  " : "") + (i < 3 ? padRight(row[i], widths[i]) : padLeft(row[i], widths[i]));
    std::printf("%s\n", text.c_str());
  }
}

int runSummary() {
  std::unique_ptr<Program> program = Program::load(file);
  if (!program)
    return exitFailure;
  std::optional<NetSummary> net = program->summarize(netName, depth);
  if (!net || !program->checkSchedule(netName))
    return exitFailure;

  int64_t images = batch.getNumOccurrences() ? int64_t(batch) : 1;
  SummaryLine total;
  total.name = "total";
  for (SummaryLine &line : net->lines) {
    bool fits = !__builtin_mul_overflow(line.flops, images, &line.flops) &&
                !__builtin_mul_overflow(line.bytes, images, &line.bytes) &&
                !__builtin_add_overflow(total.parameters, line.parameters, &total.parameters) &&
                !__builtin_add_overflow(total.flops, line.flops, &total.flops) &&
                !__builtin_add_overflow(total.bytes, line.bytes, &total.bytes);
    if (!fits)
      return fail(formatText("%s: net '%s' with batch %lld exceeds 64-bit numbers", file.c_str(),
                             net->net.c_str(), static_cast<long long>(images)));
    if (batch.getNumOccurrences())
      line.output.insert(line.output.begin(), images);
  }
  if (json) {
    printJson(*net, images, total);
    return exitSuccess;
  }
  std::string shapes;
  for (const std::vector<int64_t> &input : net->inputs)
    shapes += (shapes.empty() ? "" : ", ") + shapeText(input);
  std::printf("%s on %s%s\n\n", net->net.c_str(), shapes.c_str(),
              images > 1 ? formatText(", batch %lld", static_cast<long long>(images)).c_str() : "");
  printTable(*net, total);
  return exitSuccess;
}

} // namespace cnn::tool
