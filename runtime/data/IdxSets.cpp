// The sets in the four IDX files of MNIST.
#include "runtime/data/Idx.h"
#include "runtime/data/Sets.h"
#include "runtime/schema/DataSchema.h"

namespace cnn {

namespace {

/// Grey images and labels out of two IDX files.
class IdxSource : public SampleSource {
public:
  IdxSource(IdxTensor images, IdxTensor labels)
      : images(std::move(images)), labels(std::move(labels)) {}

  int64_t size() const override { return images.dims[0]; }
  ImageShape shape() const override { return {1, images.dims[1], images.dims[2]}; }
  int32_t label(int64_t index) const override { return labels.data[size_t(index)]; }

  Status read(int64_t index, float *pixels) const override { return convert(index, pixels); }
  Status readDouble(int64_t index, double *pixels) const override { return convert(index, pixels); }

private:
  template <typename T> Status convert(int64_t index, T *pixels) const {
    int64_t count = images.itemSize();
    bytesToPixels(images.data.data() + index * count, count, pixels);
    return Status::success();
  }

  IdxTensor images, labels;
};

/// What is particular to one of these sets.
struct MnistLike {
  const char *name;
  SetFolders folders;
};

const MnistLike sets[] = {
    {"fashion_mnist",
     {"fashion-mnist", "FashionMNIST/raw",
      "apt-get install dataset-fashion-mnist, or give the folder that has "
      "train-images-idx3-ubyte (or .gz) and the three files beside it by --data DIR or CNNC_DATA"}},
    {"mnist",
     {"mnist", "MNIST/raw",
      "give the folder that has train-images-idx3-ubyte (or .gz) and the three files beside it "
      "by --data DIR or CNNC_DATA; torchvision.datasets.MNIST downloads them"}}};

/// `stem` or `stem`.gz, whichever is there; empty when neither is.
std::string findFile(const std::string &stem) {
  for (const char *ending : {"", ".gz"})
    if (fileExists(stem + ending))
      return stem + ending;
  return {};
}

const char *const fileNames[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                 "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

Result<std::shared_ptr<const SampleSource>> openSplit(const DataSchema &schema,
                                                      const SetFolders &folders,
                                                      const std::string &folder, bool train) {
  std::string paths[2];
  for (int i = 0; i < 2; ++i) {
    std::string stem = folder + "/" + fileNames[i + (train ? 0 : 2)];
    paths[i] = findFile(stem);
    if (paths[i].empty())
      return Status::failure(stem, "the file is missing, with and without .gz")
          .withHint(folders.howToGet);
  }
  const DataView &view = schema.view;
  Result<std::shared_ptr<const SampleSource>> source =
      openIdxPair(paths[0], paths[1], int(view.classes.size()));
  if (source.failed())
    return source.status();
  ImageShape shape = (*source)->shape();
  if (shape != view.shape)
    return Status::failure(
        paths[0], formatText("the images have shape [%lld, %lld], those of %s [%lld, %lld]",
                             (long long)shape.height, (long long)shape.width, schema.name.c_str(),
                             (long long)view.shape.height, (long long)view.shape.width));
  return source;
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

Result<RawDataset> openIdxSet(const DataCall &set, const DataPlace &place, bool withTraining) {
  const MnistLike *known = sets;
  while (known->name != set.name)
    ++known;
  const DataSchema &schema = *findDataSet(set.name);
  Result<std::string> folder =
      findSetFolder(set.name, known->folders, place.dataDir, [](const std::string &folder) {
        for (const char *file : fileNames)
          if (!findFile(folder + "/" + file).empty())
            return true;
        return false;
      });
  if (folder.failed())
    return folder.status();
  RawDataset raw;
  raw.path = *folder;
  raw.classNames = schema.view.classes;
  for (bool train : {true, false}) {
    if (train && !withTraining)
      continue;
    Result<std::shared_ptr<const SampleSource>> split =
        openSplit(schema, known->folders, *folder, train);
    if (split.failed())
      return split.status();
    (train ? raw.train : raw.test) = std::move(*split);
  }
  return raw;
}

} // namespace cnn
