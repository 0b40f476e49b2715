// Declarations and statements. A mistake in a statement costs that statement, one in the head of a
// declaration costs the declaration.
#include "compiler/frontend/Parser.h"

#include "compiler/frontend/ParserImpl.h"

using namespace cnn;
using namespace cnn::ast;
using llvm::isa_and_present;
using llvm::SmallVector;
using llvm::SmallVectorImpl;
using llvm::SMLoc;
using llvm::SMRange;
using llvm::StringRef;
using llvm::Twine;

//===----------------------------------------------------------------------===//
// Tokens and errors
//===----------------------------------------------------------------------===//

DiagnosticBuilder Parser::error(SMRange range, const Twine &message) {
  // What is not a token was reported by the lexer.
  if (fatal || (is(Tok::Invalid) && range.Start == token().begin()))
    return DiagnosticBuilder(nullptr, Diagnostic());
  return diagnostics.error(range, message);
}

std::nullptr_t Parser::expected(const Twine &what) {
  error(token().range(), "expected " + what + ", found " + found());
  return nullptr;
}

bool Parser::expect(Tok kind, const Twine &context) {
  if (consumeIf(kind))
    return true;
  expected(describe(kind) + context);
  return false;
}

bool Parser::expectClosing(Tok kind, const Token &opening) {
  if (consumeIf(kind))
    return true;
  error(token().range(), "expected " + describe(kind) + ", found " + found())
      .note(opening.range(), "to close this " + describe(opening));
  return false;
}

bool Parser::expectName(Identifier &name, StringRef what) {
  if (is(Tok::Name)) {
    name = {token().text, token().range()};
    advance();
    return true;
  }
  if (token().kind >= Tok::KwAnd && token().kind <= Tok::KwVar)
    error(token().range(), "'" + token().text + "' is a keyword and cannot be " + what);
  else
    expected(what);
  return false;
}

Parser::Nesting::Nesting(Parser &parser) : parser(parser) {
  if (++parser.depth <= maxNesting || parser.fatal)
    return;
  parser.error(parser.token().range(),
               "this is nested more than " + Twine(maxNesting) + " levels deep");
  parser.stop();
}

bool Parser::checkHeight(Expr *node) {
  if (node->height <= maxNesting)
    return true;
  error(node->range, "this expression has more than " + Twine(maxNesting) + " parts in a row")
      .hint("give a part of it a name");
  stop();
  return false;
}

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

bool Parser::atDeclaration() const {
  switch (token().kind) {
  case Tok::KwImport:
  case Tok::KwConst:
  case Tok::KwDef:
  case Tok::KwBlock:
  case Tok::KwNet:
  case Tok::KwTrain:
  case Tok::KwTest:
    return true;
  default:
    return false;
  }
}

void Parser::parseDeclarations() {
  while (!is(Tok::Eof) && !diagnostics.full()) {
    StringRef comment = token().comment;
    bool ended = false;
    if (!atDeclaration()) {
      static constexpr StringRef words[] = {"import", "const", "def", "block",
                                            "net",    "train", "test"};
      error(token().range(), "expected a declaration, found " + found())
          .hint(is(Tok::Name) ? suggestName(token().text, words, "a declaration starts with one of")
                              : "a file is a list of import, const, def, block, net, train and "
                                "test declarations");
      file.incomplete = true;
    } else if (Decl *decl = parseDeclaration(ended)) {
      decl->comment = comment;
      file.declarations.push_back(decl);
      if (ended && (is(Tok::Eof) || token().startsLine || consumeIf(Tok::Semicolon)))
        continue;
      if (ended)
        expected("a new line after the declaration");
    }
    bracketDepth = 0;
    // The next declaration starts a line.
    while (!is(Tok::Eof) && !(atDeclaration() && token().startsLine))
      advance();
  }
}

/// A declaration that could not be parsed to its end is broken; null where not even its name is
/// known.
Decl *Parser::parseDeclaration(bool &ended) {
  SMLoc begin = token().begin();
  Decl *decl = nullptr;
  current = nullptr;
  switch (token().kind) {
  case Tok::KwImport:
    decl = parseImport();
    break;
  case Tok::KwConst:
    decl = parseConst();
    break;
  case Tok::KwDef:
    decl = parseDef();
    break;
  case Tok::KwBlock:
  case Tok::KwNet:
    decl = parseFunction();
    break;
  case Tok::KwTrain:
    decl = parseTrain();
    break;
  default:
    decl = parseTest();
    break;
  }
  if (!decl && isa_and_present<TestDecl>(current))
    return nullptr; // nothing refers to it
  if (!decl && (!current || current->name.name.empty())) {
    file.incomplete = true;
    return nullptr;
  }
  ended = decl != nullptr;
  current->broken |= !ended;
  current->range = from(begin);
  return current;
}

