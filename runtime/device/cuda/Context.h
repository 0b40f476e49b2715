// A GPU in use: the driver's context for it, two streams, and memory. What CudaDevice, its nets and
// their calls share.
#ifndef CNNC_RUNTIME_DEVICE_CUDA_CONTEXT_H
#define CNNC_RUNTIME_DEVICE_CUDA_CONTEXT_H

#include "runtime/core/Status.h"
#include "runtime/device/cuda/Driver.h"

#include <cstdint>
#include <memory>
#include <string>

namespace cnn::cuda {

/// Whether a code says that the GPU is gone for this process, whatever it was doing.
bool isLost(Code code);

class GpuContext {
public:
  /// GPU `index` of the driver's list. Fails where there is none such, where it is too old, and
  /// where the driver does not give it.
  static Result<std::shared_ptr<GpuContext>> open(int index);
  ~GpuContext();
  GpuContext(const GpuContext &) = delete;
  GpuContext &operator=(const GpuContext &) = delete;

  const Gpu &gpu() const { return device; }
  const Driver &driver() const { return *library; }
  /// Kernels run on `compute`; `copies` brings inputs meanwhile.
  Stream compute() const { return streams[0]; }
  Stream copies() const { return streams[1]; }

  /// Makes this the context of the calling thread, which every other call needs.
  Status activate() const { return check(library->table().cuCtxSetCurrent(context), "a step"); }

  /// Success, or "WHAT failed on cuda:0 (NAME): " and what the code means. Codes that say that the
  /// GPU itself is gone are told so.
  Status check(Code code, const std::string &what) const;

private:
  GpuContext() = default;

  std::shared_ptr<const Driver> library;
  Gpu device;
  Context context = nullptr;
  Stream streams[2] = {};
};

/// Memory of a GPU; what is in it is undefined at first.
class GpuMemory {
public:
  GpuMemory() = default;
  GpuMemory(GpuMemory &&other) noexcept { swap(other); }
  GpuMemory &operator=(GpuMemory &&other) noexcept {
    swap(other);
    return *this;
  }
  ~GpuMemory();
  /// `what` names it in the message of a failure.
  static Result<GpuMemory> allocate(std::shared_ptr<GpuContext> gpu, uint64_t bytes,
                                    const std::string &what);
  Pointer at(uint64_t offset) const { return memory + offset; }

private:
  void swap(GpuMemory &other) {
    std::swap(gpu, other.gpu);
    std::swap(memory, other.memory);
  }
  std::shared_ptr<GpuContext> gpu;
  Pointer memory = 0;
};

/// Memory of the host that a GPU copies from and to by itself, zeroed.
class PinnedMemory {
public:
  PinnedMemory() = default;
  PinnedMemory(PinnedMemory &&other) noexcept { swap(other); }
  PinnedMemory &operator=(PinnedMemory &&other) noexcept {
    swap(other);
    return *this;
  }
  ~PinnedMemory();
  static Result<PinnedMemory> allocate(std::shared_ptr<GpuContext> gpu, uint64_t bytes,
                                       const std::string &what);
  char *at(uint64_t offset) const { return static_cast<char *>(memory) + offset; }
  uint64_t size() const { return bytes; }

private:
  void swap(PinnedMemory &other) {
    std::swap(gpu, other.gpu);
    std::swap(memory, other.memory);
    std::swap(bytes, other.bytes);
  }
  std::shared_ptr<GpuContext> gpu;
  void *memory = nullptr;
  uint64_t bytes = 0;
};

} // namespace cnn::cuda

#endif
