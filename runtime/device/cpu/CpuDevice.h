// The processor as a device: calls the functions of compiled code on a pool of threads.
#ifndef CNNC_RUNTIME_DEVICE_CPU_CPUDEVICE_H
#define CNNC_RUNTIME_DEVICE_CPU_CPUDEVICE_H

#include "runtime/device/Device.h"
#include "runtime/task/ThreadPool.h"

#include <memory>
#include <string>

namespace cnn {

/// A run is over when start() returns, and reads inputs where they lie: nothing is copied.
class CpuDevice : public Device {
public:
  /// With a pool of `threads` workers; fails as ThreadPool::create does.
  static Result<std::unique_ptr<CpuDevice>> create(int threads);

  ThreadPool &pool() { return *threads; }

  Result<std::unique_ptr<DeviceNet>> load(const CompiledNet &net) override;
  std::string name() const override { return "cpu"; }
  std::string text() const override;

private:
  explicit CpuDevice(std::unique_ptr<ThreadPool> threads) : threads(std::move(threads)) {}

  std::unique_ptr<ThreadPool> threads;
};

} // namespace cnn

#endif
