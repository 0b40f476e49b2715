// The one part of Program that needs MLIR.
#ifndef CNNC_COMPILER_TOOLS_CNN_PROGRAMCOMPILE_H
#define CNNC_COMPILER_TOOLS_CNN_PROGRAMCOMPILE_H

#include "compiler/frontend/Frontend.h"
#include "compiler/tools/cnn/Program.h"

namespace cnn::tool {

/// Compiles what `request` asks for, with the `schedule.` settings of --set; nothing when something
/// was wrong, which has been printed.
std::optional<Compilation> compileNet(Frontend &frontend, Diagnostics &diagnostics,
                                      const CompileRequest &request);

/// Program::errors.
std::optional<std::map<std::string, double>>
measureNetErrors(Frontend &frontend, Diagnostics &diagnostics, const CompileRequest &request,
                 const std::map<std::string, std::string> &algorithms, Device &cpu);

/// Whether the `schedule.` settings of --set mean something for this net, trained by `recipe` or,
/// if that is null, not at all. False when something was wrong, which has been printed.
bool checkSchedule(const Graph &graph, const Recipe *recipe, Diagnostics &diagnostics);

} // namespace cnn::tool

#endif
