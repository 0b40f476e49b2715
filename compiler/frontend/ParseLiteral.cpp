// Numbers, and strings with expressions in braces.
#include "compiler/frontend/ParserImpl.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>

using namespace cnn;
using namespace cnn::ast;
using llvm::SmallVector;
using llvm::SmallVectorImpl;
using llvm::SMLoc;
using llvm::SMRange;
using llvm::StringRef;

static SMRange rangeOf(StringRef text) {
  return {SMLoc::getFromPointer(text.begin()), SMLoc::getFromPointer(text.end())};
}

Expr *Parser::parseNumber() {
  Token number = token();
  advance();
  if (number.kind == Tok::Int) {
    auto *expr = file.make<IntExpr>(number.range());
    if (!number.text.getAsInteger(10, expr->value))
      return expr;
    error(number.range(), "integer " + number.text + " does not fit in 64 bits");
    return file.make<WrongExpr>(number.range());
  }
  auto *expr = file.make<FloatExpr>(number.range());
  expr->text = number.text;
  bool read = !number.text.getAsDouble(expr->value, /*AllowInexact=*/true);
  bool zero = number.text.take_until([](char c) { return c == 'e' || c == 'E'; })
                  .find_first_of("123456789") == StringRef::npos;
  if (read && std::isfinite(expr->value) && (expr->value != 0 || zero))
    return expr;
  if (read && expr->value == 0)
    error(number.range(), "number " + number.text + " is too close to zero for 64 bits")
        .hint("the smallest that is not zero is 4.9e-324");
  else
    error(number.range(), "number " + number.text + " does not fit in 64 bits")
        .hint("the largest is 1.8e308");
  return file.make<WrongExpr>(number.range());
}

Expr *Parser::parseString() {
  Token string = token();
  advance();
  auto *expr = file.make<StringExpr>(string.range());
  SmallVector<StringPiece> pieces;
  StringRef content = string.text.drop_front();
  content.consume_back("\"");
  if (!parseStringPieces(content, pieces))
    return nullptr;
  expr->pieces = file.copy<StringPiece>(pieces);
  SmallVector<Expr *> children;
  for (const StringPiece &piece : pieces)
    children.push_back(piece.expr);
  return finish(expr, children);
}

bool Parser::parseStringPieces(StringRef content, SmallVectorImpl<StringPiece> &pieces) {
  llvm::SmallString<64> text;
  auto flush = [&] {
    if (text.empty())
      return;
    pieces.push_back({text.str().copy(file.arena), nullptr, ""});
    text.clear();
  };
  while (!content.empty()) {
    char c = content.front();
    if (c == '\\') {
      StringRef escape = content.take_front(2);
      char meant = escape.size() < 2                               ? 0
                   : escape[1] == 'n'                              ? '\n'
                   : escape[1] == 't'                              ? '\t'
                   : llvm::StringRef("\\\"{}").contains(escape[1]) ? escape[1]
                                                                   : 0;
      if (!meant) {
        error(rangeOf(escape), "unknown escape '" + escape + "' in a string")
            .hint("the escapes are \\n, \\t, \\\\, \\\", \\{ and \\}");
        return false;
      }
      text.push_back(meant);
      content = content.drop_front(2);
    } else if (c == '{') {
      flush();
      unsigned open = 0;
      size_t size = 0;
      for (; size < content.size(); ++size) {
        if (StringRef("{([").contains(content[size]))
          ++open;
        else if (StringRef("})]").contains(content[size]) && --open == 0)
          break;
      }
      if (size == content.size()) {
        error(rangeOf(content.take_front(1)), "this '{' is not closed in the string")
            .hint("write \\{ for a brace");
        return false;
      }
      StringPiece piece;
      if (!parseInterpolation(content.substr(1, size - 1), piece))
        return false;
      pieces.push_back(piece);
      content = content.drop_front(size + 1);
    } else {
      text.push_back(c);
      content = content.drop_front();
    }
  }
  flush();
  return true;
}

bool Parser::parseInterpolation(StringRef content, StringPiece &piece) {
  unsigned open = 0;
  for (auto [i, c] : llvm::enumerate(content)) {
    if (StringRef("{([").contains(c))
      ++open;
    else if (StringRef("})]").contains(c))
      --open;
    else if (c == ':' && open == 0) {
      piece.format = content.drop_front(i + 1);
      content = content.take_front(i);
      break;
    }
  }
  // The expression is parsed in place, so that its ranges are places in the file.
  std::vector<Token> outer = std::move(tokens);
  size_t outerAt = at;
  std::string outerEnd = std::move(endName);
  tokens = lex(content, diagnostics);
  at = 0;
  endName = "the end of the expression in the string";
  {
    Brackets brackets(*this, 1);
    piece.expr = parseExpr();
    if (piece.expr && !is(Tok::Eof)) {
      expected("the end of the expression in the string");
      piece.expr = nullptr;
    }
  }
  tokens = std::move(outer);
  at = fatal ? tokens.size() - 1 : outerAt;
  endName = std::move(outerEnd);
  return piece.expr != nullptr;
}
