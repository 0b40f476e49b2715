// The driver's entry points: device, context, memory, modules and launches. Each takes the device's
// lock and, once the device is in error, returns its code. Graphs, streams and events are in
// DriverStreams.cpp.
#include "test/emulator/DriverApi.h"

#include <cstring>

using namespace cnn::emulator;

namespace {

/// CUdevice_attribute, as numbered by the driver; a GPU of the H100's measures.
Result attribute(int number, const Faults &faults, int &value) {
  switch (number) {
  case 1: // MAX_THREADS_PER_BLOCK
  case 2: // MAX_BLOCK_DIM_X
  case 3: // MAX_BLOCK_DIM_Y
    value = 1024;
    return Success;
  case 4: // MAX_BLOCK_DIM_Z
    value = 64;
    return Success;
  case 5: // MAX_GRID_DIM_X
    value = 0x7fffffff;
    return Success;
  case 6: // MAX_GRID_DIM_Y
  case 7: // MAX_GRID_DIM_Z
    value = 65535;
    return Success;
  case 8: // MAX_SHARED_MEMORY_PER_BLOCK
    value = 48 << 10;
    return Success;
  case 10: // WARP_SIZE
    value = 32;
    return Success;
  case 12: // MAX_REGISTERS_PER_BLOCK
  case 82: // MAX_REGISTERS_PER_MULTIPROCESSOR
    value = 65536;
    return Success;
  case 13: // CLOCK_RATE, kHz
    value = 1980000;
    return Success;
  case 16: // MULTIPROCESSOR_COUNT
    value = 132;
    return Success;
  case 36: // MEMORY_CLOCK_RATE, kHz
    value = 2619000;
    return Success;
  case 37: // GLOBAL_MEMORY_BUS_WIDTH, bits
    value = 5120;
    return Success;
  case 38: // L2_CACHE_SIZE
    value = 50 << 20;
    return Success;
  case 39: // MAX_THREADS_PER_MULTIPROCESSOR
    value = 2048;
    return Success;
  case 75: // COMPUTE_CAPABILITY_MAJOR
    value = faults.capability / 10;
    return Success;
  case 76: // COMPUTE_CAPABILITY_MINOR
    value = faults.capability % 10;
    return Success;
  case 81: // MAX_SHARED_MEMORY_PER_MULTIPROCESSOR
    value = 228 << 10;
    return Success;
  case 97: // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
    value = Device::maxSharedPerBlock;
    return Success;
  default:
    return InvalidValue;
  }
}

/// Work on memory, queued; what a copy of memory that is not pinned does at once is done at once.
Result copyToDevice(Device &device, uint64_t to, const void *from, size_t bytes, Stream *stream) {
  if (!device.memory.find(to, bytes))
    return InvalidValue;
  auto copy = [&device, to, bytes](const void *source) {
    std::memcpy(reinterpret_cast<void *>(to), source, bytes);
    device.memory.markWritten(to, bytes);
    return Success;
  };
  if (device.memory.isPinned(from, bytes) || (device.queue.has(stream) && stream->capture))
    return device.queue.add(stream, [copy, from] { return copy(from); });
  auto *data = static_cast<const char *>(from);
  return device.queue.add(stream, [copy, staged = std::vector<char>(data, data + bytes)] {
    return copy(staged.data());
  });
}

Result copyToHost(Device &device, void *to, uint64_t from, size_t bytes, Stream *stream) {
  if (!device.memory.find(from, bytes))
    return InvalidValue;
  Result result = device.queue.add(stream, [to, from, bytes] {
    std::memcpy(to, reinterpret_cast<const void *>(from), bytes);
    return Success;
  });
  bool waits = !device.memory.isPinned(to, bytes) &&
               !(device.queue.has(stream) && stream->capture) && result == Success;
  return waits ? device.queue.synchronize(stream) : result;
}

} // namespace

CNN_DRIVER cuDriverGetVersion(int *version) {
  *version = Device::get().settings.faults.driverVersion;
  return Success;
}

CNN_DRIVER cuInit(unsigned) {
  Device &device = Device::get();
  const Faults &faults = device.settings.faults;
  Result result = faults.init != Success ? faults.init : faults.devices ? Success : NoDevice;
  device.initialized = result == Success;
  return result;
}

