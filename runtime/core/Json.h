// JSON in, without exceptions: nlohmann's parser behind a strict reader that refuses duplicate keys
// and deep nesting and says where a mistake is.
#ifndef CNNC_RUNTIME_CORE_JSON_H
#define CNNC_RUNTIME_CORE_JSON_H

#include "runtime/core/Status.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace cnn {

/// Keys keep the order of the text.
using Json = nlohmann::ordered_json;

/// Parses one JSON value. `name` (a file's path) opens the message of a failure. Refused: syntax
/// errors (with the byte offset), duplicate keys, more than 64 levels of nesting, text after the
/// value, invalid UTF-8, numbers outside double.
Result<Json> parseJson(std::string_view text, const std::string &name);

/// `value` on one line; invalid UTF-8 in strings becomes U+FFFD.
std::string jsonText(const Json &value);

} // namespace cnn

#endif
