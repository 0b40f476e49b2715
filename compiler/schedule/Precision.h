//===- Precision.h - The error of an algorithm, and the bound on it --------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_PRECISION_H
#define CNNC_COMPILER_SCHEDULE_PRECISION_H

#include "dialect/Winograd.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <optional>
#include <string>

namespace mlir::cnn {

/// On a module up to phase `scheduled`: the largest relative error that an algorithm may have.
inline constexpr llvm::StringLiteral precisionAttr = "cnn.precision";

/// The relative error (root mean square, against exact arithmetic) that is to be expected of
/// Winograd's algorithm in this form for a convolution of `channels` channels, or the gradient of
/// its input, in floats of `bits` bits.
double getWinogradError(const WinogradForm &form, int64_t channels, unsigned bits);
/// The same for the gradient of its weight: each sum is over `terms` outputs' gradients, the images
/// of a slice times rows times columns. The slices are added at the end.
double getWinogradGradError(int64_t tile, int64_t terms, unsigned bits);

/// Which tiles may be chosen unasked.
class Precision {
public:
  /// `bound`: the largest error; 0 where there is none, and coarse forms are left out.
  explicit Precision(double bound = 0) : bound(bound) {}
  /// Why tiles of `tile` may not be chosen; empty where they may. `getError` tells their error,
  /// `coarse` whether it is much above that of other tiles.
  std::string whyNot(int64_t tile, llvm::function_ref<double(int64_t)> getError,
                     bool coarse = false) const;
  bool isBounded() const { return bound > 0; }

private:
  double bound;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_PRECISION_H
