// Text -> tokens. A hand-written scanner; every token is a range of the source buffer.
#include "compiler/frontend/Lexer.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/FormatVariadic.h"

using namespace cnn;
using llvm::SMLoc;
using llvm::SMRange;
using llvm::StringRef;

namespace {

bool startsName(char c) { return llvm::isAlpha(c) || c == '_'; }
bool continuesName(char c) { return llvm::isAlnum(c) || c == '_'; }

Tok keywordOrName(StringRef text) {
  return llvm::StringSwitch<Tok>(text)
      .Case("and", Tok::KwAnd)
      .Case("block", Tok::KwBlock)
      .Case("const", Tok::KwConst)
      .Case("def", Tok::KwDef)
      .Case("else", Tok::KwElse)
      .Case("expect", Tok::KwExpect)
      .Case("false", Tok::KwFalse)
      .Case("for", Tok::KwFor)
      .Case("if", Tok::KwIf)
      .Case("import", Tok::KwImport)
      .Case("in", Tok::KwIn)
      .Case("layer", Tok::KwLayer)
      .Case("net", Tok::KwNet)
      .Case("not", Tok::KwNot)
      .Case("or", Tok::KwOr)
      .Case("param", Tok::KwParam)
      .Case("print", Tok::KwPrint)
      .Case("repeat", Tok::KwRepeat)
      .Case("test", Tok::KwTest)
      .Case("train", Tok::KwTrain)
      .Case("true", Tok::KwTrue)
      .Case("var", Tok::KwVar)
      .Default(Tok::Name);
}

struct Spelling {
  StringRef text;
  Tok kind;
};

// Longest first, so that the first that fits is the token.
constexpr Spelling punctuation[] = {
    {"..=", Tok::DotDotEqual}, {"->", Tok::Arrow},      {"==", Tok::Equal},
    {"!=", Tok::NotEqual},     {"<=", Tok::LessEqual},  {">=", Tok::GreaterEqual},
    {"~=", Tok::Near},         {"..", Tok::DotDot},     {"+=", Tok::PlusAssign},
    {"-=", Tok::MinusAssign},  {"*=", Tok::StarAssign}, {"/=", Tok::SlashAssign},
    {"(", Tok::LParen},        {")", Tok::RParen},      {"[", Tok::LBracket},
    {"]", Tok::RBracket},      {"{", Tok::LBrace},      {"}", Tok::RBrace},
    {",", Tok::Comma},         {":", Tok::Colon},       {";", Tok::Semicolon},
    {"=", Tok::Assign},        {"+", Tok::Plus},        {"-", Tok::Minus},
    {"*", Tok::Star},          {"/", Tok::Slash},       {"%", Tok::Percent},
    {"^", Tok::Caret},         {"<", Tok::Less},        {">", Tok::Greater},
    {".", Tok::Dot},
};

// What people write who come from other languages or paste from a text processor.
struct Mistake {
  StringRef text;
  StringRef hint;
  Tok meant; // what the parser goes on with
};
constexpr Mistake mistakes[] = {
    {"=>", "a chain is written with '->'", Tok::Arrow},
    {"|>", "a chain is written with '->'", Tok::Arrow},
    {"**", "a power is written with '^'", Tok::Caret},
    {"&&", "write 'and'", Tok::KwAnd},
    {"||", "write 'or'", Tok::KwOr},
    {"!", "write 'not'", Tok::KwNot},
    {"#", "a comment starts with '//'", Tok::Invalid},
    {"/*", "a comment starts with '//' and ends with its line", Tok::Invalid},
    {"'", "strings are written in double quotes", Tok::Invalid},
    {"\xE2\x86\x92", "a chain is written with '->'", Tok::Arrow},              // arrow
    {"\xE2\x80\x9C", "strings are written in plain quotes: \"", Tok::Invalid}, // typographic
    {"\xE2\x80\x9D", "strings are written in plain quotes: \"", Tok::Invalid}, // quotes
    {"\xC3\x97", "a product is written with '*'", Tok::Star},                  // multiplication
    {"\xE2\x88\x92", "a difference is written with '-'", Tok::Minus},          // minus sign
};

class Lexer {
public:
  Lexer(StringRef text, Diagnostics &diagnostics) : rest(text), diagnostics(diagnostics) {}

