// cnn time FILE --mode infer|train: how long a step takes, on random images and weights, beside the
// machine's multiply-add peak. A step goes from plain NCHW f32 images to outputs, or to updated
// parameters; steps alternate between two batches. With --layers the code counts the time spent in
// each of its kernels, and a GPU that of each that it is given. With --model nothing is measured.
#include "compiler/frontend/Diagnostics.h"
#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/OpenNet.h"
#include "compiler/tools/cnn/Options.h"
#include "compiler/tools/cnn/Peak.h"
#include "compiler/tools/measure/GpuTimes.h"
#include "compiler/tools/measure/LayerTimes.h"
#include "compiler/tools/measure/RandomBatch.h"
#include "runtime/core/Init.h"
#include "runtime/device/cuda/CudaNet.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace cnn::tool {

namespace {
using Clock = std::chrono::steady_clock;

struct StepTimes {
  std::vector<double> milliseconds;
  double least() const { return *std::min_element(milliseconds.begin(), milliseconds.end()); }
  double median() const {
    std::vector<double> sorted = milliseconds;
    std::sort(sorted.begin(), sorted.end());
    size_t half = sorted.size() / 2;
    return sorted.size() % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }
};
} // namespace

static double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Two batches beside what the session has must not exceed the machine's memory.
static Status checkMemory(const Session &session, const Call &call, int64_t images) {
  uint64_t inputs = 0;
  for (const BufferSpec &spec : call.entry().buffers)
    if (spec.role == BufferRole::Input)
      inputs += uint64_t(elementCount(spec.shape).value_or(0)) * elementBytes(spec.element);
  double total = double(session.bytes()) + 2 * double(inputs);
  if (total <= double(machineMemory()))
    return Status();
  return Status::failure(formatText("net '%s' with batch %lld needs %s (two batches of inputs %s) "
                                    "and this machine has %s",
                                    session.manifest().net.c_str(), static_cast<long long>(images),
                                    bytesText(static_cast<uint64_t>(total)).c_str(),
                                    bytesText(2 * inputs).c_str(),
                                    bytesText(machineMemory()).c_str()))
      .withHint("use a smaller batch");
}

/// Rows: all; scalars of the optimizer: the recipe's, with a learning rate so small that random
/// labels never lead to numbers that are not finite.
static void setScalars(Call &call, int64_t images, const std::optional<RecipeInfo> &recipe) {
  const std::vector<BufferSpec> &buffers = call.entry().buffers;
  for (size_t i = 0; i < buffers.size(); ++i) {
    const BufferSpec &spec = buffers[i];
    if (spec.role != BufferRole::Input || !spec.shape.empty())
      continue;
    double value = spec.name == "rows" ? double(images) : 0;
    if (recipe)
      for (const auto &[name, given] :
           recipe->scalarsAt(std::min(recipe->rateAt(0, 1, 1), 1e-3), 0))
        if (name == spec.name)
          value = given;
    call.set(int(i), value);
  }
}

/// The labels that the net's outputs stand for: the last extent of its last layer.
static int64_t classesOf(const NetSummary &net) {
  if (net.lines.empty() || net.lines.back().output.empty())
    return 1;
  return std::max<int64_t>(1, net.lines.back().output.back());
}

/// The work of a step on `images` images: multiply-adds of its convolutions, products and the like,
/// two operations each, as their direct algorithms have them. Layers that the compiler merged count
/// as merged; what it computes once, or pads the batch with, does not count.
static double gflopOf(const Manifest &manifest, const EntryPoint &entry, int64_t images) {
  return entry.flops / double(manifest.batch) * double(images) / 1e9;
}

static Result<StepTimes> measure(Session &session, Call &call, const RandomBatch (&batches)[2],
                                 LayerTimes *layers) {
  StepTimes timing;
  timing.milliseconds.reserve(1 << 16);
  if (layers)
    layers->start();
  batches[0].bind(call);
  Clock::time_point start = Clock::now();
  for (int run = 0; timing.milliseconds.size() < 3 || secondsSince(start) < seconds; ++run) {
    Clock::time_point begin = Clock::now();
    if (Status status = call.start(); status.failed())
      return status;
    batches[(run + 1) % 2].bind(call); // as in training: a GPU computes meanwhile
    if (Status status = call.finish(); status.failed())
      return status;
    if (timeMode == TimeMode::Train)
      session.commit();
    timing.milliseconds.push_back(1e3 * secondsSince(begin));
    if (layers)
      layers->record(timing.milliseconds.back());
  }
  if (layers)
    layers->finish();
  return timing;
}

/// So many steps of which every launch is timed, after those of which only the whole is.
static Status measureLaunches(Session &session, Call &call, const RandomBatch (&batches)[2],
                              GpuTimes &times) {
  constexpr int steps = 9;
  for (int run = 0; run < steps; ++run) {
    batches[run % 2].bind(call);
    Result<std::vector<double>> launches = call.timeLaunches();
    if (launches.failed())
      return launches.status();
    if (timeMode == TimeMode::Train)
      session.commit();
    times.record(std::move(*launches));
  }
  return Status();
}

