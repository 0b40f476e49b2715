// Syntax tree -> static graph. Evaluates constants and hyperparameters, expands blocks, loops and
// conditions, names layers, infers shapes through the layer registry (dialect/Layer.h) and reports
// what does not fit, with the places that it comes from. Next: Emit.h.
#ifndef CNNC_COMPILER_FRONTEND_ELABORATE_H
#define CNNC_COMPILER_FRONTEND_ELABORATE_H

#include "compiler/frontend/Graph.h"
#include "compiler/frontend/Parser.h"
#include "compiler/frontend/Value.h"
#include <memory>

namespace cnn {

class Elaborator;
struct TestProgram;

/// Evaluates the declarations of one file and of those that it imports. Holds the constants, so
/// that each is evaluated, and complained about, once.
class Elaboration {
public:
  /// `sets` are the `--set` arguments; all must outlive this.
  Elaboration(const ast::File &file, llvm::ArrayRef<SetArgument> sets, Diagnostics &diagnostics);
  ~Elaboration();

  /// The graph of a net with the given hyperparameters (those of a recipe, or none); nullptr when
  /// there were errors.
  std::unique_ptr<Graph> elaborate(const ast::FunctionDecl &net,
                                   llvm::ArrayRef<ast::Argument> arguments);
  /// A test as a program; nullptr when there were errors.
  std::unique_ptr<TestProgram> elaborateTest(const ast::TestDecl &test);
  /// Evaluates an expression with only the file's constants in scope. Poison when it was reported.
  Value evaluate(const ast::Expr *expr);
  /// Notes where a value was written that `expr` has, if elsewhere, and what the constants in
  /// `expr` are worth.
  void noteValue(DiagnosticBuilder &error, const ast::Expr *expr, llvm::SMRange origin);
  /// Evaluates every constant of the file, to find its mistakes.
  void checkConstants();

private:
  std::unique_ptr<Elaborator> impl;
};

} // namespace cnn

#endif // CNNC_COMPILER_FRONTEND_ELABORATE_H
