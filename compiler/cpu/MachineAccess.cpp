//===- MachineAccess.cpp - One tile_load or tile_store as machine accesses -------------------===//
//
// Addresses are linear: base + constant of the row + lane * stride, in elements. The base is
// computed once per access; LLVM folds the constants into the addressing of instructions.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/cpu/MachineAccess.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Matchers.h"
#include "runtime/abi/cnn_abi.h"

using namespace mlir;
using namespace mlir::cnn;

int64_t cnn::getNumLanes(VectorType tile) {
  return tile.getRank() == 0 ? 1 : tile.getShape().back();
}

int64_t cnn::getNumRows(VectorType tile) { return tile.getNumElements() / getNumLanes(tile); }

Type cnn::getMachineType(VectorType tile) {
  int64_t lanes = getNumLanes(tile);
  return lanes == 1 ? tile.getElementType() : VectorType::get({lanes}, tile.getElementType());
}

//===--------------------------------------------------------------------------------------------===//
// FunctionValues
//===--------------------------------------------------------------------------------------------===//

Value FunctionValues::getConstant(TypedAttr value) {
  Value &constant = constants[value];
  if (!constant) {
    OpBuilder builder(value.getContext());
    if (lastConstant)
      builder.setInsertionPointAfter(lastConstant);
    else
      builder.setInsertionPointToStart(entry);
    auto op = arith::ConstantOp::create(builder, entry->getParentOp()->getLoc(), value);
    lastConstant = op;
    constant = op;
  }
  return constant;
}

Value FunctionValues::getIndex(int64_t value) {
  return getConstant(Builder(entry->getParentOp()).getIndexAttr(value));
}

Value FunctionValues::getSplat(Type type, double value) {
  Type element = getElementTypeOrSelf(type);
  TypedAttr scalar = isa<FloatType>(element)
                         ? TypedAttr(FloatAttr::get(element, value))
                         : TypedAttr(IntegerAttr::get(element, static_cast<int64_t>(value)));
  if (auto vector = dyn_cast<VectorType>(type))
    return getConstant(DenseElementsAttr::get(vector, Attribute(scalar)));
  return getConstant(scalar);
}

Value FunctionValues::getFlat(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  if (type.getRank() <= 1)
    return buffer;
  Value &flat = flats[buffer];
  if (!flat) {
    OpBuilder builder(buffer.getContext());
    if (Operation *op = buffer.getDefiningOp())
      builder.setInsertionPointAfter(op);
    else
      builder.setInsertionPointToStart(cast<BlockArgument>(buffer).getOwner());
    auto flatType = MemRefType::get({type.getNumElements()}, type.getElementType(),
                                    MemRefLayoutAttrInterface(), type.getMemorySpace());
    flat = memref::ReinterpretCastOp::create(builder, buffer.getLoc(), flatType, buffer,
                                             /*offset=*/0, {type.getNumElements()}, {1});
  }
  return flat;
}

//===--------------------------------------------------------------------------------------------===//
// Addresses
//===--------------------------------------------------------------------------------------------===//

/// Adds `factor * expr` to `coefficients` (one per dimension, then the constant).
static LogicalResult addLinear(AffineExpr expr, int64_t factor,
                               MutableArrayRef<int64_t> coefficients) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    coefficients.back() += factor * constant.getValue();
    return success();
  }
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    coefficients[dim.getPosition()] += factor;
    return success();
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return failure();
  if (binary.getKind() == AffineExprKind::Add)
    return success(succeeded(addLinear(binary.getLHS(), factor, coefficients)) &&
                   succeeded(addLinear(binary.getRHS(), factor, coefficients)));
  auto scale = dyn_cast<AffineConstantExpr>(binary.getRHS());
  if (binary.getKind() != AffineExprKind::Mul || !scale)
    return failure();
  return addLinear(binary.getLHS(), factor * scale.getValue(), coefficients);
}

