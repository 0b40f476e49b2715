// Holds what the runtime wrote down of the driver's interface (runtime/device/cuda/DriverTable.h),
// and the numbers that the stand-in answers with, to the header of a CUDA toolkit. Compiled, never
// run.
#include "runtime/device/cuda/DriverTable.h"
#include "test/emulator/Result.h"

#include <cuda.h>
#include <type_traits>

namespace {

using namespace cnn::cuda;

/// Whether an argument of type A goes where one of type B is expected: the same kind of register,
/// the same size, and behind a pointer the same again.
template <typename A, typename B> constexpr bool passesAs() {
  if constexpr (std::is_pointer_v<A> || std::is_pointer_v<B>) {
    if constexpr (!std::is_pointer_v<A> || !std::is_pointer_v<B>)
      return false;
    else {
      using P = std::remove_cv_t<std::remove_pointer_t<A>>;
      using Q = std::remove_cv_t<std::remove_pointer_t<B>>;
      if constexpr (std::is_class_v<P> && std::is_class_v<Q>)
        return true; // handles
      else
        return passesAs<P, Q>();
    }
  } else if constexpr (std::is_same_v<A, B>)
    return true;
  else
    return (std::is_integral_v<A> || std::is_enum_v<A>) &&
           (std::is_integral_v<B> || std::is_enum_v<B>) && sizeof(A) == sizeof(B);
}

template <typename A, typename B> struct Same;
template <typename... A, typename... B> struct Same<Code(A...), CUresult(B...)> {
  static constexpr bool value = [] {
    if constexpr (sizeof...(A) == sizeof...(B))
      return (passesAs<A, B>() && ...);
    return false;
  }();
};

// The header calls newer variants by the old names, so that what is compared may have another _vN;
// the test looks for the exported names.
#define CHECK(name, parameters)                                                                    \
  static_assert(Same<Code parameters, decltype(::name)>::value, "another signature: " #name);
CNN_CUDA_ENTRY_POINTS(CHECK)

static_assert(sizeof(Code) == sizeof(CUresult));
static_assert(success == int(CUDA_SUCCESS));
static_assert(outOfMemory == int(CUDA_ERROR_OUT_OF_MEMORY));
static_assert(deinitialized == int(CUDA_ERROR_DEINITIALIZED));
static_assert(stubLibrary == int(CUDA_ERROR_STUB_LIBRARY));
static_assert(deviceUnavailable == int(CUDA_ERROR_DEVICE_UNAVAILABLE));
static_assert(noDevice == int(CUDA_ERROR_NO_DEVICE));
static_assert(invalidDevice == int(CUDA_ERROR_INVALID_DEVICE));
static_assert(uncorrectableMemory == int(CUDA_ERROR_ECC_UNCORRECTABLE));
static_assert(uncorrectableLink == int(CUDA_ERROR_NVLINK_UNCORRECTABLE));
static_assert(launchFailed == int(CUDA_ERROR_LAUNCH_FAILED));
static_assert(unknownError == int(CUDA_ERROR_UNKNOWN));

static_assert(multiprocessors == int(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT));
static_assert(capabilityMajor == int(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR));
static_assert(capabilityMinor == int(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR));
static_assert(sharedMemoryOptIn == int(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN));
static_assert(mostThreadsPerBlock == int(CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK));
static_assert(staticShared == int(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES));
static_assert(mostDynamicShared == int(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES));
static_assert(errorLogBuffer == int(CU_JIT_ERROR_LOG_BUFFER));
static_assert(errorLogBytes == int(CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES));
static_assert(nonBlockingStream == int(CU_STREAM_NON_BLOCKING));
static_assert(eventWithoutTiming == int(CU_EVENT_DISABLE_TIMING));
static_assert(captureOfThread == int(CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));

// The stand-in's.
using namespace cnn::emulator;
static_assert(int(InvalidValue) == int(CUDA_ERROR_INVALID_VALUE));
static_assert(int(OutOfMemory) == int(CUDA_ERROR_OUT_OF_MEMORY));
static_assert(int(NotInitialized) == int(CUDA_ERROR_NOT_INITIALIZED));
static_assert(int(NoDevice) == int(CUDA_ERROR_NO_DEVICE));
static_assert(int(InvalidDevice) == int(CUDA_ERROR_INVALID_DEVICE));
static_assert(int(InvalidContext) == int(CUDA_ERROR_INVALID_CONTEXT));
static_assert(int(NoBinaryForGpu) == int(CUDA_ERROR_NO_BINARY_FOR_GPU));
static_assert(int(InvalidPtx) == int(CUDA_ERROR_INVALID_PTX));
static_assert(int(UnsupportedPtxVersion) == int(CUDA_ERROR_UNSUPPORTED_PTX_VERSION));
static_assert(int(FileNotFound) == int(CUDA_ERROR_FILE_NOT_FOUND));
static_assert(int(InvalidHandle) == int(CUDA_ERROR_INVALID_HANDLE));
static_assert(int(NotFound) == int(CUDA_ERROR_NOT_FOUND));
static_assert(int(NotReady) == int(CUDA_ERROR_NOT_READY));
static_assert(int(IllegalAddress) == int(CUDA_ERROR_ILLEGAL_ADDRESS));
static_assert(int(LaunchOutOfResources) == int(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES));
static_assert(int(LaunchTimeout) == int(CUDA_ERROR_LAUNCH_TIMEOUT));
static_assert(int(MisalignedAddress) == int(CUDA_ERROR_MISALIGNED_ADDRESS));
static_assert(int(LaunchFailed) == int(CUDA_ERROR_LAUNCH_FAILED));
static_assert(int(CaptureUnsupported) == int(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED));
static_assert(int(CaptureInvalidated) == int(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED));
static_assert(int(CaptureUnmatched) == int(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED));
static_assert(int(CaptureUnjoined) == int(CUDA_ERROR_STREAM_CAPTURE_UNJOINED));
static_assert(int(Unknown) == int(CUDA_ERROR_UNKNOWN));

} // namespace
