// Tokens -> syntax tree (AST.h). Recursive descent after the grammar in README.md, with recovery at
// statements and declarations, so that one run reports several mistakes. Next: Elaborate.h.
#ifndef CNNC_COMPILER_FRONTEND_PARSER_H
#define CNNC_COMPILER_FRONTEND_PARSER_H

#include "compiler/frontend/AST.h"
#include "compiler/frontend/Diagnostics.h"
#include <memory>

namespace cnn {

/// Nested expressions and bodies may be this deep; beyond it is an error, so that neither the
/// parser nor a walk over the tree can exhaust the stack.
constexpr unsigned maxNesting = 200;

/// Parses a buffer of `diagnostics`. Always returns a tree, without the declarations that could not
/// be parsed; whether there were errors is known to `diagnostics`.
std::unique_ptr<ast::File> parseFile(unsigned buffer, Diagnostics &diagnostics);

/// `path = expression`, the argument of `--set`.
struct SetArgument {
  llvm::SmallVector<ast::Identifier> path;
  ast::Expr *value = nullptr;
  llvm::SMRange range;
};
/// Parses such an argument; nodes go to the arena of `file`. Nothing when it was reported.
std::optional<SetArgument> parseSet(unsigned buffer, ast::File &file, Diagnostics &diagnostics);

} // namespace cnn

#endif // CNNC_COMPILER_FRONTEND_PARSER_H
