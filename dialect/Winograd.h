//===- Winograd.h - The matrices of Winograd's convolutions
//-----------------------------------------===//

#ifndef CNNC_DIALECT_WINOGRAD_H
#define CNNC_DIALECT_WINOGRAD_H

#include "llvm/ADT/SmallVector.h"

#include <cstdint>

namespace mlir::cnn {

/// The matrices of F(m, r): with `alpha = m + r - 1`, m outputs of a correlation with r taps are
/// `output * ((weight * taps) . (input * pixels))`, `.` element by element. All are row-major.
struct WinogradMatrices {
  llvm::SmallVector<double> input;  ///< alpha x alpha
  llvm::SmallVector<double> weight; ///< alpha x r
  llvm::SmallVector<double> output; ///< m x alpha
};

/// Whether there are points for tiles of m outputs: 2, 4 and 6.
bool hasWinogradPoints(int64_t m);

/// The matrices of F(m, 3), by Toom and Cook's construction (Winograd 1980; Lavin and Gray 2016)
/// over the points 0, +-1 (m = 2), 0, +-1/sqrt(2), +-sqrt(2) (m = 4), 0, +-1, +-2, +-1/2 (m = 6),
/// and infinity. Those of m = 4 give about half the rounding error of 0, +-1, +-2.
WinogradMatrices getWinogradMatrices(int64_t m);

} // namespace mlir::cnn

#endif // CNNC_DIALECT_WINOGRAD_H
