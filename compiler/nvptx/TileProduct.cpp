//===- TileProduct.cpp - What one thread multiplies of the tiles in shared memory ------------===//
//
// `fma`: a thread has rows that are neighbours, and columns that stand apart by the threads along
// columns, so that neighbouring threads read, and later store, neighbours.
//
// `tf32`, `bf16`: a warp has rows x columns, a multiple of 16 x 8, which is what one mma.sync adds
// to. Lane 4 * g + t has of each 16 x 8 results those in rows g and g + 8 and columns 2 * t and
// 2 * t + 1. Of the factors it has, in units of 8 rows (or columns) and 8 steps of tf32, the
// elements of row g in steps t and t + 4; of bf16, 8 rows and 8 steps are a matrix that ldmatrix
// brings to where it belongs, turned round or not.
//
//===----------------------------------------------------------------------------------------===//

#include "compiler/nvptx/TileProduct.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::cnn;

static Value toIndex(ElementBuilder &e, Index index) {
  return arith::IndexCastUIOp::create(e.b, e.b.getIndexType(), index.value);
}

namespace {

class FmaProduct : public TileProduct {
public:
  FmaProduct(ElementBuilder &e, const GpuSchedule &schedule, ContractionSide &rowSide,
             ContractionSide &columnSide, Index thread)
      : e(e), schedule(schedule), rowSide(rowSide), columnSide(columnSide) {
    int64_t ownRows = schedule.tile[3], ownColumns = schedule.tile[4];
    threadsAlong = schedule.tile[1] / ownColumns;
    firstRow = e.multiply(e.divide(thread, threadsAlong), ownRows);
    firstColumn = e.remainder(thread, threadsAlong);
    for (int64_t i = 0; i < ownRows; ++i)
      rows.push_back(e.add(firstRow, e.getConstant(i)));
    for (int64_t j = 0; j < ownColumns; ++j)
      columns.push_back(e.add(firstColumn, e.getConstant(j * threadsAlong)));
  }

  SmallVector<Value> multiply(Index stage, SmallVector<Value> sums) override {
    Index rowStart = e.add(rowSide.getStart(stage), firstRow);
    Index columnStart = e.add(columnSide.getStart(stage), firstColumn);
    auto load = [&](ContractionSide &side, Index start, int64_t at) -> Value {
      return memref::LoadOp::create(e.b, side.memory, toIndex(e, e.add(start, e.getConstant(at))));
    };
    for (int64_t step = 0; step < schedule.tile[2]; ++step) {
      SmallVector<Value> a, b;
      for (size_t i = 0; i < rows.size(); ++i)
        a.push_back(load(rowSide, rowStart, step * rowSide.pitch + i));
      for (size_t j = 0; j < columns.size(); ++j)
        b.push_back(load(columnSide, columnStart, step * columnSide.pitch + j * threadsAlong));
      for (size_t i = 0; i < rows.size(); ++i)
        for (size_t j = 0; j < columns.size(); ++j) {
          Value &sum = sums[i * columns.size() + j];
          sum = math::FmaOp::create(e.b, a[i], b[j], sum);
        }
    }
    return sums;
  }

private:
  ElementBuilder &e;
  const GpuSchedule &schedule;
  ContractionSide &rowSide, &columnSide;
  int64_t threadsAlong;
  Index firstRow, firstColumn;
};

class TensorCoreProduct : public TileProduct {
public:
  TensorCoreProduct(ElementBuilder &e, const GpuSchedule &schedule, ContractionSide &rowSide,
                    ContractionSide &columnSide, Index thread)
      : e(e), depth(schedule.tile[2]), isHalf(schedule.instruction == "bf16"),
        rowSide{rowSide, schedule.tile[3] / 8}, columnSide{columnSide, schedule.tile[4] / 8} {
    neighbours = 2;
    int64_t warpsAlong = schedule.tile[1] / schedule.tile[4];
    Index warp = e.divide(thread, 32);
    lane = e.remainder(thread, 32);
    this->rowSide.first = e.multiply(e.divide(warp, warpsAlong), schedule.tile[3]);
    this->columnSide.first = e.multiply(e.remainder(warp, warpsAlong), schedule.tile[4]);
    Index group = e.divide(lane, 4), within = e.remainder(lane, 4);
    for (int64_t unit = 0; unit < this->rowSide.units; ++unit)
      rows.push_back(e.add(this->rowSide.first, e.add(group, e.getConstant(8 * unit))));
    for (int64_t unit = 0; unit < this->columnSide.units; ++unit)
      for (int64_t i = 0; i < 2; ++i)
        columns.push_back(e.add(this->columnSide.first,
                                e.add(e.multiply(within, 2), e.getConstant(8 * unit + i))));
    makeBases(this->rowSide, /*isRows=*/true);
    makeBases(this->columnSide, /*isRows=*/false);
  }

