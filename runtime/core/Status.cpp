// Text for messages.
#include "runtime/core/Status.h"

#include <cstdarg>
#include <cstdio>

namespace cnn {

std::string formatText(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  va_list again;
  va_copy(again, arguments);
  int length = std::vsnprintf(nullptr, 0, format, arguments);
  va_end(arguments);
  std::string text(length > 0 ? length : 0, '\0');
  if (length > 0)
    std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  return text;
}

std::string quotedText(std::string_view text) {
  constexpr size_t longest = 100;
  std::string shown = "'";
  for (unsigned char c : text.substr(0, longest))
    shown += c < 0x20 || c == 0x7f ? '?' : char(c);
  return shown + (text.size() > longest ? "...'" : "'");
}

} // namespace cnn
