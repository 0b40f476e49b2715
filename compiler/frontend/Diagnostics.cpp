// Collects and prints errors. In: ranges in source buffers, and messages. Out: the text that the
// language description fixes under "What a mistake gets". Columns count characters; carets count
// display columns, so that they align under wide characters and tabs.
#include "compiler/frontend/Diagnostics.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Unicode.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>

using namespace cnn;
using llvm::SMLoc;
using llvm::SMRange;
using llvm::StringRef;
using llvm::Twine;

namespace {

// Longest source line that is shown whole, in display columns; of longer ones a window is shown.
constexpr unsigned maxLineWidth = 160;
constexpr unsigned tabWidth = 4;
// No .cnn file that a person wrote comes near this; it keeps a wrong path from eating the memory.
constexpr uint64_t maxFileSize = 16 << 20;

/// Bytes of the UTF-8 character at the front of `text`; 1 for an invalid byte.
unsigned characterBytes(StringRef text) {
  unsigned bytes = llvm::getNumBytesForUTF8(static_cast<llvm::UTF8>(text.front()));
  const auto *begin = reinterpret_cast<const llvm::UTF8 *>(text.data());
  if (bytes > text.size() || !llvm::isLegalUTF8Sequence(begin, begin + bytes))
    return 1;
  return bytes;
}

/// A source line as it is shown: one cell per character, with the columns that it takes.
struct ShownCharacter {
  size_t offset; // in the source line
  std::string text;
  unsigned width;
};

std::vector<ShownCharacter> showLine(StringRef line) {
  std::vector<ShownCharacter> shown;
  for (size_t offset = 0; offset < line.size();) {
    StringRef rest = line.drop_front(offset);
    unsigned bytes = characterBytes(rest);
    StringRef character = rest.take_front(bytes);
    int width = llvm::sys::unicode::columnWidthUTF8(character);
    if (character == "\t")
      shown.push_back({offset, std::string(tabWidth, ' '), tabWidth});
    else if (width < 0)
      shown.push_back({offset, "\xEF\xBF\xBD", 1}); // not printable or invalid: U+FFFD
    else
      shown.push_back({offset, character.str(), static_cast<unsigned>(width)});
    offset += bytes;
  }
  return shown;
}

bool hasLoneReturn(StringRef text) {
  for (size_t at = text.find('\r'); at != StringRef::npos; at = text.find('\r', at + 1))
    if (!text.drop_front(at + 1).starts_with("\n"))
      return true;
  return false;
}

unsigned countCharacters(StringRef text) {
  unsigned count = 0;
  for (; !text.empty(); ++count)
    text = text.drop_front(characterBytes(text));
  return count;
}

} // namespace

DiagnosticBuilder::~DiagnosticBuilder() {
  if (engine)
    engine->report(diagnostic);
}

std::optional<unsigned> Diagnostics::addFile(StringRef path, SMRange use) {
  if (llvm::sys::fs::is_directory(path)) {
    error(use, "cannot read '" + path + "': it is a folder");
    return std::nullopt;
  }
  uint64_t size = 0;
  if (path != "-" && !llvm::sys::fs::file_size(path, size) && size > maxFileSize) {
    error(use,
          "cannot read '" + path + "': " + Twine(size) + " bytes are too many for a .cnn file");
    return std::nullopt;
  }
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (!buffer) {
    error(use, "cannot read '" + path + "': " + StringRef(buffer.getError().message()).lower());
    return std::nullopt;
  }
  // Everything that counts lines counts LF; a CR alone ends a line as well.
  if (hasLoneReturn((*buffer)->getBuffer())) {
    auto copy = llvm::WritableMemoryBuffer::getNewUninitMemBuffer((*buffer)->getBufferSize(),
                                                                  (*buffer)->getBufferIdentifier());
    llvm::copy((*buffer)->getBuffer(), copy->getBufferStart());
    for (char *c = copy->getBufferStart(); c != copy->getBufferEnd(); ++c)
      if (*c == '\r' && (c + 1 == copy->getBufferEnd() || c[1] != '\n'))
        *c = '\n';
    *buffer = std::move(copy);
  }
  return sources.AddNewSourceBuffer(std::move(*buffer), SMLoc());
}

unsigned Diagnostics::addText(StringRef name, StringRef text) {
  return sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(text, name), SMLoc());
}

SMRange Diagnostics::findText(StringRef name, StringRef content) const {
  for (unsigned buffer = 1; buffer <= sources.getNumBuffers(); ++buffer)
    if (bufferName(buffer) == name && text(buffer) == content)
      return {SMLoc::getFromPointer(text(buffer).begin()),
              SMLoc::getFromPointer(text(buffer).end())};
  return {};
}

