// "cuda:1" -> a CudaDevice, and so on.
#include "runtime/device/Devices.h"

#include "runtime/device/cuda/CudaDevice.h"

#include <charconv>

namespace cnn {

Result<DeviceRequest> DeviceRequest::parse(const std::string &text) {
  if (text == "cpu")
    return DeviceRequest{Cpu};
  if (text == "auto")
    return DeviceRequest{Auto};
  if (text == "cuda")
    return DeviceRequest{Cuda};
  DeviceRequest request{Cuda};
  const char *end = text.data() + text.size();
  if (text.rfind("cuda:", 0) == 0 && text.size() > 5 && text[5] != '-')
    if (auto [rest, error] = std::from_chars(text.data() + 5, end, request.index);
        rest == end && error == std::errc())
      return request;
  return Status::failure("the devices are cpu, cuda, cuda:N and auto, not " + quotedText(text));
}

static Result<OpenDevice> openCpu(int threads) {
  Result<std::unique_ptr<CpuDevice>> cpu = CpuDevice::create(threads);
  if (cpu.failed())
    return cpu.status();
  OpenDevice opened;
  opened.cpu = cpu->get();
  opened.device = std::move(*cpu);
  return opened;
}

Result<OpenDevice> openDevice(DeviceRequest request, int threads) {
  if (request.kind == DeviceRequest::Cpu)
    return openCpu(threads);
  Result<std::unique_ptr<CudaDevice>> gpu = CudaDevice::create(request.index);
  if (gpu.isOk()) {
    OpenDevice opened;
    opened.device = std::move(*gpu);
    opened.isAutomatic = request.kind == DeviceRequest::Auto;
    return opened;
  }
  if (request.kind == DeviceRequest::Cuda)
    return gpu.status();
  Result<OpenDevice> opened = openCpu(threads);
  if (opened.isOk())
    opened->reason = gpu.message();
  return opened;
}

} // namespace cnn
