//===- TileRows.cpp - The machine vectors of register tiles ----------------------------------===//

#include "compiler/cpu/TileRows.h"
#include "compiler/cpu/ChainOrder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::cnn;

void TileRows::add(Value value, std::unique_ptr<MachineAccess> access) {
  Tile tile;
  tile.rows.resize(getNumRows(cast<VectorType>(value.getType())));
  if (access)
    tile.loaded.resize(access->getNumSlots());
  tile.access = std::move(access);
  tiles[value] = std::move(tile);
}

MachineAccess *TileRows::getAccess(Value tile) const {
  return tiles.find(tile)->second.access.get();
}

/// The index of `row` in each dimension of `tile` but the last.
static SmallVector<int64_t> delinearizeRow(VectorType tile, int64_t row) {
  SmallVector<int64_t> position(tile.getRank() ? tile.getRank() - 1 : 0);
  for (size_t i = position.size(); i-- > 0; row /= tile.getDimSize(i))
    position[i] = row % tile.getDimSize(i);
  return position;
}

static int64_t linearizeRow(VectorType tile, ArrayRef<int64_t> position) {
  int64_t row = 0;
  for (auto [i, at] : llvm::enumerate(position))
    row = row * tile.getDimSize(i) + at;
  return row;
}

Value TileRows::getRow(Value tile, int64_t row) {
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

Value TileRows::makeRow(OpResult tile, int64_t row) {
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
bool TileRows::isZero(Value tile, int64_t row) {
  return tile.getDefiningOp<TileLoadOp>() && tiles.find(tile)->second.access->isZero(row);
}

Value TileRows::makeElementwise(Operation *op, int64_t row, unsigned resultNumber) {
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

Value TileRows::makeConstant(arith::ConstantOp op, int64_t row) {
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

Value TileRows::makeIndex(TileIndexOp op, int64_t row) {
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
Value TileRows::makeReduction(TileReduceOp op, int64_t row) {
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
// Many rows
//===--------------------------------------------------------------------------------------------===//

void TileRows::emitChain() {
  SmallVector<Operation *> ops;
  std::swap(ops, chain);
  for (ChainOrder::Step step : ChainOrder(*this, ops).getSteps())
    getRow(ops[step.op]->getResult(0), step.row);
}

TileRows::Values TileRows::flatten(ValueRange operands) {
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

void TileRows::bind(ValueRange oldValues, ValueRange newValues) {
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
