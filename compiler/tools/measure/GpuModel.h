// How long a step takes on a GPU that is not at hand, by its data sheet and by what the compiler
// counted of each kernel (compiler/schedule/GpuWork.h, compiler/nvptx/WarpRunner.h). A prediction,
// made of the slowest of a few limits, each taken as reached: useful to see what a step is bound
// by, and wrong by what it leaves out: that limits get in each other's way, caches that are too
// small for what is read again, memory that is turned from reading to writing.
#ifndef CNNC_COMPILER_TOOLS_MEASURE_GPUMODEL_H
#define CNNC_COMPILER_TOOLS_MEASURE_GPUMODEL_H

#include "runtime/core/Manifest.h"

#include <string>
#include <string_view>
#include <vector>

namespace cnn::tool {

/// One GPU. Rates per second, of all multiprocessors together; times in seconds.
struct GpuLimits {
  const char *option; ///< of `cnn time --model`
  const char *name;   ///< as the driver calls it, in part
  const char *text;
  const char *arch; ///< what is compiled for it
  double processors;
  double fma32, fma64, tf32, bf16; ///< operations; of tensor cores, what good libraries reach
  double mmaTf32, mmaBf16;         ///< operations of `mma.sync`, which kernels of ours use
  double instructions;             ///< that warps issue
  double memory, l2, l1;           ///< bytes
  double l2Bytes, memoryBytes;
  double warps;                      ///< that a multiprocessor holds
  double launch;                     ///< from one kernel of a graph to the next
  double memoryWait, l2Wait, l1Wait; ///< until a load has its value
  double inFlight;                   ///< accesses that a warp waits for at a time
  double hostCopies;                 ///< bytes from the host's memory

  /// Operations per second of `instruction` ("fma", "tf32", "bf16") on elements of `element`.
  double rate(std::string_view instruction, ElementType element) const;
};

/// The GPUs that are known.
const std::vector<GpuLimits> &knownGpus();
/// That of an option of --model, or the one whose name is in what a driver calls it; null for none.
const GpuLimits *findGpuModel(std::string_view option);
const GpuLimits *findGpuNamed(std::string_view name);

/// What one launch is expected to take, and why.
struct LaunchPrediction {
  double seconds = 0;
  /// Of the slowest limit: "operations", "instructions", "memory", "L2", "L1", "waiting", or
  /// "launch", where all of these take less than starting the kernel does.
  const char *bound = "";
  /// Blocks that the busiest multiprocessor computes.
  double rounds = 0;
};

/// The whole step.
struct StepPrediction {
  std::vector<LaunchPrediction> launches;
  double seconds = 0;  ///< their sum
  double copies = 0;   ///< of the inputs, meanwhile
  bool fitsL2 = false; ///< so that nothing waits for memory
};

/// What no kernels can be faster than, in seconds.
struct StepFloors {
  double fma = 0, tf32 = 0, bf16 = 0; ///< the multiply-adds of the direct algorithms
  double fused = 0;                   ///< what products and poolings read and write
  double memory = 0;                  ///< what the kernels read and write, each byte once
  double launches = 0;
};

/// Needs the work of all launches; fails where the manifest does not have it.
Result<StepPrediction> predictStep(const Manifest &manifest, const EntryPoint &entry,
                                   const GpuLimits &gpu);
StepFloors getFloors(const Manifest &manifest, const EntryPoint &entry, const GpuLimits &gpu);

} // namespace cnn::tool

#endif
