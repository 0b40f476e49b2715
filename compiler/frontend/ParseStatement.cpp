// Statements, and bodies of them. A mistake in a statement costs that statement.
#include "compiler/frontend/ParserImpl.h"

using namespace cnn;
using namespace cnn::ast;
using llvm::SmallVector;
using llvm::SMLoc;
using llvm::SMRange;
using llvm::StringRef;

Body *Parser::parseBody(StringRef what) {
  Token opening = token();
  if (!expect(Tok::LBrace, " before the body of " + what))
    return nullptr;
  Brackets brackets(*this, 0);
  auto *body = file.make<Body>();
  SmallVector<Stmt *> statements;
  while (!is(Tok::RBrace) && !is(Tok::Eof) && !atDeclaration() && !diagnostics.full()) {
    if (consumeIf(Tok::Semicolon))
      continue;
    SMLoc begin = token().begin();
    assigning = nullptr;
    Stmt *stmt = parseStatement();
    bool whole = stmt && endStatement();
    if (!whole) {
      // What has a name, or is the end of the body, is there; only its value is not known.
      auto *assign = assigning ? assigning : llvm::dyn_cast_or_null<AssignStmt>(stmt);
      skipStatement();
      stmt = nullptr;
      if (assign && !assign->update) {
        assign->value = file.make<WrongExpr>(from(begin));
        stmt = assign;
      } else if (is(Tok::RBrace)) {
        auto *last = file.make<ExprStmt>(from(begin));
        last->expr = file.make<WrongExpr>(last->range);
        stmt = last;
      } else {
        current->broken = true;
      }
    }
    if (stmt) {
      stmt->range = from(begin);
      body->height = std::max(body->height, heightOf(stmt));
      statements.push_back(stmt);
    }
  }
  if (!expectClosing(Tok::RBrace, opening))
    return nullptr;
  body->range = from(opening.begin());
  body->statements = file.copy<Stmt *>(statements);
  return body;
}

/// A statement ends with its line, at ';' or before '}'.
bool Parser::endStatement() {
  if (consumeIf(Tok::Semicolon) || is(Tok::RBrace) || is(Tok::Eof) || token().startsLine)
    return true;
  if (is(Tok::Name) || is(Tok::LBrace)) {
    auto report = error(token().range(), "expected '->', a new line or ';', found " + found());
    if (is(Tok::Name) && token().text == "within")
      report.hint("a tolerance belongs to '~=': expect a ~= b within 1e-4");
  } else {
    expected("a new line or ';'");
  }
  return false;
}

/// Goes to the next line or behind ';', but not out of the body.
void Parser::skipStatement() {
  unsigned braces = 0;
  bool first = true;
  for (; !is(Tok::Eof); advance(), first = false) {
    if (braces == 0) {
      if (is(Tok::RBrace) || (atDeclaration() && token().startsLine))
        return;
      // A line that goes on with '->' belongs to what failed.
      if (!first && token().startsLine && !is(Tok::Arrow))
        return;
      if (is(Tok::Semicolon))
        return advance();
    }
    if (is(Tok::LBrace))
      ++braces;
    else if (is(Tok::RBrace))
      --braces;
  }
}

unsigned Parser::heightOf(Stmt *stmt) const {
  auto max = [](std::initializer_list<Expr *> exprs) {
    unsigned height = 0;
    for (Expr *expr : exprs)
      height = std::max(height, expr ? expr->height + 1 : 0);
    return height;
  };
  switch (stmt->kind) {
  case Stmt::Kind::Expr:
    return max({llvm::cast<ExprStmt>(stmt)->expr});
  case Stmt::Kind::Assign:
    return max({llvm::cast<AssignStmt>(stmt)->value});
  case Stmt::Kind::Layer:
    return max({llvm::cast<LayerStmt>(stmt)->value});
  case Stmt::Kind::Param:
    return max({llvm::cast<ParamStmt>(stmt)->shape, llvm::cast<ParamStmt>(stmt)->init});
  case Stmt::Kind::Var:
    return max({llvm::cast<VarStmt>(stmt)->value});
  case Stmt::Kind::Print:
    return max({llvm::cast<PrintStmt>(stmt)->value});
  case Stmt::Kind::Expect: {
    auto *expect = llvm::cast<ExpectStmt>(stmt);
    unsigned height = max({expect->actual, expect->expected, expect->tolerance, expect->errorText});
    return std::max(height, expect->body ? expect->body->height + 1 : 0);
  }
  }
  return 0;
}

