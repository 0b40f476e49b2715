//===- RangedIndices.cpp - Indices and the ranges they lie in --------------------------------===//

#include "compiler/nvptx/RangedIndices.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace mlir::cnn;

Type RangedIndices::getIndexType() { return wide ? b.getI64Type() : b.getI32Type(); }

void RangedIndices::setLanes(int64_t lanes) {
  numLanes = lanes;
  made.clear();
}

Index RangedIndices::getConstant(int64_t value) {
  Value made = arith::ConstantOp::create(b, b.getIntegerAttr(getIndexType(), value));
  return {made, value, value};
}

Value RangedIndices::make(Kind kind, Value lhs, Value rhs, bool inRange) {
  using Flags = arith::IntegerOverflowFlags;
  Flags flags = inRange ? Flags::nsw | Flags::nuw : Flags::none;
  auto build = [&]() -> Value {
    switch (kind) {
    case Kind::Add:
      return arith::AddIOp::create(b, lhs, rhs, flags);
    case Kind::Multiply:
      return arith::MulIOp::create(b, lhs, rhs, flags);
    case Kind::Divide:
      return arith::DivUIOp::create(b, lhs, rhs);
    case Kind::Remainder:
      return arith::RemUIOp::create(b, lhs, rhs);
    }
    llvm_unreachable("no other kind");
  };
  if (!hasLanes())
    return build();
  Value &value = made[{b.getInsertionBlock(), kind, lhs.getAsOpaquePointer(),
                       rhs.getAsOpaquePointer(), int64_t(0)}];
  if (!value)
    value = build();
  return value;
}

Value RangedIndices::make(Kind kind, Value lhs, int64_t rhs, bool inRange) {
  if (!hasLanes())
    return make(kind, lhs, getConstant(rhs).value, inRange);
  Value &value = made[{b.getInsertionBlock(), kind, lhs.getAsOpaquePointer(), nullptr, rhs}];
  if (!value) {
    Value constant = getConstant(rhs).value;
    value = make(kind, lhs, constant, inRange);
  }
  return value;
}

/// Whether values from `low` to `high` are in the range of every index type, and none is negative.
static bool isInRange(int64_t low, int64_t high) {
  return low >= 0 && high <= std::numeric_limits<int32_t>::max();
}

Index RangedIndices::getShifted(Value base, int64_t shift, int64_t multiple, int64_t low,
                                int64_t high) {
  bool inRange = shift >= 0 && isInRange(low - shift, high);
  return {
      shift == 0 ? base : make(Kind::Add, base, shift, inRange), low, high, base, shift, multiple};
}

Index RangedIndices::add(Index lhs, Index rhs) {
  if (lhs.isConstant() && rhs.isConstant())
    return getConstant(lhs.low + rhs.low);
  if (lhs.isConstant() && lhs.low == 0)
    return rhs;
  if (rhs.isConstant() && rhs.low == 0)
    return lhs;
  int64_t low = lhs.low + rhs.low, high = lhs.high + rhs.high;
  if (!hasLanes())
    return {make(Kind::Add, lhs.value, rhs.value, isInRange(std::min(lhs.low, rhs.low), high)), low,
            high};
  if (lhs.isConstant())
    std::swap(lhs, rhs);
  Value base = lhs.base ? lhs.base : lhs.value;
  if (rhs.isConstant())
    return getShifted(base, lhs.shift + rhs.low, lhs.multiple, low, high);
  bool inRange = isInRange(std::min(lhs.low - lhs.shift, rhs.low - rhs.shift),
                           std::max(high, high - lhs.shift - rhs.shift));
  return getShifted(make(Kind::Add, base, rhs.base ? rhs.base : rhs.value, inRange),
                    lhs.shift + rhs.shift, std::gcd(lhs.multiple, rhs.multiple), low, high);
}

Index RangedIndices::multiply(Index index, int64_t factor) {
  if (factor == 1)
    return index;
  if (index.isConstant())
    return getConstant(index.low * factor);
  int64_t low = index.low * factor, high = index.high * factor;
  if (low > high)
    std::swap(low, high);
  if (!hasLanes())
    return {make(Kind::Multiply, index.value, factor, factor > 0 && isInRange(low, high)), low,
            high};
  bool inRange = factor > 0 && index.shift >= 0 && isInRange(low - index.shift * factor, high);
  return getShifted(make(Kind::Multiply, index.base ? index.base : index.value, factor, inRange),
                    index.shift * factor, index.multiple * std::abs(factor), low, high);
}

