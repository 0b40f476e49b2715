//===- UnrollTiles.cpp - Register tiles to machine vectors -----------------------------------===//
//
// In: kernels of phase `tiled`, with n-D vectors whose last dimension is the lanes. Out: the same
// loops on 1-D vectors and scalars. The next pass is cnn-expand-math.
//
// A tile is a list of rows, one per machine vector, and a row is made when something asks for it:
// at the end of a block, at a store, at a fused multiply-add. What is asked for row by row is
// emitted row by row, from the loads on, so that few values live at a time. Multiply-adds alone are
// emitted where they stand, all rows of them: they are what the accumulators wait for.
//
//   tiled                                   vector (6 channels x 4 pixels x 16 images)
//   %w = tile_load  -> vector<6x4x16xf32>    %w0 = load, broadcast
//   %x = tile_load  -> vector<6x4x16xf32>    %x0 = vector.load  %a0 = math.fma %x0, %w0, %acc0
//   %a = math.fma %x, %w, %acc               %x1 = vector.load  %a1 = math.fma %x1, %w0, %acc1 ...
//                                            %w1 = load, broadcast ...
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/cpu/MachineAccess.h"
#include "compiler/cpu/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/ADT/DenseSet.h"

#include <map>
#include <vector>

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
      : values(&function.front()), builder(function.getContext()) {}

  LogicalResult run(Block &block);
  void eraseOld();

  int64_t numLoads = 0, numShared = 0;

private:
  /// The machine vectors of one tile; null where not made yet.
  struct Tile {
    Values rows;
    /// Of a tile_load: which rows are the same, and what has been loaded, by slot.
    std::unique_ptr<MachineAccess> access;
    Values loaded;
    Value shared;
  };

  LogicalResult rewrite(Operation &op);
  LogicalResult rewriteFor(scf::ForOp loop);
  LogicalResult rewriteIf(scf::IfOp branch);
  LogicalResult rewriteStore(TileStoreOp store);
  LogicalResult rewriteSimple(Operation &op);
  LogicalResult addTile(Operation &op);

  Value getRow(Value tile, int64_t row);
  Value makeRow(OpResult tile, int64_t row);
  bool isZero(Value tile, int64_t row);
  Value makeElementwise(Operation *op, int64_t row, unsigned resultNumber);
  Value makeReduction(TileReduceOp op, int64_t row);
  Value makeIndex(TileIndexOp op, int64_t row);
  Value makeConstant(arith::ConstantOp op, int64_t row);
  SmallVector<int64_t> chooseOrder(Operation *op, int64_t rows);
  /// One row of one multiply-add of the chain.
  struct Step {
    unsigned op;
    int64_t row;
  };
  void emitChain();
  std::optional<SmallVector<Step>> orderByAddress(ArrayRef<Operation *> ops, unsigned operand);
  int64_t countRegisters(ArrayRef<Operation *> ops, ArrayRef<Step> steps);
  std::pair<int64_t, int64_t> getLoaded(Value tile, int64_t row);
  void addLoads(Value tile, int64_t rows, unsigned depth, SmallVectorImpl<TileLoadOp> &loads);

  Values flatten(ValueRange operands);
  void bind(ValueRange oldValues, ValueRange newValues);
  void forceUsesInside(Operation &op);
  void forceLoads(llvm::function_ref<bool(Value)> isWritten);

  FunctionValues values;
  OpBuilder builder;
  llvm::DenseMap<Value, Tile> tiles;
  /// Multiply-adds of the current block that are not emitted yet.
  SmallVector<Operation *> chain;
  /// Numbers the buffers and variable parts of addresses.
  std::map<std::vector<std::pair<void *, int64_t>>, int64_t> addressForms;
  /// Loads of the enclosing blocks that may have rows still to be made.
  SmallVector<TileLoadOp> pending;
  SmallVector<Operation *> old;
};

//===--------------------------------------------------------------------------------------------===//
// Rows of values
//===--------------------------------------------------------------------------------------------===//

/// The index of `row` in each dimension of `tile` but the last.
SmallVector<int64_t> delinearizeRow(VectorType tile, int64_t row) {
  SmallVector<int64_t> position(tile.getRank() ? tile.getRank() - 1 : 0);
  for (size_t i = position.size(); i-- > 0; row /= tile.getDimSize(i))
    position[i] = row % tile.getDimSize(i);
  return position;
}

