//===- Winograd.h - The matrices of Winograd's convolutions ----------------------------------===//

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

/// Whether there are points for tiles of m outputs: 2, 3, 4 and 6.
bool hasWinogradPoints(int64_t m);

/// The matrices of F(m, 3), by Toom and Cook's construction (Winograd 1980; Lavin and Gray 2016)
/// over the points 0, +-1 (m = 2), +-1/2, +-3/2 (m = 3), 0, +-1/sqrt(2), +-sqrt(2) (m = 4),
/// 0, +-1, +-2, +-1/2 (m = 6), and infinity. Those of m = 4 give about half the rounding error of
/// 0, +-1, +-2, and so do those of m = 3 of 0, +-1, 2.
WinogradMatrices getWinogradMatrices(int64_t m);

/// Whether there are points for the gradient of 3 taps from tiles of m outputs: 2, 3, 4.
bool hasWinogradGradPoints(int64_t m);

/// The matrices of F(3, m): the 3 taps' gradients from m outputs' (in the place of `weight`) and
/// m + 2 pixels. The points are those of F(m, 3), and so is `input`. `output` holds the denominators: it is applied once to a sum over
/// all tiles.
WinogradMatrices getWinogradGradMatrices(int64_t m);

} // namespace mlir::cnn

#endif // CNNC_DIALECT_WINOGRAD_H
