// The parser's class, shared by Parser.cpp (declarations, statements) and ParseExpr.cpp. Internal.
#ifndef CNNC_COMPILER_FRONTEND_PARSERIMPL_H
#define CNNC_COMPILER_FRONTEND_PARSERIMPL_H

#include "compiler/frontend/Lexer.h"
#include "compiler/frontend/Parser.h"
#include "llvm/ADT/SmallVector.h"

namespace cnn {

/// Parse functions return nullptr (or false) after they reported an error; the caller then returns
/// as well, up to the statement or declaration that recovers.
class Parser {
public:
  Parser(std::vector<Token> tokens, ast::File &file, Diagnostics &diagnostics)
      : tokens(std::move(tokens)), file(file), diagnostics(diagnostics) {}

  void parseDeclarations();
  std::optional<SetArgument> parseSetArgument();

private:
  // Tokens.
  const Token &token() const { return tokens[at]; }
  const Token &peek() const { return tokens[std::min(at + 1, tokens.size() - 1)]; }
  bool is(Tok kind) const { return token().kind == kind; }
  void advance() {
    if (at + 1 < tokens.size())
      ++at;
  }
  bool consumeIf(Tok kind) {
    if (!is(kind))
      return false;
    advance();
    return true;
  }
  /// The end of the last token that was consumed.
  llvm::SMLoc lastEnd() const { return at == 0 ? token().begin() : tokens[at - 1].end(); }
  llvm::SMRange from(llvm::SMLoc begin) const { return {begin, lastEnd()}; }
  /// Whether the next token belongs to the next statement, because it starts a line.
  bool atLineEnd() const { return bracketDepth == 0 && token().startsLine; }

  // Errors.
  std::string found() const { return is(Tok::Eof) ? endName : describe(token()); }
  DiagnosticBuilder error(llvm::SMRange range, const llvm::Twine &message);
  std::nullptr_t expected(const llvm::Twine &what);
  bool expect(Tok kind, const llvm::Twine &context);
  bool expectClosing(Tok kind, const Token &opening);
  bool expectName(ast::Identifier &name, llvm::StringRef what);
  /// Sets the height of a node from its children; nullptr when it is too high.
  template <typename T> T *finish(T *node, llvm::ArrayRef<ast::Expr *> children) {
    for (ast::Expr *child : children)
      if (child)
        node->height = std::max(node->height, child->height + 1);
    return checkHeight(node) ? node : nullptr;
  }
  bool checkHeight(ast::Expr *node);
  /// Gives up on the rest of the file.
  void stop() {
    fatal = true;
    file.incomplete = true;
    at = tokens.size() - 1;
  }

  /// Counts nested constructs while it lives; reports the one that is too deep.
  struct Nesting {
    explicit Nesting(Parser &parser);
    ~Nesting() { --parser.depth; }
    bool tooDeep() const { return parser.fatal; }
    Parser &parser;
  };
  /// Inside brackets, line ends do not matter; inside braces, they do.
  struct Brackets {
    Brackets(Parser &parser, unsigned depth) : parser(parser), saved(parser.bracketDepth) {
      parser.bracketDepth = depth;
    }
    ~Brackets() { parser.bracketDepth = saved; }
    Parser &parser;
    unsigned saved;
  };

  // Declarations.
  bool atDeclaration() const;
  /// A node for the declaration that is parsed.
  template <typename T, typename... Args> T *makeDecl(Args &&...args) {
    T *decl = file.make<T>(std::forward<Args>(args)..., llvm::SMRange());
    current = decl;
    return decl;
  }
  ast::Decl *parseDeclaration(bool &ended);
  ast::Decl *parseImport();
  ast::Decl *parseConst();
  ast::Decl *parseDef();
  ast::Decl *parseFunction();
  ast::Decl *parseTrain();
  ast::Decl *parseTest();
  bool parseParameters(llvm::SmallVectorImpl<ast::Parameter> &parameters);
  bool checkParameters(const ast::FunctionDecl &decl);

  // Statements.
  ast::Body *parseBody(llvm::StringRef what);
  ast::Stmt *parseStatement();
  ast::Stmt *parseExpectStatement();
  ast::Stmt *parseAssignment(ast::Expr *target);
  ast::Pattern *toPattern(ast::Expr *expr);
  ast::Pattern *parsePattern();
  bool endStatement();
  void skipStatement();
  unsigned heightOf(ast::Stmt *stmt) const;

  // Expressions, from weakest to strongest binding.
  ast::Expr *parseExpr(); // a chain
  ast::Expr *parseStage();
  ast::Expr *parseBinary(unsigned minPrecedence);
  ast::Expr *parseUnary();
  ast::Expr *parsePower();
  ast::Expr *parsePostfix();
  ast::Expr *parsePrimary();
  ast::Expr *parseNumber();
  ast::Expr *parseString();
  bool parseStringPieces(llvm::StringRef content, llvm::SmallVectorImpl<ast::StringPiece> &pieces);
  bool parseInterpolation(llvm::StringRef content, ast::StringPiece &piece);
  ast::Expr *parseParenthesized();
  ast::Expr *parseList();
  ast::Expr *parseGroup();
  ast::Expr *parseRepeat();
  ast::Expr *parseFor();
  ast::Expr *parseIf();
  ast::Expr *parseCall(ast::Expr *callee);
  ast::Expr *parseIndex(ast::Expr *base);
  ast::Expr *parseMember(ast::Expr *base);
  bool atStep() const;
  ast::Expr *parseRange(ast::Expr *first, llvm::SMLoc begin);
  bool parseArguments(llvm::SmallVectorImpl<ast::Argument> &arguments,
                      llvm::SmallVectorImpl<ast::Binder> &binders, bool allowBinders);
  bool parseBinders(llvm::SmallVectorImpl<ast::Binder> &binders);

  std::vector<Token> tokens;
  size_t at = 0;
  ast::Decl *current = nullptr; // the declaration that is parsed
  /// The assignment whose value could not be parsed, until its body has seen it.
  ast::AssignStmt *assigning = nullptr;
  ast::File &file;
  Diagnostics &diagnostics;
  unsigned bracketDepth = 0;
  unsigned depth = 0;
  bool fatal = false;
  std::string endName = "the end of the file";
};

} // namespace cnn

#endif // CNNC_COMPILER_FRONTEND_PARSERIMPL_H
