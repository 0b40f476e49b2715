// Weight files against a manifest: by name, by position, and every mismatch with its full message.
#include "runtime/data/Weights.h"

#include "runtime/core/Init.h"
#include "test/unit/runtime/Support.h"

#include <cmath>
#include <limits>

using namespace cnn;
using namespace cnn::test;

namespace {

class WeightsTest : public testing::Test {
protected:
  Manifest manifest = smallManifest();
  std::vector<float> state = std::vector<float>(64), loaded = std::vector<float>(64, -1);
  TempFolder folder;
  std::string path = folder / "w.safetensors";

  void SetUp() override { initializeState(manifest, 1, state.data()); }

  /// Writes the small net's tensors under `names` with `shapes`, all filled from one sequence.
  void write(const std::vector<std::string> &names,
             const std::vector<std::vector<int64_t>> &shapes = {{2, 3}, {2}, {1, 2}},
             const std::map<std::string, std::string> &metadata = {}) {
    std::vector<NamedTensor> tensors;
    std::vector<std::vector<float>> values;
    for (const std::vector<int64_t> &shape : shapes)
      values.emplace_back(size_t(*elementCount(shape)), float(values.size() + 1));
    for (size_t i = 0; i < names.size(); ++i)
      tensors.push_back({names[i], ElementType::F32, shapes[i],
                         reinterpret_cast<uint8_t *>(values[i].data()), values[i].size() * 4});
    ASSERT_EQ(writeSafetensors(path, tensors, metadata).message(), "");
  }

  std::string load() { return loadWeights(path, manifest, loaded.data()).message(); }

  /// Nothing was written into the state.
  void expectUntouched() { EXPECT_EQ(loaded, std::vector<float>(64, -1)); }
};

} // namespace

TEST_F(WeightsTest, SaveAndLoad) {
  ASSERT_EQ(saveWeights(path, manifest, state.data(), {{"net", "small"}}).message(), "");
  Result<WeightMapping> mapping = loadWeights(path, manifest, loaded.data());
  ASSERT_EQ(mapping.message(), "");
  EXPECT_FALSE(mapping->byPosition);
  EXPECT_EQ(mapping->names.size(), 3u);
  for (int i : {0, 5, 16, 17, 32, 33})
    EXPECT_EQ(loaded[i], state[i]) << i;
  EXPECT_EQ(loaded[48], -1); // optimizer state is left alone
  Result<Safetensors> file = readSafetensors(path);
  EXPECT_EQ(file->tensors.size(), 3u);
  EXPECT_EQ(file->metadata.at("net"), "small");
  ASSERT_TRUE(saveWeights(path, manifest, state.data(), {}, /*keepBackup=*/true).isOk());
  EXPECT_EQ(listing(folder.path()),
            (std::vector<std::string>{"w.safetensors", "w.safetensors.bak"}));
}

TEST_F(WeightsTest, OrderInTheFileDoesNotMatter) {
  write({"b.weight", "a.weight", "a.bias"}, {{1, 2}, {2, 3}, {2}});
  EXPECT_EQ(load(), "");
  EXPECT_EQ(loaded[0], 2);
  EXPECT_EQ(loaded[16], 3);
  EXPECT_EQ(loaded[32], 1);
}

TEST_F(WeightsTest, BatchCountsOfPytorchAreIgnored) {
  write({"a.weight", "a.num_batches_tracked", "a.bias", "b.weight"}, {{2, 3}, {}, {2}, {1, 2}});
  EXPECT_EQ(load(), "");
  EXPECT_EQ(loaded[16], 3);
  write({"0.weight", "0.bias", "0.num_batches_tracked", "1.weight"}, {{2, 3}, {2}, {}, {1, 2}});
  EXPECT_EQ(load(), "");
  EXPECT_EQ(loaded[32], 4);
}

TEST_F(WeightsTest, MissingAndExtra) {
  write({"a.weight", "a.bias"});
  EXPECT_EQ(load(), path + ": of the net 'small', the file lacks 'b.weight' [1, 2]");
  write({"a.weight", "a.bias", "b.weights"});
  EXPECT_EQ(load(), path + ": of the net 'small', the file lacks 'b.weight' [1, 2]\n"
                           "  hint: it has 'b.weights' [1, 2], which the net does not have");
  write({"a.weight", "a.bias", "b.weight", "b.bias"}, {{2, 3}, {2}, {1, 2}, {1}});
  EXPECT_EQ(load(), path + ": the net 'small' does not have 'b.bias' [1] of the file");
  write({"p", "q", "r", "s", "t"}, {{1}, {1}, {1}, {1}, {1}});
  EXPECT_EQ(load(), path +
                        ": of the net 'small', the file lacks 'a.weight' [2, 3], 'a.bias' [2], "
                        "'b.weight' [1, 2]\n"
                        "  hint: it has 'p' [1], 'q' [1], 'r' [1] and 2 more, which the net does "
                        "not have");
  expectUntouched();
}

TEST_F(WeightsTest, WrongShape) {
  write({"a.weight", "a.bias", "b.weight"}, {{3, 2}, {2}, {1, 2}});
  EXPECT_EQ(load(), path + ": tensor 'a.weight' has shape [3, 2], in the net it has [2, 3]");
  expectUntouched();
}

TEST_F(WeightsTest, NonFiniteValues) {
  state[33] = NAN;
  ASSERT_TRUE(saveWeights(path, manifest, state.data()).isOk());
  EXPECT_EQ(load(), path + ": tensor 'b.weight' [1, 2] has NaN at [0, 1]");
  state[33] = 0;
  state[4] = -INFINITY;
  ASSERT_TRUE(saveWeights(path, manifest, state.data()).isOk());
  EXPECT_EQ(load(), path + ": tensor 'a.weight' [2, 3] has infinity at [1, 1]");
  expectUntouched();
}