  std::vector<Token> run() {
    std::vector<Token> tokens;
    do {
      skipSpace();
      Token token;
      token.startsLine = atLineStart;
      token.comment = comment;
      lexToken(token);
      atLineStart = false;
      comment = StringRef();
      tokens.push_back(token);
    } while (tokens.empty() || tokens.back().kind != Tok::Eof);
    return tokens;
  }

private:
  void skipSpace() {
    unsigned newlines = 0; // since the last comment
    while (!rest.empty()) {
      char c = rest.front();
      if (c == '\n') {
        atLineStart = true;
        if (++newlines >= 2)
          comment = StringRef(); // an empty line separates it from what follows
        take(1);
      } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
        take(1);
      } else if (rest.starts_with("//")) {
        StringRef line = take(rest.take_until([](char c) { return c == '\n'; }).size());
        if (atLineStart) {
          comment =
              comment.empty() ? line : StringRef(comment.begin(), line.end() - comment.begin());
          newlines = 0;
        }
      } else {
        return;
      }
    }
  }

  StringRef take(size_t size) {
    StringRef text = rest.take_front(size);
    rest = rest.drop_front(size);
    return text;
  }

  static SMRange rangeOf(StringRef text) {
    return {SMLoc::getFromPointer(text.begin()), SMLoc::getFromPointer(text.end())};
  }

  void lexToken(Token &token) {
    if (rest.empty()) {
      token.text = rest;
      return;
    }
    char c = rest.front();
    if (startsName(c)) {
      size_t size = nameSize(rest);
      token.kind = keywordOrName(rest.take_front(size));
      token.text = take(size);
      if (llvm::any_of(token.text, [](char c) { return (c & 0x80) != 0; }))
        reportName(token);
      return;
    }
    if (llvm::isDigit(c))
      return lexNumber(token);
    if (c == '"')
      return lexString(token);
    if (const Mistake *mistake = findMistake(rest)) {
      token.text = take(mistake->text.size());
      token.kind = mistake->meant;
      diagnostics.error(token.range(), "'" + token.text + "' is not part of the language")
          .hint(mistake->hint);
      if (mistake->text == "#" || mistake->text == "/*")
        take(rest.take_until([](char c) { return c == '\n'; }).size());
      return;
    }
    for (const Spelling &spelling : punctuation) {
      if (!rest.starts_with(spelling.text))
        continue;
      token.text = take(spelling.text.size());
      token.kind = spelling.kind;
      return;
    }
    lexUnknown(token);
  }

  static const Mistake *findMistake(StringRef text) {
    for (const Mistake &mistake : mistakes)
      if (text.starts_with(mistake.text) && !text.starts_with("!="))
        return &mistake;
    return nullptr;
  }

  /// Bytes of the name at the front of `text`. A name in another script is taken whole, so that it
  /// is one mistake.
  static size_t nameSize(StringRef text) {
    size_t size = 0;
    while (size < text.size() && (continuesName(text[size]) || (text[size] & 0x80)) &&
           !findMistake(text.drop_front(size)))
      ++size;
    return size;
  }

  void reportName(Token &token) {
    token.kind = Tok::Invalid;
    diagnostics.error(token.range(), "'" + token.text + "' is not part of the language")
        .hint("names are made of the letters a to z, digits and '_'; any character may stand in "
              "comments and strings");
  }

  void lexUnknown(Token &token) {
    token.kind = Tok::Invalid;
    token.text = take(std::max<size_t>(1, nameSize(rest)));
    char c = token.text.front();
    if (c & 0x80)
      reportName(token);
    else if (llvm::isPrint(c))
      diagnostics.error(token.range(), "'" + token.text + "' is not part of the language");
    else
      diagnostics.error(token.range(), "unexpected control character " +
                                           llvm::formatv("0x{0:X-2}", c & 0xFF).str());
  }

