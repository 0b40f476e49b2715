// Batches: every sample once an epoch, in the documented order, the same with and without a
// background thread, from any point on.
#include "runtime/data/Loader.h"

#include "runtime/core/Random.h"
#include "test/unit/runtime/Support.h"

#include <numeric>
#include <thread>

using namespace cnn;

namespace {

/// `count` samples of shape [2, 1, 3]; sample i holds i everywhere, its label is i. Reading sample
/// `bad` fails.
class Counting : public SampleSource {
public:
  Counting(int64_t count, int64_t bad = -1) : count(count), bad(bad) {}
  int64_t size() const override { return count; }
  ImageShape shape() const override { return {2, 1, 3}; }
  int32_t label(int64_t index) const override { return int32_t(index); }
  Status read(int64_t index, float *pixels) const override {
    if (index == bad)
      return Status::failure("sample is broken");
    std::fill(pixels, pixels + 6, float(index));
    return Status::success();
  }

private:
  int64_t count, bad;
};

SampleSet counting(int64_t count, int64_t bad = -1) {
  return *SampleSet::create(std::make_shared<Counting>(count, bad));
}

struct Seen {
  uint64_t epoch;
  int64_t index;
  bool last;
  std::vector<int32_t> labels;
  bool operator==(const Seen &) const = default;
};

template <typename T = float>
std::vector<Seen> drain(const SampleSet &samples, const LoaderOptions &options, int pause = 0) {
  Result<std::unique_ptr<Loader>> loader = Loader::create(samples, options);
  EXPECT_EQ(loader.message(), "");
  std::vector<Seen> all;
  while (const Batch *batch = *(*loader)->next()) {
    std::this_thread::sleep_for(std::chrono::microseconds(pause));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(batch->images) % 64, 0u);
    for (int r = 0; r < batch->rows; ++r)
      for (int i = 0; i < 6; ++i)
        EXPECT_EQ(static_cast<const T *>(batch->images)[r * 6 + i], batch->labels[r]);
    all.push_back(
        {batch->epoch, batch->index, batch->last, {batch->labels, batch->labels + batch->rows}});
  }
  EXPECT_EQ(*(*loader)->next(), nullptr);
  return all;
}

} // namespace

TEST(Loader, InOrderWithASmallerLastBatch) {
  std::vector<Seen> all = drain(counting(10), {.batchSize = 4});
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0], (Seen{0, 0, false, {0, 1, 2, 3}}));
  EXPECT_EQ(all[2], (Seen{0, 2, true, {8, 9}}));
  EXPECT_EQ((*Loader::create(counting(10), {.batchSize = 4}))->batchesPerEpoch(), 3);
  EXPECT_EQ((*Loader::create(counting(12), {.batchSize = 4}))->batchesPerEpoch(), 3);
  EXPECT_EQ((*Loader::create(counting(3), {.batchSize = 4}))->batchesPerEpoch(), 1);
}

TEST(Loader, ShufflesByEpoch) {
  LoaderOptions options{.batchSize = 4, .seed = 11, .shuffle = true, .endEpoch = 3};
  std::vector<Seen> all = drain(counting(10), options);
  ASSERT_EQ(all.size(), 9u);
  for (uint64_t epoch = 0; epoch < 3; ++epoch) {
    std::vector<uint32_t> seen;
    for (const Seen &batch : all)
      if (batch.epoch == epoch)
        seen.insert(seen.end(), batch.labels.begin(), batch.labels.end());
    EXPECT_EQ(seen, RandomStream(11, RandomPurpose::Shuffle, epoch).permutation(10));
  }
}

TEST(Loader, SameWithoutAThreadAndAtAnySpeed) {
  LoaderOptions options{.batchSize = 3, .seed = 5, .shuffle = true, .endEpoch = 4};
  std::vector<Seen> all = drain(counting(50), options);
  EXPECT_EQ(drain(counting(50), options, 300), all);
  options.background = false;
  EXPECT_EQ(drain(counting(50), options), all);
}

TEST(Loader, ContinuesFromAnyBatch) {
  LoaderOptions options{.batchSize = 3, .seed = 5, .shuffle = true, .endEpoch = 3};
  std::vector<Seen> all = drain(counting(10), options);
  for (size_t done = 0; done < all.size(); ++done) {
    options.firstEpoch = done / 4;
    options.firstBatch = int64_t(done % 4);
    EXPECT_EQ(drain(counting(10), options), std::vector<Seen>(all.begin() + done, all.end()));
  }
  // An epoch that was done to its last batch.
  options.firstEpoch = 0;
  options.firstBatch = 4;
  EXPECT_EQ(drain(counting(10), options), std::vector<Seen>(all.begin() + 4, all.end()));
}

TEST(Loader, Double) {
  EXPECT_EQ(drain<double>(counting(7), {.batchSize = 2, .element = ElementType::F64}).size(), 4u);
}

TEST(Loader, BatchStaysValidUntilTheNextCall) {
  Result<std::unique_ptr<Loader>> loader = Loader::create(counting(1000), {.batchSize = 1});
  for (int i = 0; i < 1000; ++i) {
    const Batch *batch = *(*loader)->next();
    if (i % 100 == 0) // time for the thread to run ahead, were it to reuse the slot
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    ASSERT_EQ(batch->labels[0], i);
    ASSERT_EQ(static_cast<const float *>(batch->images)[5], float(i));
  }
}

TEST(Loader, StopsEarly) {
  for (int i = 0; i < 50; ++i) {
    Result<std::unique_ptr<Loader>> loader =
        Loader::create(counting(1000), {.batchSize = 7, .shuffle = true, .endEpoch = 100});
    for (int taken = 0; taken < i % 5; ++taken)
      ASSERT_NE(*(*loader)->next(), nullptr);
  }
}

TEST(Loader, Fails) {
  for (bool background : {false, true}) {
    Result<std::unique_ptr<Loader>> loader =
        Loader::create(counting(10, 5), {.batchSize = 4, .background = background});
    EXPECT_EQ((*loader)->next().message(), "");
    EXPECT_EQ((*loader)->next().message(), "sample is broken");
  }
  EXPECT_EQ(Loader::create(counting(10), {.batchSize = 0}).message(),
            "the batch size is 0, expected 1 to 2147483647");
  EXPECT_EQ(Loader::create(counting(0), {.batchSize = 1}).message(),
            "the data set has 0 samples, expected 1 to 4294967295");
  EXPECT_EQ(Loader::create(counting(10), {.batchSize = 4, .firstBatch = 4}).message(),
            "the run was at batch 4 of an epoch, an epoch now has 3");
  EXPECT_EQ(Loader::create(counting(10), {.element = ElementType::I32}).message(),
            "images cannot have elements of type i32");
}
