// `test` declarations -> TestProgram.h. Tensors go to one graph; what the host does in between
// (print, expect, loops that change a `var`) becomes its program. A piece ends where a loop begins
// or ends, since its tensors are computed together, before anything of the host that follows.
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
// The whole test
//===----------------------------------------------------------------------===//

std::unique_ptr<TestProgram> Elaborator::elaborateTest(const TestDecl &decl) {
  unsigned before = diagnostics.errorCount();
  begin("test", decl.title->range);
  auto program = std::make_unique<TestProgram>();
  TestState state;
  state.program = program.get();
  state.code = &program->code;
  llvm::SaveAndRestore<TestState *> inTest(test, &state);

  program->range = decl.title->range;
  Value title = evaluate(decl.title, &globalScope);
  program->title = title.text;
  Scope &scope = makeScope(&globalScope);
  {
    InPath root(*this, "");
    startPiece(decl.range);
    executeTest(*decl.body, scope);
  }
  program->graph = std::move(*graph);
  graph.reset();
  tagNodes(program->graph.nodes.size());
  if (diagnostics.errorCount() != before)
    return nullptr;
  return program;
}

/// Nodes that were added since the last call belong to the current piece.
void Elaborator::tagNodes(size_t count) { test->program->pieceOfNode.resize(count, test->piece); }

/// From here on, tensors belong to a piece that runs here.
void Elaborator::startPiece(SMRange range) {
  tagNodes(graph->nodes.size());
  test->piece = test->program->numPieces++;
  TestInstruction &run = addInstruction(Kind::Run, range);
  run.piece = test->piece;
}

TestInstruction &Elaborator::addInstruction(Kind kind, SMRange range) {
  test->code->emplace_back();
  test->code->back().kind = kind;
  test->code->back().range = range;
  return test->code->back();
}

void Elaborator::executeTest(const Body &body, Scope &scope) {
  Step step(*this, body.range);
  if (!step)
    return;
  declareNames(body, scope);
  for (const Stmt *stmt : body.statements) {
    if (aborted || diagnostics.full())
      return;
    executeTestStatement(stmt, scope);
  }
}

void Elaborator::executeTestStatement(const Stmt *stmt, Scope &scope) {
  switch (stmt->kind) {
  case Stmt::Kind::Expr: {
    const Expr *expr = cast<ExprStmt>(stmt)->expr;
    if (auto *loop = dyn_cast<ForExpr>(expr))
      return executeFor(*loop, scope);
    if (auto *branch = dyn_cast<IfExpr>(expr))
      return executeIf(*branch, scope);
    Value value = evaluate(expr, &scope);
    if (!value.isPoison() && !test->expectsError)
      error(expr->range, "the value of this line is not used")
          .hint("give it a name, as in y = ..., or print or expect something of it");
    return;
  }
  case Stmt::Kind::Assign:
    return executeAssign(*cast<AssignStmt>(stmt), scope);
  case Stmt::Kind::Var: {
    auto *var = cast<VarStmt>(stmt);
    Value value = toTensor(evaluate(var->value, &scope), var->value->range);
    if (!define(scope, var->name.name, var->name.range, value) || value.isPoison())
      return;
    Scope::Binding *binding = &scope.names[var->name.name];
    test->variables[binding] = {var->name.name, var->name.range, -1};
    return;
  }
  case Stmt::Kind::Print:
    return executePrint(*cast<PrintStmt>(stmt), scope);
  case Stmt::Kind::Expect:
    return executeExpect(*cast<ExpectStmt>(stmt), scope);
  case Stmt::Kind::Layer:
    execute(stmt, scope);
    return;
  case Stmt::Kind::Param:
    error(stmt->range, "'param' belongs in a net or block, not in a test")
        .hint("write var " + cast<ParamStmt>(stmt)->name.name + " = ...");
    return;
  }
}

//===----------------------------------------------------------------------===//
// Variables
//===----------------------------------------------------------------------===//

TestState::Variable *Elaborator::findVariable(StringRef name, Scope *scope,
                                              Scope::Binding **binding) {
  Scope::Binding *found = lookup(name, scope);
  auto variable = test->variables.find(found);
  if (!found || variable == test->variables.end())
    return nullptr;
  if (binding)
    *binding = found;
  return &variable->second;
}