int64_t linearizeRow(VectorType tile, ArrayRef<int64_t> position) {
  int64_t row = 0;
  for (auto [i, at] : llvm::enumerate(position))
    row = row * tile.getDimSize(i) + at;
  return row;
}

Value Unroller::getRow(Value tile, int64_t row) {
  auto found = tiles.find(tile);
  assert(found != tiles.end() && "tile of an operation that was not visited");
  if (Value made = found->second.rows[row])
    return made;
  if (llvm::is_contained(chain, tile.getDefiningOp())) {
    emitChain();
    return tiles.find(tile)->second.rows[row];
  }
  Value made = makeRow(cast<OpResult>(tile), row);
  // Making it may have moved the entries of the map.
  tiles.find(tile)->second.rows[row] = made;
  return made;
}

Value Unroller::makeRow(OpResult tile, int64_t row) {
  Operation *op = tile.getOwner();
  auto type = cast<VectorType>(tile.getType());
  if (auto load = dyn_cast<TileLoadOp>(op)) {
    Tile &entry = tiles.find(tile)->second;
    if (entry.access->isZero(row))
      return values.getSplat(getMachineType(type), 0.0);
    Value &loaded = entry.loaded[entry.access->getSlots()[row]];
    if (loaded) {
      ++numShared;
      return loaded;
    }
    ++numLoads;
    if (int64_t ahead = load.getPrefetch())
      entry.access->prefetch(builder, values, row, ahead);
    return loaded = entry.access->load(builder, values, row, load.getPadding().convertToDouble());
  }
  if (auto pick = dyn_cast<TilePickOp>(op)) {
    SmallVector<int64_t> position = delinearizeRow(type, row);
    for (auto [i, at] : llvm::enumerate(position))
      at = pick.getOffsets()[i] + at * pick.getStrides()[i];
    return getRow(pick.getInput(),
                  linearizeRow(cast<VectorType>(pick.getInput().getType()), position));
  }
  if (auto join = dyn_cast<TileJoinOp>(op)) {
    SmallVector<int64_t> position = delinearizeRow(type, row);
    auto part = cast<VectorType>(join.getParts()[0].getType());
    int64_t &at = position[join.getDim()], extent = part.getDimSize(join.getDim());
    Value source = join.getParts()[at / extent];
    at %= extent;
    return getRow(source, linearizeRow(part, position));
  }
  if (auto broadcast = dyn_cast<vector::BroadcastOp>(op)) {
    Value source = broadcast.getSource();
    if (auto sourceType = dyn_cast<VectorType>(source.getType())) {
      SmallVector<int64_t> position = delinearizeRow(type, row);
      size_t rank = sourceType.getRank() ? sourceType.getRank() - 1 : 0;
      position.erase(position.begin(), position.end() - rank);
      for (auto [i, at] : llvm::enumerate(position))
        at = sourceType.getDimSize(i) == 1 ? 0 : at;
      source = getRow(source, linearizeRow(sourceType, position));
    }
    if (source.getType() == getMachineType(type))
      return source;
    return vector::BroadcastOp::create(builder, op->getLoc(), getMachineType(type), source);
  }
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return makeConstant(constant, row);
  if (auto index = dyn_cast<TileIndexOp>(op))
    return makeIndex(index, row);
  if (auto reduce = dyn_cast<TileReduceOp>(op))
    return makeReduction(reduce, row);
  return makeElementwise(op, row, tile.getResultNumber());
}

/// Whether the row is one of the zeros stored around a tensor.
bool Unroller::isZero(Value tile, int64_t row) {
  return tile.getDefiningOp<TileLoadOp>() && tiles.find(tile)->second.access->isZero(row);
}

