// The object file as a C program sees it: one function `<net>_predict` that needs nothing but its
// arguments, weights inside the object or beside it, and the header that declares both. In: the
// manifest; out: LLVM IR for Codegen.h and the text of `<net>.h`.
#ifndef CNNC_COMPILER_EMIT_C_WRAPPER_H
#define CNNC_COMPILER_EMIT_C_WRAPPER_H

#include "compiler/emit/Codegen.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace cnn {

struct CInterfaceOptions {
  /// The content of the net's state, as the manifest lays it out; empty: the caller passes it.
  std::string weights;
  /// The file beside the object that holds the weights, for the header's comment; may be empty.
  std::string weightsFile;
  /// The header's file name, for its guard and its comment.
  std::string headerName;
};

/// The functions and constants of the C interface. Empty when the net has no entry `infer`.
llvm::Expected<std::vector<IrBuilder>> buildCInterface(llvm::StringRef manifest,
                                                       const CInterfaceOptions &options);

/// The header.
llvm::Expected<std::string> buildCHeader(llvm::StringRef manifest,
                                         const CInterfaceOptions &options);

} // namespace cnn

#endif // CNNC_COMPILER_EMIT_C_WRAPPER_H