/// Adds `factor * index` to `terms`, looking through additions and constants, and to `constant`.
static void addTerms(Value index, int64_t factor, SmallVectorImpl<std::pair<Value, int64_t>> &terms,
                     int64_t &constant) {
  APInt value;
  if (matchPattern(index, m_ConstantInt(&value))) {
    constant += factor * value.getSExtValue();
    return;
  }
  if (auto add = index.getDefiningOp<arith::AddIOp>()) {
    addTerms(add.getLhs(), factor, terms, constant);
    return addTerms(add.getRhs(), factor, terms, constant);
  }
  if (auto mul = index.getDefiningOp<arith::MulIOp>())
    if (matchPattern(mul.getRhs(), m_ConstantInt(&value)))
      return addTerms(mul.getLhs(), factor * value.getSExtValue(), terms, constant);
  auto known = llvm::find_if(terms, [&](auto term) { return term.first == index; });
  if (known != terms.end())
    known->second += factor;
  else
    terms.push_back({index, factor});
}

FailureOr<MachineAccess> MachineAccess::get(Operation *op, Value buffer, ValueRange indices,
                                            AffineMap map, ArrayRef<int64_t> guard,
                                            ArrayRef<int64_t> zeros, VectorType tile) {
  auto type = cast<MemRefType>(buffer.getType());
  if (!type.hasStaticShape() || !type.getLayout().isIdentity())
    return op->emitOpError() << "needs a buffer of static shape and plain layout, not " << type;

  MachineAccess access(op->getLoc());
  access.buffer = buffer;
  access.indices.assign(indices.begin(), indices.end());
  auto strides = type.getRank() ? computeStrides(type.getShape()) : SmallVector<int64_t>();
  int64_t constant = 0;
  for (auto [index, stride] : llvm::zip(indices, strides))
    addTerms(index, stride, access.terms, constant);
  llvm::erase_if(access.terms, [](auto term) { return term.second == 0; });
  access.tile = tile;
  access.numLanes = getNumLanes(tile);

  // coefficients[d]: how dimension d of the buffer depends on the tile's, and its constant.
  unsigned rank = tile.getRank();
  SmallVector<SmallVector<int64_t>> coefficients;
  for (AffineExpr expr : map.getResults()) {
    SmallVector<int64_t> &line = coefficients.emplace_back(rank + 1, 0);
    if (failed(addLinear(expr, 1, line)))
      return op->emitOpError() << "has map " << AffineMapAttr::get(map) << ", which is not linear";
  }
  bool lanesMove = false;
  if (access.numLanes > 1) {
    for (auto [line, stride, size] : llvm::zip(coefficients, strides, type.getShape())) {
      access.laneStride += line[rank - 1] * stride;
      lanesMove |= line[rank - 1] != 0;
    }
    access.lanes = !lanesMove               ? Lanes::Shared
                   : access.laneStride == 1 ? Lanes::Contiguous
                                            : Lanes::Strided;
  }

  // Where the index into a dimension with zeros, stored or read outside of it, is a number, and the
  // same for all lanes.
  struct Edge {
    unsigned dim;
    int64_t first, last;
  };
  SmallVector<Edge> edges;
  auto addEdge = [&](int64_t dim, int64_t count) {
    APInt at;
    if ((access.numLanes > 1 && coefficients[dim][rank - 1] != 0) ||
        !matchPattern(indices[dim], m_ConstantInt(&at)))
      return false;
    edges.push_back({static_cast<unsigned>(dim), count - at.getSExtValue(),
                     type.getDimSize(dim) - count - at.getSExtValue()});
    return true;
  };
  for (auto [dim, count] : llvm::enumerate(zeros))
    if (count != 0)
      addEdge(dim, count);
  auto load = dyn_cast<TileLoadOp>(op);
  for (int64_t dim : guard)
    if (!load || !load.getPadding().isZero() || !addEdge(dim, 0))
      access.guards.push_back(
          {dim, type.getDimSize(dim), access.numLanes > 1 ? coefficients[dim][rank - 1] : 0, {}});

  // The rows, in row-major order of the tile without its last dimension.
  SmallVector<int64_t> position(rank, 0);
  std::map<SmallVector<int64_t>, int64_t> slotOf;
  for (int64_t row = 0, rows = getNumRows(tile); row < rows; ++row) {
    SmallVector<int64_t> key(1, constant);
    auto offsetOf = [&](unsigned dim) {
      int64_t offset = coefficients[dim][rank];
      for (unsigned i = 0; i + 1 < rank; ++i)
        offset += coefficients[dim][i] * position[i];
      return offset;
    };
    for (unsigned dim = 0; dim < coefficients.size(); ++dim)
      key[0] += offsetOf(dim) * strides[dim];
    access.rowOffsets.push_back(key[0]);
    access.zeroRows.push_back(llvm::any_of(edges, [&](const Edge &edge) {
      int64_t offset = offsetOf(edge.dim);
      return offset < edge.first || offset >= edge.last;
    }));
    for (Guard &guard : access.guards) {
      guard.rowOffsets.push_back(offsetOf(guard.dim));
      key.push_back(guard.rowOffsets.back());
    }
    auto [slot, isNew] = slotOf.try_emplace(std::move(key), access.numSlots);
    access.numSlots += isNew;
    access.slots.push_back(slot->second);
    for (int i = static_cast<int>(rank) - 2; i >= 0; --i) {
      if (++position[i] < tile.getDimSize(i))
        break;
      position[i] = 0;
    }
  }
  return access;
}

