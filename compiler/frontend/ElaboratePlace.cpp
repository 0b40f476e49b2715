// Parts of values: elements and ranges of lists and tensors, `x.T`, parameters of shared layers.
#include "compiler/frontend/ElaborateImpl.h"

#include "llvm/ADT/STLExtras.h"
#include <algorithm>

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
using mlir::cnn::IndexForm;
using mlir::cnn::IndexFunction;
using mlir::cnn::IndexTerm;
using mlir::cnn::Shape;

/// The value of an index; of a range its ends as they stand.
Value Elaborator::evaluatePlace(const Expr *expr, Scope *scope) {
  auto *range = dyn_cast<RangeExpr>(expr);
  if (!range)
    return evaluate(expr, scope);
  Value value;
  return evaluateEnds(*range, scope, value) ? value : Value();
}

/// What `index` takes of `extent` elements; `of` says in messages what they are elements of.
std::optional<Elaborator::Part> Elaborator::takePart(const Expr *expr, const Value &index,
                                                     int64_t extent, const Twine &of, Scope *scope,
                                                     SMRange list) {
  constexpr int64_t limit = int64_t(1) << 62;
  auto bounded = [&](int64_t number) { return std::clamp(number, -limit, limit); };
  auto fromEnd = [&](int64_t at) { return at < 0 ? bounded(at) + extent : bounded(at); };
  Part part;
  part.begin = fromEnd(index.integer);
  part.kept = index.is(Value::Kind::Range);
  if (!part.kept) {
    if (part.begin >= 0 && part.begin < extent)
      return part;
    auto report = error(expr->range, "index " + format(index) + " is outside of " + of);
    noteValue(report, expr, index.origin, scope);
    if (list.isValid())
      report.note(list, "the list comes from here");
    return std::nullopt;
  }
  auto *range = dyn_cast<RangeExpr>(expr);
  part.step = bounded(index.step);
  bool down = part.step < 0;
  if (range && !range->begin)
    part.begin = down ? extent - 1 : 0;
  int64_t end = down && !range ? bounded(index.end) : fromEnd(index.end);
  // The end of `-2..0` is that of the dimension.
  if ((range && !range->end) || (!down && index.integer < 0 && index.end == 0))
    end = down ? -1 : extent;
  else if (range && range->inclusive)
    end += down ? -1 : 1;
  if (down ? part.begin <= end : part.begin >= end) {
    error(expr->range, "the range " + printed(expr) + " takes nothing of " + of);
    return std::nullopt;
  }
  if (part.begin < 0 || part.begin >= extent || end > extent || end < -1) {
    error(expr->range, "index " + printed(expr) + " is outside of " + of);
    return std::nullopt;
  }
  part.count = ((down ? part.begin - end : end - part.begin) - 1) / std::abs(part.step) + 1;
  return part;
}

Value Elaborator::evaluateIndex(const IndexExpr &expr, Scope *scope) {
  Value base = evaluate(expr.base, scope);
  if (base.isPoison())
    return Value();
  // A list with several indices is a tensor.
  if (base.is(Value::Kind::List) && expr.indices.size() > 1 && graph && isNumeric(base)) {
    base = toTensor(base, expr.base->range);
    if (base.isPoison())
      return Value();
  }
  if (base.is(Value::Kind::Tensor))
    return evaluateTensorIndex(expr, base, scope);
  const Expr *place = expr.indices.front();
  Value index = evaluatePlace(place, scope);
  if (index.isPoison())
    return Value();
  if (base.is(Value::Kind::Layer) && index.is(Value::Kind::String))
    return findParam(sharedLayers[base.integer], index.text, expr.range);
  // Of a list of numbers, read at an index that runs, a tensor is made.
  if (base.is(Value::Kind::List) && index.is(Value::Kind::Scalar)) {
    base = toTensor(base, expr.base->range);
    return base.isPoison() ? Value() : evaluateTensorIndex(expr, base, scope);
  }
  if (!base.is(Value::Kind::List) && !base.is(Value::Kind::Tuple) && !base.is(Value::Kind::Range)) {
    error(expr.range, "cannot take an element of " + describe(base));
    return Value();
  }
  if (expr.indices.size() != 1 || (!index.is(Value::Kind::Int) && !index.is(Value::Kind::Range))) {
    error(place->range,
          "the index of a list is one integer or range, not " +
              (expr.indices.size() == 1 ? describe(index)
                                        : std::to_string(expr.indices.size()) + " values"));
    return Value();
  }
  std::optional<Part> part =
      takePart(place, index, base.size(), "a list of " + counted(base.size(), "element"), scope,
               contains(expr.base->range, base.origin) ? SMRange() : base.origin);
  if (!part)
    return Value();
  if (!part->kept)
    return base.element(part->begin);
  std::vector<Value> elements;
  for (int64_t i = 0; i < part->count && i <= maxElements; ++i)
    elements.push_back(base.element(part->begin + i * part->step));
  return makeList(base.is(Value::Kind::Tuple) ? Value::Kind::Tuple : Value::Kind::List,
                  std::move(elements), expr.range);
}

