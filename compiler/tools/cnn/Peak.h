// The most multiply-adds that this machine does: what `cnn time` compares a step with.
#ifndef CNNC_COMPILER_TOOLS_CNN_PEAK_H
#define CNNC_COMPILER_TOOLS_CNN_PEAK_H

#include "runtime/task/ThreadPool.h"

namespace cnn::tool {

/// The FMA peak in f32 of all workers of `pool` together, in GFLOP/s (two operations per
/// multiply-add): each worker's best of several rounds of independent vector FMAs in registers,
/// with the widest vectors that the processor has (AVX-512, AVX2, NEON). 0 on other processors.
/// More workers than processors count as so many processors. Takes about 20 ms.
double measurePeakGflops(ThreadPool &pool);

} // namespace cnn::tool

#endif
