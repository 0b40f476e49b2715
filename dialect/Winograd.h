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

/// A convolution with 3 or 5 taps along each axis, or the gradient of its input, in tiles.
///
/// With 3 taps at stride 2 even pixels meet taps 0 and 2, and odd ones tap 1: F(tile, 2) of the
/// even ones, and a product for each odd one, which make one algorithm with 2 tile + 1 points. In
/// the gradient of the input, with padding 1, odd and even pixels take turns with the same points.
struct WinogradForm {
  /// Outputs of a tile along an axis; in the gradient of a strided convolution's input half of
  /// them.
  int64_t tile = 0;
  int64_t stride = 1;
  /// Whether it is the gradient of the input, which reads the same transformed weights.
  bool turned = false;
  int64_t taps = 3;

  /// Whether there are points for it: tiles of 2, 3, 4 and 6 at stride 1, of 2, 3 and 4 at stride
  /// 2; with 5 taps, of 2 and 4 at stride 1.
  bool isKnown() const;
  /// Whether numbers far from 1 among the points make errors several times as large as those of the
  /// others: points +-2 and +-1/2.
  bool isCoarse() const { return stride == 1 && getPoints() == 8; }
  /// Products along an axis.
  int64_t getPoints() const { return stride == 1 ? tile + taps - 1 : 2 * tile + 1; }
  /// Elements that a tile reads along an axis, and how far from each other tiles begin.
  int64_t getWindow() const { return stride == 2 && turned ? tile + 1 : getPoints(); }
  int64_t getStep() const { return turned ? tile : stride * tile; }
  /// Elements that it makes along an axis.
  int64_t getOutputs() const { return turned ? stride * tile : tile; }
  /// Its matrices: points x window, points x taps and outputs x points. Those of stride 1 by Toom
  /// and Cook's construction (Winograd 1980; Lavin and Gray 2016) over the points 0, +-1 (m = 2),
  /// +-1/2, +-3/2 (m = 3), 0, +-1/sqrt(2), +-sqrt(2) (m = 4), 0, +-1, +-2, +-1/2 (m = 6), and
  /// infinity. Those of m = 4 give about half the rounding error of 0, +-1, +-2, and so do those of
  /// m = 3 of 0, +-1, 2. F(m, 5) has the points of F(m + 2, 3), and F(m, 2) has one point less: 0,
  /// 1 (m = 2), else those of F(m - 1, 3).
  WinogradMatrices getMatrices() const;
};

/// Whether there are points for the gradient of 3 taps from tiles of m outputs: 2, 3, 4.
bool hasWinogradGradPoints(int64_t m);

/// The matrices of F(3, m): the 3 taps' gradients from m outputs' (in the place of `weight`) and
/// m + 2 pixels. The points are those of F(m, 3), and so is `input`. `output` holds the
/// denominators: it is applied once to a sum over all tiles.
WinogradMatrices getWinogradGradMatrices(int64_t m);

} // namespace mlir::cnn

#endif // CNNC_DIALECT_WINOGRAD_H