bool MachineAccess::hasDisjointSlots() const {
  SmallVector<int64_t> starts(numSlots);
  for (auto [slot, offset] : llvm::zip(slots, rowOffsets))
    starts[slot] = offset;
  llvm::sort(starts);
  int64_t extent = (numLanes - 1) * std::abs(laneStride) + 1;
  for (size_t i = 1; i < starts.size(); ++i)
    if (starts[i] - starts[i - 1] < extent)
      return false;
  return true;
}

Value MachineAccess::getIndex(OpBuilder &builder, FunctionValues &values, int64_t offset) {
  if (!base) {
    for (auto [value, factor] : terms) {
      Value term = value;
      if (factor != 1)
        term = arith::MulIOp::create(builder, loc, value, values.getIndex(factor));
      base = base ? Value(arith::AddIOp::create(builder, loc, base, term)) : term;
    }
  }
  if (!base)
    return values.getIndex(offset);
  if (offset == 0)
    return base;
  return arith::AddIOp::create(builder, loc, base, values.getIndex(offset));
}

//===--------------------------------------------------------------------------------------------===//
// Guards
//===--------------------------------------------------------------------------------------------===//

Value MachineAccess::isInside(OpBuilder &builder, FunctionValues &values, unsigned guardIndex,
                              int64_t offset) {
  Value &inside = insides[{guardIndex, offset}];
  if (!inside) {
    // As unsigned numbers, negative indices are beyond the end too.
    const Guard &guard = guards[guardIndex];
    Value index = indices[guard.dim];
    if (offset != 0)
      index = arith::AddIOp::create(builder, loc, index, values.getIndex(offset));
    inside = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, index,
                                   values.getIndex(guard.size));
  }
  return inside;
}

Value MachineAccess::getCondition(OpBuilder &builder, FunctionValues &values, int64_t row,
                                  int64_t lane) {
  Value condition;
  for (unsigned i = 0; i < guards.size(); ++i) {
    int64_t offset = guards[i].rowOffsets[row] + lane * guards[i].laneCoefficient;
    Value inside = isInside(builder, values, i, offset);
    condition = condition ? Value(arith::AndIOp::create(builder, loc, condition, inside)) : inside;
  }
  return condition;
}

