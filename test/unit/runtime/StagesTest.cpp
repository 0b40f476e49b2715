// Stages of a pipeline: values against PyTorch's (test/parity/make_data_goldens.py), what is drawn
// against its definition, samples that are chosen, and the messages where a stage does not fit.
#include "runtime/data/Stages.h"

#include "runtime/core/Random.h"
#include "runtime/data/Loader.h"
#include "runtime/data/Safetensors.h"
#include "runtime/schema/DataSchema.h"
#include "test/unit/runtime/IdxFiles.h"

#include <cmath>

using namespace cnn;
using namespace cnn::test;

namespace {

/// A call with its defaults, as the front end makes it.
DataCall call(const std::string &name, std::vector<DataValue> values) {
  DataCall made{name, std::move(values)};
  for (const DataParameter &parameter : findDataStage(name)->parameters)
    if (!made.has(parameter.name) && !parameter.defaults.empty())
      made.values.push_back({parameter.name, parameter.defaults, {}, true});
  return made;
}

DataPipeline pipeline(const std::string &set, std::vector<DataCall> stages) {
  return {{set, {}}, std::move(stages)};
}

/// The image that the golden script makes.
std::vector<float> input(int64_t count) {
  RandomStream stream(1, RandomPurpose::Test, 0);
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i)
    values.push_back(float(stream.uniform(uint64_t(i))));
  return values;
}

const Safetensors &goldens() {
  static const Safetensors file = [] {
    Result<Safetensors> read = readSafetensors(CNN_TEST_DIR "/parity/data.safetensors");
    EXPECT_EQ(read.message(), "");
    return std::move(*read);
  }();
  return file;
}

/// The largest difference between what the stage makes and the golden of that name, which may hold
/// every n-th value only.
double difference(const std::string &golden, const DataCall &stage, ImageShape shape,
                  SampleKey key = {}) {
  std::shared_ptr<const Transform> transform = makeTransform(stage, 0);
  Result<ImageShape> result = transform->outputShape(shape);
  EXPECT_EQ(result.message(), "");
  std::vector<float> from = input(shape.elements()), to(size_t(result->elements()));
  transform->apply(shape, from.data(), to.data(), key);
  if (transform->inPlace()) {
    EXPECT_EQ(*result, shape);
    std::vector<float> same = from;
    transform->apply(shape, same.data(), same.data(), key);
    same.resize(to.size());
    EXPECT_EQ(same, to);
  }
  // In double the same, but for what float rounds.
  std::vector<double> wide(from.begin(), from.end()), wideTo(to.size());
  transform->applyDouble(shape, wide.data(), wideTo.data(), key);
  for (size_t i = 0; i < to.size(); ++i)
    EXPECT_NEAR(wideTo[i], double(to[i]), 1e-6) << golden;
  const NamedTensor *tensor = goldens().find(golden);
  EXPECT_NE(tensor, nullptr) << golden;
  size_t count = tensor->bytes / 4, step = (to.size() + 3999) / 4000;
  EXPECT_EQ((to.size() + step - 1) / step, count) << golden;
  double worst = 0;
  for (size_t i = 0; i < count; ++i) {
    float expected;
    std::memcpy(&expected, tensor->data + 4 * i, 4);
    worst = std::max(worst, std::abs(double(expected) - double(to[i * step])));
  }
  return worst;
}

} // namespace

// 5e-6: PyTorch computes the weights in float, we in double; the specification asks for 1e-3.
TEST(Stages, ResizeAsTorchvision) {
  int cases = 0;
  for (const NamedTensor &tensor : goldens().tensors) {
    int64_t c, h, w, height, width;
    if (std::sscanf(tensor.name.c_str(), "resize.%ldx%ldx%ld.%ldx%ld", &c, &h, &w, &height,
                    &width) != 5)
      continue;
    ++cases;
    EXPECT_LE(difference(tensor.name,
                         call("resize", {{"height", {double(height)}}, {"width", {double(width)}}}),
                         {c, h, w}),
              5e-6)
        << tensor.name;
  }
  EXPECT_EQ(cases, 10);
}