void Elaborator::executeAssign(const AssignStmt &assign, Scope &scope) {
  Scope::Binding *binding = nullptr;
  TestState::Variable *variable =
      assign.pattern->name.empty() ? nullptr : findVariable(assign.pattern->name, &scope, &binding);
  if (!variable) {
    Scope::Binding *other =
        assign.pattern->name.empty() ? nullptr : lookup(assign.pattern->name, &scope);
    if (other && other->ready && other->value.isPoison())
      return; // the declaration was wrong already
    if (assign.update) {
      error(assign.pattern->range, "'" + spelling(assign.op) + "=' changes a variable, and '" +
                                       assign.pattern->name + "' is none")
          .hint("declare it with var " + assign.pattern->name + " = ...");
      return;
    }
    Value value = evaluate(assign.value, &scope);
    bindPattern(*assign.pattern, value, scope);
    return;
  }
  const Expr *expr = assign.value;
  if (assign.update) {
    auto &lhs = test->names.emplace_back(assign.pattern->range);
    lhs.name = assign.pattern->name;
    auto &sum = test->sums.emplace_back(assign.range);
    sum.op = assign.op;
    sum.opRange = assign.pattern->range;
    sum.lhs = &lhs;
    sum.rhs = assign.value;
    expr = &sum;
  }
  Value value = toTensor(evaluate(expr, &scope), assign.value->range);
  if (value.isPoison())
    return;
  const GraphTensor &now = graph->tensors[binding->value.integer];
  const GraphTensor &next = graph->tensors[value.integer];
  if (now.shape != next.shape) {
    auto shapeText = [](const GraphTensor &tensor) {
      return tensor.shape.empty() ? "a single number" : formatShape(tensor.shape);
    };
    error(assign.range, "variable '" + variable->name + "' is " + shapeText(now) +
                            "; its new value is " + shapeText(next))
        .note(variable->range, "'" + variable->name + "' is declared here");
    return;
  }
  binding->value = value;
}

/// The variables that the statements of `body` change, of those that are declared outside of it.
void Elaborator::findChanged(const Body &body, Scope *scope,
                             llvm::SmallVectorImpl<Scope::Binding *> &changed) {
  for (const Stmt *stmt : body.statements) {
    if (auto *assign = dyn_cast<AssignStmt>(stmt); assign && !assign->pattern->name.empty()) {
      Scope::Binding *binding = nullptr;
      if (findVariable(assign->pattern->name, scope, &binding) &&
          !llvm::is_contained(changed, binding))
        changed.push_back(binding);
      continue;
    }
    auto *line = dyn_cast<ExprStmt>(stmt);
    if (!line)
      continue;
    if (auto *loop = dyn_cast<ForExpr>(line->expr))
      findChanged(*loop->body, scope, changed);
    if (auto *branch = dyn_cast<IfExpr>(line->expr)) {
      findChanged(*branch->thenBody, scope, changed);
      if (branch->elseBody)
        findChanged(*branch->elseBody, scope, changed);
    }
  }
}

/// Stores the values of variables where a loop or branch finds them. The copies are one
/// instruction, since one variable's new value may be another's old one.
void Elaborator::storeVariables(ArrayRef<Scope::Binding *> bindings, SMRange range) {
  std::vector<std::pair<unsigned, unsigned>> copies;
  for (Scope::Binding *binding : bindings) {
    TestState::Variable &variable = test->variables.find(binding)->second;
    if (variable.slot < 0) {
      GraphTensor tensor = graph->tensors[binding->value.integer];
      variable.slot =
          addInput(tensor.shape, /*batched=*/false, tensor.integer, variable.name, variable.range);
    }
    if (binding->value.integer != variable.slot)
      copies.push_back({binding->value.integer, variable.slot});
  }
  if (!copies.empty())
    addInstruction(Kind::Copy, range).copies = std::move(copies);
}

/// From here on, the variables have the values that were stored.
void Elaborator::loadVariables(ArrayRef<Scope::Binding *> bindings) {
  for (Scope::Binding *binding : bindings) {
    TestState::Variable &variable = test->variables.find(binding)->second;
    binding->value = Value::makeTensor(variable.slot, variable.range);
  }
}

//===----------------------------------------------------------------------===//
// Loops and branches
//===----------------------------------------------------------------------===//

