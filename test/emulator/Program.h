// A module that was loaded: its kernels as host code, and what is known of each place in them where
// memory is accessed or threads meet.
#ifndef CNNC_TEST_EMULATOR_PROGRAM_H
#define CNNC_TEST_EMULATOR_PROGRAM_H

#include "test/emulator/Ptx.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace llvm {
class Module;
namespace orc {
class LLJIT;
}
} // namespace llvm

namespace cnn::emulator {

struct Thread;

/// The object that an address was computed from, as far as the code shows it.
struct Base {
  enum Kind { Unknown, Argument, Shared, Global } kind = Unknown;
  unsigned index = 0;
};

/// One instruction that accesses memory or at which threads meet.
struct Site {
  enum Kind { Load, Store, Atomic, Meeting } kind = Meeting;
  unsigned bytes = 0;
  /// The alignment that the PTX backend was promised.
  unsigned alignment = 1;
  Base base;
  std::string kernel;
  /// The instruction as text, and its source location where it has one.
  std::string text;
};

/// A variable of shared memory, at its offset in the block's; `dynamic`: as long as the launch
/// says.
struct SharedVariable {
  std::string name;
  size_t offset = 0, bytes = 0;
  bool dynamic = false;
};

/// A variable of global memory: a literal or a module's state.
struct GlobalVariable {
  std::string name;
  char *data = nullptr;
  size_t bytes = 0;
  bool constant = false;
};

/// What a kernel's parameter promises, from its LLVM attributes.
struct Parameter {
  size_t extent = 0; // dereferenceable bytes; 0: not said
  size_t alignment = 1;
  bool pointer = false, readOnly = false, noAlias = false;
  unsigned bytes = 8;
};

struct Kernel {
  std::string name;
  std::vector<Parameter> parameters;
  /// nvvm.reqntid and nvvm.maxntid; 0: not said.
  unsigned requiredBlock[3] = {0, 0, 0};
  unsigned maxThreads = 1024;
  /// The shared variables that it uses.
  std::vector<unsigned> shared;
  /// Bytes of the static shared variables that it uses, and with the gaps between them.
  size_t staticShared = 0, sharedBytes = 0;
  /// Whether threads meet, so that they need stacks of their own.
  bool meets = false;
  void (*entry)(Thread *, void **arguments) = nullptr;
};

struct Program {
  ~Program();

  /// Loads the IR from a file (bitcode or text), rewrites it and compiles it for this machine.
  /// `instrument`: memory accesses call the checker and the model. `edit` changes the module before
  /// it is rewritten. Null, and `log` says why, on failure.
  static std::unique_ptr<Program> load(const std::string &path, bool instrument, std::string &log,
                                       const std::function<void(llvm::Module &)> &edit = nullptr);

  const Kernel *find(const std::string &name) const;
  /// What PTX and IR say differently of the kernels, or nothing.
  std::string compare(const Ptx &ptx) const;

  std::string path;
  std::map<std::string, Kernel> kernels;
  std::vector<Site> sites;
  std::vector<SharedVariable> sharedVariables;
  std::vector<GlobalVariable> globals;
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

} // namespace cnn::emulator

#endif
