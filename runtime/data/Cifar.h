// CIFAR-10's binary records. Internal to runtime/data and its tests.
#ifndef CNNC_RUNTIME_DATA_CIFAR_H
#define CNNC_RUNTIME_DATA_CIFAR_H

#include "runtime/core/Status.h"

#include <cstdint>
#include <span>
#include <string>

namespace cnn {

/// Fails unless `content` is records of 3073 bytes, one at least, with labels 0 to 9.
Status checkCifarRecords(std::span<const uint8_t> content, const std::string &name);

} // namespace cnn

#endif
