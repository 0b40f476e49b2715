// A net of the file in memory, ready to be called: what every subcommand that computes starts with.
#ifndef CNNC_COMPILER_TOOLS_CNN_OPENNET_H
#define CNNC_COMPILER_TOOLS_CNN_OPENNET_H

#include "compiler/tools/cnn/Program.h"
#include "runtime/data/Weights.h"
#include "runtime/task/ThreadPool.h"
#include "runtime/train/Session.h"

#include <memory>
#include <optional>

namespace cnn::tool {

struct OpenNet {
  std::unique_ptr<ThreadPool> pool; ///< of --threads; the session computes on it
  std::unique_ptr<Session> session;
  double compileSeconds = 0; ///< from the parsed file to loaded code
  bool fromCache = false;
  WeightMapping weights; ///< where they were loaded
};

/// Makes the thread pool, compiles what `request` asks for, and makes its buffers; the state is
/// zero. Prints what is wrong, and then returns nothing.
std::optional<OpenNet> openNet(Program &program, const CompileRequest &request);

/// The same with the weights of --weights, which must be of this net.
std::optional<OpenNet> openTrainedNet(Program &program, const CompileRequest &request);

} // namespace cnn::tool

#endif
