// Functions by index: `[sum(x[i + a] * k[a] for a < p) for i < n]`. An expression in indices is a
// tree of scalars (Value.h); a list of them, and every reduction, becomes one node of the graph.
#include "compiler/frontend/ElaborateImpl.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <set>

using namespace cnn;
using namespace cnn::ast;
using llvm::ArrayRef;
using llvm::dyn_cast;
using llvm::SMRange;
using llvm::StringRef;
using llvm::Twine;
using mlir::cnn::formatShape;
using mlir::cnn::IndexForm;
using mlir::cnn::IndexFunction;
using mlir::cnn::IndexTerm;
using mlir::cnn::LayerDef;
using mlir::cnn::Shape;

/// The tensor over the indices `kept` of a scalar, or of its reduction over `reduced`.
Value Elaborator::gather(const Scalar &scalar, ArrayRef<unsigned> kept, ArrayRef<unsigned> reduced,
                         IndexFunction::Reduction reduction, SMRange range) {
  IndexFunction function;
  std::map<unsigned, unsigned> dims;
  for (ArrayRef<unsigned> numbers : {kept, reduced})
    for (unsigned number : numbers) {
      dims[number] = function.sizes.size();
      function.sizes.push_back(binders[number].size);
    }
  function.parallel = kept.size();
  function.reduction = reduction;
  auto toForm = [&](const IndexSum &sum) {
    IndexForm form;
    form.coefficients.assign(function.sizes.size(), 0);
    form.constant = sum.constant;
    for (auto [number, factor] : sum.coefficients)
      form.coefficients[dims.at(number)] = factor;
    return form;
  };
  // A list of the elements of a tensor in their order is the tensor.
  if (scalar->kind == IndexTerm::Kind::Element && reduced.empty() &&
      scalar->place.size() == kept.size()) {
    bool whole = llvm::equal(function.sizes, graph->tensors[scalar->tensor].shape);
    for (auto [sum, number] : llvm::zip(scalar->place, kept))
      whole &= sum.constant == 0 && sum.coefficients.size() == 1 &&
               sum.coefficients.begin()->first == number && sum.coefficients.begin()->second == 1;
    if (whole)
      return Value::makeTensor(scalar->tensor, range);
  }
  llvm::SmallVector<unsigned> operands;
  llvm::DenseMap<const ScalarExpr *, unsigned> known;
  std::function<unsigned(const Scalar &)> flatten = [&](const Scalar &part) -> unsigned {
    if (auto found = known.find(part.get()); found != known.end())
      return found->second;
    IndexTerm term;
    term.kind = part->kind;
    term.number = part->number;
    if (part->kind == IndexTerm::Kind::Index)
      term.which = dims.at(part->index->coefficients.begin()->first);
    if (part->kind == IndexTerm::Kind::Element) {
      llvm::SmallVector<IndexForm, 4> place;
      for (const IndexSum &sum : part->place)
        place.push_back(toForm(sum));
      for (term.which = 0; term.which < operands.size(); ++term.which)
        if (operands[term.which] == part->tensor && function.reads[term.which] == place)
          break;
      if (term.which == operands.size()) {
        operands.push_back(part->tensor);
        function.reads.push_back(std::move(place));
      }
    }
    for (const Scalar &child : part->children)
      term.children.push_back(flatten(child));
    function.terms.push_back(std::move(term));
    return known[part.get()] = function.terms.size() - 1;
  };
  flatten(scalar);
  function.integer = reduction == IndexFunction::Reduction::None &&
                     scalar->kind == IndexTerm::Kind::Element &&
                     graph->tensors[scalar->tensor].integer;
  return makeIndexNode(std::move(function), operands, range);
}

/// Defines the indices of a list or reduction in `scope`; their numbers go to `numbers`.
bool Elaborator::bindIndices(ArrayRef<Binder> list, Scope &scope,
                             llvm::SmallVectorImpl<unsigned> &numbers) {
  for (const Binder &binder : list) {
    Value bound = evaluate(binder.bound, &scope);
    if (bound.isPoison())
      return false;
    if (!bound.is(Value::Kind::Int)) {
      error(binder.bound->range, "the bound of index '" + binder.name.name +
                                     "' is an integer that depends on no index, not " +
                                     describe(bound));
      return false;
    }
    if (bound.integer <= 0) {
      auto report = error(binder.bound->range, "index '" + binder.name.name + "' runs below " +
                                                   printed(binder.bound) + ", which is " +
                                                   Twine(bound.integer));
      noteExtents(report, binder.bound, &scope);
      return false;
    }
    if (bound.integer > INT32_MAX) {
      error(binder.bound->range, "index '" + binder.name.name + "' runs below " +
                                     Twine(bound.integer) + ", more than the largest possible " +
                                     Twine(INT32_MAX));
      return false;
    }
    auto scalar = std::make_shared<ScalarExpr>();
    scalar->kind = IndexTerm::Kind::Index;
    auto sum = std::make_shared<IndexSum>();
    sum->coefficients[binders.size()] = 1;
    scalar->index = sum;
    numbers.push_back(binders.size());
    binders.push_back({binder.name.name.str(),
                       bound.integer,
                       {binder.name.range.Start, binder.bound->range.End}});
    if (!define(scope, binder.name.name, binder.name.range,
                Value::makeScalar(scalar, binder.name.range)))
      return false;
  }
  return true;
}

