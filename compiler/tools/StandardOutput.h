// Standard output of the tools at the end of the process, where nobody is left to look at it.
#ifndef CNNC_COMPILER_TOOLS_STANDARDOUTPUT_H
#define CNNC_COMPILER_TOOLS_STANDARDOUTPUT_H

#include "llvm/Support/raw_ostream.h"

#include <cstdlib>
#include <string>
#include <unistd.h>

namespace cnn::tool {

/// From now on, text that cannot be printed when the process ends, such as that of --help on a full
/// disk, is an error of this program, with `prefix` before it, and status 1.
inline void guardStandardOutput(const std::string &prefix) {
  static std::string before = prefix;
  // Made before the handler is registered, so that it is destroyed after the handler has run.
  llvm::outs();
  llvm::errs();
  std::atexit([] {
    llvm::raw_fd_ostream &out = llvm::outs();
    out.flush();
    if (!out.has_error())
      return;
    std::string reason = out.error().message();
    out.clear_error();
    llvm::errs() << before << "error: standard output: cannot write: " << reason << "\n";
    _exit(1);
  });
}

} // namespace cnn::tool

#endif
