// How long the loader takes for a batch: processor time of the one thread that prepares it, so that
// it can be measured while the machine computes. A table on stdout, a row per pipeline:
// milliseconds of a batch (the smallest of many), images per second. Judge them by the step that
// they feed (`cnn time`).
#include "runtime/data/Loader.h"

#include "runtime/schema/DataSchema.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>

using namespace cnn;

namespace {

/// Images of random bytes.
class Bytes : public SampleSource {
public:
  Bytes(ImageShape extents, int64_t count) : extents(extents), count(count) {
    uint32_t state = 1;
    for (int64_t i = 0; i < count * extents.elements(); ++i)
      bytes.push_back(uint8_t((state = state * 1664525 + 1013904223) >> 24));
  }
  int64_t size() const override { return count; }
  ImageShape shape() const override { return extents; }
  int32_t label(int64_t index) const override { return int32_t(index % 10); }
  Status read(int64_t index, float *pixels) const override {
    const uint8_t *from = bytes.data() + index * extents.elements();
    for (int64_t i = 0; i < extents.elements(); ++i)
      pixels[i] = float(from[i]) / 255.0f;
    return Status::success();
  }

private:
  ImageShape extents;
  int64_t count;
  std::vector<uint8_t> bytes;
};

double seconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

DataCall call(const std::string &name, std::vector<DataValue> values = {}) {
  DataCall made{name, std::move(values)};
  for (const DataParameter &parameter : findDataStage(name)->parameters)
    if (!made.has(parameter.name) && !parameter.defaults.empty())
      made.values.push_back({parameter.name, parameter.defaults});
  return made;
}

void measure(ImageShape shape, const std::vector<DataCall> &stages, int64_t batch) {
  DataPipeline pipeline = plainPipeline("images");
  pipeline.stages = stages;
  Result<Preprocessing> preprocessing = makePreprocessing(pipeline);
  Result<SampleSet> samples =
      SampleSet::create(std::make_shared<Bytes>(shape, 8 * batch), *preprocessing);
  LoaderOptions options{.batchSize = batch, .shuffle = true, .training = true, .endEpoch = 1000000};
  options.background = false;
  Result<std::unique_ptr<Loader>> loader = Loader::create(*samples, options);
  if (loader.failed()) {
    std::printf("%s\n", loader.message().c_str());
    return;
  }
  double least = 1e9, start = seconds();
  for (int i = 0; i < 20 || seconds() - start < 1; ++i) {
    double before = seconds();
    if ((*loader)->next().failed())
      return;
    least = std::min(least, seconds() - before);
  }
  std::string name = shapeText(shape.dims());
  for (const DataCall &stage : stages)
    name += " -> " + dataText(stage);
  std::printf("%8.3f %10.0f %6lld  %s\n", 1e3 * least, double(batch) / least, (long long)batch,
              name.c_str());
}

} // namespace

int main() {
  std::printf("      ms   images/s  batch  pipeline\n");
  ImageShape grey{1, 28, 28}, colour{3, 32, 32}, photo{3, 375, 500};
  DataCall normalize =
      call("normalize", {{"mean", {0.4915, 0.4823, 0.4468}}, {"std", {0.247, 0.2435, 0.2616}}});
  DataCall crop = call("random_crop", {{"size", {32}}, {"padding", {4}}});
  auto resizeTo = [](double height, double width) {
    return call("resize", {{"height", {height}}, {"width", {width}}});
  };
  measure(grey, {}, 128);
  measure(grey, {resizeTo(96, 96)}, 128);
  measure(grey, {resizeTo(224, 224)}, 128);
  measure(grey, {resizeTo(224, 224), call("normalize", {{"mean", {0.5}}, {"std", {0.5}}})}, 128);
  measure(colour, {}, 64);
  measure(colour, {normalize}, 64);
  measure(colour, {call("random_flip")}, 128);
  measure(colour, {crop}, 128);
  measure(colour, {crop, call("random_flip"), normalize}, 128);
  measure(colour, {call("grayscale")}, 128);
  measure(colour, {resizeTo(96, 96)}, 128);
  measure(photo, {resizeTo(224, 224)}, 32);
  return 0;
}
