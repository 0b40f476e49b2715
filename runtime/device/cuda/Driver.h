// NVIDIA's driver, found when it is asked for: a table of entry points out of libcuda.so.1, and
// what its error codes mean. In: nothing but the environment; out: a Driver, or why there is none.
#ifndef CNNC_RUNTIME_DEVICE_CUDA_DRIVER_H
#define CNNC_RUNTIME_DEVICE_CUDA_DRIVER_H

#include "runtime/core/Status.h"
#include "runtime/device/cuda/DriverTable.h"

#include <memory>
#include <string>
#include <vector>

namespace cnn::cuda {

/// "12.4" of 12040, the way the driver counts CUDA versions.
std::string versionText(int version);

class Driver {
public:
  /// Opens the library that the environment variable CNN_LIBCUDA names, else libcuda.so.1, and
  /// starts it. Fails, saying which, where there is no driver, only the toolkit's stub of one, a
  /// driver older than CUDA 11.4, one that does not start, and where there is no GPU. The library
  /// stays loaded.
  static Result<std::shared_ptr<const Driver>> open();

  const DriverTable &table() const { return entries; }
  /// The newest CUDA that it runs, as 1000 * major + 10 * minor.
  int version() const { return cudaVersion; }

  /// "CUDA_ERROR_OUT_OF_MEMORY (2): out of memory".
  std::string text(Code code) const;
  /// Success, or "WHAT: " and the text of the code.
  Status check(Code code, const std::string &what) const;

private:
  DriverTable entries;
  int cudaVersion = 0;
};

/// A GPU as the driver lists it.
struct Gpu {
  int index = 0; ///< in the driver's list: the N of cuda:N
  DeviceNumber number = 0;
  std::string name;
  int capability = 0; ///< compute capability, 10 * major + minor
  int multiprocessors = 0;
  int sharedMemory = 0; ///< the most bytes that a block can have
  uint64_t memory = 0;  ///< bytes

  /// "cuda:0 (NVIDIA H100)", the way messages call it.
  std::string text() const;
  /// The newest target of ours that it runs, as in "sm_90"; empty where it is too old for all.
  std::string arch() const;
};

/// The oldest compute capability that kernels are compiled for, as Gpu::capability counts.
constexpr int leastCapability = 75;

/// What the driver lists; fails where that is nothing.
Result<std::vector<Gpu>> listGpus(const Driver &driver);

} // namespace cnn::cuda

#endif