Value Unroller::makeElementwise(Operation *op, int64_t row, unsigned resultNumber) {
  // As every library does, padding is not multiplied: with an infinite weight it would be no zero.
  if (isa<math::FmaOp, vector::FMAOp>(op) &&
      llvm::any_of(op->getOperands().take_front(2),
                   [&](Value factor) { return isZero(factor, row); }))
    return getRow(op->getOperand(2), row);
  Values operands;
  for (Value operand : op->getOperands())
    operands.push_back(isa<VectorType>(operand.getType()) ? getRow(operand, row) : operand);
  if (isa<vector::FMAOp>(op)) // takes no scalars
    return math::FmaOp::create(builder, op->getLoc(), operands[0], operands[1], operands[2]);
  SmallVector<Type> types;
  for (Type type : op->getResultTypes())
    types.push_back(getMachineType(cast<VectorType>(type)));
  Operation *made = Operation::create(op->getLoc(), op->getName(), types, operands,
                                      op->getDiscardableAttrDictionary(),
                                      op->getPropertiesStorage(), BlockRange(), /*numRegions=*/0);
  made->removeDiscardableAttr("cnn.on_demand");
  builder.insert(made);
  for (OpResult result : op->getResults())
    tiles.find(result)->second.rows[row] = made->getResult(result.getResultNumber());
  return made->getResult(resultNumber);
}

Value Unroller::makeConstant(arith::ConstantOp op, int64_t row) {
  auto elements = cast<DenseElementsAttr>(op.getValue());
  auto tile = cast<VectorType>(op.getType());
  Type type = getMachineType(tile);
  if (!isa<VectorType>(type)) {
    Attribute value = elements.isSplat() ? elements.getSplatValue<Attribute>()
                                         : elements.getValues<Attribute>()[row];
    return values.getConstant(cast<TypedAttr>(value));
  }
  if (elements.isSplat())
    return values.getConstant(
        DenseElementsAttr::get(cast<VectorType>(type), elements.getSplatValue<Attribute>()));
  auto all = elements.getValues<Attribute>();
  int64_t lanes = getNumLanes(tile);
  SmallVector<Attribute> part(all.begin() + row * lanes, all.begin() + (row + 1) * lanes);
  return values.getConstant(DenseElementsAttr::get(cast<VectorType>(type), part));
}

Value Unroller::makeIndex(TileIndexOp op, int64_t row) {
  Location loc = op.getLoc();
  auto tile = cast<VectorType>(op.getResult().getType());
  Value &shared = tiles.find(op.getResult())->second.shared;
  if (!shared)
    shared = arith::IndexCastOp::create(builder, loc, builder.getI32Type(), op.getBase());
  // The map at the row's lanes.
  SmallVector<int64_t> position = delinearizeRow(tile, row);
  SmallVector<int32_t> offsets;
  for (int64_t lane = 0; lane < getNumLanes(tile); ++lane) {
    SmallVector<Attribute> point, result;
    for (int64_t at : position)
      point.push_back(builder.getI64IntegerAttr(at));
    if (tile.getRank() > 0)
      point.push_back(builder.getI64IntegerAttr(lane));
    if (failed(op.getMap().constantFold(point, result)))
      llvm_unreachable("an affine map folds at constants");
    offsets.push_back(cast<IntegerAttr>(result[0]).getInt());
  }
  Type type = getMachineType(tile);
  auto vector = dyn_cast<VectorType>(type);
  Value base = shared;
  if (vector)
    base = vector::BroadcastOp::create(builder, loc, vector, base);
  if (llvm::all_of(offsets, [](int32_t offset) { return offset == 0; }))
    return base;
  TypedAttr offset = vector ? TypedAttr(DenseElementsAttr::get(vector, ArrayRef(offsets)))
                            : TypedAttr(builder.getI32IntegerAttr(offsets[0]));
  return arith::AddIOp::create(builder, loc, base, values.getConstant(offset));
}

/// Combines the lower half of the lanes with the upper, until one is left; an odd one waits.
Value Unroller::makeReduction(TileReduceOp op, int64_t row) {
  Location loc = op.getLoc();
  Value value = getRow(op.getInput(), row);
  bool isFloat = isa<FloatType>(getElementTypeOrSelf(value.getType()));
  auto combine = [&](Value lhs, Value rhs) -> Value {
    if (op.getKind() == "add")
      return isFloat ? Value(arith::AddFOp::create(builder, loc, lhs, rhs))
                     : Value(arith::AddIOp::create(builder, loc, lhs, rhs));
    return isFloat ? Value(arith::MaximumFOp::create(builder, loc, lhs, rhs))
                   : Value(arith::MaxSIOp::create(builder, loc, lhs, rhs));
  };
  auto type = dyn_cast<VectorType>(value.getType());
  Value rest;
  for (int64_t lanes = type ? type.getNumElements() : 1; lanes > 1; lanes /= 2) {
    if (lanes % 2 == 1) {
      Value odd = vector::ExtractOp::create(builder, loc, value, lanes - 1);
      rest = rest ? combine(odd, rest) : odd;
    }
    if (lanes < 4) {
      value = combine(vector::ExtractOp::create(builder, loc, value, 0),
                      vector::ExtractOp::create(builder, loc, value, 1));
      continue;
    }
    auto lower = llvm::to_vector(llvm::seq<int64_t>(0, lanes / 2));
    auto upper = llvm::to_vector(llvm::seq<int64_t>(lanes / 2, lanes / 2 * 2));
    value = combine(vector::ShuffleOp::create(builder, loc, value, value, lower),
                    vector::ShuffleOp::create(builder, loc, value, value, upper));
  }
  return rest ? combine(value, rest) : value;
}

