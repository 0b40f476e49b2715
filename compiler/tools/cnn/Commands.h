// What each subcommand does, and what they share beside the compiler. Each returns an ExitCode
// (Options.h) after it has printed everything, errors included.
#ifndef CNNC_COMPILER_TOOLS_CNN_COMMANDS_H
#define CNNC_COMPILER_TOOLS_CNN_COMMANDS_H

#include "runtime/core/Status.h"
#include "runtime/device/Devices.h"

#include <memory>
#include <string>
#include <vector>

namespace cnn::tool {

int runTrain();
int runEval();
int runPredict();
int runSummary();
int runCheck();
int runTest();
int runTime();
int runConvert();
int runLayers();
int runDevices();

/// As it was called (argv[0]), for commands that are printed.
void setProgramName(const std::string &name);
/// A command line of this program that a shell reads back as these arguments.
std::string commandLine(const std::vector<std::string> &arguments);
/// Adds "--set A --set B" as given to this run. Other commands compile other code, which may not
/// have the groups that `schedule.*` speaks of.
void addSettings(std::vector<std::string> &arguments, bool withSchedule);

/// Prints "error: MESSAGE" and returns exitFailure.
int fail(const std::string &message);
inline int fail(const Status &status) { return fail(status.message()); }

/// What --device says; the CPU with --threads or one thread per processor. Says why `auto` takes
/// the CPU.
Result<OpenDevice> chooseDevice();
/// The CPU, because of `reason`, which is said.
Result<OpenDevice> chooseCpu(const Status &reason);

/// `path` with the extension of its last part replaced.
std::string withExtension(const std::string &path, const std::string &extension);

} // namespace cnn::tool

#endif