Stmt *Parser::parseStatement() {
  switch (token().kind) {
  case Tok::KwLayer: {
    advance();
    auto *stmt = file.make<LayerStmt>(SMRange());
    if (!expectName(stmt->name, "the name of a layer") ||
        !expect(Tok::Assign, " after the name of a layer"))
      return nullptr;
    stmt->value = parseExpr();
    return stmt->value ? stmt : nullptr;
  }
  case Tok::KwParam: {
    advance();
    auto *stmt = file.make<ParamStmt>(SMRange());
    if (!expectName(stmt->name, "the name of a parameter") ||
        !expect(Tok::Colon, " and a shape after the name of a parameter") ||
        !(stmt->shape = parseBinary(0)))
      return nullptr;
    if (!atLineEnd() && consumeIf(Tok::Assign) && !(stmt->init = parseExpr()))
      return nullptr;
    return stmt;
  }
  case Tok::KwVar: {
    advance();
    auto *stmt = file.make<VarStmt>(SMRange());
    if (!expectName(stmt->name, "the name of a variable") ||
        !expect(Tok::Assign, " after the name of a variable"))
      return nullptr;
    stmt->value = parseExpr();
    return stmt->value ? stmt : nullptr;
  }
  case Tok::KwPrint: {
    advance();
    auto *stmt = file.make<PrintStmt>(SMRange());
    stmt->value = parseExpr();
    return stmt->value ? stmt : nullptr;
  }
  case Tok::KwExpect:
    return parseExpectStatement();
  default:
    break;
  }
  Expr *expr = parseExpr();
  if (!expr)
    return nullptr;
  if (!atLineEnd() && (is(Tok::Assign) || is(Tok::PlusAssign) || is(Tok::MinusAssign) ||
                       is(Tok::StarAssign) || is(Tok::SlashAssign)))
    return parseAssignment(expr);
  auto *stmt = file.make<ExprStmt>(SMRange());
  stmt->expr = expr;
  return stmt;
}

Stmt *Parser::parseAssignment(Expr *target) {
  auto *stmt = file.make<AssignStmt>(SMRange());
  stmt->update = !is(Tok::Assign);
  stmt->op = is(Tok::PlusAssign)    ? BinaryOp::Add
             : is(Tok::MinusAssign) ? BinaryOp::Sub
             : is(Tok::StarAssign)  ? BinaryOp::Mul
                                    : BinaryOp::Div;
  advance();
  stmt->pattern = toPattern(target);
  if (!stmt->pattern)
    return nullptr;
  if (stmt->update && stmt->pattern->name.empty()) {
    error(target->range, "only a single name can be updated");
    return nullptr;
  }
  stmt->value = parseExpr();
  assigning = stmt->value ? nullptr : stmt;
  return stmt->value ? stmt : nullptr;
}

Stmt *Parser::parseExpectStatement() {
  advance();
  auto *stmt = file.make<ExpectStmt>(SMRange());
  if (is(Tok::Name) && token().text == "error" && peek().kind == Tok::String) {
    advance();
    Nesting nesting(*this);
    if (nesting.tooDeep())
      return nullptr;
    stmt->errorText = parseString();
    stmt->body = parseBody("'expect error'");
    return stmt->errorText && stmt->body ? stmt : nullptr;
  }
  if (!(stmt->actual = parseExpr()))
    return nullptr;
  if (!consumeIf(Tok::Near))
    return stmt;
  if (!(stmt->expected = parseBinary(0)))
    return nullptr;
  if (!is(Tok::Name) || token().text != "within") {
    expected("'within' and a tolerance");
    return nullptr;
  }
  advance();
  stmt->tolerance = parseBinary(0);
  return stmt->tolerance ? stmt : nullptr;
}

Pattern *Parser::toPattern(Expr *expr) {
  auto *pattern = file.make<Pattern>();
  pattern->range = expr->range;
  if (auto *name = llvm::dyn_cast<NameExpr>(expr)) {
    pattern->name = name->name;
    return pattern;
  }
  auto *tuple = llvm::dyn_cast<TupleExpr>(expr);
  auto *list = llvm::dyn_cast<ListExpr>(expr);
  if (!tuple && !list) {
    error(expr->range, "only a name, or a tuple or list of names, can be given a value");
    return nullptr;
  }
  pattern->isList = list;
  SmallVector<Pattern *> elements;
  for (Expr *element : tuple ? tuple->elements : list->elements) {
    elements.push_back(toPattern(element));
    if (!elements.back())
      return nullptr;
  }
  pattern->elements = file.copy<Pattern *>(elements);
  return pattern;
}

Pattern *Parser::parsePattern() {
  if (!is(Tok::Name) && !is(Tok::LParen) && !is(Tok::LBracket))
    return expected("a name, or a tuple or list of names");
  Expr *expr = parsePrimary();
  return expr ? toPattern(expr) : nullptr;
}
