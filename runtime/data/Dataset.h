// A data set: raw samples from a source, a list of transforms, and the classes' names, as a
// recipe's pipeline says. Loader.h makes batches of it.
#ifndef CNNC_RUNTIME_DATA_DATASET_H
#define CNNC_RUNTIME_DATA_DATASET_H

#include "runtime/core/Status.h"
#include "runtime/schema/DataPipeline.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cnn {

/// One image, channel-major (CHW). Values start in [0, 1]; a transform may change range and shape.
struct Image {
  ImageShape shape;
  std::vector<float> pixels;
};

/// What a random transform may depend on: nothing else, so that every thread makes the same sample.
struct SampleKey {
  uint64_t seed = 0, epoch = 0, index = 0;
  /// For a training step: random transforms draw. Otherwise they leave the image as it is, but for
  /// its shape.
  bool training = false;
};

/// Labelled raw images. Every method may be called from several threads at once.
class SampleSource {
public:
  virtual ~SampleSource();
  virtual int64_t size() const = 0;
  /// Of every sample; -1 for extents in which they differ.
  virtual ImageShape shape() const = 0;
  virtual int32_t label(int64_t index) const = 0;
  /// Whether samples are made of bytes, divided by 255; else they are numbers as they were stored.
  virtual bool hasBytes() const { return true; }
  /// Writes shape().elements() values in [0, 1], CHW; for sources whose shape is known.
  virtual Status read(int64_t index, float *pixels) const = 0;
  /// The same for any source: grows `pixels` as needed, says which shape the image has.
  virtual Result<ImageShape> load(int64_t index, std::vector<float> &pixels) const;
  /// The same in double, for nets in f64; what the others give unless a source knows better.
  virtual Status readDouble(int64_t index, double *pixels) const;
  virtual Result<ImageShape> loadDouble(int64_t index, std::vector<double> &pixels) const;
};

/// One step of preprocessing, pure in the image and the key.
class Transform {
public:
  virtual ~Transform();
  /// The words for `cnn predict`: "resize to 96x96"; empty when it does nothing outside of
  /// training.
  virtual std::string describe() const = 0;
  /// The shape that `apply` makes of `input`, or why it cannot; an unknown extent may stay so.
  virtual Result<ImageShape> outputShape(ImageShape input) const = 0;
  /// Whether `output` of `apply` may be its `input`; the shape is then the same.
  virtual bool inPlace() const { return false; }
  /// Writes an image of outputShape(shape), which has not failed.
  virtual void apply(ImageShape shape, const float *input, float *output,
                     const SampleKey &key) const = 0;
  /// The same in double, for nets in f64; by way of `apply` unless a transform knows better.
  virtual void applyDouble(ImageShape shape, const double *input, double *output,
                           const SampleKey &key) const;
};

/// Memory between transforms; one for each thread that reads.
struct SampleBuffers {
  std::vector<float> images[2];
  std::vector<double> doubles[2];
  /// The memory for pixels of type `T`.
  template <typename T> std::vector<T> &get(int which) {
    if constexpr (sizeof(T) == sizeof(float))
      return images[which];
    else
      return doubles[which];
  }
};

/// Transforms in their order.
class Preprocessing {
public:
  Preprocessing() = default;
  explicit Preprocessing(std::vector<std::shared_ptr<const Transform>> transforms);

  bool empty() const { return transforms.empty(); }
  /// The shapes before and after each transform; fails when one cannot take what comes.
  Result<std::vector<ImageShape>> shapes(ImageShape input) const;
  /// Each transform's words.
  std::vector<std::string> describe() const;
  /// Replaces the image by what the transforms make of it.
  Status apply(Image &image, const SampleKey &key = {}) const;

private:
  friend class SampleSet;
  /// `input` lies in buffer 0, or in `output` when nothing needs other memory. `T` is float or
  /// double.
  template <typename T>
  void run(const std::vector<ImageShape> &shapes, T *input, T *output, SampleBuffers &buffers,
           const SampleKey &key) const;

  std::vector<std::shared_ptr<const Transform>> transforms;
  size_t moving = 0; ///< after the last transform that cannot work in place
};

