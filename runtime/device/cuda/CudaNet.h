// A net in a GPU's memory, and its module. In: PTX and manifest, checked by CudaDevice; out: calls
// (CudaCall.h) and the state.
#ifndef CNNC_RUNTIME_DEVICE_CUDA_CUDANET_H
#define CNNC_RUNTIME_DEVICE_CUDA_CUDANET_H

#include "runtime/core/Buffer.h"
#include "runtime/device/Device.h"
#include "runtime/device/cuda/Context.h"

#include <memory>

namespace cnn::cuda {

/// Bytes from one tensor to the next in memory that this runtime lays out: what the driver itself
/// aligns to.
constexpr uint64_t gpuAlignment = 256;
inline uint64_t aligned(uint64_t bytes) {
  return (bytes + gpuAlignment - 1) / gpuAlignment * gpuAlignment;
}

/// The inputs and outputs of an entry point, one after the other, the same in the GPU's memory and
/// in pinned memory: scalar inputs, tensor inputs, once more the tensor inputs, outputs.
struct CallLayout {
  std::vector<uint64_t> offsets; ///< by position in `buffers`; of tensor inputs the first place
  uint64_t scalarBytes = 0;      ///< at the start
  uint64_t slotBytes = 0;        ///< from a tensor input to its second place
  uint64_t outputs = 0;          ///< where they begin
  uint64_t bytes = 0;

  explicit CallLayout(const EntryPoint &point);
};

/// What a net takes of a GPU's memory.
struct NetBytes {
  uint64_t state = 0; ///< two of them, where steps write it
  uint64_t prepared = 0;
  uint64_t arena = 0; ///< of the entry point that has the largest
  double tensors = 0; ///< the inputs and outputs of all entry points

  explicit NetBytes(const Manifest &net);
  double total() const { return double(state) + double(prepared) + double(arena) + tensors; }
  /// "net 'lenet' with batch 32 needs 1.1 MiB (state 74.5 KiB, ...)".
  std::string text(const Manifest &net) const;
};

class CudaNet : public DeviceNet {
public:
  /// `net` must outlive it.
  CudaNet(const CompiledNet &net, std::shared_ptr<GpuContext> gpu)
      : net(net), gpu(std::move(gpu)) {}
  ~CudaNet() override;
  /// Takes the memory, and gives the PTX to the driver.
  Status load();

  Result<std::unique_ptr<DeviceCall>> makeCall(const EntryPoint &point) override;
  Result<void *> state(int which) override;
  uint64_t hostBytes() const override { return mirror.size() + pinnedBytes; }

  const Manifest &manifest() const { return net.manifest; }
  const std::shared_ptr<GpuContext> &context() const { return gpu; }

  // For calls.
  Result<Function> findFunction(const Launch &launch) const;
  /// Where state `which`, or what else has `role`, begins.
  Pointer stateAt(int which) const { return memory.at(which ? second : 0); }
  Pointer preparedAt() const { return memory.at(prepared); }
  Pointer arenaAt() const { return memory.at(arena); }
  /// Before a run that may write the state beside `state`: brings what the host has written.
  Status beforeRun(int state, bool writesState);
  void addPinned(uint64_t bytes) { pinnedBytes += bytes; }

private:
  Status checkMemory(const NetBytes &needed) const;
  Status loadModule();

  const CompiledNet &net;
  std::shared_ptr<GpuContext> gpu;
  Module module = nullptr;
  GpuMemory memory;
  uint64_t second = 0, prepared = 0, arena = 0; // where they begin in it
  uint64_t pinnedBytes = 0;

  // The host's view of one of the states.
  AlignedBuffer mirror;
  int mirrored = 0;
  bool isCurrent = true;    // it holds what the GPU has, or newer
  bool isHandedOut = false; // since the last run, so it may be newer
};

} // namespace cnn::cuda

#endif
