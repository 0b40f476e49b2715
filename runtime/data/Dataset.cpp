// Sample sets and their preprocessing: source -> buffers -> the row of a batch. Only transforms
// that move pixels need memory of their own; the last of them writes to the row, where the others
// work.
#include "runtime/data/Dataset.h"

#include "runtime/schema/DataSchema.h"

#include <algorithm>

namespace cnn {

SampleSource::~SampleSource() = default;
Transform::~Transform() = default;

Result<ImageShape> SampleSource::load(int64_t index, std::vector<float> &pixels) const {
  ImageShape own = shape();
  pixels.resize(size_t(own.elements()));
  if (Status status = read(index, pixels.data()); status.failed())
    return status;
  return own;
}

Status SampleSource::readDouble(int64_t index, double *pixels) const {
  std::vector<float> floats(size_t(shape().elements()));
  Status status = read(index, floats.data());
  std::copy(floats.begin(), floats.end(), pixels);
  return status;
}

Result<ImageShape> SampleSource::loadDouble(int64_t index, std::vector<double> &pixels) const {
  if (ImageShape own = shape(); own.known()) {
    pixels.resize(size_t(own.elements()));
    if (Status status = readDouble(index, pixels.data()); status.failed())
      return status;
    return own;
  }
  std::vector<float> floats;
  Result<ImageShape> own = load(index, floats);
  pixels.assign(floats.begin(), floats.end());
  return own;
}

void Transform::applyDouble(ImageShape shape, const double *input, double *output,
                            const SampleKey &key) const {
  std::vector<float> from(input, input + shape.elements()),
      to(size_t(outputShape(shape)->elements()));
  apply(shape, from.data(), to.data(), key);
  std::copy(to.begin(), to.end(), output);
}

// What of a source or transform is meant by pixels of a type.
static Status read(const SampleSource &source, int64_t index, float *pixels) {
  return source.read(index, pixels);
}
static Status read(const SampleSource &source, int64_t index, double *pixels) {
  return source.readDouble(index, pixels);
}
static Result<ImageShape> load(const SampleSource &source, int64_t index, std::vector<float> &to) {
  return source.load(index, to);
}
static Result<ImageShape> load(const SampleSource &source, int64_t index, std::vector<double> &to) {
  return source.loadDouble(index, to);
}
static void apply(const Transform &transform, ImageShape shape, const float *input, float *output,
                  const SampleKey &key) {
  transform.apply(shape, input, output, key);
}
static void apply(const Transform &transform, ImageShape shape, const double *input, double *output,
                  const SampleKey &key) {
  transform.applyDouble(shape, input, output, key);
}

//===----------------------------------------------------------------------===//
// Preprocessing
//===----------------------------------------------------------------------===//

Preprocessing::Preprocessing(std::vector<std::shared_ptr<const Transform>> list)
    : transforms(std::move(list)) {
  for (size_t i = 0; i < transforms.size(); ++i)
    if (!transforms[i]->inPlace())
      moving = i + 1;
}

Result<std::vector<ImageShape>> Preprocessing::shapes(ImageShape input) const {
  std::vector<ImageShape> list = {input};
  for (const std::shared_ptr<const Transform> &transform : transforms) {
    Result<ImageShape> next = transform->outputShape(list.back());
    if (next.failed())
      return next.status();
    list.push_back(*next);
  }
  return list;
}

std::vector<std::string> Preprocessing::describe() const {
  std::vector<std::string> steps;
  for (const std::shared_ptr<const Transform> &transform : transforms)
    if (std::string words = transform->describe(); !words.empty())
      steps.push_back(std::move(words));
  return steps;
}

template <typename T>
void Preprocessing::run(const std::vector<ImageShape> &shapes, T *input, T *output,
                        SampleBuffers &buffers, const SampleKey &key) const {
  T *current = input;
  int used = 0; // the buffer that `current` is, while it is one
  for (size_t i = 0; i < transforms.size(); ++i) {
    T *next = current;
    if (i + 1 == moving) {
      next = output;
    } else if (i < moving && !transforms[i]->inPlace()) {
      used = 1 - used;
      buffers.get<T>(used).resize(size_t(shapes[i + 1].elements()));
      next = buffers.get<T>(used).data();
    }
    cnn::apply(*transforms[i], shapes[i], current, next, key);
    current = next;
  }
}

Status Preprocessing::apply(Image &image, const SampleKey &key) const {
  Result<std::vector<ImageShape>> steps = shapes(image.shape);
  if (steps.failed())
    return steps.status();
  SampleBuffers buffers;
  std::vector<float> result(size_t(steps->back().elements()));
  buffers.images[0] = std::move(image.pixels);
  if (moving == 0)
    result.swap(buffers.images[0]);
  run(*steps, moving == 0 ? result.data() : buffers.images[0].data(), result.data(), buffers, key);
  image.pixels = std::move(result);
  image.shape = steps->back();
  return Status::success();
}

//===----------------------------------------------------------------------===//
// SampleSet
//===----------------------------------------------------------------------===//

Result<SampleSet> SampleSet::create(std::shared_ptr<const SampleSource> source,
                                    Preprocessing preprocessing) {
  SampleSet set;
  set.preprocessing = std::move(preprocessing);
  ImageShape shape = source->shape();
  Result<std::vector<ImageShape>> shapes = set.preprocessing.shapes(shape);
  if (shapes.failed())
    return shapes.status();
  if (!shapes->back().known() && source->size() > 0) {
    // The images decide; the first one for all.
    std::vector<float> pixels;
    Result<ImageShape> first = source->load(0, pixels);
    if (first.failed())
      return first.status();
    shapes = set.preprocessing.shapes(*first);
    if (shapes.failed())
      return shapes.status();
  }
  set.outputShape = shapes->back();
  if (shape.known())
    set.shapes = std::move(*shapes);
  set.source = std::move(source);
  return set;
}

template <typename T>
Status SampleSet::readPixels(int64_t index, SampleKey key, T *pixels,
                             SampleBuffers &buffers) const {
  key.index = uint64_t(index);
  std::vector<T> &buffer = buffers.get<T>(0);
  if (!shapes.empty()) {
    T *input = pixels;
    if (preprocessing.moving > 0) {
      buffer.resize(size_t(shapes[0].elements()));
      input = buffer.data();
    }
    if (Status status = cnn::read(*source, index, input); status.failed())
      return status;
    preprocessing.run(shapes, input, pixels, buffers, key);
    return Status::success();
  }
  Result<ImageShape> shape = cnn::load(*source, index, buffer);
  if (shape.failed())
    return shape.status();
  Result<std::vector<ImageShape>> steps = preprocessing.shapes(*shape);
  if (steps.failed())
    return Status::failure(formatText("sample %lld: ", (long long)index) + steps.message());
  if (steps->back() != outputShape)
    return Status::failure(formatText("sample %lld has shape %s after preprocessing, sample 0 %s",
                                      (long long)index, shapeText(steps->back().dims()).c_str(),
                                      shapeText(outputShape.dims()).c_str()))
        .withHint("resize the images to one size");
  T *input = buffer.data();
  if (preprocessing.moving == 0) {
    std::copy_n(input, shape->elements(), pixels);
    input = pixels;
  }
  preprocessing.run(*steps, input, pixels, buffers, key);
  return Status::success();
}

template Status SampleSet::readPixels(int64_t, SampleKey, float *, SampleBuffers &) const;
template Status SampleSet::readPixels(int64_t, SampleKey, double *, SampleBuffers &) const;

std::vector<std::string> SampleSet::describe() const {
  std::vector<std::string> steps = preprocessing.describe();
  if (source->hasBytes())
    steps.insert(steps.begin(), "pixels / 255");
  return steps;
}

//===----------------------------------------------------------------------===//
// By name
//===----------------------------------------------------------------------===//

const std::vector<std::string> &datasetNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const DataSchema &set : dataSets())
      list.push_back(set.name);
    return list;
  }();
  return names;
}

const std::vector<std::string> &datasetClassNames(std::string_view name) {
  static const std::vector<std::string> none;
  const DataSchema *set = findDataSet(name);
  return set ? set->view.classes : none;
}

Result<Dataset> openDataset(std::string_view name, const std::string &dataDir,
                            DatasetSplits splits) {
  return openPipeline(plainPipeline(name), {dataDir, {}}, splits);
}

} // namespace cnn