// A net in f64 gets doubles that never were floats.
TEST(Stages, DoublesAreComputedInDouble) {
  double one[] = {1.0 / 255, 2.0 / 255, 0, 7.0 / 255, 254.0 / 255, 100.0 / 255}, out[2];
  makeTransform(call("resize", {{"height", {1}}, {"width", {2}}}), 0)
      ->applyDouble({1, 1, 6}, one, out, {});
  // A triangle of half-width 3 about 1.5.
  double exact = 0, total = 0;
  for (int i = 0; i < 6; ++i) {
    double weight = std::max(0.0, 1 - std::abs(i + 0.5 - 1.5) / 3);
    exact += weight * one[i];
    total += weight;
  }
  EXPECT_NEAR(out[0], exact / total, 1e-16);
  double value[] = {1.0 / 3};
  makeTransform(call("normalize", {{"mean", {0.4915}}, {"std", {0.2470}}}), 0)
      ->applyDouble({1, 1, 1}, value, value, {});
  EXPECT_NEAR(value[0], (1.0 / 3 - 0.4915) / 0.2470, 1e-15);
  double colours[] = {0.1, 0.2, 0.3}, grey[1];
  makeTransform(call("grayscale", {}), 0)->applyDouble({3, 1, 1}, colours, grey, {});
  EXPECT_NEAR(grey[0], 0.2989 * 0.1 + 0.587 * 0.2 + 0.114 * 0.3, 1e-16);
}

TEST(Stages, NormalizeScaleGrayscale) {
  DataCall three =
      call("normalize", {{"mean", {0.4915, 0.4823, 0.4468}}, {"std", {0.2470, 0.2435, 0.2616}}});
  EXPECT_LE(difference("normalize.3x4x5", three, {3, 4, 5}), 1e-6);
  EXPECT_EQ(difference("normalize1.3x4x5", call("normalize", {{"mean", {0.5}}, {"std", {0.25}}}),
                       {3, 4, 5}),
            0);
  EXPECT_LE(difference("grayscale.3x4x5", call("grayscale", {}), {3, 4, 5}), 1e-6);
  float values[] = {0, 0.25, 1};
  makeTransform(call("scale", {{"low", {-1}}, {"high", {3}}}), 0)
      ->apply({1, 1, 3}, values, values, {});
  EXPECT_EQ(values[0], -1);
  EXPECT_EQ(values[1], 0);
  EXPECT_EQ(values[2], 3);
}

TEST(Stages, FlipAndCropInTrainingOnly) {
  DataCall always = call("random_flip", {{"probability", {1}}});
  EXPECT_EQ(difference("flip.3x4x5", always, {3, 4, 5}, {.training = true}), 0);
  DataCall crop = call("random_crop", {{"size", {4}}, {"padding", {2}}});
  // The sample whose draw is the window of the golden: row 1 of 0 .. 4, column 5 of 0 .. 5.
  uint64_t sample = 0;
  RandomStream stream(7, RandomPurpose::Augment, 3);
  while (stream.below(2 * 65536 * sample, 5) != 1 || stream.below(2 * 65536 * sample + 1, 6) != 5)
    ++sample;
  EXPECT_EQ(difference("crop.3x4x5", crop, {3, 4, 5}, {7, 3, sample, true}), 0);
  EXPECT_EQ(difference("centre.3x4x5", call("random_crop", {{"size", {2, 3}}}), {3, 4, 5},
                       {7, 3, sample, false}),
            0);
  std::vector<float> image = input(60), out(60);
  makeTransform(always, 0)->apply({3, 4, 5}, image.data(), out.data(), {});
  EXPECT_EQ(out, image);
}

TEST(Stages, FlipsHalfOfTheImages) {
  std::shared_ptr<const Transform> flip = makeTransform(call("random_flip", {}), 1);
  int flipped = 0;
  for (uint64_t sample = 0; sample < 1000; ++sample) {
    float pair[] = {0, 1};
    flip->apply({1, 1, 2}, pair, pair, {5, 0, sample, true});
    flipped += pair[0] == 1;
  }
  // Binomial(1000, 0.5) is within 4 standard deviations of 16; the draws are fixed.
  EXPECT_NEAR(flipped, 500, 64);
}

TEST(Stages, EveryRowOfTheSchemaIsImplemented) {
  for (const DataSchema &stage : dataStages()) {
    bool chooses = stage.name == "select" || stage.name == "split";
    DataCall made{stage.name, {}};
    for (const DataParameter &parameter : stage.parameters)
      made.values.push_back({parameter.name, {1}, {"a"}});
    std::shared_ptr<const Transform> transform = makeTransform(made, 0);
    EXPECT_EQ(transform == nullptr, chooses) << stage.name;
    EXPECT_FALSE(stage.doc.empty());
    if (transform) {
      // What draws does nothing in an evaluation but cut.
      EXPECT_EQ(stage.name == "random_flip", transform->describe().empty());
    }
  }
  for (const DataSchema &set : dataSets()) {
    std::string message = openPipeline({{set.name, {}}, {}}, {"/nowhere", ""}).message();
    EXPECT_EQ(message.find("unknown"), std::string::npos) << message;
  }
}

