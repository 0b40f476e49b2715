//===- EntryMemory.cpp - Where the results of an entry point's groups lie --------------------===//

#include "compiler/schedule/EntryMemory.h"
#include "compiler/schedule/Schedules.h"
#include "dialect/BufferPlace.h"

using namespace mlir;
using namespace mlir::cnn;

EntryMemory::EntryMemory(func::FuncOp entry, const Machine *machine, const GroupStages &stages)
    : machine(machine), stages(stages) {
  for (auto write : entry.getOps<WriteOp>()) {
    elsewhere.insert(write.getValue());
    if (passesCaches(write.getValue()))
      nontemporal.insert(write.getValue());
  }
  for (Value value : entry.getBody().front().getTerminator()->getOperands())
    elsewhere.insert(value);
}

void EntryMemory::add(GroupOp group) {
  int64_t stage = stages.at(group);
  for (auto [i, result] : llvm::enumerate(group.getResults())) {
    if (elsewhere.contains(result))
      continue;
    int64_t last = getLastStage(result, stage);
    std::string name = group.getName().str() + "#" + std::to_string(i);
    Value input = group.getNumResults() == 1 ? findOverwritten(group, stage) : Value();
    if (auto found = places.find(input); input && found != places.end()) {
      ArenaBuffer &buffer = buffers[found->second];
      buffer.name += " then " + name;
      buffer.last = last;
      places[result] = found->second;
      continue;
    }
    places[result] = buffers.size();
    buffers.push_back({name, getBytes(getBufferType(getTensor(result))), stage, last, -1});
    if (passesCaches(result))
      nontemporal.insert(result);
  }
}

int64_t EntryMemory::plan() {
  return std::max(planArena(buffers, bufferAlignment), bufferAlignment);
}

/// Whether a result of its own memory takes so much of the third cache that the next stage finds
/// little of it there: then it is written past the caches, which would fetch each line before they
/// write it back (25 MB of 32: 0.50 in place of 0.76 ms to copy, and as much to read back; 13 MB:
/// 0.1 ms more). A vector must be a line, or the memory sees parts of it.
bool EntryMemory::passesCaches(Value result) const {
  constexpr int64_t lineBits = 8 * bufferAlignment;
  return machine && machine->vectorBits == lineBits &&
         getBytes(getBufferType(getTensor(result))) > machine->level3 / 2;
}

/// The stage in which a value, or another view of its memory, is read for the last time.
int64_t EntryMemory::getLastStage(Value value, int64_t stage) const {
  int64_t last = stage;
  for (Operation *reader : getReaders(value))
    if (auto found = stages.find(reader); found != stages.end())
      last = std::max(last, found->second);
  return last;
}

/// An input that nothing but the group reads in its stage or later, and whose memory its result can
/// take; null if there is none.
Value EntryMemory::findOverwritten(GroupOp group, int64_t stage) const {
  if (group.isOuter())
    return {};
  FailureOr<GroupInfo> info = GroupInfo::get(group);
  NestScheduleAttr schedule = group.getNestSchedule();
  if (failed(info) || !group.getScheduleAttr())
    return {};
  // Lanes beyond the end of a row store to the next one, whose own elements come later.
  if (machine && schedule && info->nest.getNumDims() > 0 &&
      info->nest.sizes[schedule.getVector()] % ScheduleSpace::getLanes(group, *machine) != 0)
    return {};
  for (auto [argument, input] : llvm::enumerate(group.getInputs())) {
    auto readsLater = [&](Operation *user) {
      auto found = stages.find(user);
      return user != group && (found == stages.end() || found->second >= stage);
    };
    if (input.getDefiningOp<GroupOp>() && input.getType() == group.getResult(0).getType() &&
        llvm::count(group.getInputs(), input) == 1 && llvm::none_of(input.getUsers(), readsLater) &&
        info->mayOverwrite(argument))
      return input;
  }
  return {};
}
