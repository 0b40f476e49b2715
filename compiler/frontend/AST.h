// The syntax tree of a .cnn file: what was written, with the range of every part. Nodes live in the
// arena of their ast::File and have no destructors; names are ranges of the source text.
#ifndef CNNC_COMPILER_FRONTEND_AST_H
#define CNNC_COMPILER_FRONTEND_AST_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Allocator.h"
#include "llvm/Support/Casting.h"
#include "llvm/Support/SMLoc.h"
#include <cstdint>
#include <utility>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace cnn {
class Diagnostics;
} // namespace cnn

namespace cnn::ast {

struct Body;

/// A name and where it stands.
struct Identifier {
  llvm::StringRef name;
  llvm::SMRange range;
};

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

struct Expr {
  enum class Kind {
    Int,
    Float,
    Bool,
    String,
    Name,
    List,
    Tuple,
    Range,
    Unary,
    Binary,
    Call,
    Index,
    Member,
    Comprehension,
    Chain,
    Labelled,
    Group,
    Repeat,
    For,
    If,
    Wrong,
  };
  Kind kind;
  llvm::SMRange range;
  /// Levels of expressions below this one; the parser bounds it, so that walks may recurse.
  unsigned height = 0;

  Expr(Kind kind, llvm::SMRange range) : kind(kind), range(range) {}
};

/// Gives a node type its `classof`.
template <Expr::Kind K> struct ExprOf : Expr {
  explicit ExprOf(llvm::SMRange range) : Expr(K, range) {}
  static bool classof(const Expr *expr) { return expr->kind == K; }
};

struct IntExpr : ExprOf<Expr::Kind::Int> {
  using ExprOf::ExprOf;
  int64_t value = 0;
};
struct FloatExpr : ExprOf<Expr::Kind::Float> {
  using ExprOf::ExprOf;
  double value = 0;
  llvm::StringRef text;
};
struct BoolExpr : ExprOf<Expr::Kind::Bool> {
  using ExprOf::ExprOf;
  bool value = false;
};

/// A part of a string: text without escapes, or `{expr:format}`.
struct StringPiece {
  llvm::StringRef text;
  Expr *expr = nullptr;
  llvm::StringRef format;
};
struct StringExpr : ExprOf<Expr::Kind::String> {
  using ExprOf::ExprOf;
  llvm::ArrayRef<StringPiece> pieces;
};

struct NameExpr : ExprOf<Expr::Kind::Name> {
  using ExprOf::ExprOf;
  llvm::StringRef name;
};
struct ListExpr : ExprOf<Expr::Kind::List> {
  using ExprOf::ExprOf;
  llvm::ArrayRef<Expr *> elements;
};
struct TupleExpr : ExprOf<Expr::Kind::Tuple> {
  using ExprOf::ExprOf;
  llvm::ArrayRef<Expr *> elements;
};
/// `begin..end` or `begin..=end`, with `step n` behind it or without. In an index the ends may be
/// left out.
struct RangeExpr : ExprOf<Expr::Kind::Range> {
  using ExprOf::ExprOf;
  Expr *begin = nullptr;
  Expr *end = nullptr;
  Expr *step = nullptr;
  bool inclusive = false;
};

enum class UnaryOp { Negate, Not };
struct UnaryExpr : ExprOf<Expr::Kind::Unary> {
  using ExprOf::ExprOf;
  UnaryOp op = UnaryOp::Negate;
  Expr *operand = nullptr;
};

enum class BinaryOp {
  Add,
  Sub,
  Mul,
  Div,
  Mod,
  Pow,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  And,
  Or,
};
llvm::StringRef spelling(BinaryOp op);

struct BinaryExpr : ExprOf<Expr::Kind::Binary> {
  using ExprOf::ExprOf;
  BinaryOp op = BinaryOp::Add;
  llvm::SMRange opRange;
  Expr *lhs = nullptr;
  Expr *rhs = nullptr;
};

/// `value` or `name = value`.
struct Argument {
  Identifier name; // empty: positional
  Expr *value = nullptr;
  llvm::SMRange range;
};
/// `i < n`: an index that runs from 0 to before n.
struct Binder {
  Identifier name;
  Expr *bound = nullptr;
};
/// `f(a, key = b)`, or with binders the reduction `sum(x[i] for i < n)`.
struct CallExpr : ExprOf<Expr::Kind::Call> {
  using ExprOf::ExprOf;
  Expr *callee = nullptr;
  llvm::ArrayRef<Argument> arguments;
  llvm::ArrayRef<Binder> binders;
};
/// `x[i, j]`; a position may be a range.
struct IndexExpr : ExprOf<Expr::Kind::Index> {
  using ExprOf::ExprOf;
  Expr *base = nullptr;
  llvm::ArrayRef<Expr *> indices;
};
/// `x.T`, `net.conv1.weight`: a part of a value by its name.
struct MemberExpr : ExprOf<Expr::Kind::Member> {
  using ExprOf::ExprOf;
  Expr *base = nullptr;
  Identifier name;
};
/// `[element for i < n, j < m]`.
struct ComprehensionExpr : ExprOf<Expr::Kind::Comprehension> {
  using ExprOf::ExprOf;
  Expr *element = nullptr;
  llvm::ArrayRef<Binder> binders;
};

/// `a -> b -> c`, two elements or more. The first may be a tensor or a stage.
struct ChainExpr : ExprOf<Expr::Kind::Chain> {
  using ExprOf::ExprOf;
  llvm::ArrayRef<Expr *> elements;
};
/// `label: stage`; the label is a name or a string with interpolations.
struct LabelledExpr : ExprOf<Expr::Kind::Labelled> {
  using ExprOf::ExprOf;
  Expr *label = nullptr;
  Expr *stage = nullptr;
};
struct GroupExpr : ExprOf<Expr::Kind::Group> {
  using ExprOf::ExprOf;
  Body *body = nullptr;
};
struct RepeatExpr : ExprOf<Expr::Kind::Repeat> {
  using ExprOf::ExprOf;
  Expr *count = nullptr;
  Body *body = nullptr;
};

/// What the parser reported and could not read, such as an integer that is too large: its value is
/// not known.
struct WrongExpr : ExprOf<Expr::Kind::Wrong> {
  using ExprOf::ExprOf;
};

/// What a value is taken apart by: a name, or a tuple or list of patterns.
struct Pattern {
  llvm::SMRange range;
  llvm::StringRef name; // empty: a tuple or list
  bool isList = false;  // written in [ ]; means the same
  llvm::ArrayRef<Pattern *> elements;
};
/// `for pattern in iterable { … }`, or `for index, pattern in iterable { … }`.
struct ForExpr : ExprOf<Expr::Kind::For> {
  using ExprOf::ExprOf;
  Identifier index; // empty: none
  Pattern *pattern = nullptr;
  Expr *iterable = nullptr;
  Body *body = nullptr;
};
/// Without `else`: the identity where the condition is false.
struct IfExpr : ExprOf<Expr::Kind::If> {
  using ExprOf::ExprOf;
  Expr *condition = nullptr;
  Body *thenBody = nullptr;
  Body *elseBody = nullptr; // `else if` is a body whose only statement is the inner `if`
};

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

struct Stmt {
  enum class Kind { Expr, Assign, Layer, Param, Var, Print, Expect };
  Kind kind;
  llvm::SMRange range;