Decl *Parser::parseImport() {
  advance();
  auto *decl = makeDecl<ImportDecl>();
  if (!is(Tok::String))
    return expected("the path of a file in quotes after 'import'");
  decl->path = parseString();
  return decl->path ? decl : nullptr;
}

Decl *Parser::parseConst() {
  advance();
  auto *decl = makeDecl<ConstDecl>();
  if (!expectName(decl->name, "the name of a constant") ||
      !expect(Tok::Assign, " after the name of a constant"))
    return nullptr;
  decl->value = parseExpr();
  return decl->value ? decl : nullptr;
}

Decl *Parser::parseDef() {
  advance();
  auto *decl = makeDecl<DefDecl>();
  SmallVector<Parameter> inputs;
  if (!expectName(decl->name, "the name of a function") || !parseParameters(inputs) ||
      !expect(Tok::Assign, " before the value of the function"))
    return nullptr;
  decl->inputs = file.copy<Parameter>(inputs);
  decl->value = parseExpr();
  return decl->value ? decl : nullptr;
}

bool Parser::parseParameters(SmallVectorImpl<Parameter> &parameters) {
  Token opening = token();
  if (!expect(Tok::LParen, " before the list of parameters"))
    return false;
  Brackets brackets(*this, 1);
  while (!is(Tok::RParen)) {
    Parameter parameter;
    if (!expectName(parameter.name, "the name of a parameter"))
      return false;
    auto *first = llvm::find_if(
        parameters, [&](const Parameter &other) { return other.name.name == parameter.name.name; });
    bool twice = first != parameters.end();
    if (twice)
      error(parameter.name.range, "parameter '" + parameter.name.name + "' is declared twice")
          .note(first->name.range, "it is first declared here");
    if (consumeIf(Tok::Colon) && !(parameter.shape = parseBinary(0)))
      return false;
    if (consumeIf(Tok::Assign) && !(parameter.defaultValue = parseExpr()))
      return false;
    if (!twice)
      parameters.push_back(parameter);
    if (!consumeIf(Tok::Comma))
      break;
  }
  return expectClosing(Tok::RParen, opening);
}

Decl *Parser::parseFunction() {
  bool isNet = is(Tok::KwNet);
  StringRef word = isNet ? "net" : "block";
  advance();
  auto *decl = makeDecl<FunctionDecl>(isNet ? Decl::Kind::Net : Decl::Kind::Block);
  SmallVector<Parameter> first, second;
  if (!expectName(decl->name, isNet ? "the name of a net" : "the name of a block") ||
      !parseParameters(first))
    return nullptr;
  // One list is the inputs; of two, the first is the hyperparameters.
  bool two = is(Tok::LParen);
  if (two && !parseParameters(second))
    return nullptr;
  decl->hyperparameters = file.copy<Parameter>(two ? first : second);
  decl->inputs = file.copy<Parameter>(two ? second : first);
  bool valid = checkParameters(*decl);
  decl->body = parseBody((word + " '" + decl->name.name + "'").str());
  return valid && decl->body ? decl : nullptr;
}

bool Parser::checkParameters(const FunctionDecl &decl) {
  StringRef word = decl.isNet() ? "net" : "block";
  for (const Parameter &parameter : decl.hyperparameters) {
    if (!parameter.shape)
      continue;
    error(parameter.shape->range,
          "'" + parameter.name.name + "' is a hyperparameter and has no shape")
        .hint("hyperparameters come first, inputs second: " + word + " " + decl.name.name +
              "(channels = 1)(image: [1, 28, 28])");
    return false;
  }
  for (const Parameter &parameter : decl.inputs) {
    if (parameter.defaultValue) {
      error(parameter.defaultValue->range,
            "'" + parameter.name.name + "' is an input and has no default value")
          .hint("hyperparameters stand in a list of their own before the inputs: " + word + " " +
                decl.name.name + "(" + parameter.name.name + " = ...)(x" +
                (decl.isNet() ? ": [1, 28, 28])" : ")"));
      return false;
    }
    if (decl.isNet() && !parameter.shape) {
      error(parameter.name.range,
            "input '" + parameter.name.name + "' of net '" + decl.name.name + "' has no shape")
          .hint("write its shape without the batch, such as " + parameter.name.name +
                ": [1, 28, 28]");
      return false;
    }
  }
  if (!decl.inputs.empty())
    return true;
  error(decl.name.range, word + " '" + decl.name.name + "' has no inputs")
      .hint(decl.isNet() ? "write them with their shapes, such as (image: [1, 28, 28])"
                         : "write them in a list, such as (x)");
  return false;
}

