//===- Factor.cpp - What a factor of a product is computed from ------------------------------===//

#include "compiler/schedule/Factor.h"
#include "compiler/schedule/Strides.h"

using namespace mlir;
using namespace mlir::cnn;

/// Whether indices inside of `shape` give ones inside of `bounds`.
static bool staysInside(ArrayRef<LinearForm> forms, ArrayRef<int64_t> shape,
                        ArrayRef<int64_t> bounds) {
  return llvm::all_of(llvm::zip(forms, bounds), [&](auto pair) {
    auto [form, bound] = pair;
    int64_t low = form.constant, high = form.constant;
    for (auto [factor, extent] : llvm::zip(form.coefficients, shape))
      (factor < 0 ? low : high) += factor * (extent - 1);
    return low >= 0 && high < bound;
  });
}

/// Adds what `value` is computed from, whose indices in terms of those of the factor are `forms`.
static void collect(Factor &factor, Value value, ArrayRef<LinearForm> forms) {
  RankedTensorType whole = getTensor(factor.value), type = getTensor(value);
  auto rank = static_cast<unsigned>(whole.getRank());
  factor.isRegular &= staysInside(forms, whole.getShape(), type.getShape());
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto isSame = [](const LinearForm &a, const LinearForm &b) {
      return a.constant == b.constant && a.coefficients == b.coefficients;
    };
    auto *found = llvm::find_if(
        factor.inputs, [&](const Factor::Input &input) { return input.argument == argument; });
    if (found == factor.inputs.end())
      factor.inputs.push_back({argument, SmallVector<LinearForm>(forms),
                               type.getNumElements() == whole.getNumElements()});
    else
      factor.isRegular &= llvm::equal(found->forms, forms, isSame);
    return;
  }
  auto op = cast<NestOpInterface>(value.getDefiningOp());
  for (auto [operand, map] : llvm::zip(op->getOperands(), op.getNest().operandMaps)) {
    SmallVector<LinearForm> inner;
    for (const LinearForm &form : getForms(map))
      inner.push_back(form.compose(forms, rank));
    collect(factor, operand, inner);
  }
  SmallVector<unsigned> used;
  (void)countBody(op, &used);
  for (unsigned dim : used)
    factor.indices.push_back(forms[dim]);
  if (!llvm::is_contained(factor.ops, op))
    factor.ops.push_back(op);
}

Factor Factor::get(Value value) {
  Factor factor;
  factor.value = value;
  auto rank = static_cast<unsigned>(getTensor(value).getRank());
  SmallVector<LinearForm> identity;
  for (unsigned dim = 0; dim < rank; ++dim)
    identity.push_back(LinearForm::getDim(dim, rank));
  collect(factor, value, identity);
  return factor;
}

static bool isUsed(ArrayRef<LinearForm> forms, ArrayRef<unsigned> dims) {
  return llvm::any_of(forms, [&](const LinearForm &form) {
    return llvm::any_of(dims, [&](unsigned dim) { return form.uses(dim); });
  });
}

/// Whether every four neighbours along the dimensions `linear` of the nest, the fastest first, lie
/// side by side in a tensor with these indices, from a multiple of four elements on.
static bool liesInFours(const Nest &nest, RankedTensorType type, ArrayRef<LinearForm> forms,
                        ArrayRef<unsigned> linear) {
  LayoutAttr layout = getLayoutOf(type);
  SmallVector<int64_t> strides = getStrides(forms, type.getShape(), layout);
  int64_t constant = 0, extent = 1;
  for (auto [form, step] : llvm::zip(forms, getStrides(type.getShape(), layout)))
    constant += form.constant * step;
  if (constant % Factor::wide != 0)
    return false;
  for (unsigned dim : linear) {
    if (nest.sizes[dim] > 1 && strides[dim] != extent)
      return false;
    extent *= nest.sizes[dim];
  }
  for (unsigned dim = 0; dim < nest.getNumDims(); ++dim)
    if (nest.sizes[dim] > 1 && !llvm::is_contained(linear, dim) && strides[dim] % Factor::wide != 0)
      return false;
  return true;
}

bool Factor::isContiguous(const GroupInfo &info, unsigned operand, ArrayRef<unsigned> along,
                          function_ref<int64_t(unsigned)> getAlignment) {
  const Nest &nest = info.nest;
  // The last dimensions, as many as it takes.
  SmallVector<unsigned> linear;
  int64_t extent = 1;
  for (unsigned dim : llvm::reverse(along)) {
    if (extent % wide == 0)
      break;
    linear.push_back(dim);
    extent *= nest.sizes[dim];
  }
  SmallVector<LinearForm> forms = getForms(nest.operandMaps[operand]);
  auto compose = [&](ArrayRef<LinearForm> of) {
    return llvm::map_to_vector(
        of, [&](const LinearForm &form) { return form.compose(forms, nest.getNumDims()); });
  };
  if (extent % wide != 0 || nest.padding != 0 || !isRegular || isUsed(compose(indices), linear))
    return false;
  for (auto [form, bound] : llvm::zip(forms, getTensor(value).getShape())) {
    int64_t low = form.constant, high = form.constant;
    bool isLinear = false;
    for (unsigned dim = 0; dim < nest.getNumDims(); ++dim) {
      int64_t reach = form.coefficients[dim] * (nest.sizes[dim] - 1);
      (reach < 0 ? low : high) += reach;
      isLinear |= reach != 0 && llvm::is_contained(linear, dim);
    }
    if (isLinear && (low < 0 || high >= bound))
      return false;
  }
  NestOpInterface anchor = info.anchor;
  ValueRange given = anchor->getParentOfType<GroupOp>().getInputs();
  for (Input &input : inputs) {
    unsigned argument = input.argument.getArgNumber();
    RankedTensorType type = getTensor(given[argument]);
    SmallVector<LinearForm> places = compose(input.forms);
    input.isEven = !isUsed(places, linear);
    if (input.isEven)
      continue;
    if (!type.getElementType().isF32() || getAlignment(argument) % (wide * 4) != 0 ||
        !liesInFours(nest, type, places, linear))
      return false;
  }
  return true;
}

void mlir::cnn::visitBody(NestOpInterface op, function_ref<void(Operation &)> visit,
                          SmallVectorImpl<unsigned> *usedDims) {
  Block block;
  SmallVector<Value> operands, sums;
  for (Value operand : op->getOperands())
    operands.push_back(block.addArgument(getTensor(operand).getElementType(), op.getLoc()));
  for (Value result : op->getResults())
    sums.push_back(block.addArgument(getTensor(result).getElementType(), op.getLoc()));
  OpBuilder b(op.getContext());
  b.setInsertionPointToEnd(&block);
  (void)op.buildBody(b, op.getLoc(), operands, sums, [&](unsigned dim) -> Value {
    if (usedDims && !llvm::is_contained(*usedDims, dim))
      usedDims->push_back(dim);
    return block.addArgument(b.getI32Type(), op.getLoc());
  });
  llvm::for_each(block, visit);
}

int64_t mlir::cnn::countBody(NestOpInterface op, SmallVectorImpl<unsigned> *usedDims) {
  int64_t count = 0;
  auto visit = [&](Operation &each) { count += !each.hasTrait<OpTrait::ConstantLike>(); };
  visitBody(op, visit, usedDims);
  return count;
}