StringRef Diagnostics::text(unsigned buffer) const {
  return sources.getMemoryBuffer(buffer)->getBuffer();
}

StringRef Diagnostics::bufferName(unsigned buffer) const {
  return sources.getMemoryBuffer(buffer)->getBufferIdentifier();
}

DiagnosticBuilder Diagnostics::error(SMRange range, const Twine &message) {
  Diagnostic diagnostic;
  diagnostic.range = range;
  diagnostic.message = message.str();
  return DiagnosticBuilder(this, std::move(diagnostic));
}

void Diagnostics::release() {
  if (--holding > 0)
    return;
  std::vector<Diagnostic> waiting;
  std::swap(waiting, held);
  std::vector<std::tuple<unsigned, const char *, size_t>> order; // by file, place and time
  for (auto [i, diagnostic] : llvm::enumerate(waiting)) {
    SMLoc place = diagnostic.range.Start;
    order.push_back(
        {place.isValid() ? sources.FindBufferContainingLoc(place) : 0, place.getPointer(), i});
  }
  llvm::sort(order);
  for (auto [file, place, i] : order)
    emit(waiting[i]);
}

void Diagnostics::report(const Diagnostic &diagnostic) {
  if (full())
    return;
  if (captured) {
    captured->push_back(diagnostic);
    return;
  }
  // The same mistake met twice (a block used twice) is one mistake.
  std::string key =
      diagnostic.message + "@" +
      std::to_string(reinterpret_cast<uintptr_t>(diagnostic.range.Start.getPointer()));
  if (!seen.insert(key).second)
    return;
  if (holding)
    held.push_back(diagnostic);
  else
    emit(diagnostic);
}

void Diagnostics::emit(const Diagnostic &diagnostic) {
  ++count;
  reported.push_back(diagnostic);
  if (!out)
    return;
  print(diagnostic);
  if (count == maxErrors)
    *out << "note: " << maxErrors << " errors are shown; there may be more\n";
}

SourcePosition Diagnostics::position(SMLoc location) const {
  SourcePosition result;
  unsigned buffer = location.isValid() ? sources.FindBufferContainingLoc(location) : 0;
  if (!buffer)
    return result;
  result.file = bufferName(buffer);
  result.line = sources.getLineAndColumn(location, buffer).first;
  const char *lineBegin = location.getPointer();
  const char *bufferBegin = text(buffer).begin();
  while (lineBegin != bufferBegin && lineBegin[-1] != '\n')
    --lineBegin;
  StringRef before(lineBegin, location.getPointer() - lineBegin);
  if (lineBegin == bufferBegin)
    before.consume_front("\xEF\xBB\xBF"); // a byte order mark takes no column
  result.column = countCharacters(before) + 1;
  return result;
}

SMLoc Diagnostics::location(StringRef file, unsigned line, unsigned column) {
  for (unsigned buffer = 1; buffer <= sources.getNumBuffers(); ++buffer) {
    if (bufferName(buffer) != file)
      continue;
    SMLoc start = sources.FindLocForLineAndColumn(buffer, line, 1);
    if (!start.isValid())
      return SMLoc();
    StringRef all = text(buffer);
    StringRef rest(start.getPointer(), all.end() - start.getPointer());
    if (line == 1)
      rest.consume_front("\xEF\xBB\xBF");
    for (unsigned i = 1; i < column && !rest.empty() && rest.front() != '\n'; ++i)
      rest = rest.drop_front(characterBytes(rest));
    return SMLoc::getFromPointer(rest.data());
  }
  return SMLoc();
}

void Diagnostics::print(const Diagnostic &diagnostic) {
  printHead(diagnostic.range, "error", diagnostic.message);
  printSource(diagnostic.range);
  for (const Diagnostic::Note &note : diagnostic.notes)
    printHead(note.range, "note", note.message);
  if (!diagnostic.hint.empty())
    *out << "hint: " << diagnostic.hint << "\n";
}

void Diagnostics::printHead(SMRange range, StringRef kind, StringRef message) {
  SourcePosition place = position(range.Start);
  if (place.line)
    *out << place.file << ":" << place.line << ":" << place.column << ": ";
  *out << kind << ": " << message << "\n";
}

