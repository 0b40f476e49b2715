//===- GroupInfo.cpp - The roles of the operations of an inner group -------------------------===//

#include "compiler/schedule/GroupInfo.h"
#include "llvm/ADT/SmallPtrSet.h"

#include <cmath>

using namespace mlir;
using namespace mlir::cnn;

LinearForm LinearForm::getConstant(int64_t value, unsigned numDims) {
  LinearForm form;
  form.coefficients.assign(numDims, 0);
  form.constant = value;
  return form;
}

LinearForm LinearForm::getDim(unsigned dim, unsigned numDims) {
  LinearForm form = getConstant(0, numDims);
  form.coefficients[dim] = 1;
  return form;
}

LinearForm LinearForm::get(AffineExpr expr, unsigned numDims) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return getConstant(constant.getValue(), numDims);
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return getDim(dim.getPosition(), numDims);
  auto binary = cast<AffineBinaryOpExpr>(expr);
  LinearForm lhs = get(binary.getLHS(), numDims), rhs = get(binary.getRHS(), numDims);
  LinearForm form = getConstant(0, numDims);
  if (binary.getKind() == AffineExprKind::Add) {
    for (unsigned dim = 0; dim < numDims; ++dim)
      form.coefficients[dim] = lhs.coefficients[dim] + rhs.coefficients[dim];
    form.constant = lhs.constant + rhs.constant;
    return form;
  }
  assert(binary.getKind() == AffineExprKind::Mul && "maps of nests are linear");
  if (llvm::any_of(lhs.coefficients, [](int64_t value) { return value != 0; }))
    std::swap(lhs, rhs);
  for (unsigned dim = 0; dim < numDims; ++dim)
    form.coefficients[dim] = lhs.constant * rhs.coefficients[dim];
  form.constant = lhs.constant * rhs.constant;
  return form;
}

LinearForm LinearForm::compose(ArrayRef<LinearForm> forms, unsigned numDims) const {
  LinearForm result = getConstant(constant, numDims);
  for (auto [dim, factor] : llvm::enumerate(coefficients)) {
    if (factor == 0)
      continue;
    for (unsigned inner = 0; inner < numDims; ++inner)
      result.coefficients[inner] += factor * forms[dim].coefficients[inner];
    result.constant += factor * forms[dim].constant;
  }
  return result;
}

int64_t LinearForm::getSingleDim() const {
  int64_t found = -1;
  for (auto [dim, factor] : llvm::enumerate(coefficients)) {
    if (factor == 0)
      continue;
    if (factor != 1 || found >= 0)
      return -1;
    found = dim;
  }
  return constant == 0 ? found : -1;
}

bool LinearForm::runsAlongBlocks(unsigned dim, int64_t block) const {
  if (coefficients[dim] != 1 || constant % block != 0)
    return false;
  for (auto [other, factor] : llvm::enumerate(coefficients))
    if (other != dim && factor % block != 0)
      return false;
  return true;
}

SmallVector<LinearForm> mlir::cnn::getForms(AffineMap map) {
  SmallVector<LinearForm> forms;
  for (AffineExpr expr : map.getResults())
    forms.push_back(LinearForm::get(expr, map.getNumDims()));
  return forms;
}

bool mlir::cnn::isPointwise(Operation *op) {
  auto nestOp = dyn_cast<NestOpInterface>(op);
  if (!nestOp)
    return false;
  Nest nest = nestOp.getNest();
  return !nest.scatter && nest.numParallel == nest.getNumDims() &&
         llvm::all_of(nest.resultMaps, [](AffineMap map) { return map.isIdentity(); });
}

/// Whether a pointwise `op` reads an operand at the point that it computes.
static bool readsSamePoint(NestOpInterface op, AffineMap map) {
  Nest nest = op.getNest();
  return map.getNumResults() == nest.getNumDims() &&
         llvm::all_of(llvm::enumerate(map.getResults()), [&](auto result) {
           return nest.sizes[result.index()] == 1 ||
                  getAffineDimExpr(result.index(), map.getContext()) == result.value();
         });
}

/// Whether `op` reduces windows that tile its first operand, and by which factor per dimension.
static bool isTilingPool(NestOpInterface op, SmallVectorImpl<int64_t> &factors) {
  Nest nest = op.getNest();
  if (nest.scatter || nest.numParallel == nest.getNumDims())
    return false;
  auto type = cast<RankedTensorType>(op->getOperand(0).getType());
  factors.assign(type.getRank(), 1);
  for (auto [dim, form] : llvm::enumerate(getForms(nest.operandMaps[0]))) {
    int64_t window = 1, step = 0;
    for (unsigned d = 0; d < nest.getNumDims(); ++d) {
      if (form.coefficients[d] == 0)
        continue;
      if (nest.isParallel(d) && step == 0)
        step = form.coefficients[d];
      else if (!nest.isParallel(d) && window == 1 && form.coefficients[d] == 1)
        window = nest.sizes[d];
      else
        return false;
    }
    if (form.constant != 0 || step != window || type.getDimSize(dim) % window)
      return false;
    factors[dim] = window;
  }
  return true;
}