TEST(Pipeline, SelectRelabels) {
  TempFolder folder;
  writeMnistFiles(folder.path(), 50, 20);
  Result<Dataset> all = openDataset("mnist", folder.path());
  Result<Dataset> data = openPipeline(
      pipeline("mnist", {call("select", {{"classes", {}, {"7", "2"}}})}), {folder.path(), ""});
  ASSERT_EQ(data.message(), "");
  EXPECT_EQ(data->classNames, (std::vector<std::string>{"7", "2"}));
  for (auto [chosen, from] : {std::pair{&data->train, &all->train}, {&data->test, &all->test}}) {
    int64_t next = 0;
    std::vector<float> a(784), b(784);
    for (int64_t i = 0; i < from->size(); ++i) {
      if (from->label(i) != 7 && from->label(i) != 2)
        continue;
      EXPECT_EQ(chosen->label(next), from->label(i) == 7 ? 0 : 1);
      ASSERT_TRUE(from->read(i, {}, a.data()).isOk());
      ASSERT_TRUE(chosen->read(next++, {}, b.data()).isOk());
      EXPECT_EQ(a, b);
    }
    EXPECT_EQ(chosen->size(), next);
  }
}

TEST(Pipeline, SplitsBySeed) {
  TempFolder folder;
  writeMnistFiles(folder.path(), 40, 3);
  auto open = [&](double share, double seed) {
    return openPipeline(
        pipeline("mnist", {call("split", {{"validation", {share}}, {"seed", {seed}}})}),
        {folder.path(), ""}, DatasetSplits::TestOnly);
  };
  Result<Dataset> part = open(0.25, 3), count = open(10, 3), other = open(10, 4);
  ASSERT_EQ(part.message(), "");
  EXPECT_EQ(part->train.size(), 30);
  EXPECT_EQ(part->validation.size(), 10);
  EXPECT_EQ(part->test.size(), 3);
  std::vector<float> first[3], pixels(784);
  std::vector<float> seen;
  for (int64_t i = 0; i < 40; ++i) {
    const SampleSet &set = i < 30 ? part->train : part->validation;
    ASSERT_TRUE(set.read(i < 30 ? i : i - 30, {}, pixels.data()).isOk());
    seen.insert(seen.end(), pixels.begin(), pixels.end());
    if (i >= 30)
      for (int k = 0; k < 3; ++k) {
        ASSERT_TRUE((k == 0   ? *part
                     : k == 1 ? *count
                              : *other)
                        .validation.read(i - 30, {}, pixels.data())
                        .isOk());
        first[k].insert(first[k].end(), pixels.begin(), pixels.end());
      }
  }
  EXPECT_EQ(first[0], first[1]);
  EXPECT_NE(first[0], first[2]);
  // Together they are all images.
  std::vector<float> whole;
  Result<Dataset> plain = openDataset("mnist", folder.path());
  for (int64_t i = 0; i < 40; ++i) {
    ASSERT_TRUE(plain->train.read(i, {}, pixels.data()).isOk());
    whole.insert(whole.end(), pixels.begin(), pixels.end());
  }
  std::sort(seen.begin(), seen.end());
  std::sort(whole.begin(), whole.end());
  EXPECT_EQ(seen, whole);
  EXPECT_EQ(open(40, 0).message(), "split: 40 of 40 training images were to be set aside\n"
                                   "  hint: one image at least must go to each side");
  EXPECT_EQ(open(0.01, 0).message(), "split: 0 of 40 training images were to be set aside\n"
                                     "  hint: one image at least must go to each side");
}

/// All that a loader gives for a pipeline that draws.
static std::vector<float> drain(const SampleSet &samples, LoaderOptions options) {
  std::vector<float> all;
  auto loader = std::move(*Loader::create(samples, options));
  while (const Batch *batch = *loader->next()) {
    const float *images = static_cast<const float *>(batch->images);
    all.insert(all.end(), images, images + batch->rows * samples.shape().elements());
  }
  return all;
}

