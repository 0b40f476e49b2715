// Philox against its authors' test vectors, and the streams against their documented definitions.
#include "runtime/core/Random.h"

#include <cmath>
#include <gtest/gtest.h>
#include <numeric>
#include <set>
#include <thread>

using namespace cnn;

using Words = std::array<uint32_t, 4>;

// Random123 1.14, tests/kat_vectors: "philox4x32 10".
TEST(Random, PublishedVectors) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox4x32({ones, ones, ones, ones}, {ones, ones}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, StreamIsTheDocumentedCounter) {
  RandomStream stream(0x1122334455667788, RandomPurpose::Shuffle, 0x00aabbcc12345678);
  EXPECT_EQ(stream.block(0x0000000500000007),
            philox4x32({7, 5, 0x12345678, 0x02aabbcc}, {0x55667788, 0x11223344}));
  Words words = stream.block(3);
  EXPECT_EQ(stream.bits(6), words[0] | uint64_t(words[1]) << 32);
  EXPECT_EQ(stream.bits(7), words[2] | uint64_t(words[3]) << 32);
}

TEST(Random, UniformAndNormalHaveTheirMoments) {
  RandomStream stream(7, RandomPurpose::Test, 0);
  constexpr int count = 200000;
  double uniformSum = 0, normalSum = 0, normalSquares = 0, lowest = 1, highest = 0;
  int beyondTwo = 0;
  for (int i = 0; i < count; ++i) {
    double u = stream.uniform(i), n = stream.normal(i);
    lowest = std::min(lowest, u);
    highest = std::max(highest, u);
    uniformSum += u;
    normalSum += n;
    normalSquares += n * n;
    beyondTwo += std::fabs(n) > 2;
  }
  EXPECT_GE(lowest, 0);
  EXPECT_LT(highest, 1);
  // Five standard errors: 0.289 / sqrt(count) = 0.00065, 1 / sqrt(count) = 0.0022, and
  // sqrt(2 / count) = 0.0032.
  EXPECT_NEAR(uniformSum / count, 0.5, 0.0033);
  EXPECT_NEAR(normalSum / count, 0, 0.011);
  EXPECT_NEAR(normalSquares / count, 1, 0.016);
  EXPECT_NEAR(beyondTwo / double(count), 0.0455, 0.0024);
}

TEST(Random, BelowCoversItsRangeEvenly) {
  RandomStream stream(1, RandomPurpose::Test, 1);
  int counts[7] = {};
  for (int i = 0; i < 70000; ++i)
    ++counts[stream.below(i, 7)];
  for (int count : counts)
    EXPECT_NEAR(count, 10000, 500); // 5 x sqrt(10000 x 6/7)
}

TEST(Random, PermutationsAreCompleteAndDiffer) {
  RandomStream first(5, RandomPurpose::Shuffle, 0), second(5, RandomPurpose::Shuffle, 1);
  std::vector<uint32_t> a = first.permutation(1000), b = second.permutation(1000);
  EXPECT_EQ(std::set<uint32_t>(a.begin(), a.end()).size(), 1000u);
  EXPECT_EQ(*std::max_element(a.begin(), a.end()), 999u);
  EXPECT_NE(a, b);
  EXPECT_EQ(a, RandomStream(5, RandomPurpose::Shuffle, 0).permutation(1000));
  EXPECT_TRUE(first.permutation(0).empty());
  EXPECT_EQ(first.permutation(1), std::vector<uint32_t>{0});
  int fixed = 0;
  for (uint32_t i = 0; i < 1000; ++i)
    fixed += a[i] == i;
  EXPECT_LT(fixed, 8); // 1 is expected
}

TEST(Random, PermutationIsFisherYates) {
  for (uint32_t count : {2u, 3u, 10u}) {
    for (uint64_t epoch = 0; epoch < 20; ++epoch) {
      RandomStream stream(9, RandomPurpose::Shuffle, epoch);
      std::vector<uint32_t> order(count);
      std::iota(order.begin(), order.end(), 0);
      for (uint32_t i = count - 1; i >= 1; --i) {
        __extension__ unsigned __int128 product = stream.bits(i);
        std::swap(order[i], order[size_t(product * (i + 1) >> 64)]);
      }
      EXPECT_EQ(stream.permutation(count), order);
    }
  }
}

TEST(Random, PurposesAndSeedsDoNotShareNumbers) {
  std::set<uint64_t> seen;
  for (uint64_t seed : {0, 1, 2})
    for (RandomPurpose purpose : {RandomPurpose::Init, RandomPurpose::Shuffle,
                                  RandomPurpose::Augment, RandomPurpose::Dropout})
      for (uint64_t step : {0, 1})
        for (uint64_t element = 0; element < 100; ++element)
          seen.insert(RandomStream(seed, purpose, step).bits(element));
  EXPECT_EQ(seen.size(), 3u * 4 * 2 * 100);
}

TEST(Random, AnyThreadDrawsTheSame) {
  RandomStream stream(99, RandomPurpose::Augment, 3);
  std::vector<double> serial(1000), parallel(1000);
  for (int i = 0; i < 1000; ++i)
    serial[i] = stream.normal(i);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 999 - t; i >= 0; i -= 4)
        parallel[i] = stream.normal(i);
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(serial, parallel);
}
