// Random numbers that depend on nothing but where they are used: Philox4x32-10 (Salmon, Moraes,
// Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11) keyed by the seed, with the
// purpose, the step or epoch, and the element in the counter. Any thread can draw any element in
// any order.
#ifndef CNNC_RUNTIME_CORE_RANDOM_H
#define CNNC_RUNTIME_CORE_RANDOM_H

#include <array>
#include <cstdint>
#include <vector>

namespace cnn {

/// The Philox4x32-10 bijection: 128 bits of counter, 64 bits of key -> 128 random bits.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// What a stream is used for: streams of different purposes never share a counter.
enum class RandomPurpose : uint8_t {
  Init = 1,
  Shuffle = 2,
  Augment = 3,
  Dropout = 4,
  Split = 5,
  Tensor = 6,
  Test = 255
};

/// The stream of one (seed, purpose, step). `step` is the epoch for Shuffle, the tensor's ordinal
/// for Init, 0 for Tensor (what a .cnn file draws). Counter words: element block low, element block
/// high, step low, purpose << 24 | step bits 32..55; so `step` must be below 2^56.
class RandomStream {
public:
  RandomStream(uint64_t seed, RandomPurpose purpose, uint64_t step);

  /// The four words of block `index`.
  std::array<uint32_t, 4> block(uint64_t index) const;
  /// 64 random bits: words (0, 1) or (2, 3) of block element / 2.
  uint64_t bits(uint64_t element) const;
  /// Uniform in [0, 1): the upper 53 of bits(element), times 2^-53.
  double uniform(uint64_t element) const;
  /// Standard normal by Box-Muller in double: from u1 = uniform(2k) and u2 = uniform(2k + 1) with
  /// k = element / 2, sqrt(-2 ln(1 - u1)) times cos(2 pi u2) (even element) or sin (odd element).
  double normal(uint64_t element) const;
  /// Uniform in [0, bound): bits(element) * bound / 2^64 (bias below bound / 2^64); bound > 0.
  uint64_t below(uint64_t element, uint64_t bound) const;
  /// A permutation of 0 .. count-1 by Fisher-Yates: for i = count-1 .. 1, swap i with below(i,
  /// i+1).
  std::vector<uint32_t> permutation(uint32_t count) const;

private:
  std::array<uint32_t, 2> key;
  uint32_t stepLow, purposeAndStepHigh;
};

} // namespace cnn

#endif
