#include "runtime/abi/cnn_abi.h"
#include "tiny.h"

int abiVersion(void) { return CNN_ABI_VERSION; }
int tinyBatch(void) { return TINY_BATCH; }

/* With weights that are all zero, so is the output. */
int tinyIsZero(void) {
  static _Alignas(TINY_ALIGNMENT) float image[4 * 16], out[4 * 3] = {1};
  static _Alignas(TINY_ALIGNMENT) char weights[TINY_WEIGHTS_BYTES], work[TINY_WORKSPACE_BYTES];
  return tiny_predict(weights, image, 4, out, work) == 0 && out[0] == 0 && out[11] == 0;
}
