//===- WarpRunner.cpp - What the warps of a kernel ask for, by running their integers --------===//

#include "compiler/nvptx/WarpRunner.h"
#include "compiler/schedule/GpuSchedule.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/ADT/SmallSet.h"
#include "llvm/Support/MathExtras.h"

#include <optional>

using namespace mlir;
using namespace mlir::cnn;

namespace {

constexpr int64_t sectorBytes = 32, bankBytes = 4, numBanks = 32;

/// A value of each thread of a warp; addresses count bytes, from a place of its own for each
/// memory.
using Lanes = std::array<int64_t, warpSize>;

/// One of many, and how many it stands for.
struct Sample {
  int64_t number;
  double weight;
};

/// The first and the last of `count`, which may be of another kind than those between, and two of
/// these; all of a few.
SmallVector<Sample> getSamples(int64_t count) {
  constexpr int64_t few = 4;
  SmallVector<Sample> samples;
  if (count <= few) {
    for (int64_t i = 0; i < count; ++i)
      samples.push_back({i, 1});
    return samples;
  }
  double each = static_cast<double>(count - 2) / 2;
  return {{0, 1}, {1 + (count - 2) / 3, each}, {1 + 2 * (count - 2) / 3, each}, {count - 1, 1}};
}

class WarpRunner {
public:
  explicit WarpRunner(gpu::GPUFuncOp kernel);
  /// Runs one warp, which stands for `weight` of them.
  void run(int64_t block, int64_t warp, double weight);
  const WarpCounts &getCounts() const { return counts; }

private:
  using Mask = uint32_t;
  using Known = std::optional<Lanes>;
  /// Threads of the warp that access memory by one instruction: bytes of each.
  struct Access {
    Lanes addresses;
    Mask mask;
    int64_t bytes;
  };

  void runBlock(Block &block, Mask mask);
  void runOp(Operation &op, Mask mask);
  void runFor(scf::ForOp loop, Mask mask);
  void runIf(scf::IfOp branch, Mask mask);
  void copy(NVVM::CpAsyncOp op, Mask mask);
  Known compute(Operation &op);
  void issue(Operation &op);
  void load(Value base, ValueRange indices, Type type, Mask mask);
  void access(Value base, ValueRange indices, Type type, Mask mask, bool merges = false);
  void countAccess(const Access &access, bool shared);
  void flush();

  Known &get(Value value) { return values[value]; }
  /// How many loops deep a value changes.
  unsigned getLevel(Value value) { return levels.lookup(value); }

  gpu::GPUFuncOp kernel;
  WarpCounts counts;
  llvm::DenseMap<Value, Known> values;
  llvm::DenseMap<Value, unsigned> levels;
  /// How often what is run now happens, by how many loops it depends on; and whether it is the
  /// first iteration of all loops from there on.
  SmallVector<double> weights;
  SmallVector<bool> isFirst;
  int64_t blockNumber = 0, warpNumber = 0;
  /// Loads of shared memory that go on where the one before ends are one instruction.
  std::optional<Access> open;
  /// What is only read, and the elements of it that have been loaded by the blocks around.
  llvm::DenseSet<Value> constants;
  SmallVector<llvm::DenseSet<std::pair<Value, Value>>> loaded;
};

} // namespace

static bool isShared(Type type) {
  if (auto memory = dyn_cast<MemRefType>(type))
    return isa_and_nonnull<gpu::AddressSpaceAttr>(memory.getMemorySpace());
  if (auto pointer = dyn_cast<LLVM::LLVMPointerType>(type))
    return pointer.getAddressSpace() == 3;
  return false;
}

static int64_t getValueBytes(Type type) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.getNumElements() * getValueBytes(vector.getElementType());
  return llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
}

static bool isInteger(Type type) { return isa<IndexType, IntegerType>(type); }

static int64_t getWidth(Type type) {
  return isa<IndexType>(type) ? 64 : type.getIntOrFloatBitWidth();
}

