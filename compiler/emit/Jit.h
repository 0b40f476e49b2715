// Loads an object file into this process. In: the bytes of Codegen.h or of the cache; out:
// addresses of its functions.
#ifndef CNNC_COMPILER_EMIT_JIT_H
#define CNNC_COMPILER_EMIT_JIT_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace cnn {

/// Code in memory; unloaded with this object.
class LoadedObject {
public:
  virtual ~LoadedObject() = default;
  /// The address of a global symbol, or null.
  virtual void *lookup(llvm::StringRef symbol) const = 0;
};

/// Links `object` against this process (libc, libm) and makes it executable. With CNNC_PERF=1 in
/// the environment the symbols are also written to /tmp/perf-<pid>.map, where `perf report` finds
/// the names of kernels. Fails when the object is malformed or needs a symbol that is not here.
llvm::Expected<std::unique_ptr<LoadedObject>> loadObject(llvm::StringRef object);

} // namespace cnn

#endif // CNNC_COMPILER_EMIT_JIT_H