//===--------------------------------------------------------------------------------------------===//
// When rows are made
//===--------------------------------------------------------------------------------------------===//

/// Collects the loads whose rows those of `tile` are computed from.
void Unroller::addLoads(Value tile, int64_t rows, unsigned depth,
                        SmallVectorImpl<TileLoadOp> &loads) {
  auto type = dyn_cast<VectorType>(tile.getType());
  Operation *op = tile.getDefiningOp();
  if (!type || !op || depth == 0 || getNumRows(type) != rows)
    return;
  if (auto load = dyn_cast<TileLoadOp>(op))
    loads.push_back(load);
  else if (OpTrait::hasElementwiseMappableTraits(op))
    for (Value operand : op->getOperands())
      addLoads(operand, rows, depth - 1, loads);
}

/// The order in which the rows of a multiply-add are made. Of the loads that several rows share,
/// the one with the most distinct vectors goes outermost: each is needed for a few rows in
/// succession, and the few vectors of the others stay in registers.
SmallVector<int64_t> Unroller::chooseOrder(Operation *op, int64_t rows) {
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, rows));
  SmallVector<TileLoadOp> loads;
  for (Value operand : op->getOperands())
    addLoads(operand, rows, /*depth=*/4, loads);
  MachineAccess *outermost = nullptr;
  for (TileLoadOp load : loads) {
    MachineAccess *access = tiles.find(load.getResult())->second.access.get();
    if (access->getNumSlots() < rows &&
        (!outermost || access->getNumSlots() > outermost->getNumSlots()))
      outermost = access;
  }
  if (outermost)
    llvm::sort(order, [&](int64_t lhs, int64_t rhs) {
      ArrayRef<int64_t> slots = outermost->getSlots();
      return std::make_pair(slots[lhs], lhs) < std::make_pair(slots[rhs], rhs);
    });
  return order;
}

/// What a row of `tile` is loaded from, as a number of the variable part of its address and the
/// constant part; {-1, ...} with a number of its own where the tile is no plain load.
std::pair<int64_t, int64_t> Unroller::getLoaded(Value tile, int64_t row) {
  auto load = tile.getDefiningOp<TileLoadOp>();
  if (!load)
    return {-1, row};
  MachineAccess &access = *tiles.find(tile)->second.access;
  std::vector<std::pair<void *, int64_t>> form = {{access.getBuffer().getAsOpaquePointer(), 0}};
  for (auto [value, factor] : access.getTerms())
    form.push_back({value.getAsOpaquePointer(), factor});
  llvm::sort(llvm::drop_begin(form));
  if (access.isGuarded()) // equal addresses need not be equal values
    form.push_back({load.getOperation(), 0});
  int64_t number = addressForms.try_emplace(std::move(form), addressForms.size()).first->second;
  return {number, access.getOffset(row)};
}

