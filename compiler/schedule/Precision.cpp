//===- Precision.cpp - The error of an algorithm, and the bound on it ------------------------===//

#include "compiler/schedule/Precision.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;
using namespace mlir::cnn;

/// "7.1e-07" as "7e-7".
static std::string formatError(double error) {
  std::string text = llvm::formatv("{0:e1}", error).str();
  auto [digits, exponent] = StringRef(text).split('e');
  int64_t power = 0;
  exponent.getAsInteger(10, power);
  digits.consume_back(".0");
  return (digits + "e" + Twine(power)).str();
}

/// The rounding of one operation in floats of `bits` bits, over that of 32.
static double getUnit(unsigned bits) { return bits == 64 ? std::ldexp(1, -29) : 1; }

/// Errors that do not depend on each other add up by their squares: that of the transforms, and
/// that of a sum over so many products. Measured with `cnn time --layers --errors` on numbers
/// uniform in
/// [-1, 1): 4 to 512 channels, 16 to 4096 pixels.
static double combine(double transforms, double perTerm, double terms, unsigned bits) {
  return getUnit(bits) * std::sqrt(transforms * transforms + perTerm * perTerm * terms);
}

double mlir::cnn::getWinogradError(const WinogradForm &form, int64_t channels, unsigned bits) {
  int64_t tile = form.tile;
  if (form.taps == 5)
    return tile == 2 ? combine(3.7e-7, 1.0e-7, channels, bits)
                     : combine(1.3e-6, 3.6e-7, channels, bits);
  if (tile == 2)
    return combine(1.0e-7, 3.0e-8, channels, bits);
  if (form.stride == 2)
    return tile == 3 ? combine(0.9e-7, 2.7e-8, channels, bits)
                     : combine(1.6e-7, 4.6e-8, channels, bits);
  if (tile == 3)
    return combine(2.5e-7, 5.2e-8, channels, bits);
  return tile == 4 ? combine(3.3e-7, 9.2e-8, channels, bits)
                   : combine(1.3e-6, 3.7e-7, channels, bits);
}

double mlir::cnn::getWinogradGradError(int64_t tile, int64_t terms, unsigned bits) {
  if (tile == 2)
    return combine(1.4e-7, 1.5e-8, terms, bits);
  return tile == 3 ? combine(3.6e-7, 1.9e-8, terms, bits) : combine(4.5e-7, 2.3e-8, terms, bits);
}

std::string Precision::whyNot(int64_t tile, function_ref<double(int64_t)> getError,
                              bool coarse) const {
  std::string name = "winograd" + std::to_string(tile);
  if (bound == 0)
    return coarse ? name + " is not chosen unless a precision allows it" : "";
  double error = getError(tile);
  if (error <= bound)
    return "";
  return name + "'s error " + formatError(error) + " is above the precision " + formatError(bound);
}
