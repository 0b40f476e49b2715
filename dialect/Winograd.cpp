//===- Winograd.cpp - The matrices of Winograd's convolutions --------------------------------===//

#include "dialect/Winograd.h"

#include <cmath>

using namespace mlir::cnn;
using llvm::SmallVector;

bool WinogradForm::isKnown() const {
  if (taps == 5)
    return stride == 1 && (tile == 2 || tile == 4);
  return taps == 3 && (stride == 1 || stride == 2) &&
         ((tile >= 2 && tile <= 4) || (stride == 1 && tile == 6));
}

bool mlir::cnn::hasWinogradGradPoints(int64_t m) { return m >= 2 && m <= 4; }

/// The points of products of m + 2 elements but the one at infinity.
static SmallVector<double> getPoints(int64_t m) {
  if (m == 1)
    return {0, 1};
  if (m == 2)
    return {0, 1, -1};
  if (m == 3)
    return {0.5, -0.5, 1.5, -1.5};
  if (m == 4)
    return {0, std::sqrt(0.5), -std::sqrt(0.5), std::sqrt(2.0), -std::sqrt(2.0)};
  return {0, 1, -1, 2, -2, 0.5, -0.5};
}

/// The coefficients, lowest first, of the product of (x - p) over the points but number `skip`.
static SmallVector<double> multiplyOut(const SmallVector<double> &points, size_t skip) {
  SmallVector<double> product = {1};
  for (size_t at = 0; at < points.size(); ++at) {
    if (at == skip)
      continue;
    product.push_back(0);
    for (size_t i = product.size(); i-- > 0;)
      product[i] = (i > 0 ? product[i - 1] : 0) - points[at] * product[i];
  }
  // Points come in pairs of opposite sign: what cancels up to rounding is 0, what is nearly a
  // multiple of 1/64 is that.
  for (double &value : product)
    if (std::abs(value * 64 - std::round(value * 64)) < 1e-9)
      value = std::round(value * 64) / 64;
  return product;
}

/// F(m, taps). Lagrange's denominators stand with the outputs (`scaleOutput`) or with the taps.
static WinogradMatrices makeMatrices(int64_t m, int64_t taps, bool scaleOutput) {
  int64_t alpha = m + taps - 1;
  SmallVector<double> points = getPoints(alpha - 2);
  WinogradMatrices result;
  result.input.assign(alpha * alpha, 0);
  result.weight.assign(alpha * taps, 0);
  result.output.assign(m * alpha, 0);
  // Row j of `input` is Lagrange's polynomial of point j without its denominator; the last row is
  // the product over all points, for the point at infinity.
  for (int64_t j = 0; j < alpha; ++j) {
    SmallVector<double> row = multiplyOut(points, j);
    for (size_t i = 0; i < row.size(); ++i)
      result.input[j * alpha + i] = row[i];
    if (j + 1 == alpha) {
      result.weight[j * taps + taps - 1] = 1;
      result.output[(m - 1) * alpha + j] = 1;
      continue;
    }
    double denominator = 1;
    for (int64_t other = 0; other + 1 < alpha; ++other)
      if (other != j)
        denominator *= points[j] - points[other];
    double power = 1;
    for (int64_t i = 0; i < std::max(m, taps); ++i, power *= points[j]) {
      if (i < taps)
        result.weight[j * taps + i] = scaleOutput ? power : power / denominator;
      if (i < m)
        result.output[i * alpha + j] = scaleOutput ? power / denominator : power;
    }
  }
  return result;
}

WinogradMatrices WinogradForm::getMatrices() const {
  int64_t points = getPoints(), window = getWindow(), outputs = getOutputs();
  // Of all taps, or of those that even pixels meet.
  int64_t met = stride == 1 ? taps : 2, alpha = tile + met - 1;
  WinogradMatrices half = makeMatrices(tile, met, /*scaleOutput=*/false);
  WinogradMatrices result;
  result.input.assign(points * window, 0);
  result.weight.assign(points * taps, 0);
  result.output.assign(outputs * points, 0);
  for (int64_t p = 0; p < alpha; ++p) {
    for (int64_t tap = 0; tap < taps; tap += stride)
      result.weight[p * taps + tap] = half.weight[p * met + tap / stride];
    // A kernel turned round is images turned round.
    for (int64_t i = 0; i < alpha; ++i)
      result.input[p * window + (turned ? alpha - 1 - i : i * stride)] = half.input[p * alpha + i];
    for (int64_t i = 0; i < tile; ++i)
      result.output[(turned ? (tile - 1 - i) * stride + stride - 1 : i) * points + p] =
          half.output[i * alpha + p];
  }
  for (int64_t i = 0; alpha + i < points; ++i) {
    result.weight[(alpha + i) * taps + 1] = 1;
    result.input[(alpha + i) * window + (turned ? i : 2 * i + 1)] = 1;
    result.output[(turned ? 2 * i : i) * points + alpha + i] = 1;
  }
  return result;
}

WinogradMatrices mlir::cnn::getWinogradGradMatrices(int64_t m) { return makeMatrices(3, m, true); }
