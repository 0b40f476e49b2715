//===- CnnAttrs.cpp - Layouts and schedules --------------------------------------------------===//

#include "dialect/CnnDialect.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

/// `[1, 2]`, or `[]` for a nest without dimensions.
static ParseResult parseExtents(AsmParser &parser, SmallVector<int64_t> &extents) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&]() -> ParseResult {
    return parser.parseInteger(extents.emplace_back());
  });
}

static void printExtents(AsmPrinter &printer, ArrayRef<int64_t> extents) {
  printer << '[' << extents << ']';
}

/// `, tile = [1, 2], instruction = "tf32", stages = 2, vector = 4`, each of which may be absent.
static ParseResult parseGpuKeys(AsmParser &parser, SmallVector<int64_t> &tile,
                                std::string &instruction, int64_t &stages, int64_t &vector) {
  instruction = "fma";
  stages = vector = 1;
  while (succeeded(parser.parseOptionalComma())) {
    StringRef key;
    SMLoc loc = parser.getCurrentLocation();
    if (parser.parseKeyword(&key) || parser.parseEqual())
      return failure();
    ParseResult value = failure();
    if (key == "tile")
      value = parseExtents(parser, tile);
    else if (key == "instruction")
      value = parser.parseString(&instruction);
    else if (key == "stages" || key == "vector")
      value = parser.parseInteger(key == "stages" ? stages : vector);
    else
      return parser.emitError(loc)
             << "'" << key << "' is none of tile, instruction, stages and vector";
    if (failed(value))
      return failure();
  }
  return success();
}

static void printGpuKeys(AsmPrinter &printer, ArrayRef<int64_t> tile, StringRef instruction,
                         int64_t stages, int64_t vector) {
  if (!tile.empty())
    printer << ", tile = [" << tile << ']';
  if (instruction != "fma")
    printer << ", instruction = \"" << instruction << '"';
  if (stages != 1)
    printer << ", stages = " << stages;
  if (vector != 1)
    printer << ", vector = " << vector;
}

#define GET_ATTRDEF_CLASSES
#include "dialect/CnnAttrs.cpp.inc"

LogicalResult LayoutAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 ArrayRef<int64_t> order, int64_t block, ArrayRef<int64_t> halo,
                                 ArrayRef<int64_t> pad) {
  SmallVector<int> seen(order.size(), 0);
  int64_t split = -1;
  for (int64_t dim : order) {
    if (dim < 0 || dim >= static_cast<int64_t>(order.size()))
      return emitError() << "layout order names dimension " << dim << " of " << order.size();
    if (++seen[dim] == 2) {
      if (split >= 0)
        return emitError() << "layout splits dimensions " << split << " and " << dim
                           << "; at most one can be split (C1)";
      split = dim;
    }
    if (seen[dim] > 2)
      return emitError() << "layout names dimension " << dim << " three times (C1)";
  }
  int64_t rank = static_cast<int64_t>(order.size()) - (split >= 0);
  for (int64_t dim = 0; dim < rank; ++dim)
    if (!seen[dim])
      return emitError() << "layout leaves out dimension " << dim << " (C1)";
  if (split >= 0 && order.back() != split)
    return emitError() << "split dimension " << split << " must stand last in the order (C2)";
  if ((split >= 0) != (block > 1))
    return emitError() << "block is " << block << ", expected "
                       << (split >= 0 ? "more than 1 for a split dimension" : "1 without a split")
                       << " (C2)";
  if (!halo.empty() && static_cast<int64_t>(halo.size()) != rank)
    return emitError() << "halo has " << halo.size() << " entries for " << rank
                       << " dimensions (C3)";
  for (auto [dim, zeros] : llvm::enumerate(halo))
    if (zeros < 0 || (zeros > 0 && static_cast<int64_t>(dim) == split))
      return emitError() << "halo of dimension " << dim << " is " << zeros << " (C3)";
  if (!pad.empty() && static_cast<int64_t>(pad.size()) != rank)
    return emitError() << "pad has " << pad.size() << " entries for " << rank << " dimensions (C4)";
  for (auto [dim, unused] : llvm::enumerate(pad))
    if (unused < 0)
      return emitError() << "pad of dimension " << dim << " is " << unused << " (C4)";
  return success();
}

LogicalResult LayoutAttr::verifyEncoding(ArrayRef<int64_t> shape, Type,
                                         function_ref<InFlightDiagnostic()> emitError) const {
  if (static_cast<int64_t>(shape.size()) != getRank())
    return emitError() << "layout has " << getRank() << " dimensions, the tensor " << shape.size();
  return success();
}

LogicalResult SliceScheduleAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t block,
                                        int64_t count, ArrayRef<int64_t> tiles) {
  if (block < 1 || count < 1 || (!tiles.empty() && tiles.size() != 2) ||
      llvm::any_of(tiles, [](int64_t extent) { return extent < 1; }))
    return emitError() << "slices have positive block and count, and no tiles or two positive "
                          "numbers of them (C1)";
  return success();
}

int64_t SliceScheduleAttr::getNumItems() const {
  int64_t items = getCount();
  for (int64_t extent : getTiles())
    items *= extent;
  return items;
}

int64_t LayoutAttr::getBlockedDim() const { return getBlock() > 1 ? getOrder().back() : -1; }