Value MachineAccess::getMask(OpBuilder &builder, FunctionValues &values, int64_t row) {
  if (guards.empty())
    return nullptr;
  SmallVector<int64_t> key;
  for (const Guard &guard : guards)
    key.push_back(guard.rowOffsets[row]);
  Value &mask = masks[key];
  if (mask)
    return mask;
  auto maskType = VectorType::get({numLanes}, builder.getI1Type());
  auto indexType = VectorType::get({numLanes}, builder.getI32Type());
  auto combine = [&](Value part) {
    mask = mask ? Value(arith::AndIOp::create(builder, loc, mask, part)) : part;
  };
  Value all;
  for (unsigned i = 0; i < guards.size(); ++i) {
    const Guard &guard = guards[i];
    if (guard.laneCoefficient == 0) {
      Value inside = isInside(builder, values, i, guard.rowOffsets[row]);
      all = all ? Value(arith::AndIOp::create(builder, loc, all, inside)) : inside;
      continue;
    }
    Value first = indices[guard.dim];
    if (guard.rowOffsets[row] != 0)
      first = arith::AddIOp::create(builder, loc, first, values.getIndex(guard.rowOffsets[row]));
    first = arith::IndexCastOp::create(builder, loc, builder.getI32Type(), first);
    first = vector::BroadcastOp::create(builder, loc, indexType, first);
    SmallVector<int32_t> steps;
    for (int64_t lane = 0; lane < numLanes; ++lane)
      steps.push_back(lane * guard.laneCoefficient);
    Value index = arith::AddIOp::create(
        builder, loc, first,
        values.getConstant(DenseElementsAttr::get(indexType, ArrayRef(steps))));
    combine(arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, index,
                                  values.getSplat(indexType, guard.size)));
  }
  if (all)
    combine(vector::BroadcastOp::create(builder, loc, maskType, all));
  return mask;
}

//===--------------------------------------------------------------------------------------------===//
// Loads and stores
//===--------------------------------------------------------------------------------------------===//

static SmallVector<Value, 1> getFlatIndex(Value flat, Value index) {
  if (cast<MemRefType>(flat.getType()).getRank() == 0)
    return {};
  return {index};
}

Value MachineAccess::loadScalar(OpBuilder &builder, FunctionValues &values, int64_t row,
                                int64_t lane, Value padding) {
  Value index = getIndex(builder, values, rowOffsets[row] + lane * laneStride);
  Value condition = getCondition(builder, values, row, lane);
  // Outside, element 0 is read in place of the one that is not there, and not used.
  if (condition)
    index = arith::SelectOp::create(builder, loc, condition, index, values.getIndex(0));
  Value flat = values.getFlat(buffer);
  Value value = memref::LoadOp::create(builder, loc, flat, getFlatIndex(flat, index));
  return condition ? Value(arith::SelectOp::create(builder, loc, condition, value, padding))
                   : value;
}

Value MachineAccess::load(OpBuilder &builder, FunctionValues &values, int64_t row, double padding) {
  Type machineType = getMachineType(tile);
  if (lanes == Lanes::Contiguous) {
    Value flat = values.getFlat(buffer);
    Value index = getIndex(builder, values, rowOffsets[row]);
    auto type = cast<VectorType>(machineType);
    if (Value mask = getMask(builder, values, row))
      return vector::MaskedLoadOp::create(builder, loc, type, flat, ValueRange{index}, mask,
                                          values.getSplat(type, padding));
    return vector::LoadOp::create(builder, loc, type, flat, ValueRange{index});
  }
  Value scalarPadding = guards.empty() ? Value() : values.getSplat(tile.getElementType(), padding);
  if (lanes == Lanes::Strided) {
    SmallVector<Value> elements;
    for (int64_t lane = 0; lane < numLanes; ++lane)
      elements.push_back(loadScalar(builder, values, row, lane, scalarPadding));
    return vector::FromElementsOp::create(builder, loc, cast<VectorType>(machineType), elements);
  }
  Value scalar = loadScalar(builder, values, row, 0, scalarPadding);
  return lanes == Lanes::One
             ? scalar
             : Value(vector::BroadcastOp::create(builder, loc, machineType, scalar));
}

void MachineAccess::prefetch(OpBuilder &builder, FunctionValues &values, int64_t row,
                             int64_t ahead) {
  constexpr uint32_t intoAllCaches = 3;
  constexpr int64_t line = 64; // bytes
  // One request brings all elements of a line.
  int64_t bytes =
      llvm::divideCeil(getElementTypeOrSelf(buffer.getType()).getIntOrFloatBitWidth(), 8);
  SmallVector<int64_t> asked;
  auto isAsked = [&](int64_t offset) {
    return llvm::any_of(asked,
                        [&](int64_t other) { return std::abs(other - offset) * bytes < line; });
  };
  for (int64_t before : ArrayRef(rowOffsets).take_front(row))
    if (!isAsked(before))
      asked.push_back(before);
  if (isAsked(rowOffsets[row]))
    return;
  memref::PrefetchOp::create(builder, loc, values.getFlat(buffer),
                             ValueRange{getIndex(builder, values, rowOffsets[row] + ahead)},
                             /*isWrite=*/false, intoAllCaches, /*isDataCache=*/true);
}

