// Small help for tables that people read.
#ifndef CNNC_RUNTIME_TRAIN_TEXT_H
#define CNNC_RUNTIME_TRAIN_TEXT_H

#include <cstdint>
#include <string>
#include <string_view>

namespace cnn {

/// Columns of a terminal that UTF-8 `text` takes: East Asian wide characters take two.
int displayWidth(std::string_view text);
/// `text` with spaces added on the right (or left) up to `width` columns.
std::string padRight(std::string_view text, int width);
std::string padLeft(std::string_view text, int width);
/// "60,000".
std::string groupDigits(int64_t value);

} // namespace cnn

#endif