CNN_DRIVER cuDeviceGetCount(int *count) {
  return call("cuDeviceGetCount", [&](Device &device) {
    *count = device.settings.faults.devices;
    return Success;
  });
}

CNN_DRIVER cuDeviceGet(int *handle, int ordinal) {
  return call("cuDeviceGet", [&](Device &device) {
    *handle = ordinal;
    return ordinal >= 0 && ordinal < device.settings.faults.devices ? Success : InvalidDevice;
  });
}

CNN_DRIVER cuDeviceGetName(char *name, int length, int) {
  return call("cuDeviceGetName", [&](Device &) {
    std::snprintf(name, length, "emulated GPU");
    return Success;
  });
}

CNN_DRIVER cuDeviceGetAttribute(int *value, int number, int) {
  return call("cuDeviceGetAttribute",
              [&](Device &device) { return attribute(number, device.settings.faults, *value); });
}

CNN_DRIVER cuDeviceTotalMem_v2(size_t *bytes, int) {
  return call("cuDeviceTotalMem", [&](Device &device) {
    *bytes = device.memory.capacity();
    return Success;
  });
}

CNN_DRIVER cuDevicePrimaryCtxRetain(void **context, int) {
  return call("cuDevicePrimaryCtxRetain", [&](Device &device) {
    *context = &device;
    return Success;
  });
}

CNN_DRIVER cuDevicePrimaryCtxRelease_v2(int) {
  return call("cuDevicePrimaryCtxRelease", [](Device &) { return Success; });
}

CNN_DRIVER cuCtxSetCurrent(void *context) {
  return call("cuCtxSetCurrent", [&](Device &device) {
    return !context || context == &device ? Success : InvalidContext;
  });
}

CNN_DRIVER cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  return call("cuMemAlloc " + std::to_string(bytes), [&](Device &device) {
    Result result = device.queue.forbidInCapture();
    return result ? result : device.memory.allocate(bytes, *address);
  });
}

CNN_DRIVER cuMemFree_v2(uint64_t address) {
  return call("cuMemFree", [&](Device &device) {
    // The driver waits for the device first.
    Result result = device.queue.synchronize(static_cast<Stream *>(nullptr));
    return result ? result : device.memory.release(address);
  });
}

CNN_DRIVER cuMemGetInfo_v2(size_t *available, size_t *total) {
  return call("cuMemGetInfo", [&](Device &device) {
    *available = device.memory.available();
    *total = device.memory.capacity();
    return Success;
  });
}

CNN_DRIVER cuMemHostAlloc(void **data, size_t bytes, unsigned) {
  return call("cuMemHostAlloc " + std::to_string(bytes), [&](Device &device) {
    Result result = device.queue.forbidInCapture();
    return result ? result : device.memory.allocateHost(bytes, *data);
  });
}

CNN_DRIVER cuMemFreeHost(void *data) {
  return call("cuMemFreeHost", [&](Device &device) {
    Result result = device.queue.synchronize(static_cast<Stream *>(nullptr));
    return result ? result : device.memory.releaseHost(data);
  });
}

CNN_DRIVER cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, Stream *stream) {
  return call("cuMemcpyHtoDAsync " + std::to_string(bytes),
              [&](Device &device) { return copyToDevice(device, to, from, bytes, stream); });
}

CNN_DRIVER cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, Stream *stream) {
  return call("cuMemcpyDtoHAsync " + std::to_string(bytes),
              [&](Device &device) { return copyToHost(device, to, from, bytes, stream); });
}

CNN_DRIVER cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, Stream *stream) {
  return call("cuMemcpyDtoDAsync " + std::to_string(bytes), [&](Device &device) -> Result {
    if (!device.memory.find(to, bytes) || !device.memory.find(from, bytes))
      return InvalidValue;
    return device.queue.add(stream, [&device, to, from, bytes] {
      std::memmove(reinterpret_cast<void *>(to), reinterpret_cast<void *>(from), bytes);
      device.memory.markWritten(to, bytes);
      return Success;
    });
  });
}

