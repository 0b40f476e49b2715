// Text of a .cnn file -> tokens. Checks that the file is text at all (UTF-8, no NUL bytes), skips
// white space and comments, and keeps the comment above a declaration as its documentation.
// Next: Parser.h.
#ifndef CNNC_COMPILER_FRONTEND_LEXER_H
#define CNNC_COMPILER_FRONTEND_LEXER_H

#include "compiler/frontend/Diagnostics.h"
#include <vector>

namespace cnn {

enum class Tok {
  Eof,
  Invalid, // not a token; it was reported
  Name,
  Int,
  Float,
  String, // with its quotes
  // Keywords.
  KwAnd,
  KwBlock,
  KwConst,
  KwDef,
  KwElse,
  KwExpect,
  KwFalse,
  KwFor,
  KwIf,
  KwImport,
  KwIn,
  KwLayer,
  KwNet,
  KwNot,
  KwOr,
  KwParam,
  KwPrint,
  KwRepeat,
  KwTest,
  KwTrain,
  KwTrue,
  KwVar,
  // Punctuation.
  LParen,
  RParen,
  LBracket,
  RBracket,
  LBrace,
  RBrace,
  Comma,
  Colon,
  Semicolon,
  Arrow,
  Assign,
  PlusAssign,
  MinusAssign,
  StarAssign,
  SlashAssign,
  Plus,
  Minus,
  Star,
  Slash,
  Percent,
  Caret,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  Dot,
  Near, // ~=
  DotDot,
  DotDotEqual,
};

/// One token: a range of the source buffer.
struct Token {
  Tok kind = Tok::Eof;
  llvm::StringRef text;
  /// The `//` lines directly above, when this is the first token of its line.
  llvm::StringRef comment;
  /// Whether this is the first token of its line.
  bool startsLine = false;

  llvm::SMLoc begin() const { return llvm::SMLoc::getFromPointer(text.begin()); }
  llvm::SMLoc end() const { return llvm::SMLoc::getFromPointer(text.end()); }
  llvm::SMRange range() const { return {begin(), end()}; }
};

/// How a token is called in messages: "'->'", "a name", "the end of the file".
std::string describe(Tok kind);
/// How this token is called in messages: "'conv'", "the end of the file".
std::string describe(const Token &token);

/// All tokens of `text`, the last of which is Eof. Reports what is not a token, and goes on behind
/// it. `text` is a part of a buffer that `diagnostics` owns.
std::vector<Token> lex(llvm::StringRef text, Diagnostics &diagnostics);

/// Reports a text that is not UTF-8 or holds NUL bytes; returns whether it can be lexed.
bool checkEncoding(llvm::StringRef text, Diagnostics &diagnostics);

} // namespace cnn

#endif // CNNC_COMPILER_FRONTEND_LEXER_H
