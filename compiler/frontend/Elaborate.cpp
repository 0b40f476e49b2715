// Declarations, bodies and names. A net is elaborated by binding its parameters and inputs in a new
// scope and walking its body; blocks, and nets used inside another, work the same way.
#include "compiler/frontend/Elaborate.h"

#include "compiler/frontend/ElaborateImpl.h"
#include "dialect/Optimizer.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace cnn;
using namespace cnn::ast;
using llvm::ArrayRef;
using llvm::cast;
using llvm::dyn_cast;
using llvm::isa;
using llvm::SMRange;
using llvm::StringRef;
using llvm::Twine;
using mlir::cnn::findLayer;
using mlir::cnn::formatShape;
using mlir::cnn::LayerDef;

namespace {

// Bounds that no real net meets; they end a block that uses itself forever and `repeat 10^12`.
constexpr unsigned maxDepth = 1000;
constexpr uint64_t maxSteps = 2'000'000;

} // namespace

Elaborator::Elaborator(const File &file, ArrayRef<SetArgument> sets, Diagnostics &diagnostics)
    : file(file), sets(sets), diagnostics(diagnostics) {
  addModule(file);
}

void Elaborator::addModule(const File &added) {
  for (const Module &module : modules)
    if (module.file == &added)
      return;
  llvm::SmallPtrSet<const File *, 4> visible = {&added};
  for (const File *import : added.imports) {
    addModule(*import);
    for (const Module &module : modules)
      if (module.file == import)
        visible.insert(module.visible.begin(), module.visible.end());
  }
  modules.push_back({&added, visible});
  for (const Decl *decl : added.declarations) {
    if (isa<TestDecl, TrainDecl, ImportDecl>(decl))
      continue;
    auto [entry, inserted] = globals.try_emplace(decl->name.name, decl);
    if (!inserted || decl->broken)
      unsure.insert(decl->name.name);
    if (!inserted)
      diagnostics.error(decl->name.range, "'" + decl->name.name + "' is declared twice")
          .note(entry->second->name.range, "it is first declared here");
  }
}

const Elaborator::Module *Elaborator::moduleOf(const char *place) const {
  for (const Module &module : modules)
    if (module.file->range.Start.getPointer() <= place &&
        place <= module.file->range.End.getPointer())
      return &module;
  return nullptr;
}

bool Elaborator::isVisible(const Decl &decl, const char *place) const {
  if (modules.size() == 1)
    return true;
  const Module *user = moduleOf(place);
  const Module *owner = moduleOf(decl.name.name.data());
  return !user || !owner || user->visible.contains(owner->file);
}

const Decl *Elaborator::findGlobal(StringRef name) const {
  const Decl *decl = globals.lookup(name);
  return decl && isVisible(*decl, name.data()) ? decl : nullptr;
}

Elaborator::Step::Step(Elaborator &self, SMRange range) : self(self) {
  bool deep = ++self.depth > maxDepth, long_ = ++self.steps > maxSteps;
  if (self.aborted || (!deep && !long_))
    return;
  self.aborted = true;
  // The whole chain of uses would be as long as the nesting is deep.
  if (deep)
    self.reportEndless(range);
  else
    self.diagnostics.error(range,
                           "this net takes more than " + Twine(maxSteps) + " steps to expand");
}

Elaborator::Use::Use(Elaborator &self, SMRange range, std::string what)
    : self(self), saved(self.currentUse) {
  self.graph->uses.push_back({range, std::move(what), saved});
  self.currentUse = self.graph->uses.size() - 1;
}

Scope &Elaborator::makeScope(Scope *parent) {
  scopes.emplace_back();
  scopes.back().parent = parent;
  return scopes.back();
}

//===----------------------------------------------------------------------===//
// Constants and names
//===----------------------------------------------------------------------===//

void Elaborator::checkConstants() {
  // Constants may be tensors: they are made in a graph that is thrown away.
  begin("constants", file.range);
  {
    InPath root(*this, "");
    for (const Decl *decl : file.declarations)
      if (auto *constant = dyn_cast<ConstDecl>(decl); constant && !diagnostics.full())
        evaluateConst(*constant, decl->name.range);
  }
  graph.reset();
}

