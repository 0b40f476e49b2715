// What the host of a test looks at: the values that `print` and `expect` take, and `expect error`.
#include "compiler/frontend/ElaborateImpl.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace cnn;
using namespace cnn::ast;
using llvm::ArrayRef;
using llvm::cast;
using llvm::dyn_cast;
using llvm::isa;
using llvm::SMRange;
using llvm::StringRef;
using llvm::Twine;
using mlir::cnn::formatShape;
using Kind = TestInstruction::Kind;
using Relation = TestInstruction::Relation;

//===----------------------------------------------------------------------===//
// What the host looks at
//===----------------------------------------------------------------------===//

/// Whether an expression is true or false when the test runs.
bool Elaborator::isTruth(const HostExpr &expr) {
  switch (expr.kind) {
  case HostExpr::Kind::Constant:
    return expr.constant.is(Value::Kind::Bool);
  case HostExpr::Kind::Tensor:
    return false;
  case HostExpr::Kind::Unary:
    return expr.unary == UnaryOp::Not;
  case HostExpr::Kind::Binary:
    return expr.binary >= BinaryOp::Equal;
  }
  return false;
}

/// Whether an expression consists of numbers, counters of loops and operators alone.
bool Elaborator::isCounting(const Expr *expr, Scope *scope) {
  if (auto *name = dyn_cast<NameExpr>(expr)) {
    Scope::Binding *binding = lookup(name->name, scope);
    return binding && binding->ready && binding->value.is(Value::Kind::Tensor) &&
           test->counters.contains(binding->value.integer);
  }
  if (auto *unary = dyn_cast<UnaryExpr>(expr))
    return isCounting(unary->operand, scope);
  auto *binary = dyn_cast<BinaryExpr>(expr);
  if (!binary)
    return false;
  auto isNumber = [&](const Expr *side) {
    if (isa<IntExpr, FloatExpr, BoolExpr>(side))
      return true;
    auto *name = dyn_cast<NameExpr>(side);
    Scope::Binding *binding = name ? lookup(name->name, scope) : nullptr;
    return binding && binding->ready && binding->value.isNumber();
  };
  bool lhs = isCounting(binary->lhs, scope), rhs = isCounting(binary->rhs, scope);
  return (lhs || isNumber(binary->lhs)) && (rhs || isNumber(binary->rhs)) && (lhs || rhs);
}

bool Elaborator::toHost(const Expr *expr, Scope *scope, HostExpr &host) {
  host.range = expr->range;
  auto addOperand = [&](const Expr *operand) {
    host.operands.emplace_back();
    return toHost(operand, scope, host.operands.back());
  };
  auto isNumber = [&](const HostExpr &operand) {
    if (operand.kind == HostExpr::Kind::Constant
            ? operand.constant.isNumber() || operand.constant.is(Value::Kind::Bool)
            : operand.kind != HostExpr::Kind::Tensor ||
                  graph->tensors[operand.tensor].shape.empty())
      return true;
    error(operand.range, operand.kind == HostExpr::Kind::Tensor
                             ? "a single number is expected here, not a tensor of " +
                                   formatShape(graph->tensors[operand.tensor].shape)
                             : "a number is expected here, not " + describe(operand.constant))
        .hint("'expect' compares tensors as a whole");
    return false;
  };
  if (auto *binary = dyn_cast<BinaryExpr>(expr);
      binary && (binary->op >= BinaryOp::Equal || isCounting(expr, scope))) {
    if (!addOperand(binary->lhs) || !addOperand(binary->rhs))
      return false;
    if (llvm::all_of(host.operands, [](const HostExpr &operand) {
          return operand.kind == HostExpr::Kind::Constant;
        })) {
      host.operands.clear();
      host.constant = evaluate(expr, scope);
      return !host.constant.isPoison();
    }
    host.kind = HostExpr::Kind::Binary;
    host.binary = binary->op;
    return isNumber(host.operands[0]) && isNumber(host.operands[1]);
  }
  if (auto *unary = dyn_cast<UnaryExpr>(expr);
      unary && (unary->op == UnaryOp::Not || isCounting(expr, scope))) {
    if (!addOperand(unary->operand))
      return false;
    if (host.operands[0].kind == HostExpr::Kind::Constant) {
      host.operands.clear();
      host.constant = evaluate(expr, scope);
      return !host.constant.isPoison();
    }
    host.kind = HostExpr::Kind::Unary;
    host.unary = unary->op;
    return isNumber(host.operands[0]);
  }
  Value value = evaluate(expr, scope);
  if (value.is(Value::Kind::List) && holdsTensor(value))
    value = toTensor(value, expr->range);
  if (value.isPoison())
    return false;
  if (value.is(Value::Kind::Tensor)) {
    value = toComputed(value, expr->range);
    host.kind = HostExpr::Kind::Tensor;
    host.tensor = value.integer;
    host.counter = test->counters.contains(host.tensor);
    return true;
  }
  if (value.is(Value::Kind::Stage) || value.is(Value::Kind::Layer)) {
    error(expr->range, "a value is expected here, not a layer")
        .hint("a layer gives a tensor when it is applied to one: x -> ...");
    return false;
  }
  if (value.is(Value::Kind::Tuple) && holdsTensor(value)) {
    error(expr->range, "a tuple of tensors cannot be printed or compared")
        .hint("take them one by one");
    return false;
  }
  host.constant = value;
  return true;
}

