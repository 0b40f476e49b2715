// From the graph of a whole test to one graph per piece. What another piece or the host needs of a
// piece is its output; what a piece needs of elsewhere is its input. Nodes without operands and
// parameters (literals) are repeated where they are used.
#include "compiler/frontend/TestProgram.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"

using namespace cnn;

namespace {

void collect(const HostExpr &expr, llvm::DenseSet<unsigned> &used) {
  if (expr.kind == HostExpr::Kind::Tensor)
    used.insert(expr.tensor);
  for (const HostExpr &operand : expr.operands)
    collect(operand, used);
}

/// The tensors that the host looks at or keeps.
void collect(llvm::ArrayRef<TestInstruction> code, llvm::DenseSet<unsigned> &used) {
  for (const TestInstruction &instruction : code) {
    for (auto [from, to] : instruction.copies)
      used.insert(from);
    for (const PrintPiece &piece : instruction.pieces)
      if (piece.value)
        collect(*piece.value, used);
    for (const HostExpr &operand : instruction.operands)
      collect(operand, used);
    collect(instruction.body, used);
    collect(instruction.elseBody, used);
  }
}

/// Builds the graph of one piece.
class PieceBuilder {
public:
  PieceBuilder(const TestProgram &program, unsigned index) : program(program), index(index) {
    piece.graph.net = program.graph.net;
    piece.graph.range = program.graph.range;
    piece.graph.uses = program.graph.uses;
  }

  /// `needed` are the tensors that the host and later pieces need.
  TestPiece build(const llvm::DenseSet<unsigned> &needed) {
    const Graph &graph = program.graph;
    llvm::DenseSet<unsigned> live; // tensors
    std::vector<unsigned> nodes;   // last first
    for (unsigned node = graph.nodes.size(); node-- > 0;) {
      unsigned result = graph.nodes[node].result;
      bool output = program.pieceOfNode[node] == index && needed.contains(result);
      if (!isOwn(node) || !(output || live.contains(result)))
        continue;
      nodes.push_back(node);
      live.insert(graph.nodes[node].operands.begin(), graph.nodes[node].operands.end());
      for (auto [place, tensor] : graph.nodes[node].given)
        live.insert(tensor);
    }
    for (unsigned node : llvm::reverse(nodes)) {
      unsigned result = graph.nodes[node].result;
      addNode(node);
      if (program.pieceOfNode[node] != index || !needed.contains(result))
        continue;
      piece.graph.outputs.push_back(numbers[result]);
      piece.graph.outputNames.push_back(graph.tensors[result].name);
      piece.outputs.push_back(result);
    }
    return std::move(piece);
  }

private:
  bool isOwn(unsigned node) const {
    const GraphNode &computed = program.graph.nodes[node];
    return program.pieceOfNode[node] == index ||
           (computed.operands.empty() && computed.params.empty());
  }

  void addNode(unsigned number) {
    GraphNode node = program.graph.nodes[number];
    for (unsigned &operand : node.operands)
      operand = numbers.contains(operand) ? numbers[operand] : addOutside(operand);
    for (auto &[place, tensor] : node.given)
      tensor = numbers.contains(tensor) ? numbers[tensor] : addOutside(tensor);
    for (unsigned &param : node.params)
      param = addParam(param);
    GraphTensor result = program.graph.tensors[node.result];
    result.node = piece.graph.nodes.size();
    node.result = addTensor(node.result, result);
    piece.graph.nodes.push_back(std::move(node));
  }

  /// A tensor that is not computed here: an input of the piece, or a parameter.
  unsigned addOutside(unsigned tensor) {
    GraphTensor copy = program.graph.tensors[tensor];
    copy.node = -1;
    if (copy.param >= 0) {
      copy.param = addParam(copy.param);
      return addTensor(tensor, copy);
    }
    unsigned number = addTensor(tensor, copy);
    piece.graph.inputs.push_back(number);
    piece.inputs.push_back(tensor);
    return number;
  }

  unsigned addTensor(unsigned tensor, const GraphTensor &copy) {
    piece.graph.tensors.push_back(copy);
    return numbers[tensor] = piece.graph.tensors.size() - 1;
  }

  unsigned addParam(unsigned param) {
    auto [entry, inserted] = params.try_emplace(param, piece.graph.params.size());
    if (inserted)
      piece.graph.params.push_back(program.graph.params[param]);
    return entry->second;
  }

  const TestProgram &program;
  unsigned index;
  TestPiece piece;
  llvm::DenseMap<unsigned, unsigned> numbers, params;
};

} // namespace

std::vector<TestPiece> cnn::splitTest(const TestProgram &program) {
  llvm::DenseSet<unsigned> needed;
  collect(program.code, needed);
  // From the last piece to the first: what a later piece takes in is needed of the earlier ones.
  std::vector<TestPiece> pieces(program.numPieces);
  for (unsigned index = program.numPieces; index-- > 0;) {
    pieces[index] = PieceBuilder(program, index).build(needed);
    needed.insert(pieces[index].inputs.begin(), pieces[index].inputs.end());
  }
  return pieces;
}
