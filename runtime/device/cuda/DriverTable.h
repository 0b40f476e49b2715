// The entry points of NVIDIA's driver that the runtime calls, with the types and numbers that its
// interface fixes, written down here so that neither building nor linking needs CUDA. Names with
// _v2 are the ones that the driver's library exports since long; cuGraphInstantiateWithFlags is the
// youngest (CUDA 11.4).
#ifndef CNNC_RUNTIME_DEVICE_CUDA_DRIVERTABLE_H
#define CNNC_RUNTIME_DEVICE_CUDA_DRIVERTABLE_H

#include <cstddef>
#include <cstdint>

namespace cnn::cuda {

using Code = int;         // 0 is success
using DeviceNumber = int; // a handle, not the position in the list
using Pointer = uint64_t; // an address in the memory of a GPU
using Context = struct ContextHandle *;
using Stream = struct StreamHandle *;
using Event = struct EventHandle *;
using Module = struct ModuleHandle *;
using Function = struct FunctionHandle *;
using Graph = struct GraphHandle *;
using GraphExec = struct GraphExecHandle *;

enum : Code {
  success = 0,
  outOfMemory = 2,
  deinitialized = 4,
  stubLibrary = 34,
  deviceUnavailable = 46,
  noDevice = 100,
  invalidDevice = 101,
  uncorrectableMemory = 214,
  uncorrectableLink = 220,
  launchFailed = 719, // in the middle of a kernel, or the GPU no longer answers
  unknownError = 999
};

enum DeviceAttribute {
  multiprocessors = 16,
  capabilityMajor = 75,
  capabilityMinor = 76,
  sharedMemoryOptIn = 97 // the most that a block may ask for
};
enum FunctionAttribute { mostThreadsPerBlock = 0, staticShared = 1, mostDynamicShared = 8 };
enum JitOption { errorLogBuffer = 5, errorLogBytes = 6 };
enum { nonBlockingStream = 1, eventWithoutTiming = 2, captureOfThread = 1 };

// X(name, parameters): all return a Code.
#define CNN_CUDA_ENTRY_POINTS(X)                                                                   \
  X(cuInit, (unsigned flags))                                                                      \
  X(cuDriverGetVersion, (int *version))                                                            \
  X(cuGetErrorName, (Code code, const char **name))                                                \
  X(cuGetErrorString, (Code code, const char **text))                                              \
  X(cuDeviceGetCount, (int *count))                                                                \
  X(cuDeviceGet, (DeviceNumber * device, int ordinal))                                             \
  X(cuDeviceGetName, (char *name, int bytes, DeviceNumber device))                                 \
  X(cuDeviceGetAttribute, (int *value, int attribute, DeviceNumber device))                        \
  X(cuDeviceTotalMem_v2, (size_t *bytes, DeviceNumber device))                                     \
  X(cuDevicePrimaryCtxRetain, (Context * context, DeviceNumber device))                            \
  X(cuDevicePrimaryCtxRelease_v2, (DeviceNumber device))                                           \
  X(cuCtxSetCurrent, (Context context))                                                            \
  X(cuMemGetInfo_v2, (size_t *free, size_t *total))                                                \
  X(cuMemAlloc_v2, (Pointer * memory, size_t bytes))                                               \
  X(cuMemFree_v2, (Pointer memory))                                                                \
  X(cuMemHostAlloc, (void **memory, size_t bytes, unsigned flags))                                 \
  X(cuMemFreeHost, (void *memory))                                                                 \
  X(cuMemcpyHtoDAsync_v2, (Pointer to, const void *from, size_t bytes, Stream stream))             \
  X(cuMemcpyDtoHAsync_v2, (void *to, Pointer from, size_t bytes, Stream stream))                   \
  X(cuMemsetD32Async, (Pointer to, unsigned value, size_t words, Stream stream))                   \
  X(cuStreamCreate, (Stream * stream, unsigned flags))                                             \
  X(cuStreamDestroy_v2, (Stream stream))                                                           \
  X(cuStreamSynchronize, (Stream stream))                                                          \
  X(cuStreamWaitEvent, (Stream stream, Event event, unsigned flags))                               \
  X(cuEventCreate, (Event * event, unsigned flags))                                                \
  X(cuEventDestroy_v2, (Event event))                                                              \
  X(cuEventRecord, (Event event, Stream stream))                                                   \
  X(cuEventElapsedTime, (float *milliseconds, Event from, Event to))                               \
  X(cuModuleLoadDataEx,                                                                            \
    (Module * module, const void *image, unsigned options, int *names, void **values))             \
  X(cuModuleUnload, (Module module))                                                               \
  X(cuModuleGetFunction, (Function * function, Module module, const char *name))                   \
  X(cuFuncGetAttribute, (int *value, int attribute, Function function))                            \
  X(cuFuncSetAttribute, (Function function, int attribute, int value))                             \
  X(cuLaunchKernel, (Function function, unsigned gridX, unsigned gridY, unsigned gridZ,            \
                     unsigned blockX, unsigned blockY, unsigned blockZ, unsigned shared,           \
                     Stream stream, void **arguments, void **extra))                               \
  X(cuStreamBeginCapture_v2, (Stream stream, int mode))                                            \
  X(cuStreamEndCapture, (Stream stream, Graph * graph))                                            \
  X(cuGraphInstantiateWithFlags, (GraphExec * exec, Graph graph, unsigned long long flags))        \
  X(cuGraphLaunch, (GraphExec exec, Stream stream))                                                \
  X(cuGraphDestroy, (Graph graph))                                                                 \
  X(cuGraphExecDestroy, (GraphExec exec))

struct DriverTable {
#define CNN_CUDA_MEMBER(name, parameters) Code(*name) parameters = nullptr;
  CNN_CUDA_ENTRY_POINTS(CNN_CUDA_MEMBER)
#undef CNN_CUDA_MEMBER
};

} // namespace cnn::cuda

#endif
