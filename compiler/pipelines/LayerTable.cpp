// Walks the groups of every entry point; the reason is the last column because it is the longest.
#include "compiler/pipelines/LayerTable.h"
#include "compiler/transforms/LayerName.h"
#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <array>
#include <vector>

using namespace mlir;

namespace {
constexpr size_t numColumns = 7;
using Row = std::array<std::string, numColumns>;

class LayerTable {
public:
  explicit LayerTable(ModuleOp module) : module(module) {
    module.walk([&](Operation *op) {
      if (!isa<mlir::cnn::GroupOp>(op))
        names.insert(mlir::cnn::getLocName(op->getLoc()));
    });
  }
  std::string print();

private:
  StringRef layerOf(StringRef group) const;
  Row rowOf(mlir::cnn::GroupOp group) const;

  ModuleOp module;
  llvm::StringSet<> names; // of operations: of layers, and of their gradients and updates
};
} // namespace

/// The shortest part of a group's name that an operation has as its own: `b1.conv1` of
/// `b1.conv1.weight_grad.slices`.
StringRef LayerTable::layerOf(StringRef group) const {
  for (size_t dot = group.find('.'); dot != StringRef::npos; dot = group.find('.', dot + 1))
    if (names.contains(group.take_front(dot)))
      return group.take_front(dot);
  return group.split('.').first;
}

static std::string joined(ArrayRef<int64_t> numbers) {
  std::string text;
  llvm::raw_string_ostream out(text);
  llvm::interleave(numbers, out, "x");
  return text;
}

/// "plain", "blocks of 16 on dim 0", "blocks of 16 on dim 0, halo 0x0x2x2".
static std::string layoutText(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  auto layout = dyn_cast_or_null<mlir::cnn::LayoutAttr>(tensor.getEncoding());
  if (!layout || layout.isPlain())
    return "plain";
  std::string text = "order " + joined(layout.getOrder());
  if (layout.getBlock() > 1)
    text = "blocks of " + std::to_string(layout.getBlock()) + " on dim " +
           std::to_string(layout.getBlockedDim());
  if (!layout.getHalo().empty())
    text += ", halo " + joined(layout.getHalo());
  if (!layout.getPad().empty())
    text += ", pad " + joined(layout.getPad());
  return text;
}

Row LayerTable::rowOf(mlir::cnn::GroupOp group) const {
  Row row = {layerOf(group.getName()).str(), group.getName().str()};
  row.back() = group.getReason().value_or("").str();
  if (mlir::cnn::SliceScheduleAttr slices = group.getSliceSchedule()) {
    row[0] = "";
    row[2] = std::to_string(slices.getCount()) + " slices of " + std::to_string(slices.getBlock());
    return row;
  }
  for (Operation &op : group.getBody().front().without_terminator())
    row[2] += (row[2].empty() ? "" : " + ") + op.getName().stripDialect().str();
  if (group.getNumResults())
    row[3] = layoutText(group.getResult(0).getType());
  if (mlir::cnn::NestScheduleAttr nest = group.getNestSchedule()) {
    row[4] = nest.getAlgorithm().str();
    row[5] = joined(nest.getTile()) + ", vector " + std::to_string(nest.getVector());
  } else if (Attribute other = group.getScheduleAttr()) {
    llvm::raw_string_ostream(row[4]) << other;
  }
  return row;
}

std::string LayerTable::print() {
  std::string text;
  llvm::raw_string_ostream out(text);
  for (auto entry : module.getOps<func::FuncOp>()) {
    std::vector<Row> rows = {
        {"layer", "kernel", "operations", "layout", "algorithm", "tile", "reason"}};
    entry.walk<WalkOrder::PreOrder>(
        [&](mlir::cnn::GroupOp group) { rows.push_back(rowOf(group)); });
    std::array<size_t, numColumns> widths = {};
    for (const Row &row : rows)
      for (size_t i = 0; i < numColumns; ++i)
        widths[i] = std::max(widths[i], row[i].size());
    out << (text.empty() ? "" : "\n") << entry.getSymName() << "\n";
    for (const Row &row : rows) {
      std::string line;
      for (size_t i = 0; i < numColumns; ++i)
        line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
      out << StringRef(line).rtrim() << "\n";
    }
  }
  return text;
}

namespace cnn {
std::string layerTable(mlir::ModuleOp module) { return LayerTable(module).print(); }
} // namespace cnn
