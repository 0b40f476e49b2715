// A GPU of NVIDIA as a device: kernels as PTX text, which the driver compiles, launched as the
// manifest says.
#ifndef CNNC_RUNTIME_DEVICE_CUDA_CUDADEVICE_H
#define CNNC_RUNTIME_DEVICE_CUDA_CUDADEVICE_H

#include "runtime/device/Device.h"
#include "runtime/device/cuda/Context.h"

#include <memory>
#include <string>

namespace cnn {

/// State, arena, inputs and outputs lie in the GPU's memory. The first run of a call launches one
/// kernel after the other and waits for each, so that a kernel that fails is named; after that the
/// whole run, with the copies of scalars and outputs, is one CUDA graph. Inputs are bound twice,
/// through pinned memory, so that the next batch is copied while the GPU computes.
/// With CNN_CUDA_CHECK=1 in the environment every run is as the first.
class CudaDevice : public Device {
public:
  /// GPU `index` of the driver's list; fails as cuda::GpuContext::open does.
  static Result<std::unique_ptr<CudaDevice>> create(int index);

  Result<std::unique_ptr<DeviceNet>> load(const CompiledNet &net) override;
  std::string name() const override;
  std::string text() const override { return gpu->gpu().text(); }
  std::string arch() const override { return gpu->gpu().arch(); }

private:
  explicit CudaDevice(std::shared_ptr<cuda::GpuContext> gpu) : gpu(std::move(gpu)) {}

  std::shared_ptr<cuda::GpuContext> gpu;
};

} // namespace cnn

#endif
