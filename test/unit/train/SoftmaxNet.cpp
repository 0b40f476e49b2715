// Buffers (see the manifest below): state_in, state_out, image, labels, rows, lr, loss, nonfinite,
// arena, scratch. State: weight [classes, inputs], bias [classes]. Sizes are read from globals
// because an entry point has no other place for them; one net is alive at a time.
#include "SoftmaxNet.h"

#include "runtime/core/Random.h"
#include "runtime/core/Status.h"

#include <cmath>
#include <cstdlib>

namespace cnn::test {

static int64_t inputs, classes, batch, biasOffset;

static void barrier(const cnn_context *context) {
  if (context)
    context->barrier(context->self);
}

/// Work items 0 .. items-1 of this worker.
template <typename Body>
static void forItems(const cnn_context *context, int64_t items, const Body &body) {
  int64_t worker = context ? context->worker : 0, workers = context ? context->workers : 1;
  for (int64_t i = worker; i < items; i += workers)
    body(i);
}

static void forwardRow(const void *state, const float *image, float *logits) {
  const float *weight = static_cast<const float *>(state);
  const float *bias = weight + biasOffset / sizeof(float);
  for (int64_t c = 0; c < classes; ++c) {
    float sum = bias[c];
    for (int64_t i = 0; i < inputs; ++i)
      sum += weight[c * inputs + i] * image[i];
    logits[c] = sum;
  }
}

/// logits -> probabilities, in place; returns the loss.
static float softmaxRow(float *logits, int32_t label) {
  float most = logits[0], sum = 0;
  for (int64_t c = 1; c < classes; ++c)
    most = std::fmax(most, logits[c]);
  for (int64_t c = 0; c < classes; ++c)
    sum += std::exp(logits[c] - most);
  float loss = std::log(sum) - (logits[label] - most);
  for (int64_t c = 0; c < classes; ++c)
    logits[c] = std::exp(logits[c] - most) / sum;
  return loss;
}

static void trainStep(void *const *b, const cnn_context *context) {
  const float *image = static_cast<const float *>(b[2]);
  const int32_t *labels = static_cast<const int32_t *>(b[3]);
  const int64_t rows = *static_cast<const int32_t *>(b[4]);
  const float lr = *static_cast<const float *>(b[5]);
  // Arena: probabilities [batch, classes], losses [batch], sums of gradients [classes][2].
  float *probabilities = static_cast<float *>(b[8]), *losses = probabilities + batch * classes;
  float *sums = losses + batch;
  forItems(context, rows, [&](int64_t row) {
    float *p = probabilities + row * classes;
    forwardRow(b[0], image + row * inputs, p);
    losses[row] = softmaxRow(p, labels[row]);
    p[labels[row]] -= 1;
  });
  barrier(context);
  const float *weight = static_cast<const float *>(b[0]);
  float *newWeight = static_cast<float *>(b[1]);
  forItems(context, classes, [&](int64_t c) {
    float biasGradient = 0, all = 0;
    for (int64_t row = 0; row < rows; ++row)
      biasGradient += probabilities[row * classes + c] / float(rows);
    for (int64_t i = 0; i < inputs; ++i) {
      float gradient = 0;
      for (int64_t row = 0; row < rows; ++row)
        gradient += probabilities[row * classes + c] * image[row * inputs + i] / float(rows);
      all += gradient;
      newWeight[c * inputs + i] = weight[c * inputs + i] - lr * gradient;
    }
    int64_t bias = biasOffset / int64_t(sizeof(float)) + c;
    newWeight[bias] = weight[bias] - lr * biasGradient;
    sums[2 * c] = all;
    sums[2 * c + 1] = biasGradient;
  });
  barrier(context);
  if (context && context->worker != 0)
    return;
  float loss = 0, *flags = static_cast<float *>(b[7]);
  for (int64_t row = 0; row < rows; ++row)
    loss += losses[row];
  *static_cast<float *>(b[6]) = loss / float(rows);
  flags[0] = flags[1] = 0;
  for (int64_t c = 0; c < classes; ++c) {
    flags[0] += sums[2 * c] - sums[2 * c]; // NaN when not finite
    flags[1] += sums[2 * c + 1] - sums[2 * c + 1];
  }
}

static void eval(void *const *b, const cnn_context *context) {
  const float *image = static_cast<const float *>(b[1]);
  const int32_t *labels = static_cast<const int32_t *>(b[2]);
  const int64_t rows = *static_cast<const int32_t *>(b[3]);
  float *logits = static_cast<float *>(b[5]), *losses = static_cast<float *>(b[6]);
  forItems(context, rows, [&](int64_t row) {
    float *out = logits + row * classes, probabilities[64];
    forwardRow(b[0], image + row * inputs, out);
    for (int64_t c = 0; c < classes; ++c)
      probabilities[c] = out[c];
    losses[row] = softmaxRow(probabilities, labels[row]);
  });
  barrier(context);
  if (context && context->worker != 0)
    return;
  float sum = 0;
  for (int64_t row = 0; row < rows; ++row)
    sum += losses[row];
  *static_cast<float *>(b[4]) = sum;
}

static void infer(void *const *b, const cnn_context *context) {
  const float *image = static_cast<const float *>(b[1]);
  forItems(context, *static_cast<const int32_t *>(b[2]), [&](int64_t row) {
    forwardRow(b[0], image + row * inputs, static_cast<float *>(b[3]) + row * classes);
  });
}

CompiledNet softmaxNet(ImageShape image, int64_t classCount, int64_t batchSize) {
  inputs = image.elements();
  classes = classCount;
  batch = batchSize;
  auto aligned = [](int64_t bytes) { return (bytes + 63) / 64 * 64; };
  biasOffset = aligned(classes * inputs * 4);
  long long stateBytes = biasOffset + aligned(classes * 4);
  long long arenaBytes = aligned((batch * classes + batch + 2 * classes) * 4);
  auto input = [](const char *name, const char *element, const std::string &shape) {
    return formatText(R"({"role":"input","name":"%s","element":"%s","shape":%s},)", name, element,
                      shape.c_str());
  };
  auto output = [](const char *name, const std::string &shape) {
    return formatText(R"({"role":"output","name":"%s","element":"f32","shape":%s},)", name,
                      shape.c_str());
  };
  std::string images =
      shapeText(std::vector<int64_t>{batch, image.channels, image.height, image.width});
  std::string rows = shapeText(std::vector<int64_t>{batch});
  std::string logits = shapeText(std::vector<int64_t>{batch, classes});
  auto stateBuffer = [&](const char *role) {
    return formatText(R"({"role":"%s","bytes":%lld},)", role, stateBytes);
  };
  std::string memory =
      formatText(R"({"role":"arena","bytes":%lld},{"role":"scratch","bytes":0}]})", arenaBytes);
  std::string common = input("image", "f32", images) + input("labels", "i32", rows);
  std::string count = input("rows", "i32", "[]");
  std::string fans =
      formatText(R"("fan_in":%lld,"fan_out":%lld})", (long long)inputs, (long long)classes);
  std::string json =
      formatText(R"({"abi":2,"net":"softmax","batch":%lld,"element":"f32","cpu":"generic",)"
                 R"("state_bytes":%lld,"prepared_bytes":0,"state":[)",
                 (long long)batch, stateBytes) +
      R"({"name":"linear1.weight","kind":"parameter","element":"f32","shape":)" +
      shapeText(std::vector<int64_t>{classes, inputs}) +
      R"(,"offset":0,"init":{"kind":"xavier_uniform",)" + fans + "}," +
      R"({"name":"linear1.bias","kind":"parameter","element":"f32","shape":)" +
      shapeText(std::vector<int64_t>{classes}) +
      formatText(R"(,"offset":%lld,"init":{"kind":"zeros"}}],"entries":[)", (long long)biasOffset) +
      R"({"name":"train_step","symbol":"softmax_train_step","flops":1,"buffers":[)" +
      stateBuffer("state_in") + stateBuffer("state_out") + common + count +
      input("lr", "f32", "[]") + output("loss", "[]") + output("nonfinite", "[2]") + memory +
      R"(,{"name":"eval","symbol":"softmax_eval","flops":1,"buffers":[)" + stateBuffer("state_in") +
      common + count + output("loss_sum", "[]") + output("logits", logits) + memory +
      R"(,{"name":"infer","symbol":"softmax_infer","flops":1,"buffers":[)" +
      stateBuffer("state_in") + input("image", "f32", images) + count + output("logits", logits) +
      memory + "]}";
  Result<Manifest> manifest = parseManifest(json);
  if (manifest.failed()) {
    std::fprintf(stderr, "%s\n%s\n", manifest.message().c_str(), json.c_str());
    std::abort();
  }
  return {std::move(*manifest), [](std::string_view symbol) -> cnn_entry {
            if (symbol == "softmax_train_step")
              return trainStep;
            if (symbol == "softmax_eval")
              return eval;
            return symbol == "softmax_infer" ? infer : nullptr;
          }};
}

//===----------------------------------------------------------------------===//
// Data
//===----------------------------------------------------------------------===//

namespace {
class BlobSource : public SampleSource {
public:
  BlobSource(ImageShape image, int classes, int64_t count, uint64_t seed, uint64_t split)
      : image(image), classes(classes), count(count), noise(seed, RandomPurpose::Test, split),
        pattern(seed, RandomPurpose::Test, 100) {}
  int64_t size() const override { return count; }
  ImageShape shape() const override { return image; }
  int32_t label(int64_t index) const override {
    return static_cast<int32_t>(noise.below(index, classes));
  }
  Status read(int64_t index, float *pixels) const override {
    int64_t elements = image.elements();
    for (int64_t i = 0; i < elements; ++i)
      pixels[i] = static_cast<float>(0.6 * pattern.uniform(label(index) * elements + i) +
                                     0.4 * noise.uniform((index + 1) * 4096 + i));
    return Status();
  }

private:
  ImageShape image;
  int classes;
  int64_t count;
  RandomStream noise, pattern;
};
} // namespace

Dataset blobs(ImageShape image, int classes, int64_t trainSize, int64_t testSize, uint64_t seed) {
  Dataset data;
  data.name = "blobs";
  for (int c = 0; c < classes; ++c)
    data.classNames.push_back("blob " + std::to_string(c));
  data.train = *SampleSet::create(std::make_shared<BlobSource>(image, classes, trainSize, seed, 1));
  data.test = *SampleSet::create(std::make_shared<BlobSource>(image, classes, testSize, seed, 2));
  return data;
}

} // namespace cnn::test
