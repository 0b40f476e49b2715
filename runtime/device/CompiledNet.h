// A compiled net, loaded into this process: what it says about itself and its code. The compiler
// makes one (compiler/pipelines), tests write one by hand, a Device runs it.
#ifndef CNNC_RUNTIME_DEVICE_COMPILEDNET_H
#define CNNC_RUNTIME_DEVICE_COMPILEDNET_H

#include "runtime/abi/cnn_abi.h"
#include "runtime/core/Manifest.h"

#include <functional>
#include <string>
#include <string_view>

namespace cnn {

struct CompiledNet {
  Manifest manifest;
  /// The function called `symbol`, or null. The code lives as long as this object does. Of nets
  /// compiled for the CPU.
  std::function<cnn_entry(std::string_view symbol)> lookup;
  /// The kernels, as text. Of nets compiled for NVIDIA's GPUs.
  std::string ptx;
};

} // namespace cnn

#endif