void Diagnostics::printSource(SMRange range) {
  unsigned buffer = range.isValid() ? sources.FindBufferContainingLoc(range.Start) : 0;
  if (!buffer)
    return;
  StringRef all = text(buffer);
  size_t begin = range.Start.getPointer() - all.begin();
  size_t lineBegin = all.rfind('\n', begin) == StringRef::npos || begin == 0
                         ? 0
                         : all.take_front(begin).rfind('\n') + 1;
  StringRef line = all.substr(lineBegin).split('\n').first;
  line.consume_back("\r");
  if (lineBegin == 0 && line.consume_front("\xEF\xBB\xBF"))
    lineBegin = 3;
  if (line.trim().empty())
    return;
  size_t from = begin < lineBegin ? 0 : begin - lineBegin;
  size_t to = std::max<size_t>(from + 1, range.End.getPointer() - all.begin() - lineBegin);

  std::vector<ShownCharacter> shown = showLine(line);
  unsigned width = 0, caret = 0, marked = 0;
  for (const ShownCharacter &character : shown) {
    if (character.offset < from)
      caret += character.width;
    else if (character.offset < to)
      marked += character.width;
    width += character.width;
  }
  if (from >= line.size())
    caret = width;

  // Of a line that is too long only the surroundings of the caret are shown.
  unsigned windowBegin = 0, windowEnd = width;
  if (width > maxLineWidth) {
    windowBegin = caret > maxLineWidth / 2 ? caret - maxLineWidth / 2 : 0;
    windowEnd = windowBegin + maxLineWidth;
    marked = std::min(marked, windowEnd - caret);
  }
  unsigned column = 0, lead = 0;
  if (windowBegin > 0) {
    *out << "...";
    lead = 3;
  }
  unsigned firstShown = caret;
  for (const ShownCharacter &character : shown) {
    if (column >= windowBegin && column + character.width <= windowEnd) {
      firstShown = std::min(firstShown, column);
      *out << character.text;
    }
    column += character.width;
  }
  *out << (windowEnd < width ? "...\n" : "\n");
  out->indent(lead + caret - firstShown)
      << "^" << std::string(marked > 1 ? marked - 1 : 0, '~') << "\n";
}

std::string cnn::counted(int64_t count, StringRef noun) {
  return std::to_string(count) + " " + noun.str() + (count == 1 ? "" : "s");
}

/// Whether the names differ in the order of two neighbours: "sdg" for "sgd".
static bool isTransposed(StringRef a, StringRef b) {
  if (a.size() != b.size())
    return false;
  size_t at = std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin();
  return at + 1 < a.size() && a[at] == b[at + 1] && a[at + 1] == b[at] &&
         a.drop_front(at + 2) == b.drop_front(at + 2);
}

/// The name as other frameworks may write it: "maxpool" for "max_pool" and "MaxPool2d".
static std::string withoutStyle(StringRef name) {
  std::string text = name.lower();
  llvm::erase(text, '_');
  StringRef plain = text;
  for (StringRef ending : {"1d", "2d", "3d"})
    plain.consume_back(ending);
  return plain.str();
}

std::optional<std::string> cnn::nearestName(StringRef name, llvm::ArrayRef<StringRef> candidates) {
  for (StringRef candidate : candidates)
    if (candidate != name && withoutStyle(candidate) == withoutStyle(name))
      return candidate.str();
  // A third of the name may be wrong; one character of very short ones.
  unsigned best = std::max<size_t>(1, (name.size() + 2) / 3) + 1;
  std::optional<std::string> nearest;
  for (StringRef candidate : candidates) {
    unsigned distance = name.lower() == candidate.lower() ? 0
                        : isTransposed(name, candidate)
                            ? 1
                            : name.edit_distance(candidate, /*AllowReplacements=*/true, best);
    if (distance < best && distance < std::max(name.size(), candidate.size())) {
      best = distance;
      nearest = candidate.str();
    }
  }
  if (nearest)
    return nearest;
  // "pool" for "max_pool", "convolution" for "conv".
  for (StringRef candidate : candidates)
    if (name.size() >= 3 && candidate.size() >= 3 &&
        (candidate.contains(name) || name.starts_with(candidate)))
      return candidate.str();
  return std::nullopt;
}

std::string cnn::joinAlternatives(llvm::ArrayRef<StringRef> names) {
  std::string result;
  for (auto [i, name] : llvm::enumerate(names)) {
    if (i > 0)
      result += i + 1 == names.size() ? " or " : ", ";
    result += name;
  }
  return result;
}

std::string cnn::suggestName(StringRef name, llvm::ArrayRef<StringRef> candidates,
                             StringRef otherwise) {
  if (std::optional<std::string> nearest = nearestName(name, candidates))
    return "did you mean '" + *nearest + "'?";
  if (candidates.empty() || otherwise.empty())
    return "";
  llvm::SmallVector<StringRef> sorted(candidates);
  llvm::sort(sorted);
  std::string all = llvm::join(sorted, ", ");
  return all.size() > 120 ? "" : (otherwise + " " + all).str();
}
