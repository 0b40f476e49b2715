// Is the code for this GPU, and the driver new enough for it?
#include "runtime/device/cuda/CudaDevice.h"

#include "runtime/device/cuda/CudaNet.h"

#include <cstdio>

namespace cnn {

using namespace cuda;

Result<std::unique_ptr<CudaDevice>> CudaDevice::create(int index) {
  Result<std::shared_ptr<GpuContext>> gpu = GpuContext::open(index);
  if (gpu.failed())
    return gpu.status();
  return std::unique_ptr<CudaDevice>(new CudaDevice(std::move(*gpu)));
}

std::string CudaDevice::name() const { return formatText("cuda:%d", gpu->gpu().index); }

/// A target such as sm_80 runs on its GPU and on newer ones, sm_90a on its own alone.
static Status checkArch(const Manifest &manifest, const Gpu &gpu) {
  int number = 0;
  char suffix = 0;
  int found = std::sscanf(manifest.arch.c_str(), "sm_%d%c", &number, &suffix);
  if (found < 1)
    return Status::failure(formatText("net '%s' was compiled for %s, which is no GPU of NVIDIA",
                                      manifest.net.c_str(), quotedText(manifest.arch).c_str()));
  if (found == 1 ? gpu.capability >= number : gpu.capability == number)
    return Status();
  return Status::failure(formatText("net '%s' was compiled for %s, and %s has compute capability "
                                    "%d.%d",
                                    manifest.net.c_str(), manifest.arch.c_str(), gpu.text().c_str(),
                                    gpu.capability / 10, gpu.capability % 10));
}

/// The CUDA version, as Driver::version counts, whose drivers were the first to take a version of
/// PTX (the release history in NVIDIA's PTX manual); 0 for one that is not in the list.
static int versionForPtx(int major, int minor) {
  if (major == 6)
    return minor <= 3 ? 10000 : minor == 4 ? 10010 : minor == 5 ? 10020 : 0;
  if (major == 7)
    return minor <= 8 ? 11000 + 10 * minor : 0;
  if (major == 8)
    return minor <= 5 ? 12000 + 10 * minor : minor <= 8 ? 12000 + 10 * (minor + 1) : 0;
  return 0;
}

static Status checkPtx(const CompiledNet &net, const Driver &driver) {
  int major = 0, minor = 0;
  size_t at = net.ptx.find(".version");
  if (at == std::string::npos ||
      std::sscanf(net.ptx.c_str() + at, ".version %d.%d", &major, &minor) != 2)
    return Status::failure(formatText("the code of net '%s' is no PTX", net.manifest.net.c_str()));
  int least = versionForPtx(major, minor);
  if (driver.version() >= least)
    return Status();
  return Status::failure(formatText("the NVIDIA driver is too old for net '%s': PTX %d.%d needs "
                                    "CUDA %s, and the driver runs %s",
                                    net.manifest.net.c_str(), major, minor,
                                    versionText(least).c_str(),
                                    versionText(driver.version()).c_str()))
      .withHint("install a newer driver");
}

Result<std::unique_ptr<DeviceNet>> CudaDevice::load(const CompiledNet &net) {
  if (net.manifest.target != CodeTarget::Nvptx)
    return Status::failure(
        formatText("net '%s' was compiled for the CPU, not for a GPU", net.manifest.net.c_str()));
  if (Status status = checkArch(net.manifest, gpu->gpu()); status.failed())
    return status;
  if (Status status = checkPtx(net, gpu->driver()); status.failed())
    return status;
  auto made = std::make_unique<CudaNet>(net, gpu);
  if (Status status = made->load(); status.failed())
    return status;
  return std::unique_ptr<DeviceNet>(std::move(made));
}

} // namespace cnn
