// Loading the driver; see Driver.h.
#include "runtime/device/cuda/Driver.h"

#include <cstdlib>
#include <dlfcn.h>

namespace cnn::cuda {

/// What cuGraphInstantiateWithFlags came with.
static constexpr int leastVersion = 11040;

std::string versionText(int version) {
  return formatText("%d.%d", version / 1000, version % 1000 / 10);
}

static Status noGpu() { return Status::failure("the NVIDIA driver lists no GPU"); }

Result<std::shared_ptr<const Driver>> Driver::open() {
  const char *given = std::getenv("CNN_LIBCUDA");
  std::string path = given && *given ? given : "libcuda.so.1";
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *reason = dlerror();
    return Status::failure(std::string("there is no NVIDIA driver: ") +
                           (reason ? reason : path.c_str()));
  }
  auto driver = std::make_shared<Driver>();
  auto find = [&](const char *name) { return dlsym(library, name); };
  // The version first: what an old driver lacks is then said in the user's words.
  driver->entries.cuDriverGetVersion =
      reinterpret_cast<decltype(DriverTable::cuDriverGetVersion)>(find("cuDriverGetVersion"));
  if (!driver->entries.cuDriverGetVersion)
    return Status::failure(path + ": is no NVIDIA driver: it has no cuDriverGetVersion");
  Code code = driver->entries.cuDriverGetVersion(&driver->cudaVersion);
  if (code == stubLibrary)
    return Status::failure("there is no NVIDIA driver: " + path +
                           " is the stub of the CUDA toolkit");
  if (code != success)
    return Status::failure(formatText("the NVIDIA driver does not start: error %d", code));
  if (driver->cudaVersion < leastVersion)
    return Status::failure(formatText("the NVIDIA driver is too old: it runs CUDA %s, and %s is "
                                      "the least",
                                      versionText(driver->cudaVersion).c_str(),
                                      versionText(leastVersion).c_str()))
        .withHint("install a newer driver");
#define CNN_CUDA_RESOLVE(name, parameters)                                                         \
  if (void *found = find(#name))                                                                   \
    driver->entries.name = reinterpret_cast<decltype(DriverTable::name)>(found);                   \
  else                                                                                             \
    return Status::failure(path + ": the NVIDIA driver lacks " #name);
  CNN_CUDA_ENTRY_POINTS(CNN_CUDA_RESOLVE)
#undef CNN_CUDA_RESOLVE
  code = driver->entries.cuInit(0);
  if (code == stubLibrary)
    return Status::failure("there is no NVIDIA driver: " + path +
                           " is the stub of the CUDA toolkit");
  if (code == noDevice)
    return noGpu();
  if (code != success)
    return Status::failure("the NVIDIA driver does not start: " + driver->text(code));
  return std::shared_ptr<const Driver>(std::move(driver));
}

std::string Driver::text(Code code) const {
  const char *name = nullptr, *text = nullptr;
  if (entries.cuGetErrorName(code, &name) != success || !name)
    name = "error";
  std::string result = formatText("%s (%d)", name, code);
  if (entries.cuGetErrorString(code, &text) == success && text)
    result += std::string(": ") + text;
  return result;
}

Status Driver::check(Code code, const std::string &what) const {
  return code == success ? Status() : Status::failure(what + ": " + text(code));
}

std::string Gpu::text() const { return formatText("cuda:%d (%s)", index, name.c_str()); }

std::string Gpu::arch() const {
  // What the compiler has targets for; a newer GPU runs the newest of them. Instructions of one
  // generation alone (sm_90a) are not asked for.
  constexpr int known[] = {75, 80, 86, 89, 90, 100, 120};
  static_assert(known[0] == leastCapability);
  int best = 0;
  for (int each : known)
    if (each <= capability)
      best = each;
  return best ? formatText("sm_%d", best) : "";
}

Result<std::vector<Gpu>> listGpus(const Driver &driver) {
  const DriverTable &table = driver.table();
  int count = 0;
  Code code = table.cuDeviceGetCount(&count);
  if (code == noDevice || (code == success && count == 0))
    return noGpu();
  if (Status status = driver.check(code, "the NVIDIA driver does not list its GPUs");
      status.failed())
    return status;
  std::vector<Gpu> gpus;
  for (int i = 0; i < count; ++i) {
    Gpu gpu;
    gpu.index = i;
    char name[256] = "";
    int major = 0, minor = 0;
    size_t bytes = 0;
    for (Code each : {table.cuDeviceGet(&gpu.number, i),
                      table.cuDeviceGetName(name, sizeof(name) - 1, gpu.number),
                      table.cuDeviceGetAttribute(&major, capabilityMajor, gpu.number),
                      table.cuDeviceGetAttribute(&minor, capabilityMinor, gpu.number),
                      table.cuDeviceGetAttribute(&gpu.multiprocessors, multiprocessors, gpu.number),
                      table.cuDeviceGetAttribute(&gpu.sharedMemory, sharedMemoryOptIn, gpu.number),
                      table.cuDeviceTotalMem_v2(&bytes, gpu.number)})
      if (Status status = driver.check(each, formatText("the NVIDIA driver does not describe "
                                                        "cuda:%d",
                                                        i));
          status.failed())
        return status;
    gpu.name = name;
    gpu.capability = 10 * major + minor;
    gpu.memory = bytes;
    gpus.push_back(std::move(gpu));
  }
  return gpus;
}

} // namespace cnn::cuda
