#include "inside.h"

#include <stdalign.h>
#include <stdio.h>

int main(int argc, char **argv) {
  static alignas(NORMED_ALIGNMENT) float image[2 * 8 * 8], logits[3];
  static alignas(NORMED_ALIGNMENT) char prepared[NORMED_PREPARED_BYTES];
  static alignas(NORMED_ALIGNMENT) char workspace[NORMED_WORKSPACE_BYTES];
  FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
  if (!file || fread(image, sizeof image, 1, file) != 1)
    return 1;
  if (normed_prepare_weights(prepared, workspace) || normed_predict(prepared, image, 1, logits, workspace))
    return 2;
  for (int k = 0; k < 3; ++k)
    printf("%.9g\n", logits[k]);
  return 0;
}
