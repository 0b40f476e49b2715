// The command line of cnnc, checked.
#ifndef CNNC_COMPILER_TOOLS_CNNC_OPTIONS_H
#define CNNC_COMPILER_TOOLS_CNNC_OPTIONS_H

#include "compiler/pipelines/Phases.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace cnn::tool {

struct Options {
  std::string input;  ///< a file, or "-"
  std::string output; ///< a file, "-", or empty: nothing is written but the dumps
  std::string net;
  std::string recipe;
  int64_t batch = 0;
  std::string element;
  /// How far to compile; `isEmitAsked`: it was asked for.
  Phase emit = Phase::Obj;
  bool isEmitAsked = false, isOutputAsked = false;
  bool verbose = false; ///< what machine code needs of a GPU is printed
  std::string weights;
  bool weightsBeside = false;
  bool tune = false;
  int64_t tuneSeconds = 60;          ///< when to stop trying
  std::vector<std::string> settings; ///< as given, for the front end
  PhaseOptions phases;
};

/// Chooses what was not asked for as it is for such a target: the phase and the name of the output.
/// Fails where it would destroy what is read.
llvm::Error setDefaults(Options &options, TargetKind target);

/// Prints help or version and exits where those are asked for.
llvm::Expected<Options> parseOptions(int argc, char **argv);

} // namespace cnn::tool

#endif // CNNC_COMPILER_TOOLS_CNNC_OPTIONS_H
