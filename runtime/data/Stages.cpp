// One class per stage. Shapes and their errors come from the schema, so that what the front end has
// checked and what is done here cannot differ.
#include "runtime/data/Stages.h"

#include "runtime/core/Random.h"
#include "runtime/data/Resize.h"
#include "runtime/schema/DataSchema.h"

#include <algorithm>

namespace cnn {

namespace {

/// What all of them share: their call, and the shape by the schema.
class Stage : public Transform {
public:
  explicit Stage(const DataCall &call) : call(call) {}
  Result<ImageShape> outputShape(ImageShape input) const override {
    DataView view;
    view.shape = input;
    if (std::optional<DataProblem> problem = findDataStage(call.name)->apply(call, view)) {
      Status status = Status::failure(call.name + ": " + problem->message);
      return problem->hint.empty() ? status : std::move(status).withHint(problem->hint);
    }
    return view.shape;
  }

protected:
  DataCall call;
};

/// A stage `S` that derives from `Base` and computes in float and in double by its template `run`.
template <typename S, typename Base> class InBoth : public Base {
public:
  using Base::Base;
  void apply(ImageShape shape, const float *input, float *output,
             const SampleKey &key) const override {
    static_cast<const S *>(this)->run(shape, input, output, key);
  }
  void applyDouble(ImageShape shape, const double *input, double *output,
                   const SampleKey &key) const override {
    static_cast<const S *>(this)->run(shape, input, output, key);
  }
};

std::string tupleText(const std::vector<double> &numbers) {
  std::string text;
  for (double number : numbers)
    text += (text.empty() ? "" : ", ") + numberText(number);
  return numbers.size() == 1 ? text : "(" + text + ")";
}

class Resize : public InBoth<Resize, Stage> {
public:
  using InBoth::InBoth;
  std::string describe() const override {
    return formatText("resize to %lldx%lld", (long long)height(), (long long)width());
  }
  template <typename T>
  void run(ImageShape shape, const T *input, T *output, const SampleKey &) const {
    // Each thread keeps what the last image needed: most sets have images of one shape.
    thread_local ResizePlan<T> plan;
    thread_local std::vector<T> between;
    if (plan.input != shape || plan.rows.output != height() || plan.columns.output != width())
      plan = ResizePlan<T>(shape, height(), width());
    resize(plan, input, output, between);
  }

private:
  int64_t height() const { return call.integer("height"); }
  int64_t width() const { return call.has("width") ? call.integer("width") : height(); }
};

/// value * factor + offset, for each channel.
template <typename T>
void scaleChannel(const T *input, T *output, int64_t count, T factor, T offset) {
  for (int64_t i = 0; i < count; ++i)
    output[i] = input[i] * factor + offset;
}

class Scale : public InBoth<Scale, Stage> {
public:
  using InBoth::InBoth;
  std::string describe() const override {
    return "scale to " + numberText(low()) + " .. " + numberText(high());
  }
  bool inPlace() const override { return true; }
  template <typename T>
  void run(ImageShape shape, const T *input, T *output, const SampleKey &) const {
    scaleChannel(input, output, shape.elements(), T(high() - low()), T(low()));
  }

private:
  double low() const { return call.number("low"); }
  double high() const { return call.number("high"); }
};

class Normalize : public InBoth<Normalize, Stage> {
public:
  explicit Normalize(const DataCall &call)
      : InBoth(call), mean(call.find("mean")->numbers), deviation(call.find("std")->numbers) {}
  std::string describe() const override {
    return "(value - " + tupleText(mean) + ") / " + tupleText(deviation);
  }
  bool inPlace() const override { return true; }
  template <typename T>
  void run(ImageShape shape, const T *input, T *output, const SampleKey &) const {
    int64_t count = shape.height * shape.width;
    for (int64_t c = 0; c < shape.channels; ++c) {
      T m = T(mean[std::min<size_t>(size_t(c), mean.size() - 1)]);
      // A division would cost twice what all of a resize does.
      T inverse = T(1 / deviation[std::min<size_t>(size_t(c), deviation.size() - 1)]);
      const T *from = input + c * count;
      T *to = output + c * count;
      for (int64_t i = 0; i < count; ++i)
        to[i] = (from[i] - m) * inverse;
    }
  }

private:
  std::vector<double> mean, deviation;
};

/// A stage that draws: four random words for each sample, stage and epoch.
class RandomStage : public Stage {
public:
  RandomStage(const DataCall &call, unsigned ordinal) : Stage(call), ordinal(ordinal) {}

protected:
  /// Number `which` (0 or 1) of this sample, uniform in [0, bound).
  uint64_t draw(const SampleKey &key, unsigned which, uint64_t bound) const {
    return RandomStream(key.seed, RandomPurpose::Augment, key.epoch)
        .below(2 * (key.index * mostStages + ordinal) + which, bound);
  }

private:
  static constexpr uint64_t mostStages = 65536;
  unsigned ordinal;
};

class RandomFlip : public InBoth<RandomFlip, RandomStage> {
public:
  using InBoth::InBoth;
  std::string describe() const override { return {}; }
  bool inPlace() const override { return true; }
  template <typename T>
  void run(ImageShape shape, const T *input, T *output, const SampleKey &key) const {
    constexpr uint64_t whole = uint64_t(1) << 53;
    bool flip =
        key.training && double(draw(key, 0, whole)) < call.number("probability") * double(whole);
    if (input != output)
      std::copy_n(input, shape.elements(), output);
    if (!flip)
      return;
    for (int64_t row = 0; row < shape.channels * shape.height; ++row)
      std::reverse(output + row * shape.width, output + (row + 1) * shape.width);
  }
};

class RandomCrop : public InBoth<RandomCrop, RandomStage> {
public:
  using InBoth::InBoth;
  std::string describe() const override {
    return formatText("the centre, %lldx%lld", (long long)height(), (long long)width());
  }
  template <typename T>
  void run(ImageShape shape, const T *input, T *output, const SampleKey &key) const {
    int64_t padding = call.integer("padding");
    int64_t freeRows = shape.height + 2 * padding - height(),
            freeColumns = shape.width + 2 * padding - width();
    int64_t top = freeRows / 2, left = freeColumns / 2;
    if (key.training) {
      top = int64_t(draw(key, 0, uint64_t(freeRows + 1)));
      left = int64_t(draw(key, 1, uint64_t(freeColumns + 1)));
    }
    // In the image's own rows and columns; what lies outside is zero.
    top -= padding;
    left -= padding;
    int64_t firstColumn = std::clamp<int64_t>(-left, 0, width());
    int64_t endColumn = std::clamp<int64_t>(shape.width - left, firstColumn, width());
    for (int64_t c = 0; c < shape.channels; ++c)
      for (int64_t y = 0; y < height(); ++y, output += width()) {
        int64_t row = top + y;
        if (row < 0 || row >= shape.height || firstColumn == endColumn) {
          std::fill_n(output, width(), T(0));
          continue;
        }
        const T *from = input + (c * shape.height + row) * shape.width;
        std::fill_n(output, firstColumn, T(0));
        std::copy(from + left + firstColumn, from + left + endColumn, output + firstColumn);
        std::fill(output + endColumn, output + width(), T(0));
      }
  }

private:
  int64_t height() const { return call.integer("size"); }
  int64_t width() const { return call.integer("size", call.find("size")->numbers.size() - 1); }
};

class Grayscale : public InBoth<Grayscale, Stage> {
public:
  using InBoth::InBoth;
  std::string describe() const override { return "grayscale"; }
  template <typename T>
  void run(ImageShape shape, const T *input, T *output, const SampleKey &) const {
    int64_t count = shape.height * shape.width;
    if (shape.channels == 1) {
      if (input != output)
        std::copy_n(input, count, output);
      return;
    }
    const T *red = input, *green = input + count, *blue = green + count;
    for (int64_t i = 0; i < count; ++i)
      output[i] = T(0.2989) * red[i] + T(0.587) * green[i] + T(0.114) * blue[i];
  }
};

} // namespace

std::shared_ptr<const Transform> makeTransform(const DataCall &stage, unsigned ordinal) {
  if (stage.name == "resize")
    return std::make_shared<Resize>(stage);
  if (stage.name == "scale")
    return std::make_shared<Scale>(stage);
  if (stage.name == "normalize")
    return std::make_shared<Normalize>(stage);
  if (stage.name == "random_flip")
    return std::make_shared<RandomFlip>(stage, ordinal);
  if (stage.name == "random_crop")
    return std::make_shared<RandomCrop>(stage, ordinal);
  if (stage.name == "grayscale")
    return std::make_shared<Grayscale>(stage);
  return nullptr;
}

} // namespace cnn
