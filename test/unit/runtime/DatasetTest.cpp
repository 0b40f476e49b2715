// Finding data sets, what is in them, and the full message of every fault of their files.
#include "runtime/data/Dataset.h"

#include "test/unit/runtime/IdxFiles.h"

using namespace cnn;
using namespace cnn::test;

static const char *const getFashion =
    "\n  hint: apt-get install dataset-fashion-mnist, or give the folder that has "
    "train-images-idx3-ubyte (or .gz) and the three files beside it by --data DIR or CNNC_DATA";

static std::string errorOf(const std::string &folder) {
  return openDataset("fashion_mnist", folder).message();
}

TEST(Dataset, OpensPlainAndGzip) {
  for (bool compressed : {false, true}) {
    TempFolder folder;
    writeMnistFiles(folder.path(), 5, 3, compressed);
    Result<Dataset> dataset = openDataset("fashion_mnist", folder.path() + "/");
    ASSERT_EQ(dataset.message(), "");
    EXPECT_EQ(dataset->path, folder.path());
    EXPECT_EQ(dataset->classNames[9], "Ankle boot");
    EXPECT_EQ(dataset->train.size(), 5);
    EXPECT_EQ(dataset->test.size(), 3);
    EXPECT_EQ(dataset->train.shape(), (ImageShape{1, 28, 28}));
    EXPECT_EQ(dataset->train.label(4), 28 % 10);
    EXPECT_EQ(dataset->test.describe(), std::vector<std::string>{"pixels / 255"});
    std::vector<float> pixels(784);
    ASSERT_TRUE(dataset->train.read(2, {}, pixels.data()).isOk());
    for (int i = 0; i < 784; ++i)
      ASSERT_EQ(pixels[i], float((2 * 784 + i) * 7 % 256) / 255.0f);
  }
}

TEST(Dataset, LooksInSubfoldersAndTheEnvironment) {
  TempFolder folder;
  writeMnistFiles(folder / "fashion-mnist", 2, 1);
  writeMnistFiles(folder / "MNIST/raw", 4, 1);
  EXPECT_EQ(openDataset("fashion_mnist", folder.path())->path, folder / "fashion-mnist");
  setenv("CNNC_DATA", folder.path().c_str(), 1);
  Result<Dataset> mnist = openDataset("mnist");
  std::string preferred = openDataset("mnist", folder / "none").message();
  std::string unsuited = openDataset("mnist", "").message();
  unsetenv("CNNC_DATA");
  ASSERT_EQ(mnist.message(), "");
  EXPECT_EQ(mnist->path, folder / "MNIST/raw");
  EXPECT_EQ(mnist->train.size(), 4);
  EXPECT_EQ(mnist->classNames[3], "3");
  EXPECT_EQ(preferred.substr(0, preferred.find('\n')),
            "the data set 'mnist' was not found: " + folder / "none" + " (--data) does not exist");
}

TEST(Dataset, TestOnlyReadsNoTrainingImages) {
  TempFolder folder;
  writeMnistFiles(folder.path(), 5, 3);
  spill(folder / "train-images-idx3-ubyte", Bytes{});
  Result<Dataset> dataset = openDataset("mnist", folder.path(), DatasetSplits::TestOnly);
  ASSERT_EQ(dataset.message(), "");
  EXPECT_EQ(dataset->train.size(), 0);
  EXPECT_EQ(dataset->test.size(), 3);
  EXPECT_TRUE(openDataset("mnist", folder.path()).failed());
}

// The package of the distribution, when it is there.
TEST(Dataset, OpensTheDebianPackage) {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist"))
    GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  unsetenv("CNNC_DATA");
  Result<Dataset> dataset = openDataset("fashion_mnist");
  ASSERT_EQ(dataset.message(), "");
  EXPECT_EQ(dataset->train.size(), 60000);
  EXPECT_EQ(dataset->test.size(), 10000);
  int counts[10] = {};
  for (int64_t i = 0; i < 60000; ++i)
    ++counts[dataset->train.label(i)];
  for (int count : counts)
    EXPECT_EQ(count, 6000);
}

TEST(Dataset, NotFound) {
  TempFolder folder;
  EXPECT_EQ(openDataset("fashion", {}).message(),
            "unknown data set 'fashion'\n"
            "  hint: known are fashion_mnist, mnist, cifar10, image_folder, npy");
  EXPECT_EQ(errorOf(folder.path()), "the data set 'fashion_mnist' was not found: " + folder.path() +
                                        " (--data) has none of its files" + getFashion);
  setenv("CNNC_DATA", (folder / "none").c_str(), 1);
  std::string message = errorOf("");
  unsetenv("CNNC_DATA");
  EXPECT_EQ(message, "the data set 'fashion_mnist' was not found: " + folder / "none" +
                         " (CNNC_DATA) does not exist" + getFashion);
  writeMnistFiles(folder.path(), 5, 3);
  std::filesystem::remove(folder / "t10k-labels-idx1-ubyte");
  EXPECT_EQ(errorOf(folder.path()), folder / "t10k-labels-idx1-ubyte" +
                                        ": the file is missing, with and without .gz" + getFashion);
}