llvm::SmallPtrSet<Operation *, 8> mlir::cnn::getFeeding(Operation *op) {
  llvm::SmallPtrSet<Operation *, 8> feeding;
  SmallVector<Operation *> work = {op};
  while (!work.empty())
    for (Value operand : work.pop_back_val()->getOperands())
      if (Operation *def = operand.getDefiningOp())
        if (feeding.insert(def).second)
          work.push_back(def);
  return feeding;
}

FailureOr<GroupInfo> GroupInfo::get(GroupOp group) {
  GroupInfo info;
  Block &block = group.getBody().front();
  SmallVector<NestOpInterface> ops;
  for (Operation &op : block.without_terminator()) {
    auto nestOp = dyn_cast<NestOpInterface>(op);
    if (!nestOp)
      return op.emitError() << "'" << op.getName() << "' has no loop nest and cannot be in a group";
    ops.push_back(nestOp);
  }
  if (ops.empty())
    return group.emitError() << "group '" << group.getName() << "' is empty";

  // The anchor is the first operation that is not pointwise; if there is none, or it reduces what a
  // pointwise one yields, the first one that is yielded, so that those before it feed it and those
  // behind are computed with it.
  auto at = llvm::find_if(ops, [](NestOpInterface op) { return !isPointwise(op); });
  auto yielded = llvm::find_if(
      ops, [](NestOpInterface op) { return llvm::any_of(op->getUsers(), llvm::IsaPred<YieldOp>); });
  if (at == ops.end() || (yielded < at && isTilingPool(*at, info.poolFactors)))
    at = yielded;
  if (at == ops.end())
    --at;
  info.anchor = *at;
  info.nest = info.anchor.getNest();

  // What the anchor reads through is the prologue; all else must follow from the anchor's results.
  llvm::SmallPtrSet<Operation *, 8> feeding = getFeeding(info.anchor);
  // What is read at other points than the one that is computed, such as what a flip reads, is not
  // in registers there.
  llvm::SmallPtrSet<Operation *, 8> readElsewhere;
  for (NestOpInterface op : llvm::reverse(ops)) {
    if (!isPointwise(op))
      continue;
    for (auto [operand, map] : llvm::zip(op->getOperands(), op.getNest().operandMaps))
      if (Operation *def = operand.getDefiningOp())
        if (isPointwise(def) && (readElsewhere.contains(op) || !readsSamePoint(op, map)))
          readElsewhere.insert(def);
  }
  auto shape = cast<RankedTensorType>(info.anchor->getResult(0).getType()).getShape();
  llvm::SmallPtrSet<Operation *, 8> following = {info.anchor};
  for (NestOpInterface op : ops) {
    if (op == info.anchor)
      continue;
    if (feeding.contains(op)) {
      info.prologue.push_back(op);
      continue;
    }
    auto follows = [&](Value operand) { return following.contains(operand.getDefiningOp()); };
    if (llvm::any_of(op->getOperands(), follows))
      following.insert(op);
    if (isPointwise(op)) {
      for (auto [operand, map] : llvm::zip(op->getOperands(), op.getNest().operandMaps))
        if (follows(operand) && !readsSamePoint(op, map))
          return op.emitError() << "group '" << group.getName() << "': '"
                                << op->getName().stripDialect() << "' reads '"
                                << operand.getDefiningOp()->getName().stripDialect()
                                << "' at other points than the one that is computed";
      bool small =
          llvm::equal(cast<RankedTensorType>(op->getResult(0).getType()).getShape(), shape);
      if (info.pool && !small)
        info.afterPool.push_back(op);
      else if (small && !readElsewhere.contains(op))
        info.epilogue.push_back(op);
      else if (!info.pool)
        // A pointwise operation on something smaller is read through where it is used.
        info.prologue.push_back(op);
      else
        return op.emitError() << "operation does not fit group '" << group.getName() << "'";
      continue;
    }
    // A pooling has what it reads in registers.
    auto isComputed = [&](Value value) {
      Operation *def = value.getDefiningOp();
      return def && (def == info.anchor || llvm::is_contained(info.epilogue, def) ||
                     info.isAfterPool(def));
    };
    SmallVector<int64_t> factors;
    if (!isTilingPool(op, factors) || (info.pool && factors != info.poolFactors) ||
        !llvm::all_of(op->getOperands(), isComputed))
      return op.emitError() << "group '" << group.getName() << "' already has the anchor '"
                            << info.anchor->getName() << "'";
    if (info.pool) {
      info.afterPool.push_back(op);
      continue;
    }
    info.pool = op;
    info.poolFactors = factors;
  }
  if (info.nest.scatter && (info.pool || !info.epilogue.empty())) {
    Operation *next = info.pool ? info.pool.getOperation() : info.epilogue.front();
    return group.emitError() << "group '" << group.getName() << "': the results of '"
                             << info.anchor->getName().stripDialect()
                             << "' are complete only after all of its points, and '"
                             << next->getName().stripDialect() << "' follows it";
  }
  return info;
}

