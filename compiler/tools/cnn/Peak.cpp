// One loop per instruction set: `chains` accumulators, each updated once per turn, so that
// latency x units (4 cycles x 2 units on current x86, 4 x 4 on AArch64) is covered; the empty
// assembly keeps every update and every value in a register.
#include "compiler/tools/cnn/Peak.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace cnn::tool {

namespace {
/// A loop and the floating-point operations of one of its turns.
struct Kernel {
  void (*run)(long turns) = nullptr;
  double flopsPerTurn = 0;
};
} // namespace

#if defined(__x86_64__)
// 24 of 32 registers, and 12 of 16: what is left holds the factors.
static constexpr int chains512 = 24, chains256 = 12;

__attribute__((target("avx512f"))) static void run512(long turns) {
  __m512 sums[chains512], factor = _mm512_set1_ps(0.5f);
  for (__m512 &sum : sums)
    sum = factor;
  for (long turn = 0; turn < turns; ++turn)
#pragma clang loop unroll(full)
    for (int i = 0; i < chains512; ++i) {
      sums[i] = _mm512_fmadd_ps(factor, factor, sums[i]);
      __asm__ volatile("" : "+v"(sums[i]));
    }
}

__attribute__((target("avx2,fma"))) static void run256(long turns) {
  __m256 sums[chains256], factor = _mm256_set1_ps(0.5f);
  for (__m256 &sum : sums)
    sum = factor;
  for (long turn = 0; turn < turns; ++turn)
#pragma clang loop unroll(full)
    for (int i = 0; i < chains256; ++i) {
      sums[i] = _mm256_fmadd_ps(factor, factor, sums[i]);
      __asm__ volatile("" : "+x"(sums[i]));
    }
}

static Kernel chooseKernel() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f"))
    return {run512, 2.0 * 16 * chains512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {run256, 2.0 * 8 * chains256};
  return {};
}
#elif defined(__aarch64__)
static constexpr int chains128 = 24;

static void run128(long turns) {
  float32x4_t sums[chains128], factor = vdupq_n_f32(0.5f);
  for (float32x4_t &sum : sums)
    sum = factor;
  for (long turn = 0; turn < turns; ++turn)
#pragma clang loop unroll(full)
    for (int i = 0; i < chains128; ++i) {
      sums[i] = vfmaq_f32(sums[i], factor, factor);
      __asm__ volatile("" : "+w"(sums[i]));
    }
}

static Kernel chooseKernel() { return {run128, 2.0 * 4 * chains128}; }
#else
static Kernel chooseKernel() { return {}; }
#endif

double measurePeakGflops(ThreadPool &pool) {
  struct Measurement {
    Kernel kernel;
    std::vector<double> best; // of each worker
  } measurement{chooseKernel(), std::vector<double>(pool.workers(), 0)};
  if (!measurement.kernel.run)
    return 0;
  pool.run(
      [](void *argument, const cnn_context &context) {
        auto &m = *static_cast<Measurement *>(argument);
        constexpr int rounds = 12;
        constexpr long turns = 400000; // 1-2 ms: long beside the clock's grain, below a time slice
        context.barrier(context.self); // all at once: cores share power and clock
        for (int round = 0; round < rounds; ++round) {
          auto start = std::chrono::steady_clock::now();
          m.kernel.run(turns);
          std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
          double gflops = double(turns) * m.kernel.flopsPerTurn / seconds.count() / 1e9;
          m.best[context.worker] = std::max(m.best[context.worker], gflops);
        }
      },
      &measurement);
  double sum = std::accumulate(measurement.best.begin(), measurement.best.end(), 0.0);
  int processors = ThreadPool::availableProcessors();
  return pool.workers() > processors ? sum * processors / pool.workers() : sum;
}

} // namespace cnn::tool
