// Any bytes -> the check of CIFAR-10's records. Fails on a crash, a sanitizer's finding, or bytes
// that pass and are no records.
#include "runtime/data/Cifar.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cnn::Status status = cnn::checkCifarRecords({data, size}, "f");
  if (status.failed())
    return status.message().empty() ? (__builtin_trap(), 0) : 0;
  if (size == 0 || size % 3073 != 0)
    __builtin_trap();
  for (size_t i = 0; i < size; i += 3073)
    if (data[i] > 9)
      __builtin_trap();
  return 0;
}