  Stmt(Kind kind, llvm::SMRange range) : kind(kind), range(range) {}
};

template <Stmt::Kind K> struct StmtOf : Stmt {
  explicit StmtOf(llvm::SMRange range) : Stmt(K, range) {}
  static bool classof(const Stmt *stmt) { return stmt->kind == K; }
};

struct ExprStmt : StmtOf<Stmt::Kind::Expr> {
  using StmtOf::StmtOf;
  Expr *expr = nullptr;
};
/// `pattern = value`, or `name += value` and the like (`update` is set).
struct AssignStmt : StmtOf<Stmt::Kind::Assign> {
  using StmtOf::StmtOf;
  Pattern *pattern = nullptr;
  Expr *value = nullptr;
  bool update = false;
  BinaryOp op = BinaryOp::Add;
};
/// `layer name = value`.
struct LayerStmt : StmtOf<Stmt::Kind::Layer> {
  using StmtOf::StmtOf;
  Identifier name;
  Expr *value = nullptr;
};
/// `param name: [dims] = init`.
struct ParamStmt : StmtOf<Stmt::Kind::Param> {
  using StmtOf::StmtOf;
  Identifier name;
  Expr *shape = nullptr;
  Expr *init = nullptr; // may be missing
};
/// `var name = value`.
struct VarStmt : StmtOf<Stmt::Kind::Var> {
  using StmtOf::StmtOf;
  Identifier name;
  Expr *value = nullptr;
};
struct PrintStmt : StmtOf<Stmt::Kind::Print> {
  using StmtOf::StmtOf;
  Expr *value = nullptr;
};
/// `expect c`, `expect a ~= b within t`, `expect error "text" { … }`.
struct ExpectStmt : StmtOf<Stmt::Kind::Expect> {
  using StmtOf::StmtOf;
  Expr *actual = nullptr;
  Expr *expected = nullptr;  // after ~=
  Expr *tolerance = nullptr; // after within
  Expr *errorText = nullptr; // after error; then `body` is what must fail
  Body *body = nullptr;
};

/// `{ … }`.
struct Body {
  llvm::SMRange range;
  llvm::ArrayRef<Stmt *> statements;
  unsigned height = 0; // of its highest expression
};

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

struct Decl {
  enum class Kind { Import, Const, Def, Block, Net, Train, Test };
  Kind kind;
  llvm::SMRange range;
  Identifier name;         // of a test or import: empty
  llvm::StringRef comment; // the `//` lines above it
  /// Parts of it could not be parsed, which was reported: only its name counts.
  bool broken = false;

