// What cnnc reads: a net of a .cnn file, or a module of any phase.
#ifndef CNNC_COMPILER_TOOLS_CNNC_INPUT_H
#define CNNC_COMPILER_TOOLS_CNNC_INPUT_H

#include "compiler/frontend/Diagnostics.h"
#include "compiler/tools/cnnc/Options.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace cnn::tool {

struct Input {
  /// Null where only the syntax tree was asked for.
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// The syntax tree as text; empty for a dump.
  std::string tree;
};

/// Reads `options.input`. An empty message in the error: `diagnostics` has reported it.
llvm::Expected<Input> readInput(mlir::MLIRContext &context, const Options &options,
                                Diagnostics &diagnostics);

} // namespace cnn::tool

#endif // CNNC_COMPILER_TOOLS_CNNC_INPUT_H
