// A data set in pairs of .npy files: images and labels.
#include "runtime/data/Npy.h"
#include "runtime/data/Sets.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace cnn {

namespace {

class NpySource : public SampleSource {
public:
  NpySource(NpyArray images, std::vector<int32_t> labels)
      : images(std::move(images)), labels(std::move(labels)) {
    const std::vector<int64_t> &dims = this->images.shape;
    extents =
        dims.size() == 3 ? ImageShape{1, dims[1], dims[2]} : ImageShape{dims[1], dims[2], dims[3]};
  }
  int64_t size() const override { return int64_t(labels.size()); }
  ImageShape shape() const override { return extents; }
  int32_t label(int64_t index) const override { return labels[size_t(index)]; }
  bool hasBytes() const override { return images.element == ElementType::U8; }
  Status read(int64_t index, float *pixels) const override { return convert(index, pixels); }
  Status readDouble(int64_t index, double *pixels) const override { return convert(index, pixels); }

private:
  template <typename T> Status convert(int64_t index, T *pixels) const {
    int64_t count = extents.elements();
    const uint8_t *from =
        images.data.data() + index * count * int64_t(elementBytes(images.element));
    if (images.element == ElementType::U8)
      bytesToPixels(from, count, pixels);
    else if (images.element == ElementType::F64)
      std::copy_n(reinterpret_cast<const double *>(from), count, pixels);
    else
      std::copy_n(reinterpret_cast<const float *>(from), count, pixels);
    return Status::success();
  }

  NpyArray images; ///< of bytes, f32 or f64
  std::vector<int32_t> labels;
  ImageShape extents;
};

Result<NpyArray> readImages(const std::string &path) {
  Result<NpyArray> images = readNpy(path);
  if (images.failed())
    return images.status();
  const std::vector<int64_t> &dims = images->shape;
  if (dims.size() != 3 && dims.size() != 4)
    return Status::failure(path, "expected images of shape [N, height, width] or [N, channels, "
                                 "height, width], the file has " +
                                     shapeText(dims));
  if (images->data.empty())
    return Status::failure(path, "has no images: its shape is " + shapeText(dims));
  if (images->element == ElementType::U8)
    return images;
  std::vector<float> values = images->toF32();
  for (size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i])) {
      size_t each = values.size() / size_t(dims[0]);
      return Status::failure(path, formatText("image %zu contains NaN or infinity", i / each));
    }
  if (images->element == ElementType::F64)
    return images;
  images->element = ElementType::F32;
  images->data.resize(values.size() * sizeof(float));
  std::memcpy(images->data.data(), values.data(), images->data.size());
  return images;
}

Result<std::vector<int32_t>> readLabels(const std::string &path) {
  Result<NpyArray> array = readNpy(path);
  if (array.failed())
    return array.status();
  if (array->shape.size() != 1)
    return Status::failure(path,
                           "expected labels of shape [N], the file has " + shapeText(array->shape));
  if (array->element == ElementType::F32 || array->element == ElementType::F64)
    return Status::failure(path, std::string("the labels are ") + elementName(array->element) +
                                     ", expected u8, i32 or i64");
  constexpr int64_t mostClasses = 65536;
  std::vector<int32_t> labels;
  for (int64_t i = 0; i < array->shape[0]; ++i) {
    int64_t label = 0;
    size_t bytes = elementBytes(array->element);
    std::memcpy(&label, array->data.data() + size_t(i) * bytes, bytes);
    if (array->element == ElementType::I32)
      label = int32_t(label);
    if (label < 0 || label >= mostClasses)
      return Status::failure(path,
                             formatText("label %lld is %lld, expected 0 to %lld", (long long)i,
                                        (long long)label, (long long)mostClasses - 1));
    labels.push_back(int32_t(label));
  }
  return labels;
}

Result<std::shared_ptr<const SampleSource>> openPair(const std::string &imagesPath,
                                                     const std::string &labelsPath,
                                                     std::vector<int32_t> labels) {
  Result<NpyArray> images = readImages(imagesPath);
  if (images.failed())
    return images.status();
  if (images->shape[0] != int64_t(labels.size()))
    return Status::failure(labelsPath,
                           formatText("has %zu labels, and %s has %lld images", labels.size(),
                                      imagesPath.c_str(), (long long)images->shape[0]));
  return std::shared_ptr<const SampleSource>(
      std::make_shared<NpySource>(std::move(*images), std::move(labels)));
}

} // namespace

Result<RawDataset> openNpySet(const DataCall &set, const DataPlace &place, bool withTraining) {
  bool tests = set.has("test_images");
  if (tests != set.has("test_labels"))
    return Status::failure("npy: 'test_images' and 'test_labels' go together, and one is missing");
  std::string images = placedPath(set.text("images"), place),
              labels = placedPath(set.text("labels"), place),
              testImages = placedPath(set.text("test_images"), place),
              testLabels = placedPath(set.text("test_labels"), place);
  RawDataset raw;
  raw.path = images;
  Result<std::vector<int32_t>> known = readLabels(labels);
  if (known.failed())
    return known.status();
  int32_t classes = 0;
  for (int32_t label : *known)
    classes = std::max(classes, label + 1);
  for (int32_t i = 0; i < classes; ++i)
    raw.classNames.push_back(std::to_string(i));
  if (withTraining || !tests) {
    Result<std::shared_ptr<const SampleSource>> pair = openPair(images, labels, std::move(*known));
    if (pair.failed())
      return pair.status();
    raw.train = std::move(*pair);
  }
  if (!tests)
    return raw;
  Result<std::vector<int32_t>> tested = readLabels(testLabels);
  if (tested.failed())
    return tested.status();
  for (size_t i = 0; i < tested->size(); ++i)
    if ((*tested)[i] >= classes)
      return Status::failure(testLabels, formatText("label %zu is %d, those of %s are 0 to %d", i,
                                                    (*tested)[i], labels.c_str(), classes - 1));
  Result<std::shared_ptr<const SampleSource>> pair =
      openPair(testImages, testLabels, std::move(*tested));
  if (pair.failed())
    return pair.status();
  raw.test = std::move(*pair);
  if (raw.train && raw.train->shape() != raw.test->shape())
    return Status::failure(testImages, "has images of shape " +
                                           shapeText(raw.test->shape().dims()) + ", and " + images +
                                           " of " + shapeText(raw.train->shape().dims()));
  return raw;
}

} // namespace cnn