/// The steps in the order of the addresses that `operand` is loaded from, so that a window that
/// slides over a row loads each element once; none where that is not possible or changes the order
/// of additions.
std::optional<SmallVector<Unroller::Step>> Unroller::orderByAddress(ArrayRef<Operation *> ops,
                                                                    unsigned operand) {
  SmallVector<std::pair<int64_t, Step>> keyed;
  std::optional<int64_t> form;
  for (auto [at, op] : llvm::enumerate(ops))
    for (int64_t row = 0; row < getNumRows(cast<VectorType>(op->getResult(0).getType())); ++row) {
      auto [number, offset] = getLoaded(op->getOperand(operand), row);
      if (number < 0 || (form && *form != number))
        return std::nullopt;
      form = number;
      keyed.push_back({offset, {static_cast<unsigned>(at), row}});
    }
  llvm::sort(keyed, [](const auto &lhs, const auto &rhs) {
    return std::tie(lhs.first, lhs.second.op, lhs.second.row) <
           std::tie(rhs.first, rhs.second.op, rhs.second.row);
  });
  llvm::SmallDenseSet<std::pair<void *, int64_t>> made;
  SmallVector<Step> steps;
  for (auto [offset, step] : keyed) {
    for (Value source : ops[step.op]->getOperands())
      if (Operation *def = source.getDefiningOp();
          llvm::is_contained(ops, def) && !made.contains({def, step.row}))
        return std::nullopt;
    made.insert({ops[step.op], step.row});
    steps.push_back(step);
  }
  return steps;
}

/// The most loaded vectors that are alive at once when the multiply-adds run in this order.
int64_t Unroller::countRegisters(ArrayRef<Operation *> ops, ArrayRef<Step> steps) {
  std::map<std::pair<int64_t, int64_t>, std::pair<size_t, size_t>> lives;
  for (auto [at, step] : llvm::enumerate(steps))
    for (Value source : ops[step.op]->getOperands().take_front(2)) {
      auto loaded = getLoaded(source, step.row);
      if (loaded.first >= 0)
        lives.try_emplace(loaded, at, at).first->second.second = at;
    }
  SmallVector<int64_t> changes(steps.size() + 1, 0);
  for (auto [loaded, life] : lives) {
    ++changes[life.first];
    --changes[life.second + 1];
  }
  int64_t alive = 0, most = 0;
  for (int64_t change : changes)
    most = std::max(most, alive += change);
  return most;
}

/// Emits the gathered multiply-adds: one after the other, or along the addresses of one operand.
void Unroller::emitChain() {
  SmallVector<Operation *> ops;
  std::swap(ops, chain);
  SmallVector<Step> best;
  for (auto [at, op] : llvm::enumerate(ops))
    for (int64_t row : chooseOrder(op, getNumRows(cast<VectorType>(op->getResult(0).getType()))))
      best.push_back({static_cast<unsigned>(at), row});
  if (ops.size() > 1) {
    int64_t fewest = countRegisters(ops, best);
    for (unsigned operand : {0, 1})
      if (auto steps = orderByAddress(ops, operand))
        if (int64_t count = countRegisters(ops, *steps); count < fewest) {
          fewest = count;
          best = std::move(*steps);
        }
  }
  for (Step step : best)
    getRow(ops[step.op]->getResult(0), step.row);
}

/// The values with each tile replaced by its rows, which are made in the order of rows.
Values Unroller::flatten(ValueRange operands) {
  int64_t rows = 0;
  for (Value operand : operands)
    if (auto type = dyn_cast<VectorType>(operand.getType()))
      rows = std::max(rows, getNumRows(type));
  for (int64_t row = 0; row < rows; ++row)
    for (Value operand : operands)
      if (auto type = dyn_cast<VectorType>(operand.getType()); type && row < getNumRows(type))
        getRow(operand, row);
  Values flat;
  for (Value operand : operands) {
    if (isa<VectorType>(operand.getType()))
      llvm::append_range(flat, tiles.find(operand)->second.rows);
    else
      flat.push_back(operand);
  }
  return flat;
}

/// The inverse of flatten, for results and arguments.
void Unroller::bind(ValueRange oldValues, ValueRange newValues) {
  for (Value value : oldValues) {
    auto type = dyn_cast<VectorType>(value.getType());
    if (!type) {
      value.replaceAllUsesWith(newValues.front());
      newValues = newValues.drop_front();
      continue;
    }
    Tile tile;
    llvm::append_range(tile.rows, newValues.take_front(getNumRows(type)));
    newValues = newValues.drop_front(getNumRows(type));
    tiles[value] = std::move(tile);
  }
}

/// Makes the tiles of outside that the regions of `op` use, so that they are made once.
void Unroller::forceUsesInside(Operation &op) {
  op.walk([&](Operation *inner) {
    if (inner == &op)
      return;
    for (Value operand : inner->getOperands())
      if (isa<VectorType>(operand.getType()) && tiles.contains(operand) &&
          !op.isAncestor(operand.getParentBlock()->getParentOp()))
        flatten(operand);
  });
}

