// Opening a GPU, and giving back what was taken of it.
#include "runtime/device/cuda/Context.h"

#include "runtime/core/Buffer.h"

#include <algorithm>
#include <cstring>

namespace cnn::cuda {

bool isLost(Code code) {
  constexpr Code codes[] = {deinitialized,       deviceUnavailable, invalidDevice,
                            uncorrectableMemory, uncorrectableLink, unknownError};
  return std::find(std::begin(codes), std::end(codes), code) != std::end(codes);
}

Result<std::shared_ptr<GpuContext>> GpuContext::open(int index) {
  Result<std::shared_ptr<const Driver>> driver = Driver::open();
  if (driver.failed())
    return driver.status();
  Result<std::vector<Gpu>> gpus = listGpus(**driver);
  if (gpus.failed())
    return gpus.status();
  if (index < 0 || index >= int(gpus->size()))
    return Status::failure(formatText("there is no cuda:%d: the NVIDIA driver lists %zu %s", index,
                                      gpus->size(), gpus->size() == 1 ? "GPU" : "GPUs"));
  std::shared_ptr<GpuContext> made(new GpuContext);
  made->library = std::move(*driver);
  made->device = (*gpus)[size_t(index)];
  const Gpu &gpu = made->device;
  if (gpu.arch().empty())
    return Status::failure(formatText("%s has compute capability %d.%d, and %d.%d is the least",
                                      gpu.text().c_str(), gpu.capability / 10, gpu.capability % 10,
                                      leastCapability / 10, leastCapability % 10));
  const DriverTable &table = made->library->table();
  Code code = table.cuDevicePrimaryCtxRetain(&made->context, gpu.number);
  if (code != success)
    made->context = nullptr;
  if (code == success)
    code = table.cuCtxSetCurrent(made->context);
  for (Stream &stream : made->streams)
    if (code == success)
      code = table.cuStreamCreate(&stream, nonBlockingStream);
  if (Status status = made->check(code, "opening it"); status.failed())
    return status;
  return made;
}

GpuContext::~GpuContext() {
  // What fails here cannot be helped.
  const DriverTable &table = library->table();
  for (Stream stream : streams)
    if (stream)
      table.cuStreamDestroy_v2(stream);
  if (context)
    table.cuDevicePrimaryCtxRelease_v2(device.number);
}

Status GpuContext::check(Code code, const std::string &what) const {
  if (code == success)
    return Status();
  std::string meaning = library->text(code);
  if (isLost(code))
    return Status::failure(device.text() + " was lost: " + meaning);
  if (code == launchFailed) // a fault of the kernel, or a GPU that no longer answers
    return Status::failure(what + " failed on " + device.text() + ", or it was lost: " + meaning);
  return Status::failure(what + " failed on " + device.text() + ": " + meaning);
}

Result<GpuMemory> GpuMemory::allocate(std::shared_ptr<GpuContext> gpu, uint64_t bytes,
                                      const std::string &what) {
  GpuMemory made;
  if (!bytes)
    return made;
  Code code = gpu->driver().table().cuMemAlloc_v2(&made.memory, bytes);
  if (Status status = gpu->check(code, "taking " + bytesText(bytes) + " for " + what);
      status.failed())
    return code == outOfMemory ? std::move(status).withHint("use a smaller batch") : status;
  made.gpu = std::move(gpu);
  return made;
}

GpuMemory::~GpuMemory() {
  if (gpu)
    gpu->driver().table().cuMemFree_v2(memory);
}

Result<PinnedMemory> PinnedMemory::allocate(std::shared_ptr<GpuContext> gpu, uint64_t bytes,
                                            const std::string &what) {
  PinnedMemory made;
  if (!bytes)
    return made;
  Code code = gpu->driver().table().cuMemHostAlloc(&made.memory, bytes, 0);
  if (Status status = gpu->check(code, "taking " + bytesText(bytes) +
                                           " of the machine's memory "
                                           "for " +
                                           what);
      status.failed())
    return code == outOfMemory ? std::move(status).withHint("use a smaller batch") : status;
  made.gpu = std::move(gpu);
  made.bytes = bytes;
  std::memset(made.memory, 0, bytes);
  return made;
}

PinnedMemory::~PinnedMemory() {
  if (gpu)
    gpu->driver().table().cuMemFreeHost(memory);
}

} // namespace cnn::cuda
