// The pieces of a test -> module of phase `grad`: one entry point per piece, gradients built. Next:
// compiler/transforms (Decompose), or the slow evaluation of compiler/reference.
#ifndef CNNC_COMPILER_FRONTEND_EMITTEST_H
#define CNNC_COMPILER_FRONTEND_EMITTEST_H

#include "compiler/frontend/TestProgram.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace cnn {

class Diagnostics;

/// The entry point of piece `index`: "part0".
std::string entryOfPiece(unsigned index);
/// How inputs and outputs of entry points call tensor `index` of the test: "t7".
std::string nameOfTensor(unsigned index);

/// Emits the pieces that have outputs, in the element type "f32" or "f64", as module `name`. The
/// arguments and results of an entry are the piece's inputs and outputs in their whole shapes.
/// nullptr when something was wrong, which `diagnostics` was told.
mlir::OwningOpRef<mlir::ModuleOp> emitTest(mlir::MLIRContext &context, const TestProgram &program,
                                           llvm::ArrayRef<TestPiece> pieces, llvm::StringRef name,
                                           llvm::StringRef elementType, Diagnostics &diagnostics);

} // namespace cnn

#endif // CNNC_COMPILER_FRONTEND_EMITTEST_H
