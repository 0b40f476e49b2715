// Where indices run: over their extents, as far as the conditions around an element let them. A
// condition such as `i >= 1 and i <= n` keeps `x[i - 1]` inside of x.
#include "compiler/frontend/ElaborateImpl.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace cnn;
using llvm::ArrayRef;
using mlir::cnn::IndexTerm;

/// `a + sign * b`; empty where that does not fit.
static std::optional<IndexSum> add(const IndexSum &a, const IndexSum &b, int64_t sign = 1) {
  IndexSum sum = a;
  bool overflow = false;
  auto addTo = [&](int64_t &number, int64_t more) {
    int64_t product;
    overflow |= llvm::MulOverflow(sign, more, product);
    overflow |= llvm::AddOverflow(number, product, number);
  };
  addTo(sum.constant, b.constant);
  for (auto [number, factor] : b.coefficients)
    addTo(sum.coefficients[number], factor);
  std::erase_if(sum.coefficients, [](auto term) { return term.second == 0; });
  return overflow ? std::nullopt : std::optional(sum);
}

void cnn::assume(const Scalar &condition, bool holds, IndexFacts &facts) {
  const auto &children = condition->children;
  auto compare = [&](const Scalar &left, const Scalar &right, bool unequal, int64_t apart) {
    if (!left->index || !right->index)
      return;
    if (std::optional<IndexSum> sum = add(*right->index, *left->index, -1)) {
      sum->constant -= apart;
      facts.push_back({*sum, unequal});
    }
  };
  // left + apart <= right
  auto order = [&](const Scalar &left, const Scalar &right, int64_t apart) {
    compare(left, right, /*unequal=*/false, apart);
  };
  switch (condition->kind) {
  case IndexTerm::Kind::Less:
    return holds ? order(children[0], children[1], 1) : order(children[1], children[0], 0);
  case IndexTerm::Kind::LessEqual:
    return holds ? order(children[0], children[1], 0) : order(children[1], children[0], 1);
  case IndexTerm::Kind::Equal:
    if (!holds)
      return compare(children[0], children[1], /*unequal=*/true, 0);
    order(children[0], children[1], 0);
    return order(children[1], children[0], 0);
  case IndexTerm::Kind::And:
  case IndexTerm::Kind::Or:
    if (holds == (condition->kind == IndexTerm::Kind::And))
      for (const Scalar &child : children)
        assume(child, holds, facts);
    return;
  case IndexTerm::Kind::Not:
    return assume(children[0], !holds, facts);
  default:
    return;
  }
}

namespace {
/// Between which numbers indices run.
class Box {
public:
  void include(unsigned number, int64_t size) { ranges.try_emplace(number, 0, size - 1); }

  /// The most that a sum can be; INT64_MAX where that does not fit.
  int64_t greatest(const IndexSum &sum) const {
    int64_t most = sum.constant;
    for (auto [number, factor] : sum.coefficients) {
      auto [low, high] = ranges.at(number);
      int64_t product;
      if (llvm::MulOverflow(factor, factor < 0 ? low : high, product) ||
          llvm::AddOverflow(most, product, most))
        return INT64_MAX;
    }
    return most;
  }
  int64_t least(const IndexSum &sum) const {
    std::optional<IndexSum> negative = add(IndexSum(), sum, -1);
    return negative ? -greatest(*negative) : -INT64_MAX;
  }

  /// Takes off what a fact excludes; false where nothing is left.
  bool tighten(const IndexSum &fact) {
    if (greatest(fact) < 0)
      return false;
    for (auto [number, factor] : fact.coefficients) {
      IndexSum others = fact;
      others.coefficients.erase(number);
      int64_t rest = greatest(others);
      if (rest == INT64_MAX)
        continue;
      // factor * index >= -rest
      auto &[low, high] = ranges.at(number);
      if (factor > 0)
        low = std::max(low, -llvm::divideFloorSigned(rest, factor));
      else
        high = std::min(high, llvm::divideFloorSigned(rest, -factor));
      if (low > high)
        return false;
    }
    return true;
  }

private:
  std::map<unsigned, std::pair<int64_t, int64_t>> ranges;
};
} // namespace

/// The least and the most that a sum can be where `facts` hold.
std::pair<int64_t, int64_t> Elaborator::boundsOf(const IndexSum &sum,
                                                 ArrayRef<IndexFact> facts) const {
  Box box;
  auto include = [&](const IndexSum &part) {
    for (auto [number, factor] : part.coefficients)
      box.include(number, binders[number].size);
  };
  include(sum);
  std::vector<IndexSum> known, unequal; // at least 0; not 0
  for (const IndexFact &fact : facts) {
    include(fact.sum);
    (fact.unequal ? unequal : known).push_back(fact.sum);
  }
  // What one fact excludes may let another exclude more; a few rounds do for what people write.
  for (int round = 0; round < 4; ++round) {
    for (const IndexSum &fact : known)
      if (!box.tighten(fact))
        return {0, 0}; // this is nowhere
    // What is not 0 and not less is at least 1.
    for (const IndexSum &fact : unequal)
      for (int64_t sign : {1, -1}) {
        std::optional<IndexSum> beyond = add(IndexSum(), fact, sign);
        if (!beyond || box.least(*beyond) != 0)
          continue;
        beyond->constant -= 1;
        known.push_back(*beyond);
      }
  }
  int64_t low = box.least(sum), high = box.greatest(sum);
  // A sum is at least what is left of it without one or two facts, which are at least 0.
  auto compare = [&](const IndexSum &fact) {
    if (std::optional<IndexSum> rest = add(sum, fact, -1))
      low = std::max(low, box.least(*rest));
    if (std::optional<IndexSum> rest = add(sum, fact))
      high = std::min(high, box.greatest(*rest));
  };
  for (auto [i, fact] : llvm::enumerate(known)) {
    compare(fact);
    for (const IndexSum &other : ArrayRef<IndexSum>(known).drop_front(i + 1))
      if (std::optional<IndexSum> both = add(fact, other))
        compare(*both);
  }
  return {low, high};
}
