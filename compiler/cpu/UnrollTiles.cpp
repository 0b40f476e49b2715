//===- UnrollTiles.cpp - Register tiles to machine vectors -----------------------------------===//
//
// In: kernels of phase `tiled`, with n-D vectors whose last dimension is the lanes. Out: the same
// loops on 1-D vectors and scalars. The next pass is cnn-expand-math.
//
// A tile is a list of rows, one per machine vector, and a row is made (TileRows.h) when something
// asks for it: at the end of a block, at a store, at a fused multiply-add. What is asked for row by
// row is emitted row by row, from the loads on, so that few values live at a time. Multiply-adds
// alone are emitted where they stand, all rows of them (ChainOrder.h): they are what the
// accumulators wait for.
//
//   tiled                                   vector (6 channels x 4 pixels x 16 images)
//   %w = tile_load  -> vector<6x4x16xf32>    %w0 = load, broadcast
//   %x = tile_load  -> vector<6x4x16xf32>    %x0 = vector.load  %a0 = math.fma %x0, %w0, %acc0
//   %a = math.fma %x, %w, %acc               %x1 = vector.load  %a1 = math.fma %x1, %w0, %acc1 ...
//                                            %w1 = load, broadcast ...
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/cpu/Passes.h"
#include "compiler/cpu/TileRows.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace mlir::cnn {
#define GEN_PASS_DEF_UNROLLTILESPASS
#include "compiler/cpu/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

namespace {

using Values = SmallVector<Value>;

/// Follows views to the buffer they are of.
Value getRoot(Value buffer) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = view.getViewSource();
  return buffer;
}

/// The bytes of a view at a constant offset of a byte buffer.
std::optional<std::pair<int64_t, int64_t>> getRange(Value buffer) {
  auto view = buffer.getDefiningOp<memref::ViewOp>();
  APInt offset;
  if (!view || !matchPattern(view.getByteShift(), m_ConstantInt(&offset)) ||
      !view.getType().hasStaticShape() || !isa<BlockArgument>(view.getSource()))
    return std::nullopt;
  int64_t bytes = (view.getType().getElementTypeBitWidth() + 7) / 8;
  int64_t begin = offset.getSExtValue();
  return std::make_pair(begin, begin + view.getType().getNumElements() * bytes);
}

/// Whether the buffers can share bytes. Different arguments of a kernel do not.
bool mayOverlap(Value lhs, Value rhs) {
  if (getRoot(lhs) != getRoot(rhs))
    return false;
  auto left = getRange(lhs), right = getRange(rhs);
  return !left || !right || (left->first < right->second && right->first < left->second);
}

/// Rewrites one function.
class Unroller {
public:
  explicit Unroller(func::FuncOp function)
      : values(&function.front()), builder(function.getContext()), rows(values, builder) {}

  LogicalResult run(Block &block);
  void eraseOld();
  const TileRows &getRows() const { return rows; }

private:
  LogicalResult rewrite(Operation &op);
  LogicalResult rewriteFor(scf::ForOp loop);
  LogicalResult rewriteIf(scf::IfOp branch);
  LogicalResult rewriteStore(TileStoreOp store);
  LogicalResult rewriteSimple(Operation &op);
  LogicalResult addTile(Operation &op);
  Values enter(Operation &op, ValueRange operands = {});
  void forceUsesInside(Operation &op);
  void forceLoads(llvm::function_ref<bool(Value)> isWritten);

  FunctionValues values;
  OpBuilder builder;
  TileRows rows;
  /// Loads of the enclosing blocks that may have rows still to be made.
  SmallVector<TileLoadOp> pending;
  SmallVector<Operation *> old;
};

/// Makes the tiles of outside that the regions of `op` use, so that they are made once.
void Unroller::forceUsesInside(Operation &op) {
  op.walk([&](Operation *inner) {
    if (inner == &op)
      return;
    for (Value operand : inner->getOperands())
      if (isa<VectorType>(operand.getType()) && rows.contains(operand) &&
          !op.isAncestor(operand.getParentBlock()->getParentOp()))
        rows.flatten(operand);
  });
}

/// Makes the rows of pending loads whose buffers are about to be written.
void Unroller::forceLoads(llvm::function_ref<bool(Value)> isWritten) {
  llvm::erase_if(pending, [&](TileLoadOp load) {
    if (!isWritten(load.getBuffer()))
      return false;
    rows.flatten(load.getResult());
    return true;
  });
}

//===--------------------------------------------------------------------------------------------===//
// Operations
//===--------------------------------------------------------------------------------------------===//

