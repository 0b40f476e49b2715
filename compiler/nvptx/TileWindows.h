//===- TileWindows.h - A pooling of the results of a product's tile --------------------------===//
//
// Rows or columns of the tile are numbered window by window (TileDigit of schedule/GpuSchedule.h),
// so that a thread has whole windows in its registers, or a few threads of a warp have one between
// them. Then each goes through its part, and the sums of all are added up by shuffles; or, where
// the order of the points counts, each gives the others all of its points, and all go through the
// whole window. What a pooling is, its nest and body say.
//
//===----------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_NVPTX_TILEWINDOWS_H
#define CNNC_COMPILER_NVPTX_TILEWINDOWS_H

#include "compiler/nvptx/TileProduct.h"

namespace mlir::cnn {

class TileWindows {
public:
  /// `bind` makes a sum that of the current point, and gives its index in the anchor's result.
  TileWindows(ElementBuilder &e, ContractionSide &rows, ContractionSide &columns,
              const TileProduct &tile, Index thread,
              function_ref<SmallVector<Index>(Value, ArrayRef<Index>)> bind);

  /// Stores what the group makes of the sums of a thread, before and behind the pooling. `dims`:
  /// the point of the nest, but for rows and columns.
  void finish(ArrayRef<Index> dims, ValueRange sums);

private:
  /// What a thread has of one window along a side: the numbers of its rows or columns, and which
  /// points of the window they are.
  struct Part {
    Index place = {};
    SmallVector<size_t> own = {};
    SmallVector<Index> within = {};
  };
  /// An operand of poolings that is another one at each point of a window.
  struct Read {
    NestOpInterface pool;
    unsigned operand;
  };
  /// What the operations from the pooling on give for one window.
  using Results = std::vector<std::pair<Operation *, SmallVector<Value>>>;
  /// A step of the pooling: the point in the window, which of a thread's part it is, and of which
  /// thread, counted from the first that has some of the window.
  struct Step {
    SmallVector<Index> point;
    size_t element;
    int64_t distance;
  };

  SmallVector<Part> getParts(ContractionSide &side, ArrayRef<Index> own);
  void findLanes(Index thread);
  void findSteps();
  void findReads();
  /// The number in `reads` of an operand; -1 where it is the same in all of a window.
  int64_t findRead(NestOpInterface op, const Nest &window, unsigned operand) const;
  SmallVector<Index> placeWindow(ArrayRef<Index> dims, const Index &row, const Index &column);
  SmallVector<Value> readPoints(SmallVector<Index> dims, const Part &row, const Part &column,
                                const Index &columnPlace, ArrayRef<Index> pooled, ValueRange sums);
  SmallVector<Value> readPoint(Value sum, ArrayRef<Index> dims, Index within,
                               ArrayRef<Index> pooled);
  Results pool(ArrayRef<Value> points, ArrayRef<Index> within, ArrayRef<Index> pooled);
  SmallVector<Value> pool(NestOpInterface op, ArrayRef<Value> points, ArrayRef<Index> within,
                          ArrayRef<Index> pooled);
  SmallVector<Index> getPoint(Index within, ArrayRef<Index> pooled);
  void store(const Results &results, ArrayRef<Index> pooled);

  ElementBuilder &e;
  ContractionSide &rows, &columns;
  const TileProduct &tile;
  function_ref<SmallVector<Index>(Value, ArrayRef<Index>)> bind;
  /// The side that windows lie along, and the dimensions of the pooling's nest along those of the
  /// side; -1 for none.
  bool ofRows;
  ContractionSide &side;
  SmallVector<int64_t> reducedDims;
  Nest nest;
  SmallVector<Step> steps;
  SmallVector<Read> reads;
  /// The threads that have a window between them, the number in its warp of the first of them, and
  /// whether this is that; null where each thread has whole windows.
  int64_t threads = 1;
  Value firstLane, isFirst;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_NVPTX_TILEWINDOWS_H
