// Blocks of 512 bytes: a header, then the data of a member. Extended headers ('x' of pax, 'L' of
// GNU) say the next member's name and size where its own header has no room for them.
#include "runtime/data/Tar.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

namespace cnn {

namespace {

constexpr size_t blockSize = 512;

/// Header fields: offset and length (POSIX.1-2001, ustar).
struct Field {
  size_t at, length;
};
constexpr Field nameField{0, 100}, sizeField{124, 12}, checksumField{148, 8}, typeField{156, 1},
    magicField{257, 6}, prefixField{345, 155};

std::string_view textOf(const uint8_t *header, Field field) {
  std::string_view text(reinterpret_cast<const char *>(header) + field.at, field.length);
  return text.substr(0, text.find('\0'));
}

/// An octal number, with blanks before and blanks or zeros after it; or, with the highest bit set,
/// a binary one (GNU).
std::optional<uint64_t> numberOf(const uint8_t *header, Field field) {
  const uint8_t *digits = header + field.at;
  uint64_t value = 0;
  if (digits[0] & 0x80) {
    for (size_t i = 0; i < field.length; ++i) {
      if (value >> 55)
        return std::nullopt;
      value = value << 8 | (i == 0 ? digits[i] & 0x7f : digits[i]);
    }
    return value;
  }
  size_t i = 0;
  while (i < field.length && digits[i] == ' ')
    ++i;
  size_t first = i;
  for (; i < field.length && digits[i] >= '0' && digits[i] <= '7'; ++i)
    value = value << 3 | (digits[i] - '0'); // 12 digits are 36 bits
  if (i == first)
    return std::nullopt;
  for (; i < field.length; ++i)
    if (digits[i] != ' ' && digits[i] != 0)
      return std::nullopt;
  return value;
}

bool isZero(std::span<const uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

class TarParser {
public:
  TarParser(std::span<const uint8_t> content, const std::string &name)
      : content(content), name(name) {}

  Result<std::vector<TarMember>> run() {
    while (true) {
      if (content.size() - at < blockSize)
        return failure("truncated: the archive ends without two blocks of zeros");
      const uint8_t *header = content.data() + at;
      if (isZero(content.subspan(at, blockSize)))
        break;
      if (Status status = member(header); status.failed())
        return status;
    }
    if (!isZero(content.subspan(at)))
      return failure("bytes after the end of the archive");
    if (!longName.empty() || longSize)
      return failure("an extended header has no member behind it");
    return std::move(members);
  }

private:
  Status failure(const std::string &message) const {
    return Status::failure(name, message + formatText(", at byte %zu", at));
  }

  Status member(const uint8_t *header) {
    std::optional<uint64_t> checksum = numberOf(header, checksumField);
    uint64_t sum = 0;
    for (size_t i = 0; i < blockSize; ++i)
      sum += i - checksumField.at < checksumField.length ? ' ' : header[i];
    std::string_view magic = textOf(header, magicField);
    if (magic != "ustar" && magic != "ustar " && !magic.empty())
      return failure("no tar archive: a header has the magic " + quotedText(magic) +
                     ", expected \"ustar\"");
    if (!checksum || *checksum != sum)
      return failure(at == 0 ? "no tar archive: the checksum of its first header is wrong"
                             : "corrupt: the checksum of a header is wrong");
    std::optional<uint64_t> size = numberOf(header, sizeField);
    char type = char(header[typeField.at]);
    bool extended = type == 'x' || type == 'g' || type == 'L' || type == 'K';
    if (longSize && !extended)
      size = longSize;
    if (!size)
      return failure("corrupt: the size of a member is no number");
    size_t left = content.size() - at - blockSize;
    if (*size > left)
      return Status::failure(name, formatText("truncated: the member at byte %zu has %llu bytes, "
                                              "the archive ends after %zu",
                                              at, (unsigned long long)*size, left));
    std::span<const uint8_t> data = content.subspan(at + blockSize, size_t(*size));
    if (Status status = take(header, type, data); status.failed())
      return status;
    size_t padded = (size_t(*size) + blockSize - 1) / blockSize * blockSize;
    at += blockSize + std::min(padded, left);
    return Status::success();
  }

  Status take(const uint8_t *header, char type, std::span<const uint8_t> data) {
    std::string_view text(reinterpret_cast<const char *>(data.data()), data.size());
    switch (type) {
    case 'x':
      return readRecords(text);
    case 'L':
      longName = text.substr(0, text.find('\0'));
      return Status::success();
    case 'g': // of all members: comments and times, nothing that is needed
    case 'K': // the target of a link
      return Status::success();
    case '0':
    case '7':
    case '\0': {
      std::string own(textOf(header, nameField));
      if (std::string_view prefix = textOf(header, prefixField);
          !prefix.empty() && textOf(header, magicField) == "ustar")
        own = std::string(prefix) + "/" + own;
      members.push_back({longName.empty() ? own : longName, data});
      break;
    }
    case '1':
    case '2':
    case '5':
      break;
    default:
      return failure("a member is neither a file nor a folder nor a link, but of type " +
                     quotedText(std::string_view(&type, 1)));
    }
    longName.clear();
    longSize.reset();
    return Status::success();
  }

  /// Records "LENGTH KEY=VALUE\n", where LENGTH counts all of the record.
  Status readRecords(std::string_view text) {
    while (!text.empty()) {
      uint64_t length = 0;
      size_t i = 0;
      for (; i < text.size() && i < 10 && text[i] >= '0' && text[i] <= '9'; ++i)
        length = length * 10 + uint64_t(text[i] - '0');
      size_t equals = text.substr(0, length).find('=');
      if (i == 0 || i >= text.size() || text[i] != ' ' || length > text.size() || length <= i + 1 ||
          equals == std::string_view::npos || equals < i || text[length - 1] != '\n')
        return failure("corrupt: an extended header is malformed");
      std::string_view key = text.substr(i + 1, equals - i - 1);
      std::string_view value = text.substr(equals + 1, length - equals - 2);
      if (key == "path") {
        longName = value;
      } else if (key == "size") {
        uint64_t size = 0;
        for (char c : value) {
          if (c < '0' || c > '9' || size >> 56)
            return failure("corrupt: the size of a member is no number");
          size = size * 10 + uint64_t(c - '0');
        }
        longSize = size;
      }
      text.remove_prefix(length);
    }
    return Status::success();
  }

  std::span<const uint8_t> content;
  const std::string &name;
  size_t at = 0;
  std::vector<TarMember> members;
  std::string longName;             ///< of the next member, from extended headers
  std::optional<uint64_t> longSize; ///< likewise
};

} // namespace

Result<std::vector<TarMember>> parseTar(std::span<const uint8_t> content, const std::string &name) {
  try {
    return TarParser(content, name).run();
  } catch (const std::bad_alloc &) {
    return Status::failure(name, "does not fit into memory");
  }
}

} // namespace cnn
