// What can be read off a graph without compiling it: the rows of `cnn summary`.
#include "compiler/frontend/Graph.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <unistd.h>

using namespace cnn;
using llvm::StringRef;

namespace {

/// "64 GiB" for a number of bytes.
std::string formatBytes(uint64_t bytes) {
  static constexpr StringRef units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  unsigned unit = 0;
  double size = bytes;
  for (; size >= 1024 && unit + 1 < std::size(units); ++unit)
    size /= 1024;
  std::string text;
  llvm::raw_string_ostream out(text);
  if (size >= 10 || size == static_cast<uint64_t>(size))
    out << static_cast<uint64_t>(size);
  else
    out << static_cast<uint64_t>(size) << "." << static_cast<uint64_t>(size * 10) % 10;
  out << " " << units[unit];
  return text;
}

uint64_t physicalMemory() {
  return static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE);
}

} // namespace

std::optional<int64_t> cnn::countElements(llvm::ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    if (llvm::MulOverflow(count, extent, count))
      return std::nullopt;
  return count;
}

/// The first `depth` parts of a path.
static StringRef groupOf(StringRef path, unsigned depth) {
  size_t end = 0;
  for (unsigned i = 0; i < depth; ++i) {
    end = path.find('.', i == 0 ? 0 : end + 1);
    if (end == StringRef::npos)
      return path;
  }
  return path.take_front(end);
}

std::vector<SummaryRow> cnn::summarize(const Graph &graph, unsigned depth, unsigned elementBytes) {
  std::vector<SummaryRow> rows;
  llvm::DenseSet<unsigned> counted;
  for (const GraphNode &node : graph.nodes) {
    StringRef name = depth ? groupOf(node.path, depth) : StringRef(node.path);
    bool whole = name == node.path;
    if (rows.empty() || whole || rows.back().name != name) {
      SummaryRow row;
      row.name = name.str();
      if (whole)
        row.op = node.layer->name.str();
      rows.push_back(row);
    }
    SummaryRow &row = rows.back();
    row.output = graph.tensors[node.result].shape;
    row.flops += node.flops;
    row.bytes += countElements(row.output).value_or(0) * elementBytes;
    llvm::SmallVector<unsigned> params(node.params.begin(), node.params.end());
    for (unsigned operand : node.operands)
      if (graph.tensors[operand].param >= 0)
        params.push_back(graph.tensors[operand].param);
    for (unsigned param : params)
      if (counted.insert(param).second && !graph.params[param].spec.running)
        row.params += countElements(graph.params[param].spec.shape).value_or(0);
  }
  return rows;
}

std::optional<std::string> cnn::describeOversize(llvm::ArrayRef<int64_t> shape,
                                                 unsigned elementBytes) {
  uint64_t memory = physicalMemory();
  std::optional<int64_t> elements = countElements(shape);
  if (elements && static_cast<uint64_t>(*elements) <= memory / elementBytes)
    return std::nullopt;
  std::string size = elements && *elements < (int64_t(1) << 59)
                         ? formatBytes(*elements * elementBytes)
                         : "more than 2 EiB";
  return "is " + mlir::cnn::formatShape(shape) + ", which takes " + size +
         " of memory; this machine has " + formatBytes(memory);
}
