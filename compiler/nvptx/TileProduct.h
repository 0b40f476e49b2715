//===- TileProduct.h - What one thread multiplies of the tiles in shared memory --------------===//
//
// A thread has the sums of some rows and columns of a tile of the result, row by row. There is one
// kind of TileProduct for `fma`, one for the `mma.sync` of tensor cores.
//
//===----------------------------------------------------------------------------------------===//

#ifndef CNNC_COMPILER_NVPTX_TILEPRODUCT_H
#define CNNC_COMPILER_NVPTX_TILEPRODUCT_H

#include "compiler/nvptx/ContractionSide.h"

#include <memory>

namespace mlir::cnn {

class TileProduct {
public:
  virtual ~TileProduct() = default;

  /// The kind that the schedule asks for.
  static std::unique_ptr<TileProduct> create(ElementBuilder &e, const GpuSchedule &schedule,
                                             ContractionSide &rows, ContractionSide &columns,
                                             Index thread);

  /// The rows and columns of a tile that the thread has the sums of: sum `i * columns + j` is that
  /// of row i and column j.
  SmallVector<Index> rows, columns;
  /// So many columns at a time, from a multiple of it on, are neighbours.
  int64_t neighbours = 1;

  /// Adds the products of all steps of the tiles of `stage` to the sums.
  virtual SmallVector<Value> multiply(Index stage, SmallVector<Value> sums) = 0;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_NVPTX_TILEPRODUCT_H