static Value add(OpBuilder &builder, Location loc, Value lhs, Value rhs) {
  if (isa<FloatType>(getElementTypeOrSelf(lhs.getType())))
    return arith::AddFOp::create(builder, loc, lhs, rhs);
  return arith::AddIOp::create(builder, loc, lhs, rhs);
}

void MachineAccess::storeScalar(OpBuilder &builder, FunctionValues &values, int64_t row,
                                int64_t lane, ArrayRef<Value> rowValues, bool accumulate) {
  Value flat = values.getFlat(buffer);
  Value index = getIndex(builder, values, rowOffsets[row] + lane * laneStride);
  // The lanes that this element receives: one, or all in order where they share it.
  SmallVector<Value> scalars;
  for (Value value : rowValues) {
    if (lanes == Lanes::One) {
      scalars.push_back(value);
      continue;
    }
    int64_t first = lanes == Lanes::Shared ? 0 : lane;
    int64_t last = lanes == Lanes::Shared ? numLanes - 1 : lane;
    for (int64_t i = accumulate ? first : last; i <= last; ++i)
      scalars.push_back(vector::ExtractOp::create(builder, loc, value, i));
  }
  OpBuilder::InsertionGuard guard(builder);
  if (Value condition = getCondition(builder, values, row, lane)) {
    auto branch = scf::IfOp::create(builder, loc, condition, /*withElseRegion=*/false);
    builder.setInsertionPointToStart(branch.thenBlock());
  }
  SmallVector<Value, 1> at = getFlatIndex(flat, index);
  Value result = scalars.back();
  if (accumulate) {
    result = memref::LoadOp::create(builder, loc, flat, at);
    for (Value scalar : scalars)
      result = add(builder, loc, result, scalar);
  }
  memref::StoreOp::create(builder, loc, result, flat, at);
}

bool MachineAccess::isLine(int64_t row) const {
  constexpr int64_t line = CNN_ALIGNMENT;
  const int64_t bytes = getElementTypeOrSelf(buffer.getType()).getIntOrFloatBitWidth() / 8;
  return numLanes * bytes == line && rowOffsets[row] * bytes % line == 0 &&
         llvm::all_of(terms, [&](auto term) { return term.second * bytes % line == 0; });
}

void MachineAccess::store(OpBuilder &builder, FunctionValues &values, int64_t row,
                          ArrayRef<Value> rowValues, bool accumulate, bool nontemporal) {
  if (lanes != Lanes::Contiguous) {
    int64_t count = lanes == Lanes::Strided ? numLanes : 1;
    for (int64_t lane = 0; lane < count; ++lane)
      storeScalar(builder, values, row, lane, rowValues, accumulate);
    return;
  }
  Value flat = values.getFlat(buffer);
  Value index = getIndex(builder, values, rowOffsets[row]);
  auto type = cast<VectorType>(getMachineType(tile));
  Value mask = getMask(builder, values, row);
  Value result = rowValues.back();
  if (accumulate) {
    if (mask)
      result = vector::MaskedLoadOp::create(builder, loc, type, flat, ValueRange{index}, mask,
                                            values.getSplat(type, 0.0));
    else
      result = vector::LoadOp::create(builder, loc, type, flat, ValueRange{index});
    for (Value value : rowValues)
      result = add(builder, loc, result, value);
  }
  if (mask)
    vector::MaskedStoreOp::create(builder, loc, flat, ValueRange{index}, mask, result);
  else if (nontemporal && isLine(row))
    vector::StoreOp::create(builder, loc, result, flat, ValueRange{index}, /*nontemporal=*/true,
                            llvm::MaybeAlign(CNN_ALIGNMENT));
  else
    vector::StoreOp::create(builder, loc, result, flat, ValueRange{index});
}