/// Notes the values of the names in an expression: "'h' is 3".
void Elaborator::noteExtents(Report &report, const Expr *expr, Scope *scope) {
  if (auto *name = dyn_cast<NameExpr>(expr)) {
    Scope::Binding *binding = lookup(name->name, scope);
    if (binding && binding->ready && binding->value.is(Value::Kind::Int))
      report.note(binding->range,
                  "'" + name->name + "' is " + Twine(binding->value.integer) + " here");
  } else if (auto *binary = dyn_cast<BinaryExpr>(expr)) {
    noteExtents(report, binary->lhs, scope);
    noteExtents(report, binary->rhs, scope);
  }
}

Value Elaborator::evaluateComprehension(const ComprehensionExpr &expr, Scope *scope) {
  if (!graph) {
    error(expr.range, "a function by index cannot be used outside of a net or test");
    return Value();
  }
  Scope &inner = makeScope(scope);
  llvm::SmallVector<unsigned> numbers;
  // Lists in lists are further dimensions.
  const ComprehensionExpr *list = &expr;
  while (bindIndices(list->binders, inner, numbers)) {
    if (auto *next = dyn_cast<ComprehensionExpr>(list->element)) {
      list = next;
      continue;
    }
    Value value = evaluate(list->element, &inner);
    Scalar scalar = toScalar(value, list->element->range);
    if (!scalar || !checkNumbers(scalar, list->element->range))
      return Value();
    std::set<unsigned> used;
    collectIndices(scalar, used);
    for (unsigned number : used)
      if (!llvm::is_contained(numbers, number)) {
        error(expr.range,
              "this list depends on index '" + binders[number].name + "', which runs outside of it")
            .note(binders[number].range, "it is defined here");
        return Value();
      }
    return gather(scalar, numbers, {}, IndexFunction::Reduction::None, expr.range);
  }
  return Value();
}

/// `sum(x[i] for i < n)`.
Value Elaborator::evaluateReduction(const CallExpr &expr, Scope *scope) {
  static constexpr StringRef names[] = {"sum", "mean", "max", "min"};
  auto *callee = dyn_cast<NameExpr>(expr.callee);
  if (!callee || !llvm::is_contained(names, callee->name)) {
    error(expr.callee->range,
          "indices are reduced by sum, mean, max or min, not by '" + printed(expr.callee) + "'");
    return Value();
  }
  if (expr.arguments.size() != 1 || !expr.arguments[0].name.name.empty()) {
    error(expr.range, "'" + callee->name + "' over indices takes one expression");
    return Value();
  }
  if (!graph) {
    error(expr.range, "a function by index cannot be used outside of a net or test");
    return Value();
  }
  StringRef name = callee->name;
  Scope &inner = makeScope(scope);
  llvm::SmallVector<unsigned> reduced, kept;
  if (!bindIndices(expr.binders, inner, reduced))
    return Value();
  const Expr *element = expr.arguments[0].value;
  Scalar scalar = toScalar(evaluate(element, &inner), element->range);
  if (!scalar || !checkNumbers(scalar, element->range))
    return Value();
  std::set<unsigned> used;
  collectIndices(scalar, used);
  for (unsigned number : used)
    if (!llvm::is_contained(reduced, number))
      kept.push_back(number);
  // The smallest is the negative of the largest of the negatives.
  if (name == "min")
    scalar = makeScalar(IndexTerm::Kind::Negate, {scalar});
  bool largest = name == "min" || name == "max";
  Value tensor =
      gather(scalar, kept, reduced,
             largest ? IndexFunction::Reduction::Max : IndexFunction::Reduction::Sum, expr.range);
  if (tensor.isPoison())
    return Value();
  auto read = std::make_shared<ScalarExpr>();
  read->kind = IndexTerm::Kind::Element;
  read->tensor = tensor.integer;
  for (unsigned number : kept) {
    IndexSum sum;
    sum.coefficients[number] = 1;
    read->place.push_back(sum);
  }
  Scalar result = read;
  if (name == "min")
    result = makeScalar(IndexTerm::Kind::Negate, {read});
  if (name == "mean") {
    double count = 1;
    for (unsigned number : reduced)
      count *= binders[number].size;
    result = makeScalar(IndexTerm::Kind::Divide, {read, makeNumber(count)});
  }
  if (!kept.empty())
    return Value::makeScalar(result, expr.range);
  return result == read ? tensor
                        : gather(result, {}, {}, IndexFunction::Reduction::None, expr.range);
}
