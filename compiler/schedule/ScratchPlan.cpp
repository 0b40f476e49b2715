//===- ScratchPlan.cpp - The scratch memory of a worker --------------------------------------===//

#include "compiler/schedule/ScratchPlan.h"
#include "compiler/schedule/Schedules.h"
#include "compiler/schedule/Stages.h"
#include "dialect/BufferPlace.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mlir::cnn;

LogicalResult ScratchPlan::add(GroupOp group) {
  FailureOr<int64_t> needed = group.isOuter() ? place(group) : getOwnBytes(group, /*sliced=*/false);
  if (failed(needed))
    return failure();
  bytes = std::max(bytes, *needed);
  return success();
}

int64_t ScratchPlan::append(int64_t more) {
  int64_t offset = bytes;
  bytes += llvm::alignTo(more, bufferAlignment);
  return offset;
}

ArrayRef<ArenaBuffer> ScratchPlan::getBuffers(GroupOp outer) const {
  auto found = plans.find(outer);
  return found == plans.end() ? ArrayRef<ArenaBuffer>() : ArrayRef(found->second);
}

/// Bytes that the kernel of an inner group takes beside its buffers.
FailureOr<int64_t> ScratchPlan::getOwnBytes(GroupOp group, bool sliced) const {
  if (!machine)
    return 0;
  FailureOr<ScheduleSpace> space = ScheduleSpace::get(group, *machine, sliced);
  if (failed(space))
    return failure();
  if (!space->getWeightGrad() || !group.getNestSchedule())
    return 0;
  NestSchedule schedule = NestSchedule::get(group.getNestSchedule());
  if (failed(space->verify(schedule, [&]() -> InFlightDiagnostic {
        return group.emitError() << "group '" << group.getName() << "': ";
      })))
    return failure();
  return space->getScratchBytes(schedule);
}

/// Places what only the members of an outer group use, and what their kernels take for themselves;
/// returns the bytes.
FailureOr<int64_t> ScratchPlan::place(GroupOp outer) {
  std::vector<ArenaBuffer> buffers;
  llvm::MapVector<Value, size_t> index;
  SmallVector<std::pair<Operation *, size_t>> ownScratch;
  int64_t step = 0;
  llvm::SmallPtrSet<Value, 8> yielded;
  for (Value value : outer.getYield().getValues())
    yielded.insert(getOwner(value));
  for (Operation &op : outer.getBody().front()) {
    for (Value operand : op.getOperands())
      if (auto found = index.find(getOwner(operand)); found != index.end())
        buffers[found->second].last = step;
    if (auto member = dyn_cast<GroupOp>(op)) {
      for (auto [i, result] : llvm::enumerate(member.getResults())) {
        if (yielded.contains(result))
          continue;
        index[result] = buffers.size();
        int64_t size = cnn::getBytes(getBufferType(getTensor(result), outer.getSliceSchedule()));
        buffers.push_back({member.getName().str() + "#" + std::to_string(i), size, step, step, -1});
      }
      FailureOr<int64_t> own = getOwnBytes(member, /*sliced=*/true);
      if (failed(own))
        return failure();
      if (*own > 0) {
        ownScratch.push_back({member, buffers.size()});
        buffers.push_back({member.getName().str() + ".scratch", *own, step, step, -1});
      }
    }
    ++step;
  }
  int64_t total = planArena(buffers, bufferAlignment);
  for (auto [value, at] : index)
    offsets[value] = buffers[at].offset;
  for (auto [member, at] : ownScratch)
    ownOffsets[member] = buffers[at].offset;
  plans[outer] = std::move(buffers);
  return total;
}
