// Widths and digits.
#include "runtime/train/Text.h"

namespace cnn {

/// The blocks of Unicode that terminals draw two columns wide (East Asian Width W and F), rounded
/// to whole blocks.
static bool isWide(uint32_t c) {
  return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
         (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
         (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
         (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) ||
         (c >= 0x20000 && c <= 0x3fffd);
}

int displayWidth(std::string_view text) {
  int width = 0;
  for (size_t i = 0; i < text.size();) {
    unsigned char first = text[i++];
    uint32_t c = first;
    if (first >= 0xc0) {
      c = first >= 0xf0 ? first & 7 : first >= 0xe0 ? first & 15 : first & 31;
      while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80)
        c = c << 6 | (text[i++] & 63);
    }
    bool combining = c >= 0x300 && c <= 0x36f;
    width += combining ? 0 : isWide(c) ? 2 : 1;
  }
  return width;
}

static std::string spaces(std::string_view text, int width) {
  int missing = width - displayWidth(text);
  return std::string(missing > 0 ? missing : 0, ' ');
}

std::string padRight(std::string_view text, int width) {
  return std::string(text) + spaces(text, width);
}

std::string padLeft(std::string_view text, int width) {
  return spaces(text, width) + std::string(text);
}

std::string groupDigits(int64_t value) {
  std::string digits = std::to_string(value);
  for (int i = static_cast<int>(digits.size()) - 3; i > (value < 0 ? 1 : 0); i -= 3)
    digits.insert(i, ",");
  return digits;
}

} // namespace cnn
