/* Classifies an image of 28 x 28 bytes from standard input with a compiled net. Made and run by
 *   cnnc lenet.cnn --weights lenet.safetensors -o lenet.o && cc predict.c lenet.o -o predict -lm */
#include "lenet.h"
#include <stdio.h>

static _Alignas(LENET_ALIGNMENT) float image[28 * 28], logits[10];
static _Alignas(LENET_ALIGNMENT) char workspace[LENET_WORKSPACE_BYTES];

int main(void) {
  for (int i = 0; i < 28 * 28; ++i)
    image[i] = (float)getchar() / 255;
  if (lenet_predict(image, 1, logits, workspace))
    return 1;
  for (int i = 0; i < 10; ++i)
    printf("%.9g\n", logits[i]);
}
