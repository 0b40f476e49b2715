//===- Plan.cpp - Outline groups into kernels on buffers and plan the memory -----------------===//
//
// In: scheduled groups on tensors. Out: kernels on memrefs (Outliner.h), and entry points that
// launch them on views of state, arena and scratch (EntryArguments.h, EntryMemory.h,
// ScratchPlan.h). Values are gone but inside of kernels, where `cnn.from_buffer` and
// `cnn.to_buffer` tie them to memory. Next: lowering/Tile.cpp, or nvptx/BuildGpuKernels.cpp.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/EntryArguments.h"
#include "compiler/schedule/GpuSchedule.h"
#include "compiler/schedule/Outliner.h"
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Schedules.h"
#include "dialect/Timing.h"
#include "llvm/Support/FormatVariadic.h"

namespace mlir::cnn {
#define GEN_PASS_DEF_PLANPASS
#include "compiler/schedule/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

namespace {
/// Plans one module.
class Planner {
public:
  /// `machine`: null for a GPU.
  Planner(ModuleOp module, const Machine *machine, bool timed, bool together)
      : module(module), machine(machine), timed(timed), together(together), scratch(machine),
        counts(machine, timed), outliner(module, scratch, counts, timed) {}

  LogicalResult run();
  int64_t getNumKernels() const { return outliner.getNumKernels(); }

private:
  /// What runs at one time, or, on a GPU, in one launch.
  struct Stage {
    SmallVector<GroupOp> groups;
    std::optional<GpuLaunch> launch;
  };
  using Buffers = llvm::DenseMap<Value, Value>;

  bool isForGpu() const { return !machine; }
  void placeCounters();
  Value buildConstant(OpBuilder &b, LiteralOp literal);
  FailureOr<std::vector<Stage>> getStagesOf(func::FuncOp entry);
  FailureOr<int64_t> getNumItems(GroupOp group);
  LogicalResult launch(OpBuilder &b, GroupOp group, const Buffers &buffers);
  LogicalResult launchTogether(OpBuilder &b, const GpuLaunch &launch, const Buffers &buffers);
  LogicalResult runOnEntry(func::FuncOp entry);
  ArrayAttr describeMemory(func::FuncOp entry, const EntryMemory &memory, int64_t arenaBytes);

  ModuleOp module;
  const Machine *machine;
  bool timed, together;
  ParameterPlaces parameters;
  /// The scratch of a worker serves all outer groups of the module.
  ScratchPlan scratch;
  KernelCounts counts;
  Outliner outliner;
  /// The constants of the module that hold literals.
  llvm::DenseMap<Attribute, StringAttr> globals;
};

struct Plan : mlir::cnn::impl::PlanPassBase<Plan> {
  using PlanPassBase::PlanPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    bool forGpu = mlir::cnn::isForGpu(module);
    if (forGpu && timed) {
      module.emitError() << "kernels of a GPU do not count the time spent in them";
      return signalPassFailure();
    }
    FailureOr<Machine> machine = Machine();
    if (!forGpu)
      machine = Machine::get(module);
    if (failed(machine))
      return signalPassFailure();
    Planner planner(module, forGpu ? nullptr : &*machine, timed, together);
    if (failed(planner.run()))
      return signalPassFailure();
    numKernels += planner.getNumKernels();
  }
};
} // namespace

LogicalResult Planner::run() {
  parameters = ParameterPlaces::assign(module);
  SmallVector<func::FuncOp> entries;
  for (auto entry : module.getOps<func::FuncOp>())
    if (entry.isPublic() && !entry.isDeclaration())
      entries.push_back(entry);
  for (func::FuncOp entry : entries)
    for (GroupOp group : entry.getOps<GroupOp>())
      if (failed(scratch.add(group)))
        return failure();
  if (timed)
    placeCounters();
  for (func::FuncOp entry : entries)
    if (failed(runOnEntry(entry)))
      return failure();
  return success();
}

/// Behind what a worker uses of its scratch memory; no group becomes two kernels.
void Planner::placeCounters() {
  int64_t counters = firstKernelCounter;
  module.walk([&](GroupOp) { ++counters; });
  int64_t offset = scratch.append(8 * counters);
  module->setAttr(countersAttr, Builder(module.getContext()).getI64IntegerAttr(offset));
}

