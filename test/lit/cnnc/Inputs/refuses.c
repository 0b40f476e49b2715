/* Rows out of range give 1, an address that is not aligned 2. */
#include "lenet.h"

static _Alignas(LENET_ALIGNMENT) float image[28 * 28 + 1], logits[10];
static _Alignas(LENET_ALIGNMENT) char workspace[LENET_WORKSPACE_BYTES];

int main(void) {
  return !(lenet_predict(image, 0, logits, workspace) == 1 &&
           lenet_predict(image, LENET_BATCH + 1, logits, workspace) == 1 &&
           lenet_predict(image + 1, 1, logits, workspace) == 2 &&
           lenet_predict(image, 1, logits, workspace) == 0);
}
