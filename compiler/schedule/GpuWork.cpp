//===- GpuWork.cpp - What one launch of a kernel does ----------------------------------------===//

#include "compiler/schedule/GpuWork.h"
#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::cnn;

GpuWork &GpuWork::operator+=(const GpuWork &other) {
  if (algorithm.empty()) {
    algorithm = other.algorithm;
    instruction = other.instruction;
  }
  schedule += (schedule.empty() ? "" : "; ") + other.schedule;
  flops += other.flops;
  operations += other.operations;
  bytesRead += other.bytesRead;
  bytesWritten += other.bytesWritten;
  bytesL2 += other.bytesL2;
  return *this;
}

DictionaryAttr GpuWork::toAttr(MLIRContext *context) const {
  Builder b(context);
  auto number = [&](StringRef name, int64_t value) {
    return b.getNamedAttr(name, b.getI64IntegerAttr(value));
  };
  return b.getDictionaryAttr({b.getNamedAttr("algorithm", b.getStringAttr(algorithm)),
                              b.getNamedAttr("instruction", b.getStringAttr(instruction)),
                              b.getNamedAttr("schedule", b.getStringAttr(schedule)),
                              number("flops", flops), number("operations", operations),
                              number("bytes_read", bytesRead),
                              number("bytes_written", bytesWritten), number("bytes_l2", bytesL2)});
}

static int64_t getElementBytes(Type type) {
  return llvm::divideCeil(getElementTypeOrSelf(type).getIntOrFloatBitWidth(), 8);
}

/// How often threads load an element for `read`: once per result where none of the reduced
/// dimensions matters, else for every reduced point.
static int64_t countLoads(const GpuScheduleSpace &space, const GroupInfo::Read &read) {
  const Nest &nest = space.getInfo().nest;
  if (read.pooled)
    return space.getNumResults();
  int64_t parallel = 1, reduced = 1;
  bool isReduced = false;
  for (auto [dim, size] : llvm::enumerate(nest.sizes)) {
    (nest.isParallel(dim) ? parallel : reduced) *= size;
    isReduced |= !nest.isParallel(dim) &&
                 llvm::any_of(read.forms, [&](const LinearForm &form) { return form.uses(dim); });
  }
  return isReduced ? parallel * reduced : parallel;
}

/// Of tiles: every step of the depth, its part of what both operands are computed from goes once
/// through L2.
static void countTiles(const GpuScheduleSpace &space, const GpuSchedule &schedule,
                       int64_t elementBytes, GpuWork &work) {
  int64_t rows = schedule.tile[0], columns = schedule.tile[1];
  int64_t blocks = space.getNumBlocks(schedule);
  int64_t depth = llvm::alignTo(space.getContraction()->depth, schedule.tile[2]);
  work.operations = 2 * blocks * rows * columns * depth;
  int64_t brought =
      rows * space.getNumLarge(/*ofRows=*/true) + columns * space.getNumLarge(/*ofRows=*/false);
  work.bytesL2 += blocks * depth * brought * elementBytes;
}

GpuWork mlir::cnn::countWork(GroupOp group, const GpuScheduleSpace &space,
                             const GpuSchedule &schedule) {
  const GroupInfo &info = space.getInfo();
  const Nest &nest = info.nest;
  GpuWork work;
  work.algorithm = schedule.algorithm;
  llvm::raw_string_ostream(work.schedule) << schedule.toAttr(group.getContext());
  work.schedule = StringRef(work.schedule).split('<').second.drop_back().str();
  work.instruction = schedule.instruction;
  if (space.getNumReduced() > 1) {
    work.flops = 2;
    for (int64_t size : nest.sizes)
      work.flops *= size;
  }
  work.operations = work.flops;
  for (Value result : group.getResults()) {
    RankedTensorType type = getTensor(result);
    work.bytesWritten += type.getNumElements() * getElementBytes(type);
  }
  bool isTiled = schedule.algorithm == "contraction";
  SmallVector<int64_t> most(group.getInputs().size(), 0); // bytes that an input can be read for
  for (const GroupInfo::Read &read : info.getReads()) {
    Type type = getTensor(group.getInputs()[read.argument]);
    int64_t loaded = countLoads(space, read) * getElementBytes(type);
    most[read.argument] += loaded;
  }
  for (auto [input, bytes] : llvm::zip(group.getInputs(), most)) {
    RankedTensorType type = getTensor(input);
    work.bytesRead += std::min(bytes, type.getNumElements() * getElementBytes(type));
  }
  work.bytesL2 = work.bytesWritten;
  if (isTiled)
    countTiles(space, schedule, getElementBytes(getTensor(info.anchor->getResult(0))), work);
  else // neighbours' loads of the same elements meet in the multiprocessor's own memory
    work.bytesL2 += work.bytesRead;
  return work;
}
