// The list of phases, in this place only: their names, the passes that lead to each, and how a
// module goes from one to another. Every phase can be printed and resumed: a module says in its
// attribute `cnn.phase` where it stands, and a dump fed back gives the identical object.
//
//   ast -> cnn -> grad -> fused -> scheduled -> planned -> tiled -> vector -> llvm -> asm | obj
//                                                       -> gpu -> nvvm -> ptx | cubin
//   front end ^     passes of compiler/{transforms,schedule,cpu,nvptx}        ^ compiler/emit
#ifndef CNNC_COMPILER_PIPELINES_PHASES_H
#define CNNC_COMPILER_PIPELINES_PHASES_H

#include "compiler/emit/Target.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mlir {
class ModuleOp;
} // namespace mlir
namespace llvm {
class raw_ostream;
} // namespace llvm

namespace cnn {

/// What behind `Planned` belongs to one kind of target; see `phasesOf`.
enum class Phase {
  Ast,
  Cnn,
  Grad,
  Fused,
  Scheduled,
  Planned,
  Tiled,
  Vector,
  Llvm,
  Asm,
  Obj,
  Gpu,
  Nvvm,
  Ptx,
  Cubin
};

/// Infer: the entry `infer` (and `eval` where asked for). Train: `train_step`, `eval`, `infer`.
enum class Mode { Infer, Train };

/// What leads from phase to phase, beside the module itself.
struct PhaseOptions {
  /// Nothing: what the module says, else Mode::Infer.
  std::optional<Mode> mode;
  /// Entry points to make; empty: those of the mode.
  std::vector<std::string> entries;
  /// The `cnn.recipe` to train by; empty: the module's only one.
  std::string recipe;
  /// Nothing: what the module says, else TargetKind::Cpu.
  std::optional<TargetKind> target;
  /// "native", or a name that LLVM knows ("znver4", "x86-64-v3", "cortex-a76", "sm_90").
  std::string cpu = "native";
  /// Subtarget features to add to the processor's ("+avx512f,-fma").
  std::string features;
  /// Overrides of the schedule: `--set key=value`, in order.
  std::vector<std::pair<std::string, std::string>> settings;
  /// Off: every operation becomes a group of its own.
  bool fuse = true;
  /// Whether kernels count the time that is spent in them (dialect/Timing.h).
  bool timed = false;
  /// Threads that compile; 0: one per core. The object does not depend on it.
  unsigned compileThreads = 0;
  /// Where each phase is written, one numbered file per phase, and layers.txt (LayerTable.h);
  /// empty: nowhere.
  std::string dumpDirectory;
  /// Whether the time of each phase is printed to stderr.
  bool timePhases = false;
};

/// "scheduled".
llvm::StringRef phaseName(Phase phase);
/// The phase called `name`; the error suggests the nearest name.
llvm::Expected<Phase> parsePhase(llvm::StringRef name);
/// All phases, those of the CPU before those of the GPU.
llvm::ArrayRef<Phase> allPhases();
/// The phases that a module for such a target goes through, in order.
llvm::ArrayRef<Phase> phasesOf(TargetKind target);
/// Whether phase `phase` is one of a module for such a target.
bool isPhaseOf(Phase phase, TargetKind target);
/// Whether `before` comes before `after`, of phases of one target.
bool comesBefore(Phase before, Phase after);
/// The last phase in which the module is one of MLIR: Llvm or Nvvm.
Phase lastModulePhase(TargetKind target);
/// The phase that is compiled to where none is asked for: Obj or Ptx.
Phase defaultPhase(TargetKind target);
/// One line about what the IR is in `phase`, for --help.
llvm::StringRef phaseSummary(Phase phase);

/// Where `module` stands: its attribute `cnn.phase`. Fails when it has none or an unknown one.
llvm::Expected<Phase> getPhase(mlir::ModuleOp module);
void setPhase(mlir::ModuleOp module, Phase phase);

/// The kind of target that `module` is compiled for: what it says itself, else the options, else a
/// CPU.
TargetKind getTargetKind(mlir::ModuleOp module, const PhaseOptions &options);

/// What `module` is compiled for: what it says itself (from phase `scheduled` on), else the
/// options. Fails when the two disagree, and on an unknown processor.
llvm::Expected<Target> getTarget(mlir::ModuleOp module, const PhaseOptions &options);

/// Writes `module` in the form in which dumps are read back: with locations.
void printModule(mlir::ModuleOp module, llvm::raw_ostream &out);

/// Whether `settings` of the schedule mean something in `module`, of a phase before `scheduled`:
/// schedules are chosen in a copy. Mistakes are reported as by runPhases.
llvm::Error checkSchedule(mlir::ModuleOp module, const PhaseOptions &options);

/// Runs the passes that take `module` from its phase to `to` (at most its target's
/// lastModulePhase). Nothing happens
/// when it is there already. Fails when it is past `to`, when a pass fails (which has told the
/// context's diagnostics handler), or when a dump cannot be written.
llvm::Error runPhases(mlir::ModuleOp module, Phase to, const PhaseOptions &options);

/// "DIR/04-scheduled.mlir", and writing such a file.
std::string dumpPath(llvm::StringRef directory, Phase phase, llvm::StringRef extension);
llvm::Error writeDump(llvm::StringRef directory, Phase phase, llvm::StringRef extension,
                      llvm::StringRef content);

/// Prints the time from its construction to its destruction to stderr, when enabled.
class PhaseTimer {
public:
  PhaseTimer(llvm::StringRef name, bool enabled);
  ~PhaseTimer();

private:
  llvm::StringRef name;
  bool enabled;
  std::chrono::steady_clock::time_point start;
};

} // namespace cnn

#endif // CNNC_COMPILER_PIPELINES_PHASES_H