/// Whether what the base is a multiple of divides into whole parts, so that only the shift counts.
static bool dividesBase(const Index &index, int64_t divisor) {
  return index.base && index.multiple % divisor == 0 && index.shift >= 0;
}

/// Whether the indices of a multiple differ by their shifts alone when they are divided by
/// `divisor`.
static bool staysTogether(const Index &index, int64_t divisor) {
  return index.base && divisor % index.multiple == 0 && index.shift >= 0 &&
         index.shift < index.multiple;
}

Index RangedIndices::divide(Index index, int64_t divisor) {
  assert(index.low >= 0 && "division rounds down");
  if (divisor == 1)
    return index;
  if (index.high < divisor)
    return getConstant(0);
  if (dividesBase(index, divisor))
    return getShifted(make(Kind::Divide, index.base, divisor), index.shift / divisor,
                      index.multiple / divisor, index.low / divisor, index.high / divisor);
  Value value = staysTogether(index, divisor) ? index.base : index.value;
  return {make(Kind::Divide, value, divisor), index.low / divisor, index.high / divisor};
}

Index RangedIndices::remainder(Index index, int64_t divisor) {
  assert(index.low >= 0 && "remainders are not negative");
  if (index.high < divisor)
    return index;
  if (divisor == 1)
    return getConstant(0);
  if (dividesBase(index, divisor))
    return getConstant(index.shift % divisor);
  if (!staysTogether(index, divisor))
    return {make(Kind::Remainder, index.value, divisor), 0, divisor - 1};
  return getShifted(make(Kind::Remainder, index.base, divisor), index.shift, index.multiple,
                    index.shift, divisor - index.multiple + index.shift);
}

Index RangedIndices::apply(const LinearForm &form, ArrayRef<Index> dims) {
  Index sum = getConstant(form.constant);
  for (auto [dim, factor] : llvm::enumerate(form.coefficients))
    if (factor != 0)
      sum = add(sum, multiply(dims[dim], factor));
  return sum;
}

SmallVector<Index> RangedIndices::apply(ArrayRef<LinearForm> forms, ArrayRef<Index> dims) {
  SmallVector<Index> indices;
  for (const LinearForm &form : forms)
    indices.push_back(apply(form, dims));
  return indices;
}

SmallVector<Index> RangedIndices::split(Index number, ArrayRef<int64_t> sizes) {
  SmallVector<Index> indices(sizes.size());
  Index all = number;
  for (size_t dim = sizes.size(); dim-- > 0;) {
    // What is left of the first dimension is its index: numbers end with the space.
    indices[dim] = dim == 0 ? number : remainder(number, sizes[dim]);
    number = divide(number, sizes[dim]);
  }
  if (!indices.empty())
    indices[0].high = std::min(indices[0].high, sizes[0] - 1);
  // Dimensions of extent 1 may stand anywhere, and count nothing.
  Numbering made{{}, {}, all};
  for (auto [index, size] : llvm::zip(indices, sizes))
    if (size != 1) {
      made.indices.push_back(index.value);
      made.sizes.push_back(size);
    }
  if (made.indices.size() > 1)
    numberings.push_back(std::move(made));
  return indices;
}

Value RangedIndices::isBelow(Index index, int64_t limit) {
  if (index.high < limit)
    return {};
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, index.value, getConstant(limit).value);
}

Value RangedIndices::isInside(Index index, int64_t size) {
  if (index.low >= 0)
    return isBelow(index, size);
  // As a number without sign, a negative index is a large one.
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, index.value, getConstant(size).value);
}

Value RangedIndices::both(Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return lhs ? lhs : rhs;
  return arith::AndIOp::create(b, lhs, rhs);
}

Index RangedIndices::clamp(Index index, int64_t size, Value &inside) {
  Value holds = isBelow(index, size);
  if (!holds)
    return index;
  inside = both(inside, holds);
  return {arith::SelectOp::create(b, holds, index.value, getConstant(0).value), 0, size - 1};
}

Value RangedIndices::toInt(Index index) {
  return wide ? arith::TruncIOp::create(b, b.getI32Type(), index.value) : index.value;
}
