// What code is generated for: the triple, processor and features that every later step uses. In:
// the -mcpu of the user; out: names that LLVM knows.
#ifndef CNNC_COMPILER_EMIT_TARGET_H
#define CNNC_COMPILER_EMIT_TARGET_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace llvm {
class TargetMachine;
} // namespace llvm

namespace cnn {

struct Target {
  std::string triple;   ///< "x86_64-pc-linux-gnu"
  std::string cpu;      ///< never "native"
  std::string features; ///< what differs from the processor's own: "-avx512f,+gfni"
  bool isHost = false;  ///< `cpu` was "native"
};

/// The target for `cpu`: "native" reads the host, with the features that it lacks (a virtual
/// machine may hide some); a processor of another architecture (x86-64 and AArch64 are tried)
/// brings that one's triple. `features` are added. Fails, with the nearest names, when no
/// architecture has it, and on a feature that the architecture does not have.
llvm::Expected<Target> resolveTarget(llvm::StringRef cpu, llvm::StringRef features);

/// A machine for `target` that generates position-independent code at -O3.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const Target &target);

} // namespace cnn

#endif // CNNC_COMPILER_EMIT_TARGET_H