Decl *Parser::parseTrain() {
  advance();
  auto *decl = makeDecl<TrainDecl>();
  if (!expectName(decl->name, "the name of a recipe") ||
      !expect(Tok::Assign, " between the name of a recipe and its net") ||
      !expectName(decl->net, "the name of a net"))
    return nullptr;
  if (is(Tok::LParen)) {
    Token opening = token();
    advance();
    Brackets brackets(*this, 1);
    SmallVector<Argument> arguments;
    SmallVector<Binder> binders;
    if (!parseArguments(arguments, binders, /*allowBinders=*/false) ||
        !expectClosing(Tok::RParen, opening))
      return nullptr;
    decl->arguments = file.copy<Argument>(arguments);
  }
  Token opening = token();
  if (!expect(Tok::LBrace, " before the entries of recipe '" + decl->name.name + "'"))
    return nullptr;
  Brackets brackets(*this, 0);
  SmallVector<Entry> entries;
  while (!is(Tok::RBrace) && !is(Tok::Eof) && !atDeclaration()) {
    Entry entry;
    if (!expectName(entry.key, "a key of the recipe"))
      current->broken = true;
    else if (!expect(Tok::Assign, " after key '" + entry.key.name + "'") ||
             !(entry.value = parseExpr()))
      entry.value = nullptr;
    else if (!endStatement()) {
      entry.value = nullptr;
      decl->incomplete = true;
    }
    if (!entry.key.name.empty())
      entries.push_back(entry);
    if (!entry.value)
      skipStatement();
  }
  decl->entries = file.copy<Entry>(entries);
  return expectClosing(Tok::RBrace, opening) ? decl : nullptr;
}

Decl *Parser::parseTest() {
  advance();
  auto *decl = makeDecl<TestDecl>();
  if (!is(Tok::String))
    return expected("the title of the test in quotes");
  decl->title = parseString();
  decl->body = parseBody("the test");
  return decl->title && decl->body ? decl : nullptr;
}

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

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

//===----------------------------------------------------------------------===//
// Entry points
//===----------------------------------------------------------------------===//

std::optional<SetArgument> Parser::parseSetArgument() {
  SetArgument argument;
  endName = "the end of the argument";
  SMLoc begin = token().begin();
  while (true) {
    Identifier name;
    // Keywords may be parts of a path: `train.batch`.
    if (token().kind >= Tok::KwAnd && token().kind <= Tok::KwVar) {
      name = {token().text, token().range()};
      advance();
    } else if (!expectName(name, "a key such as train.batch")) {
      return std::nullopt;
    }
    argument.path.push_back(name);
    if (!consumeIf(Tok::Dot))
      break;
  }
  if (!expect(Tok::Assign, " and a value after the key"))
    return std::nullopt;
  argument.value = parseExpr();
  argument.range = from(begin);
  if (argument.value && !is(Tok::Eof))
    expected("the end of the argument");
  if (!argument.value || !is(Tok::Eof))
    return std::nullopt;
  return argument;
}

std::unique_ptr<File> cnn::parseFile(unsigned buffer, Diagnostics &diagnostics) {
  auto file = std::make_unique<File>();
  file->name = diagnostics.bufferName(buffer);
  StringRef text = diagnostics.text(buffer);
  file->range = {SMLoc::getFromPointer(text.begin()), SMLoc::getFromPointer(text.end())};
  file->incomplete = !checkEncoding(text, diagnostics);
  if (file->incomplete)
    return file;
  text.consume_front("\xEF\xBB\xBF");
  diagnostics.hold();
  Parser parser(lex(text, diagnostics), *file, diagnostics);
  parser.parseDeclarations();
  diagnostics.release();
  file->incomplete |= file->declarations.empty();
  if (file->declarations.empty() && !diagnostics.hasErrors())
    diagnostics.error("'" + file->name + "' declares nothing")
        .hint("a file holds at least one net: net tiny(image: [1, 28, 28]) { image -> flatten -> "
              "linear(10) }");
  return file;
}

std::optional<SetArgument> cnn::parseSet(unsigned buffer, File &file, Diagnostics &diagnostics) {
  StringRef text = diagnostics.text(buffer);
  if (!checkEncoding(text, diagnostics))
    return std::nullopt;
  unsigned before = diagnostics.errorCount();
  Parser parser(lex(text, diagnostics), file, diagnostics);
  std::optional<SetArgument> argument = parser.parseSetArgument();
  if (diagnostics.errorCount() != before)
    return std::nullopt;
  return argument;
}