/// The instructions that an operation becomes. Conversions of indices, and what only names parts of
/// registers, are none; additions go along with a multiplication, conjunctions with a comparison.
static double getInstructions(Operation &op) {
  if (op.hasTrait<OpTrait::ConstantLike>() || op.hasTrait<OpTrait::IsTerminator>() ||
      isa<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtUIOp, arith::ExtSIOp, arith::TruncIOp,
          arith::BitcastOp, UnrealizedConversionCastOp, LLVM::AddrSpaceCastOp, LLVM::BitcastOp,
          LLVM::PoisonOp, LLVM::ExtractValueOp, LLVM::ExtractElementOp, LLVM::InsertElementOp,
          vector::ExtractOp, vector::FromElementsOp, vector::ShapeCastOp, memref::GetGlobalOp,
          gpu::ThreadIdOp, gpu::BlockIdOp, gpu::ReturnOp>(op))
    return 0;
  if (isa<arith::AddIOp>(op) && llvm::any_of(op.getOperands(), [](Value operand) {
        return operand.getDefiningOp<arith::MulIOp>() && operand.hasOneUse();
      }))
    return 0;
  if (isa<arith::AndIOp>(op) && op.getResult(0).getType().isInteger(1))
    return 0;
  if (isa<arith::DivUIOp, arith::RemUIOp>(op)) {
    // By a constant: a shift or mask, or a multiplication whose upper half counts, and what is
    // left.
    APInt divisor;
    if (matchPattern(op.getOperand(1), m_ConstantInt(&divisor)) && divisor.isPowerOf2())
      return 1;
    return isa<arith::DivUIOp>(op) ? 2 : 4;
  }
  // A reciprocal or root, made exact by a few multiply-adds.
  if (isa<arith::DivFOp, math::SqrtOp>(op))
    return 8;
  return 1;
}

WarpRunner::WarpRunner(gpu::GPUFuncOp kernel) : kernel(kernel) {
  // Places apart, further than anything reaches.
  constexpr int64_t apart = int64_t(1) << 40;
  int64_t number = 0;
  auto place = [&](Value memory) {
    // No better aligned than it has to be.
    int64_t alignment = sectorBytes;
    if (auto argument = dyn_cast<BlockArgument>(memory);
        argument && argument.getArgNumber() < kernel.getNumArguments())
      if (auto attr = kernel.getArgAttrOfType<IntegerAttr>(argument.getArgNumber(),
                                                           LLVM::LLVMDialect::getAlignAttrName()))
        alignment = attr.getInt();
    if (auto argument = dyn_cast<BlockArgument>(memory);
        argument && argument.getArgNumber() < kernel.getNumArguments() &&
        kernel.getArgAttr(argument.getArgNumber(), LLVM::LLVMDialect::getReadonlyAttrName()))
      constants.insert(memory);
    get(memory).emplace().fill(apart * ++number + alignment % sectorBytes);
  };
  llvm::for_each(kernel.getBody().getArguments(), place);
  kernel.walk([&](memref::GetGlobalOp op) { place(op.getResult()); });
  // How many loops deep every value changes; operations stand behind what they use.
  auto setLevels = [&](auto &self, Block &block, unsigned depth) -> void {
    for (Operation &op : block) {
      unsigned level = 0;
      if (!isMemoryEffectFree(&op) || op.getNumRegions() > 0)
        level = depth;
      for (Value operand : op.getOperands())
        level = std::max(level, levels.lookup(operand));
      for (Value result : op.getResults())
        levels[result] = level;
      bool isLoop = isa<scf::ForOp>(op);
      for (Region &region : op.getRegions())
        for (Block &inner : region) {
          for (BlockArgument argument : inner.getArguments())
            levels[argument] = depth + 1;
          self(self, inner, depth + isLoop);
        }
    }
  };
  setLevels(setLevels, kernel.getBody().front(), 0);
}

void WarpRunner::run(int64_t block, int64_t warp, double weight) {
  blockNumber = block;
  warpNumber = warp;
  weights = {weight};
  isFirst = {true};
  loaded.clear();
  ArrayRef<int32_t> extents = kernel.getKnownBlockSizeAttr().asArrayRef();
  int64_t threads = llvm::product_of(extents) - warp * warpSize;
  runBlock(kernel.getBody().front(), threads >= warpSize ? ~Mask(0) : (Mask(1) << threads) - 1);
  flush();
}

/// Counts the instructions of an operation, where it stands once what does not change in a loop
/// stands before it.
void WarpRunner::issue(Operation &op) {
  double number = getInstructions(op);
  if (number == 0)
    return;
  unsigned level = weights.size() - 1;
  if (!isMemoryEffectFree(&op))
    flush();
  else if (op.getNumRegions() == 0) {
    level = 0;
    for (Value operand : op.getOperands())
      level = std::max(level, getLevel(operand));
    for (unsigned deeper = level + 1; deeper < isFirst.size(); ++deeper)
      if (!isFirst[deeper])
        return;
  }
  counts.instructions += number * weights[level];
}

