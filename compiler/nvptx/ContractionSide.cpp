//===- ContractionSide.cpp - Tiles of one factor of a product in shared memory ---------------===//

#include "compiler/nvptx/ContractionSide.h"
#include "compiler/nvptx/Emitters.h"
#include "compiler/schedule/Strides.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

ContractionSide::ContractionSide(ElementBuilder &e, const Contraction &product,
                                 const GpuSchedule &schedule, gpu::GPUFuncOp kernel, bool ofRows)
    : size(ofRows ? product.numRows : product.numColumns), tile(schedule.tile[ofRows ? 0 : 1]),
      dims(ofRows ? product.rows : product.columns),
      windows(ofRows ? product.rowWindows : product.columnWindows),
      window(ofRows ? product.rowWindow : product.columnWindow),
      digits(e.space.getTileDigits(schedule, ofRows)), e(e), product(product), schedule(schedule),
      operand(ofRows ? product.rowOperand : product.columnOperand), reader(e, operand) {
  Value value = e.info.anchor->getOperand(operand);
  Type element = getTensor(e.info.anchor->getResult(0)).getElementType();
  elementBytes = schedule.instruction == "bf16" ? 2 : element.getIntOrFloatBitWidth() / 8;
  int64_t depth = schedule.tile[2];

  // Along which of the two the elements of the operand lie closer to each other.
  const Nest &nest = e.nest;
  SmallVector<int64_t> strides =
      getStrides(getForms(nest.operandMaps[operand]), getTensor(value).getShape(),
                 getOperandLayout(e.info, value));
  auto getNearest = [&](ArrayRef<unsigned> candidates) {
    int64_t nearest = std::numeric_limits<int64_t>::max();
    for (unsigned dim : candidates)
      if (nest.sizes[dim] > 1 && strides[dim] != 0)
        nearest = std::min(nearest, std::abs(strides[dim]));
    return nearest;
  };
  alongDepth = getNearest(product.reduced) < getNearest(dims);
  bool isMma = schedule.usesTensorCores();
  linesAlongDepth = isMma && alongDepth;
  copied = e.space.canCopy(schedule, operand);
  // Neighbouring rows are neighbours of the nest where they are not in the order of windows.
  constexpr int64_t wide = Factor::wide;
  bool divides = (alongDepth || window == 1) && (alongDepth ? depth : tile) % wide == 0 &&
                 tile * depth % (wide * schedule.block) == 0;
  if (element.isF32() && divides &&
      reader.isContiguous(alongDepth ? ArrayRef(product.reduced) : dims)) {
    width = wide;
    // Four bytes can be copied to any place, 16 to 16 only: then four are read, and written alone.
    copied &= linesAlongDepth == alongDepth;
  }

  int64_t length = linesAlongDepth ? depth : tile;
  int64_t chunks = length / getChunk(),
          perRow = std::max<int64_t>(1, 128 / (length * elementBytes));
  // Eight lines are read at a time, 16 bytes each (of f32: four); or four, 32 bytes each.
  if (isMma && elementBytes == 4 && !linesAlongDepth)
    swizzle = {1, 4, 2};
  else if (isMma)
    swizzle = {perRow, std::min<int64_t>(8, chunks), 1};
  pitch = length + (!isMma && alongDepth ? 4 : 0);
  stageSize = (linesAlongDepth ? tile : depth) * pitch;
  Type stored = elementBytes == 2 ? e.b.getIntegerType(16) : element;
  memory = addSharedMemory(kernel, e.b.getLoc(), stageSize * schedule.stages, stored);
  pointer = getPointer(e.b, memory, 3);
}

Index ContractionSide::permute(Index chunk, Index line) {
  Index by = e.multiply(e.remainder(e.divide(line, swizzle.every), swizzle.count), swizzle.factor);
  if (by.isConstant() && by.low == 0)
    return chunk;
  Value value = arith::XOrIOp::create(e.b, chunk.value, by.value);
  return {value, 0, static_cast<int64_t>(llvm::NextPowerOf2(chunk.high | by.high)) - 1};
}

