#include "runtime/abi/cnn_abi.h"

int abiVersion(void) { return CNN_ABI_VERSION; }
