//===- Plan.cpp - Outline groups into kernels on buffers and plan the memory -----------------===//
//
// In: scheduled groups on tensors. Out: kernels on memrefs, and entry points that launch them on
// views of state, arena and scratch. Values are gone but inside of kernels, where `cnn.from_buffer`
// and `cnn.to_buffer` tie them to memory. Next: lowering/Tile.cpp, or nvptx/BuildGpuKernels.cpp.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/Arena.h"
#include "compiler/schedule/BatchAnalysis.h"
#include "compiler/schedule/GpuLaunches.h"
#include "compiler/schedule/GpuSchedule.h"
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Schedules.h"
#include "compiler/schedule/Stages.h"
#include "dialect/BufferPlace.h"
#include "dialect/Timing.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"

#include <map>

namespace mlir::cnn {
#define GEN_PASS_DEF_PLANPASS
#include "compiler/schedule/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

/// Alignment of every buffer, as runtime/abi/cnn_abi.h states it.
static constexpr int64_t alignment = 64;

/// The buffer type of a tensor in its layout; with `slice`, of the part of one slice.
static MemRefType getBufferType(RankedTensorType type, SliceScheduleAttr slice = {}) {
  LayoutAttr layout = getLayoutOf(type);
  SmallVector<int64_t> logical(type.getShape());
  if (slice) {
    if (logical[0] == slice.getCount() && layout.isPlain() && slice.getBlock() != 1)
      logical[0] = 1;
    else
      logical[0] = slice.getBlock();
    // What passes between the members counts the blocks of an image behind the images.
    for (size_t dim = 1; dim <= slice.getTiles().size(); ++dim)
      logical[dim] = 1;
  }
  return MemRefType::get(layout.getPhysicalShape(logical), type.getElementType());
}

/// Another view, of type `type`, of the memory of `buffer`.
static Value buildView(OpBuilder &b, Location loc, Value buffer, MemRefType type) {
  if (buffer.getType() == type)
    return buffer;
  if (auto view = buffer.getDefiningOp<memref::ViewOp>())
    return memref::ViewOp::create(b, loc, type, view.getSource(), view.getByteShift(), {});
  auto [strides, offset] = type.getStridesAndOffset();
  return memref::ReinterpretCastOp::create(b, loc, type, buffer, offset, type.getShape(), strides);
}

namespace {
struct Plan : mlir::cnn::impl::PlanPassBase<Plan> {
  using PlanPassBase::PlanPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    globals.clear();
    forGpu = isForGpu(module);
    if (forGpu && timed) {
      module.emitError() << "kernels of a GPU do not count the time spent in them";
      return signalPassFailure();
    }
    if (!forGpu) {
      FailureOr<Machine> found = Machine::get(module);
      if (failed(found))
        return signalPassFailure();
      machine = *found;
    }
    placeState(module);
    SmallVector<func::FuncOp> entries;
    for (auto entry : module.getOps<func::FuncOp>())
      if (entry.isPublic() && !entry.isDeclaration())
        entries.push_back(entry);
    // The scratch of a worker serves all outer groups of the module.
    scratchBytes = alignment;
    for (func::FuncOp entry : entries)
      for (GroupOp group : entry.getOps<GroupOp>()) {
        FailureOr<int64_t> bytes =
            group.isOuter() ? planScratch(group) : getOwnScratch(group, /*sliced=*/false);
        if (failed(bytes))
          return signalPassFailure();
        scratchBytes = std::max(scratchBytes, *bytes);
      }
    if (timed)
      placeCounters(module);
    for (func::FuncOp entry : entries)
      if (failed(runOnEntry(entry)))
        return signalPassFailure();
  }

  /// Gives every tensor its offset in the state, or in the buffer of what is prepared.
  void placeState(ModuleOp module) {
    Builder b(&getContext());
    stateBytes = preparedBytes = 0;
    places.clear();
    for (auto param : module.getOps<ParamOp>()) {
      bool prepared = param.getKind() == "prepared";
      int64_t &bytes = prepared ? preparedBytes : stateBytes;
      param->setAttr("cnn.offset", b.getI64IntegerAttr(bytes));
      places[param.getSymNameAttr()] = {prepared, bytes};
      bytes += llvm::alignTo(getBytes(getBufferType(cast<RankedTensorType>(param.getType()))),
                             alignment);
    }
    stateBytes = std::max(stateBytes, alignment);
    module->setAttr("cnn.state_bytes", b.getI64IntegerAttr(stateBytes));
  }

