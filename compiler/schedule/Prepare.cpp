//===- Prepare.cpp - Compute once what depends on the parameters only -------------------===//
//
// In: entry points of inner groups with layouts and algorithms. Out: the same without the groups
// that only parameters reach, and the entry point `prepare` with those. Next: SliceBatch.cpp.
//
//===----------------------------------------------------------------------===//

#include "compiler/schedule/Prepare.h"
#include "compiler/schedule/Passes.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::cnn {
#define GEN_PASS_DEF_PREPAREPASS
#include "compiler/schedule/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

static constexpr llvm::StringLiteral entryName = "prepare";

/// Whether a result goes to the caller's buffer, as it is or in another shape.
static bool isReturned(Operation *op) {
  return llvm::any_of(op->getUsers(), [](Operation *user) {
    return isa<func::ReturnOp>(user) || (isa<ReshapeOp>(user) && isReturned(user));
  });
}

PreparedValues::PreparedValues(func::FuncOp entry) {
  if (!entry.getOps<WriteOp>().empty())
    return;
  // Literals on their own are not worth a buffer: what only they reach stays where it is.
  llvm::DenseSet<Value> literals;
  for (Operation &op : entry.getBody().front()) {
    if (isa<ReadOp>(op))
      values.insert(op.getResult(0));
    else if (isa<LiteralOp>(op))
      literals.insert(op.getResult(0));
    if (!isa<GroupOp, ReshapeOp>(op))
      continue;
    bool fixed = llvm::all_of(op.getOperands(), [&](Value operand) {
      return values.contains(operand) || literals.contains(operand);
    });
    bool reads =
        llvm::any_of(op.getOperands(), [&](Value operand) { return values.contains(operand); });
    if (fixed && !isReturned(&op) && !op.getOperands().empty())
      for (Value result : op.getResults())
        (reads ? values : literals).insert(result);
  }
}

namespace {
struct Prepare : mlir::cnn::impl::PreparePassBase<Prepare> {
  using PreparePassBase::PreparePassBase;

  void runOnOperation() override {
    prepare = {};
    computed.clear();
    numbers.clear();
    names.clear();
    SmallVector<func::FuncOp> entries;
    for (auto entry : getOperation().getOps<func::FuncOp>())
      if (entry.isPublic() && !entry.isDeclaration())
        entries.push_back(entry);
    for (func::FuncOp entry : entries)
      if (failed(runOnEntry(entry)))
        return signalPassFailure();
    if (prepare) {
      OpBuilder b = OpBuilder::atBlockEnd(&prepare.getBody().front());
      func::ReturnOp::create(b, prepare.getLoc());
    }
  }

  LogicalResult runOnEntry(func::FuncOp entry) {
    if (entry.getName() == entryName)
      return entry.emitError() << "the name '" << entryName << "' is that of an entry point";
    PreparedValues prepared(entry);
    SmallVector<Operation *> moved;
    for (Operation &op : entry.getBody().front())
      if (op.getNumResults() > 0 && prepared.contains(op.getResult(0)))
        moved.push_back(&op);
    IRMapping map;
    SmallVector<std::pair<Value, StringRef>> held;
    for (Operation *op : moved) {
      if (!isa<GroupOp>(op))
        continue;
      for (Value result : op->getResults()) {
        bool isRead = llvm::any_of(result.getUsers(), [&](Operation *user) {
          return user->getNumResults() == 0 || !prepared.contains(user->getResult(0));
        });
        if (!isRead)
          continue;
        FailureOr<StringRef> name = getTensorName(cast<OpResult>(result), entry, map);
        if (failed(name))
          return failure();
        held.push_back({result, *name});
      }
    }
    // Only now: what is moved itself uses the values, not what the step before wrote.
    for (auto [result, name] : held) {
      OpBuilder b(result.getDefiningOp());
      result.replaceAllUsesWith(ReadOp::create(b, result.getLoc(), result.getType(), name));
    }
    for (Operation *op : llvm::reverse(moved))
      if (op->use_empty())
        op->erase();
    return success();
  }

  /// The prepared tensor that holds `result`; declared, computed and written if no entry point
  /// before had its like.
  FailureOr<StringRef> getTensorName(OpResult result, func::FuncOp entry, IRMapping &map) {
    Value value = compute(result, entry, map);
    StringAttr &known = names[value];
    if (known)
      return known.getValue();
    ModuleOp module = getOperation();
    auto group = cast<GroupOp>(result.getOwner());
    std::string name = (group.getName() + ".prepared").str();
    if (result.getResultNumber() > 0)
      name += "." + std::to_string(result.getResultNumber());
    if (Operation *other = module.lookupSymbol(name))
      return other->emitError() << "the name '" << name << "' is that of a prepared tensor";
    OpBuilder b(&getContext());
    for (auto param : module.getOps<ParamOp>())
      b.setInsertionPointAfter(param);
    auto zeros = InitAttr::get(&getContext(), "constant", 0, 0, b.getF64FloatAttr(0.0));
    known = b.getStringAttr(name);
    ParamOp::create(b, group.getLoc(), known, TypeAttr::get(result.getType()),
                    b.getStringAttr("prepared"), zeros);
    b.setInsertionPointToEnd(&prepare.getBody().front());
    WriteOp::create(b, group.getLoc(), name, value);
    ++numPrepared;
    return known.getValue();
  }

  /// The value of `prepare` that equals `value`.
  Value compute(Value value, func::FuncOp entry, IRMapping &map) {
    if (Value known = map.lookupOrNull(value))
      return known;
    if (!prepare) {
      OpBuilder b = OpBuilder::atBlockEnd(getOperation().getBody());
      prepare = func::FuncOp::create(b, entry.getLoc(), entryName, b.getFunctionType({}, {}));
      prepare.addEntryBlock();
    }
    Operation *op = value.getDefiningOp();
    for (Value operand : op->getOperands())
      compute(operand, entry, map);
    std::string key = getKey(op, map);
    auto [at, isNew] = computed.try_emplace(key);
    if (isNew) {
      OpBuilder b = OpBuilder::atBlockEnd(&prepare.getBody().front());
      at->second = b.clone(*op, map);
      for (Value result : at->second->getResults())
        numbers.try_emplace(result, numbers.size());
    }
    map.map(op->getResults(), at->second->getResults());
    return map.lookup(value);
  }

  /// What two operations have in common that compute the same: all but a group's name and reason.
  std::string getKey(Operation *op, IRMapping &map) {
    std::string key;
    llvm::raw_string_ostream out(key);
    Operation *copy = op->clone();
    if (auto group = dyn_cast<GroupOp>(copy)) {
      group.setName("");
      group.removeReasonAttr();
    }
    for (Value operand : op->getOperands())
      out << numbers.lookup(map.lookup(operand)) << ' ';
    copy->setOperands({});
    out << copy->getName() << copy->getAttrDictionary();
    llvm::interleaveComma(copy->getResultTypes(), out);
    for (Region &region : copy->getRegions())
      for (Operation &inner : region.front())
        inner.print(out, OpPrintingFlags().useLocalScope());
    copy->erase();
    return key;
  }

  func::FuncOp prepare;
  llvm::StringMap<Operation *> computed;
  llvm::DenseMap<Value, size_t> numbers;
  llvm::DenseMap<Value, StringAttr> names;
};
} // namespace