/// "lenet, train, batch 128".
static std::string stepText(const Manifest &manifest, const CompileRequest &request) {
  // As many samples more as fill the vectors up may be computed with them.
  std::string computed =
      manifest.batch == request.batch
          ? ""
          : formatText(", computed as %lld", static_cast<long long>(manifest.batch));
  return formatText("%s, %s, batch %lld%s", manifest.net.c_str(), request.train ? "train" : "infer",
                    static_cast<long long>(request.batch), computed.c_str());
}

/// What --model asks for where nothing is measured.
static int predictTime(Program &program, CompileRequest request, const GpuLimits &gpu) {
  request.arch = gpu.arch;
  std::optional<Compilation> compiled = program.compile(request);
  if (!compiled)
    return exitFailure;
  const Manifest &manifest = compiled->net.manifest;
  const EntryPoint *entry = manifest.findEntry(request.entries.front());
  Result<GpuTimes> times = GpuTimes::make(manifest, *entry, &gpu);
  if (times.failed())
    return fail(times.status());
  cuda::NetBytes needed(manifest);
  if (needed.total() > gpu.memoryBytes)
    return fail(Status::failure(formatText("%s and an %s has %s", needed.text(manifest).c_str(),
                                           gpu.text, bytesText(uint64_t(gpu.memoryBytes)).c_str()))
                    .withHint("use a smaller batch"));
  if (!json) {
    std::printf("%s on an %s, for %s: %.4f ms predicted from counts of operations and bytes. "
                "Nothing was measured, no GPU was used.\n\n%sOf its %s of memory, %s.\n",
                stepText(manifest, request).c_str(), gpu.text, manifest.arch.c_str(),
                times->predictedMilliseconds(), times->table().c_str(),
                bytesText(uint64_t(gpu.memoryBytes)).c_str(), needed.text(manifest).c_str());
    return exitSuccess;
  }
  Json line = {{"system", "cnnc"},
               {"version", CNNC_VERSION},
               {"model", manifest.net},
               {"mode", request.train ? "train" : "infer"},
               {"batch", request.batch},
               {"computed_batch", manifest.batch},
               {"arch", manifest.arch},
               {"gflop", gflopOf(manifest, *entry, request.batch)},
               {"memory_bytes", uint64_t(needed.total())},
               {"measured", false}};
  line["gpu"] = times->json();
  std::printf("%s\n", jsonText(line).c_str());
  return exitSuccess;
}

/// What is wrong with the options that only some devices have; empty where nothing is.
static std::string checkOptions() {
  bool isCuda = deviceName.getValue().rfind("cuda", 0) == 0;
  if (!(seconds >= 0 && seconds <= 86400))
    return "--seconds must be between 0 and 86400";
  if (layerErrors && !layers)
    return "--errors needs --layers";
  if (layerErrors && deviceName != "cpu")
    return "--errors compares algorithms of the CPU: it needs --device cpu";
  if (layers && deviceName == "auto")
    return "--layers shows other things on a GPU than on the CPU: it needs --device cpu or cuda";
  if (!gpuModel.empty() && !isCuda)
    return "--model predicts a step on a GPU: it needs --device cuda";
  if (!gpuModel.empty() && !findGpuModel(gpuModel.getValue())) {
    std::string known;
    for (const GpuLimits &gpu : knownGpus())
      known += (known.empty() ? "" : ", ") + std::string(gpu.option);
    return "--model is '" + gpuModel.getValue() + "', expected one of " + known;
  }
  return "";
}