//===----------------------------------------------------------------------===//
// print, expect
//===----------------------------------------------------------------------===//

/// Whether `format` is `[width][.digits][f|e|g|d]`.
static bool isFormat(StringRef format) {
  auto skipDigits = [&] {
    StringRef digits = format.take_while(llvm::isDigit);
    format = format.drop_front(digits.size());
    return digits.size() <= 2 ? digits.size() : size_t(-1);
  };
  if (skipDigits() == size_t(-1))
    return false;
  if (format.consume_front("."))
    if (size_t count = skipDigits(); count == 0 || count == size_t(-1))
      return false;
  return format.empty() || (format.size() == 1 && StringRef("fegd").contains(format.front()));
}

void Elaborator::executePrint(const PrintStmt &print, Scope &scope) {
  std::vector<PrintPiece> pieces;
  auto addValue = [&](const Expr *expr, StringRef format) {
    HostExpr value;
    if (!isFormat(format)) {
      error(expr->range, "unknown format ':" + format + "'")
          .hint("formats are such as :.3f, :.2e, :4d");
      return false;
    }
    if (!toHost(expr, &scope, value))
      return false;
    pieces.push_back({"", std::move(value), format.str()});
    return true;
  };
  if (auto *text = dyn_cast<StringExpr>(print.value)) {
    for (const StringPiece &piece : text->pieces)
      if (!piece.expr)
        pieces.push_back({piece.text.str(), std::nullopt, ""});
      else if (!addValue(piece.expr, piece.format))
        return;
  } else if (!addValue(print.value, "")) {
    return;
  }
  addInstruction(Kind::Print, print.range).pieces = std::move(pieces);
}

void Elaborator::executeExpect(const ExpectStmt &expect, Scope &scope) {
  if (expect.errorText)
    return executeExpectError(expect, scope);
  TestInstruction instruction;
  instruction.kind = Kind::Expect;
  instruction.range = expect.actual->range;
  auto addOperand = [&](const Expr *expr) {
    instruction.operands.emplace_back();
    return toHost(expr, &scope, instruction.operands.back());
  };
  auto *binary = dyn_cast<BinaryExpr>(expect.actual);
  if (expect.expected) {
    instruction.relation = Relation::Near;
    bool valid = addOperand(expect.actual);
    valid = addOperand(expect.expected) && valid;
    Value tolerance = evaluate(expect.tolerance, &scope);
    if (!valid || tolerance.isPoison())
      return;
    if (!tolerance.isNumber() || tolerance.asDouble() < 0) {
      error(expect.tolerance->range,
            "a tolerance is a number of at least 0, not " + describe(tolerance));
      return;
    }
    instruction.tolerance = tolerance.asDouble();
    instruction.range.End = expect.expected->range.End;
  } else if (binary && binary->op >= BinaryOp::Equal && binary->op <= BinaryOp::GreaterEqual) {
    instruction.relation = static_cast<Relation>(unsigned(binary->op) - unsigned(BinaryOp::Equal));
    bool valid = addOperand(binary->lhs);
    if (!addOperand(binary->rhs) || !valid)
      return;
  } else {
    if (!addOperand(expect.actual))
      return;
    if (!isTruth(instruction.operands[0])) {
      error(expect.actual->range, "'expect' takes a comparison, or what is true or false")
          .hint("write expect a == b, or expect a ~= b within 1e-4");
      return;
    }
    instruction.relation = Relation::True;
  }
  test->code->push_back(std::move(instruction));
}

/// Elaborates what must fail, and takes everything back that it left behind.
void Elaborator::executeExpectError(const ExpectStmt &expect, Scope &scope) {
  if (test->expectsError) {
    error(expect.errorText->range, "'expect error' cannot stand inside of another one");
    return;
  }
  Value text = evaluate(expect.errorText, &scope);
  if (text.isPoison())
    return;
  std::vector<Diagnostic> errors;
  {
    Graph saved = *graph;
    std::deque<SharedLayer> layers = sharedLayers;
    tagNodes(graph->nodes.size());
    std::vector<unsigned> pieceOfNode = test->program->pieceOfNode;
    unsigned piece = test->piece, numPieces = test->program->numPieces;
    std::vector<TestInstruction> ignored;
    llvm::SaveAndRestore<std::vector<TestInstruction> *> code(test->code, &ignored);
    llvm::SaveAndRestore<bool> expecting(test->expectsError, true);
    llvm::SaveAndRestore ofLists(tensorsOfLists);
    diagnostics.capture(&errors);
    {
      InPath inner(*this, path->prefix);
      executeTest(*expect.body, makeScope(&scope));
    }
    diagnostics.capture(nullptr);
    *graph = std::move(saved);
    tensorConstants.clear();
    sharedLayers.resize(layers.size());
    for (auto [shared, before] : llvm::zip(sharedLayers, layers))
      shared = before;
    layersInUse.clear();
    test->program->pieceOfNode = std::move(pieceOfNode);
    test->program->numPieces = numPieces;
    test->piece = piece;
    label.reset();
    aborted = false;
  }
  if (llvm::any_of(errors, [&](const Diagnostic &error) {
        return StringRef(error.message).contains(text.text);
      }))
    return;
  TestInstruction &fail = addInstruction(Kind::Fail, expect.errorText->range);
  fail.message = errors.empty() ? "an error is expected, and there is none"
                                : "the error is not the expected one: " + errors[0].message;
}
