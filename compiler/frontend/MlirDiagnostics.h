// Sends the diagnostics of verifiers and passes to the one engine, so that they point into the .cnn
// file that the operation came from.
#ifndef CNNC_COMPILER_FRONTEND_MLIRDIAGNOSTICS_H
#define CNNC_COMPILER_FRONTEND_MLIRDIAGNOSTICS_H

#include "compiler/frontend/Diagnostics.h"
#include "mlir/IR/Diagnostics.h"

namespace cnn {

/// While it lives, errors of the context go to `diagnostics`: located at the file, line and column
/// of the operation, with the name of its layer, attached notes as notes. Warnings and remarks are
/// printed to `remarks` when that is given, as one line each.
class MlirDiagnostics : public mlir::ScopedDiagnosticHandler {
public:
  MlirDiagnostics(mlir::MLIRContext *context, Diagnostics &diagnostics,
                  llvm::raw_ostream *remarks = nullptr);

private:
  mlir::LogicalResult handle(mlir::Diagnostic &diagnostic);

  Diagnostics &diagnostics;
  llvm::raw_ostream *remarks;
};

} // namespace cnn

#endif // CNNC_COMPILER_FRONTEND_MLIRDIAGNOSTICS_H