  SmallVector<Value> multiply(Index stage, SmallVector<Value> sums) override {
    for (int64_t step = 0; step < depth; step += isHalf ? 16 : 8) {
      SmallVector<SmallVector<Value>> a = readFragments(rowSide, stage, step, /*isRows=*/true);
      SmallVector<SmallVector<Value>> b = readFragments(columnSide, stage, step, /*isRows=*/false);
      for (size_t i = 0; i < a.size(); ++i)
        for (size_t j = 0; j < b.size(); ++j)
          addProduct(a[i], b[j], sums, i, j);
    }
    return sums;
  }

private:
  struct Part {
    ContractionSide &side;
    int64_t units; ///< of 8 rows, of one warp
    Index first = {};
    /// What the lane's address has that does not follow from another by adding a constant.
    SmallVector<Index> bases = {};
  };

  void makeBases(Part &part, bool isRows);
  Index getOffset(const Part &part, int64_t unit, int64_t step) const;
  SmallVector<SmallVector<Value>> readFragments(const Part &part, Index stage, int64_t step,
                                                bool isRows);
  void addProduct(ArrayRef<Value> a, ArrayRef<Value> b, MutableArrayRef<Value> sums, size_t i,
                  size_t j);

  ElementBuilder &e;
  int64_t depth;
  bool isHalf;
  Part rowSide, columnSide;
  Index lane;
};

/// The base of unit u and step s is that of
///   lines along the depth: the chunk of step s (of two matrices of 8 steps with bf16)
///   lines along rows: tf32: unit u % 4, since the chunks of four lines are permuted by 2, 4, 6;
///                     bf16: unit u
void TensorCoreProduct::makeBases(Part &part, bool isRows) {
  const ContractionSide &side = part.side;
  int64_t chunk = side.getChunk();
  if (!isHalf) {
    Index group = e.divide(lane, 4), within = e.remainder(lane, 4);
    if (side.linesAlongDepth) {
      Index line = e.multiply(e.add(part.first, group), side.pitch);
      for (int64_t at = 0; at < depth / chunk; ++at)
        part.bases.push_back(e.add(
            line, e.add(e.multiply(part.side.permute(e.getConstant(at), group), chunk), within)));
      return;
    }
    Index line = e.add(e.multiply(within, side.pitch), e.add(part.first, group));
    for (int64_t unit = 0; unit < 4; ++unit)
      part.bases.push_back(
          e.add(line, e.multiply(part.side.permute(e.getConstant(2 * unit), within), chunk)));
    return;
  }
  // Lanes 8 * m to 8 * m + 7 give the lines of matrix m. Of rows, matrices count units first, of
  // columns steps: so the registers of mma.sync are ordered.
  Index inner = e.remainder(lane, 8), low = e.remainder(e.divide(lane, 8), 2),
        high = e.divide(lane, 16);
  Index unitOf = isRows ? low : high, stepOf = isRows ? high : low;
  if (side.linesAlongDepth) {
    Index line = e.multiply(e.add(part.first, e.add(e.multiply(unitOf, 8), inner)), side.pitch);
    for (int64_t at = 0; at < depth / chunk; at += 2)
      part.bases.push_back(e.add(
          line, e.multiply(part.side.permute(e.add(e.getConstant(at), stepOf), inner), chunk)));
    return;
  }
  Index line = e.multiply(e.add(e.multiply(stepOf, 8), inner), side.pitch);
  Index first = e.add(e.divide(part.first, chunk), unitOf);
  for (int64_t unit = 0; unit < part.units; unit += 2)
    part.bases.push_back(e.add(
        line, e.multiply(part.side.permute(e.add(first, e.getConstant(unit)), inner), chunk)));
}

Index TensorCoreProduct::getOffset(const Part &part, int64_t unit, int64_t step) const {
  const ContractionSide &side = part.side;
  if (side.linesAlongDepth)
    return e.add(part.bases[step / (isHalf ? 16 : 4)], e.getConstant(8 * unit * side.pitch));
  if (isHalf)
    return e.add(part.bases[unit / 2], e.getConstant(step * side.pitch));
  return e.add(part.bases[unit % 4], e.getConstant(step * side.pitch + unit / 4 * 32));
}

/// The registers of each mma.sync operand for the steps from `step` on: of 16 rows, or 8 columns.
SmallVector<SmallVector<Value>> TensorCoreProduct::readFragments(const Part &part, Index stage,
                                                                 int64_t step, bool isRows) {
  Index start = part.side.getStart(stage);
  ImplicitLocOpBuilder &b = e.b;
  SmallVector<SmallVector<Value>> fragments;
  if (isHalf) {
    auto pointerType = LLVM::LLVMPointerType::get(b.getContext(), 3);
    Type word = b.getI32Type();
    auto type = LLVM::LLVMStructType::getLiteral(b.getContext(), {word, word, word, word});
    for (int64_t unit = 0; unit < part.units; unit += 2) {
      Value address =
          LLVM::GEPOp::create(b, pointerType, b.getIntegerType(16), part.side.pointer,
                              ValueRange(e.add(start, getOffset(part, unit, step)).value));
      Value matrices = NVVM::LdMatrixOp::create(
          b, type, address, 4,
          part.side.linesAlongDepth ? NVVM::MMALayout::row : NVVM::MMALayout::col,
          NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8), NVVM::LdStMatrixEltType::B16);
      SmallVector<Value> words;
      for (int64_t i = 0; i < 4; ++i)
        words.push_back(LLVM::ExtractValueOp::create(b, matrices, i));
      if (isRows) {
        fragments.push_back(words);
      } else {
        fragments.push_back({words[0], words[1]});
        fragments.push_back({words[2], words[3]});
      }
    }
    return fragments;
  }
  // The tensor cores would cut off what tf32 has no digits for.
  auto load = [&](int64_t unit, int64_t at) -> Value {
    Value value = memref::LoadOp::create(b, part.side.memory,
                                         toIndex(e, e.add(start, getOffset(part, unit, at))));
    return NVVM::ConvertFloatToTF32Op::create(b, b.getI32Type(), value, NVVM::FPRoundingMode::RNA);
  };
  for (int64_t unit = 0; unit < part.units; unit += isRows ? 2 : 1) {
    if (isRows)
      fragments.push_back(
          {load(unit, step), load(unit + 1, step), load(unit, step + 4), load(unit + 1, step + 4)});
    else
      fragments.push_back({load(unit, step), load(unit, step + 4)});
  }
  return fragments;
}

