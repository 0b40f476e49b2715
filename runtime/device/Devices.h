// Which device a user means, and opening it.
#ifndef CNNC_RUNTIME_DEVICE_DEVICES_H
#define CNNC_RUNTIME_DEVICE_DEVICES_H

#include "runtime/device/Device.h"
#include "runtime/device/cpu/CpuDevice.h"

#include <memory>
#include <string>

namespace cnn {

/// What a user asks for: "cpu", "cuda" (cuda:0), "cuda:N", "auto".
struct DeviceRequest {
  enum Kind { Cpu, Cuda, Auto } kind = Cpu;
  int index = 0; ///< of the GPU

  /// Fails on anything else.
  static Result<DeviceRequest> parse(const std::string &text);
};

struct OpenDevice {
  std::unique_ptr<Device> device;
  CpuDevice *cpu = nullptr; ///< the same, where it is the CPU
  /// Of `auto`, where the CPU was taken: why.
  std::string reason;
  bool isAutomatic = false; ///< a GPU that `auto` took
};

/// Opens it; the CPU with `threads` threads. `auto` takes the first GPU, or the CPU where there is
/// none that can be used.
Result<OpenDevice> openDevice(DeviceRequest request, int threads);

} // namespace cnn

#endif
