// Syntax tree -> text, for `cnnc --emit=ast`: one line per declaration, statement and stage, with
// its place in angle brackets; expressions stay on their line.
#include "compiler/frontend/AST.h"
#include "compiler/frontend/Diagnostics.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace cnn;
using namespace cnn::ast;
using llvm::cast;
using llvm::dyn_cast;
using llvm::isa;
using llvm::raw_ostream;
using llvm::StringRef;

StringRef ast::spelling(BinaryOp op) {
  switch (op) {
  case BinaryOp::Add:
    return "+";
  case BinaryOp::Sub:
    return "-";
  case BinaryOp::Mul:
    return "*";
  case BinaryOp::Div:
    return "/";
  case BinaryOp::Mod:
    return "%";
  case BinaryOp::Pow:
    return "^";
  case BinaryOp::Equal:
    return "==";
  case BinaryOp::NotEqual:
    return "!=";
  case BinaryOp::Less:
    return "<";
  case BinaryOp::LessEqual:
    return "<=";
  case BinaryOp::Greater:
    return ">";
  case BinaryOp::GreaterEqual:
    return ">=";
  case BinaryOp::And:
    return "and";
  case BinaryOp::Or:
    return "or";
  }
  return "";
}

namespace {

void printBinders(llvm::ArrayRef<Binder> binders, raw_ostream &out) {
  if (binders.empty())
    return;
  out << " for ";
  llvm::interleaveComma(binders, out, [&](const Binder &binder) {
    out << binder.name.name << " < ";
    printExpr(binder.bound, out);
  });
}

void printPattern(const Pattern &pattern, raw_ostream &out) {
  if (!pattern.name.empty()) {
    out << pattern.name;
    return;
  }
  out << (pattern.isList ? "[" : "(");
  llvm::interleaveComma(pattern.elements, out,
                        [&](const Pattern *element) { printPattern(*element, out); });
  out << (pattern.isList ? "]" : pattern.elements.size() == 1 ? ",)" : ")");
}

void printArgument(const Argument &argument, raw_ostream &out) {
  if (!argument.name.name.empty())
    out << argument.name.name << " = ";
  printExpr(argument.value, out);
}

void printString(const StringExpr &string, raw_ostream &out) {
  out << '"';
  for (const StringPiece &piece : string.pieces) {
    if (piece.expr) {
      out << "{";
      printExpr(piece.expr, out);
      out << (piece.format.empty() ? "" : ":") << piece.format << "}";
      continue;
    }
    for (char c : piece.text) {
      if (c == '\n')
        out << "\\n";
      else if (c == '\t')
        out << "\\t";
      else if (StringRef("\\\"{}").contains(c))
        out << '\\' << c;
      else
        out << c;
    }
  }
  out << '"';
}

/// Operands of operators are put in parentheses unless they are atoms, so that the structure shows.
void printOperand(const Expr *expr, raw_ostream &out) {
  bool atom = !isa<BinaryExpr, UnaryExpr, ChainExpr, RangeExpr, LabelledExpr>(expr);
  out << (atom ? "" : "(");
  printExpr(expr, out);
  out << (atom ? "" : ")");
}

class TreePrinter {
public:
  TreePrinter(const Diagnostics &diagnostics, raw_ostream &out)
      : diagnostics(diagnostics), out(out) {}

  void declaration(const Decl *decl);

private:
  raw_ostream &line() { return out.indent(indent); }
  void place(llvm::SMRange range) {
    SourcePosition position = diagnostics.position(range.Start);
    out << " <" << position.line << ":" << position.column << ">\n";
  }
  void function(const FunctionDecl &decl);
  void body(const Body &body);
  void statement(const Stmt *stmt);
  void expression(const Expr *expr);
  void nested(const Body &body) {
    indent += 2;
    this->body(body);
    indent -= 2;
  }