CNN_DRIVER cuMemsetD32Async(uint64_t to, unsigned value, size_t count, Stream *stream) {
  return call("cuMemsetD32Async " + std::to_string(count), [&](Device &device) -> Result {
    if (to % 4 != 0 || !device.memory.find(to, 4 * count))
      return InvalidValue;
    return device.queue.add(stream, [&device, to, value, count] {
      std::fill_n(reinterpret_cast<uint32_t *>(to), count, value);
      device.memory.markWritten(to, 4 * count);
      return Success;
    });
  });
}

CNN_DRIVER cuModuleLoadDataEx(Module **module, const void *image, unsigned count, int *options,
                              void **values) {
  return call("cuModuleLoadDataEx", [&](Device &device) -> Result {
    std::string log;
    Result result = device.load(static_cast<const char *>(image), *module, log);
    char *buffer = nullptr;
    size_t size = 0;
    for (unsigned i = 0; i < count; ++i) {
      if (options[i] == 5) // JIT_ERROR_LOG_BUFFER
        buffer = static_cast<char *>(values[i]);
      else if (options[i] == 6) // JIT_ERROR_LOG_BUFFER_SIZE_BYTES
        size = reinterpret_cast<uintptr_t>(values[i]);
    }
    if (buffer && size)
      std::snprintf(buffer, size, "%s", log.c_str());
    return result;
  });
}

CNN_DRIVER cuModuleUnload(Module *module) {
  return call("cuModuleUnload", [&](Device &device) { return device.unload(module); });
}

CNN_DRIVER cuModuleGetFunction(Function **function, Module *module, const char *name) {
  return call("cuModuleGetFunction " + std::string(name), [&](Device &device) {
    return module ? device.function(module, name, *function) : InvalidHandle;
  });
}

CNN_DRIVER cuFuncGetAttribute(int *value, int number, Function *function) {
  return call("cuFuncGetAttribute", [&](Device &device) -> Result {
    switch (number) {
    case 0: // MAX_THREADS_PER_BLOCK
      *value = function->kernel->maxThreads;
      return Success;
    case 1: // SHARED_SIZE_BYTES
      *value = function->kernel->staticShared;
      return Success;
    case 2: // CONST_SIZE_BYTES
    case 3: // LOCAL_SIZE_BYTES
    case 4: // NUM_REGS: none here
      *value = 0;
      return Success;
    case 6: // BINARY_VERSION
      *value = device.settings.faults.capability;
      return Success;
    case 8: // MAX_DYNAMIC_SHARED_SIZE_BYTES
      *value = function->maxDynamicShared;
      return Success;
    default:
      return InvalidValue;
    }
  });
}

CNN_DRIVER cuFuncSetAttribute(Function *function, int number, int value) {
  return call("cuFuncSetAttribute", [&](Device &) -> Result {
    if (number != 8 || value < 0 ||
        value + function->kernel->staticShared > Device::maxSharedPerBlock)
      return InvalidValue;
    function->maxDynamicShared = value;
    return Success;
  });
}

CNN_DRIVER cuLaunchKernel(Function *function, unsigned gridX, unsigned gridY, unsigned gridZ,
                          unsigned blockX, unsigned blockY, unsigned blockZ, unsigned shared,
                          Stream *stream, void **arguments, void **extra) {
  return call("cuLaunchKernel " + (function ? function->kernel->name : "null"),
              [&](Device &device) -> Result {
                if (!function || extra)
                  return InvalidValue;
                Launch launch;
                launch.grid = {gridX, gridY, gridZ};
                launch.block = {blockX, blockY, blockZ};
                launch.dynamicShared = shared;
                const auto &parameters = function->kernel->parameters;
                for (size_t i = 0; i < parameters.size(); ++i) {
                  // Read now: the caller may change them.
                  launch.arguments.push_back(0);
                  std::memcpy(&launch.arguments.back(), arguments[i], parameters[i].bytes);
                }
                return device.launch(*function, std::move(launch), stream);
              });
}

CNN_DRIVER cuGetErrorName(int code, const char **text) {
  const char *rest = nullptr;
  *text = nullptr;
  return describe(Result(code), *text, rest) ? Success : InvalidValue;
}

CNN_DRIVER cuGetErrorString(int code, const char **text) {
  const char *rest = nullptr;
  *text = nullptr;
  return describe(Result(code), rest, *text) ? Success : InvalidValue;
}
