// The slow reference: evaluates the functions of a module of phase `grad` in double, each operation
// by its loop nest, point by point. It shares the operations' definitions (dialect/) with the
// compiler, and nothing else: no fusion, schedule, layout, memory plan or code generation.
#ifndef CNNC_COMPILER_REFERENCE_REFERENCE_H
#define CNNC_COMPILER_REFERENCE_REFERENCE_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"

#include <vector>

namespace cnn {

/// The elements of a tensor in row-major order; integers as numbers, too.
using ReferenceTensor = std::vector<double>;

/// Calls the function `name` of `module` with `arguments`; `state` holds the parameters by name.
/// The results come in order, and what the function writes to the next state in `written`, if that
/// is given. Fails with an error at an operation that cannot be evaluated. An operation that
/// decomposes is replaced by its parts in `module`, so that this is done once.
mlir::FailureOr<std::vector<ReferenceTensor>>
evaluateReference(mlir::ModuleOp module, llvm::StringRef name,
                  llvm::ArrayRef<ReferenceTensor> arguments,
                  const llvm::StringMap<ReferenceTensor> &state,
                  llvm::StringMap<ReferenceTensor> *written = nullptr);

} // namespace cnn

#endif // CNNC_COMPILER_REFERENCE_REFERENCE_H
