//===- KernelCounts.cpp - What kernels are said to compute -----------------------------------===//

#include "compiler/schedule/KernelCounts.h"
#include "compiler/schedule/Schedules.h"
#include "dialect/Timing.h"

using namespace mlir;
using namespace mlir::cnn;

void KernelCounts::beginEntry(func::FuncOp entry) {
  groupFlops = entry->getAttrOfType<DictionaryAttr>(groupFlopsAttr);
  counted.clear();
  flops = 0;
}

/// What the operations of `group` were counted under before an algorithm took it apart:
/// `conv1.forward` of `conv1.forward.winograd_product`. Its own name where nothing was counted.
StringRef KernelCounts::getCountedGroup(StringRef name) const {
  for (StringRef candidate = name; groupFlops && !candidate.empty();
       candidate = candidate.rsplit('.').first) {
    if (groupFlops.contains(candidate))
      return candidate;
    if (!candidate.contains('.'))
      break;
  }
  return name;
}

LogicalResult KernelCounts::describe(GroupOp group, func::FuncOp kernel, bool sliced) {
  Builder b(group.getContext());
  StringRef name = getCountedGroup(group.getName());
  int64_t ofKernel = 0;
  if (auto known = groupFlops ? groupFlops.getAs<IntegerAttr>(name) : IntegerAttr();
      known && counted.insert(name).second)
    ofKernel = known.getInt();
  flops += ofKernel;
  if (!timed)
    return success();
  double cycles = 0;
  NamedAttrList list;
  if (auto known = kernel->getAttrOfType<DictionaryAttr>(timedAttr)) {
    ofKernel += known.getAs<IntegerAttr>("flops").getInt();
    cycles += known.getAs<FloatAttr>("cycles").getValueAsDouble();
    list = known;
  } else {
    list.set("group", b.getStringAttr(name));
  }
  if (NestScheduleAttr nest = group.getNestSchedule()) {
    FailureOr<ScheduleSpace> space = ScheduleSpace::get(group, *machine, sliced);
    if (failed(space))
      return failure();
    cycles += space->getCycles(NestSchedule::get(nest));
    list.set("algorithm", b.getStringAttr(nest.getAlgorithm()));
    list.set("tile", b.getDenseI64ArrayAttr(nest.getTile()));
    list.set("vector", b.getI64IntegerAttr(nest.getVector()));
  } else {
    list.set("outer", b.getUnitAttr());
  }
  list.set("flops", b.getI64IntegerAttr(ofKernel));
  list.set("cycles", b.getF64FloatAttr(cycles));
  kernel->setAttr(timedAttr, list.getDictionary(group.getContext()));
  return success();
}