int64_t LayoutAttr::getRank() const {
  return static_cast<int64_t>(getOrder().size()) - (getBlock() > 1);
}

int64_t LayoutAttr::getHaloOf(int64_t dim) const { return getHalo().empty() ? 0 : getHalo()[dim]; }

int64_t LayoutAttr::getPadOf(int64_t dim) const { return getPad().empty() ? 0 : getPad()[dim]; }

LayoutAttr LayoutAttr::withPad(int64_t dim, int64_t count) const {
  SmallVector<int64_t> pad(getPad());
  pad.resize(getRank(), 0);
  pad[dim] = count;
  if (llvm::all_of(pad, [](int64_t unused) { return unused == 0; }))
    pad.clear();
  return get(getContext(), getOrder(), getBlock(), getHalo(), pad);
}

SmallVector<int64_t> LayoutAttr::getPhysicalShape(ArrayRef<int64_t> logical) const {
  SmallVector<int64_t> shape;
  int64_t split = getBlockedDim();
  for (auto [position, dim] : llvm::enumerate(getOrder())) {
    if (dim != split)
      shape.push_back(logical[dim] + 2 * getHaloOf(dim) + getPadOf(dim));
    else if (position + 1 == getOrder().size())
      shape.push_back(getBlock());
    else
      shape.push_back(llvm::divideCeil(logical[dim], getBlock()) + getPadOf(dim));
  }
  return shape;
}

LayoutAttr LayoutAttr::getPlain(MLIRContext *context, int64_t rank) {
  return get(context, llvm::to_vector(llvm::seq<int64_t>(0, rank)), 1, {});
}

LayoutAttr LayoutAttr::getBatchInnermost(MLIRContext *context, int64_t rank, int64_t block) {
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (block > 1)
    order.push_back(0);
  return get(context, order, block, {});
}

bool LayoutAttr::isPlain() const {
  auto isZero = [](int64_t count) { return count == 0; };
  return getBlock() == 1 && llvm::equal(getOrder(), llvm::seq<int64_t>(0, getRank())) &&
         llvm::all_of(getHalo(), isZero) && llvm::all_of(getPad(), isZero);
}

// <order = [N, N], block = N[, halo = [N, N]][, pad = [N, N]]>
Attribute LayoutAttr::parse(AsmParser &parser, Type) {
  SmallVector<int64_t> order, halo, pad;
  int64_t block = 1;
  auto parseList = [&](SmallVector<int64_t> &list) {
    return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                          [&] { return parser.parseInteger(list.emplace_back()); });
  };
  SMLoc at = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseKeyword("order") || parser.parseEqual() ||
      parseList(order) || parser.parseComma() || parser.parseKeyword("block") ||
      parser.parseEqual() || parser.parseInteger(block))
    return {};
  while (succeeded(parser.parseOptionalComma())) {
    StringRef part;
    SMLoc where = parser.getCurrentLocation();
    if (parser.parseKeyword(&part) || parser.parseEqual())
      return {};
    if (part != "halo" && part != "pad") {
      parser.emitError(where) << "expected halo or pad, not '" << part << "'";
      return {};
    }
    if (parseList(part == "halo" ? halo : pad))
      return {};
  }
  if (parser.parseGreater())
    return {};
  return getChecked([&] { return parser.emitError(at); }, parser.getContext(), order, block, halo,
                    pad);
}

void LayoutAttr::print(AsmPrinter &printer) const {
  auto printList = [&](StringRef name, ArrayRef<int64_t> list) {
    printer << name << " = [";
    llvm::interleaveComma(list, printer);
    printer << "]";
  };
  printList("<order", getOrder());
  printer << ", block = " << getBlock();
  if (!getHalo().empty())
    printList(", halo", getHalo());
  if (!getPad().empty())
    printList(", pad", getPad());
  printer << ">";
}

// <"kind"[, fan_in = N][, fan_out = N][, value = X][, second = X]>
Attribute InitAttr::parse(AsmParser &parser, Type) {
  std::string kind;
  int64_t fanIn = 0, fanOut = 0;
  FloatAttr value, second;
  if (parser.parseLess() || parser.parseString(&kind))
    return {};
  while (succeeded(parser.parseOptionalComma())) {
    StringRef part;
    SMLoc at = parser.getCurrentLocation();
    if (parser.parseKeyword(&part) || parser.parseEqual())
      return {};
    ParseResult result = failure();
    if (part == "fan_in")
      result = parser.parseInteger(fanIn);
    else if (part == "fan_out")
      result = parser.parseInteger(fanOut);
    else if (part == "value")
      result = parser.parseAttribute(value);
    else if (part == "second")
      result = parser.parseAttribute(second);
    else
      parser.emitError(at) << "expected fan_in, fan_out, value or second, not '" << part << "'";
    if (failed(result))
      return {};
  }
  if (parser.parseGreater())
    return {};
  return get(parser.getContext(), kind, fanIn, fanOut, value, second);
}

void InitAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printer.printString(getKind());
  if (getFanIn())
    printer << ", fan_in = " << getFanIn();
  if (getFanOut())
    printer << ", fan_out = " << getFanOut();
  if (getValue())
    printer << ", value = " << getValue();
  if (getSecond())
    printer << ", second = " << getSecond();
  printer << ">";
}

void CnnDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialect/CnnAttrs.cpp.inc"
      >();
}
