//===- ScratchPlan.h - The scratch memory of a worker ----------------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_SCRATCHPLAN_H
#define CNNC_COMPILER_SCHEDULE_SCRATCHPLAN_H

#include "compiler/schedule/Arena.h"
#include "compiler/schedule/Buffers.h"
#include "compiler/schedule/Machine.h"

namespace mlir::cnn {

/// Places what the members of an outer group pass to each other within one slice, and what kernels
/// take for themselves. The scratch memory of a worker serves all groups of a module, one after the
/// other.
class ScratchPlan {
public:
  /// `machine`: null for a GPU, whose kernels take none.
  explicit ScratchPlan(const Machine *machine) : machine(machine) {}

  /// Makes room for a group of an entry point.
  LogicalResult add(GroupOp group);
  /// Makes room for `more` bytes behind all that groups use; returns their offset.
  int64_t append(int64_t more);

  int64_t getBytes() const { return bytes; }
  /// The offset of a result that only members of its outer group use.
  int64_t getOffset(Value result) const { return offsets.at(result); }
  /// The offset of what the kernel of a member takes for itself; 0 for nothing.
  int64_t getOwnOffset(GroupOp member) const { return ownOffsets.lookup(member); }
  /// What was placed for an outer group.
  ArrayRef<ArenaBuffer> getBuffers(GroupOp outer) const;

private:
  FailureOr<int64_t> getOwnBytes(GroupOp group, bool sliced) const;
  FailureOr<int64_t> place(GroupOp outer);

  const Machine *machine;
  int64_t bytes = bufferAlignment;
  llvm::DenseMap<Value, int64_t> offsets;
  llvm::DenseMap<Operation *, int64_t> ownOffsets;
  llvm::DenseMap<Operation *, std::vector<ArenaBuffer>> plans;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_SCRATCHPLAN_H
