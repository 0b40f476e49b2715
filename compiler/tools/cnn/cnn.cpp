// `cnn`: trains, evaluates, explains and measures the nets of .cnn files. One file per subcommand;
// Options.cpp has the command line, Program.cpp what all of them do with a file.
#include "compiler/tools/StandardOutput.h"
#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/Options.h"

#include "llvm/Support/raw_ostream.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

using namespace cnn::tool;

/// Results that could not be printed, as into a file on a full disk, are no success.
static int checkPrinted(int code) {
  llvm::raw_fd_ostream &out = llvm::outs();
  out.flush();
  std::string reason = out.error() ? out.error().message() : "";
  // An error that is still set when the process ends would abort it.
  out.clear_error();
  errno = 0;
  if (std::fflush(stdout) != 0 || std::ferror(stdout))
    reason = std::strerror(errno ? errno : EIO);
  if (reason.empty() || code != 0)
    return code;
  return fail("standard output: cannot write: " + reason);
}

int main(int argc, char **argv) {
  guardStandardOutput("");
  parseOptions(argc, argv);
  const struct {
    llvm::cl::SubCommand &command;
    int (*run)();
  } commands[] = {{trainCommand, runTrain},     {evalCommand, runEval},
                  {predictCommand, runPredict}, {summaryCommand, runSummary},
                  {checkCommand, runCheck},     {testCommand, runTest},
                  {timeCommand, runTime},       {convertCommand, runConvert},
                  {layersCommand, runLayers},   {devicesCommand, runDevices}};
  setProgramName(argv[0]);
  if (std::string missing = findMissing(); !missing.empty())
    return fail(missing);
  // Before files are read; whether there is such a device is seen when it is opened.
  if (cnn::Result<cnn::DeviceRequest> request = cnn::DeviceRequest::parse(deviceName);
      request.failed())
    return fail("--device: " + request.message());
  for (const auto &[command, run] : commands)
    if (command)
      return checkPrinted(run());
  return fail("no command given\n  hint: cnn --help lists them");
}
