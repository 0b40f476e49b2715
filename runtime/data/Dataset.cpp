// Finding and opening data sets: name -> folder -> IDX files -> SampleSets.
#include "runtime/data/Dataset.h"

#include "runtime/data/Idx.h"

#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace cnn {

SampleSource::~SampleSource() = default;
Transform::~Transform() = default;

Result<SampleSet> SampleSet::create(std::shared_ptr<const SampleSource> source,
                                    std::vector<std::shared_ptr<const Transform>> transforms) {
  SampleSet set;
  if (source->size() > 0)
    set.outputShape = source->shape(0);
  for (const std::shared_ptr<const Transform> &transform : transforms) {
    Result<ImageShape> shape = transform->outputShape(set.outputShape);
    if (shape.failed())
      return shape.status();
    set.outputShape = *shape;
  }
  set.source = std::move(source);
  set.transforms = std::move(transforms);
  return set;
}

Status SampleSet::read(int64_t index, SampleKey key, float *pixels) const {
  Image image;
  image.shape = source->shape(index);
  if (transforms.empty() && image.shape == outputShape)
    return source->read(index, pixels);
  key.index = uint64_t(index);
  image.pixels.resize(size_t(image.shape.elements()));
  if (Status status = source->read(index, image.pixels.data()); status.failed())
    return status;
  for (const std::shared_ptr<const Transform> &transform : transforms)
    if (Status status = transform->apply(image, key); status.failed())
      return status;
  if (!(image.shape == outputShape))
    return Status::failure(formatText("sample %lld has shape %s after preprocessing, sample 0 %s",
                                      (long long)index, shapeText(image.shape.dims()).c_str(),
                                      shapeText(outputShape.dims()).c_str()))
        .withHint("resize the images to one size");
  std::memcpy(pixels, image.pixels.data(), image.pixels.size() * sizeof(float));
  return Status::success();
}

std::vector<std::string> SampleSet::describe() const {
  std::vector<std::string> steps = {"pixels / 255"};
  for (const std::shared_ptr<const Transform> &transform : transforms)
    steps.push_back(transform->describe());
  return steps;
}

namespace {

/// Grey images and labels out of two IDX files.
class IdxSource : public SampleSource {
public:
  IdxSource(IdxTensor images, IdxTensor labels)
      : images(std::move(images)), labels(std::move(labels)) {}

  int64_t size() const override { return images.dims[0]; }
  ImageShape shape(int64_t) const override { return {1, images.dims[1], images.dims[2]}; }
  int32_t label(int64_t index) const override { return labels.data[size_t(index)]; }