TEST(Pipeline, DrawsByEpochAndSampleOnly) {
  TempFolder folder;
  writeMnistFiles(folder.path(), 20, 3);
  Result<Dataset> data =
      openPipeline(pipeline("mnist", {call("resize", {{"height", {12}}}), call("random_flip", {}),
                                      call("random_crop", {{"size", {12}}, {"padding", {3}}}),
                                      call("normalize", {{"mean", {0.5}}, {"std", {0.5}}})}),
                   {folder.path(), ""});
  ASSERT_EQ(data.message(), "");
  EXPECT_EQ(data->train.shape(), (ImageShape{1, 12, 12}));
  EXPECT_EQ(data->train.describe(),
            (std::vector<std::string>{"pixels / 255", "resize to 12x12", "the centre, 12x12",
                                      "(value - 0.5) / 0.5"}));
  LoaderOptions options{
      .batchSize = 8, .seed = 9, .shuffle = true, .training = true, .endEpoch = 2};
  std::vector<float> both = drain(data->train, options);
  options.background = false;
  EXPECT_EQ(drain(data->train, options), both);
  // Resumed in the second epoch, after one batch.
  options.firstEpoch = 1;
  options.firstBatch = 1;
  EXPECT_EQ(drain(data->train, options), std::vector<float>(both.begin() + 28 * 144, both.end()));
  // Epochs differ though the order is that of the data set; evaluation draws nothing.
  LoaderOptions plain{.batchSize = 20, .seed = 9, .training = true, .endEpoch = 2};
  std::vector<float> drawn = drain(data->train, plain);
  EXPECT_NE(std::vector<float>(drawn.begin(), drawn.begin() + 2880),
            std::vector<float>(drawn.begin() + 2880, drawn.end()));
  plain.training = false;
  drawn = drain(data->train, plain);
  EXPECT_EQ(std::vector<float>(drawn.begin(), drawn.begin() + 2880),
            std::vector<float>(drawn.begin() + 2880, drawn.end()));
}

// The target of a stage that makes images smaller has no room for its input.
TEST(Pipeline, WritesWithinTheRow) {
  TempFolder folder;
  std::string zeros(3073, 0);
  for (const char *name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                           "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"})
    spill(folder / name, zeros);
  DataCall normalize = call("normalize", {{"mean", {0.5}}, {"std", {0.5}}});
  std::vector<std::vector<DataCall>> pipelines = {
      {call("grayscale", {})},
      {normalize, call("grayscale", {}), normalize},
      {call("grayscale", {}), call("resize", {{"height", {40}}}), normalize},
      {call("resize", {{"height", {40}}}), call("random_crop", {{"size", {5}}}), normalize}};
  for (const std::vector<DataCall> &stages : pipelines) {
    Result<Dataset> data = openPipeline(pipeline("cifar10", stages), {folder.path(), ""});
    ASSERT_EQ(data.message(), "");
    std::vector<float> row(size_t(data->train.shape().elements()) + 8, 77.0f);
    ASSERT_TRUE(data->train.read(0, {.training = true}, row.data()).isOk());
    for (size_t i = 0; i < 8; ++i)
      EXPECT_EQ(row[row.size() - 1 - i], 77.0f) << dataText(data->pipeline);
  }
}

TEST(Pipeline, TextReadsBack) {
  DataPipeline data = pipeline(
      "mnist",
      {call("select", {{"classes", {}, {"7", "T-shirt/top", "a\"b"}}}),
       call("resize", {{"height", {96}}}), call("resize", {{"height", {96}}, {"width", {2}}}),
       call("normalize", {{"mean", {0.5, 0.1}}, {"std", {1e-7, 1000000}}}),
       call("random_crop", {{"size", {3, 4}}, {"padding", {2}}}), call("scale", {})});
  EXPECT_EQ(
      dataText(data),
      "mnist -> select(7, \"T-shirt/top\", \"a\\\"b\") -> resize(96) -> resize(96, 2) -> "
      "normalize(mean = (0.5, 0.1), std = (1e-07, 1000000)) -> random_crop((3, 4), padding = 2)"
      " -> scale");
}

TEST(Pipeline, Fails) {
  TempFolder folder;
  writeMnistFiles(folder.path(), 4, 3);
  auto errorOf = [&](const DataCall &stage) {
    return openPipeline(pipeline("mnist", {stage}), {folder.path(), ""}).message();
  };
  EXPECT_EQ(errorOf(call("select", {{"classes", {}, {"eight"}}})),
            "select: the data has no class 'eight'\n"
            "  hint: its classes are 0, 1, 2, 3, 4, 5, 6, 7, 8, 9");
  EXPECT_EQ(errorOf(call("normalize", {{"mean", {1, 2}}, {"std", {1}}})),
            "normalize: 'mean' has 2 numbers, the images have 1 channel\n"
            "  hint: give one number, or one for each channel");
  EXPECT_EQ(errorOf(call("random_crop", {{"size", {29}}})),
            "random_crop: a crop of 29x29 does not fit into images of 28x28\n"
            "  hint: crop less, or resize the images first");
  EXPECT_EQ(errorOf({"turn", {}}), "unknown stage 'turn'");
}
