// Philox4x32-10 and what is drawn from it.
#include "runtime/core/Random.h"

#include <cmath>
#include <numbers>
#include <utility>

namespace cnn {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  // Multipliers and Weyl increments of the paper's table 2 and section 4.
  constexpr uint64_t multiplier0 = 0xD2511F53, multiplier1 = 0xCD9E8D57;
  constexpr uint32_t increment0 = 0x9E3779B9, increment1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    uint64_t product0 = multiplier0 * counter[0], product1 = multiplier1 * counter[2];
    counter = {uint32_t(product1 >> 32) ^ counter[1] ^ key[0], uint32_t(product1),
               uint32_t(product0 >> 32) ^ counter[3] ^ key[1], uint32_t(product0)};
    key[0] += increment0;
    key[1] += increment1;
  }
  return counter;
}

RandomStream::RandomStream(uint64_t seed, RandomPurpose purpose, uint64_t step)
    : key{uint32_t(seed), uint32_t(seed >> 32)}, stepLow(uint32_t(step)),
      purposeAndStepHigh(uint32_t(purpose) << 24 | (uint32_t(step >> 32) & 0xFFFFFF)) {}

std::array<uint32_t, 4> RandomStream::block(uint64_t index) const {
  return philox4x32({uint32_t(index), uint32_t(index >> 32), stepLow, purposeAndStepHigh}, key);
}

uint64_t RandomStream::bits(uint64_t element) const {
  std::array<uint32_t, 4> words = block(element / 2);
  size_t first = element % 2 * 2;
  return words[first] | uint64_t(words[first + 1]) << 32;
}

double RandomStream::uniform(uint64_t element) const {
  return double(bits(element) >> 11) * 0x1p-53;
}

double RandomStream::normal(uint64_t element) const {
  uint64_t pair = element / 2;
  double radius = std::sqrt(-2 * std::log1p(-uniform(2 * pair)));
  double angle = 2 * std::numbers::pi * uniform(2 * pair + 1);
  return radius * (element % 2 ? std::sin(angle) : std::cos(angle));
}

uint64_t RandomStream::below(uint64_t element, uint64_t bound) const {
  __extension__ using Wide = unsigned __int128;
  return uint64_t(Wide(bits(element)) * bound >> 64);
}

std::vector<uint32_t> RandomStream::permutation(uint32_t count) const {
  std::vector<uint32_t> order(count);
  for (uint32_t i = 0; i < count; ++i)
    order[i] = i;
  for (uint32_t i = count; i-- > 1;)
    std::swap(order[i], order[below(i, uint64_t(i) + 1)]);
  return order;
}

} // namespace cnn
