// How a call of the runtime says that it failed: a Status, or a Result<T> that carries a value.
// Neither uses exceptions or RTTI, so that tools built without them can link the runtime. A message
// is written for the user: lower case, no full stop, the file first, both values; lines after the
// first are hints.
#ifndef CNNC_RUNTIME_CORE_STATUS_H
#define CNNC_RUNTIME_CORE_STATUS_H

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace cnn {

/// Success, or a failure with the message that the user reads.
class [[nodiscard]] Status {
public:
  /// Success.
  Status() = default;
  static Status success() { return Status(); }
  static Status failure(std::string message) {
    Status status;
    status.text = std::move(message);
    return status;
  }
  /// A failure about the file at `path`: "PATH: MESSAGE".
  static Status failure(const std::string &path, const std::string &message) {
    return failure(path + ": " + message);
  }

  bool isOk() const { return !text.has_value(); }
  bool failed() const { return text.has_value(); }
  /// The message of a failure; empty after success.
  const std::string &message() const {
    static const std::string none;
    return text ? *text : none;
  }
  /// The same failure with the line "  hint: HINT" added; success stays success.
  Status withHint(const std::string &hint) && {
    if (text)
      *text += "\n  hint: " + hint;
    return std::move(*this);
  }

private:
  std::optional<std::string> text;
};

/// A value, or the Status of the failure that prevented it.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : content(std::move(value)) {}
  Result(Status failure) : state(std::move(failure)) { assert(state.failed()); }

  bool isOk() const { return content.has_value(); }
  bool failed() const { return !content.has_value(); }
  const Status &status() const { return state; }
  const std::string &message() const { return state.message(); }

  T &operator*() & { return *content; }
  const T &operator*() const & { return *content; }
  T &&operator*() && { return std::move(*content); }
  T *operator->() { return &*content; }
  const T *operator->() const { return &*content; }

private:
  std::optional<T> content;
  Status state;
};

/// printf into a string; never fails.
std::string formatText(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// Text out of a file as messages may show it: in quotes, at most 100 bytes of it, and "?" for
/// control characters, which would reach the terminal.
std::string quotedText(std::string_view text);

/// "[128, 1, 28, 28]", the way messages show shapes; "[]" is a scalar.
template <typename Range> std::string shapeText(const Range &shape) {
  std::string text = "[";
  for (auto extent : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + "]";
}

} // namespace cnn

#endif
