// Expressions, chains and stages. Precedence climbing for operators; everything that nests passes
// through parseUnary, which is where the depth is counted.
#include "compiler/frontend/ParserImpl.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace cnn;
using namespace cnn::ast;
using llvm::SmallVector;
using llvm::SmallVectorImpl;
using llvm::SMLoc;
using llvm::SMRange;

namespace {

struct Operator {
  unsigned precedence; // 0: not a binary operator
  BinaryOp op;
};

constexpr unsigned comparisonPrecedence = 3;
constexpr unsigned rangePrecedence = 4;
constexpr unsigned additivePrecedence = 5;

Operator operatorOf(Tok kind) {
  switch (kind) {
  case Tok::KwOr:
    return {1, BinaryOp::Or};
  case Tok::KwAnd:
    return {2, BinaryOp::And};
  case Tok::Equal:
    return {comparisonPrecedence, BinaryOp::Equal};
  case Tok::NotEqual:
    return {comparisonPrecedence, BinaryOp::NotEqual};
  case Tok::Less:
    return {comparisonPrecedence, BinaryOp::Less};
  case Tok::LessEqual:
    return {comparisonPrecedence, BinaryOp::LessEqual};
  case Tok::Greater:
    return {comparisonPrecedence, BinaryOp::Greater};
  case Tok::GreaterEqual:
    return {comparisonPrecedence, BinaryOp::GreaterEqual};
  case Tok::Plus:
    return {additivePrecedence, BinaryOp::Add};
  case Tok::Minus:
    return {additivePrecedence, BinaryOp::Sub};
  case Tok::Star:
    return {6, BinaryOp::Mul};
  case Tok::Slash:
    return {6, BinaryOp::Div};
  case Tok::Percent:
    return {6, BinaryOp::Mod};
  default:
    return {0, BinaryOp::Add};
  }
}

} // namespace

Expr *Parser::parseExpr() {
  SMLoc begin = token().begin();
  Expr *first = parseStage();
  if (!first || !is(Tok::Arrow))
    return first;
  SmallVector<Expr *> elements = {first};
  while (consumeIf(Tok::Arrow)) {
    elements.push_back(parseStage());
    if (!elements.back())
      return nullptr;
  }
  auto *chain = file.make<ChainExpr>(from(begin));
  chain->elements = file.copy<Expr *>(elements);
  return finish(chain, elements);
}

Expr *Parser::parseStage() {
  if ((!is(Tok::Name) && !is(Tok::String)) || peek().kind != Tok::Colon)
    return parseBinary(0);
  SMLoc begin = token().begin();
  Expr *label = parsePrimary();
  if (!label)
    return nullptr;
  advance(); // the colon
  Expr *stage = parseBinary(0);
  if (!stage)
    return nullptr;
  auto *labelled = file.make<LabelledExpr>(from(begin));
  labelled->label = label;
  labelled->stage = stage;
  return finish(labelled, {label, stage});
}

Expr *Parser::parseBinary(unsigned minPrecedence) {
  SMLoc begin = token().begin();
  bool compared = false;
  Expr *lhs = parseUnary();
  while (lhs && !atLineEnd()) {
    if ((is(Tok::DotDot) || is(Tok::DotDotEqual)) && minPrecedence < rangePrecedence) {
      lhs = parseRange(lhs, begin);
      continue;
    }
    Operator op = operatorOf(token().kind);
    if (op.precedence == 0 || op.precedence <= minPrecedence)
      return lhs;
    SMRange opRange = token().range();
    bool compares = op.precedence == comparisonPrecedence;
    if (compares && compared) {
      error(opRange, "comparisons cannot be chained").hint("join two comparisons with 'and'");
      return nullptr;
    }
    compared |= compares;
    advance();
    Expr *rhs = parseBinary(op.precedence);
    if (!rhs)
      return nullptr;
    auto *binary = file.make<BinaryExpr>(from(begin));
    binary->op = op.op;
    binary->opRange = opRange;
    binary->lhs = lhs;
    binary->rhs = rhs;
    lhs = finish(binary, {binary->lhs, binary->rhs});
  }
  return lhs;
}

