// Declarations. A mistake in the head of one costs the declaration.
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
