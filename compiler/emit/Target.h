// What code is generated for: the kind of processor, the triple, processor and features that every
// later step uses. In: --target and -mcpu of the user; out: names that LLVM knows.
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

enum class TargetKind { Cpu, Nvptx };

/// "cpu" or "nvptx".
llvm::StringRef targetName(TargetKind kind);
/// The kind called `name`; the error tells the names.
llvm::Expected<TargetKind> parseTargetKind(llvm::StringRef name);

struct Target {
  TargetKind kind = TargetKind::Cpu;
  std::string triple;   ///< "x86_64-pc-linux-gnu", "nvptx64-nvidia-cuda"
  std::string cpu;      ///< never "native"; "sm_80" of a GPU
  std::string features; ///< what differs from the processor's own: "-avx512f,+gfni"; "+ptx70"
  bool isHost = false;  ///< `cpu` was "native"
};

/// The target for `cpu`: "native" reads the host, with the features that it lacks (a virtual
/// machine may hide some); a processor of another architecture (x86-64 and AArch64 are tried)
/// brings that one's triple. `features` are added. Fails, with the nearest names, when no
/// architecture has it, and on a feature that the architecture does not have.
llvm::Expected<Target> resolveTarget(llvm::StringRef cpu, llvm::StringRef features);

/// The target for a GPU of NVIDIA: "sm_75" to "sm_120", or "native" for the oldest one that has
/// everything that kernels use. What is compiled for one runs on all later ones, what is compiled
/// for a name with an "a" on that GPU alone. The version of PTX is the lowest that the GPU needs,
/// so that old drivers take it. Fails for names that it does not know.
llvm::Expected<Target> resolveGpu(llvm::StringRef name);

/// A machine for `target` that generates position-independent code at -O3.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const Target &target);

} // namespace cnn

#endif // CNNC_COMPILER_EMIT_TARGET_H