void Elaborator::executeFor(const ForExpr &loop, Scope &scope) {
  Value list = evaluate(loop.iterable, &scope);
  if (list.isPoison())
    return;
  if (list.kind < Value::Kind::List || list.kind > Value::Kind::Range) {
    error(loop.iterable->range, "'for' goes over a list or a range, not " + describe(list))
        .hint(list.is(Value::Kind::Int) ? "write 0.." + format(list) : "");
    return;
  }
  llvm::SmallVector<Scope::Binding *> changed;
  findChanged(*loop.body, &scope, changed);
  if (list.is(Value::Kind::Range) && !changed.empty())
    return executeLoop(loop, list, changed, scope);
  for (int64_t i = 0; i < list.size() && !aborted && !diagnostics.full(); ++i) {
    Value element = list.element(i);
    Scope &inner = makeScope(&scope);
    if ((!loop.index.name.empty() &&
         !define(inner, loop.index.name, loop.index.range, Value::makeInt(i, loop.index.range))) ||
        !bindPattern(*loop.pattern, element, inner))
      return;
    Use use(*this, loop.range,
            "in round " + std::to_string(i + 1) + " of this 'for', with " + format(element));
    unsigned before = diagnostics.errorCount();
    executeTest(*loop.body, inner);
    if (diagnostics.errorCount() != before)
      return; // the other rounds would say it again
  }
}

/// A loop that changes variables: its body is a piece of its own, run again and again.
void Elaborator::executeLoop(const ForExpr &loop, const Value &range,
                             ArrayRef<Scope::Binding *> changed, Scope &scope) {
  if (loop.pattern->name.empty()) {
    error(loop.pattern->range, "an integer cannot be taken apart into names");
    return;
  }
  storeVariables(changed, loop.range);
  loadVariables(changed);
  auto addCounter = [&](StringRef name, SMRange place) {
    unsigned tensor = addInput({}, /*batched=*/false, /*integer=*/false, name, place);
    test->counters.insert(tensor);
    return tensor;
  };
  Scope &inner = makeScope(&scope);
  TestInstruction instruction;
  instruction.kind = Kind::Loop;
  instruction.range = loop.range;
  instruction.begin = range.integer;
  instruction.end = range.end;
  instruction.counter = addCounter(loop.pattern->name, loop.pattern->range);
  bool valid = define(inner, loop.pattern->name, loop.pattern->range,
                      Value::makeTensor(instruction.counter, loop.pattern->range));
  if (!loop.index.name.empty()) {
    instruction.position = addCounter(loop.index.name, loop.index.range);
    valid &= define(inner, loop.index.name, loop.index.range,
                    Value::makeTensor(instruction.position, loop.index.range));
  }
  if (!valid)
    return;
  {
    llvm::SaveAndRestore<std::vector<TestInstruction> *> code(test->code, &instruction.body);
    startPiece(loop.range);
    executeTest(*loop.body, inner);
    storeVariables(changed, loop.range);
  }
  loadVariables(changed);
  test->code->push_back(std::move(instruction));
  startPiece(loop.range);
}

