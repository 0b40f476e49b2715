// Separable: one pass along the rows, one along the columns, in the cheaper order. The pass that
// makes lines of whole lines works on vectors; the other one on four lines at once.
#include "runtime/data/Resize.h"

#include <algorithm>
#include <cmath>

namespace cnn {

template <typename T>
ResizeLine<T>::ResizeLine(int64_t input, int64_t output) : input(input), output(output) {
  double scale = double(input) / double(output);
  double support = std::max(scale, 1.0);
  taps = int64_t(std::ceil(support)) * 2 + 1;
  first.resize(size_t(output));
  count.resize(size_t(output));
  weights.resize(size_t(output * taps));
  for (int64_t i = 0; i < output; ++i) {
    double centre = scale * (double(i) + 0.5);
    int64_t from = std::max<int64_t>(int64_t(centre - support + 0.5), 0);
    int64_t to = std::min<int64_t>(int64_t(centre + support + 0.5), input);
    to = std::min(std::max(to, from + 1), from + taps);
    double sum = 0;
    std::vector<double> line;
    for (int64_t j = from; j < to; ++j) {
      double distance = std::abs((double(j) - centre + 0.5) / support);
      line.push_back(std::max(1 - distance, 0.0));
      sum += line.back();
    }
    first[size_t(i)] = int32_t(from);
    count[size_t(i)] = int32_t(to - from);
    for (size_t j = 0; j < line.size(); ++j)
      weights[size_t(i * taps) + j] = T(sum > 0 ? line[j] / sum : 1.0 / double(line.size()));
  }
}

template <typename T>
ResizePlan<T>::ResizePlan(ImageShape input, int64_t height, int64_t width)
    : input(input), rows(input.height, height), columns(input.width, width) {
  // A vector pass does about eight times as much in the same time.
  auto cost = [&](int64_t vectorColumns, int64_t scalarRows) {
    return double(rows.output * vectorColumns * std::min(rows.taps, rows.input)) / 8 +
           double(scalarRows * columns.output * std::min(columns.taps, columns.input));
  };
  rowsFirst = cost(columns.input, rows.output) < cost(columns.output, rows.input);
}

namespace {

/// output[y] = sum of weighted lines of `input`, each `width` long.
template <typename T>
void combineRows(const ResizeLine<T> &line, int64_t width, const T *input, T *output) {
  for (int64_t y = 0; y < line.output; ++y) {
    const T *weights = line.weights.data() + y * line.taps;
    const T *from = input + line.first[size_t(y)] * width;
    T *to = output + y * width;
    int32_t count = line.count[size_t(y)];
    if (count == 1) {
      std::copy_n(from, width, to);
      continue;
    }
    const T *second = from + width;
    T w0 = weights[0], w1 = weights[1];
    if (count == 2) {
      for (int64_t x = 0; x < width; ++x)
        to[x] = from[x] * w0 + second[x] * w1;
      continue;
    }
    const T *third = second + width;
    T w2 = weights[2];
    for (int64_t x = 0; x < width; ++x)
      to[x] = from[x] * w0 + second[x] * w1 + third[x] * w2;
    for (int32_t j = 3; j < count; ++j) {
      const T *more = from + j * width;
      T w = weights[j];
      for (int64_t x = 0; x < width; ++x)
        to[x] += more[x] * w;
    }
  }
}

/// `lines` lines at once: output[l][x] = weighted sum of a few of input[l].
template <int lines, typename T>
void combineColumns(const ResizeLine<T> &line, const T *input, T *output) {
  for (int64_t x = 0; x < line.output; ++x) {
    const T *weights = line.weights.data() + x * line.taps;
    const T *from = input + line.first[size_t(x)];
    T sums[lines] = {};
    for (int32_t j = 0, count = line.count[size_t(x)]; j < count; ++j)
      for (int l = 0; l < lines; ++l)
        sums[l] += from[l * line.input + j] * weights[j];
    for (int l = 0; l < lines; ++l)
      output[l * line.output + x] = sums[l];
  }
}

template <typename T>
void combineAllColumns(const ResizeLine<T> &line, int64_t lines, const T *input, T *output) {
  int64_t l = 0;
  for (; l + 4 <= lines; l += 4)
    combineColumns<4>(line, input + l * line.input, output + l * line.output);
  for (; l < lines; ++l)
    combineColumns<1>(line, input + l * line.input, output + l * line.output);
}

} // namespace

template <typename T>
void resize(const ResizePlan<T> &plan, const T *input, T *output, std::vector<T> &between) {
  const ResizeLine<T> &rows = plan.rows, &columns = plan.columns;
  int64_t inner = plan.rowsFirst ? rows.output * columns.input : rows.input * columns.output;
  between.resize(size_t(inner));
  for (int64_t c = 0; c < plan.input.channels; ++c) {
    const T *from = input + c * rows.input * columns.input;
    T *to = output + c * rows.output * columns.output;
    if (plan.rowsFirst) {
      combineRows(rows, columns.input, from, between.data());
      combineAllColumns(columns, rows.output, between.data(), to);
    } else {
      combineAllColumns(columns, rows.input, from, between.data());
      combineRows(rows, columns.output, between.data(), to);
    }
  }
}

template struct ResizeLine<float>;
template struct ResizeLine<double>;
template struct ResizePlan<float>;
template struct ResizePlan<double>;
template void resize(const ResizePlan<float> &, const float *, float *, std::vector<float> &);
template void resize(const ResizePlan<double> &, const double *, double *, std::vector<double> &);

} // namespace cnn
