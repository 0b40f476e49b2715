// Initial values: each kind has the spread that torch.nn.init documents, draws by element and
// parameter, and does not depend on optimizer state.
#include "runtime/core/Init.h"

#include "runtime/core/Random.h"
#include "test/unit/runtime/Support.h"

#include <algorithm>
#include <cmath>

using namespace cnn;
using namespace cnn::test;

/// A manifest with one parameter of `count` elements.
static Manifest oneTensor(InitSpec init, int64_t count, ElementType element = ElementType::F32) {
  Manifest manifest;
  StateTensor tensor;
  tensor.name = "w";
  tensor.element = element;
  tensor.shape = {count};
  tensor.elements = count;
  tensor.bytes = uint64_t(count) * elementBytes(element);
  tensor.init = init;
  manifest.stateBytes = tensor.bytes;
  manifest.state.push_back(tensor);
  return manifest;
}

struct Spread {
  double highest = 0, mean = 0, deviation = 0;
};

static Spread spreadOf(InitSpec init) {
  constexpr int64_t count = 100000;
  std::vector<float> values(count);
  initializeState(oneTensor(init, count), 3, values.data());
  Spread spread;
  for (float value : values) {
    spread.highest = std::max<double>(spread.highest, std::fabs(value));
    spread.mean += value / double(count);
    spread.deviation += double(value) * value / double(count);
  }
  spread.deviation = std::sqrt(spread.deviation);
  return spread;
}

// Bounds and deviations by the formulas of torch.nn.init's documentation for fan_in 150, fan_out
// 400.
TEST(Init, KindsHaveTheirSpread) {
  struct Case {
    InitKind kind;
    double bound; // of a uniform distribution, else 0
    double deviation;
  };
  for (const Case &each : {Case{InitKind::XavierUniform, 0.10444659, 0.06030227},
                           Case{InitKind::XavierNormal, 0, 0.06030227},
                           Case{InitKind::KaimingUniform, 0.2, 0.11547005},
                           Case{InitKind::KaimingNormal, 0, 0.11547005},
                           Case{InitKind::PytorchDefault, 0.08164966, 0.04714045}}) {
    Spread spread = spreadOf({each.kind, 150, 400, 0});
    EXPECT_NEAR(spread.mean, 0, each.deviation * 0.016) << int(each.kind); // 5 standard errors
    EXPECT_NEAR(spread.deviation, each.deviation, each.deviation * 0.012) << int(each.kind);
    if (each.bound > 0) {
      EXPECT_LE(spread.highest, each.bound * (1 + 1e-6)) << int(each.kind);
      EXPECT_GT(spread.highest, each.bound * 0.999) << int(each.kind);
    } else {
      EXPECT_GT(spread.highest, each.deviation * 3.7) << int(each.kind);
    }
  }
}

TEST(Init, ConstantAndZeros) {
  std::vector<float> values(5, 9);
  initializeState(oneTensor({InitKind::Constant, 0, 0, -1.5}, 5), 0, values.data());
  EXPECT_EQ(values, std::vector<float>(5, -1.5f));
  initializeState(oneTensor({InitKind::Zeros, 0, 0, 0}, 5), 0, values.data());
  EXPECT_EQ(values, std::vector<float>(5, 0));
}

TEST(Init, UniformAndNormalWithBoundsOfTheirOwn) {
  std::vector<double> values(1000);
  initializeState(oneTensor({InitKind::Uniform, 0, 0, 2, 3}, 1000, ElementType::F64), 5,
                  values.data());
  RandomStream stream(5, RandomPurpose::Init, 0);
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(values[i], 2 + stream.uniform(i));
  initializeState(oneTensor({InitKind::Normal, 0, 0, -1, 0.5}, 1000, ElementType::F64), 5,
                  values.data());
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(values[i], -1 + 0.5 * stream.normal(i));
}

TEST(Init, DrawsByParameterAndElement) {
  Manifest manifest = smallManifest();
  std::vector<float> state(64, 7);
  initializeState(manifest, 42, state.data());
  double bound = std::sqrt(6.0 / 5), deviation = 1; // [3 -> 2] and sqrt(2 / 2)
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(state[i],
              float((2 * RandomStream(42, RandomPurpose::Init, 0).uniform(i) - 1) * bound));
  EXPECT_EQ(state[6], 0); // padding
  EXPECT_EQ(state[16], 0.5);
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(state[32 + i], float(RandomStream(42, RandomPurpose::Init, 2).normal(i) * deviation));
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(state[48 + i], 0);

  // The same weights without the momentum, wherever it stood.
  std::vector<float> without(64);
  std::rotate(manifest.state.begin(), manifest.state.end() - 1, manifest.state.end());
  initializeState(manifest, 42, without.data());
  EXPECT_EQ(state, without);
  initializeState(manifest, 43, without.data());
  EXPECT_NE(state, without);
}

TEST(Init, DoubleRoundsToTheSameFloats) {
  InitSpec init{InitKind::KaimingUniform, 9, 9, 0};
  std::vector<double> wide(50);
  std::vector<float> narrow(50);
  initializeState(oneTensor(init, 50, ElementType::F64), 1, wide.data());
  initializeState(oneTensor(init, 50), 1, narrow.data());
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(narrow[i], float(wide[i]));
}
