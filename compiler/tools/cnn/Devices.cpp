// cnn devices [--json]: the processor, and what NVIDIA's driver lists, or why there is nothing.
#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/Options.h"
#include "runtime/core/Buffer.h"
#include "runtime/core/Json.h"
#include "runtime/device/cuda/Driver.h"
#include "runtime/task/ThreadPool.h"

#include <cstdio>

namespace cnn::tool {

static void printGpu(const cuda::Gpu &gpu) {
  std::string capability =
      formatText("compute capability %d.%d", gpu.capability / 10, gpu.capability % 10);
  if (gpu.arch().empty())
    capability += formatText(", too old: %d.%d is the least", cuda::leastCapability / 10,
                             cuda::leastCapability % 10);
  std::printf("cuda:%-3d %s: %s, %d multiprocessors, %s\n", gpu.index, gpu.name.c_str(),
              capability.c_str(), gpu.multiprocessors, bytesText(gpu.memory).c_str());
}

int runDevices() {
  int processors = ThreadPool::availableProcessors();
  Result<std::shared_ptr<const cuda::Driver>> driver = cuda::Driver::open();
  Status status = driver.status();
  std::vector<cuda::Gpu> gpus;
  if (driver.isOk()) {
    Result<std::vector<cuda::Gpu>> listed = cuda::listGpus(**driver);
    status = listed.status();
    if (listed.isOk())
      gpus = std::move(*listed);
  }
  std::string version = driver.isOk() ? cuda::versionText((*driver)->version()) : "";
  if (!json) {
    std::printf("cpu      %d %s\n", processors, processors == 1 ? "thread" : "threads");
    for (const cuda::Gpu &gpu : gpus)
      printGpu(gpu);
    if (status.failed())
      std::printf("cuda     none: %s\n", status.message().c_str());
    else
      std::printf("driver   CUDA %s\n", version.c_str());
    return exitSuccess;
  }
  Json list = Json::array();
  list.push_back({{"device", "cpu"}, {"threads", processors}});
  for (const cuda::Gpu &gpu : gpus)
    list.push_back({{"device", formatText("cuda:%d", gpu.index)},
                    {"name", gpu.name},
                    {"capability", formatText("%d.%d", gpu.capability / 10, gpu.capability % 10)},
                    {"target", gpu.arch().empty() ? Json() : Json(gpu.arch())},
                    {"multiprocessors", gpu.multiprocessors},
                    {"memory", gpu.memory}});
  Json line = {{"devices", list}, {"cuda", version.empty() ? Json() : Json(version)}};
  if (status.failed())
    line["no_gpu"] = status.message();
  std::printf("%s\n", jsonText(line).c_str());
  return exitSuccess;
}

} // namespace cnn::tool