void TensorCoreProduct::addProduct(ArrayRef<Value> a, ArrayRef<Value> b,
                                   MutableArrayRef<Value> sums, size_t i, size_t j) {
  Type element = e.b.getF32Type();
  auto type =
      LLVM::LLVMStructType::getLiteral(e.b.getContext(), {element, element, element, element});
  size_t positions[] = {2 * i * columns.size() + 2 * j, 2 * i * columns.size() + 2 * j + 1,
                        (2 * i + 1) * columns.size() + 2 * j,
                        (2 * i + 1) * columns.size() + 2 * j + 1};
  SmallVector<Value> c;
  for (size_t at : positions)
    c.push_back(sums[at]);
  auto operand = isHalf ? NVVM::MMATypes::bf16 : NVVM::MMATypes::tf32;
  Value result = NVVM::MmaOp::create(e.b, type, a, b, c, ArrayRef<int64_t>{16, 8, isHalf ? 16 : 8},
                                     std::nullopt, std::nullopt, std::array{operand, operand},
                                     std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
  for (int64_t k = 0; k < 4; ++k)
    sums[positions[k]] = LLVM::ExtractValueOp::create(e.b, result, k);
}

} // namespace

std::unique_ptr<TileProduct> TileProduct::create(ElementBuilder &e, const GpuSchedule &schedule,
                                                 ContractionSide &rows, ContractionSide &columns,
                                                 Index thread) {
  if (!schedule.usesTensorCores())
    return std::make_unique<FmaProduct>(e, schedule, rows, columns, thread);
  return std::make_unique<TensorCoreProduct>(e, schedule, rows, columns, thread);
}
