// cnn test FILE... [--reference]: runs the `test` declarations of files. What they print and a line
// for each go to standard output, what is not as expected to standard error.
#include "compiler/frontend/Frontend.h"
#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/Options.h"
#include "compiler/tools/cnn/TestExecutors.h"
#include "llvm/Support/raw_ostream.h"

namespace cnn::tool {

namespace {

struct Counts {
  unsigned passed = 0, failed = 0, notRun = 0;
};

bool runOne(Frontend &frontend, const ast::TestDecl &test, unsigned index, Device &device,
            Diagnostics &diagnostics) {
  std::unique_ptr<TestProgram> program = frontend.elaborateTest(test);
  if (!program)
    return false;
  std::string name = "test" + std::to_string(index);
  std::unique_ptr<TestExecutor> executor = reference
                                               ? interpretTest(*program, name, diagnostics)
                                               : compileTest(*program, name, device, diagnostics);
  return executor && runTestProgram(*program, *executor, llvm::outs(), diagnostics);
}

/// Runs the tests of one file. False when it could not be read.
bool runFile(const std::string &path, Device &device, Counts &counts) {
  Diagnostics fileErrors(&llvm::errs());
  std::unique_ptr<Frontend> frontend = Frontend::open(path, settings, fileErrors);
  if (!frontend || !frontend->checkConstants())
    return false;
  unsigned index = 0;
  for (const ast::Decl *declaration : frontend->file().declarations) {
    auto *test = llvm::dyn_cast<ast::TestDecl>(declaration);
    if (!test)
      continue;
    // What it would say could not be shown.
    if (fileErrors.full()) {
      ++counts.notRun;
      continue;
    }
    SourcePosition place = fileErrors.position(test->range.Start);
    unsigned before = fileErrors.errorCount();
    bool passed = runOne(*frontend, *test, ++index, device, fileErrors);
    passed &= fileErrors.errorCount() == before;
    ++(passed ? counts.passed : counts.failed);
    llvm::outs() << (passed ? "pass  " : "FAIL  ") << path << ":" << place.line << "  "
                 << frontend->titleOf(*test) << "\n";
    llvm::outs().flush();
  }
  if (!index && !fileErrors.full())
    llvm::outs() << path << ": no tests\n";
  return true;
}

} // namespace

int runTest() {
  if (reference && deviceName != "cpu")
    return fail("the reference computes on the CPU: it needs --device cpu");
  Result<OpenDevice> chosen = chooseDevice();
  if (chosen.failed())
    return fail(chosen.status());
  for (const std::string &setting : settings)
    if (isScheduleSetting(setting))
      return fail("--set " + setting + ": the schedules of tests cannot be set");
  Counts counts;
  bool readable = true;
  for (const std::string &path : files)
    readable &= runFile(path, *chosen->device, counts);
  llvm::outs() << counts.passed << (counts.passed == 1 ? " test passed" : " tests passed");
  if (counts.failed)
    llvm::outs() << ", " << counts.failed << " failed";
  if (counts.notRun)
    llvm::outs() << ", " << counts.notRun << " not run after " << Diagnostics::maxErrors
                 << " errors";
  llvm::outs() << "\n";
  return readable && !counts.failed ? exitSuccess : exitFailure;
}

} // namespace cnn::tool
