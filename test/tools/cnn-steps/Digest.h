// What goldens keep of a tensor that is too large to be kept: sum, norm, largest magnitude,
// samples.
#ifndef CNNC_TEST_TOOLS_CNN_STEPS_DIGEST_H
#define CNNC_TEST_TOOLS_CNN_STEPS_DIGEST_H

#include "runtime/core/Json.h"

#include "llvm/ADT/STLFunctionalExtras.h"

/// Of the `count` numbers that `at` gives: [sum, Euclidean norm, largest magnitude, then the four
/// numbers at (4k + 1) count / 16].
cnn::Json digest(int64_t count, llvm::function_ref<double(int64_t)> at);

#endif
