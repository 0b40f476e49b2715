// `cnn`: trains, evaluates, explains and measures the nets of .cnn files. One file per subcommand;
// Options.cpp has the command line, Program.cpp what all of them do with a file.
#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/Options.h"

using namespace cnn::tool;

int main(int argc, char **argv) {
  parseOptions(argc, argv);
  const struct {
    llvm::cl::SubCommand &command;
    int (*run)();
  } commands[] = {{trainCommand, runTrain},     {evalCommand, runEval},
                  {predictCommand, runPredict}, {summaryCommand, runSummary},
                  {checkCommand, runCheck},     {testCommand, runTest},
                  {timeCommand, runTime}};
  setProgramName(argv[0]);
  for (const auto &[command, run] : commands)
    if (command)
      return run();
  return fail("no command given\n  hint: cnn --help lists them");
}
