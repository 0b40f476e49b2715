// Runs kernels.mlir and compares every buffer with plain loops. Status 1: a difference. With the
// argument "workers" the entry point is called as three workers in turn, which must not change a
// bit; with "alone" as the first of three that do not come: it does their share as well.
#include "runtime/abi/cnn_abi.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern void net_infer(void *const *buffers, const cnn_context *context);

typedef ELEMENT T;
enum { N = LANES };
static _Alignas(64) T x[3][5][7], f[3][3][3][2][N], b[2][N], y[5][7][2][N];
static _Alignas(64) T row[4][29], shifted[4][29], turned[29][4];
static _Alignas(64) T image[5][4][4][N], pooled[5][2][2][N], sums[5], total[4][4];
static _Alignas(64) int at[5][2][2][N];
static _Alignas(64) T parts[3][N], joined[N];
static _Alignas(64) char scratch[3 * 64];

static int bad, barriers;
static void check(const char *what, double got, double want) {
  if (!(fabs(got - want) <= 1e-5 * (1 + fabs(want))) && bad++ < 10)
    printf("%s: got %.9g, expected %.9g\n", what, got, want);
}
static void fill(T *to, size_t count) {
  static unsigned state = 1;
  for (size_t i = 0; i < count; ++i)
    to[i] = (T)((state = state * 1664525u + 1013904223u) >> 8) / (T)(1 << 23) - 1;
}
static void barrier(void *self) { ++*(int *)self; }

static cnn_share shares[2 * 3] __attribute__((aligned(CNN_ALIGNMENT)));
// What the two that do not come would have done on the way to this barrier.
static void barrierAlone(void *self) {
  int number = ++*(int *)self;
  for (int w = 1; w < 3; ++w)
    shares[2 * w + number % 2].taken = 0;
}

int main(int argc, char **argv) {
#define FILL(A) fill((T *)A, sizeof A / sizeof(T))
  FILL(x), FILL(f), FILL(b), FILL(row), FILL(image), FILL(total), FILL(parts), FILL(joined);
  static T old[5][4][4][N], oldTotal[4][4], oldJoined[N];
  memcpy(old, image, sizeof old), memcpy(oldTotal, total, sizeof total);
  memcpy(oldJoined, joined, sizeof joined);
  void *buffers[] = {x,      f,  b,    y,     row,   shifted, turned, image,
                     pooled, at, sums, total, parts, joined,  scratch};
  if (argc > 1 && !strcmp(argv[1], "alone")) {
    net_infer(buffers, &(cnn_context){0, 3, barrierAlone, &barriers, shares});
  } else if (argc > 1) {
    // No kernel reads what another worker writes, so they may run one after the other.
    for (int w = 0; w < 3; ++w)
      net_infer(buffers, &(cnn_context){w, 3, barrier, &barriers});
    if (barriers != 6)
      return printf("%d barriers, expected 6\n", barriers), 1;
  } else {
    net_infer(buffers, NULL);
  }

  for (int h = 0; h < 5; ++h)
    for (int w = 0; w < 7; ++w)
      for (int k = 0; k < 2 * N; ++k) {
        double sum = b[k / N][k % N];
        for (int c = 0; c < 3; ++c)
          for (int r = 0; r < 3; ++r)
            for (int s = 0; s < 3; ++s)
              if (h + r >= 1 && h + r <= 5 && w + s >= 1 && w + s <= 7)
                sum += (double)x[c][h + r - 1][w + s - 1] * f[c][r][s][k / N][k % N];
        check("conv", y[h][w][k / N][k % N], sum);
      }
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 29; ++j) {
      check("shift", shifted[i][j], j < 2 ? -1 : row[i][j - 2]);
      check("turn", turned[j][i], j < 2 ? -1 : row[i][j - 2]);
    }
  for (int h = 0; h < 4; ++h)
    for (int w = 0; w < 4; ++w) {
      double sum = oldTotal[h][w];
      for (int i = 0; i < 5; ++i)
        for (int n = 0; n < N; ++n)
          sum += old[i][h][w][n];
      check("total", total[h][w], sum);
    }
  for (int i = 0; i < 5; ++i) {
    double largest = 0;
    for (int h = 0; h < 4; ++h)
      for (int w = 0; w < 4; ++w) {
        double most = -INFINITY;
        for (int n = 0; n < N; ++n)
          most = fmax(most, old[i][h][w][n]);
        largest += most;
        for (int n = 0; n < N; ++n)
          check("centred", image[i][h][w][n], old[i][h][w][n] - most);
      }
    check("sums", sums[i], largest);
    for (int h = 0; h < 2; ++h)
      for (int w = 0; w < 2; ++w)
        for (int n = 0; n < N; ++n) {
          int place = 0;
          double most = -INFINITY;
          for (int j = 0; j < 4; ++j)
            if (old[i][2 * h + j / 2][2 * w + j % 2][n] > most) {
              most = old[i][2 * h + j / 2][2 * w + j % 2][n];
              place = 4 * (2 * h + j / 2) + 2 * w + j % 2;
            }
          check("pool", pooled[i][h][w][n], most);
          check("place", at[i][h][w][n], place);
        }
  }
  for (int n = 0; n < N; ++n) {
    double sum = oldJoined[n];
    for (int i = 0; i < 3; ++i)
      if (n + 1 - i >= 0 && n + 1 - i < N)
        sum += parts[i][n + 1 - i];
    check("scatter", joined[n], sum);
  }
  printf("%d differences\n", bad);
  return bad != 0;
}