/// Whether the contextual keyword `step` stands here: it is a name everywhere else.
bool Parser::atStep() const {
  if (!is(Tok::Name) || token().text != "step" || atLineEnd())
    return false;
  Tok next = peek().kind;
  return next == Tok::Int || next == Tok::Float || next == Tok::Name || next == Tok::LParen ||
         next == Tok::Minus;
}

/// `..end step n` behind `first`, which is null where an index begins with `..`.
Expr *Parser::parseRange(Expr *first, SMLoc begin) {
  SmallVector<Expr *> children;
  auto *range = file.make<RangeExpr>(token().range());
  range->inclusive = is(Tok::DotDotEqual);
  advance();
  if ((range->begin = first))
    children.push_back(first);
  bool open = !range->inclusive && (is(Tok::RBracket) || is(Tok::Comma) || atStep());
  if (!open) {
    if (!(range->end = parseBinary(rangePrecedence)))
      return nullptr;
    children.push_back(range->end);
  }
  if (atStep()) {
    advance();
    if (!(range->step = parseBinary(rangePrecedence)))
      return nullptr;
    children.push_back(range->step);
  }
  range->range = from(begin);
  return finish(range, children);
}

Expr *Parser::parseUnary() {
  Nesting nesting(*this);
  if (nesting.tooDeep())
    return nullptr;
  if (!is(Tok::Minus) && !is(Tok::KwNot))
    return parsePower();
  SMLoc begin = token().begin();
  bool negate = is(Tok::Minus);
  advance();
  // `-a^2` is -(a^2) and `not a == b` is not (a == b).
  Expr *operand = negate ? parseUnary() : parseBinary(comparisonPrecedence - 1);
  if (!operand)
    return nullptr;
  auto *unary = file.make<UnaryExpr>(from(begin));
  unary->op = negate ? UnaryOp::Negate : UnaryOp::Not;
  unary->operand = operand;
  return finish(unary, {operand});
}

Expr *Parser::parsePower() {
  SMLoc begin = token().begin();
  Expr *base = parsePostfix();
  if (!base || atLineEnd() || !is(Tok::Caret))
    return base;
  SMRange opRange = token().range();
  advance();
  Expr *exponent = parseUnary(); // right associative
  if (!exponent)
    return nullptr;
  auto *binary = file.make<BinaryExpr>(from(begin));
  binary->op = BinaryOp::Pow;
  binary->opRange = opRange;
  binary->lhs = base;
  binary->rhs = exponent;
  return finish(binary, {base, exponent});
}

Expr *Parser::parsePostfix() {
  Expr *expr = parsePrimary();
  while (expr && !atLineEnd()) {
    if (is(Tok::LParen))
      expr = parseCall(expr);
    else if (is(Tok::LBracket))
      expr = parseIndex(expr);
    else if (is(Tok::Dot))
      expr = parseMember(expr);
    else
      break;
  }
  return expr;
}

Expr *Parser::parseMember(Expr *base) {
  advance();
  auto *member = file.make<MemberExpr>(from(base->range.Start));
  member->base = base;
  if (!expectName(member->name, "the name of a part, such as T, after '.'"))
    return nullptr;
  member->range = from(base->range.Start);
  return finish(member, {base});
}

Expr *Parser::parsePrimary() {
  switch (token().kind) {
  case Tok::Int:
  case Tok::Float:
    return parseNumber();
  case Tok::String:
    return parseString();
  case Tok::KwTrue:
  case Tok::KwFalse: {
    auto *expr = file.make<BoolExpr>(token().range());
    expr->value = is(Tok::KwTrue);
    advance();
    return expr;
  }
  case Tok::Name: {
    auto *expr = file.make<NameExpr>(token().range());
    expr->name = token().text;
    advance();
    return expr;
  }
  case Tok::LParen:
    return parseParenthesized();
  case Tok::LBracket:
    return parseList();
  case Tok::LBrace:
    return parseGroup();
  case Tok::KwRepeat:
    return parseRepeat();
  case Tok::KwFor:
    return parseFor();
  case Tok::KwIf:
    return parseIf();
  default:
    return expected("an expression");
  }
}