int runTime() {
  if (std::string wrong = checkOptions(); !wrong.empty())
    return fail(wrong);
  std::unique_ptr<Program> program = Program::load(file);
  if (!program)
    return exitFailure;
  std::optional<RecipeInfo> recipe; // training needs one; for inference it sets the batch
  if (timeMode == TimeMode::Train || program->hasRecipe("", netName)) {
    recipe = program->recipe("", netName);
    if (!recipe)
      return exitFailure;
  }
  Clock::time_point start = Clock::now();
  CompileRequest request;
  request.net = recipe ? recipe->net : netName.getValue();
  request.recipe = recipe ? recipe->name : "";
  request.train = timeMode == TimeMode::Train;
  const char *entryName = request.train ? "train_step" : "infer";
  request.entries = {entryName};
  request.batch = batch.getNumOccurrences() ? int64_t(batch) : recipe ? recipe->batch : 1;
  request.timed = layers && deviceName == "cpu";
  std::optional<NetSummary> summary = program->summarize(request.net, /*depth=*/0);
  if (!summary)
    return exitFailure;
  if (!gpuModel.empty() && !layers)
    return predictTime(*program, request, *findGpuModel(gpuModel.getValue()));
  std::optional<OpenNet> net = openNet(*program, request);
  if (!net)
    return exitFailure;
  Session &session = *net->session;
  const Manifest &manifest = session.manifest();
  Result<Call *> call = session.call(entryName);
  if (call.failed())
    return fail(call.status());
  if (Status status = checkMemory(session, **call, request.batch); status.failed())
    return fail(status);
  Result<void *> state = session.state();
  if (state.failed())
    return fail(state.status());
  initializeState(manifest, 0, *state);
  setScalars(**call, request.batch, recipe);
  RandomBatch batches[2];
  for (int i = 0; i < 2; ++i) {
    Result<RandomBatch> made = RandomBatch::make(**call, classesOf(*summary), uint64_t(i));
    if (made.failed())
      return fail(made.status());
    batches[i] = std::move(*made);
  }
  if (Status status = (*call)->run(); status.failed())
    return fail(status);
  double startSeconds = secondsSince(start);

  CpuDevice *cpu = net->chosen.cpu;
  double peak = cpu ? measurePeakGflops(cpu->pool()) : 0;
  std::optional<LayerTimes> layerTimes;
  if (layers && cpu)
    layerTimes.emplace(manifest, **call, cpu->pool().workers());
  Result<StepTimes> measured =
      measure(session, **call, batches, layerTimes ? &*layerTimes : nullptr);
  if (measured.failed())
    return fail(measured.status());
  const StepTimes &timing = *measured;
  if (cpu)
    peak = std::max(peak, measurePeakGflops(cpu->pool()));
  std::optional<GpuTimes> gpuTimes;
  if (layers && !cpu) {
    const GpuLimits *gpu = gpuModel.empty() ? findGpuNamed(net->chosen.device->text())
                                            : findGpuModel(gpuModel.getValue());
    Result<GpuTimes> made = GpuTimes::make(manifest, (*call)->entry(), gpu);
    if (made.failed())
      return fail(made.status());
    gpuTimes = std::move(*made);
    if (Status status = measureLaunches(session, **call, batches, *gpuTimes); status.failed())
      return fail(status);
  }
  if (layerErrors) {
    auto errors = program->errors(request, layerTimes->algorithms(), *cpu);
    if (!errors)
      return exitFailure;
    layerTimes->setErrors(std::move(*errors));
  }
  double gflop = gflopOf(manifest, (*call)->entry(), request.batch);
  double percent = peak > 0 ? 100 * gflop / (timing.least() / 1e3) / peak : 0;
  struct rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);

  const char *mode = request.train ? "train" : "infer";
  if (!json) {
    std::string share =
        cpu ? formatText(", %.1f%% of the peak of %.1f GFLOP/s", percent, peak) : "";
    std::printf("%s, %s: %.4f ms (median %.4f, %zu runs), %.4f GFLOP%s"
                "; compiled in %.2f s%s, first run after %.2f s, %ld MB\n",
                stepText(manifest, request).c_str(), net->chosen.device->text().c_str(),
                timing.least(), timing.median(), timing.milliseconds.size(), gflop, share.c_str(),
                net->compileSeconds, net->fromCache ? " (from the cache)" : "", startSeconds,
                usage.ru_maxrss / 1024);
    if (layerTimes)
      std::printf("\n%s", layerTimes->table(peak).c_str());
    if (gpuTimes)
      std::printf("\n%s", gpuTimes->table().c_str());
    return exitSuccess;
  }
  std::printf("{\"system\": \"cnnc\", \"version\": \"%s\", \"model\": %s, \"mode\": \"%s\", "
              "\"batch\": %lld, \"computed_batch\": %lld, \"device\": \"%s\", \"threads\": %s, "
              "\"ms_min\": %.4f, \"ms_median\": %.4f, "
              "\"runs\": %zu, \"gflop\": %.4f, \"percent_of_peak\": %s, \"peak_gflops\": %s, "
              "\"compile_s\": %.2f, \"start_s\": %.2f, \"rss_mb\": %ld%s}\n",
              CNNC_VERSION, jsonText(Json(manifest.net)).c_str(), mode,
              static_cast<long long>(request.batch), static_cast<long long>(manifest.batch),
              net->chosen.device->name().c_str(),
              cpu ? std::to_string(cpu->pool().workers()).c_str() : "null", timing.least(),
              timing.median(), timing.milliseconds.size(), gflop,
              peak > 0 ? formatText("%.1f", percent).c_str() : "null",
              peak > 0 ? formatText("%.1f", peak).c_str() : "null", net->compileSeconds,
              startSeconds, usage.ru_maxrss / 1024,
              layerTimes ? (", \"layers\": " + jsonText(layerTimes->json(peak))).c_str()
              : gpuTimes ? (", \"gpu\": " + jsonText(gpuTimes->json())).c_str()
                         : "");
  return exitSuccess;
}

} // namespace cnn::tool