SmallVector<Operation *> GroupInfo::getFromPool() const {
  SmallVector<Operation *> ops;
  if (NestOpInterface first = pool)
    ops.push_back(first);
  llvm::append_range(ops, afterPool);
  return ops;
}

int64_t GroupInfo::getTileDim(const LinearForm &form) const {
  for (const Transform &transform : nest.transforms)
    if (form.coefficients[transform.result] == 1)
      return transform.result;
  return form.getSingleDim();
}

/// Collects the reads of `value` at `forms`, through the pointwise operations that compute it.
static void collectReads(Value value, ArrayRef<LinearForm> forms, unsigned numDims, bool pooled,
                         double padding, const llvm::SmallPtrSetImpl<Operation *> &stops,
                         SmallVectorImpl<GroupInfo::Read> &reads) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    reads.push_back({argument.getArgNumber(), SmallVector<LinearForm>(forms), pooled, padding});
    return;
  }
  Operation *def = value.getDefiningOp();
  if (stops.contains(def))
    return;
  Nest nest = cast<NestOpInterface>(def).getNest();
  if (std::isnan(nest.padding))
    padding = nest.padding;
  for (auto [operand, map] : llvm::zip(def->getOperands(), nest.operandMaps)) {
    SmallVector<LinearForm> inner;
    for (const LinearForm &form : getForms(map))
      inner.push_back(form.compose(forms, numDims));
    collectReads(operand, inner, numDims, pooled, padding, stops, reads);
  }
}

SmallVector<GroupInfo::Read> GroupInfo::getReads() const {
  SmallVector<Read> reads;
  // What is computed in registers is not read again.
  llvm::SmallPtrSet<Operation *, 8> computed(epilogue.begin(), epilogue.end());
  computed.insert(anchor);
  if (pool)
    computed.insert(pool);
  computed.insert(afterPool.begin(), afterPool.end());
  auto readOperands = [&](Operation *op, ArrayRef<AffineMap> maps, ArrayRef<LinearForm> at,
                          unsigned numDims, bool pooled, double padding) {
    for (auto [operand, map] : llvm::zip(op->getOperands(), maps)) {
      SmallVector<LinearForm> forms;
      for (const LinearForm &form : getForms(map))
        forms.push_back(at.empty() ? form : form.compose(at, numDims));
      collectReads(operand, forms, numDims, pooled, padding, computed, reads);
    }
  };
  readOperands(anchor, nest.operandMaps, {}, nest.getNumDims(), false, nest.padding);
  SmallVector<LinearForm> result = getResultForms();
  auto paddingOf = [](const Nest &inner) {
    return std::isnan(inner.padding) ? inner.padding : 0.0;
  };
  for (Operation *op : epilogue) {
    Nest inner = cast<NestOpInterface>(op).getNest();
    readOperands(op, inner.operandMaps, result, nest.getNumDims(), false, paddingOf(inner));
  }
  for (Operation *op : afterPool) {
    if (!isPointwise(op))
      continue; // A further pooling has what it reads in registers.
    unsigned rank = cast<RankedTensorType>(op->getResult(0).getType()).getRank();
    SmallVector<LinearForm> identity;
    for (unsigned dim = 0; dim < rank; ++dim)
      identity.push_back(LinearForm::getDim(dim, rank));
    Nest inner = cast<NestOpInterface>(op).getNest();
    readOperands(op, inner.operandMaps, identity, rank, true, paddingOf(inner));
  }
  return reads;
}

bool GroupInfo::mayOverwrite(unsigned argument) const {
  if (nest.scatter || pool || !nest.transforms.empty() || nest.numParallel != nest.getNumDims())
    return false;
  SmallVector<LinearForm> result = getResultForms();
  auto isSame = [](const LinearForm &a, const LinearForm &b) {
    return a.constant == b.constant && a.coefficients == b.coefficients;
  };
  return llvm::all_of(getReads(), [&](const Read &read) {
    return read.argument != argument || llvm::equal(read.forms, result, isSame);
  });
}

SmallVector<int64_t> GroupInfo::getReach(const Read &read, RankedTensorType type) const {
  SmallVector<int64_t> reach;
  for (auto [dim, form] : llvm::enumerate(read.forms)) {
    int64_t low = form.constant, high = form.constant;
    for (unsigned d = 0; d < nest.getNumDims(); ++d)
      (form.coefficients[d] < 0 ? low : high) += form.coefficients[d] * (nest.sizes[d] - 1);
    reach.push_back(std::max<int64_t>({-low, high - (type.getDimSize(dim) - 1), 0}));
  }
  return reach;
}