/// The constant of the module that holds a literal; equal ones share one.
Value Planner::buildConstant(OpBuilder &at, LiteralOp literal) {
  MemRefType type = getBufferType(getTensor(literal));
  StringAttr &name = globals[literal.getValue()];
  if (!name) {
    SymbolTable table(module);
    OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
    std::string unique;
    for (size_t count = globals.size();
         table.lookup(unique = "cnn.literal" + std::to_string(count)); ++count)
      ;
    name = b.getStringAttr(unique);
    memref::GlobalOp::create(b, literal.getLoc(), name, b.getStringAttr("private"), type,
                             literal.getValue(), /*constant=*/true,
                             b.getI64IntegerAttr(bufferAlignment));
  }
  return memref::GetGlobalOp::create(at, literal.getLoc(), type, name);
}

/// The work items (on a GPU: blocks) of the kernel of an inner group. A dump may have been
/// edited: a schedule that is not legal has no number of them.
FailureOr<int64_t> Planner::getNumItems(GroupOp group) {
  auto fail = [&]() -> InFlightDiagnostic {
    return group.emitError() << "group '" << group.getName() << "': ";
  };
  if (GpuScheduleAttr attr = isForGpu() ? group.getGpuSchedule() : GpuScheduleAttr()) {
    FailureOr<GpuScheduleSpace> space = GpuScheduleSpace::get(group);
    if (failed(space) || failed(space->verify(GpuSchedule::get(attr), fail)))
      return failure();
    return space->getNumBlocks(GpuSchedule::get(attr));
  }
  NestScheduleAttr attr = isForGpu() ? NestScheduleAttr() : group.getNestSchedule();
  if (!attr)
    return group.emitError() << "group '" << group.getName() << "' has no schedule for "
                             << (isForGpu() ? "a GPU" : "a CPU");
  FailureOr<ScheduleSpace> space = ScheduleSpace::get(group, *machine, /*sliced=*/false);
  if (failed(space) || failed(space->verify(NestSchedule::get(attr), fail)))
    return failure();
  return space->getNumItems(NestSchedule::get(attr));
}

/// Groups by the stage in which they run. A GPU runs launches one after the other.
FailureOr<std::vector<Planner::Stage>> Planner::getStagesOf(func::FuncOp entry) {
  std::vector<Stage> made;
  if (isForGpu()) {
    FailureOr<std::vector<GpuLaunch>> launches = gatherGpuLaunches(entry, together);
    if (failed(launches))
      return failure();
    for (GpuLaunch &launch : *launches)
      made.push_back({launch.getGroups(), launch});
    return made;
  }
  GroupStages stages = getStages(entry, /*stateWaits=*/true);
  for (auto group : entry.getOps<GroupOp>()) {
    size_t stage = stages.at(group);
    made.resize(std::max(made.size(), stage + 1));
    made[stage].groups.push_back(group);
  }
  return made;
}

LogicalResult Planner::launch(OpBuilder &b, GroupOp group, const Buffers &buffers) {
  SmallVector<Value> arguments;
  SmallVector<Type> types;
  for (ValueRange values : {ValueRange(group.getInputs()), ValueRange(group.getResults())})
    for (Value value : values) {
      arguments.push_back(buildView(b, group.getLoc(), buffers.at(getOwner(value)),
                                    getBufferType(getTensor(value))));
      types.push_back(arguments.back().getType());
    }
  func::FuncOp kernel;
  int64_t items = 1;
  if (SliceScheduleAttr slice = group.getSliceSchedule()) {
    FailureOr<func::FuncOp> made = outliner.outlineOuter(group, types);
    if (failed(made))
      return failure();
    kernel = *made;
    items = slice.getNumItems();
  } else {
    FailureOr<int64_t> count = getNumItems(group);
    if (failed(count))
      return failure();
    items = *count;
    kernel = outliner.outline(group, types);
  }
  if (failed(counts.describe(group, kernel, /*sliced=*/false)))
    return failure();
  LaunchOp::create(b, group.getLoc(), kernel.getName(), items, arguments);
  return success();
}

/// One launch of several groups; a buffer that several of them use is passed once.
LogicalResult Planner::launchTogether(OpBuilder &b, const GpuLaunch &launch,
                                      const Buffers &buffers) {
  SmallVector<Value> arguments;
  SmallVector<Type> types;
  SmallVector<SmallVector<unsigned>> places;
  llvm::DenseMap<Value, unsigned> known;
  int64_t items = 0;
  std::string layers;
  SmallVector<GroupOp> groups = launch.getGroups();
  for (GroupOp group : groups) {
    SmallVector<unsigned> &own = places.emplace_back();
    for (ValueRange values : {ValueRange(group.getInputs()), ValueRange(group.getResults())})
      for (Value value : values) {
        Value buffer = buildView(b, group.getLoc(), buffers.at(getOwner(value)),
                                 getBufferType(getTensor(value)));
        auto [found, isNew] = known.try_emplace(buffer, arguments.size());
        if (isNew) {
          arguments.push_back(buffer);
          types.push_back(buffer.getType());
        }
        own.push_back(found->second);
      }
    FailureOr<int64_t> count = getNumItems(group);
    if (failed(count))
      return failure();
    items += *count;
    layers += (layers.empty() ? "" : ", ") + group.getName().str();
    if (group != groups.front())
      group.addReason("in the launch of '" + groups.front().getName() + "'");
  }
  func::FuncOp kernel = outliner.outlineLaunch(launch, types, places);
  for (GroupOp group : groups)
    if (failed(counts.describe(group, kernel, /*sliced=*/false)))
      return failure();
  auto made = LaunchOp::create(b, groups.front().getLoc(), kernel.getName(),
                               launch.steps.size() > 1 ? 1 : items, arguments);
  made->setAttr("cnn.layer", b.getStringAttr(layers));
  return success();
}

