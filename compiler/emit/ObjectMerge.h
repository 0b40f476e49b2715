// Several relocatable ELF files to one, as `ld -r` does, for the objects that Codegen.cpp makes.
#ifndef CNNC_COMPILER_EMIT_OBJECT_MERGE_H
#define CNNC_COMPILER_EMIT_OBJECT_MERGE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace cnn {

/// Sections of one name, type and flags are laid one behind the other in the order of `objects`;
/// names that one object leaves undefined are bound to another's; hidden symbols become local, so
/// that two compiled nets can be linked into one program. 64-bit little-endian objects with
/// explicit addends only (x86-64, AArch64), without groups and common symbols. Fails when a symbol
/// is defined twice or an object has another form.
llvm::Expected<std::string> mergeObjects(llvm::ArrayRef<llvm::StringRef> objects);

} // namespace cnn

#endif // CNNC_COMPILER_EMIT_OBJECT_MERGE_H
