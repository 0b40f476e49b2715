// .npy -> NpyArray in row-major order. The header is a Python dictionary; only what NumPy itself
// writes is accepted.
#include "runtime/data/Npy.h"

#include "runtime/core/File.h"

#include <cctype>
#include <cstring>
#include <new>

namespace cnn {

namespace {

struct NpyHeader {
  std::string descr;
  bool fortranOrder = false;
  std::vector<int64_t> shape;
};

/// Parses "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }" with the keys in any order.
class HeaderParser {
public:
  explicit HeaderParser(std::string_view text) : text(text) {}

  bool parse(NpyHeader &header) {
    bool seen[3] = {};
    if (!take('{'))
      return false;
    while (!take('}')) {
      std::string key;
      if (!quoted(key) || !take(':'))
        return false;
      int which = key == "descr" ? 0 : key == "fortran_order" ? 1 : key == "shape" ? 2 : -1;
      if (which < 0 || std::exchange(seen[which], true))
        return false;
      if (!(which == 0   ? quoted(header.descr)
            : which == 1 ? boolean(header.fortranOrder)
                         : tuple(header.shape)))
        return false;
      if (!take(',')) {
        if (!take('}'))
          return false;
        break;
      }
    }
    skipSpace();
    return at == text.size() && seen[0] && seen[1] && seen[2];
  }

private:
  void skipSpace() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n'))
      ++at;
  }

  bool take(char wanted) {
    skipSpace();
    if (at == text.size() || text[at] != wanted)
      return false;
    ++at;
    return true;
  }

  bool quoted(std::string &value) {
    skipSpace();
    if (at == text.size() || (text[at] != '\'' && text[at] != '"'))
      return false;
    size_t end = text.find(text[at], at + 1);
    if (end == std::string_view::npos)
      return false;
    value = text.substr(at + 1, end - at - 1);
    at = end + 1;
    return true;
  }

  bool boolean(bool &value) {
    skipSpace();
    for (std::string_view word : {"True", "False"})
      if (text.substr(at, word.size()) == word) {
        at += word.size();
        value = word == "True";
        return true;
      }
    return false;
  }

  bool number(int64_t &value) {
    skipSpace();
    if (at == text.size() || !std::isdigit((unsigned char)text[at]))
      return false;
    for (value = 0; at < text.size() && std::isdigit((unsigned char)text[at]); ++at)
      if (__builtin_mul_overflow(value, 10, &value) ||
          __builtin_add_overflow(value, text[at] - '0', &value))
        return false;
    return true;
  }

  /// "()", "(3,)", "(3, 4)", "(3, 4,)".
  bool tuple(std::vector<int64_t> &values) {
    if (!take('('))
      return false;
    bool comma = true;
    while (!take(')')) {
      int64_t value = 0;
      if (!comma || !number(value))
        return false;
      values.push_back(value);
      comma = take(',');
    }
    return values.size() != 1 || comma;
  }

  std::string_view text;
  size_t at = 0;
};

std::optional<ElementType> elementOf(std::string_view descr) {
  if (descr == "<f4")
    return ElementType::F32;
  if (descr == "<f8")
    return ElementType::F64;
  if (descr == "<i4")
    return ElementType::I32;
  if (descr == "<i8")
    return ElementType::I64;
  if (descr == "|u1")
    return ElementType::U8;
  return std::nullopt;
}

/// As quotedText, without the padding at the end.
std::string withoutPadding(std::string_view text) {
  return quotedText(text.substr(0, text.find_last_not_of(" \n") + 1));
}

/// Column-major `source` -> row-major `target`.
void transpose(const std::vector<int64_t> &shape, size_t elementSize, const uint8_t *source,
               uint8_t *target, int64_t count) {
  std::vector<int64_t> index(shape.size()), strides(shape.size());
  int64_t stride = 1;
  for (size_t d = 0; d < shape.size(); ++d) {
    strides[d] = stride;
    stride *= shape[d];
  }
  int64_t from = 0;
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(target + i * int64_t(elementSize), source + from * int64_t(elementSize),
                elementSize);
    for (size_t d = shape.size(); d-- > 0;) {
      from += strides[d];
      if (++index[d] < shape[d])
        break;
      from -= index[d] * strides[d];
      index[d] = 0;
    }
  }
}

