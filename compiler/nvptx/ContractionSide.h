//===- ContractionSide.h - Tiles of one factor of a product in shared memory -----------------===//
//
// Elements of a factor go to shared memory tile by tile: by copies that run by themselves
// (cp.async), where an input is read as it is, or through registers, where something is computed on
// the way (FactorReader.h), where it is rounded to bf16, and before sm_80.
//
// A tile lies in lines. With `fma` a line is one step of the depth, since a thread multiplies all
// of its rows for one step. With tensor cores a line runs along the depth where the tensor does
// (16 bytes are then copied at a time), else along the rows. Threads that read or write at a time
// have elements of different lines; so that these lie in different banks, lines are longer by four
// elements (fma), or their 16-byte chunks are permuted:
//
//     chunk ^= line / every % count * factor
//
//===----------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_NVPTX_CONTRACTIONSIDE_H
#define CNNC_COMPILER_NVPTX_CONTRACTIONSIDE_H

#include "compiler/nvptx/FactorReader.h"

namespace mlir::cnn {

/// The permutation of the 16-byte chunks of a line of shared memory.
struct Swizzle {
  int64_t every = 1, count = 1, factor = 1;
};

/// One of the two factors of a contraction: that of rows, or of columns (here, its "rows" are
/// columns of the result).
class ContractionSide {
public:
  ContractionSide(ElementBuilder &e, const Contraction &product, const GpuSchedule &schedule,
                  gpu::GPUFuncOp kernel, bool ofRows);

  /// The extent of the result along this side, and that of a tile.
  int64_t size, tile;
  /// The dimensions of the nest that number its rows, the extents of the windows of the pooling
  /// that follows along each of them, and how many points a window has.
  ArrayRef<unsigned> dims;
  ArrayRef<int64_t> windows;
  int64_t window;
  /// The digits of a row's number within the tile.
  SmallVector<TileDigit> digits;
  /// Whether a line of shared memory runs along the depth.
  bool linesAlongDepth = false;
  /// Elements from line to line, and of a tile.
  int64_t pitch = 0, stageSize = 0;
  Swizzle swizzle;
  /// The tiles of all stages: a buffer of elements (fma), and a pointer to it.
  Value memory, pointer;

  /// Says which tile is meant: its number, and that of the batch.
  void begin(Index thread, Index batch, Index number);
  /// The digits of a row of the tile.
  SmallVector<Index> getDigits(Index row);
  /// Which window of the result the row with these digits is in, and which of its points it is.
  std::pair<Index, Index> locateRow(ArrayRef<Index> values);
  /// How many windows the result has.
  int64_t getNumWindows() const { return size / window; }
  /// Whether tiles are copied, not read and written.
  bool isCopied() const { return copied; }
  /// Registers that a thread has of what is on its way: elements, and, where they are computed of
  /// that, a condition.
  int64_t getNumHeld() const {
    int64_t ofShare = width * reader.getNumLoaded() + (reader.isInSteps() ? 1 : 0);
    return copied ? 0 : static_cast<int64_t>(shares.size()) * ofShare;
  }
  /// Registers for their addresses: one of each copy; of each element that is read alone two, since
  /// all addresses are there before the first element is.
  int64_t getNumAddresses() const {
    return static_cast<int64_t>(shares.size()) * (copied ? 1 : width == 1 ? 2 : 0);
  }
  /// Starts to copy the tile of the depth from `depth` on to `stage`.
  void copy(Index depth, Index stage);
  /// The thread's share of that tile, or what it is computed from; and how it gets to `stage`.
  SmallVector<Value> read(Index depth);
  void write(ArrayRef<Value> values, Index depth, Index stage);
  /// Where the tile of `stage` begins.
  Index getStart(Index stage) { return e.multiply(stage, stageSize); }
  /// The first of the 16-byte chunks that a line's number permutes, which is a multiple of it.
  Index permute(Index chunk, Index line);
  /// Elements of a chunk.
  int64_t getChunk() const { return 16 / elementBytes; }

private:
  /// Neighbouring elements of a tile that a thread brings: the point of the nest but for the
  /// depth, the condition that there is one, the first step and where it goes to.
  struct Share {
    SmallVector<Index> dims;
    Value inside;
    Index step, offset;
  };

  void store(const Share &share, Value value, Index start);
  void makeShare(Index row, Index step);
  /// The point of the nest of a share, and whether there is one.
  SmallVector<Index> locate(const Share &share, Index depth, Value &inside);
  /// The same for what is computed of elements that were read: where there is none, some point.
  SmallVector<Index> locateRead(const Share &share, Index depth, Value &inside);
  Value toAddress(Index offset);

  ElementBuilder &e;
  const Contraction &product;
  const GpuSchedule &schedule;
  unsigned operand;
  FactorReader reader;
  /// Whether neighbouring threads read neighbours along the depth, not along rows.
  bool alongDepth = false;
  bool copied = false;
  int64_t elementBytes = 4;
  /// Elements of a share.
  int64_t width = 1;
  Index thread = {}, batch = {}, tileNumber = {};
  SmallVector<Share> shares;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_NVPTX_CONTRACTIONSIDE_H
