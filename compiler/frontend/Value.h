// What an expression is worth at compile time: numbers, strings, lists, tensors of the graph under
// construction, and stages (things that take a tensor and give one).
#ifndef CNNC_COMPILER_FRONTEND_VALUE_H
#define CNNC_COMPILER_FRONTEND_VALUE_H

#include "compiler/frontend/AST.h"
#include "dialect/IndexFunction.h"
#include "llvm/ADT/StringMap.h"
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace cnn {

struct Scope;

/// A sum of indices times integers, plus an integer.
struct IndexSum {
  std::map<unsigned, int64_t> coefficients; // by the number of the index
  int64_t constant = 0;
};

/// A number that depends on the indices of a function by index.
struct ScalarExpr {
  mlir::cnn::IndexTerm::Kind kind = mlir::cnn::IndexTerm::Kind::Number;
  double number = 0;   // Number
  unsigned tensor = 0; // Element: index in the graph
  /// Element: its place, one form per dimension of the tensor.
  std::vector<IndexSum> place;
  /// Index: the sum. Other numbers that are sums of indices times integers have one too.
  std::shared_ptr<const IndexSum> index;
  std::vector<std::shared_ptr<const ScalarExpr>> children;
};

using Scalar = std::shared_ptr<const ScalarExpr>;
Scalar makeNumber(double value);
Scalar makeScalar(mlir::cnn::IndexTerm::Kind kind, std::vector<Scalar> children);
/// Whether it is true or false, and no number.
bool isCondition(const Scalar &scalar);
/// Adds the numbers of the indices that the scalar depends on, in the order of their definition.
void collectIndices(const Scalar &scalar, std::set<unsigned> &indices);

/// What is known of indices: a sum is at least 0, or it is not 0.
struct IndexFact {
  IndexSum sum;
  bool unequal = false;
};
using IndexFacts = std::vector<IndexFact>;
/// Adds to `facts` what follows from a condition that holds, or does not.
void assume(const Scalar &condition, bool holds, IndexFacts &facts);

struct Value {
  enum class Kind {
    Poison, // an error was reported; nothing that follows from it is
    Int,
    Float,
    Bool,
    String,
    List,   // `integer` counts its elements and those inside of them
    Tuple,  // likewise
    Range,  // the integers from `integer` to before `end`, `step` apart
    Tensor, // `integer` is its index in the graph
    Stage,  // `expr` in `scope`; without `expr` the identity
    Layer,  // a layer that is shared wherever it is used; `integer` is its index
    Scalar, // an expression in the indices of a function by index (`scalar`)
  };
  Kind kind = Kind::Poison;
  int64_t integer = 0;
  int64_t end = 0;
  int64_t step = 1; // not 0; of a Range
  double number = 0;
  std::string text;
  std::shared_ptr<const std::vector<Value>> elements;
  const ast::Expr *expr = nullptr;
  Scope *scope = nullptr;
  std::shared_ptr<const ScalarExpr> scalar;
  /// Where the value was written.
  llvm::SMRange origin;

  bool is(Kind other) const { return kind == other; }
  bool isPoison() const { return kind == Kind::Poison; }
  bool isNumber() const { return kind == Kind::Int || kind == Kind::Float; }
  /// An Int or Float as a double.
  double asDouble() const { return kind == Kind::Int ? static_cast<double>(integer) : number; }

  static Value makeInt(int64_t value, llvm::SMRange origin);
  static Value makeFloat(double value, llvm::SMRange origin);
  static Value makeBool(bool value, llvm::SMRange origin);
  static Value makeString(std::string value, llvm::SMRange origin);
  static Value makeList(Kind kind, std::vector<Value> elements, llvm::SMRange origin);
  static Value makeTensor(unsigned index, llvm::SMRange origin);
  static Value makeScalar(std::shared_ptr<const ScalarExpr> scalar, llvm::SMRange origin);
  static Value makeStage(const ast::Expr *expr, Scope *scope, llvm::SMRange origin);

  /// Number of elements of a List, Tuple or Range.
  int64_t size() const;
  /// Element of a List, Tuple or Range.
  Value element(int64_t index) const;
};

/// "an integer", "a tensor": how messages call the kind.
llvm::StringRef describe(Value::Kind kind);
/// "the integer 7", "the string \"a\"", "a tensor".
std::string describe(const Value &value);
/// The value as it could have been written: `7`, `(1, 64)`.
std::string format(const Value &value);
/// Whether `inner` stands within `outer`; false where one of them is no place.
bool contains(llvm::SMRange outer, llvm::SMRange inner);
/// Whether a value is a tensor or a list or tuple with one in it.
bool holdsTensor(const Value &value);
/// Whether two values that are no tensors or stages are equal. 1 equals 1.0.
bool equal(const Value &a, const Value &b);

/// The names of one body or parameter list.
struct Scope {
  struct Binding {
    Value value;
    llvm::SMRange range; // of the name where it is defined
    bool ready = false;  // false: the definition was not reached yet
  };
  Scope *parent = nullptr;
  llvm::StringMap<Binding> names;
};

} // namespace cnn

#endif // CNNC_COMPILER_FRONTEND_VALUE_H
