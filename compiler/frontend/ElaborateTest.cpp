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
  tensorConstants.clear();
  tensorsOfLists.clear();
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
    size_t before = graph->tensors.size();
    Value value = evaluate(var->value, &scope);
    value = value.is(Value::Kind::List) ? convertToTensor(value, var->value->range)
                                        : toTensor(value, var->value->range);
    // A variable is a tensor of its own for `grad`, whatever else has the same value: by way of
    // another shape, since a reshape that changes nothing is no operation.
    if (value.is(Value::Kind::Tensor) &&
        (static_cast<size_t>(value.integer) < before || graph->tensors[value.integer].param >= 0)) {
      GraphTensor copy = graph->tensors[value.integer], other = copy;
      copy.param = other.param = -1;
      other.shape.push_back(1);
      value = regroup(value, std::move(other), var->value->range);
      value = regroup(value, std::move(copy), var->value->range);
    }
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
  value = toComputed(value, assign.value->range);
  if (value.isPoison())
    return;
  const GraphTensor &now = graph->tensors[binding->value.integer];
  const GraphTensor &next = graph->tensors[value.integer];
  if (now.shape != next.shape) {
    auto shapeText = [](const GraphTensor &tensor) {
      return tensor.shape.empty() ? "a single number" : "a tensor of " + formatShape(tensor.shape);
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

/// The loop over a range whose ends count the rounds of a loop around it.
std::optional<TestInstruction> Elaborator::toRunningRange(const RangeExpr &range, Scope &scope) {
  TestInstruction loop;
  loop.kind = Kind::Loop;
  loop.inclusive = range.inclusive;
  for (const Expr *end : {range.begin, range.end}) {
    HostExpr &number = loop.operands.emplace_back();
    if (!toHost(end, &scope, number))
      return std::nullopt;
    bool isTensor = number.kind == HostExpr::Kind::Tensor;
    if (isTensor                                  ? graph->tensors[number.tensor].shape.empty()
        : number.kind == HostExpr::Kind::Constant ? number.constant.is(Value::Kind::Int)
                                                  : !isTruth(number))
      continue;
    error(end->range,
          "the ends of a range are integers, not " +
              (isTensor ? "a tensor of " + formatShape(graph->tensors[number.tensor].shape)
               : number.kind == HostExpr::Kind::Constant ? describe(number.constant)
                                                         : "true or false"));
    return std::nullopt;
  }
  if (!range.step)
    return loop;
  Value step = evaluate(range.step, &scope);
  if (step.isPoison())
    return std::nullopt;
  if (!step.is(Value::Kind::Int) || step.integer == 0) {
    error(range.step->range,
          "the step of a range is an integer other than 0, not " + describe(step));
    return std::nullopt;
  }
  loop.step = step.integer;
  return loop;
}

void Elaborator::executeFor(const ForExpr &loop, Scope &scope) {
  llvm::SmallVector<Scope::Binding *> changed;
  findChanged(*loop.body, &scope, changed);
  if (auto *range = dyn_cast<RangeExpr>(loop.iterable);
      range && range->begin && range->end &&
      (isCounting(range->begin, &scope) || isCounting(range->end, &scope))) {
    if (std::optional<TestInstruction> instruction = toRunningRange(*range, scope))
      executeLoop(loop, std::move(*instruction), changed, scope);
    return;
  }
  Value list = evaluate(loop.iterable, &scope);
  if (list.isPoison())
    return;
  if (list.kind < Value::Kind::List || list.kind > Value::Kind::Range) {
    error(loop.iterable->range, "'for' goes over a list or a range, not " + describe(list))
        .hint(list.is(Value::Kind::Int) ? "write 0.." + format(list) : "");
    return;
  }
  if (list.is(Value::Kind::Range) && !changed.empty()) {
    TestInstruction instruction;
    instruction.kind = Kind::Loop;
    instruction.begin = list.integer;
    instruction.step = list.step;
    instruction.rounds = list.size();
    return executeLoop(loop, std::move(instruction), changed, scope);
  }
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

/// A loop that changes variables, or whose ends run: its body is a piece of its own, run again and
/// again. `instruction` says over which numbers it goes.
void Elaborator::executeLoop(const ForExpr &loop, TestInstruction instruction,
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
  instruction.range = loop.range;
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
