//===- BuildGpuKernels.cpp - A gpu.func of every kernel --------------------------------------===//
//
// In: phase `planned`: kernels that hold a group between `cnn.from_buffer` and `cnn.to_buffer`, and
// entry points that launch them. Out: the same entry points, and the kernels as gpu.funcs of
// scalar code. Next: cpu/ExpandMath.cpp, which serves every target, then LowerToNvvm.cpp.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/nvptx/Emitters.h"
#include "compiler/nvptx/Passes.h"
#include "compiler/nvptx/StepBarriers.h"
#include "compiler/schedule/GpuWork.h"
#include "dialect/BufferPlace.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::cnn {
#define GEN_PASS_DEF_BUILDGPUKERNELSPASS
#include "compiler/nvptx/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

namespace {

/// Alignment of the buffers that an entry point gets, as runtime/abi/cnn_abi.h states it.
constexpr int64_t alignment = 64;

/// Arguments of a kernel in phase `planned` before its buffers: the work item and the scratch.
constexpr unsigned firstBuffer = 2;

/// A kernel to build, and what all of its launches have in common.
struct Built {
  func::FuncOp source;
  /// Per buffer of `source`, the constant that lies in it; null for an argument.
  SmallVector<StringAttr> literals;
  gpu::GPUFuncOp function;
  /// Per argument: the alignment that all launches guarantee, whether the kernel writes it, and
  /// as which others some launch passes memory of it, too, where one of the two is written.
  SmallVector<int64_t> alignments;
  SmallVector<bool> isWritten;
  /// `shifts`: those of which not all bytes are the same.
  SmallVector<llvm::BitVector> overlaps, shifts;
  /// Whether threads meet between steps, to read what others have written.
  bool hasSteps = false;
  GpuWork work;
};

/// `name` as PTX takes it: letters, digits and underscores, and none of its own words, which have
/// no underscore.
std::string toPtxName(StringRef name) {
  std::string result;
  for (char c : name)
    result += llvm::isAlnum(c) ? c : '_';
  if (result.empty() || llvm::isDigit(result[0]))
    result = "k_" + result;
  if (result.find('_') == std::string::npos)
    result += "_kernel";
  return result;
}

struct BuildGpuKernels : mlir::cnn::impl::BuildGpuKernelsPassBase<BuildGpuKernels> {
  using BuildGpuKernelsPassBase::BuildGpuKernelsPassBase;

  void runOnOperation() override {
    if (failed(run()))
      signalPassFailure();
  }

