//===- Outliner.cpp - Kernels of groups ------------------------------------------------------===//

#include "compiler/schedule/Outliner.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::cnn;

//===--------------------------------------------------------------------------------------------===//
// Names
//===--------------------------------------------------------------------------------------------===//

/// What a value is called in dumps: its parameter, input, or the group that gives it.
static StringAttr getValueName(Value value) {
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
  return StringAttr::get(value.getContext(), "in");
}

/// What the buffers of a group's kernel are called: after what it reads and gives.
static SmallVector<StringAttr> getBufferNames(GroupOp group) {
  SmallVector<StringAttr> names;
  for (Value input : group.getInputs())
    names.push_back(getValueName(input));
  names.append(group.getNumResults(), StringAttr::get(group.getContext(), "out"));
  return names;
}

void Outliner::beginEntry(StringRef name, const EntryMemory &ofEntry) {
  entryName = name.str();
  memory = &ofEntry;
}

/// An empty kernel; the name is made unique.
func::FuncOp Outliner::makeKernel(Location loc, StringRef name, TypeRange buffers,
                                  ArrayRef<StringAttr> bufferNames) {
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  SmallVector<Type> types = {b.getIndexType(), getBytesType(b.getContext(), scratch.getBytes())};
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

/// What was decided for `group`, for readers of dumps: a kernel's code does not tell.
static Attribute getDecision(GroupOp group) {
  Builder b(group.getContext());
  NamedAttrList decision;
  decision.set("group", group.getNameAttr());
  if (Attribute schedule = group.getScheduleAttr())
    decision.set("schedule", schedule);
  if (StringAttr reason = group.getReasonAttr())
    decision.set("because", reason);
  decision.set("takes", b.getTypeArrayAttr(llvm::to_vector(group.getInputs().getTypes())));
  decision.set("gives", b.getTypeArrayAttr(llvm::to_vector(group.getResultTypes())));
  return decision.getDictionary(group.getContext());
}

static void setDecisions(func::FuncOp kernel, ArrayRef<GroupOp> groups) {
  Builder b(kernel.getContext());
  kernel->setAttr("cnn.decisions", b.getArrayAttr(llvm::map_to_vector(groups, getDecision)));
}

//===--------------------------------------------------------------------------------------------===//
// One group
//===--------------------------------------------------------------------------------------------===//

/// What two equal kernels have in common: the group without its name, and the buffers.
std::string Outliner::getKey(GroupOp group, SliceScheduleAttr slice, TypeRange buffers,
                             ArrayRef<bool> nontemporal) const {
  std::string key;
  llvm::raw_string_ostream stream(key);
  GroupOp copy = group.clone();
  copy.setName("");
  copy.removeReasonAttr();
  copy->setOperands({});
  for (Operation &op : copy.getBody().front())
    op.print(stream, OpPrintingFlags().useLocalScope());
  stream << copy.getScheduleAttr() << slice << ' ' << scratch.getOwnOffset(group);
  llvm::interleaveComma(buffers, stream);
  llvm::interleaveComma(nontemporal, stream);
  copy->erase();
  return key;
}

/// A copy of `group` on buffers, those of its inputs first; `nontemporal` of its results are stored
/// past the caches.
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

func::FuncOp Outliner::outline(GroupOp group, SliceScheduleAttr slice, ArrayRef<Type> buffers,
                               ArrayRef<bool> nontemporal) {
  std::string key = getKey(group, slice, buffers, nontemporal);
  auto known = kernels.find(key);
  auto isKnownAs = [&](StringRef name) {
    StringRef other = known->second.getName();
    return timed ? other == name : other.split('.').first == name.split('.').first;
  };
  if (known != kernels.end() && isKnownAs(group.getName()))
    return known->second;
  func::FuncOp kernel = makeKernel(group.getLoc(), group.getName(), buffers, getBufferNames(group));
  setDecisions(kernel, group);
  OpBuilder b = OpBuilder::atBlockBegin(&kernel.getBody().front());
  if (slice)
    kernel->setAttr("cnn.slices", slice);
  if (int64_t offset = scratch.getOwnOffset(group))
    kernel->setAttr("cnn.scratch_offset", b.getI64IntegerAttr(offset));
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

func::FuncOp Outliner::outline(GroupOp group, ArrayRef<Type> buffers) {
  return outline(group, {}, buffers, llvm::map_to_vector(group->getResults(), [&](Value result) {
                   return memory->isNontemporal(result);
                 }));
}

//===--------------------------------------------------------------------------------------------===//
// Several groups
//===--------------------------------------------------------------------------------------------===//

func::FuncOp Outliner::outlineLaunch(const GpuLaunch &launch, ArrayRef<Type> buffers,
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
  setDecisions(kernel, groups);
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

/// Members' kernels are called on views of the buffers and the scratch.
FailureOr<func::FuncOp> Outliner::outlineOuter(GroupOp outer, ArrayRef<Type> buffers) {
  SliceScheduleAttr slice = outer.getSliceSchedule();
  func::FuncOp kernel = makeKernel(outer.getLoc(), outer.getName(), buffers, getBufferNames(outer));
  setDecisions(kernel, outer);
  OpBuilder b = OpBuilder::atBlockBegin(&kernel.getBody().front());
  llvm::DenseMap<Value, Value> homes;
  for (auto [i, argument] : llvm::enumerate(outer.getBody().getArguments()))
    homes[argument] = kernel.getArgument(2 + i);
  for (auto [i, value] : llvm::enumerate(outer.getYield().getValues()))
    homes[getOwner(value)] = kernel.getArgument(2 + outer.getInputs().size() + i);
  auto getBuffer = [&](Value value, Location loc) {
    Value root = getOwner(value);
    Value &home = homes[root];
    if (!home)
      home = buildView(b, loc, kernel.getArgument(1), scratch.getOffset(root),
                       getBufferType(getTensor(root), slice));
    bool local = home.getType() == getBufferType(getTensor(root), slice) &&
                 home.getType() != getBufferType(getTensor(root));
    return buildView(b, loc, home,
                     getBufferType(getTensor(value), local ? slice : SliceScheduleAttr()));
  };
  // What the next member reads stays in the cache.
  auto passes = [&](OpResult value) {
    for (OpOperand &use : value.getUses())
      if (isa<YieldOp>(use.getOwner()) && getReaders(value).empty())
        return memory->isNontemporal(outer.getResult(use.getOperandNumber()));
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
    if (failed(counts.describe(member, made, /*sliced=*/true)))
      return failure();
    func::CallOp::create(b, member.getLoc(), made, arguments);
  }
  func::ReturnOp::create(b, outer.getLoc());
  return kernel;
}
