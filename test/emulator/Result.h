// The driver's result codes that the stand-in returns, with the driver's names and texts.
#ifndef CNNC_TEST_EMULATOR_RESULT_H
#define CNNC_TEST_EMULATOR_RESULT_H

namespace cnn::emulator {

/// CUresult, as numbered by the driver.
enum Result : int {
  Success = 0,
  InvalidValue = 1,
  OutOfMemory = 2,
  NotInitialized = 3,
  NoDevice = 100,
  InvalidDevice = 101,
  InvalidContext = 201,
  NoBinaryForGpu = 209,
  InvalidPtx = 218,
  UnsupportedPtxVersion = 222,
  FileNotFound = 301,
  InvalidHandle = 400,
  NotFound = 500,
  NotReady = 600,
  IllegalAddress = 700,
  LaunchOutOfResources = 701,
  LaunchTimeout = 702,
  MisalignedAddress = 716,
  LaunchFailed = 719,
  CaptureUnsupported = 900,
  CaptureInvalidated = 901,
  CaptureUnmatched = 903,
  CaptureUnjoined = 904,
  Unknown = 999,
};

/// The name (CUDA_ERROR_...) and the text of a code; false when the code is none of the above.
bool describe(Result code, const char *&name, const char *&text);

} // namespace cnn::emulator

#endif
