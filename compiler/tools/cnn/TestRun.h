// Runs the program of a test (compiler/frontend/TestProgram.h): calls its pieces through an
// executor, prints, compares, loops.
#ifndef CNNC_COMPILER_TOOLS_CNN_TESTRUN_H
#define CNNC_COMPILER_TOOLS_CNN_TESTRUN_H

#include "compiler/frontend/Diagnostics.h"
#include "compiler/frontend/TestProgram.h"

#include <vector>

namespace cnn::tool {

/// Computes the pieces of one test.
class TestExecutor {
public:
  virtual ~TestExecutor() = default;
  /// Runs piece `index`: reads its inputs in `tensors` (by the numbers of the test's graph,
  /// row-major) and writes its outputs there. False when that failed, which has been reported.
  virtual bool run(unsigned index, std::vector<std::vector<double>> &tensors) = 0;
};

/// Runs `program`. What it prints goes to `out`; the first thing that is not as expected is an
/// error of `diagnostics`, and ends the test. Returns whether all was as expected.
bool runTestProgram(const TestProgram &program, TestExecutor &executor, llvm::raw_ostream &out,
                    Diagnostics &diagnostics);

} // namespace cnn::tool

#endif