void ContractionSide::makeShare(Index row, Index step) {
  Share share;
  share.dims.assign(e.nest.getNumDims(), e.getConstant(0));
  e.place(share.dims, product.batch, batch);
  auto [place, within] = locateRow(getDigits(row));
  e.place(share.dims, dims, windows, e.clamp(place, getNumWindows(), share.inside), within);
  share.step = step;
  Index line = linesAlongDepth ? row : step, at = linesAlongDepth ? step : row;
  int64_t chunk = getChunk();
  if (swizzle.count > 1)
    at = e.add(e.multiply(permute(e.divide(at, chunk), line), chunk), e.remainder(at, chunk));
  share.offset = e.add(e.multiply(line, pitch), at);
  shares.push_back(std::move(share));
}

SmallVector<Index> ContractionSide::getDigits(Index row) {
  if (window == 1)
    return {row};
  SmallVector<Index> values;
  for (const TileDigit &digit : digits) {
    values.push_back(e.remainder(row, digit.extent));
    row = e.divide(row, digit.extent);
  }
  return values;
}

std::pair<Index, Index> ContractionSide::locateRow(ArrayRef<Index> values) {
  if (window == 1)
    return {e.add(e.multiply(tileNumber, tile), values.front()), e.getConstant(0)};
  Index place = e.getConstant(0), within = e.getConstant(0);
  int64_t numPlaces = 1, numWithin = 1;
  for (auto [digit, value] : llvm::zip(digits, values)) {
    place = e.add(place, e.multiply(e.divide(value, digit.window), numPlaces));
    within = e.add(within, e.multiply(e.remainder(value, digit.window), numWithin));
    numPlaces *= digit.extent / digit.window;
    numWithin *= digit.window;
  }
  return {e.add(e.multiply(tileNumber, tile / window), place), within};
}

void ContractionSide::begin(Index givenThread, Index givenBatch, Index givenNumber) {
  thread = givenThread;
  batch = givenBatch;
  tileNumber = givenNumber;
  int64_t depth = schedule.tile[2];
  for (int64_t at = 0; at < tile * depth / width; at += schedule.block) {
    Index number = e.add(thread, e.getConstant(at));
    if (!alongDepth) {
      Index row = e.multiply(e.remainder(number, tile / width), width);
      makeShare(row, e.divide(number, tile / width));
      continue;
    }
    // What a warp writes to lines of the tile turned round: eight steps of four rows are in
    // different banks.
    int64_t steps = linesAlongDepth || depth % 8 != 0 || width > 1 ? depth / width : 8;
    Index row = e.remainder(e.divide(number, steps), tile);
    Index step =
        e.add(e.remainder(number, steps), e.multiply(e.divide(number, steps * tile), steps));
    makeShare(row, e.multiply(step, width));
  }
}

SmallVector<Index> ContractionSide::locate(const Share &share, Index depth, Value &inside) {
  const Nest &nest = e.nest;
  inside = share.inside;
  SmallVector<Index> point = share.dims;
  e.place(point, product.reduced, e.clamp(e.add(depth, share.step), product.depth, inside));
  return e.apply(getForms(nest.operandMaps[operand]), point);
}

SmallVector<Index> ContractionSide::locateRead(const Share &share, Index depth, Value &inside) {
  const Nest &nest = e.nest;
  inside = share.inside;
  SmallVector<Index> point = share.dims;
  Index step = e.add(depth, share.step);
  e.place(point, product.reduced, step);
  if (step.high >= product.depth) {
    // Of a step behind the last, all indices but the first are remainders.
    unsigned first = product.reduced.front();
    point[first].high = step.high / (product.depth / nest.sizes[first]);
    point[first] = e.clamp(point[first], nest.sizes[first], inside);
  }
  return e.apply(getForms(nest.operandMaps[operand]), point);
}

Value ContractionSide::toAddress(Index offset) {
  Type type = elementBytes == 2 ? Type(e.b.getIntegerType(16))
                                : getTensor(e.info.anchor->getResult(0)).getElementType();
  return getElement(e.b, pointer, type, offset.value);
}