TEST_F(WeightsTest, OtherElementTypes) {
  std::vector<double> wide = {1.1, 2, 3, 4, 5, 6};
  std::vector<int32_t> whole = {1, 2};
  std::vector<NamedTensor> tensors = {
      {"a.weight", ElementType::F64, {2, 3}, reinterpret_cast<uint8_t *>(wide.data()), 48},
      {"a.bias", ElementType::F32, {2}, reinterpret_cast<uint8_t *>(state.data()), 8},
      {"b.weight", ElementType::F64, {1, 2}, reinterpret_cast<uint8_t *>(wide.data()), 16}};
  ASSERT_TRUE(writeSafetensors(path, tensors, {}).isOk());
  EXPECT_EQ(load(), "");
  EXPECT_EQ(loaded[0], 1.1f);
  wide[1] = 1e300;
  ASSERT_TRUE(writeSafetensors(path, tensors, {}).isOk());
  EXPECT_EQ(load(), path + ": tensor 'a.weight' [2, 3] has 1e+300, which is too large for f32, at "
                           "[0, 1]");
  tensors[1] = {"a.bias", ElementType::I32, {2}, reinterpret_cast<uint8_t *>(whole.data()), 8};
  wide[1] = 0;
  ASSERT_TRUE(writeSafetensors(path, tensors, {}).isOk());
  EXPECT_EQ(load(), path + ": tensor 'a.bias' has elements of type i32, the net has f32");
}

TEST_F(WeightsTest, DoubleNet) {
  std::vector<double> values = {1, NAN}, target(1);
  std::vector<NamedTensor> tensors = {
      {"w", ElementType::F64, {1}, reinterpret_cast<uint8_t *>(values.data()), 8}};
  StateTensor only{"w", StateKind::Parameter, ElementType::F64, {1}, 0, {}, 1, 8};
  Manifest wide;
  wide.net = "wide";
  wide.stateBytes = 8;
  wide.state = {only};
  ASSERT_TRUE(writeSafetensors(path, tensors, {}).isOk());
  EXPECT_EQ(loadWeights(path, wide, target.data()).message(), "");
  EXPECT_EQ(target[0], 1);
  values[0] = NAN;
  ASSERT_TRUE(writeSafetensors(path, tensors, {}).isOk());
  EXPECT_EQ(loadWeights(path, wide, target.data()).message(),
            path + ": tensor 'w' [1] has NaN at [0]");
  EXPECT_EQ(target[0], 1);
}

// Names out of a file reach the terminal without control characters and in bounded length.
TEST_F(WeightsTest, HostileNames) {
  path = folder / "\u5b66 \u00fc.safetensors"; // as the file's own name may be anything
  write({"a.weight", "a.bias", "b.weight", "\x1b[2J" + std::string(1000, 'n')},
        {{2, 3}, {2}, {1, 2}, {1}});
  EXPECT_EQ(load(), path + ": the net 'small' does not have '?[2J" + std::string(96, 'n') +
                        "...' [1] of the file");
}

TEST_F(WeightsTest, SequentialNumbering) {
  // Not in the order of the numbers, and with a number of two digits.
  write({"10.weight", "2.bias", "2.weight"}, {{1, 2}, {2}, {2, 3}});
  Result<WeightMapping> mapping = loadWeights(path, manifest, loaded.data());
  ASSERT_EQ(mapping.message(), "");
  EXPECT_TRUE(mapping->byPosition);
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(mapping->names,
            (std::vector<Pair>{
                {"2.weight", "a.weight"}, {"2.bias", "a.bias"}, {"10.weight", "b.weight"}}));
  EXPECT_EQ(loaded[0], 3);
  EXPECT_EQ(loaded[16], 2);
  EXPECT_EQ(loaded[32], 1);
  // A module that holds the nn.Sequential, and one within another.
  for (std::vector<std::string> names :
       {std::vector<std::string>{"net.0.weight", "net.0.bias", "net.3.weight"},
        {"net.0.0.weight", "net.0.0.bias", "net.1.0.weight"},
        {"net.0.1.weight", "net.0.1.bias", "net.0.2.weight"}}) {
    write(names);
    EXPECT_EQ(load(), "");
  }
}

TEST_F(WeightsTest, SequentialNumberingThatDoesNotFit) {
  write({"0.weight", "0.bias"});
  EXPECT_EQ(load(), path + ": has 2 tensors numbered as by nn.Sequential, the net 'small' has 3");
  write({"0.weight", "0.bias", "3.weight"}, {{2, 3}, {2}, {2, 2}});
  EXPECT_EQ(load(),
            path + ": tensor '3.weight' has shape [2, 2], 'b.weight' of the net has [1, 2]");
  write({"0.weight", "3.weight", "3.bias"}, {{2, 3}, {1, 2}, {2}});
  EXPECT_EQ(load(), path + ": tensor '3.weight', numbered as by nn.Sequential, comes where the net "
                           "'small' has 'a.bias'");
  // Words say nothing about order.
  write({"first.0.weight", "first.0.bias", "second.0.weight"});
  EXPECT_EQ(load().substr(0, path.size() + 40), path + ": of the net 'small', the file lacks 'a.");
  expectUntouched();
}

// The file of the parity tests was written by Python; its names and shapes are LeNet's.
TEST_F(WeightsTest, FileFromPython) {
  Result<Safetensors> file = readSafetensors(CNN_TEST_DIR "/parity/lenet.init.safetensors");
  ASSERT_EQ(file.message(), "");
  ASSERT_NE(file->find("conv2.weight"), nullptr);
  EXPECT_EQ(file->find("conv2.weight")->shape, (std::vector<int64_t>{16, 6, 5, 5}));
}
