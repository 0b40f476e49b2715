// A data set: raw samples from a source (IDX files now), a list of transforms, and the classes'
// names. Loader.h makes batches of it.
#ifndef CNNC_RUNTIME_DATA_DATASET_H
#define CNNC_RUNTIME_DATA_DATASET_H

#include "runtime/core/Status.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cnn {

struct ImageShape {
  int64_t channels = 0, height = 0, width = 0;
  int64_t elements() const { return channels * height * width; }
  std::vector<int64_t> dims() const { return {channels, height, width}; }
  bool operator==(const ImageShape &) const = default;
};

/// One image, channel-major (CHW). Values start in [0, 1]; a transform may change range and shape.
struct Image {
  ImageShape shape;
  std::vector<float> pixels;
};

/// What a random transform may depend on: nothing else, so that every thread makes the same sample.
struct SampleKey {
  uint64_t seed = 0, epoch = 0, index = 0;
};

/// Labelled raw images. Every method may be called from several threads at once.
class SampleSource {
public:
  virtual ~SampleSource();
  virtual int64_t size() const = 0;
  virtual ImageShape shape(int64_t index) const = 0;
  virtual int32_t label(int64_t index) const = 0;
  /// Writes shape(index).elements() values in [0, 1], CHW.
  virtual Status read(int64_t index, float *pixels) const = 0;
};

/// One step of preprocessing, pure in the image and the key.
class Transform {
public:
  virtual ~Transform();
  /// The words for `cnn predict`: "resize to 96x96".
  virtual std::string describe() const = 0;
  /// The shape that `apply` makes of `input`, or why it cannot.
  virtual Result<ImageShape> outputShape(ImageShape input) const = 0;
  virtual Status apply(Image &image, const SampleKey &key) const = 0;
};

/// A split of a data set: a source and what is done to each of its samples, in order.
class SampleSet {
public:
  SampleSet() = default;
  /// Fails when a transform cannot take what the one before it makes.
  static Result<SampleSet> create(std::shared_ptr<const SampleSource> source,
                                  std::vector<std::shared_ptr<const Transform>> transforms = {});

  int64_t size() const { return source ? source->size() : 0; }
  /// Of every sample after all transforms.
  ImageShape shape() const { return outputShape; }
  int32_t label(int64_t index) const { return source->label(index); }
  /// Writes sample `index` (key.index is set here) as shape().elements() floats, CHW.
  Status read(int64_t index, SampleKey key, float *pixels) const;
  /// "pixels / 255", then each transform's words.
  std::vector<std::string> describe() const;

private:
  std::shared_ptr<const SampleSource> source;
  std::vector<std::shared_ptr<const Transform>> transforms;
  ImageShape outputShape;
};

struct Dataset {
  std::string name; ///< "fashion_mnist"
  std::string path; ///< the folder that the files were found in
  std::vector<std::string> classNames;
  SampleSet train, test;
};

/// Names that openDataset knows, for messages and completion.
const std::vector<std::string> &datasetNames();
/// The class names of a known data set, without opening it; empty for an unknown one.
const std::vector<std::string> &datasetClassNames(std::string_view name);

/// Which splits to read: evaluation needs no training images.
enum class DatasetSplits { Both, TestOnly };

/// Opens `name` ("fashion_mnist", "mnist"). The files are looked for in `dataDir` (--data) when it
/// is not empty, else in $CNNC_DATA when it is set, else in /usr/share/datasets/<folder>; in the
/// folder itself, then in its subfolder `fashion-mnist` (`mnist`), then where torchvision puts them
/// (`FashionMNIST/raw`, `MNIST/raw`); plain before `.gz`. Fails with where it looked and how to get
/// the data; and on every fault of the files: see Idx.h, and images and labels of different
/// numbers, labels out of range, images that are not [N, 28, 28].
Result<Dataset> openDataset(std::string_view name, const std::string &dataDir = {},
                            DatasetSplits splits = DatasetSplits::Both);

/// The IDX images at `imagesPath` with the labels at `labelsPath` as a source of [1, H, W] images.
/// Fails unless the images have rank 3, the numbers agree, and 0 <= label < classes.
Result<std::shared_ptr<const SampleSource>> openIdxPair(const std::string &imagesPath,
                                                        const std::string &labelsPath, int classes);

} // namespace cnn

#endif
