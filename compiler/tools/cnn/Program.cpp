// Front end, emission and compilation behind Program.h.
#include "compiler/tools/cnn/Program.h"

#include "compiler/frontend/Frontend.h"
#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/Options.h"
#include "compiler/tools/cnn/ProgramCompile.h"
#include "llvm/Support/raw_ostream.h"

namespace cnn::tool {

namespace {
class FileProgram : public Program {
public:
  FileProgram() : diagnostics(&llvm::errs()) {}

  bool open(const std::string &path) {
    frontend = Frontend::open(path, settings, diagnostics);
    return frontend != nullptr;
  }

  std::vector<std::string> recipes() const override { return frontend->recipes(); }
  std::vector<std::string> nets() const override { return frontend->nets(); }
  std::optional<RecipeInfo> recipe(const std::string &name, const std::string &net) override;
  bool hasRecipe(const std::string &name, const std::string &net) const override {
    return frontend->hasRecipe(name, net);
  }
  std::optional<NetSummary> summarize(const std::string &net, unsigned depth) override;
  bool checkSchedule(const std::string &net) override;
  std::optional<NetShape> shape(const RecipeInfo &recipe) override;
  std::optional<NetShape> shape(const CompileRequest &request) override;
  std::optional<Compilation> compile(const CompileRequest &request) override {
    return compileNet(*frontend, diagnostics, request);
  }
  std::optional<std::map<std::string, double>>
  errors(const CompileRequest &request, const std::map<std::string, std::string> &algorithms,
         Device &cpu) override {
    return measureNetErrors(*frontend, diagnostics, request, algorithms, cpu);
  }

private:
  Diagnostics diagnostics;
  std::unique_ptr<Frontend> frontend;
};
} // namespace

std::unique_ptr<Program> Program::load(const std::string &path) {
  auto program = std::make_unique<FileProgram>();
  if (!program->open(path))
    return nullptr;
  return program;
}

std::optional<RecipeInfo> FileProgram::recipe(const std::string &name, const std::string &net) {
  std::optional<Recipe> found = frontend->recipe(name, net);
  if (!found)
    return std::nullopt;
  RecipeInfo info;
  info.name = found->name;
  info.net = found->net;
  info.data = found->data.pipeline;
  info.classes = found->data.view.classes;
  info.batch = found->batch;
  info.epochs = static_cast<uint64_t>(found->epochs);
  info.seed = static_cast<uint64_t>(found->seed);
  info.shuffle = found->shuffle;
  const Optimizer &optimizer = found->optimizer;
  const Schedule &schedule = found->schedule;
  info.identity = {{"recipe", found->name},
                   {"net", found->net},
                   {"data", dataText(info.data)},
                   {"batch", found->batch},
                   {"init", found->init.def->name.str()},
                   {"loss", found->loss},
                   {"optimizer", optimizer.def->name.str()},
                   {"shuffle", found->shuffle},
                   {"dtype", found->dtype}};
  if (found->precision > 0) // runs without it are what they were before there was any
    info.identity["precision"] = found->precision;
  auto note = [&](const mlir::cnn::LayerArg &arg, const mlir::cnn::LayerArgs &args,
                  const std::string &prefix) {
    std::string key = prefix + arg.name.str();
    if (!args.has(arg.name))
      return;
    if (arg.kind == mlir::cnn::ArgKind::Float) {
      info.scalars.push_back({key, args.getFloat(arg.name)});
      info.identity[key] = args.getFloat(arg.name);
    } else if (arg.kind == mlir::cnn::ArgKind::Bool) {
      info.identity[key] = args.getBool(arg.name);
    } else {
      info.identity[key] = formatArgument(arg, args);
    }
  };
  for (const mlir::cnn::LayerArg &arg : optimizer.def->args)
    note(arg, optimizer.args, "");
  // Called without arguments, it is what it was before there were any.
  const Initialiser &init = found->init;
  bool asNamed = init.def->start(init.args, 1, 1).kind == init.def->name;
  for (const mlir::cnn::LayerArg &arg : init.def->args) {
    if (asNamed && arg.defaultValue)
      continue;
    std::string key = "init." + arg.name.str();
    if (arg.kind == mlir::cnn::ArgKind::Float)
      info.identity[key] = init.args.getFloat(arg.name);
    else
      info.identity[key] = formatArgument(arg, init.args);
  }
  // Runs of one rate are what they were before there were schedules.
  if (schedule.def != &getSchedules().front() || schedule.args.getInt("warmup") != 0) {
    info.identity["schedule"] = schedule.def->name.str();
    for (const mlir::cnn::LayerArg &arg : schedule.def->args)
      note(arg, schedule.args, "schedule.");
  }
  info.rateAt = [schedule, rate = optimizer.args.getFloat("lr")](
                    int64_t step, int64_t stepsPerEpoch, uint64_t epochs) {
    return schedule.def->rateAt(schedule.args, rate,
                                {step, stepsPerEpoch, static_cast<int64_t>(epochs)});
  };
  info.scalarsAt = [optimizer](double rate, int64_t step) {
    std::vector<std::pair<std::string, double>> scalars;
    for (llvm::StringRef name : optimizer.def->scalars(optimizer.def->getFlags(optimizer.args)))
      scalars.push_back({name.str(), optimizer.def->value(name, optimizer.args, rate, step + 1)});
    return scalars;
  };
  return info;
}

std::optional<NetSummary> FileProgram::summarize(const std::string &net, unsigned depth) {
  std::unique_ptr<Graph> graph = frontend->elaborate(net);
  if (!graph)
    return std::nullopt;
  NetSummary summary;
  summary.net = graph->net;
  for (unsigned input : graph->inputs) {
    const auto &shape = graph->tensors[input].shape;
    summary.inputs.emplace_back(shape.begin(), shape.end());
  }
  unsigned last = graph->inputs.size() == 1 ? graph->inputs[0] : ~0u;
  summary.isChain = true;
  for (const GraphNode &node : graph->nodes) {
    summary.isChain &= node.operands.size() == 1 && node.operands[0] == last;
    last = node.result;
  }
  if (frontend->hasRecipe("", summary.net)) {
    std::optional<Recipe> recipe = frontend->recipe("", summary.net);
    if (!recipe)
      return std::nullopt;
    summary.elementBytes = recipe->dtype == "f64" ? 8 : 4;
  }
  for (const SummaryRow &row : cnn::summarize(*graph, depth, summary.elementBytes)) {
    SummaryLine line;
    line.name = row.name;
    line.op = row.op;
    line.output.assign(row.output.begin(), row.output.end());
    line.parameters = row.params;
    line.flops = row.flops;
    line.bytes = row.bytes;
    summary.lines.push_back(std::move(line));
  }
  return summary;
}

bool FileProgram::checkSchedule(const std::string &net) {
  std::unique_ptr<Graph> graph = frontend->elaborate(net);
  std::optional<Recipe> recipe;
  if (graph && frontend->hasRecipe("", graph->net))
    recipe = frontend->recipe("", graph->net);
  return graph && tool::checkSchedule(*graph, recipe ? &*recipe : nullptr, diagnostics);
}

/// Of a net that takes one tensor of images; says what is wrong with others.
static std::optional<NetShape> shapeOf(const Graph &graph) {
  if (graph.inputs.size() != 1) {
    fail(formatText("net '%s' takes %zu tensors, a data set has one for each image",
                    graph.net.c_str(), graph.inputs.size()));
    return std::nullopt;
  }
  auto dims = [&](unsigned tensor) {
    const mlir::cnn::Shape &shape = graph.tensors[tensor].shape;
    return std::vector<int64_t>(shape.begin(), shape.end());
  };
  return NetShape{graph.net, dims(graph.inputs[0]), dims(graph.outputs[0])};
}

std::optional<NetShape> FileProgram::shape(const RecipeInfo &recipe) {
  std::unique_ptr<Graph> graph = frontend->elaborate(recipe.net, recipe.name);
  std::optional<NetShape> shape = graph ? shapeOf(*graph) : std::nullopt;
  if (!shape)
    return std::nullopt;
  std::optional<Recipe> checked = frontend->recipe(recipe.name);
  if (!checked || !checkDataFits(*checked, *graph, diagnostics))
    return std::nullopt;
  return shape;
}

std::optional<NetShape> FileProgram::shape(const CompileRequest &request) {
  std::unique_ptr<Graph> graph = frontend->elaborate(request.net, request.recipe);
  return graph ? shapeOf(*graph) : std::nullopt;
}

DataPlace dataPlace() {
  size_t slash = file.rfind('/');
  return {dataDir, slash == std::string::npos ? "" : file.substr(0, slash + 1)};
}

void printPipeline(const Dataset &data) {
  if (!data.pipeline.stages.empty())
    std::printf("data: %s\n", dataText(data.pipeline).c_str());
}

Result<Dataset> openData(const RecipeInfo &recipe, bool testOnly) {
  return openPipeline(recipe.data, dataPlace(),
                      testOnly ? DatasetSplits::TestOnly : DatasetSplits::Both);
}

} // namespace cnn::tool
