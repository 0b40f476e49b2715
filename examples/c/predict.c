/* A C program with a network in it: reads 28x28 floats and prints the ten outputs. It needs libc and
 * libm only:
 *   cnnc ../lenet/lenet.cnn --weights w.safetensors -o lenet.o     (writes lenet.h too)
 *   cc predict.c lenet.o -lm -o predict && ./predict image.raw */
#include "lenet.h"

#include <stdalign.h>
#include <stdio.h>

int main(int argc, char **argv) {
  static alignas(LENET_ALIGNMENT) float image[28 * 28], logits[10];
  static alignas(LENET_ALIGNMENT) char workspace[LENET_WORKSPACE_BYTES];
  FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
  if (!file || fread(image, sizeof image, 1, file) != 1)
    return fprintf(stderr, "usage: %s FILE (784 floats)\n", argv[0]), 1;
  int status = lenet_predict(image, 1, logits, workspace);
  for (int k = 0; k < 10 && !status; ++k)
    printf("%.9g\n", logits[k]);
  return status;
}