  Decl(Kind kind, llvm::SMRange range) : kind(kind), range(range) {}
};

template <Decl::Kind K> struct DeclOf : Decl {
  explicit DeclOf(llvm::SMRange range) : Decl(K, range) {}
  static bool classof(const Decl *decl) { return decl->kind == K; }
};

struct ImportDecl : DeclOf<Decl::Kind::Import> {
  using DeclOf::DeclOf;
  Expr *path = nullptr;
};
struct ConstDecl : DeclOf<Decl::Kind::Const> {
  using DeclOf::DeclOf;
  Expr *value = nullptr;
};

/// A hyperparameter (`name = default`) or a tensor (`name: shape`).
struct Parameter {
  Identifier name;
  Expr *shape = nullptr;        // tensors only; may be missing
  Expr *defaultValue = nullptr; // hyperparameters only; may be missing
};
struct DefDecl : DeclOf<Decl::Kind::Def> {
  using DeclOf::DeclOf;
  llvm::ArrayRef<Parameter> inputs;
  Expr *value = nullptr;
};
/// A block or a net: `block name(hyperparameters)(inputs) { … }`.
struct FunctionDecl : Decl {
  using Decl::Decl;
  llvm::ArrayRef<Parameter> hyperparameters;
  llvm::ArrayRef<Parameter> inputs;
  Body *body = nullptr;
  bool isNet() const { return kind == Kind::Net; }
  static bool classof(const Decl *decl) {
    return decl->kind == Kind::Block || decl->kind == Kind::Net;
  }
};
/// `key = value` of a recipe.
struct Entry {
  Identifier key;
  Expr *value = nullptr; // null: it could not be parsed, which was reported
};
struct TrainDecl : DeclOf<Decl::Kind::Train> {
  using DeclOf::DeclOf;
  Identifier net;
  llvm::ArrayRef<Argument> arguments;
  llvm::ArrayRef<Entry> entries;
  /// Something was skipped that could not be parsed: entries may be missing.
  bool incomplete = false;
};
struct TestDecl : DeclOf<Decl::Kind::Test> {
  using DeclOf::DeclOf;
  Expr *title = nullptr;
  Body *body = nullptr;
};

/// A parsed file and the memory of its nodes.
struct File {
  llvm::StringRef name;
  llvm::SMRange range; // the whole text
  /// A declaration was lost, name and all, or an import: a name that is unknown may be its.
  bool incomplete = false;
  std::vector<Decl *> declarations;
  std::vector<const File *> imports; // the files that it names, set by Frontend
  llvm::BumpPtrAllocator arena;

  template <typename T, typename... Args> T *make(Args &&...args) {
    return new (arena.Allocate<T>()) T(std::forward<Args>(args)...);
  }
  template <typename T> llvm::ArrayRef<T> copy(llvm::ArrayRef<T> items) {
    return items.copy(arena);
  }
};

/// Prints the tree: one line per declaration, statement and stage, each with its place.
void print(const File &file, const Diagnostics &diagnostics, llvm::raw_ostream &out);
/// Prints an expression on one line, as it could have been written.
void printExpr(const Expr *expr, llvm::raw_ostream &out);

} // namespace cnn::ast

#endif // CNNC_COMPILER_FRONTEND_AST_H
