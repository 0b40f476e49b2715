// A `test` declaration, elaborated: one static graph for all of its tensors, cut into pieces that
// are compiled as entry points, and a program of the host around them that runs the pieces, prints,
// compares and loops. EmitTest.h makes a module of the pieces; `cnn test` runs the program.
//
//   var k = [[1, 2]]               piece 0: literal -> t0            run 0; copy t0 -> k
//   for step in 1..=10 {                                             loop step in 1..11:
//     loss = sum(k^2)              piece 1: k -> loss, k'              run 1
//     k -= 0.1 * grad(loss, k)                                         copy k' -> k
//     print "{step}: {loss}"                                           print step, loss
//   }
#ifndef CNNC_COMPILER_FRONTEND_TESTPROGRAM_H
#define CNNC_COMPILER_FRONTEND_TESTPROGRAM_H

#include "compiler/frontend/Graph.h"
#include "compiler/frontend/Value.h"

namespace cnn {

/// What `print`, `expect` and conditions look at: a constant, a tensor of the graph (a counter of a
/// loop is one of rank 0), or an operator on numbers that are known only when the test runs.
struct HostExpr {
  enum class Kind { Constant, Tensor, Unary, Binary };
  Kind kind = Kind::Constant;
  Value constant;
  unsigned tensor = 0; // index in Graph::tensors
  bool counter = false;
  ast::UnaryOp unary = ast::UnaryOp::Negate;
  ast::BinaryOp binary = ast::BinaryOp::Add;
  std::vector<HostExpr> operands;
  llvm::SMRange range;
};

/// Text, or a value with its format (`.3f`).
struct PrintPiece {
  std::string text;
  std::optional<HostExpr> value;
  std::string format;
};

/// One step of the host.
struct TestInstruction {
  enum class Kind {
    Run,    // a piece: the tensors that others need of it are computed
    Copy,   // tensors to the variables behind `copies`, all at once
    Print,  // `pieces` and a line end
    Expect, // `operands` stand in the relation
    Fail,   // always, with `message`
    Loop,   // `body` `rounds` times, with the counters at 0, 1, ... and begin, begin + step, ...;
            // with `operands`, from the first to before the second (`inclusive`: to that)
    If,     // `body` or `elseBody`
  };
  enum class Relation { Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, Near, True };
  Kind kind = Kind::Run;
  llvm::SMRange range;
  unsigned piece = 0;
  std::vector<std::pair<unsigned, unsigned>> copies; // tensor, variable
  std::vector<PrintPiece> pieces;
  Relation relation = Relation::True;
  std::vector<HostExpr> operands; // of Expect: one or two; of If: the condition; of Loop: ends
  double tolerance = 0;
  std::string message;
  int64_t begin = 0, step = 1, rounds = 0;
  bool inclusive = false;
  int position = -1, counter = -1; // tensors; -1: none
  std::vector<TestInstruction> body, elseBody;
};

/// A part of a test that is compiled as one entry point.
struct TestPiece {
  Graph graph;
  std::vector<unsigned> inputs, outputs; // tensors of the test, as in graph.inputs and .outputs
};

struct TestProgram {
  std::string title;
  llvm::SMRange range; // of the title
  Graph graph;         // of the whole test
  std::vector<unsigned> pieceOfNode;
  unsigned numPieces = 0;
  std::vector<TestInstruction> code;
};

/// Cuts the graph into its pieces. A piece that nothing needs anything of has no outputs.
std::vector<TestPiece> splitTest(const TestProgram &program);

} // namespace cnn

#endif // CNNC_COMPILER_FRONTEND_TESTPROGRAM_H
