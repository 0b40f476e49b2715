// Sums of millions of numbers in double: their rounding is far below every tolerance.
#include "Digest.h"

#include <cmath>

cnn::Json digest(int64_t count, llvm::function_ref<double(int64_t)> at) {
  double sum = 0, squares = 0, largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    double value = at(i);
    sum += value;
    squares += value * value;
    // Not std::max, which would lose a NaN.
    if (!(std::abs(value) <= largest))
      largest = std::abs(value);
  }
  cnn::Json numbers = {sum, std::sqrt(squares), largest};
  for (int64_t k = 0; k < 4; ++k)
    numbers.push_back(at((4 * k + 1) * count / 16));
  return numbers;
}