  const Diagnostics &diagnostics;
  raw_ostream &out;
  unsigned indent = 0;
};

void TreePrinter::declaration(const Decl *decl) {
  if (auto *import = dyn_cast<ImportDecl>(decl)) {
    line() << "import ";
    printExpr(import->path, out);
    place(decl->range);
  } else if (auto *constant = dyn_cast<ConstDecl>(decl)) {
    line() << "const " << decl->name.name << " = ";
    printExpr(constant->value, out);
    place(decl->range);
  } else if (auto *def = dyn_cast<DefDecl>(decl)) {
    line() << "def " << decl->name.name << "(";
    llvm::interleaveComma(def->inputs, out, [&](const Parameter &input) {
      out << input.name.name;
      if (input.shape) {
        out << ": ";
        printExpr(input.shape, out);
      }
    });
    out << ") = ";
    printExpr(def->value, out);
    place(decl->range);
  } else if (auto *recipe = dyn_cast<TrainDecl>(decl)) {
    line() << "train " << decl->name.name << " = " << recipe->net.name << "(";
    llvm::interleaveComma(recipe->arguments, out,
                          [&](const Argument &argument) { printArgument(argument, out); });
    out << ")";
    place(decl->range);
    for (const Entry &entry : recipe->entries) {
      out << "  " << entry.key.name << " = ";
      printExpr(entry.value, out);
      place(entry.key.range);
    }
  } else if (auto *test = dyn_cast<TestDecl>(decl)) {
    line() << "test ";
    printExpr(test->title, out);
    place(decl->range);
    nested(*test->body);
  } else {
    function(*cast<FunctionDecl>(decl));
  }
}

void TreePrinter::function(const FunctionDecl &decl) {
  line() << (decl.isNet() ? "net " : "block ") << decl.name.name;
  place(decl.range);
  indent += 2;
  for (const Parameter &parameter : decl.hyperparameters) {
    line() << "parameter " << parameter.name.name;
    if (parameter.defaultValue) {
      out << " = ";
      printExpr(parameter.defaultValue, out);
    }
    place(parameter.name.range);
  }
  for (const Parameter &input : decl.inputs) {
    line() << "input " << input.name.name;
    if (input.shape) {
      out << ": ";
      printExpr(input.shape, out);
    }
    place(input.name.range);
  }
  if (decl.body)
    body(*decl.body);
  indent -= 2;
}

void TreePrinter::body(const Body &body) {
  for (const Stmt *stmt : body.statements)
    statement(stmt);
}

void TreePrinter::statement(const Stmt *stmt) {
  auto named = [&](const llvm::Twine &head, const Expr *value) {
    line() << head;
    place(stmt->range);
    indent += 2;
    expression(value);
    indent -= 2;
  };
  if (auto *expr = dyn_cast<ExprStmt>(stmt)) {
    expression(expr->expr);
  } else if (auto *assign = dyn_cast<AssignStmt>(stmt)) {
    line();
    printPattern(*assign->pattern, out);
    out << " " << (assign->update ? spelling(assign->op) : "") << "=";
    place(stmt->range);
    indent += 2;
    expression(assign->value);
    indent -= 2;
  } else if (auto *layer = dyn_cast<LayerStmt>(stmt)) {
    named("layer " + layer->name.name + " =", layer->value);
  } else if (auto *param = dyn_cast<ParamStmt>(stmt)) {
    line() << "param " << param->name.name << ": ";
    printExpr(param->shape, out);
    if (param->init) {
      out << " = ";
      printExpr(param->init, out);
    }
    place(stmt->range);
  } else if (auto *var = dyn_cast<VarStmt>(stmt)) {
    named("var " + var->name.name + " =", var->value);
  } else if (auto *print = dyn_cast<PrintStmt>(stmt)) {
    named("print", print->value);
  } else if (auto *expect = dyn_cast<ExpectStmt>(stmt)) {
    line() << "expect ";
    if (expect->errorText) {
      out << "error ";
      printExpr(expect->errorText, out);
      place(stmt->range);
      nested(*expect->body);
      return;
    }
    printExpr(expect->actual, out);
    if (expect->expected) {
      out << " ~= ";
      printExpr(expect->expected, out);
      out << " within ";
      printExpr(expect->tolerance, out);
    }
    place(stmt->range);
  }
}

/// Chains and compound stages take a line per part; everything else takes one line.
void TreePrinter::expression(const Expr *expr) {
  if (!expr)
    return; // could not be parsed
  if (auto *chain = dyn_cast<ChainExpr>(expr)) {
    line() << "chain";
    place(expr->range);
    indent += 2;
    for (const Expr *element : chain->elements)
      expression(element);
    indent -= 2;
  } else if (auto *labelled = dyn_cast<LabelledExpr>(expr)) {
    line() << "label ";
    printExpr(labelled->label, out);
    place(expr->range);
    indent += 2;
    expression(labelled->stage);
    indent -= 2;
  } else if (auto *group = dyn_cast<GroupExpr>(expr)) {
    line() << "group";
    place(expr->range);
    nested(*group->body);
  } else if (auto *repeat = dyn_cast<RepeatExpr>(expr)) {
    line() << "repeat ";
    printExpr(repeat->count, out);
    place(expr->range);
    nested(*repeat->body);
  } else if (auto *loop = dyn_cast<ForExpr>(expr)) {
    line() << "for ";
    if (!loop->index.name.empty())
      out << loop->index.name << ", ";
    printPattern(*loop->pattern, out);
    out << " in ";
    printExpr(loop->iterable, out);
    place(expr->range);
    nested(*loop->body);
  } else if (auto *branch = dyn_cast<IfExpr>(expr)) {
    line() << "if ";
    printExpr(branch->condition, out);
    place(expr->range);
    nested(*branch->thenBody);
    if (branch->elseBody) {
      line() << "else";
      place(branch->elseBody->range);
      nested(*branch->elseBody);
    }
  } else {
    line();
    printExpr(expr, out);
    place(expr->range);
  }
}

void printBody(const Body &body, raw_ostream &out) {
  out << "{ ";
  llvm::interleave(
      body.statements, out,
      [&](const Stmt *stmt) {
        if (auto *expr = dyn_cast<ExprStmt>(stmt)) {
          printExpr(expr->expr, out);
        } else if (auto *assign = dyn_cast<AssignStmt>(stmt)) {
          printPattern(*assign->pattern, out);
          out << " " << (assign->update ? spelling(assign->op) : "") << "= ";
          printExpr(assign->value, out);
        } else {
          out << "...";
        }
      },
      "; ");
  out << " }";
}

} // namespace

