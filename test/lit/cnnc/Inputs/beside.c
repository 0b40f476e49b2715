/* As examples/c/predict.c, of bytes from standard input, with the weights in a file. */
#include "beside.h"
#include <stdio.h>

static _Alignas(LENET_ALIGNMENT) float image[28 * 28], logits[10];
static _Alignas(LENET_ALIGNMENT) char workspace[LENET_WORKSPACE_BYTES];
static _Alignas(LENET_ALIGNMENT) char weights[LENET_WEIGHTS_BYTES];

int main(void) {
  FILE *file = fopen("beside.weights", "rb");
  if (!file || fread(weights, 1, sizeof weights, file) != sizeof weights)
    return 2;
  for (int i = 0; i < 28 * 28; ++i)
    image[i] = (float)getchar() / 255;
  if (lenet_predict(weights, image, 1, logits, workspace))
    return 1;
  for (int i = 0; i < 10; ++i)
    printf("%.9g\n", logits[i]);
}
