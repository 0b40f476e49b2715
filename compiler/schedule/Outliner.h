//===- Outliner.h - Kernels of groups --------------------------------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_OUTLINER_H
#define CNNC_COMPILER_SCHEDULE_OUTLINER_H

#include "compiler/schedule/EntryMemory.h"
#include "compiler/schedule/GpuLaunches.h"
#include "compiler/schedule/KernelCounts.h"
#include "compiler/schedule/ScratchPlan.h"

namespace mlir::cnn {

/// Makes kernels of groups: private functions (item, scratch, buffers...) with the attribute
/// `cnn.kernel`, in which the group stands between `cnn.from_buffer` and `cnn.to_buffer`. Equal
/// groups share one.
class Outliner {
public:
  /// Kernels that are `timed` have names of their own, for each has a counter.
  Outliner(ModuleOp module, const ScratchPlan &scratch, KernelCounts &counts, bool timed)
      : module(module), scratch(scratch), counts(counts), timed(timed) {}

  /// What is outlined from here on is of the entry point of that name.
  void beginEntry(StringRef name, const EntryMemory &memory);
  /// The kernel of an inner group on buffers of the given types (inputs, then results).
  func::FuncOp outline(GroupOp group, ArrayRef<Type> buffers);
  /// The kernel of an outer group, which calls those of its members.
  FailureOr<func::FuncOp> outlineOuter(GroupOp outer, ArrayRef<Type> buffers);
  /// The kernel of several groups that one launch of a GPU computes; `places` tells for every group
  /// which of the buffers are its own, those of its inputs first.
  func::FuncOp outlineLaunch(const GpuLaunch &launch, ArrayRef<Type> buffers,
                             ArrayRef<SmallVector<unsigned>> places);
  int64_t getNumKernels() const { return numKernels; }

private:
  func::FuncOp makeKernel(Location loc, StringRef name, TypeRange buffers,
                          ArrayRef<StringAttr> bufferNames);
  func::FuncOp outline(GroupOp group, SliceScheduleAttr slice, ArrayRef<Type> buffers,
                       ArrayRef<bool> nontemporal);
  std::string getKey(GroupOp group, SliceScheduleAttr slice, TypeRange buffers,
                     ArrayRef<bool> nontemporal) const;

  ModuleOp module;
  const ScratchPlan &scratch;
  KernelCounts &counts;
  bool timed;
  std::string entryName;
  const EntryMemory *memory = nullptr;
  llvm::StringMap<func::FuncOp> kernels;
  int64_t numKernels = 0;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_OUTLINER_H