/// Makes the rows of pending loads whose buffers are about to be written.
void Unroller::forceLoads(llvm::function_ref<bool(Value)> isWritten) {
  llvm::erase_if(pending, [&](TileLoadOp load) {
    if (!isWritten(load.getBuffer()))
      return false;
    flatten(load.getResult());
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
  chain.clear(); // what nobody asked for
  return success();
}

bool isTile(Type type) { return isa<VectorType>(type); }

LogicalResult Unroller::rewrite(Operation &op) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return rewriteFor(loop);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return rewriteIf(branch);
  if (auto yield = dyn_cast<scf::YieldOp>(op)) {
    yield->setOperands(flatten(yield.getOperands()));
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
    else if (!isMemoryEffectFree(&op) && !isa<memref::LoadOp>(op))
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
    Tile tile;
    tile.rows.resize(getNumRows(cast<VectorType>(result.getType())));
    if (auto load = dyn_cast<TileLoadOp>(op)) {
      auto access =
          MachineAccess::get(load, load.getBuffer(), load.getIndices(), load.getMap(),
                             load.getGuard(), load.getZeros(), cast<VectorType>(result.getType()));
      if (failed(access))
        return failure();
      tile.loaded.resize(access->getNumSlots());
      tile.access = std::make_unique<MachineAccess>(std::move(*access));
      pending.push_back(load);
    }
    tiles[result] = std::move(tile);
  }
  old.push_back(&op);
  if (isa<math::FmaOp, vector::FMAOp>(op) && !op.hasAttr("cnn.on_demand"))
    chain.push_back(&op);
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
  op.setOperands(flatten(op.getOperands()));
  for (Value result : op.getResults())
    if (isTile(result.getType()))
      tiles[result].rows.push_back(result);
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
    for (ArrayRef<int64_t> rows : rowsOf) {
      Values addends;
      for (int64_t row : rows)
        addends.push_back(getRow(store.getValue(), row));
      access->store(builder, values, rows.front(), addends, accumulate,
                    /*nontemporal=*/false);
    }
  } else {
    for (int64_t row = 0; row < getNumRows(type); ++row)
      access->store(builder, values, row, getRow(store.getValue(), row), accumulate,
                    store.getNontemporal());
  }
  old.push_back(store);
  return success();
}

/// Makes what must be there before the regions of `op` run.
static void collectWrites(Operation &op, SmallVectorImpl<Value> &buffers, bool &unknown) {
  op.walk([&](Operation *inner) {
    if (auto store = dyn_cast<TileStoreOp>(inner))
      buffers.push_back(store.getBuffer());
    else if (auto store = dyn_cast<memref::StoreOp>(inner))
      buffers.push_back(store.getMemRef());
    else if (!isa<scf::ForOp, scf::IfOp, TileLoadOp, memref::LoadOp>(inner) &&
             !isMemoryEffectFree(inner))
      unknown = true;
  });
}

LogicalResult Unroller::rewriteFor(scf::ForOp loop) {
  emitChain();
  forceUsesInside(*loop);
  Values inits = flatten(loop.getInitArgs());
  SmallVector<Value> written;
  bool unknown = false;
  collectWrites(*loop, written, unknown);
  forceLoads([&](Value buffer) {
    return unknown || llvm::any_of(written, [&](Value other) { return mayOverlap(buffer, other); });
  });
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
  bind(loop.getRegionIterArgs(), made.getRegionIterArgs());
  body->getOperations().splice(body->end(), oldBody->getOperations());
  if (failed(run(*body)))
    return failure();
  bind(loop.getResults(), made.getResults());
  old.push_back(loop);
  return success();
}

LogicalResult Unroller::rewriteIf(scf::IfOp branch) {
  emitChain();
  forceUsesInside(*branch);
  SmallVector<Value> written;
  bool unknown = false;
  collectWrites(*branch, written, unknown);
  forceLoads([&](Value buffer) {
    return unknown || llvm::any_of(written, [&](Value other) { return mayOverlap(buffer, other); });
  });
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
    bind(branch.getResults(), made.getResults());
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
    numLoads += unroller.numLoads;
    numShared += unroller.numShared;
  }
};

} // namespace