Expr *Parser::parseParenthesized() {
  Token opening = token();
  advance();
  Brackets brackets(*this, 1);
  Expr *first = parseExpr();
  if (!first)
    return nullptr;
  if (!is(Tok::Comma))
    return expectClosing(Tok::RParen, opening) ? first : nullptr;
  SmallVector<Expr *> elements = {first};
  while (consumeIf(Tok::Comma) && !is(Tok::RParen)) {
    elements.push_back(parseExpr());
    if (!elements.back())
      return nullptr;
  }
  if (!expectClosing(Tok::RParen, opening))
    return nullptr;
  auto *tuple = file.make<TupleExpr>(from(opening.begin()));
  tuple->elements = file.copy<Expr *>(elements);
  return finish(tuple, elements);
}

Expr *Parser::parseList() {
  Token opening = token();
  advance();
  Brackets brackets(*this, 1);
  SmallVector<Expr *> elements;
  while (!is(Tok::RBracket)) {
    elements.push_back(parseExpr());
    if (!elements.back())
      return nullptr;
    if (elements.size() == 1 && consumeIf(Tok::KwFor)) {
      SmallVector<Binder> binders;
      if (!parseBinders(binders) || !expectClosing(Tok::RBracket, opening))
        return nullptr;
      auto *comprehension = file.make<ComprehensionExpr>(from(opening.begin()));
      comprehension->element = elements.front();
      comprehension->binders = file.copy<Binder>(binders);
      for (const Binder &binder : binders)
        elements.push_back(binder.bound);
      return finish(comprehension, elements);
    }
    if (!consumeIf(Tok::Comma))
      break;
  }
  if (!expectClosing(Tok::RBracket, opening))
    return nullptr;
  auto *list = file.make<ListExpr>(from(opening.begin()));
  list->elements = file.copy<Expr *>(elements);
  return finish(list, elements);
}

Expr *Parser::parseGroup() {
  auto *group = file.make<GroupExpr>(token().range());
  group->body = parseBody("a group");
  if (!group->body)
    return nullptr;
  group->range = group->body->range;
  group->height = group->body->height + 1;
  return checkHeight(group) ? group : nullptr;
}

Expr *Parser::parseRepeat() {
  auto *repeat = file.make<RepeatExpr>(token().range());
  SMLoc begin = token().begin();
  advance();
  if (!(repeat->count = parseBinary(0)) || !(repeat->body = parseBody("'repeat'")))
    return nullptr;
  repeat->range = from(begin);
  repeat->height = repeat->body->height + 1;
  return finish(repeat, {repeat->count});
}

Expr *Parser::parseFor() {
  auto *loop = file.make<ForExpr>(token().range());
  SMLoc begin = token().begin();
  advance();
  loop->pattern = parsePattern();
  if (!loop->pattern)
    return nullptr;
  if (is(Tok::Comma)) {
    if (loop->pattern->name.empty()) {
      error(loop->pattern->range, "the index of a 'for' is a single name");
      return nullptr;
    }
    advance();
    loop->index = {loop->pattern->name, loop->pattern->range};
    loop->pattern = parsePattern();
    if (!loop->pattern)
      return nullptr;
  }
  if (!expect(Tok::KwIn, " and a list after 'for'") || !(loop->iterable = parseBinary(0)) ||
      !(loop->body = parseBody("'for'")))
    return nullptr;
  loop->range = from(begin);
  loop->height = loop->body->height + 1;
  return finish(loop, {loop->iterable});
}