Value Elaborator::evaluateConst(const ConstDecl &decl, SMRange use) {
  if (unsure.contains(decl.name.name))
    return Value();
  Constant &constant = constants[decl.name.name];
  if (constant.state == State::Done && !constant.isTensor)
    return constant.value;
  if (auto found = tensorConstants.find(decl.name.name); found != tensorConstants.end())
    return found->second;
  if (constant.state == State::Running) {
    auto report = error(decl.name.range, "cyclic definition of '" + decl.name.name + "'");
    size_t first = 0;
    while (running[first].first != &decl)
      ++first;
    for (size_t i = first; i < running.size(); ++i) {
      bool last = i + 1 == running.size();
      StringRef next = last ? decl.name.name : running[i + 1].first->name.name;
      report.note(last ? use : running[i + 1].second,
                  "'" + running[i].first->name.name + "' uses '" + next + "' here");
    }
    return Value();
  }
  constant.state = State::Running;
  running.push_back({&decl, use});
  std::optional<Label> own = std::move(label);
  label.reset();
  Value value;
  {
    InPath inner(*this, decl.name.name.str() + ".");
    value = evaluate(valueOf(decl), &globalScope);
  }
  label = std::move(own);
  running.pop_back();
  Constant &done = constants[decl.name.name];
  done.state = State::Done;
  done.value = value;
  // A tensor is one of this graph.
  if (holdsTensor(value)) {
    done.isTensor = true;
    tensorConstants[decl.name.name] = value;
  }
  return value;
}

/// The innermost definition that was reached; failing that, one that was not reached yet.
Scope::Binding *Elaborator::lookup(StringRef name, Scope *scope) {
  Scope::Binding *later = nullptr;
  for (; scope; scope = scope->parent) {
    auto found = scope->names.find(name);
    if (found == scope->names.end())
      continue;
    if (found->second.ready)
      return &found->second;
    later = later ? later : &found->second;
  }
  return later;
}

Value Elaborator::evaluateName(const NameExpr &name, Scope *scope) {
  if (Scope::Binding *binding = lookup(name.name, scope)) {
    if (binding->ready)
      return binding->value;
    if (name.range.Start.getPointer() >= binding->range.Start.getPointer())
      error(name.range, "cyclic definition of '" + name.name + "'")
          .note(binding->range, "'" + name.name + "' is defined here");
    else
      error(name.range, "'" + name.name + "' is used before its definition")
          .note(binding->range, "'" + name.name + "' is defined here");
    return Value();
  }
  if (const Decl *decl = findGlobal(name.name)) {
    if (auto *constant = dyn_cast<ConstDecl>(decl))
      return evaluateConst(*constant, name.range);
    return Value::makeStage(&name, scope, name.range);
  }
  if (findLayer(name.name))
    return Value::makeStage(&name, scope, name.range);
  reportUnknown(name, scope, /*asLayer=*/false);
  return Value();
}

bool Elaborator::define(Scope &scope, StringRef name, SMRange range, Value value) {
  Scope::Binding &binding = scope.names[name];
  if (binding.ready) {
    error(range, "'" + name + "' is already defined")
        .note(binding.range, "it is defined here")
        .hint("a name has one value; use another name");
    return false;
  }
  binding.value = std::move(value);
  binding.range = range;
  binding.ready = true;
  return true;
}