TEST(Dataset, WrongFiles) {
  TempFolder folder;
  std::string images = folder / "train-images-idx3-ubyte",
              labels = folder / "train-labels-idx1-ubyte";
  auto errorWith = [&](const std::string &path, const Bytes &bytes) {
    writeMnistFiles(folder.path(), 5, 3);
    spill(path, bytes);
    return errorOf(folder.path());
  };
  EXPECT_EQ(errorWith(labels, idxBytes({4}, 10)),
            labels + ": has 4 labels, and " + images + " has 5 images");
  EXPECT_EQ(errorWith(labels, idxBytes({5}, 30)), labels + ": label 2 is 14, expected 0 to 9");
  EXPECT_EQ(errorWith(labels, idxBytes({5, 1}, 10)),
            labels + ": expected labels of shape [N], the file has [5, 1]");
  EXPECT_EQ(errorWith(images, idxBytes({5, 784})),
            images + ": expected images of shape [N, height, width], the file has [5, 784]");
  EXPECT_EQ(errorWith(images, idxBytes({5, 28, 27})),
            images + ": the images have shape [28, 27], those of fashion_mnist [28, 28]");
  Bytes cut = idxBytes({5, 28, 28});
  cut.resize(1000);
  EXPECT_EQ(errorWith(images, cut), images + ": truncated: the header's extents [5, 28, 28] make "
                                             "3936 bytes, the file has 1000");
  EXPECT_EQ(errorWith(images, idxBytes({0, 28, 28})),
            labels + ": has 5 labels, and " + images + " has 0 images");
  writeMnistFiles(folder.path(), 0, 3);
  EXPECT_EQ(errorOf(folder.path()), images + ": has no images: its shape is [0, 28, 28]");
}

/// Two samples of different sizes.
class Uneven : public SampleSource {
public:
  int64_t size() const override { return 2; }
  ImageShape shape() const override { return {1, 2, -1}; }
  int32_t label(int64_t) const override { return 0; }
  Status read(int64_t, float *) const override { return Status::failure("shapes differ"); }
  Result<ImageShape> load(int64_t index, std::vector<float> &pixels) const override {
    pixels.assign(size_t(4 + 2 * index), 0.25f);
    return ImageShape{1, 2, 2 + index};
  }
};

/// Cuts every image to `width` and adds the sample's number and the epoch.
class Cut : public Transform {
public:
  explicit Cut(int64_t width) : width(width) {}
  std::string describe() const override { return "cut to " + std::to_string(width); }
  Result<ImageShape> outputShape(ImageShape input) const override {
    if (input.width >= 0 && input.width < width)
      return Status::failure("too narrow");
    return ImageShape{input.channels, input.height, width};
  }
  void apply(ImageShape shape, const float *input, float *output,
             const SampleKey &key) const override {
    for (int64_t i = 0; i < shape.channels * shape.height * width; ++i)
      output[i] = input[i / width * shape.width + i % width] + float(key.index + 10 * key.epoch);
  }

private:
  int64_t width;
};

TEST(SampleSet, AppliesTransforms) {
  auto source = std::make_shared<Uneven>();
  auto cuts = [](std::vector<int64_t> widths) {
    std::vector<std::shared_ptr<const Transform>> list;
    for (int64_t width : widths)
      list.push_back(std::make_shared<Cut>(width));
    return Preprocessing(list);
  };
  Result<SampleSet> set = SampleSet::create(source, cuts({2, 1}));
  ASSERT_EQ(set.message(), "");
  EXPECT_EQ(set->shape(), (ImageShape{1, 2, 1}));
  EXPECT_EQ(set->describe(), (std::vector<std::string>{"pixels / 255", "cut to 2", "cut to 1"}));
  std::vector<float> pixels(2);
  ASSERT_TRUE(set->read(1, {0, 3, 0}, pixels.data()).isOk());
  EXPECT_EQ(pixels, std::vector<float>(2, 0.25f + 2 * 31));
  EXPECT_EQ(SampleSet::create(source, cuts({1, 3})).message(), "too narrow");
  EXPECT_EQ(SampleSet::create(source, cuts({3}))->read(0, {}, pixels.data()).message(),
            "sample 0: too narrow");
  Result<SampleSet> raw = SampleSet::create(source);
  std::vector<float> four(6);
  EXPECT_TRUE(raw->read(0, {}, four.data()).isOk());
  EXPECT_EQ(raw->read(1, {}, four.data()).message(),
            "sample 1 has shape [1, 2, 3] after preprocessing, sample 0 [1, 2, 2]\n"
            "  hint: resize the images to one size");
}
