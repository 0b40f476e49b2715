// JSON text -> value. nlohmann's own value builder accepts duplicate keys and any depth, so its
// events are turned into a value here.
#include "runtime/core/Json.h"

#include <unordered_set>
#include <vector>

namespace cnn {

namespace {

class ValueBuilder : public nlohmann::json_sax<Json> {
public:
  Json root;
  /// Where and why it stopped.
  std::string reason;

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t &) override { return add(value); }
  bool string(string_t &value) override { return add(std::move(value)); }
  bool binary(binary_t &) override { return false; }
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t &name) override {
    if (!levels.back().keys.insert(name).second) {
      reason = "the key " + quotedText(name) + " is there twice";
      return false;
    }
    pendingKey = std::move(name);
    return true;
  }

  bool parse_error(size_t position, const std::string &,
                   const nlohmann::detail::exception &error) override {
    // "[json.exception...] parse error at line 1, column 5: WHY; last read: 'TEXT'": the text may
    // be long and not UTF-8, so only WHY is kept.
    std::string why = error.what();
    if (size_t bracket = why.find("] "); bracket != std::string::npos)
      why.erase(0, bracket + 2);
    if (size_t column = why.find("column "); column != std::string::npos)
      if (size_t colon = why.find(": ", column); colon != std::string::npos)
        why.erase(0, colon + 2);
    if (size_t last = why.find("; last read"); last != std::string::npos)
      why.erase(last);
    reason = formatText("malformed JSON at byte %zu: %s", position, why.substr(0, 160).c_str());
    return false;
  }

private:
  static constexpr size_t maxDepth = 64;
  struct Level {
    Json *value;
    std::unordered_set<std::string> keys;
  };

  template <typename T> bool add(T &&value) {
    place(Json(std::forward<T>(value)));
    return true;
  }

  Json *place(Json value) {
    if (levels.empty())
      return &(root = std::move(value));
    Json &parent = *levels.back().value;
    if (parent.is_array())
      return &parent.get_ref<Json::array_t &>().emplace_back(std::move(value));
    // The keys were compared in `key`; ordered_map's own insertion would search all of them.
    Json::object_t::Container &members = parent.get_ref<Json::object_t &>();
    return &members.emplace_back(std::move(pendingKey), std::move(value)).second;
  }

  bool open(Json value) {
    if (levels.size() == maxDepth) {
      reason = formatText("JSON is nested deeper than %zu levels", maxDepth);
      return false;
    }
    Json *placed = place(std::move(value));
    levels.push_back({placed, {}});
    return true;
  }

  bool close() {
    levels.pop_back();
    return true;
  }

  std::vector<Level> levels;
  std::string pendingKey;
};

} // namespace

Result<Json> parseJson(std::string_view text, const std::string &name) {
  ValueBuilder builder;
  if (!Json::sax_parse(text.begin(), text.end(), &builder))
    return Status::failure(name, builder.reason);
  return std::move(builder.root);
}

std::string jsonText(const Json &value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace cnn