LogicalResult Planner::runOnEntry(func::FuncOp entry) {
  for (Operation &op : entry.getBody().front())
    if (!isa<GroupOp, ReshapeOp, ReadOp, WriteOp, LiteralOp, func::ReturnOp>(op))
      return op.emitError() << "'" << op.getName() << "' is outside of every group";
  FailureOr<std::vector<Stage>> found = getStagesOf(entry);
  if (failed(found))
    return failure();
  GroupStages stages;
  for (auto [number, stage] : llvm::enumerate(*found))
    for (GroupOp group : stage.groups)
      stages[group] = number;

  std::string name = entry.getName().str();
  EntryMemory memory(entry, machine, stages);
  counts.beginEntry(entry);
  outliner.beginEntry(name, memory);
  for (const Stage &stage : *found)
    for (GroupOp group : stage.groups)
      memory.add(group);
  int64_t arenaBytes = memory.plan();
  EntryArguments arguments(entry, parameters);
  unsigned arena = arguments.add(getBytesType(entry.getContext(), arenaBytes), "arena");
  if (!isForGpu())
    arguments.add(getBytesType(entry.getContext(), scratch.getBytes()), "scratch");

  OpBuilder b(entry);
  Location loc = entry.getLoc();
  auto planned =
      func::FuncOp::create(b, loc, name + ".planned", b.getFunctionType(arguments.getTypes(), {}));
  for (NamedAttribute attr : entry->getDiscardableAttrs())
    planned->setAttr(attr.getName(), attr.getValue());
  Block *block = arguments.addEntryBlock(planned);
  b.setInsertionPointToStart(block);
  Buffers buffers = arguments.buildBuffers(
      b, *block, [&](LiteralOp literal) { return buildConstant(b, literal); });
  for (auto [value, at] : memory.getPlaces())
    buffers[value] = buildView(b, loc, block->getArgument(arena), memory.getBuffers()[at].offset,
                               getBufferType(getTensor(value)));

  for (auto [number, stage] : llvm::enumerate(*found)) {
    if (number > 0)
      BarrierOp::create(b, loc);
    if (stage.launch && stage.groups.size() > 1) {
      if (failed(launchTogether(b, *stage.launch, buffers)))
        return failure();
      continue;
    }
    for (GroupOp group : stage.groups)
      if (failed(launch(b, group, buffers)))
        return failure();
  }
  func::ReturnOp::create(b, loc);
  planned->setAttr("cnn.plan", describeMemory(entry, memory, arenaBytes));
  planned->removeAttr(groupFlopsAttr);
  planned->setAttr(flopsAttr, b.getI64IntegerAttr(counts.getFlops()));
  entry.erase();
  planned.setName(name);
  return success();
}

/// A line for each buffer of arena and scratch, and the size of the arena.
ArrayAttr Planner::describeMemory(func::FuncOp entry, const EntryMemory &memory,
                                  int64_t arenaBytes) {
  Builder b(entry.getContext());
  SmallVector<Attribute> lines;
  auto list = [&](StringRef where, const ArenaBuffer &buffer) {
    lines.push_back(
        b.getStringAttr(llvm::formatv("{0} {1} + {2}: {3}, steps {4} to {5}", where, buffer.offset,
                                      buffer.bytes, buffer.name, buffer.first, buffer.last)
                            .str()));
  };
  for (const ArenaBuffer &buffer : memory.getBuffers())
    list("arena", buffer);
  for (GroupOp group : entry.getOps<GroupOp>())
    for (const ArenaBuffer &buffer : scratch.getBuffers(group))
      list("scratch", buffer);
  lines.push_back(b.getStringAttr(
      llvm::formatv("arena: {0} bytes, {1} in use at one time", arenaBytes, memory.getPeak())
          .str()));
  return b.getArrayAttr(lines);
}
