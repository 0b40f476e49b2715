// The subcommands of `cnn` and every option of theirs: what `cnn COMMAND --help` lists.
#ifndef CNNC_COMPILER_TOOLS_CNN_OPTIONS_H
#define CNNC_COMPILER_TOOLS_CNN_OPTIONS_H

#include "compiler/tools/NumberOption.h"
#include "llvm/Support/CommandLine.h"

#include <string>

namespace cnn::tool {

/// Exit codes of `cnn`, documented in its --help.
enum ExitCode {
  exitSuccess = 0,
  exitFailure = 1,      ///< wrong input, a file that cannot be read or written, wrong options
  exitNonFinite = 2,    ///< training stopped before an update that was not finite
  exitInterrupted = 130 ///< training was interrupted and wrote a checkpoint
};

extern llvm::cl::SubCommand trainCommand, evalCommand, predictCommand, summaryCommand, checkCommand,
    testCommand, timeCommand, convertCommand, layersCommand, devicesCommand;

// Each is valid in the subcommands that Options.cpp lists with it.
extern llvm::cl::opt<std::string> file;
extern llvm::cl::list<std::string> files, names;
extern llvm::cl::opt<std::string> recipeName;
extern llvm::cl::list<std::string> inputs;
extern llvm::cl::opt<std::string> output, dataDir, initPath, resumePath, logPath, weightsPath;
extern llvm::cl::opt<std::string> netName, deviceName, gpuModel;
extern NumberOption epochs, seed, threads, depth, top, batch;
extern llvm::cl::opt<double> seconds;
extern llvm::cl::list<std::string> settings;
extern llvm::cl::opt<bool> json, reference, noCache, layers, layerErrors, numbered;

enum class TimeMode { Infer, Train };
extern llvm::cl::opt<TimeMode> timeMode;

/// Reads the command line; prints help or what is wrong, and exits, where that is asked for.
void parseOptions(int argc, char **argv);

/// What the command lacks and how it is called; empty where nothing is missing.
std::string findMissing();

} // namespace cnn::tool

#endif
