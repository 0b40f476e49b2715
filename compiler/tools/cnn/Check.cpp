// cnn check FILE...: the mistakes of files, and nothing else.
#include "compiler/frontend/Frontend.h"
#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/Options.h"
#include "llvm/Support/raw_ostream.h"

namespace cnn::tool {

int runCheck() {
  int result = exitSuccess;
  for (const std::string &path : files) {
    Diagnostics diagnostics(&llvm::errs());
    std::unique_ptr<Frontend> program = Frontend::open(path, {}, diagnostics);
    if (!program || !program->check())
      result = exitFailure;
  }
  return result;
}

} // namespace cnn::tool
