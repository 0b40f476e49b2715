// From the LLVM IR that the PTX backend gets to IR for this machine: every function takes the
// running thread as first argument, special registers are loads from it, shared memory is an offset
// from its block's, and NVVM's other intrinsics are calls of Runtime.h.
#ifndef CNNC_TEST_EMULATOR_REWRITE_H
#define CNNC_TEST_EMULATOR_REWRITE_H

#include "test/emulator/Program.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/ModuleSlotTracker.h"

#include <set>

namespace cnn::emulator {

/// The prefix of the functions that Kernel::entry is: void (Thread *, void **arguments).
inline constexpr const char *entryPrefix = "cnn.entry.";

/// Rewrites a module in place and fills in the program's kernels, sites and variables. False, and
/// `log` says why, when the module uses what is not emulated.
bool rewrite(llvm::Module &module, Program &program, bool instrument, std::string &log);

/// Rewrites the NVVM calls of one function.
class NvvmCalls {
public:
  /// `thread`: the function's first argument.
  NvvmCalls(Program &program, llvm::Function &function, const std::string &kernel,
            llvm::ModuleSlotTracker &slots);

  /// Replaces a call of an intrinsic "llvm.nvvm.<name>". False when it is not known.
  bool replace(llvm::CallInst &call, llvm::StringRef name);

  /// A new site for an instruction; returns its number.
  unsigned addSite(llvm::Instruction &instruction, Site::Kind kind, unsigned bytes = 0,
                   unsigned alignment = 1, llvm::Value *address = nullptr);
  /// Calls a function of Runtime.h; the thread is put before the arguments.
  llvm::Value *callRuntime(llvm::IRBuilder<> &builder, llvm::StringRef name, llvm::Type *result,
                           llvm::ArrayRef<llvm::Value *> arguments);
  llvm::Value *toGeneric(llvm::IRBuilder<> &builder, llvm::Value *pointer);
  llvm::Value *sharedBase(llvm::IRBuilder<> &builder);

  /// Whether a function was called that may block or fail.
  bool meets = false;

private:
  llvm::Value *special(llvm::IRBuilder<> &builder, llvm::StringRef name);
  llvm::Value *barrier(llvm::IRBuilder<> &builder, llvm::CallInst &call, llvm::StringRef name);
  llvm::Value *shuffle(llvm::IRBuilder<> &builder, llvm::CallInst &call, llvm::StringRef name);
  llvm::Value *warpValue(llvm::IRBuilder<> &builder, llvm::CallInst &call, llvm::StringRef name);
  llvm::Value *matrix(llvm::IRBuilder<> &builder, llvm::CallInst &call, llvm::StringRef name);
  llvm::Value *loadMatrix(llvm::IRBuilder<> &builder, llvm::CallInst &call, llvm::StringRef name);
  bool copyAsync(llvm::IRBuilder<> &builder, llvm::CallInst &call, llvm::StringRef name);
  llvm::Value *scalar(llvm::IRBuilder<> &builder, llvm::CallInst &call, llvm::StringRef name);
  llvm::Value *buffer(unsigned words);
  llvm::Value *unpack(llvm::IRBuilder<> &builder, llvm::Type *type, llvm::Value *words);
  llvm::Value *word(llvm::IRBuilder<> &builder, llvm::Value *value);
  Base baseOf(llvm::Value *address);

  Program &program;
  llvm::Function &function;
  llvm::Module &module;
  const std::string &kernel;
  llvm::ModuleSlotTracker &slots;
  llvm::Value *thread;
  llvm::Type *i32, *pointer;
};

} // namespace cnn::emulator

#endif