void WarpRunner::runBlock(Block &block, Mask mask) {
  loaded.emplace_back();
  for (Operation &op : block)
    runOp(op, mask);
  loaded.pop_back();
}

void WarpRunner::runFor(scf::ForOp loop, Mask mask) {
  Known first = get(loop.getLowerBound()), last = get(loop.getUpperBound()),
        step = get(loop.getStep());
  Lanes trips = {};
  int64_t most = 0;
  for (int64_t lane = 0; lane < warpSize; ++lane)
    if (first && last && step && (mask >> lane & 1) && (*last)[lane] > (*first)[lane]) {
      trips[lane] = llvm::divideCeil((*last)[lane] - (*first)[lane], (*step)[lane]);
      most = std::max(most, trips[lane]);
    }
  flush();
  for (Value argument : loop.getRegionIterArgs())
    get(argument).reset();
  for (auto [index, sample] : llvm::enumerate(getSamples(most))) {
    Lanes number;
    Mask inside = 0;
    for (int64_t lane = 0; lane < warpSize; ++lane) {
      number[lane] = (*first)[lane] + sample.number * (*step)[lane];
      inside |= Mask(sample.number < trips[lane]) << lane;
    }
    get(loop.getInductionVar()) = number;
    weights.push_back(weights.back() * sample.weight);
    isFirst.push_back(index == 0);
    counts.instructions += weights.back(); // the branch back; short bodies are unrolled
    runBlock(*loop.getBody(), inside);
    flush();
    weights.pop_back();
    isFirst.pop_back();
  }
  for (Value result : loop.getResults())
    get(result).reset();
}

void WarpRunner::runIf(scf::IfOp branch, Mask mask) {
  flush();
  Known condition = get(branch.getCondition());
  Mask holds = mask;
  for (int64_t lane = 0; condition && lane < warpSize; ++lane)
    if (!((*condition)[lane] & 1))
      holds &= ~(Mask(1) << lane);
  if (holds)
    runBlock(*branch.thenBlock(), holds);
  flush();
  Mask others = mask & ~holds;
  if (others && branch.elseBlock())
    runBlock(*branch.elseBlock(), others);
  flush();
  for (Value result : branch.getResults())
    get(result).reset();
}

/// What an operation on integers gives; nothing of others, and where an operand is not known.
WarpRunner::Known WarpRunner::compute(Operation &op) {
  if (op.getNumResults() != 1)
    return {};
  Type type = op.getResult(0).getType();
  Lanes result;
  APInt constant;
  if (isa<gpu::ThreadIdOp, gpu::BlockIdOp>(op)) {
    // Grids and blocks have one dimension.
    for (int64_t lane = 0; lane < warpSize; ++lane)
      result[lane] = isa<gpu::BlockIdOp>(op) ? blockNumber : warpNumber * warpSize + lane;
    return result;
  }
  if (matchPattern(&op, m_ConstantInt(&constant))) {
    result.fill(constant.getSExtValue());
    return result;
  }
  SmallVector<const Lanes *, 3> operands;
  for (Value operand : op.getOperands()) {
    Known &known = get(operand);
    if (!known)
      return {};
    operands.push_back(&*known);
  }
  if (operands.empty())
    return {};
  if (isa<UnrealizedConversionCastOp, LLVM::AddrSpaceCastOp>(op))
    return *operands[0];
  if (auto element = dyn_cast<LLVM::GEPOp>(op)) {
    if (operands.size() != 2)
      return {};
    int64_t bytes = getValueBytes(element.getElemType());
    for (int64_t lane = 0; lane < warpSize; ++lane)
      result[lane] = (*operands[0])[lane] + bytes * (*operands[1])[lane];
    return result;
  }
  if (!isInteger(type))
    return {};
  int64_t width = getWidth(op.getOperand(0).getType());
  auto withoutSign = [&](int64_t value) -> uint64_t {
    return width == 64 ? value : value & ((int64_t(1) << width) - 1);
  };
  auto apply = [&](int64_t lane) -> std::optional<int64_t> {
    int64_t a = (*operands[0])[lane], b = operands.size() > 1 ? (*operands[1])[lane] : 0;
    uint64_t ua = withoutSign(a), ub = withoutSign(b);
    if (auto compare = dyn_cast<arith::CmpIOp>(op))
      return arith::applyCmpPredicate(compare.getPredicate(), APInt(width, ua), APInt(width, ub));
    if (isa<arith::SelectOp>(op))
      return a & 1 ? b : (*operands[2])[lane];
    if (isa<arith::IndexCastOp, arith::ExtSIOp, arith::TruncIOp>(op))
      return a;
    if (isa<arith::IndexCastUIOp, arith::ExtUIOp>(op))
      return ua;
    if (isa<arith::AddIOp>(op))
      return a + b;
    if (isa<arith::SubIOp>(op))
      return a - b;
    if (isa<arith::MulIOp>(op))
      return a * b;
    if (isa<arith::AndIOp>(op))
      return a & b;
    if (isa<arith::OrIOp>(op))
      return a | b;
    if (isa<arith::XOrIOp>(op))
      return a ^ b;
    if (isa<arith::MaxSIOp>(op))
      return std::max(a, b);
    if (isa<arith::MinSIOp>(op))
      return std::min(a, b);
    if (isa<arith::DivUIOp>(op) && ub != 0)
      return ua / ub;
    if (isa<arith::RemUIOp>(op) && ub != 0)
      return ua % ub;
    if (isa<arith::ShLIOp>(op) && ub < static_cast<uint64_t>(width))
      return static_cast<int64_t>(ua << ub);
    if (isa<arith::ShRUIOp>(op) && ub < static_cast<uint64_t>(width))
      return ua >> ub;
    return {};
  };
  int64_t resultWidth = getWidth(type);
  for (int64_t lane = 0; lane < warpSize; ++lane) {
    std::optional<int64_t> value = apply(lane);
    if (!value)
      return {};
    result[lane] = resultWidth == 64 ? *value : llvm::SignExtend64(*value, resultWidth);
  }
  return result;
}

