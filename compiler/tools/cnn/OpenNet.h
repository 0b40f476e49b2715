// A net of the file in memory, ready to be called: what every subcommand that computes starts with.
#ifndef CNNC_COMPILER_TOOLS_CNN_OPENNET_H
#define CNNC_COMPILER_TOOLS_CNN_OPENNET_H

#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/Program.h"
#include "runtime/data/Weights.h"
#include "runtime/train/Session.h"

#include <memory>
#include <optional>

namespace cnn::tool {

struct OpenNet {
  OpenDevice chosen; ///< where the session computes
  std::unique_ptr<Session> session;
  double compileSeconds = 0; ///< from the parsed file to loaded code
  bool fromCache = false;
  WeightMapping weights; ///< where they were loaded
};

/// Which net weights are for, and what to compile of it.
struct TrainedNet {
  CompileRequest request; ///< `infer` for one image
  std::optional<RecipeInfo> recipe;
};

/// What training noted in the weight file; a file from elsewhere has none of it.
std::string noted(const Safetensors &weights, const char *key);

/// The net of --net, else the one that the weights are of, with the hyperparameters of the recipe
/// that they were trained by where the file has it. Prints what is wrong, and then returns nothing.
std::optional<TrainedNet> chooseNet(Program &program, const Safetensors &weights);

/// Opens the device of --device, compiles for it what `request` asks for, and makes its buffers;
/// the state is zero. Prints what is wrong, and then returns nothing.
std::optional<OpenNet> openNet(Program &program, const CompileRequest &request);

/// The same with the weights of --weights, which must be of this net.
std::optional<OpenNet> openTrainedNet(Program &program, const CompileRequest &request);

} // namespace cnn::tool

#endif
