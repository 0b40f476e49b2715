#include "runtime/core/Element.h"
#include "runtime/task/ThreadPool.h"

#include <cstdio>

extern "C" int abiVersion(void);

int main() {
  std::printf("abi %d, an f64 has %zu bytes\n", abiVersion(),
              cnn::elementBytes(cnn::ElementType::F64));
}
