// What errors say beside their message: where values come from, the chain of uses, names that may
// be meant.
#include "compiler/frontend/ElaborateImpl.h"

#include "llvm/ADT/STLExtras.h"

using namespace cnn;
using namespace cnn::ast;
using llvm::cast;
using llvm::dyn_cast;
using llvm::isa;
using llvm::SMRange;
using llvm::StringRef;
using llvm::Twine;
using mlir::cnn::LayerDef;

Elaborator::Report::~Report() {
  if (!self.graph)
    return;
  for (int use = self.currentUse; use >= 0; use = self.graph->uses[use].parent)
    if (self.graph->uses[use].range.Start != range.Start) // what stands at the error itself is seen
      builder.note(self.graph->uses[use].range, self.graph->uses[use].what);
}

/// Nesting that has no end is that of a block or function which uses itself.
void Elaborator::reportEndless(SMRange range) {
  auto last = std::find_if(running.rbegin(), running.rend(), [&](const auto &use) {
    return llvm::count(llvm::make_first_range(running), use.first) > 1;
  });
  if (last == running.rend()) {
    diagnostics.error(range, "blocks and expressions are nested too deeply here");
    return;
  }
  const Decl *decl = last->first;
  auto before =
      std::find_if(last + 1, running.rend(), [&](const auto &use) { return use.first == decl; });
  auto report =
      diagnostics.error(decl->name.range, (isa<DefDecl>(decl) ? "function '" : "block '") +
                                              decl->name.name + "' uses itself without an end");
  constexpr int most = 8;
  int shown = 0;
  for (auto use = before; use != last && shown < most; --use, ++shown) {
    auto next = std::prev(use);
    report.note(next->second,
                "'" + use->first->name.name + "' uses '" + next->first->name.name + "' here");
  }
  report.hint("'if' ends it: if depth > 0 { " + decl->name.name + "(...) }");
}

/// What is written for a constant, in the file or on the command line.
const Expr *Elaborator::valueOf(const ConstDecl &decl) const {
  const Expr *expr = decl.value;
  for (const SetArgument &set : sets)
    if (set.path.size() == 1 && set.path[0].name == decl.name.name)
      expr = set.value;
  return expr;
}

void Elaborator::noteValue(DiagnosticBuilder &report, const Expr *expr, SMRange origin,
                           Scope *scope) {
  llvm::SmallVector<const char *> noted;
  if (origin.isValid() && !contains(expr->range, origin)) {
    report.note(origin, "the value comes from here");
    noted.push_back(origin.Start.getPointer());
  }
  noteNames(report, expr, scope, noted);
}

void Elaborator::noteNames(DiagnosticBuilder &report, const Expr *expr, Scope *scope,
                           llvm::SmallVectorImpl<const char *> &noted) {
  constexpr size_t most = 4; // of them is a long enough list
  if (auto *unary = dyn_cast<UnaryExpr>(expr)) {
    noteNames(report, unary->operand, scope, noted);
  } else if (auto *binary = dyn_cast<BinaryExpr>(expr)) {
    noteNames(report, binary->lhs, scope, noted);
    noteNames(report, binary->rhs, scope, noted);
  } else if (auto *call = dyn_cast<CallExpr>(expr)) {
    for (const Argument &argument : call->arguments)
      noteNames(report, argument.value, scope, noted);
  } else if (auto *tuple = dyn_cast<TupleExpr>(expr)) {
    for (const Expr *element : tuple->elements)
      noteNames(report, element, scope, noted);
  } else if (auto *list = dyn_cast<ListExpr>(expr)) {
    for (const Expr *element : list->elements)
      noteNames(report, element, scope, noted);
  }
  auto *name = dyn_cast<NameExpr>(expr);
  if (!name)
    return;
  Value value;
  const ConstDecl *constant = nullptr;
  if (Scope::Binding *binding = lookup(name->name, scope)) {
    value = binding->value;
  } else if ((constant = llvm::dyn_cast_or_null<ConstDecl>(findGlobal(name->name)))) {
    auto found = constants.find(name->name);
    if (found != constants.end())
      value = found->second.value;
  }
  bool shown = value.isNumber() || value.is(Value::Kind::Bool) || value.is(Value::Kind::String);
  if (!shown || !value.origin.isValid() || noted.size() > most)
    return;
  if (!llvm::is_contained(noted, value.origin.Start.getPointer())) {
    report.note(value.origin, "'" + name->name + "' is " + format(value) + " here");
    noted.push_back(value.origin.Start.getPointer());
  }
  if (constant)
    noteNames(report, valueOf(*constant), &globalScope, noted);
}

void Elaborator::reportUnknown(const NameExpr &name, Scope *scope, bool asLayer) {
  llvm::SmallVector<StringRef> names;
  for (; scope; scope = scope->parent)
    for (auto &entry : scope->names)
      names.push_back(entry.first());
  for (auto &entry : globals)
    if (isVisible(*entry.second, name.name.data()))
      names.push_back(entry.first());
  for (const LayerDef &layer : mlir::cnn::getLayers())
    names.push_back(layer.name);
  llvm::sort(names);
  auto report =
      error(name.range, Twine("unknown ") + (asLayer ? "layer" : "name") + " '" + name.name + "'");
  report.hint(suggestName(name.name, names, ""));
  if (const Decl *decl = globals.lookup(name.name))
    report.note(decl->name.range, "it is declared here, in a file that is not imported there");
}
