// A compiled net, loaded into this process: what it says about itself and where its code is. The
// compiler makes one (compiler/pipelines), tests write one by hand, Session runs it.
#ifndef CNNC_RUNTIME_TRAIN_COMPILEDNET_H
#define CNNC_RUNTIME_TRAIN_COMPILEDNET_H

#include "runtime/abi/cnn_abi.h"
#include "runtime/core/Manifest.h"

#include <functional>
#include <string_view>

namespace cnn {

struct CompiledNet {
  Manifest manifest;
  /// The function called `symbol`, or null. The code lives as long as this object does.
  std::function<cnn_entry(std::string_view symbol)> lookup;
};

} // namespace cnn

#endif