/// Checks magic, version and header length; returns the header's text.
Result<std::string_view> headerText(std::span<const uint8_t> content, const std::string &name) {
  static constexpr uint8_t magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
  if (content.empty())
    return Status::failure(name, "the file is empty, expected .npy data");
  if (content.size() < 10 || std::memcmp(content.data(), magic, sizeof magic) != 0)
    return Status::failure(name, "no .npy file: it does not start with \\x93NUMPY and a version");
  int major = content[6], minor = content[7];
  if (major < 1 || major > 3 || minor != 0)
    return Status::failure(
        name, formatText("the .npy version is %d.%d, expected 1.0, 2.0 or 3.0", major, minor));
  size_t start = major == 1 ? 10 : 12;
  uint64_t length = content[8] | uint64_t(content[9]) << 8;
  if (major > 1 && content.size() >= start)
    length |= uint64_t(content[10]) << 16 | uint64_t(content[11]) << 24;
  if (content.size() < start || content.size() - start < length)
    return Status::failure(name, formatText("truncated: the .npy header ends at byte %llu, the "
                                            "file has %zu bytes",
                                            (unsigned long long)(start + length), content.size()));
  return std::string_view(reinterpret_cast<const char *>(content.data()) + start, length);
}

} // namespace

Result<NpyArray> parseNpy(std::span<const uint8_t> content, const std::string &name) {
  Result<std::string_view> text = headerText(content, name);
  if (text.failed())
    return text.status();
  NpyHeader header;
  if (!HeaderParser(*text).parse(header))
    return Status::failure(name, "malformed .npy header: " + withoutPadding(*text) +
                                     ", expected {'descr': ..., 'fortran_order': ..., 'shape': "
                                     "(...), }");
  std::optional<ElementType> element = elementOf(header.descr);
  if (!element)
    return Status::failure(name, "the .npy elements are " + quotedText(header.descr) +
                                     ", expected <f4, <f8, <i4, <i8 or |u1")
        .withHint("convert the array with .astype('<f4') before saving it");
  constexpr size_t maxRank = 64; // NumPy 2's own limit
  if (header.shape.size() > maxRank)
    return Status::failure(name, formatText("the .npy array has rank %zu, expected at most %zu",
                                            header.shape.size(), maxRank));
  std::optional<int64_t> count = elementCount(header.shape);
  int64_t bytes = 0;
  if (!count || __builtin_mul_overflow(*count, int64_t(elementBytes(*element)), &bytes))
    return Status::failure(name,
                           "the .npy shape " + shapeText(header.shape) + " exceeds 2^63 bytes");
  const uint8_t *data = reinterpret_cast<const uint8_t *>(text->data() + text->size());
  uint64_t actual = uint64_t(content.data() + content.size() - data);
  if (actual != uint64_t(bytes))
    return Status::failure(
        name, formatText("%s: the shape %s of %s makes %lld bytes of data, the file has %llu",
                         actual < uint64_t(bytes) ? "truncated" : "bytes after the end",
                         shapeText(header.shape).c_str(), elementName(*element), (long long)bytes,
                         (unsigned long long)actual));
  try {
    NpyArray array;
    array.element = *element;
    array.shape = std::move(header.shape);
    array.data.assign(data, data + bytes);
    if (header.fortranOrder)
      transpose(array.shape, elementBytes(*element), data, array.data.data(), *count);
    return array;
  } catch (const std::bad_alloc &) {
    return Status::failure(name, "does not fit into memory");
  }
}

Result<NpyArray> readNpy(const std::string &path) {
  Result<std::vector<uint8_t>> content = readFile(path);
  if (content.failed())
    return content.status();
  return parseNpy(*content, path);
}

template <typename T> static void convert(const std::vector<uint8_t> &data, float *values) {
  for (size_t i = 0; i < data.size() / sizeof(T); ++i) {
    T value;
    std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
    values[i] = float(value);
  }
}

std::vector<float> NpyArray::toF32() const {
  std::vector<float> values(data.size() / elementBytes(element));
  switch (element) {
  case ElementType::F32:
    convert<float>(data, values.data());
    break;
  case ElementType::F64:
    convert<double>(data, values.data());
    break;
  case ElementType::I32:
    convert<int32_t>(data, values.data());
    break;
  case ElementType::I64:
    convert<int64_t>(data, values.data());
    break;
  case ElementType::U8:
    convert<uint8_t>(data, values.data());
    break;
  }
  return values;
}

} // namespace cnn
