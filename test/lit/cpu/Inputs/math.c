// math STEP LIMIT: compares FUNCTION with the C library's in higher precision and prints the largest error
// in units in the last place. f32: every STEP-th bit pattern (1: all). f64: 2^32 / STEP patterns, spread.
// Beyond MOST, where that is defined, the result is no number.
// Status 1: larger than LIMIT, or wrong at an infinity, a NaN or a zero.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOIN(a, b) a##b
#define CALL(a, b) JOIN(a, b)
#define ENTRY CALL(net_, FUNCTION)
extern void ENTRY(void *const *buffers, const void *context);

#ifdef DOUBLE
typedef double T;
typedef uint64_t Bits;
typedef long double Wide;
#define REFERENCE CALL(FUNCTION, l)
enum { digits = 53, minExponent = -1022 };
#else
typedef float T;
typedef uint32_t Bits;
typedef double Wide;
#define REFERENCE FUNCTION
enum { digits = 24, minExponent = -126 };
#endif

#ifdef SIGMOID
static inline double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static inline long double sigmoidl(long double x) { return 1 / (1 + expl(-x)); }
#endif

#ifndef MOST
#define MOST INFINITY
#endif

static _Alignas(64) T x[1024], y[1024];
static _Alignas(64) char scratch[64];

static int bad;
static double worst;
static T worstAt;

static void check(T x, T got) {
  if (fabs((double)x) > MOST) {
    if (!isnan(got) && bad++ < 5)
      printf("at %a: got %a, expected no number\n", (double)x, (double)got);
    return;
  }
  Wide want = REFERENCE((Wide)x);
  T rounded = (T)want;
#ifdef SIGMOID
  // What is subnormal may be zero or any other such number.
  if (want < ldexpl(1, minExponent)) {
    if (!(got >= 0 && got <= ldexpl(1, minExponent)) && bad++ < 5)
      printf("at %a: got %a, expected a subnormal number or zero\n", (double)x, (double)got);
    return;
  }
#endif
  if (isnan(want) || isinf(rounded) || want == 0) {
    int same = isnan(want) ? isnan(got) : got == rounded && signbit(got) == signbit(rounded);
    // One step below infinity is an error of one unit.
    if (!same && !(isinf(rounded) && !isinf(want) && isfinite(got) && got == nextafter(rounded, 0)) &&
        !(isinf(rounded) && !isinf(want) && fabs((double)got) > 0.99 * (digits == 24 ? 3.4e38 : 1.79e308)) &&
        bad++ < 5)
      printf("at %a: got %a, expected %a\n", (double)x, (double)got, (double)rounded);
    return;
  }
  int exponent;
  frexpl(want, &exponent);
  if (exponent - 1 < minExponent)
    exponent = minExponent + 1;
  double error = (double)fabsl(((Wide)got - want) / ldexpl(1, exponent - digits));
  if (!(error <= worst))
    worst = error, worstAt = x;
}

int main(int argc, char **argv) {
  uint64_t step = argc > 1 ? strtoull(argv[1], 0, 10) : 1;
  double limit = argc > 2 ? atof(argv[2]) : 1;
  void *buffers[] = {x, y, scratch};
  int count = 0;
  for (uint64_t pattern = 0;; pattern += step) {
    int last = pattern >> 32 != 0;
    if (!last) {
#ifdef DOUBLE
      // Half of all over the range, half between 2^-40 and 2^10, where functions do something.
      Bits bits = pattern * 0x9e3779b97f4a7c15u;
      if (pattern & 1)
        bits = (bits & 0x800fffffffffffffu) | (((bits >> 12) % 50 + 983) << 52);
#else
      Bits bits = (Bits)pattern;
#endif
      memcpy(&x[count++], &bits, sizeof bits);
    }
    if (count == 1024 || last) {
      ENTRY(buffers, NULL);
      for (int i = 0; i < count; ++i)
        check(x[i], y[i]);
      count = 0;
    }
    if (last)
      break;
  }
  const T special[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, 1, -1};
  memcpy(x, special, sizeof special);
  ENTRY(buffers, NULL);
  for (int i = 0; i < (int)(sizeof special / sizeof *special); ++i)
    check(x[i], y[i]);
  printf("largest error %.4f at %a (%.9g), limit %.4f, %d wrong\n", worst, (double)worstAt,
         (double)worstAt, limit, bad);
  return bad != 0 || worst > limit;
}