void ast::printExpr(const Expr *expr, raw_ostream &out) {
  if (!expr)
    return; // could not be parsed
  auto list = [&](llvm::ArrayRef<Expr *> elements) {
    llvm::interleaveComma(elements, out, [&](const Expr *element) { printExpr(element, out); });
  };
  switch (expr->kind) {
  case Expr::Kind::Int:
    out << cast<IntExpr>(expr)->value;
    break;
  case Expr::Kind::Float:
    out << cast<FloatExpr>(expr)->text;
    break;
  case Expr::Kind::Bool:
    out << (cast<BoolExpr>(expr)->value ? "true" : "false");
    break;
  case Expr::Kind::String:
    printString(*cast<StringExpr>(expr), out);
    break;
  case Expr::Kind::Name:
    out << cast<NameExpr>(expr)->name;
    break;
  case Expr::Kind::List:
    out << "[";
    list(cast<ListExpr>(expr)->elements);
    out << "]";
    break;
  case Expr::Kind::Tuple:
    out << "(";
    list(cast<TupleExpr>(expr)->elements);
    out << (cast<TupleExpr>(expr)->elements.size() == 1 ? ",)" : ")");
    break;
  case Expr::Kind::Range: {
    auto *range = cast<RangeExpr>(expr);
    if (range->begin)
      printOperand(range->begin, out);
    out << (range->inclusive ? "..=" : "..");
    if (range->end)
      printOperand(range->end, out);
    if (range->step) {
      out << (range->end ? " step " : "step ");
      printOperand(range->step, out);
    }
    break;
  }
  case Expr::Kind::Unary:
    out << (cast<UnaryExpr>(expr)->op == UnaryOp::Negate ? "-" : "not ");
    printOperand(cast<UnaryExpr>(expr)->operand, out);
    break;
  case Expr::Kind::Binary:
    printOperand(cast<BinaryExpr>(expr)->lhs, out);
    out << " " << spelling(cast<BinaryExpr>(expr)->op) << " ";
    printOperand(cast<BinaryExpr>(expr)->rhs, out);
    break;
  case Expr::Kind::Call: {
    auto *call = cast<CallExpr>(expr);
    printOperand(call->callee, out);
    out << "(";
    llvm::interleaveComma(call->arguments, out,
                          [&](const Argument &argument) { printArgument(argument, out); });
    printBinders(call->binders, out);
    out << ")";
    break;
  }
  case Expr::Kind::Index:
    printOperand(cast<IndexExpr>(expr)->base, out);
    out << "[";
    list(cast<IndexExpr>(expr)->indices);
    out << "]";
    break;
  case Expr::Kind::Member:
    printOperand(cast<MemberExpr>(expr)->base, out);
    out << "." << cast<MemberExpr>(expr)->name.name;
    break;
  case Expr::Kind::Comprehension:
    out << "[";
    printExpr(cast<ComprehensionExpr>(expr)->element, out);
    printBinders(cast<ComprehensionExpr>(expr)->binders, out);
    out << "]";
    break;
  case Expr::Kind::Chain:
    llvm::interleave(
        cast<ChainExpr>(expr)->elements, out, [&](const Expr *element) { printExpr(element, out); },
        " -> ");
    break;
  case Expr::Kind::Labelled:
    printExpr(cast<LabelledExpr>(expr)->label, out);
    out << ": ";
    printExpr(cast<LabelledExpr>(expr)->stage, out);
    break;
  case Expr::Kind::Group:
    printBody(*cast<GroupExpr>(expr)->body, out);
    break;
  case Expr::Kind::Repeat:
    out << "repeat ";
    printExpr(cast<RepeatExpr>(expr)->count, out);
    out << " ";
    printBody(*cast<RepeatExpr>(expr)->body, out);
    break;
  case Expr::Kind::For: {
    auto *loop = cast<ForExpr>(expr);
    out << "for ";
    if (!loop->index.name.empty())
      out << loop->index.name << ", ";
    printPattern(*loop->pattern, out);
    out << " in ";
    printExpr(loop->iterable, out);
    out << " ";
    printBody(*loop->body, out);
    break;
  }
  case Expr::Kind::Wrong:
    break; // a file with one is not printed
  case Expr::Kind::If: {
    auto *branch = cast<IfExpr>(expr);
    out << "if ";
    printExpr(branch->condition, out);
    out << " ";
    printBody(*branch->thenBody, out);
    if (branch->elseBody) {
      out << " else ";
      printBody(*branch->elseBody, out);
    }
    break;
  }
  }
}

void ast::print(const File &file, const Diagnostics &diagnostics, raw_ostream &out) {
  // What could not be parsed was reported, and has no tree.
  for (const Decl *decl : file.declarations)
    if (!decl->broken)
      TreePrinter(diagnostics, out).declaration(decl);
}