  LogicalResult run() {
    ModuleOp module = getOperation();
    if (!isForGpu(module))
      return module.emitError() << "the module is not compiled for a GPU; its attribute "
                                << targetAttr << " must be \"nvptx\"";
    built.clear();
    order.clear();
    names.clear();
    constants.clear();
    OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
    gpuModule = gpu::GPUModuleOp::create(b, module.getLoc(), "kernels");
    SmallVector<std::pair<LaunchOp, std::string>> launches;
    for (auto entry : module.getOps<func::FuncOp>())
      if (entry.isPublic())
        for (auto launch : entry.getOps<LaunchOp>()) {
          FailureOr<std::string> key = collect(launch);
          if (failed(key))
            return failure();
          launches.push_back({launch, *key});
        }
    for (const std::string &key : order) {
      if (failed(build(built[key])))
        return failure();
      setAttributes(built[key]);
    }
    for (auto &[launch, key] : launches) {
      Built &entry = built[key];
      SmallVector<Value> operands;
      for (auto [buffer, literal] : llvm::zip(launch.getBuffers(), entry.literals))
        if (!literal)
          operands.push_back(buffer);
      if (!launch->hasAttr("cnn.layer"))
        launch->setAttr("cnn.layer", launch.getKernelAttr().getAttr());
      launch->setAttr("cnn.work", entry.work.toAttr(&getContext()));
      launch.setKernel(entry.function.getName());
      launch.getBuffersMutable().assign(operands);
    }
    for (auto function : llvm::make_early_inc_range(module.getOps<func::FuncOp>())) {
      if (function->hasAttr("cnn.kernel"))
        function.erase();
      else // literals and views of them: the kernels have their own
        for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.getBody().front())))
          if (isOpTriviallyDead(&op))
            op.erase();
    }
    for (auto global : llvm::make_early_inc_range(module.getOps<memref::GlobalOp>()))
      global.erase();
    return success();
  }

  /// The kernel whose code a launch runs: equal ones of several layers call one of them.
  FailureOr<func::FuncOp> findKernel(LaunchOp launch) {
    ModuleOp module = getOperation();
    auto kernel = module.lookupSymbol<func::FuncOp>(launch.getKernel());
    if (!kernel || kernel.isExternal())
      return launch.emitError() << "'" << launch.getKernel() << "' is no kernel of this module";
    if (auto calls = llvm::to_vector(kernel.getOps<func::CallOp>()); calls.size() == 1)
      kernel = module.lookupSymbol<func::FuncOp>(calls.front().getCallee());
    if (!kernel || kernel.getNumArguments() != launch.getBuffers().size() + firstBuffer)
      return launch.emitError() << "the launch of '" << launch.getKernel()
                                << "' passes other arguments than the kernel takes";
    return kernel;
  }

  /// Notes what a launch says of its kernel; the key of that kernel in `built`.
  FailureOr<std::string> collect(LaunchOp launch) {
    FailureOr<func::FuncOp> kernel = findKernel(launch);
    if (failed(kernel))
      return failure();
    SmallVector<BufferPlace> places;
    SmallVector<StringAttr> literals;
    SmallVector<bool> isWritten;
    std::string key = kernel->getName().str();
    for (auto [i, buffer] : llvm::enumerate(launch.getBuffers())) {
      FailureOr<BufferPlace> place = getBufferPlace(buffer);
      if (failed(place))
        return failure();
      literals.push_back(place->constant);
      if (place->constant) {
        key += (" " + place->constant.getValue() + "@" + llvm::Twine(literals.size())).str();
        continue;
      }
      places.push_back(*place);
      isWritten.push_back(
          llvm::any_of(kernel->getArgument(firstBuffer + i).getUsers(), llvm::IsaPred<ToBufferOp>));
    }
    auto [found, isNew] = built.try_emplace(key);
    Built &entry = found->second;
    if (isNew) {
      order.push_back(key);
      entry.source = *kernel;
      entry.literals = literals;
      entry.alignments.assign(places.size(), alignment);
      entry.isWritten = isWritten;
      entry.overlaps.assign(places.size(), llvm::BitVector(places.size()));
      entry.shifts = entry.overlaps;
    }
    for (auto [i, place] : llvm::enumerate(places)) {
      int64_t offset = llvm::MinAlign(place.offset, alignment);
      entry.alignments[i] = std::min(entry.alignments[i], offset);
      for (size_t j = 0; j < i; ++j)
        if ((isWritten[i] || isWritten[j]) && place.overlaps(places[j])) {
          bool isWhole = place.offset == places[j].offset && place.bytes == places[j].bytes;
          for (auto [a, b] : {std::pair(i, j), std::pair(j, i)}) {
            entry.overlaps[a].set(b);
            if (!isWhole)
              entry.shifts[a].set(b);
          }
        }
    }
    return key;
  }

  static MemRefType getFlat(MemRefType type) {
    return MemRefType::get({type.getNumElements()}, type.getElementType());
  }

  /// The constant `name` of the module as one of the gpu.module, in one dimension.
  FailureOr<memref::GlobalOp> getConstant(StringAttr name, Location loc) {
    auto &made = constants[name];
    if (made)
      return made;
    auto global = getOperation().lookupSymbol<memref::GlobalOp>(name);
    auto value = global ? dyn_cast_or_null<DenseElementsAttr>(global.getInitialValueAttr())
                        : DenseElementsAttr();
    if (!value)
      return emitError(loc) << "'" << name.getValue() << "' is no constant of this module";
    MemRefType type = getFlat(global.getType());
    OpBuilder b = OpBuilder::atBlockBegin(gpuModule.getBody());
    made = memref::GlobalOp::create(
        b, global.getLoc(), toPtxName(name.getValue()), b.getStringAttr("private"), type,
        value.reshape(RankedTensorType::get(type.getShape(), type.getElementType())),
        /*constant=*/true, b.getI64IntegerAttr(alignment));
    return made;
  }

  using Piece = KernelPiece;

  FailureOr<Piece> getPiece(GroupOp group) {
    auto fail = [&]() -> InFlightDiagnostic {
      return group.emitError() << "group '" << group.getName() << "': ";
    };
    if (!group.getGpuSchedule())
      return fail() << "has no schedule for a GPU";
    GpuSchedule schedule = GpuSchedule::get(group.getGpuSchedule());
    FailureOr<GpuScheduleSpace> space = GpuScheduleSpace::get(group);
    if (failed(space) || failed(space->verify(schedule, fail)))
      return failure();
    for (Value value : group.getYield().getValues()) {
      Operation *def = value.getDefiningOp();
      if (!def || llvm::is_contained(space->getInfo().prologue, def))
        return fail() << "yields a value that it does not compute in its kernel";
    }
    auto isBuffer = [](Value value) {
      auto argument = dyn_cast_or_null<BlockArgument>(value);
      return argument && argument.getArgNumber() >= firstBuffer;
    };
    for (Value input : group.getInputs()) {
      auto from = input.getDefiningOp<FromBufferOp>();
      if (!from || !isBuffer(from.getBuffer()))
        return fail() << "reads what lies in no buffer of its kernel";
    }
    for (Value result : group.getResults()) {
      auto to = result.hasOneUse() ? dyn_cast<ToBufferOp>(*result.user_begin()) : ToBufferOp();
      if (!to || !isBuffer(to.getBuffer()))
        return fail() << "gives what goes to no buffer of its kernel";
    }
    return Piece{group, schedule, *space};
  }

  /// The groups of a kernel, as `GpuLaunch` has them.
  FailureOr<std::vector<std::vector<Piece>>> getSteps(func::FuncOp kernel) {
    std::vector<std::vector<Piece>> steps(1);
    for (Operation &op : kernel.getBody().front()) {
      if (isa<BarrierOp>(op))
        steps.emplace_back();
      auto group = dyn_cast<GroupOp>(op);
      if (!group)
        continue;
      FailureOr<Piece> piece = getPiece(group);
      if (failed(piece))
        return failure();
      steps.back().push_back(*piece);
    }
    if (llvm::any_of(steps, [](ArrayRef<Piece> step) { return step.empty(); }))
      return kernel.emitError() << "kernel '" << kernel.getName()
                                << "' holds no group, or none between two barriers";
    for (ArrayRef<Piece> step : steps)
      for (const Piece &piece : step)
        if (piece.schedule.block != steps[0][0].schedule.block)
          return kernel.emitError()
                 << "the groups of kernel '" << kernel.getName() << "' have blocks of "
                 << steps[0][0].schedule.block << " and " << piece.schedule.block << " threads";
    return steps;
  }

  /// What the blocks of a piece do. `number`: that of the block among them; null where all blocks
  /// of the launch are its own.
  void emitPiece(Piece &piece, gpu::GPUFuncOp function, OpBuilder &b, Value number, bool inTurn,
                 ArrayRef<ElementBuilder::Buffer> all) {
    SmallVector<ElementBuilder::Buffer> buffers;
    auto add = [&](Value buffer) {
      buffers.push_back(all[cast<BlockArgument>(buffer).getArgNumber() - firstBuffer]);
    };
    for (unsigned i = 0; i < piece.group.getInputs().size(); ++i)
      add(piece.getInputBuffer(i));
    for (unsigned i = 0; i < piece.group.getNumResults(); ++i)
      add(piece.getResultBuffer(i));
    ElementBuilder e(b, piece.group, piece.space, buffers, number);
    if (piece.schedule.algorithm == "contraction")
      emitContraction(e, piece.schedule, function);
    else if (piece.schedule.algorithm == "reduce")
      emitReduce(e, piece.schedule, function, /*mayShare=*/!inTurn);
    else
      emitPoint(e, piece.schedule);
  }

  /// Every block does its part of one of `pieces`, whose first blocks are `first`: a search by the
  /// number of the block.
  void emitSideBySide(MutableArrayRef<Piece> pieces, ArrayRef<int64_t> first, OpBuilder b,
                      Value block, function_ref<void(Piece &, OpBuilder &, Value)> emit) {
    Location loc = block.getLoc();
    auto getIndex = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, loc, value);
    };
    if (pieces.size() == 1) {
      Value number =
          first[0] == 0 ? block : arith::SubIOp::create(b, loc, block, getIndex(first[0]));
      return emit(pieces[0], b, number);
    }
    size_t half = pieces.size() / 2;
    Value isBefore =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, block, getIndex(first[half]));
    auto branch = scf::IfOp::create(b, loc, isBefore, /*withElseRegion=*/true);
    emitSideBySide(pieces.take_front(half), first.take_front(half),
                   OpBuilder::atBlockBegin(branch.thenBlock()), block, emit);
    emitSideBySide(pieces.drop_front(half), first.drop_front(half),
                   OpBuilder::atBlockBegin(branch.elseBlock()), block, emit);
  }

  /// One block does the parts of all blocks, one after the other. Whether its threads meet at the
  /// end.
  bool emitInTurn(Piece &piece, OpBuilder &b,
                  function_ref<void(Piece &, OpBuilder &, Value)> emit) {
    Location loc = piece.group.getLoc();
    int64_t blocks = piece.space.getNumBlocks(piece.schedule);
    auto getIndex = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, loc, value);
    };
    if (blocks == 1) {
      emit(piece, b, getIndex(0));
      return false;
    }
    auto loop = scf::ForOp::create(b, loc, getIndex(0), getIndex(blocks), getIndex(1));
    OpBuilder inner = OpBuilder::atBlockTerminator(loop.getBody());
    emit(piece, inner, loop.getInductionVar());
    // Memory that the threads share is written again.
    if (piece.schedule.sharesMemory()) {
      inner.setInsertionPoint(loop.getBody()->getTerminator());
      gpu::BarrierOp::create(inner, loc);
    }
    return piece.schedule.sharesMemory();
  }

  /// One block computes all groups, step by step.
  void emitSteps(Built &entry, std::vector<std::vector<Piece>> &steps, OpBuilder &b,
                 function_ref<void(Piece &, OpBuilder &, Value)> emit) {
    auto getNumber = [&](Value buffer) -> int64_t {
      unsigned number = cast<BlockArgument>(buffer).getArgNumber() - firstBuffer;
      ArrayRef<StringAttr> before = ArrayRef(entry.literals).take_front(number);
      return entry.literals[number] ? -1 : llvm::count(before, StringAttr());
    };
    auto getSharing = [&](Value lhs, Value rhs) {
      int64_t i = getNumber(lhs), j = getNumber(rhs);
      if (lhs == rhs)
        return Sharing::Whole;
      if (i < 0 || j < 0 || !entry.overlaps[i].test(j))
        return Sharing::None;
      return entry.shifts[i].test(j) ? Sharing::Part : Sharing::Whole;
    };
    // What has been computed since the threads met.
    SmallVector<Piece *> computed;
    for (std::vector<Piece> &step : steps) {
      b.setInsertionPointToEnd(&entry.function.getBody().front());
      if (llvm::any_of(step, [&](Piece &after) {
            return llvm::any_of(
                computed, [&](Piece *before) { return mustMeet(*before, after, getSharing); });
          })) {
        gpu::BarrierOp::create(b, entry.source.getLoc());
        computed.clear();
      }
      for (Piece &piece : step) {
        b.setInsertionPointToEnd(&entry.function.getBody().front());
        computed.push_back(&piece);
        if (emitInTurn(piece, b, emit))
          computed.clear();
      }
    }
  }

  LogicalResult build(Built &entry) {
    func::FuncOp kernel = entry.source;
    FailureOr<std::vector<std::vector<Piece>>> steps = getSteps(kernel);
    if (failed(steps))
      return failure();

    SmallVector<Type> types;
    SmallVector<Location> locations;
    for (auto [i, literal] : llvm::enumerate(entry.literals)) {
      BlockArgument argument = kernel.getArgument(firstBuffer + i);
      if (literal)
        continue;
      types.push_back(getFlat(cast<MemRefType>(argument.getType())));
      locations.push_back(argument.getLoc());
    }
    OpBuilder b = OpBuilder::atBlockEnd(gpuModule.getBody());
    std::string name = toPtxName(kernel.getName());
    for (int count = 2; !names.insert(name).second; ++count)
      name = toPtxName(kernel.getName()) + "_" + std::to_string(count);
    entry.function = gpu::GPUFuncOp::create(b, kernel.getLoc(), name, b.getFunctionType(types, {}));
    entry.function->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
    if (Attribute decisions = kernel->getAttr("cnn.decisions"))
      entry.function->setAttr("cnn.decisions", decisions);
    entry.function.setKnownBlockSizeAttr(b.getDenseI32ArrayAttr(
        {static_cast<int32_t>(steps->front().front().schedule.block), 1, 1}));
    // Unasked, ptxas may spill registers rather than have fewer blocks at a time. Products say
    // themselves how many there should be.
    entry.function->setAttr(
        NVVM::NVVMDialect::getMinctasmAttrName(),
        b.getI32IntegerAttr(steps->front().front().schedule.block > 512 ? 1 : 2));
    Block &body = entry.function.getBody().front();
    for (auto [argument, loc] : llvm::zip(body.getArguments(), locations))
      argument.setLoc(loc);
    b.setInsertionPointToStart(&body);
    SmallVector<ElementBuilder::Buffer> buffers;
    unsigned next = 0;
    for (StringAttr literal : entry.literals) {
      if (!literal) {
        buffers.push_back({body.getArgument(next), entry.alignments[next]});
        ++next;
        continue;
      }
      FailureOr<memref::GlobalOp> global = getConstant(literal, kernel.getLoc());
      if (failed(global))
        return failure();
      Value memory =
          memref::GetGlobalOp::create(b, kernel.getLoc(), global->getType(), global->getSymName());
      buffers.push_back({memory, alignment});
    }
    bool inTurn = entry.hasSteps = steps->size() > 1;
    auto emit = [&](Piece &piece, OpBuilder &at, Value number) {
      entry.work += countWork(piece.group, piece.space, piece.schedule);
      emitPiece(piece, entry.function, at, number, inTurn, buffers);
    };
    std::vector<Piece> &first = steps->front();
    if (steps->size() == 1 && first.size() == 1) {
      emit(first.front(), b, Value());
    } else if (steps->size() == 1) {
      SmallVector<int64_t> firstBlocks;
      int64_t blocks = 0;
      for (Piece &piece : first) {
        firstBlocks.push_back(blocks);
        blocks += piece.space.getNumBlocks(piece.schedule);
      }
      Value block = gpu::BlockIdOp::create(b, kernel.getLoc(), gpu::Dimension::x);
      emitSideBySide(first, firstBlocks, b, block, emit);
    } else {
      emitSteps(entry, *steps, b, emit);
    }
    b.setInsertionPointToEnd(&body);
    gpu::ReturnOp::create(b, kernel.getLoc());
    ++numKernels;
    return success();
  }

  /// What is known of the kernel's buffers, for the backend: constant loads, vector accesses.
  void setAttributes(Built &entry) {
    Builder b(&getContext());
    using Dialect = LLVM::LLVMDialect;
    for (unsigned i = 0; i < entry.alignments.size(); ++i) {
      auto type = cast<MemRefType>(entry.function.getArgument(i).getType());
      auto set = [&](StringRef name, Attribute value) {
        entry.function.setArgAttr(i, name, value);
      };
      set(Dialect::getAlignAttrName(), b.getI64IntegerAttr(entry.alignments[i]));
      set(Dialect::getNoUndefAttrName(), b.getUnitAttr());
      set(Dialect::getNonNullAttrName(), b.getUnitAttr());
      set(Dialect::getDereferenceableAttrName(), b.getI64IntegerAttr(getBytes(type)));
      // What other threads write behind a barrier must not be read in front of it, as LLVM may do
      // where it is told that nobody else writes.
      if (entry.overlaps[i].any() || (entry.hasSteps && entry.isWritten[i]))
        continue;
      set(Dialect::getNoAliasAttrName(), b.getUnitAttr());
      if (!entry.isWritten[i])
        set(Dialect::getReadonlyAttrName(), b.getUnitAttr());
    }
  }

  gpu::GPUModuleOp gpuModule;
  llvm::StringMap<Built> built;
  /// Keys of `built` in the order in which they were made.
  std::vector<std::string> order;
  llvm::StringSet<> names;
  llvm::DenseMap<StringAttr, memref::GlobalOp> constants;
};
} // namespace