  Status read(int64_t index, float *pixels) const override {
    int64_t count = images.itemSize();
    const uint8_t *raw = images.data.data() + index * count;
    // A division, not a product with 1/255: the bits are those of torchvision's ToTensor.
    for (int64_t i = 0; i < count; ++i)
      pixels[i] = float(raw[i]) / 255.0f;
    return Status::success();
  }

private:
  IdxTensor images, labels;
};

/// A data set in the four files of MNIST.
struct MnistLike {
  std::string name;
  std::string folder;      ///< below /usr/share/datasets and below --data
  std::string torchFolder; ///< where torchvision puts it
  std::string howToGet;
  int64_t side; ///< of the square images
  std::vector<std::string> classNames;
};

const std::vector<MnistLike> &mnistLikes() {
  static const std::vector<MnistLike> sets = {
      {"fashion_mnist",
       "fashion-mnist",
       "FashionMNIST/raw",
       "apt-get install dataset-fashion-mnist, or give the folder that has "
       "train-images-idx3-ubyte (or .gz) and the three files beside it by --data DIR or CNNC_DATA",
       28,
       {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
        "Ankle boot"}},
      {"mnist",
       "mnist",
       "MNIST/raw",
       "give the folder that has train-images-idx3-ubyte (or .gz) and the three files beside it "
       "by --data DIR or CNNC_DATA; torchvision.datasets.MNIST downloads them",
       28,
       {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}}};
  return sets;
}

const MnistLike *findSet(std::string_view name) {
  for (const MnistLike &set : mnistLikes())
    if (set.name == name)
      return &set;
  return nullptr;
}

bool exists(const std::string &path) { return access(path.c_str(), F_OK) == 0; }

/// `stem` or `stem`.gz, whichever is there; empty when neither is.
std::string findFile(const std::string &stem) {
  for (const char *ending : {"", ".gz"})
    if (exists(stem + ending))
      return stem + ending;
  return {};
}

const char *const fileNames[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                 "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

/// The folder of `set`: the first that has one of its files.
Result<std::string> findFolder(const MnistLike &set, const std::string &dataDir) {
  const char *variable = std::getenv("CNNC_DATA");
  std::string base, origin;
  if (!dataDir.empty()) {
    base = dataDir;
    origin = " (--data)";
  } else if (variable && *variable) {
    base = variable;
    origin = " (CNNC_DATA)";
  } else {
    base = "/usr/share/datasets/" + set.folder;
  }
  while (base.size() > 1 && base.back() == '/')
    base.pop_back();
  for (const std::string &folder : {base, base + "/" + set.folder, base + "/" + set.torchFolder})
    for (const char *file : fileNames)
      if (!findFile(folder + "/" + file).empty())
        return folder;
  std::string reason = exists(base) ? "has none of its files" : "does not exist";
  return Status::failure("the data set '" + set.name + "' was not found: " + base + origin + " " +
                         reason)
      .withHint(set.howToGet);
}

Result<SampleSet> openSplit(const MnistLike &set, const std::string &folder, bool train) {
  std::string paths[2];
  for (int i = 0; i < 2; ++i) {
    std::string stem = folder + "/" + fileNames[i + (train ? 0 : 2)];
    paths[i] = findFile(stem);
    if (paths[i].empty())
      return Status::failure(stem, "the file is missing, with and without .gz")
          .withHint(set.howToGet);
  }
  Result<std::shared_ptr<const SampleSource>> source =
      openIdxPair(paths[0], paths[1], int(set.classNames.size()));
  if (source.failed())
    return source.status();
  ImageShape shape = (*source)->shape(0);
  if (shape.height != set.side || shape.width != set.side)
    return Status::failure(paths[0],
                           formatText("the images have shape [%lld, %lld], those of %s "
                                      "[%lld, %lld]",
                                      (long long)shape.height, (long long)shape.width,
                                      set.name.c_str(), (long long)set.side, (long long)set.side));
  return SampleSet::create(*source);
}

} // namespace

Result<std::shared_ptr<const SampleSource>>
openIdxPair(const std::string &imagesPath, const std::string &labelsPath, int classes) {
  Result<IdxTensor> images = readIdx(imagesPath), labels = readIdx(labelsPath);
  if (images.failed())
    return images.status();
  if (labels.failed())
    return labels.status();
  if (images->dims.size() != 3)
    return Status::failure(imagesPath,
                           "expected images of shape [N, height, width], the file has " +
                               shapeText(images->dims));
  if (labels->dims.size() != 1)
    return Status::failure(labelsPath,
                           "expected labels of shape [N], the file has " + shapeText(labels->dims));
  if (images->dims[0] != labels->dims[0])
    return Status::failure(labelsPath, formatText("has %lld labels, and %s has %lld images",
                                                  (long long)labels->dims[0], imagesPath.c_str(),
                                                  (long long)images->dims[0]));
  if (images->data.empty())
    return Status::failure(imagesPath, "has no images: its shape is " + shapeText(images->dims));
  for (size_t i = 0; i < labels->data.size(); ++i)
    if (labels->data[i] >= classes)
      return Status::failure(labelsPath, formatText("label %zu is %d, expected 0 to %d", i,
                                                    labels->data[i], classes - 1));
  return std::shared_ptr<const SampleSource>(
      std::make_shared<IdxSource>(std::move(*images), std::move(*labels)));
}

const std::vector<std::string> &datasetNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const MnistLike &set : mnistLikes())
      list.push_back(set.name);
    return list;
  }();
  return names;
}

const std::vector<std::string> &datasetClassNames(std::string_view name) {
  static const std::vector<std::string> none;
  const MnistLike *set = findSet(name);
  return set ? set->classNames : none;
}

Result<Dataset> openDataset(std::string_view name, const std::string &dataDir,
                            DatasetSplits splits) {
  const MnistLike *set = findSet(name);
  if (!set) {
    std::string known;
    for (const std::string &each : datasetNames())
      known += (known.empty() ? "" : ", ") + each;
    return Status::failure("unknown data set '" + std::string(name) + "'")
        .withHint("known are " + known);
  }
  Result<std::string> folder = findFolder(*set, dataDir);
  if (folder.failed())
    return folder.status();
  Dataset dataset;
  dataset.name = set->name;
  dataset.path = *folder;
  dataset.classNames = set->classNames;
  for (bool train : {true, false}) {
    if (train && splits == DatasetSplits::TestOnly)
      continue;
    Result<SampleSet> split = openSplit(*set, *folder, train);
    if (split.failed())
      return split.status();
    (train ? dataset.train : dataset.test) = std::move(*split);
  }
  return dataset;
}

} // namespace cnn