  void lexNumber(Token &token) {
    auto isDigit = [](char c) { return llvm::isDigit(c); };
    size_t size = rest.take_while(isDigit).size();
    token.kind = Tok::Int;
    if (size + 1 < rest.size() && rest[size] == '.' && llvm::isDigit(rest[size + 1])) {
      token.kind = Tok::Float;
      ++size;
      size += rest.drop_front(size).take_while(isDigit).size();
    }
    if (size < rest.size() && (rest[size] == 'e' || rest[size] == 'E')) {
      size_t digits = size + 1;
      if (digits < rest.size() && (rest[digits] == '+' || rest[digits] == '-'))
        ++digits;
      if (digits < rest.size() && llvm::isDigit(rest[digits])) {
        token.kind = Tok::Float;
        size = digits + rest.drop_front(digits).take_while(isDigit).size();
      }
    }
    token.text = take(size);
    if (!rest.empty() && startsName(rest.front())) {
      StringRef tail = take(rest.take_while(continuesName).size());
      StringRef all(token.text.begin(), tail.end() - token.text.begin());
      diagnostics.error(rangeOf(all), "'" + all + "' is neither a number nor a name")
          .hint("names start with a letter");
      token.text = all;
      token.kind = Tok::Invalid;
    }
  }

  // A string ends with its line. Braces hold expressions, in which quotes do not occur.
  void lexString(Token &token) {
    size_t size = 1;
    while (size < rest.size() && rest[size] != '"' && rest[size] != '\n') {
      if (rest[size] == '\\' && size + 1 < rest.size() && rest[size + 1] != '\n')
        ++size;
      ++size;
    }
    token.kind = Tok::String;
    if (size < rest.size() && rest[size] == '"') {
      token.text = take(size + 1);
      return;
    }
    StringRef text = take(std::min(size, rest.size())).rtrim("\r");
    diagnostics.error(rangeOf(text), "this string does not end on its line")
        .hint("close it with '\"'");
    token.text = text;
    token.kind = Tok::Invalid;
  }

  StringRef rest;
  Diagnostics &diagnostics;
  bool atLineStart = true;
  StringRef comment;
};

} // namespace

std::string cnn::describe(Tok kind) {
  switch (kind) {
  case Tok::Eof:
    return "the end of the file";
  case Tok::Name:
    return "a name";
  case Tok::Int:
    return "an integer";
  case Tok::Float:
    return "a number";
  case Tok::String:
    return "a string";
  case Tok::KwIn:
    return "'in'";
  default:
    break;
  }
  for (const Spelling &spelling : punctuation)
    if (spelling.kind == kind)
      return ("'" + spelling.text + "'").str();
  return "a keyword";
}

std::string cnn::describe(const Token &token) {
  if (token.kind == Tok::Eof)
    return "the end of the file";
  if (token.kind == Tok::String)
    return "a string";
  return ("'" + token.text + "'").str();
}

std::vector<Token> cnn::lex(StringRef text, Diagnostics &diagnostics) {
  return Lexer(text, diagnostics).run();
}

bool cnn::checkEncoding(StringRef text, Diagnostics &diagnostics) {
  auto at = [&](size_t offset) {
    return SMRange{SMLoc::getFromPointer(text.begin() + offset),
                   SMLoc::getFromPointer(text.begin() + offset + 1)};
  };
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    diagnostics.error("'" + diagnostics.position(at(0).Start).file + "' is UTF-16 text")
        .hint("save the file as UTF-8");
    return false;
  }
  if (size_t nul = text.find('\0'); nul != StringRef::npos) {
    diagnostics.error("'" + diagnostics.position(at(0).Start).file +
                      "' is a binary file, not .cnn text (byte " + llvm::Twine(nul) + " is zero)");
    return false;
  }
  const auto *begin = reinterpret_cast<const llvm::UTF8 *>(text.begin());
  const auto *end = reinterpret_cast<const llvm::UTF8 *>(text.end());
  const auto *position = begin;
  if (!llvm::isLegalUTF8String(&position, end)) {
    size_t offset = position - begin;
    diagnostics
        .error(at(offset), "byte " + llvm::formatv("0x{0:X-2}", text[offset] & 0xFF).str() +
                               " is not valid UTF-8")
        .hint("save the file as UTF-8");
    return false;
  }
  return true;
}
