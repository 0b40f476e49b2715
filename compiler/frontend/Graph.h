// The static graph of one net: what elaboration (Elaborate.h) makes of a declaration and its
// hyperparameters, and what emission (Emit.h) turns into the cnn dialect. Blocks, loops and names
// are gone; shapes are those of one sample, without the batch. A tensor that does not depend on the
// batch (a literal, a tensor of a test) has its whole shape.
#ifndef CNNC_COMPILER_FRONTEND_GRAPH_H
#define CNNC_COMPILER_FRONTEND_GRAPH_H

#include "dialect/Layer.h"
#include "llvm/Support/SMLoc.h"
#include <optional>
#include <string>
#include <vector>

namespace cnn {

/// A place where a block, net or loop was used, and the place around that one.
struct UseSite {
  llvm::SMRange range;
  std::string what; // "in block 'residual', used here"
  int parent = -1;  // index in Graph::uses
};

/// A tensor of the graph: an input of the net or the result of a node.
struct GraphTensor {
  mlir::cnn::Shape shape;
  int node = -1;    // the node that computes it; -1: an input
  std::string name; // the input's name or the node's path
  llvm::SMRange range;
  bool batched = true;  // whether there is one for every sample
  int64_t batch = 0;    // how many samples, where a test says it; 0: as the entry point says
  bool integer = false; // of i32
  int param = -1;       // the parameter that it is, in Graph::params; -1: none
};

/// How a parameter that a file declares starts: a kind of InitAttr with its numbers.
struct ParamInit {
  std::string kind;
  double value = 0, second = 0;
};

/// A parameter: `conv1.weight`. Nodes that share a layer share its parameters.
struct GraphParam {
  std::string name;
  mlir::cnn::ParamSpec spec;
  llvm::SMRange range;           // of the layer's call, or of the declaration
  std::optional<ParamInit> init; // none: as the recipe says
};

/// One call of a layer, the gradient of the first operand for the second, or the numbers of the
/// operand as samples of a batch or back as one tensor (neither layer nor gradient).
struct GraphNode {
  const mlir::cnn::LayerDef *layer = nullptr;
  bool gradient = false;
  std::string path; // "b2.residual1.conv1"
  mlir::cnn::LayerArgs arguments;
  llvm::SmallVector<unsigned, 2> operands; // indices in Graph::tensors
  llvm::SmallVector<unsigned, 2> params;   // indices in Graph::params
  /// Parameters that the call gives: the place among the layer's, and the index in Graph::tensors.
  llvm::SmallVector<std::pair<unsigned, unsigned>, 1> given;
  unsigned result = 0; // index in Graph::tensors
  int64_t flops = 0;   // for one sample
  llvm::SMRange range;
  int use = -1; // index in Graph::uses; -1: in the net's own body
};

struct Graph {
  std::string net;
  llvm::SMRange range; // the net's name
  std::vector<GraphTensor> tensors;
  std::vector<GraphParam> params;
  std::vector<GraphNode> nodes; // operands come before their users
  std::vector<UseSite> uses;
  llvm::SmallVector<unsigned, 1> inputs, outputs; // indices in tensors
  std::vector<std::string> outputNames;           // empty where the output has no name
};

/// A line of `cnn summary`.
struct SummaryRow {
  std::string name;        // the layer's path, or the group's at a smaller depth
  std::string op;          // the layer's name in the language; for a group: empty
  mlir::cnn::Shape output; // of one sample
  int64_t params = 0;      // numbers in parameters that no earlier row counted
  int64_t flops = 0;       // for one sample
  int64_t bytes = 0;       // of the results, for one sample
};

/// One row per node, or with `depth` > 0 one per group of nodes whose paths agree in so many parts.
std::vector<SummaryRow> summarize(const Graph &graph, unsigned depth, unsigned elementBytes);

/// Number of elements of a shape, or nothing when it overflows 64 bits.
std::optional<int64_t> countElements(llvm::ArrayRef<int64_t> shape);

/// For a tensor that does not fit into the memory of this machine: "is 9x9, which takes 4 TiB of
/// memory; this machine has 16 GiB". Nothing for one that fits.
std::optional<std::string> describeOversize(llvm::ArrayRef<int64_t> shape, unsigned elementBytes);

} // namespace cnn

#endif // CNNC_COMPILER_FRONTEND_GRAPH_H
