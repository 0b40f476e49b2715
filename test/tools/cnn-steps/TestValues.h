// Weights and inputs for tests, from the counter-based stream of runtime/core/Random.h: a number
// depends on the seed, the name of its tensor, and its place. test/parity/stream.py draws the same.
#ifndef CNNC_TEST_TOOLS_CNN_STEPS_TESTVALUES_H
#define CNNC_TEST_TOOLS_CNN_STEPS_TESTVALUES_H

#include "runtime/core/Manifest.h"
#include "runtime/core/Random.h"

#include <string>

/// The numbers of one tensor: uniform in [low, high), rounded to float, so that they are the same
/// in f32 and f64. The stream's step is the CRC-32 of the name.
class TestValues {
public:
  TestValues(uint64_t seed, const std::string &name, double low, double high);
  double at(uint64_t element) const;
  /// An integer in [0, bound).
  uint64_t below(uint64_t element, uint64_t bound) const { return stream.below(element, bound); }

private:
  cnn::RandomStream stream;
  double low, high;
};

/// What a state tensor starts from, by what it is: optimizer state 0; weights of at least two
/// dimensions within Xavier's bound; running variances and scales (`weight` of one dimension) in
/// [0.5, 1.5); everything else in [-0.25, 0.25).
TestValues stateValues(uint64_t seed, const cnn::StateTensor &tensor);

/// Writes them to `state`, the whole state of a net.
void fillState(uint64_t seed, const cnn::Manifest &manifest, void *state);

/// Element `index` of a tensor of floats in memory.
double readElement(cnn::ElementType element, const void *memory, int64_t index);
void writeElement(cnn::ElementType element, void *memory, int64_t index, double value);

#endif
