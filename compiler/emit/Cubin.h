// PTX text to machine code of one GPU, by `ptxas` of the CUDA toolkit, where there is one. Nothing
// but `cnnc --emit=cubin` and tests needs it: drivers take PTX.
#ifndef CNNC_COMPILER_EMIT_CUBIN_H
#define CNNC_COMPILER_EMIT_CUBIN_H

#include "compiler/emit/Target.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace cnn {

/// What one kernel takes of a GPU.
struct KernelUse {
  std::string name;
  int64_t threads = 0;    ///< of a block
  int64_t registers = 0;  ///< of a thread
  int64_t shared = 0;     ///< bytes of shared memory of a block
  int64_t stack = 0;      ///< bytes of local memory of a thread
  int64_t spillBytes = 0; ///< bytes that a thread stores to and loads from it for want of registers
};

struct Cubin {
  std::string bytes;
  std::vector<KernelUse> kernels; ///< in the order in which ptxas reports them
};

/// Assembles `ptx` for `target`. `ptxas` is looked for in $CUDA_HOME/bin, on PATH and in
/// /usr/local/cuda/bin. Fails where there is none, and with its messages where it refuses the text.
llvm::Expected<Cubin> assemblePtx(llvm::StringRef ptx, const Target &target);

/// Reads what `ptxas -v` says; `ptx` tells the threads of a block.
std::vector<KernelUse> parseUse(llvm::StringRef report, llvm::StringRef ptx);

/// How many blocks of a kernel fit one multiprocessor of the GPU at a time.
int64_t getBlocksPerProcessor(const KernelUse &kernel, const Target &target);

/// A table with a line for each kernel.
std::string formatUse(llvm::ArrayRef<KernelUse> kernels, const Target &target);

} // namespace cnn

#endif // CNNC_COMPILER_EMIT_CUBIN_H