Expr *Parser::parseIf() {
  auto *branch = file.make<IfExpr>(token().range());
  SMLoc begin = token().begin();
  advance();
  if (!(branch->condition = parseBinary(0)) || !(branch->thenBody = parseBody("'if'")))
    return nullptr;
  branch->height = branch->thenBody->height + 1;
  if (consumeIf(Tok::KwElse)) {
    if (is(Tok::KwIf)) {
      Nesting nesting(*this);
      if (nesting.tooDeep())
        return nullptr;
      Expr *inner = parseIf();
      if (!inner)
        return nullptr;
      auto *stmt = file.make<ExprStmt>(inner->range);
      stmt->expr = inner;
      branch->elseBody = file.make<Body>();
      branch->elseBody->range = inner->range;
      branch->elseBody->height = inner->height + 1;
      branch->elseBody->statements = file.copy<Stmt *>({stmt});
    } else if (!(branch->elseBody = parseBody("'else'"))) {
      return nullptr;
    }
    branch->height = std::max(branch->height, branch->elseBody->height + 1);
  }
  branch->range = from(begin);
  return finish(branch, {branch->condition});
}

Expr *Parser::parseCall(Expr *callee) {
  Token opening = token();
  advance();
  Brackets brackets(*this, 1);
  SmallVector<Argument> arguments;
  SmallVector<Binder> binders;
  if (!parseArguments(arguments, binders, /*allowBinders=*/true) ||
      !expectClosing(Tok::RParen, opening))
    return nullptr;
  auto *call = file.make<CallExpr>(from(callee->range.Start));
  call->callee = callee;
  call->arguments = file.copy<Argument>(arguments);
  call->binders = file.copy<Binder>(binders);
  SmallVector<Expr *> children = {callee};
  for (const Argument &argument : arguments)
    children.push_back(argument.value);
  for (const Binder &binder : binders)
    children.push_back(binder.bound);
  return finish(call, children);
}

bool Parser::parseArguments(SmallVectorImpl<Argument> &arguments, SmallVectorImpl<Binder> &binders,
                            bool allowBinders) {
  while (!is(Tok::RParen)) {
    Argument argument;
    SMLoc begin = token().begin();
    if (is(Tok::Name) && peek().kind == Tok::Assign) {
      argument.name = {token().text, token().range()};
      advance();
      advance();
    }
    argument.value = parseExpr();
    if (!argument.value)
      return false;
    argument.range = from(begin);
    if (argument.name.name.empty() && !arguments.empty() && !arguments.back().name.name.empty()) {
      error(argument.range, "an argument without a name follows one with a name")
          .note(arguments.back().range, "the argument with a name is here");
      return false;
    }
    auto *first = llvm::find_if(arguments, [&](const Argument &other) {
      return !argument.name.name.empty() && other.name.name == argument.name.name;
    });
    if (first == arguments.end()) {
      arguments.push_back(argument);
    } else {
      error(argument.name.range, "'" + argument.name.name + "' is given twice")
          .note(first->range, "it is first given here");
      first->value = file.make<WrongExpr>(first->value->range); // which one is meant?
    }
    if (allowBinders && consumeIf(Tok::KwFor))
      return parseBinders(binders);
    if (!consumeIf(Tok::Comma))
      break;
  }
  return true;
}

bool Parser::parseBinders(SmallVectorImpl<Binder> &binders) {
  do {
    Binder binder;
    if (!expectName(binder.name, "the name of an index") ||
        !expect(Tok::Less, " and a bound after the name of an index") ||
        !(binder.bound = parseBinary(rangePrecedence)))
      return false;
    binders.push_back(binder);
  } while (consumeIf(Tok::Comma));
  return true;
}

Expr *Parser::parseIndex(Expr *base) {
  Token opening = token();
  advance();
  Brackets brackets(*this, 1);
  SmallVector<Expr *> indices;
  do {
    bool fromStart = is(Tok::DotDot) || is(Tok::DotDotEqual);
    indices.push_back(fromStart ? parseRange(nullptr, token().begin()) : parseExpr());
    if (!indices.back())
      return nullptr;
  } while (consumeIf(Tok::Comma) && !is(Tok::RBracket));
  if (!expectClosing(Tok::RBracket, opening))
    return nullptr;
  auto *index = file.make<IndexExpr>(from(base->range.Start));
  index->base = base;
  index->indices = file.copy<Expr *>(indices);
  indices.push_back(base);
  return finish(index, indices);
}
