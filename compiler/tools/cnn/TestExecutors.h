// What computes the pieces of tests: compiled code, or the slow reference.
#ifndef CNNC_COMPILER_TOOLS_CNN_TESTEXECUTORS_H
#define CNNC_COMPILER_TOOLS_CNN_TESTEXECUTORS_H

#include "compiler/tools/cnn/TestRun.h"
#include "runtime/device/Device.h"

#include <memory>

namespace cnn::tool {

/// Compiles the pieces of `program` and loads them; `name` names the module. Parameters start from
/// seed 0. nullptr when that failed, which has been reported.
std::unique_ptr<TestExecutor> compileTest(const TestProgram &program, const std::string &name,
                                          Device &device, Diagnostics &diagnostics);

/// Evaluates the pieces of `program` by the reference, from the same first parameters.
std::unique_ptr<TestExecutor> interpretTest(const TestProgram &program, const std::string &name,
                                            Diagnostics &diagnostics);

} // namespace cnn::tool

#endif
