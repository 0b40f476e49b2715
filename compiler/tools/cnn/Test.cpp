// cnn test FILE...: the self-tests of files. They cannot be run yet: a file that has some is
// refused.
#include "compiler/frontend/Frontend.h"
#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/Options.h"
#include "llvm/Support/raw_ostream.h"

namespace cnn::tool {

int runTest() {
  int result = exitSuccess;
  for (const std::string &path : files) {
    Diagnostics diagnostics(&llvm::errs());
    std::unique_ptr<Frontend> program = Frontend::open(path, {}, diagnostics);
    if (!program) {
      result = exitFailure;
      continue;
    }
    unsigned nets = 0, recipes = 0;
    for (const ast::Decl *declaration : program->file().declarations) {
      nets += declaration->kind == ast::Decl::Kind::Net;
      recipes += declaration->kind == ast::Decl::Kind::Train;
      if (declaration->kind != ast::Decl::Kind::Test)
        continue;
      diagnostics.error(declaration->range, "running self-tests is not supported yet");
      result = exitFailure;
    }
    if (!diagnostics.hasErrors())
      llvm::outs() << path << ": no tests (" << nets << (nets == 1 ? " net, " : " nets, ")
                   << recipes << (recipes == 1 ? " recipe)\n" : " recipes)\n");
  }
  return result;
}

} // namespace cnn::tool
