//===- GpuRates.h - What a GPU does per second -----------------------------------------------===//
//
// The one source of what schedules are ranked by (GpuSplit.cpp) and steps are predicted by (`cnn
// time --model`, compiler/tools/measure/GpuModel.cpp). Nothing of it was measured here.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_GPURATES_H
#define CNNC_COMPILER_SCHEDULE_GPURATES_H

/// An H100 SXM, whatever GPU is compiled for. Processors, clock, f32 and f64, memory, and the peaks
/// of tensor cores are those of the data sheet. A multiprocessor has four schedulers, each of which
/// issues an instruction of a warp per clock (programming guide), and delivers 128 bytes per clock,
/// of its first cache as four sectors, of shared memory from 32 banks. L2's rate and the waits are
/// figures of published microbenchmarks, rounded. A graph's kernels, each of which needs the one
/// before, start 1.5 us apart.
namespace mlir::cnn::h100 {

inline constexpr double tera = 1e12, micro = 1e-6;
inline constexpr double processors = 132, clock = 1.98e9;
/// Operations per second, a multiply-add being two.
inline constexpr double fma32 = 67 * tera, fma64 = 34 * tera;
inline constexpr double peakTf32 = 494 * tera, peakBf16 = 989 * tera;
/// The share of these that `mma.sync` reaches, without Hopper's own instructions: 62.9%, the mean
/// over types in Luo and others, "Dissecting the NVIDIA Hopper Architecture through
/// Microbenchmarking and Multiple Level Analysis" (arXiv:2501.12084), section 6.2. They measured an
/// H800 PCIe; the number is taken from a survey that quotes it, not from the paper's own tables.
inline constexpr double mmaShare = 0.629;
inline constexpr double mmaTf32 = mmaShare * peakTf32, mmaBf16 = mmaShare * peakBf16;
/// Instructions that the warps of a multiprocessor issue per clock.
inline constexpr double issues = 4;
/// Bytes per second, and of a multiprocessor's own memory per clock.
inline constexpr double memory = 3.35 * tera, l2 = 5.5 * tera, ownBytes = 128;
/// Seconds until a load has its value, and from one kernel to the next.
inline constexpr double memoryWait = 0.6 * micro, l2Wait = 0.2 * micro, ownWait = 0.02 * micro;
inline constexpr double launch = 1.5 * micro;
/// Loads of a warp that are under way, which is what loops are unrolled by.
inline constexpr double loadsInFlight = 4;

} // namespace mlir::cnn::h100

#endif // CNNC_COMPILER_SCHEDULE_GPURATES_H
