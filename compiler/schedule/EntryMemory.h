//===- EntryMemory.h - Where the results of an entry point's groups lie ----------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_ENTRYMEMORY_H
#define CNNC_COMPILER_SCHEDULE_ENTRYMEMORY_H

#include "compiler/schedule/Arena.h"
#include "compiler/schedule/Buffers.h"
#include "compiler/schedule/Machine.h"
#include "compiler/schedule/Stages.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::cnn {

/// Plans the arena of an entry point: what is neither state nor output lies there, from its stage
/// to that of its last reader; where that is a group which computes its result element by element,
/// the result takes its place.
class EntryMemory {
public:
  /// `machine`: null for a GPU.
  EntryMemory(func::FuncOp entry, const Machine *machine, const GroupStages &stages);

  /// Makes room for the results of a group; groups come in the order of their stages.
  void add(GroupOp group);
  /// Gives everything its offset; returns the bytes of the arena.
  int64_t plan();
  /// What is in use at one time, at most.
  int64_t getPeak() const { return cnn::getPeak(buffers, bufferAlignment); }

  ArrayRef<ArenaBuffer> getBuffers() const { return buffers; }
  /// The values in the arena, and the numbers of their buffers.
  const llvm::MapVector<Value, size_t> &getPlaces() const { return places; }
  /// Whether a result is stored past the caches.
  bool isNontemporal(Value result) const { return nontemporal.contains(result); }

private:
  bool passesCaches(Value result) const;
  int64_t getLastStage(Value value, int64_t stage) const;
  Value findOverwritten(GroupOp group, int64_t stage) const;

  const Machine *machine;
  const GroupStages &stages;
  llvm::SmallPtrSet<Value, 8> elsewhere;
  std::vector<ArenaBuffer> buffers;
  llvm::MapVector<Value, size_t> places;
  llvm::DenseSet<Value> nontemporal;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_ENTRYMEMORY_H