void WarpRunner::countAccess(const Access &access, bool shared) {
  double weight = weights.back();
  if (!shared) {
    llvm::SmallSet<int64_t, 32> sectors;
    for (int64_t lane = 0; lane < warpSize; ++lane)
      if (access.mask >> lane & 1)
        for (int64_t byte = access.addresses[lane] / sectorBytes;
             byte <= (access.addresses[lane] + access.bytes - 1) / sectorBytes; ++byte)
          sectors.insert(byte);
    counts.requests += weight;
    counts.sectors += weight * sectors.size();
    return;
  }
  // Of wide accesses, a half or a quarter of the warp at a time.
  int64_t together = std::min(warpSize, warpSize * bankBytes / access.bytes);
  for (int64_t first = 0; first < warpSize; first += together) {
    std::array<llvm::SmallSet<int64_t, 8>, numBanks> banks;
    size_t most = 0;
    for (int64_t lane = first; lane < first + together; ++lane)
      if (access.mask >> lane & 1)
        for (int64_t word = access.addresses[lane] / bankBytes;
             word <= (access.addresses[lane] + access.bytes - 1) / bankBytes; ++word) {
          auto &bank = banks[word % numBanks];
          bank.insert(word);
          most = std::max<size_t>(most, bank.size());
        }
    counts.passes += weight * most;
  }
}

/// Counts the load of shared memory that others may have gone on from.
void WarpRunner::flush() {
  if (open) {
    counts.instructions += weights.back();
    countAccess(*open, /*shared=*/true);
  }
  open.reset();
}

/// An access to `type` at an element of a memref, or where a pointer points to. `merges`: the
/// backend makes one of it and those behind it.
void WarpRunner::access(Value base, ValueRange indices, Type type, Mask mask, bool merges) {
  Access made = {{}, mask, getValueBytes(type)};
  Known start = get(base), index;
  int64_t bytes = 0;
  if (auto memory = dyn_cast<MemRefType>(base.getType()))
    bytes = getValueBytes(memory.getElementType());
  if (!indices.empty())
    index = get(indices.front());
  // An address that comes out of memory or of floating-point numbers would be anywhere.
  if (!start || indices.size() > 1 || (!indices.empty() && !index))
    mask = 0;
  for (int64_t lane = 0; mask && lane < warpSize; ++lane)
    made.addresses[lane] = (*start)[lane] + (index ? bytes * (*index)[lane] : 0);
  bool shared = isShared(base.getType());
  if (!merges || !shared || mask == 0) {
    flush();
    counts.instructions += weights.back();
    if (mask)
      countAccess(made, shared);
    return;
  }
  constexpr int64_t widest = 16;
  if (open && open->mask == mask && open->bytes + made.bytes <= widest &&
      llvm::all_of(llvm::seq(warpSize), [&](int64_t lane) {
        return !(mask >> lane & 1) ||
               (made.addresses[lane] == open->addresses[lane] + open->bytes &&
                open->addresses[lane] % llvm::PowerOf2Ceil(open->bytes + made.bytes) == 0);
      })) {
    open->bytes += made.bytes;
    return;
  }
  flush();
  open = made;
}

