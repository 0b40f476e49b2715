#include "runtime/core/Element.h"
#include "runtime/data/Dataset.h"

#include <cstdio>

extern "C" int abiVersion(void);
extern "C" int tinyBatch(void);
extern "C" int tinyIsZero(void);

int main() {
  std::printf("abi %d, an f64 has %zu bytes, %zu data sets\n", abiVersion(),
              cnn::elementBytes(cnn::ElementType::F64), cnn::datasetNames().size());
  std::printf("tiny: batch %d, zero: %s\n", tinyBatch(), tinyIsZero() ? "yes" : "no");
}