void Elaborator::executeIf(const IfExpr &branch, Scope &scope) {
  HostExpr condition;
  if (!toHost(branch.condition, &scope, condition))
    return;
  if (condition.kind == HostExpr::Kind::Constant) {
    if (!condition.constant.is(Value::Kind::Bool)) {
      error(branch.condition->range,
            "a condition is true or false, not " + describe(condition.constant));
      return;
    }
    if (const Body *body = condition.constant.integer ? branch.thenBody : branch.elseBody)
      executeTest(*body, makeScope(&scope));
    return;
  }
  if (!isTruth(condition)) {
    error(branch.condition->range, "a condition is true or false, not a tensor")
        .hint("compare it, as in ... > 0");
    return;
  }
  llvm::SmallVector<Scope::Binding *> changed;
  findChanged(*branch.thenBody, &scope, changed);
  if (branch.elseBody)
    findChanged(*branch.elseBody, &scope, changed);
  storeVariables(changed, branch.range);
  TestInstruction instruction;
  instruction.kind = Kind::If;
  instruction.range = branch.range;
  instruction.operands.push_back(std::move(condition));
  unsigned piece = test->piece;
  auto executeBranch = [&](const Body *body, std::vector<TestInstruction> &instructions) {
    if (!body)
      return;
    std::vector<Value> before;
    for (Scope::Binding *binding : changed)
      before.push_back(binding->value);
    llvm::SaveAndRestore<std::vector<TestInstruction> *> code(test->code, &instructions);
    executeTest(*body, makeScope(&scope));
    storeVariables(changed, branch.range);
    for (auto [binding, value] : llvm::zip(changed, before))
      binding->value = value;
  };
  executeBranch(branch.thenBody, instruction.body);
  executeBranch(branch.elseBody, instruction.elseBody);
  loadVariables(changed);
  test->code->push_back(std::move(instruction));
  // What was computed so far does not know the stored values, nor may it lie inside of a branch.
  if (!changed.empty() || test->piece != piece)
    startPiece(branch.range);
}

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
  if (value.isPoison())
    return false;
  if (value.is(Value::Kind::Tensor)) {
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
  if (value.is(Value::Kind::Tuple) || value.is(Value::Kind::List))
    for (const Value &element : *value.elements)
      if (element.is(Value::Kind::Tensor)) {
        error(expr->range, "a list of tensors cannot be printed or compared")
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
    tagNodes(graph->nodes.size());
    std::vector<unsigned> pieceOfNode = test->program->pieceOfNode;
    unsigned piece = test->piece, numPieces = test->program->numPieces;
    std::vector<TestInstruction> ignored;
    llvm::SaveAndRestore<std::vector<TestInstruction> *> code(test->code, &ignored);
    llvm::SaveAndRestore<bool> expecting(test->expectsError, true);
    diagnostics.capture(&errors);
    {
      InPath inner(*this, path->prefix);
      executeTest(*expect.body, makeScope(&scope));
    }
    diagnostics.capture(nullptr);
    *graph = std::move(saved);
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

//===----------------------------------------------------------------------===//
// Gradients
//===----------------------------------------------------------------------===//

/// grad(loss, k): a node whose operands are the two tensors.
Value Elaborator::evaluateGradient(const CallExpr &expr, ArrayRef<Value> values) {
  if (!test) {
    error(expr.range, "'grad' belongs in a test, not in a net or block")
        .hint("a net is trained by a recipe: train NAME = NET { ... }");
    return Value();
  }
  if (values.size() != 2 || !values[0].is(Value::Kind::Tensor) ||
      !values[1].is(Value::Kind::Tensor)) {
    error(expr.range, "'grad' takes a loss and a tensor that it depends on, as in grad(loss, k)");
    return Value();
  }
  unsigned loss = values[0].integer, source = values[1].integer;
  SMRange lossRange = expr.arguments[0].range;
  if (countElements(graph->tensors[loss].shape) != 1) {
    error(lossRange, "the gradient is that of a single number, not of a tensor of " +
                         formatShape(graph->tensors[loss].shape))
        .hint("sum(...) makes one of it");
    return Value();
  }
  // Nodes that depend on the source, and of those, the ones that the loss depends on.
  tagNodes(graph->nodes.size());
  llvm::DenseSet<unsigned> dependent = {source}, wanted = {loss};
  for (const GraphNode &node : graph->nodes)
    if (llvm::any_of(node.operands,
                     [&](unsigned operand) { return dependent.contains(operand); }) ||
        llvm::any_of(node.given, [&](auto &given) { return dependent.contains(given.second); }))
      dependent.insert(node.result);
  if (!dependent.contains(loss)) {
    error(lossRange, "the loss does not depend on the tensor that it is differentiated by")
        .note(expr.arguments[1].range, "this tensor");
    return Value();
  }
  for (unsigned i = graph->nodes.size(); i-- > 0;) {
    const GraphNode &node = graph->nodes[i];
    if (!wanted.contains(node.result))
      continue;
    wanted.insert(node.operands.begin(), node.operands.end());
    for (auto [place, tensor] : node.given)
      wanted.insert(tensor);
    if (!dependent.contains(node.result) || node.result == source ||
        test->program->pieceOfNode[i] == test->piece)
      continue;
    error(expr.range, "this gradient reaches back to before a loop or 'if' that changes variables")
        .note(node.range, "this is computed before it")
        .hint("compute the loss beside its gradient");
    return Value();
  }
  std::optional<std::string> name = takeName("grad", expr.range);
  if (!name)
    return Value();
  GraphNode node;
  node.gradient = true;
  node.path = *name;
  node.operands = {loss, source};
  node.range = expr.range;
  node.use = currentUse;
  node.result = graph->tensors.size();
  GraphTensor result;
  result.shape = graph->tensors[source].shape;
  result.node = graph->nodes.size();
  result.name = *name;
  result.range = expr.range;
  result.batched = false;
  graph->tensors.push_back(std::move(result));
  graph->nodes.push_back(std::move(node));
  return Value::makeTensor(graph->nodes.back().result, expr.range);
}
