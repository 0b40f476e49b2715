// How the stand-in's entry points are written.
#ifndef CNNC_TEST_EMULATOR_DRIVERAPI_H
#define CNNC_TEST_EMULATOR_DRIVERAPI_H

#include "test/emulator/Device.h"

/// An exported function with the driver's name that returns a CUresult.
#define CNN_DRIVER extern "C" __attribute__((visibility("default"))) int

namespace cnn::emulator {

/// Runs an entry point under the device's lock, when the device is initialised and not in error,
/// and notes it in the trace.
template <typename Body> Result call(const std::string &name, Body body) {
  Device &device = Device::get();
  std::lock_guard<std::recursive_mutex> lock(device.mutex);
  Result result = !device.initialized ? NotInitialized : device.queue.state();
  if (result == Success)
    result = body(device);
  device.trace(result == Success ? name : name + " -> " + std::to_string(result));
  return result;
}

} // namespace cnn::emulator

#endif
