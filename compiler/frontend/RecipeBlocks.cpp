// The recipe's key `recompute` against the blocks of a net.
#include "compiler/frontend/Recipe.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace cnn;
using llvm::StringRef;

/// The names of the outermost blocks, in the net's order.
static llvm::SmallVector<StringRef> getBlocks(const Graph &graph) {
  llvm::SetVector<StringRef> blocks;
  for (const GraphNode &node : graph.nodes)
    if (auto [block, rest] = StringRef(node.path).split('.'); !rest.empty())
      blocks.insert(block);
  return blocks.takeVector();
}

/// Whether `label` is the name of a block or of a layer.
static bool isPart(const Graph &graph, StringRef label) {
  return llvm::any_of(graph.nodes, [&](const GraphNode &node) {
    StringRef rest = node.path;
    return rest.consume_front(label) && (rest.empty() || rest.starts_with("."));
  });
}

std::vector<std::string> cnn::getRecomputed(const Recipe &recipe, const Graph &graph) {
  if (recipe.recompute == "cheap")
    return {"cheap"};
  if (recipe.recompute != "blocks")
    return recipe.recomputed;
  std::vector<std::string> names;
  for (StringRef block : getBlocks(graph))
    names.push_back(block.str());
  return names;
}

bool cnn::checkRecompute(const Recipe &recipe, const Graph &graph, Diagnostics &diagnostics) {
  llvm::SmallVector<StringRef> blocks = getBlocks(graph);
  if (recipe.recompute == "blocks" && blocks.empty()) {
    diagnostics.error(recipe.recomputeRange, "net '" + graph.net + "' has no blocks")
        .hint("write recompute = cheap, or label the parts to compute again: "
              "first: { conv(6, kernel = 5) -> relu }");
    return false;
  }
  bool valid = true;
  for (const std::string &label : recipe.recomputed) {
    if (isPart(graph, label))
      continue;
    diagnostics.error(recipe.recomputeRange, "net '" + graph.net + "' has no block '" + label + "'")
        .hint(blocks.empty() ? "it has no blocks at all"
                             : suggestName(label, blocks, "its outermost blocks are"));
    valid = false;
  }
  return valid;
}
