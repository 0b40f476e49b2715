// The first values of a net's state, from the manifest's descriptions and a seed.
#ifndef CNNC_RUNTIME_CORE_INIT_H
#define CNNC_RUNTIME_CORE_INIT_H

#include "runtime/core/Manifest.h"

namespace cnn {

/// Fills `state` (manifest.stateBytes bytes). Element i of the p-th parameter (counted over
/// parameters only, so adding momentum changes nothing) draws number i of the stream (seed, Init,
/// p) in double and rounds to the tensor's element type. U(a) is uniform in [-a, a), N(s) normal
/// with standard deviation s; the definitions are those of torch.nn.init with their default
/// arguments (gain 1 for xavier; fan_in and ReLU's gain sqrt(2) for kaiming):
///   xavier_uniform   U(sqrt(6 / (fan_in + fan_out)))     (Glorot and Bengio 2010)
///   xavier_normal    N(sqrt(2 / (fan_in + fan_out)))
///   kaiming_uniform  U(sqrt(6 / fan_in))                 (He et al. 2015)
///   kaiming_normal   N(sqrt(2 / fan_in))
///   pytorch_default  U(1 / sqrt(fan_in))                 (torch.nn.Linear, Conv2d: weights,
///   biases)
///   constant         value
///   zeros            0
///   uniform          low + (high - low) u, u uniform in [0, 1)
///   normal           mean + N(std)
void initializeState(const Manifest &manifest, uint64_t seed, void *state);

} // namespace cnn

#endif
