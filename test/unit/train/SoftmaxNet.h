// A compiled net written by hand, for tests of the runtime: softmax regression with SGD on images
// of any shape, with work items that do not depend on the number of workers.
#ifndef CNNC_TEST_UNIT_TRAIN_SOFTMAXNET_H
#define CNNC_TEST_UNIT_TRAIN_SOFTMAXNET_H

#include "runtime/data/Dataset.h"
#include "runtime/device/CompiledNet.h"

#include <cstdint>

namespace cnn::test {

/// A net called "softmax" with train_step, eval and infer for `image` and `classes`.
CompiledNet softmaxNet(ImageShape image, int64_t classes, int64_t batch);

/// A data set called "blobs": `trainSize` and `testSize` images of `image`, each the pattern of its
/// class under noise, drawn from `seed`.
Dataset blobs(ImageShape image, int classes, int64_t trainSize, int64_t testSize,
              uint64_t seed = 1);

} // namespace cnn::test

#endif
