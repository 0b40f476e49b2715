// `cnnc`: compiles a net of a .cnn file, or a dump of any phase, to any later phase. Options.cpp
// has the command line, Input.cpp reads, Driver.cpp compiles and writes.
#include "compiler/tools/StandardOutput.h"
#include "compiler/tools/cnnc/Driver.h"
#include "compiler/tools/cnnc/Options.h"
#include "llvm/Support/raw_ostream.h"

int main(int argc, char **argv) {
  cnn::tool::guardStandardOutput("cnnc: ");
  llvm::Expected<cnn::tool::Options> options = cnn::tool::parseOptions(argc, argv);
  llvm::Error error = options ? cnn::tool::run(*options) : options.takeError();
  if (!error)
    return 0;
  llvm::outs().flush();
  // Empty: whatever went wrong was reported where it happened.
  std::string message = llvm::toString(std::move(error));
  if (!message.empty())
    llvm::errs() << "cnnc: error: " << message << '\n';
  return 1;
}
