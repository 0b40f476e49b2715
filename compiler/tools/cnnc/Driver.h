// What cnnc does: reads, runs the phases, writes the result and what belongs to it.
#ifndef CNNC_COMPILER_TOOLS_CNNC_DRIVER_H
#define CNNC_COMPILER_TOOLS_CNNC_DRIVER_H

#include "compiler/tools/cnnc/Options.h"
#include "llvm/Support/Error.h"

namespace cnn::tool {

/// An empty message in the error: it has been reported.
llvm::Error run(const Options &options);

} // namespace cnn::tool

#endif // CNNC_COMPILER_TOOLS_CNNC_DRIVER_H