  /// Bytes of scratch memory that the kernel of an inner group takes beside its buffers.
  FailureOr<int64_t> getOwnScratch(GroupOp group, bool sliced) {
    if (forGpu)
      return 0;
    FailureOr<ScheduleSpace> space = ScheduleSpace::get(group, machine, sliced);
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

  /// Places what only the members of an outer group use, and what their kernels take for
  /// themselves; returns the bytes.
  FailureOr<int64_t> planScratch(GroupOp outer) {
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
          int64_t bytes = getBytes(getBufferType(getTensor(result), outer.getSliceSchedule()));
          buffers.push_back(
              {member.getName().str() + "#" + std::to_string(i), bytes, step, step, -1});
        }
        FailureOr<int64_t> own = getOwnScratch(member, /*sliced=*/true);
        if (failed(own))
          return failure();
        if (*own > 0) {
          ownScratch.push_back({member, buffers.size()});
          buffers.push_back({member.getName().str() + ".scratch", *own, step, step, -1});
        }
      }
      ++step;
    }
    int64_t total = planArena(buffers, alignment);
    for (auto [value, at] : index)
      scratchOffsets[value] = buffers[at].offset;
    for (auto [member, at] : ownScratch)
      ownScratchOffsets[member] = buffers[at].offset;
    scratchPlans[outer] = std::move(buffers);
    return total;
  }

  //===--- Timing ----------------------------------------------------------------------------===//

  /// Behind what a worker uses of its scratch memory; no group becomes two kernels.
  void placeCounters(ModuleOp module) {
    int64_t counters = firstKernelCounter;
    module.walk([&](GroupOp) { ++counters; });
    module->setAttr(countersAttr, Builder(&getContext()).getI64IntegerAttr(scratchBytes));
    scratchBytes += llvm::alignTo(8 * counters, alignment);
  }

  /// What the operations of `group` were counted under before an algorithm took it apart:
  /// `conv1.forward` of `conv1.forward.winograd_product`. Its own name where nothing was counted.
  StringRef getCountedGroup(StringRef name) {
    for (StringRef candidate = name; groupFlops && !candidate.empty();
         candidate = candidate.rsplit('.').first) {
      if (groupFlops.contains(candidate))
        return candidate;
      if (!candidate.contains('.'))
        break;
    }
    return name;
  }

  /// Counts the operations of the group at its first part; `kernel`, which computes this part, says
  /// what it is.
  LogicalResult describe(GroupOp group, func::FuncOp kernel, bool sliced) {
    Builder b(&getContext());
    StringRef counted = getCountedGroup(group.getName());
    int64_t flops = 0;
    if (auto known = groupFlops ? groupFlops.getAs<IntegerAttr>(counted) : IntegerAttr();
        known && countedGroups.insert(counted).second)
      flops = known.getInt();
    entryFlops += flops;
    if (!timed)
      return success();
    double cycles = 0;
    NamedAttrList list;
    if (auto known = kernel->getAttrOfType<DictionaryAttr>(timedAttr)) {
      flops += known.getAs<IntegerAttr>("flops").getInt();
      cycles += known.getAs<FloatAttr>("cycles").getValueAsDouble();
      list = known;
    } else {
      list.set("group", b.getStringAttr(counted));
    }
    if (NestScheduleAttr nest = group.getNestSchedule()) {
      FailureOr<ScheduleSpace> space = ScheduleSpace::get(group, machine, sliced);
      if (failed(space))
        return failure();
      cycles += space->getCycles(NestSchedule::get(nest));
      list.set("algorithm", b.getStringAttr(nest.getAlgorithm()));
      list.set("tile", b.getDenseI64ArrayAttr(nest.getTile()));
      list.set("vector", b.getI64IntegerAttr(nest.getVector()));
    } else {
      list.set("outer", b.getUnitAttr());
    }
    list.set("flops", b.getI64IntegerAttr(flops));
    list.set("cycles", b.getF64FloatAttr(cycles));
    kernel->setAttr(timedAttr, list.getDictionary(&getContext()));
    return success();
  }

  //===--- Kernels ---------------------------------------------------------------------------===//

  MemRefType getBytesType(int64_t bytes) {
    return MemRefType::get({bytes}, IntegerType::get(&getContext(), 8));
  }

  /// What a value is called in dumps: its parameter, input, or the group that gives it.
  StringAttr getValueName(Value value) {
    value = getOwner(value);
    if (auto read = value.getDefiningOp<ReadOp>())
      return read.getParamAttr().getAttr();
    if (auto group = value.getDefiningOp<GroupOp>())
      return group.getNameAttr();
    auto argument = dyn_cast<BlockArgument>(value);
    if (auto outer = argument ? dyn_cast<GroupOp>(argument.getOwner()->getParentOp()) : GroupOp())
      return getValueName(outer.getInputs()[argument.getArgNumber()]);
    if (auto entry =
            argument ? dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp()) : func::FuncOp())
      if (auto name = entry.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "cnn.name"))
        return name;
    return StringAttr::get(&getContext(), "in");
  }

  /// What the buffers of a group's kernel are called: after what it reads and gives.
  SmallVector<StringAttr> getBufferNames(GroupOp group) {
    SmallVector<StringAttr> names;
    for (Value input : group.getInputs())
      names.push_back(getValueName(input));
    names.append(group.getNumResults(), StringAttr::get(&getContext(), "out"));
    return names;
  }

  /// A private function (item, scratch, buffers...) with attribute `cnn.kernel`; the name is made
  /// unique.
  func::FuncOp makeKernel(Location loc, StringRef name, TypeRange buffers,
                          ArrayRef<StringAttr> bufferNames) {
    ModuleOp module = getOperation();
    OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
    SmallVector<Type> types = {b.getIndexType(), getBytesType(scratchBytes)};
    types.append(buffers.begin(), buffers.end());
    std::string unique = name.str();
    SymbolTable table(module);
    if (table.lookup(unique))
      unique = (name + "." + entryName).str();
    for (int count = 2; table.lookup(unique); ++count)
      unique = (name + "." + entryName + llvm::Twine(count)).str();
    auto kernel = func::FuncOp::create(b, loc, unique, b.getFunctionType(types, {}));
    kernel.setPrivate();
    kernel->setAttr("cnn.kernel", b.getUnitAttr());
    SmallVector<StringAttr> names = {b.getStringAttr("item"), b.getStringAttr("scratch")};
    llvm::append_range(names, bufferNames);
    for (auto [argument, label] : llvm::zip(kernel.addEntryBlock()->getArguments(), names))
      argument.setLoc(NameLoc::get(label, loc));
    ++numKernels;
    return kernel;
  }

  /// What two equal kernels have in common: the group without its name, and the buffers.
  std::string getKey(GroupOp group, SliceScheduleAttr slice, TypeRange buffers,
                     ArrayRef<bool> nontemporal) {
    std::string key;
    llvm::raw_string_ostream stream(key);
    GroupOp copy = group.clone();
    copy.setName("");
    copy.removeReasonAttr();
    copy->setOperands({});
    for (Operation &op : copy.getBody().front())
      op.print(stream, OpPrintingFlags().useLocalScope());
    stream << copy.getScheduleAttr() << slice << ' ' << ownScratchOffsets.lookup(group);
    llvm::interleaveComma(buffers, stream);
    llvm::interleaveComma(nontemporal, stream);
    copy->erase();
    return key;
  }

  /// The kernel of an inner group on buffers of the given types (inputs, then results), which
  /// stores to some of its results past the caches.
  func::FuncOp outline(GroupOp group, SliceScheduleAttr slice, ArrayRef<Type> buffers,
                       ArrayRef<bool> nontemporal) {
    std::string key = getKey(group, slice, buffers, nontemporal);
    auto known = kernels.find(key);
    auto isKnownAs = [&](StringRef name) {
      StringRef other = known->second.getName();
      return timed ? other == name : other.split('.').first == name.split('.').first;
    };
    if (known != kernels.end() && isKnownAs(group.getName()))
      return known->second;
    func::FuncOp kernel =
        makeKernel(group.getLoc(), group.getName(), buffers, getBufferNames(group));
    if (slice)
      kernel->setAttr("cnn.slices", slice);
    if (int64_t offset = ownScratchOffsets.lookup(group))
      kernel->setAttr("cnn.scratch_offset",
                      IntegerAttr::get(IntegerType::get(&getContext(), 64), offset));
    OpBuilder b = OpBuilder::atBlockBegin(&kernel.getBody().front());
    if (known != kernels.end()) {
      // The same code under the name of this layer.
      func::CallOp::create(b, group.getLoc(), known->second, kernel.getArguments());
    } else {
      buildGroup(b, group, kernel.getArguments().drop_front(2), nontemporal);
      kernels[key] = kernel;
    }
    func::ReturnOp::create(b, group.getLoc());
    return kernel;
  }

  /// A copy of `group` on buffers, those of its inputs first.
  static void buildGroup(OpBuilder &b, GroupOp group, ValueRange buffers,
                         ArrayRef<bool> nontemporal = {}) {
    IRMapping map;
    for (auto [input, buffer] : llvm::zip(group.getInputs(), buffers))
      map.map(input, FromBufferOp::create(b, group.getLoc(), input.getType(), buffer).getResult());
    Operation *copy = b.clone(*group, map);
    for (auto [i, buffer] : llvm::enumerate(buffers.drop_front(group.getInputs().size())))
      ToBufferOp::create(b, group.getLoc(), copy->getResult(i), buffer,
                         !nontemporal.empty() && nontemporal[i]);
  }

  /// The kernel of several groups that one launch of a GPU computes, on buffers of the given types;
  /// `places` tells for every group which of them are its own, those of its inputs first.
  func::FuncOp outlineLaunch(const GpuLaunch &launch, ArrayRef<Type> buffers,
                             ArrayRef<SmallVector<unsigned>> places) {
    SmallVector<GroupOp> groups = launch.getGroups();
    Location loc = groups.front().getLoc();
    std::string name = (groups.front().getName() + ".and." + llvm::Twine(groups.size() - 1)).str();
    SmallVector<StringAttr> names(buffers.size());
    for (auto [group, at] : llvm::zip(groups, places))
      for (auto [place, label] : llvm::zip(at, getBufferNames(group)))
        if (!names[place])
          names[place] = label;
    func::FuncOp kernel = makeKernel(loc, name, buffers, names);
    OpBuilder b = OpBuilder::atBlockBegin(&kernel.getBody().front());
    auto own = places.begin();
    for (auto [i, step] : llvm::enumerate(launch.steps)) {
      if (i > 0)
        BarrierOp::create(b, loc);
      for (GroupOp group : step) {
        SmallVector<Value> arguments;
        for (unsigned place : *own++)
          arguments.push_back(kernel.getArgument(2 + place));
        buildGroup(b, group, arguments);
      }
    }
    func::ReturnOp::create(b, loc);
    return kernel;
  }

  /// The kernel of an outer group: calls its members' kernels on views of its buffers and the
  /// scratch.
  FailureOr<func::FuncOp> outlineOuter(GroupOp outer, ArrayRef<Type> buffers) {
    SliceScheduleAttr slice = outer.getSliceSchedule();
    func::FuncOp kernel =
        makeKernel(outer.getLoc(), outer.getName(), buffers, getBufferNames(outer));
    OpBuilder b = OpBuilder::atBlockBegin(&kernel.getBody().front());
    llvm::DenseMap<Value, Value> homes;
    for (auto [i, argument] : llvm::enumerate(outer.getBody().getArguments()))
      homes[argument] = kernel.getArgument(2 + i);
    for (auto [i, value] : llvm::enumerate(outer.getYield().getValues()))
      homes[getOwner(value)] = kernel.getArgument(2 + outer.getInputs().size() + i);
    auto getBuffer = [&](Value value, Location loc) {
      Value root = getOwner(value);
      Value &home = homes[root];
      if (!home) {
        Value offset = arith::ConstantIndexOp::create(b, loc, scratchOffsets.at(root));
        home = memref::ViewOp::create(b, loc, getBufferType(getTensor(root), slice),
                                      kernel.getArgument(1), offset, {});
      }
      bool local = home.getType() == getBufferType(getTensor(root), slice) &&
                   home.getType() != getBufferType(getTensor(root));
      return buildView(b, loc, home,
                       getBufferType(getTensor(value), local ? slice : SliceScheduleAttr()));
    };
    // What the next member reads stays in the cache.
    auto passes = [&](OpResult value) {
      for (OpOperand &use : value.getUses())
        if (isa<YieldOp>(use.getOwner()) && getReaders(value).empty())
          return isNontemporal.contains(outer.getResult(use.getOperandNumber()));
      return false;
    };
    for (auto member : outer.getOps<GroupOp>()) {
      SmallVector<Value> arguments = {kernel.getArgument(0), kernel.getArgument(1)};
      SmallVector<Type> types;
      for (ValueRange values : {ValueRange(member.getInputs()), ValueRange(member.getResults())})
        for (Value value : values) {
          arguments.push_back(getBuffer(value, member.getLoc()));
          types.push_back(arguments.back().getType());
        }
      func::FuncOp made =
          outline(member, slice, types, llvm::map_to_vector(member->getResults(), passes));
      if (failed(describe(member, made, /*sliced=*/true)))
        return failure();
      func::CallOp::create(b, member.getLoc(), made, arguments);
    }
    func::ReturnOp::create(b, outer.getLoc());
    return kernel;
  }

  /// The name of the constant of the module that holds a literal; equal ones share one.
  StringRef getGlobal(LiteralOp literal) {
    StringAttr &name = globals[literal.getValue()];
    if (name)
      return name;
    ModuleOp module = getOperation();
    SymbolTable table(module);
    OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
    std::string unique;
    for (size_t count = globals.size();
         table.lookup(unique = "cnn.literal" + std::to_string(count)); ++count)
      ;
    name = b.getStringAttr(unique);
    memref::GlobalOp::create(b, literal.getLoc(), name, b.getStringAttr("private"),
                             getBufferType(getTensor(literal)), literal.getValue(),
                             /*constant=*/true, b.getI64IntegerAttr(alignment));
    return name;
  }

  /// What is neither state nor output lives in the arena, from its stage to that of its last
  /// reader; where that is a group which computes its result element by element, the result takes
  /// its place. `elsewhere` tells what lies outside of the arena.
  void placeResults(GroupOp group, int64_t stage, const GroupStages &stages,
                    std::vector<ArenaBuffer> &buffers, llvm::MapVector<Value, size_t> &inArena,
                    function_ref<bool(Value)> elsewhere) {
    for (auto [i, result] : llvm::enumerate(group.getResults())) {
      if (elsewhere(result))
        continue;
      int64_t last = getLastStage(result, stage, stages);
      std::string name = group.getName().str() + "#" + std::to_string(i);
      Value input = group.getNumResults() == 1 ? findOverwritten(group, stage, stages) : Value();
      if (auto found = inArena.find(input); input && found != inArena.end()) {
        ArenaBuffer &buffer = buffers[found->second];
        buffer.name += " then " + name;
        buffer.last = last;
        inArena[result] = found->second;
        continue;
      }
      inArena[result] = buffers.size();
      buffers.push_back({name, getBytes(getBufferType(getTensor(result))), stage, last, -1});
      if (passesCaches(buffers.back().bytes))
        isNontemporal.insert(result);
    }
  }

  /// Whether a result of its own memory takes so much of the third cache that the next stage finds
  /// little of it there: then it is written past the caches, which would fetch each line before
  /// they write it back (25 MB of 32: 0.50 in place of 0.76 ms to copy, and as much to read back;
  /// 13 MB: 0.1 ms more). A vector must be a line, or the memory sees parts of it.
  bool passesCaches(int64_t bytes) const {
    constexpr int64_t lineBits = 8 * alignment;
    return !forGpu && machine.vectorBits == lineBits && bytes > machine.level3 / 2;
  }

  /// The stage in which a value, or another view of its memory, is read for the last time.
  static int64_t getLastStage(Value value, int64_t stage, const GroupStages &stages) {
    int64_t last = stage;
    for (Operation *reader : getReaders(value))
      if (auto found = stages.find(reader); found != stages.end())
        last = std::max(last, found->second);
    return last;
  }

  /// An input that nothing but the group reads in its stage or later, and whose memory its result
  /// can take; null if there is none.
  Value findOverwritten(GroupOp group, int64_t stage, const GroupStages &stages) {
    if (group.isOuter())
      return {};
    FailureOr<GroupInfo> info = GroupInfo::get(group);
    NestScheduleAttr schedule = group.getNestSchedule();
    if (failed(info) || !group.getScheduleAttr())
      return {};
    // Lanes beyond the end of a row store to the next one, whose own elements come later.
    if (schedule && info->nest.getNumDims() > 0 &&
        info->nest.sizes[schedule.getVector()] % ScheduleSpace::getLanes(group, machine) != 0)
      return {};
    for (auto [argument, input] : llvm::enumerate(group.getInputs())) {
      auto readsLater = [&](Operation *user) {
        auto found = stages.find(user);
        return user != group && (found == stages.end() || found->second >= stage);
      };
      if (input.getDefiningOp<GroupOp>() && input.getType() == group.getResult(0).getType() &&
          llvm::count(group.getInputs(), input) == 1 &&
          llvm::none_of(input.getUsers(), readsLater) && info->mayOverwrite(argument))
        return input;
    }
    return {};
  }

  /// The work items (on a GPU: blocks) of the kernel of an inner group. A dump may have been
  /// edited: a schedule that is not legal has no number of them.
  FailureOr<int64_t> getNumItems(GroupOp group) {
    auto fail = [&]() -> InFlightDiagnostic {
      return group.emitError() << "group '" << group.getName() << "': ";
    };
    if (GpuScheduleAttr attr = forGpu ? group.getGpuSchedule() : GpuScheduleAttr()) {
      FailureOr<GpuScheduleSpace> space = GpuScheduleSpace::get(group);
      if (failed(space) || failed(space->verify(GpuSchedule::get(attr), fail)))
        return failure();
      return space->getNumBlocks(GpuSchedule::get(attr));
    }
    NestScheduleAttr attr = forGpu ? NestScheduleAttr() : group.getNestSchedule();
    if (!attr)
      return group.emitError() << "group '" << group.getName() << "' has no schedule for "
                               << (forGpu ? "a GPU" : "a CPU");
    FailureOr<ScheduleSpace> space = ScheduleSpace::get(group, machine, false);
    if (failed(space) || failed(space->verify(NestSchedule::get(attr), fail)))
      return failure();
    return space->getNumItems(NestSchedule::get(attr));
  }

  /// One launch of several groups; a buffer that several of them use is passed once.
  LogicalResult launchTogether(OpBuilder &b, const GpuLaunch &launch,
                               const llvm::DenseMap<Value, Value> &homes) {
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
          Value buffer = buildView(b, group.getLoc(), homes.at(getOwner(value)),
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
    func::FuncOp kernel = outlineLaunch(launch, types, places);
    for (GroupOp group : groups)
      if (failed(describe(group, kernel, /*sliced=*/false)))
        return failure();
    auto made = LaunchOp::create(b, groups.front().getLoc(), kernel.getName(),
                                 launch.steps.size() > 1 ? 1 : items, arguments);
    made->setAttr("cnn.layer", b.getStringAttr(layers));
    return success();
  }

  //===--- Entry points ----------------------------------------------------------------------===//

  LogicalResult runOnEntry(func::FuncOp entry) {
    entryName = entry.getName().str();
    groupFlops = entry->getAttrOfType<DictionaryAttr>(groupFlopsAttr);
    countedGroups.clear();
    entryFlops = 0;
    OpBuilder b(entry);
    Location loc = entry.getLoc();
    Block &body = entry.getBody().front();

    for (Operation &op : body)
      if (!isa<GroupOp, ReshapeOp, ReadOp, WriteOp, LiteralOp, func::ReturnOp>(op))
        return op.emitError() << "'" << op.getName() << "' is outside of every group";
    std::map<int64_t, SmallVector<GroupOp>> launches;
    GroupStages stages;
    int64_t numStages = 0;
    if (!forGpu) {
      stages = getStages(entry, /*stateWaits=*/true);
      for (auto group : entry.getOps<GroupOp>())
        launches[stages.at(group)].push_back(group);
      numStages = launches.empty() ? 0 : launches.rbegin()->first + 1;
    }

    // A GPU runs launches one after the other.
    std::vector<GpuLaunch> gpuLaunches;
    if (forGpu) {
      FailureOr<std::vector<GpuLaunch>> gathered = gatherGpuLaunches(entry, together);
      if (failed(gathered))
        return failure();
      gpuLaunches = std::move(*gathered);
      numStages = gpuLaunches.size();
      for (auto [stage, launch] : llvm::enumerate(gpuLaunches)) {
        launches[stage] = launch.getGroups();
        for (GroupOp group : launches[stage])
          stages[group] = stage;
      }
    }

    // The arguments, in the order of the C interface.
    bool reads = false, writes = false, prepares = false;
    for (Operation &op : body)
      if (isa<ReadOp, WriteOp>(op)) {
        StringAttr param = isa<ReadOp>(op) ? cast<ReadOp>(op).getParamAttr().getAttr()
                                           : cast<WriteOp>(op).getParamAttr().getAttr();
        (places.at(param).prepared ? prepares : isa<WriteOp>(op) ? writes : reads) = true;
      }
    SmallVector<Type> types;
    SmallVector<DictionaryAttr> attributes;
    auto addArgument = [&](Type type, StringRef role, StringRef name, Type tensor) {
      NamedAttrList list;
      list.set("cnn.role", b.getStringAttr(role));
      if (!name.empty())
        list.set("cnn.name", b.getStringAttr(name));
      if (tensor)
        list.set("cnn.type", TypeAttr::get(tensor));
      types.push_back(type);
      attributes.push_back(list.getDictionary(&getContext()));
      return static_cast<unsigned>(types.size() - 1);
    };
    std::optional<unsigned> stateIn, stateOut, prepared;
    if (reads || writes)
      stateIn = addArgument(getBytesType(stateBytes), "state_in", "", {});
    if (writes)
      stateOut = addArgument(getBytesType(stateBytes), "state_out", "", {});
    if (prepares)
      prepared = addArgument(getBytesType(preparedBytes), "prepared", "", {});
    SmallVector<unsigned> inputs;
    for (BlockArgument argument : entry.getArguments()) {
      auto name = entry.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "cnn.name");
      std::string label = name ? name.str() : "arg" + std::to_string(argument.getArgNumber());
      RankedTensorType type = getTensor(argument);
      inputs.push_back(addArgument(getBufferType(type), "input", label, dropLayout(type)));
    }
    // Results called x.0, x.1, ... are the elements of one output x.
    struct Output {
      std::string name;
      SmallVector<Value> elements;
      bool packed;
      unsigned argument;
    };
    SmallVector<Output> outputs;
    Operation *terminator = body.getTerminator();
    for (auto [i, value] : llvm::enumerate(terminator->getOperands())) {
      auto attr = entry.getResultAttrOfType<StringAttr>(i, "cnn.name");
      std::string name = attr ? attr.str() : "result" + std::to_string(i);
      auto [stem, number] = StringRef(name).rsplit('.');
      size_t position;
      bool packed = getTensor(value).getRank() == 0 && !number.getAsInteger(10, position);
      if (packed && position > 0 && !outputs.empty() && outputs.back().packed &&
          outputs.back().name == stem && outputs.back().elements.size() == position)
        outputs.back().elements.push_back(value);
      else
        outputs.push_back({packed ? stem.str() : name, {value}, packed, 0});
    }
    for (Output &output : outputs) {
      RankedTensorType type = dropLayout(getTensor(output.elements[0]));
      if (output.packed) {
        type = RankedTensorType::get({static_cast<int64_t>(output.elements.size())},
                                     type.getElementType());
        output.argument =
            addArgument(getBytesType(getBytes(getBufferType(type))), "output", output.name, type);
      } else {
        output.argument = addArgument(getBufferType(type), "output", output.name, type);
      }
    }

    std::vector<ArenaBuffer> buffers;
    llvm::MapVector<Value, size_t> inArena;
    llvm::DenseMap<Value, Value> written;
    llvm::SmallPtrSet<Value, 8> returned;
    for (auto write : entry.getOps<WriteOp>()) {
      written[write.getValue()] = write.getValue();
      if (passesCaches(getBytes(getBufferType(getTensor(write.getValue())))))
        isNontemporal.insert(write.getValue());
    }
    for (Value value : terminator->getOperands())
      returned.insert(value);
    for (auto &[stage, groups] : launches)
      for (GroupOp group : groups)
        placeResults(group, stage, stages, buffers, inArena, [&](Value result) {
          return written.contains(result) || returned.contains(result);
        });
    int64_t arenaBytes = std::max(planArena(buffers, alignment), alignment);
    unsigned arena = addArgument(getBytesType(arenaBytes), "arena", "", {});
    if (!forGpu)
      addArgument(getBytesType(scratchBytes), "scratch", "", {});

    auto planned =
        func::FuncOp::create(b, loc, entryName + ".planned", b.getFunctionType(types, {}));
    for (NamedAttribute attr : entry->getDiscardableAttrs())
      planned->setAttr(attr.getName(), attr.getValue());
    planned.setAllArgAttrs(attributes);
    // Arguments are called after what they hold: dumps show the names.
    Block *block = planned.addEntryBlock();
    for (auto [argument, attrs] : llvm::zip(block->getArguments(), attributes)) {
      auto name = attrs.getAs<StringAttr>("cnn.name");
      argument.setLoc(NameLoc::get(name ? name : attrs.getAs<StringAttr>("cnn.role"), loc));
    }
    b.setInsertionPointToStart(block);
    auto view = [&](unsigned source, int64_t offset, MemRefType type) -> Value {
      Value shift = arith::ConstantIndexOp::create(b, loc, offset);
      return memref::ViewOp::create(b, loc, type, block->getArgument(source), shift, {});
    };

    llvm::DenseMap<Value, Value> homes;
    for (auto [i, argument] : llvm::enumerate(entry.getArguments()))
      homes[argument] = block->getArgument(inputs[i]);
    auto viewParam = [&](FlatSymbolRefAttr param, std::optional<unsigned> state, Value value) {
      Place place = places.at(param.getAttr());
      return view(place.prepared ? *prepared : *state, place.offset,
                  getBufferType(getTensor(value)));
    };
    for (auto read : entry.getOps<ReadOp>())
      homes[read.getResult()] = viewParam(read.getParamAttr(), stateIn, read);
    for (auto literal : entry.getOps<LiteralOp>())
      homes[literal.getResult()] = memref::GetGlobalOp::create(
          b, literal.getLoc(), getBufferType(getTensor(literal)), getGlobal(literal));
    for (auto write : entry.getOps<WriteOp>())
      homes[write.getValue()] = viewParam(write.getParamAttr(), stateOut, write.getValue());
    for (Output &output : outputs)
      for (auto [i, value] : llvm::enumerate(output.elements)) {
        MemRefType type = getBufferType(getTensor(value));
        homes[value] = output.packed ? view(output.argument, i * getBytes(type), type)
                                     : Value(block->getArgument(output.argument));
      }
    for (auto [value, at] : inArena)
      homes[value] = view(arena, buffers[at].offset, getBufferType(getTensor(value)));

    int64_t position = 0;
    for (int64_t stage = 0; stage < numStages; ++stage) {
      if (position++ > 0)
        BarrierOp::create(b, loc);
      if (forGpu && launches[stage].size() > 1) {
        if (failed(launchTogether(b, gpuLaunches[stage], homes)))
          return failure();
        continue;
      }
      for (GroupOp group : launches[stage]) {
        SmallVector<Value> arguments;
        SmallVector<Type> argumentTypes;
        for (ValueRange values : {ValueRange(group.getInputs()), ValueRange(group.getResults())})
          for (Value value : values) {
            arguments.push_back(buildView(b, group.getLoc(), homes.at(getOwner(value)),
                                          getBufferType(getTensor(value))));
            argumentTypes.push_back(arguments.back().getType());
          }
        func::FuncOp kernel;
        int64_t items = 1;
        if (SliceScheduleAttr slice = group.getSliceSchedule()) {
          FailureOr<func::FuncOp> made = outlineOuter(group, argumentTypes);
          if (failed(made))
            return failure();
          kernel = *made;
          items = slice.getNumItems();
        } else {
          FailureOr<int64_t> count = getNumItems(group);
          if (failed(count))
            return failure();
          items = *count;
          kernel = outline(group, {}, argumentTypes,
                           llvm::map_to_vector(group->getResults(), [&](Value result) {
                             return isNontemporal.contains(result);
                           }));
        }
        if (failed(describe(group, kernel, /*sliced=*/false)))
          return failure();
        LaunchOp::create(b, group.getLoc(), kernel.getName(), items, arguments);
      }
    }
    func::ReturnOp::create(b, loc);

    SmallVector<Attribute> lines;
    auto list = [&](StringRef where, const ArenaBuffer &buffer) {
      lines.push_back(b.getStringAttr(llvm::formatv("{0} {1} + {2}: {3}, steps {4} to {5}", where,
                                                    buffer.offset, buffer.bytes, buffer.name,
                                                    buffer.first, buffer.last)
                                          .str()));
    };
    for (const ArenaBuffer &buffer : buffers)
      list("arena", buffer);
    for (GroupOp group : entry.getOps<GroupOp>())
      if (auto found = scratchPlans.find(group); found != scratchPlans.end())
        for (const ArenaBuffer &buffer : found->second)
          list("scratch", buffer);
    lines.push_back(b.getStringAttr(llvm::formatv("arena: {0} bytes, {1} in use at one time",
                                                  arenaBytes, getPeak(buffers, alignment))
                                        .str()));
    planned->setAttr("cnn.plan", b.getArrayAttr(lines));
    planned->removeAttr(groupFlopsAttr);
    planned->setAttr(flopsAttr, b.getI64IntegerAttr(entryFlops));

    entry.erase();
    planned.setName(entryName);
    return success();
  }

  Machine machine;
  bool forGpu = false;
  /// Where a tensor of the state, or one that is prepared, lies.
  struct Place {
    bool prepared;
    int64_t offset;
  };
  int64_t stateBytes = 0, preparedBytes = 0, scratchBytes = 0;
  std::string entryName;
  DictionaryAttr groupFlops;
  llvm::StringSet<> countedGroups;
  int64_t entryFlops = 0;
  llvm::DenseMap<StringAttr, Place> places;
  llvm::DenseMap<Value, int64_t> scratchOffsets;
  /// Results of groups that are stored past the caches.
  llvm::DenseSet<Value> isNontemporal;
  llvm::DenseMap<Operation *, int64_t> ownScratchOffsets;
  llvm::DenseMap<Operation *, std::vector<ArenaBuffer>> scratchPlans;
  llvm::StringMap<func::FuncOp> kernels;
  llvm::DenseMap<Attribute, StringAttr> globals;
};
} // namespace