/// A split of a data set: a source and what is done to each of its samples, in order.
class SampleSet {
public:
  SampleSet() = default;
  /// Fails when a transform cannot take what the one before it makes, or when the first image
  /// decides about the shape and cannot be read.
  static Result<SampleSet> create(std::shared_ptr<const SampleSource> source,
                                  Preprocessing preprocessing = {});

  int64_t size() const { return source ? source->size() : 0; }
  /// Of every sample after all transforms.
  ImageShape shape() const { return outputShape; }
  int32_t label(int64_t index) const { return source->label(index); }
  /// Writes sample `index` (key.index is set here) as shape().elements() numbers, CHW. Doubles are
  /// computed in double from the first.
  Status read(int64_t index, SampleKey key, float *pixels, SampleBuffers &buffers) const {
    return readPixels(index, key, pixels, buffers);
  }
  Status read(int64_t index, SampleKey key, double *pixels, SampleBuffers &buffers) const {
    return readPixels(index, key, pixels, buffers);
  }
  Status read(int64_t index, SampleKey key, float *pixels) const {
    SampleBuffers buffers;
    return read(index, key, pixels, buffers);
  }
  /// "pixels / 255", then each transform's words.
  std::vector<std::string> describe() const;

private:
  template <typename T>
  Status readPixels(int64_t index, SampleKey key, T *pixels, SampleBuffers &buffers) const;

  std::shared_ptr<const SampleSource> source;
  Preprocessing preprocessing;
  std::vector<ImageShape> shapes; ///< those of every image; empty where images differ
  ImageShape outputShape;
};

struct Dataset {
  std::string name;      ///< "fashion_mnist"
  std::string path;      ///< the folder that the files were found in
  DataPipeline pipeline; ///< what was opened
  std::vector<std::string> classNames;
  SampleSet train, test;
  SampleSet validation;        ///< set aside by `split`, empty without it
  Preprocessing preprocessing; ///< of the pixels
};

/// Which splits to read: evaluation needs no training images. Validation images, where there are
/// any, are read in either case.
enum class DatasetSplits { Both, TestOnly };

/// Where to look for files.
struct DataPlace {
  std::string dataDir; ///< --data; empty: none
  std::string folder;  ///< of the file that names relative paths; empty: the current one
};

/// Opens what a recipe says. Data sets by name are looked for in `dataDir` when it is not empty,
/// else in $CNNC_DATA when it is set, else in /usr/share/datasets/<folder>; in the folder itself,
/// then in the subfolders that they have below it and where torchvision puts them. Fails with where
/// it looked and how to get the data, and on every fault of the files; on stages that do not fit.
Result<Dataset> openPipeline(const DataPipeline &pipeline, const DataPlace &place = {},
                             DatasetSplits splits = DatasetSplits::Both);

/// Opens a data set without stages.
Result<Dataset> openDataset(std::string_view name, const std::string &dataDir = {},
                            DatasetSplits splits = DatasetSplits::Both);

/// What the stages of a pipeline do to pixels, for an image from elsewhere.
Result<Preprocessing> makePreprocessing(const DataPipeline &pipeline);

/// Names that openDataset knows, for messages and completion.
const std::vector<std::string> &datasetNames();
/// The class names of a known data set, without opening it; empty for an unknown one.
const std::vector<std::string> &datasetClassNames(std::string_view name);

/// Writes `count` bytes as numbers in [0, 1]. A division, not a product with 1/255: the bits are
/// those of torchvision's ToTensor, or of the same in double.
template <typename T> void bytesToPixels(const uint8_t *bytes, int64_t count, T *pixels) {
  for (int64_t i = 0; i < count; ++i)
    pixels[i] = T(bytes[i]) / T(255);
}

/// The IDX images at `imagesPath` with the labels at `labelsPath` as a source of [1, H, W] images.
/// Fails unless the images have rank 3, the numbers agree, and 0 <= label < classes.
Result<std::shared_ptr<const SampleSource>> openIdxPair(const std::string &imagesPath,
                                                        const std::string &labelsPath, int classes);

} // namespace cnn

#endif