LogicalResult Unroller::run(Block &block) {
  size_t numPending = pending.size();
  for (Operation &op : llvm::make_early_inc_range(block)) {
    builder.setInsertionPoint(&op);
    if (failed(rewrite(op)))
      return failure();
  }
  if (pending.size() > numPending)
    pending.truncate(numPending);
  rows.dropChain();
  return success();
}

bool isTile(Type type) { return isa<VectorType>(type); }

LogicalResult Unroller::rewrite(Operation &op) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return rewriteFor(loop);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return rewriteIf(branch);
  if (auto yield = dyn_cast<scf::YieldOp>(op)) {
    yield->setOperands(rows.flatten(yield.getOperands()));
    return success();
  }
  if (auto store = dyn_cast<TileStoreOp>(op))
    return rewriteStore(store);
  bool hasTiles =
      llvm::any_of(op.getOperandTypes(), isTile) || llvm::any_of(op.getResultTypes(), isTile);
  if (!hasTiles) {
    if (op.getNumRegions() > 0)
      return op.emitOpError() << "cannot stand in a kernel with register tiles; expected scf.for "
                                 "or scf.if";
    if (auto store = dyn_cast<memref::StoreOp>(op))
      forceLoads([&](Value buffer) { return mayOverlap(buffer, store.getMemRef()); });
    else if (!isMemoryEffectFree(&op) && !isa<memref::LoadOp, memref::PrefetchOp>(op))
      forceLoads([](Value) { return true; });
    return success();
  }
  return addTile(op);
}

/// Notes an operation whose rows are made on demand.
LogicalResult Unroller::addTile(Operation &op) {
  bool isElementwise = OpTrait::hasElementwiseMappableTraits(&op) &&
                       llvm::all_of(op.getResultTypes(), isTile) && isMemoryEffectFree(&op);
  if (!isElementwise && !isa<TileLoadOp, TilePickOp, TileJoinOp, TileIndexOp, TileReduceOp,
                             vector::BroadcastOp, arith::ConstantOp>(op))
    return rewriteSimple(op);

  for (Value result : op.getResults()) {
    auto load = dyn_cast<TileLoadOp>(op);
    if (!load) {
      rows.add(result);
      continue;
    }
    auto access =
        MachineAccess::get(load, load.getBuffer(), load.getIndices(), load.getMap(),
                           load.getGuard(), load.getZeros(), cast<VectorType>(result.getType()));
    if (failed(access))
      return failure();
    rows.add(result, std::make_unique<MachineAccess>(std::move(*access)));
    pending.push_back(load);
  }
  old.push_back(&op);
  if (isa<math::FmaOp, vector::FMAOp>(op) && !op.hasAttr("cnn.on_demand"))
    rows.addToChain(&op);
  return success();
}

/// An operation that this pass does not know is kept if its vectors are machine vectors already.
LogicalResult Unroller::rewriteSimple(Operation &op) {
  for (Type type : llvm::concat<const Type>(op.getOperandTypes(), op.getResultTypes()))
    if (auto vector = dyn_cast<VectorType>(type); vector && getMachineType(vector) != vector)
      return op.emitOpError() << "on the register tile " << vector << " is not supported";
  if (op.getNumRegions() > 0)
    return op.emitOpError() << "with register tiles is not supported";
  if (!isMemoryEffectFree(&op))
    forceLoads([](Value) { return true; });
  op.setOperands(rows.flatten(op.getOperands()));
  for (Value result : op.getResults())
    if (isTile(result.getType()))
      rows.bind(result, result);
  return success();
}

LogicalResult Unroller::rewriteStore(TileStoreOp store) {
  auto type = cast<VectorType>(store.getValue().getType());
  auto access = MachineAccess::get(store, store.getBuffer(), store.getIndices(), store.getMap(),
                                   store.getGuard(), /*zeros=*/{}, type);
  if (failed(access))
    return failure();
  forceLoads([&](Value buffer) { return mayOverlap(buffer, store.getBuffer()); });
  bool accumulate = store.getAccumulate();
  ArrayRef<int64_t> slots = access->getSlots();
  if (accumulate && access->hasDisjointSlots()) {
    // What falls on one vector is added up in a register, in the order of rows.
    SmallVector<SmallVector<int64_t>> rowsOf(access->getNumSlots());
    for (auto [row, slot] : llvm::enumerate(slots))
      rowsOf[slot].push_back(row);
    for (ArrayRef<int64_t> together : rowsOf) {
      Values addends;
      for (int64_t row : together)
        addends.push_back(rows.getRow(store.getValue(), row));
      access->store(builder, values, together.front(), addends, accumulate,
                    /*nontemporal=*/false);
    }
  } else {
    for (int64_t row = 0; row < getNumRows(type); ++row)
      access->store(builder, values, row, rows.getRow(store.getValue(), row), accumulate,
                    store.getNontemporal());
  }
  old.push_back(store);
  return success();
}