/// What nobody writes is loaded once, before the loops in which its index does not change.
void WarpRunner::load(Value base, ValueRange indices, Type type, Mask mask) {
  if (!constants.contains(base) || indices.size() != 1)
    return access(base, indices, type, mask, /*merges=*/true);
  std::pair<Value, Value> element = {base, indices.front()};
  unsigned level = getLevel(indices.front());
  for (const auto &before : loaded)
    if (before.contains(element))
      return;
  loaded.back().insert(element);
  for (unsigned deeper = level + 1; deeper < isFirst.size(); ++deeper)
    if (!isFirst[deeper])
      return;
  flush();
  weights.push_back(weights[level]);
  access(base, indices, type, mask);
  weights.pop_back();
}

/// A copy to shared memory writes there and reads from global memory; of nothing, where its last
/// operand says so.
void WarpRunner::copy(NVVM::CpAsyncOp op, Mask mask) {
  Type type = IntegerType::get(op.getContext(), 8 * op.getSize());
  access(op.getDst(), {}, type, mask);
  Known given;
  if (Value size = op.getCpSize())
    given = get(size);
  for (int64_t lane = 0; given && lane < warpSize; ++lane)
    if ((*given)[lane] == 0)
      mask &= ~(Mask(1) << lane);
  // The same instruction.
  counts.instructions -= weights.back();
  access(op.getSrc(), {}, type, mask);
}

void WarpRunner::runOp(Operation &op, Mask mask) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return runFor(loop, mask);
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    issue(op);
    return runIf(branch, mask);
  }
  if (auto load = dyn_cast<memref::LoadOp>(op))
    return this->load(load.getMemRef(), load.getIndices(), load.getType(), mask);
  if (auto store = dyn_cast<memref::StoreOp>(op))
    return access(store.getMemRef(), store.getIndices(), store.getValue().getType(), mask);
  if (auto load = dyn_cast<vector::LoadOp>(op))
    return this->load(load.getBase(), load.getIndices(), load.getType(), mask);
  if (auto store = dyn_cast<vector::StoreOp>(op))
    return access(store.getBase(), store.getIndices(), store.getValueToStore().getType(), mask);
  if (auto load = dyn_cast<LLVM::LoadOp>(op))
    return access(load.getAddr(), {}, load.getType(), mask);
  if (auto store = dyn_cast<LLVM::StoreOp>(op))
    return access(store.getAddr(), {}, store.getValue().getType(), mask);
  if (auto load = dyn_cast<NVVM::LdMatrixOp>(op)) // each lane gives the address of a row
    return access(load.getPtr(), {}, IntegerType::get(op.getContext(), 128), mask);
  if (auto asynchronous = dyn_cast<NVVM::CpAsyncOp>(op))
    return copy(asynchronous, mask);
  issue(op);
  if (isa<memref::GetGlobalOp>(op))
    return;
  Known result = compute(op);
  for (Value each : op.getResults())
    get(each) = result;
}

/// The blocks where another group of the kernel begins: what the number of the block is compared
/// with, in order; the first is 0.
static SmallVector<int64_t> getFirstBlocks(gpu::GPUFuncOp kernel) {
  SmallVector<int64_t> firsts = {0};
  kernel.walk([&](arith::CmpIOp op) {
    APInt bound;
    if (op.getLhs().getDefiningOp<gpu::BlockIdOp>() &&
        matchPattern(op.getRhs(), m_ConstantInt(&bound)))
      firsts.push_back(bound.getSExtValue());
  });
  llvm::sort(firsts);
  firsts.erase(llvm::unique(firsts), firsts.end());
  return firsts;
}

WarpCounts mlir::cnn::countWarps(gpu::GPUFuncOp kernel, int64_t blocks) {
  WarpRunner runner(kernel);
  int64_t warps =
      llvm::divideCeil(llvm::product_of(kernel.getKnownBlockSizeAttr().asArrayRef()), warpSize);
  SmallVector<int64_t> firsts = getFirstBlocks(kernel);
  firsts.push_back(blocks);
  for (auto [first, end] : llvm::zip(ArrayRef(firsts).drop_back(), ArrayRef(firsts).drop_front()))
    for (Sample block : getSamples(std::max<int64_t>(end - first, 0)))
      for (Sample warp : getSamples(warps))
        runner.run(first + block.number, warp.number, block.weight * warp.weight);
  return runner.getCounts();
}