/// A parameter of a shared layer as a tensor.
Value Elaborator::findParam(const SharedLayer &shared, StringRef name, SMRange range) {
  std::string prefix = shared.prefix + shared.name + ".";
  llvm::SmallVector<StringRef> names;
  for (unsigned param : shared.params) {
    StringRef own = graph->params[param].name;
    if (!own.consume_front(prefix))
      continue;
    names.push_back(own);
    if (own != name)
      continue;
    GraphTensor tensor;
    tensor.shape = graph->params[param].spec.shape;
    tensor.name = graph->params[param].name;
    tensor.range = range;
    tensor.batched = false;
    tensor.param = param;
    graph->tensors.push_back(std::move(tensor));
    return Value::makeTensor(graph->tensors.size() - 1, range);
  }
  auto report = error(range, "layer '" + shared.name + "' has no parameter '" + name + "'");
  report.hint(shared.uses ? suggestName(name, names, "its parameters are")
                          : "it has parameters from its first use on");
  return Value();
}

/// `x.T`: a part of a value by its name.
Value Elaborator::evaluateMember(const MemberExpr &expr, Scope *scope) {
  // `net.conv1.weight` is one name in `net`.
  std::string name = expr.name.name.str();
  const Expr *first = expr.base;
  while (auto *member = dyn_cast<MemberExpr>(first)) {
    name = member->name.name.str() + "." + name;
    first = member->base;
  }
  if (auto *layer = dyn_cast<NameExpr>(first))
    if (Scope::Binding *binding = lookup(layer->name, scope);
        binding && binding->ready && binding->value.is(Value::Kind::Layer))
      return findParam(sharedLayers[binding->value.integer], name, expr.range);
  Value base = evaluate(expr.base, scope);
  if (base.isPoison())
    return Value();
  bool isTensor = base.is(Value::Kind::Tensor) || (graph && base.is(Value::Kind::List));
  if (isTensor && expr.name.name == "T") {
    base = toNumbers(toTensor(base, expr.base->range));
    if (base.isPoison())
      return Value();
    std::vector<int64_t> axes;
    for (size_t axis = graph->tensors[base.integer].shape.size(); axis-- > 0;)
      axes.push_back(axis);
    if (axes.size() < 2)
      return base;
    mlir::cnn::LayerArgs arguments;
    arguments.set("axes", std::move(axes));
    return addNode(*findLayer("permute"), std::move(arguments), static_cast<unsigned>(base.integer),
                   expr.range);
  }
  error(expr.name.range, describe(base) + " has no part '" + expr.name.name + "'")
      .hint(isTensor ? "x.T is the transpose; layers and functions are applied as in x -> " +
                           expr.name.name
                     : Twine());
  return Value();
}

/// `x[a..b, c, ..]`: a part of a tensor. A dimension with one index is gone, one without any is
/// whole.
Value Elaborator::evaluateSlice(const IndexExpr &expr, const Value &base, ArrayRef<Value> indices,
                                Scope *scope) {
  const Shape shape = graph->tensors[base.integer].shape;
  std::string name = printed(expr.base);
  IndexFunction function;
  function.reads.emplace_back();
  struct Taken {
    Part part;
    int64_t along = -1; // the dimension of the result, if there is one
  };
  llvm::SmallVector<Taken, 4> taken;
  for (size_t dim = 0; dim < shape.size(); ++dim) {
    Part part;
    part.count = shape[dim];
    part.kept = true;
    if (dim < indices.size()) {
      std::optional<Part> given = takePart(expr.indices[dim], indices[dim], shape[dim],
                                           "dimension " + Twine(dim) + " of '" + name +
                                               "', which has " + counted(shape[dim], "element"),
                                           scope);
      if (!given)
        return Value();
      part = *given;
    }
    taken.push_back({part, part.kept ? static_cast<int64_t>(function.sizes.size()) : -1});
    if (part.kept)
      function.sizes.push_back(part.count);
  }
  function.parallel = function.sizes.size();
  for (const Taken &dim : taken) {
    IndexForm form;
    form.coefficients.assign(function.sizes.size(), 0);
    if (dim.along >= 0)
      form.coefficients[dim.along] = dim.part.step;
    form.constant = dim.part.begin;
    function.reads.back().push_back(form);
  }
  IndexTerm element;
  element.kind = IndexTerm::Kind::Element;
  function.terms = {element};
  function.integer = graph->tensors[base.integer].integer;
  return makeIndexNode(std::move(function), static_cast<unsigned>(base.integer), expr.range);
}

Value Elaborator::evaluateTensorIndex(const IndexExpr &expr, const Value &base, Scope *scope) {
  Values indices;
  const Shape &shape = graph->tensors[base.integer].shape;
  bool scalar = false;
  for (const Expr *index : expr.indices) {
    indices.push_back(evaluatePlace(index, scope));
    const Value &value = indices.back();
    if (value.isPoison())
      return Value();
    scalar |= value.is(Value::Kind::Scalar);
    if (value.is(Value::Kind::Int) || value.is(Value::Kind::Range) || value.is(Value::Kind::Scalar))
      continue;
    error(index->range, "the index of a tensor is an integer or a range, not " + describe(value));
    return Value();
  }
  if (indices.size() > shape.size()) {
    error(expr.range, "'" + printed(expr.base) + "' has " + Twine(shape.size()) + " dimension" +
                          (shape.size() == 1 ? "" : "s") + " (" + formatShape(shape) + "), but " +
                          Twine(indices.size()) + " indices are given");
    return Value();
  }
  return scalar ? evaluateElement(expr, base, indices) : evaluateSlice(expr, base, indices, scope);
}