/// Makes what must be there before the regions of `op` run; returns the rows of `operands`.
Values Unroller::enter(Operation &op, ValueRange operands) {
  rows.emitChain();
  forceUsesInside(op);
  Values flat = rows.flatten(operands);
  SmallVector<Value> written;
  bool unknown = false;
  op.walk([&](Operation *inner) {
    if (auto store = dyn_cast<TileStoreOp>(inner))
      written.push_back(store.getBuffer());
    else if (auto store = dyn_cast<memref::StoreOp>(inner))
      written.push_back(store.getMemRef());
    else if (!isa<scf::ForOp, scf::IfOp, TileLoadOp, memref::LoadOp, memref::PrefetchOp>(inner) &&
             !isMemoryEffectFree(inner))
      unknown = true;
  });
  forceLoads([&](Value buffer) {
    return unknown || llvm::any_of(written, [&](Value other) { return mayOverlap(buffer, other); });
  });
  return flat;
}

LogicalResult Unroller::rewriteFor(scf::ForOp loop) {
  Values inits = enter(*loop, loop.getInitArgs());
  if (llvm::none_of(loop.getResultTypes(), isTile))
    return run(*loop.getBody());

  auto made = scf::ForOp::create(builder, loop.getLoc(), loop.getLowerBound(), loop.getUpperBound(),
                                 loop.getStep(), inits,
                                 /*bodyBuilder=*/nullptr, loop.getUnsignedCmp());
  made->setDiscardableAttrs(loop->getDiscardableAttrDictionary());
  Block *body = made.getBody(), *oldBody = loop.getBody();
  if (!body->empty())
    body->clear();
  made.getInductionVar().setLoc(loop.getInductionVar().getLoc());
  loop.getInductionVar().replaceAllUsesWith(made.getInductionVar());
  rows.bind(loop.getRegionIterArgs(), made.getRegionIterArgs());
  body->getOperations().splice(body->end(), oldBody->getOperations());
  if (failed(run(*body)))
    return failure();
  rows.bind(loop.getResults(), made.getResults());
  old.push_back(loop);
  return success();
}

LogicalResult Unroller::rewriteIf(scf::IfOp branch) {
  enter(*branch);
  scf::IfOp made = branch;
  if (llvm::any_of(branch.getResultTypes(), isTile)) {
    SmallVector<Type> types;
    for (Type type : branch.getResultTypes()) {
      auto tile = dyn_cast<VectorType>(type);
      types.append(tile ? getNumRows(tile) : 1, tile ? getMachineType(tile) : type);
    }
    made = scf::IfOp::create(builder, branch.getLoc(), types, branch.getCondition(),
                             /*addThenBlock=*/false, /*addElseBlock=*/false);
    made->setDiscardableAttrs(branch->getDiscardableAttrDictionary());
    made.getThenRegion().takeBody(branch.getThenRegion());
    made.getElseRegion().takeBody(branch.getElseRegion());
  }
  for (Region &region : made->getRegions())
    for (Block &block : region)
      if (failed(run(block)))
        return failure();
  if (made != branch) {
    rows.bind(branch.getResults(), made.getResults());
    old.push_back(branch);
  }
  return success();
}

void Unroller::eraseOld() {
  for (Operation *op : old)
    op->dropAllReferences();
  for (Operation *op : old)
    op->erase();
}

struct UnrollTilesPass : public cnn::impl::UnrollTilesPassBase<UnrollTilesPass> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    if (llvm::any_of(function.getFunctionType().getInputs(), isTile) ||
        llvm::any_of(function.getFunctionType().getResults(), isTile)) {
      function.emitOpError() << "takes or returns a register tile, which is not supported";
      return signalPassFailure();
    }
    bool hasTiles = function
                        .walk([](Operation *op) {
                          return isa<TileStoreOp>(op) || llvm::any_of(op->getResultTypes(), isTile)
                                     ? WalkResult::interrupt()
                                     : WalkResult::advance();
                        })
                        .wasInterrupted();
    if (!hasTiles)
      return;
    if (!function.getBody().hasOneBlock()) {
      function.emitOpError() << "must have one block, with scf.for and scf.if for control flow";
      return signalPassFailure();
    }
    Unroller unroller(function);
    if (failed(unroller.run(function.front())))
      return signalPassFailure();
    unroller.eraseOld();
    numLoads += unroller.getRows().numLoads;
    numShared += unroller.getRows().numShared;
  }
};

} // namespace
