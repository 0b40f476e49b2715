//===- Optimize.h - LLVM's own passes on generated code --------------------------------------===//

#ifndef CNNC_COMPILER_EMIT_OPTIMIZE_H
#define CNNC_COMPILER_EMIT_OPTIMIZE_H

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace cnn {

/// Runs LLVM's pipeline of level 3 on `module` for `machine`, without its vectorizers: which
/// elements one instruction computes is our schedules' choice. `unrollLoops` where loops are left
/// for LLVM to unroll.
void optimize(llvm::Module &module, llvm::TargetMachine &machine, bool unrollLoops);

} // namespace cnn

#endif // CNNC_COMPILER_EMIT_OPTIMIZE_H
