// Prediction: where images come from, with the messages for those that do not fit, and what is made
// of the outputs of a net written by hand.
#include "runtime/train/Predictor.h"

#include "SoftmaxNet.h"
#include "runtime/core/File.h"
#include "runtime/device/cpu/CpuDevice.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>

using namespace cnn;

namespace {

class PredictorTest : public testing::Test {
protected:
  void SetUp() override {
    folder =
        std::filesystem::temp_directory_path() / ("cnn-predictor-test-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  /// A .npy file, version 1.
  std::string npy(const std::string &name, const std::string &type, const std::string &shape,
                  const std::string &data) {
    std::string header =
        "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
    header.resize((10 + header.size() + 64) / 64 * 64 - 11, ' ');
    header += '\n';
    std::string content("\x93NUMPY\x01\x00", 8);
    content += static_cast<char>(header.size() & 255);
    content += static_cast<char>(header.size() >> 8);
    return write(name, content + header + data);
  }
  std::string write(const std::string &name, const std::string &content) {
    std::string path = (folder / name).string();
    EXPECT_TRUE(writeFile(path, content).isOk());
    return path;
  }
  static std::string floats(const std::vector<float> &values) {
    std::string bytes(values.size() * 4, '\0');
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
  }

  std::filesystem::path folder;
  ImageShape shape{1, 2, 3};
};

TEST_F(PredictorTest, TensorsOfEachRank) {
  std::string one = floats({0, 1, 2, 3, 4, 5});
  for (const char *dims : {"(2, 3)", "(1, 2, 3)"}) {
    auto inputs = readPredictInputs(npy("a.npy", "<f4", dims, one), shape, {});
    ASSERT_TRUE(inputs.isOk()) << inputs.message();
    ASSERT_EQ(inputs->size(), 1u);
    EXPECT_EQ((*inputs)[0].image.pixels[5], 5);
    EXPECT_TRUE((*inputs)[0].preprocessing.empty());
  }
  std::string path = npy("b.npy", "|u1", "(2, 1, 2, 3)", std::string(12, '\xff'));
  auto inputs = readPredictInputs(path, shape, {});
  ASSERT_TRUE(inputs.isOk()) << inputs.message();
  ASSERT_EQ(inputs->size(), 2u);
  EXPECT_EQ((*inputs)[1].name, path + "[1]");
  EXPECT_EQ((*inputs)[1].image.pixels[0], 1);
  EXPECT_EQ((*inputs)[1].preprocessing, std::vector<std::string>{"pixels / 255"});
}

TEST_F(PredictorTest, RefusesTensorsThatDoNotFit) {
  std::string path = npy("a.npy", "<f4", "(3, 2)", floats({0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(readPredictInputs(path, shape, {}).message(),
            path + ": has shape [3, 2], the net takes [1, 2, 3], or [N, 1, 2, 3] for N images");
  path = npy("b.npy", "<f4", "(2, 3)", floats({0, NAN, 2, 3, 4, 5}));
  EXPECT_EQ(readPredictInputs(path, shape, {}).message(), path + ": contains NaN or infinity");
  EXPECT_EQ(
      readPredictInputs("cat.gif", shape, {}).message(),
      "cat.gif: is neither a PNG, JPEG or .npy file nor an item of a data set\n"
      "  hint: write FILE.png, FILE.jpg, FILE.npy, FILE:N for item N (from 0) of an IDX file, or "
      "fashion_mnist:test:N");
  EXPECT_EQ(readPredictInputs("cat.png", shape, {}).message(),
            "cat.png: cannot read: No such file or directory");
}

TEST_F(PredictorTest, ItemsOfIdxFiles) {
  std::string header("\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03", 16);
  std::string path = write("images", header + std::string(6, '\0') + std::string(6, '\x33'));
  auto inputs = readPredictInputs(path + ":1", shape, {});
  ASSERT_TRUE(inputs.isOk()) << inputs.message();
  EXPECT_EQ((*inputs)[0].image.pixels, std::vector<float>(6, 0.2f));
  EXPECT_EQ(readPredictInputs(path + ":2", shape, {}).message(),
            path + ":2: there is no item 2, the items are 0 to 1");
  EXPECT_EQ(readPredictInputs(path + ":1", {1, 4, 4}, {}).message(),
            path + ":1: has shape [1, 2, 3], the net takes [1, 4, 4]\n"
                   "  hint: add a stage to the recipe's data that makes it fit, such as resize");
  std::string labels = write("labels", std::string("\0\0\x08\x01\0\0\0\x01\x05", 9));
  EXPECT_EQ(readPredictInputs(labels + ":0", shape, {}).message(),
            labels + ": holds a tensor of shape [1], not images [N, H, W]");
}

TEST_F(PredictorTest, RanksAndNamesClasses) {
  auto device = std::move(*CpuDevice::create(2));
  auto session = std::move(*Session::create(test::softmaxNet(shape, 3, 2), *device));
  // Biases 0, ln 2, ln 1 and zero weights: probabilities 1/4, 1/2, 1/4.
  const StateTensor *bias = session->manifest().findState("linear1.bias");
  reinterpret_cast<float *>(static_cast<char *>(*session->state()) + bias->offset)[1] =
      std::log(2.0f);
  std::vector<PredictInput> inputs(3); // two batches
  for (int i = 0; i < 3; ++i) {
    inputs[i].name = "x" + std::to_string(i);
    inputs[i].image = {shape, std::vector<float>(6, 1.0f)};
  }
  inputs[0].label = 2;
  Result<std::vector<Prediction>> results = predict(*session, inputs);
  ASSERT_TRUE(results.isOk()) << results.message();
  ASSERT_EQ(results->size(), 3u);
  EXPECT_EQ((*results)[2].ranking, (std::vector<int>{1, 0, 2}));
  EXPECT_NEAR((*results)[2].probabilities[1], 0.5, 1e-6);
  EXPECT_EQ(predictionText(inputs[0], (*results)[0], {"cat", "parrot"}, 2),
            "x0 (labelled class 2)\n"
            "  parrot   50.00%\n"
            "  cat      25.00%\n"
            "  preprocessing: none\n");
  Json json = predictionJson(inputs[1], (*results)[1], {"cat", "parrot", "fox"});
  EXPECT_EQ(json["class"], "parrot");
  EXPECT_EQ(json["logits"][1].get<double>(), double(std::log(2.0f)));
  EXPECT_NEAR(json["probabilities"]["fox"].get<double>(), 0.25, 1e-6);

  inputs[1].image = {{1, 1, 1}, {0}};
  EXPECT_EQ(predict(*session, inputs).message(),
            "x1: has shape [1, 1, 1], the net takes [1, 2, 3]");
}

} // namespace