void ContractionSide::copy(Index depth, Index stage) {
  auto argument = static_cast<unsigned>(reader.getArgument());
  Value source = getPointer(e.b, e.getInput(argument), 1);
  auto bytes = static_cast<uint32_t>(4 * width);
  auto cache = width == 1 ? NVVM::LoadCacheModifierKind::CA : NVVM::LoadCacheModifierKind::CG;
  Index start = getStart(stage);
  for (const Share &share : shares) {
    Value inside;
    SmallVector<Index> at = locate(share, depth, inside);
    Value number = e.getNumber(argument, at, inside);
    Value from = getElement(e.b, source, e.b.getF32Type(), number);
    // What is not there becomes zeros.
    Value given;
    if (inside)
      given = arith::SelectOp::create(e.b, inside, arith::ConstantIntOp::create(e.b, bytes, 32),
                                      arith::ConstantIntOp::create(e.b, 0, 32));
    NVVM::CpAsyncOp::create(e.b, toAddress(e.add(start, share.offset)), from, bytes, cache, given);
  }
}

SmallVector<Value> ContractionSide::read(Index depth) {
  SmallVector<Value> values;
  for (const Share &share : shares) {
    Value inside;
    SmallVector<Index> at = locate(share, depth, inside);
    llvm::append_range(values, reader.load(at, inside, width));
  }
  return values;
}

/// Two f32 rounded to bf16, the first in the low half.
static Value packHalves(ImplicitLocOpBuilder &b, Value low, Value high) {
  auto type = VectorType::get({2}, b.getBF16Type());
  Value pair = NVVM::ConvertF32x2ToBF16x2Op::create(b, type, high, low, /*random_bits=*/Value(),
                                                    NVVM::FPRoundingMode::RN);
  return LLVM::BitcastOp::create(b, b.getI32Type(), pair);
}

void ContractionSide::write(ArrayRef<Value> values, Index depth, Index stage) {
  Index start = getStart(stage);
  // All is loaded before the first is stored.
  SmallVector<Value> elements;
  for (const Share &share : shares) {
    Value inside;
    SmallVector<Index> at = locateRead(share, depth, inside);
    elements.push_back(reader.compute(at, inside, width, values));
  }
  for (auto [share, value] : llvm::zip(shares, elements))
    store(share, value, start);
}

/// Stores the elements of a share.
void ContractionSide::store(const Share &share, Value value, Index start) {
  auto extract = [&](Value vector, int64_t i) -> Value {
    if (width == 1)
      return vector;
    return LLVM::ExtractElementOp::create(e.b, vector, arith::ConstantIntOp::create(e.b, i, 32));
  };
  Value address = toAddress(e.add(start, share.offset));
  if (elementBytes == 2 && width == 1) {
    Value zero = buildZero(e.b, e.b.getLoc(), e.b.getF32Type());
    Value rounded =
        arith::TruncIOp::create(e.b, e.b.getIntegerType(16), packHalves(e.b, value, zero));
    LLVM::StoreOp::create(e.b, rounded, address, 2);
  } else if (elementBytes == 2) {
    auto type = VectorType::get({2}, e.b.getI32Type());
    Value packed = LLVM::PoisonOp::create(e.b, type);
    for (int64_t i = 0; i < 2; ++i)
      packed = LLVM::InsertElementOp::create(
          e.b, packed, packHalves(e.b, extract(value, 2 * i), extract(value, 2 * i + 1)),
          arith::ConstantIntOp::create(e.b, i, 32));
    LLVM::StoreOp::create(e.b, packed, address, 8);
  } else if (linesAlongDepth == alongDepth) {
    LLVM::StoreOp::create(e.b, value, address, static_cast<unsigned>(elementBytes * width));
  } else {
    for (int64_t i = 0; i < width; ++i)
      LLVM::StoreOp::create(e.b, extract(value, i),
                            toAddress(e.add(start, e.add(share.offset, e.getConstant(i * pitch)))),
                            static_cast<unsigned>(elementBytes));
  }
}