bool Elaborator::bindPattern(const Pattern &pattern, const Value &value, Scope &scope) {
  if (!pattern.name.empty())
    return define(scope, pattern.name, pattern.range, value);
  bool list =
      value.is(Value::Kind::List) || value.is(Value::Kind::Tuple) || value.is(Value::Kind::Range);
  if (value.isPoison() || (list && value.size() == static_cast<int64_t>(pattern.elements.size()))) {
    for (auto [i, element] : llvm::enumerate(pattern.elements))
      if (!bindPattern(*element, value.isPoison() ? Value() : value.element(i), scope))
        return false;
    return true;
  }
  auto report = error(pattern.range, "cannot take " + describe(value) + " apart into " +
                                         Twine(pattern.elements.size()) + " names");
  if (value.origin.isValid())
    report.note(value.origin, "the value comes from here");
  if (value.is(Value::Kind::Stage))
    report.hint("a layer gives tensors when it is applied to some: (a, b) -> n(k = 3), "
                "or n(k = 3)(a, b)");
  for (const Pattern *element : pattern.elements)
    bindPattern(*element, Value(), scope);
  return false;
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

static void declarePattern(const Pattern &pattern, Scope &scope) {
  if (!pattern.name.empty())
    scope.names.try_emplace(pattern.name, Scope::Binding{Value(), pattern.range, false});
  for (const Pattern *element : pattern.elements)
    declarePattern(*element, scope);
}

void Elaborator::declareNames(const Body &body, Scope &scope) {
  for (const Stmt *stmt : body.statements) {
    if (auto *assign = dyn_cast<AssignStmt>(stmt); assign && !assign->update)
      declarePattern(*assign->pattern, scope);
    else if (auto *layer = dyn_cast<LayerStmt>(stmt))
      scope.names.try_emplace(layer->name.name, Scope::Binding{Value(), layer->name.range, false});
    else if (auto *param = dyn_cast<ParamStmt>(stmt))
      scope.names.try_emplace(param->name.name, Scope::Binding{Value(), param->name.range, false});
    else if (auto *var = dyn_cast<VarStmt>(stmt))
      scope.names.try_emplace(var->name.name, Scope::Binding{Value(), var->name.range, false});
  }
}

/// Whether a statement is one that could not be parsed.
static bool isWrong(const Stmt &stmt) {
  auto *expr = dyn_cast<ExprStmt>(&stmt);
  return expr && isa<WrongExpr>(expr->expr);
}

Value Elaborator::evaluateBody(const Body &body, Scope *parent, const Twine &what) {
  Step step(*this, body.range);
  if (!step)
    return Value();
  Scope &scope = makeScope(parent);
  declareNames(body, scope);
  bool valid = true;
  const Expr *output = nullptr;
  for (const Stmt *stmt : body.statements) {
    bool last = stmt == body.statements.back();
    auto *expr = dyn_cast<ExprStmt>(stmt);
    if (expr && last) {
      output = expr->expr;
    } else if (expr && isWrong(*body.statements.back())) {
      evaluate(expr->expr, &scope); // what could not be parsed may have used it
      valid = false;
    } else if (expr) {
      error(expr->range, "the value of this line is not used")
          .hint("give it a name, as in y = ..., or join the lines with '->'");
      valid = false;
    } else {
      valid &= execute(stmt, scope);
    }
    if (aborted || diagnostics.full())
      return Value();
  }
  if (output) {
    Value value = evaluate(output, &scope);
    return valid ? value : Value();
  }
  std::string hint = "the last line of the body is its output";
  if (!body.statements.empty())
    if (auto *assign = dyn_cast<AssignStmt>(body.statements.back());
        assign && !assign->pattern->name.empty())
      hint = ("end the body with a line '" + assign->pattern->name + "', or leave out '" +
              assign->pattern->name + " ='")
                 .str();
  error({body.range.Start, llvm::SMLoc::getFromPointer(body.range.Start.getPointer() + 1)},
        what + " has no output")
      .hint(hint);
  return Value();
}

bool Elaborator::execute(const Stmt *stmt, Scope &scope) {
  if (auto *assign = dyn_cast<AssignStmt>(stmt)) {
    if (assign->update) {
      error(stmt->range, "'" + spelling(assign->op) +
                             "=' changes a variable, and only tests have "
                             "variables")
          .hint("give the new value a new name");
      return false;
    }
    Value value = evaluate(assign->value, &scope);
    return bindPattern(*assign->pattern, value, scope) && !value.isPoison();
  }
  if (auto *layer = dyn_cast<LayerStmt>(stmt)) {
    Value value;
    value.kind = Value::Kind::Layer;
    value.integer = sharedLayers.size();
    value.origin = layer->range;
    // In a loop, every round has its own.
    std::string name = layer->name.name.str();
    if (path) {
      auto taken = path->taken.find(name);
      if (taken != path->taken.end() && taken->second.Start == layer->name.range.Start) {
        unsigned number = 1;
        do
          name = (layer->name.name + Twine(++number)).str();
        while (path->taken.contains(name));
      } else if (taken != path->taken.end()) {
        error(layer->name.range, "the name '" + name + "' is taken")
            .note(taken->second, "by the layer here");
        return false;
      }
      path->taken[name] = layer->name.range;
    }
    sharedLayers.push_back({layer->value, &scope, name, path ? path->prefix : "", sharing});
    return define(scope, layer->name.name, layer->name.range, value);
  }
  if (auto *param = dyn_cast<ParamStmt>(stmt))
    return declareParam(*param, scope);
  error(stmt->range, Twine(isa<VarStmt>(stmt)     ? "'var'"
                           : isa<PrintStmt>(stmt) ? "'print'"
                                                  : "'expect'") +
                         " belongs in a test, not in a net or block");
  return false;
}

//===----------------------------------------------------------------------===//
// The net that is compiled
//===----------------------------------------------------------------------===//

void Elaborator::begin(StringRef name, SMRange range) {
  graph = std::make_unique<Graph>();
  graph->net = name.str();
  graph->range = range;
  scopes.clear();
  sharedLayers.clear();
  layersInUse.clear();
  label.reset();
  currentUse = -1;
  binders.clear();
  tensorConstants.clear();
  tensorsOfLists.clear();
  steps = 0;
  aborted = false;
}

std::unique_ptr<Graph> Elaborator::elaborate(const FunctionDecl &net,
                                             ArrayRef<Argument> arguments) {
  if (net.broken || (!arguments.empty() && unsure.contains(net.name.name)))
    return nullptr;
  unsigned before = diagnostics.errorCount();
  begin(net.name.name, net.name.range);
  Scope &scope = makeScope(&globalScope);
  bool valid = bindParameters(net, arguments, &globalScope, scope, net.name.range, /*isTop=*/true);
  for (const Parameter &input : net.inputs) {
    if (llvm::is_contained(mlir::cnn::getStepInputs(), input.name.name)) {
      diagnostics
          .error(input.name.range, "an input of net '" + net.name.name + "' cannot be called '" +
                                       input.name.name +
                                       "', as an argument of the training step is")
          .hint("call it 'image' or 'x'");
      valid = false;
    }
    std::optional<mlir::cnn::Shape> shape;
    if (valid)
      shape = evaluateShape(input.shape, &scope);
    valid &= shape && checkSize(*shape, "input '" + input.name.name + "'", input.shape->range,
                                input.shape, &scope);
    if (!valid)
      break;
    graph->inputs.push_back(graph->tensors.size());
    valid &= define(scope, input.name.name, input.name.range,
                    Value::makeTensor(graph->tensors.size(), input.name.range));
    graph->tensors.push_back({*shape, -1, input.name.name.str(), input.name.range});
  }
  if (valid) {
    InPath root(*this, "");
    running.push_back({&net, net.name.range});
    Value output = evaluateBody(*net.body, &scope, "net '" + net.name.name + "'");
    running.pop_back();
    Values outputs;
    if (!output.isPoison() && !aborted && toOutputs(net, output, outputs))
      for (const Value &value : outputs) {
        graph->outputs.push_back(value.integer);
        graph->outputNames.push_back(graph->tensors[value.integer].name);
      }
  }
  std::unique_ptr<Graph> result = std::move(graph);
  if (diagnostics.errorCount() != before || result->outputs.empty())
    return nullptr;
  return result;
}

/// The tensors that a net gives.
bool Elaborator::toOutputs(const FunctionDecl &net, const Value &output, Values &outputs) {
  bool tuple = output.is(Value::Kind::Tuple);
  for (int64_t i = 0, e = tuple ? output.size() : 1; i < e; ++i) {
    Value value = tuple ? output.element(i) : output;
    if (!value.is(Value::Kind::Tensor)) {
      const Expr *last = cast<ExprStmt>(net.body->statements.back())->expr;
      error(last->range,
            "the output of net '" + net.name.name + "' is a tensor, not " + describe(value))
          .hint(value.is(Value::Kind::Stage)
                    ? "start the chain with an input: " + net.inputs[0].name.name + " -> ..."
                    : Twine());
      return false;
    }
    outputs.push_back(value);
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Interface
//===----------------------------------------------------------------------===//

Elaboration::Elaboration(const File &file, ArrayRef<SetArgument> sets, Diagnostics &diagnostics)
    : impl(std::make_unique<Elaborator>(file, sets, diagnostics)) {}
Elaboration::~Elaboration() = default;

std::unique_ptr<Graph> Elaboration::elaborate(const FunctionDecl &net,
                                              ArrayRef<Argument> arguments) {
  return impl->elaborate(net, arguments);
}

std::unique_ptr<TestProgram> Elaboration::elaborateTest(const TestDecl &test) {
  return impl->elaborateTest(test);
}

Value Elaboration::evaluate(const Expr *expr) { return impl->evaluate(expr, nullptr); }

void Elaboration::noteValue(DiagnosticBuilder &error, const Expr *expr, SMRange origin) {
  impl->noteValue(error, expr, origin, nullptr);
}

void Elaboration::checkConstants() { impl->checkConstants(); }
