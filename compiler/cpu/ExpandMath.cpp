//===- ExpandMath.cpp - exp, log, tanh, erf, sin and cos as arithmetic -----------------------===//
//
// In: math.exp, log, tanh, erf, sin and cos on numbers or vectors of f32 or f64. Out: arith
// operations and math.fma, the same for every shape, so that neither vectors are taken apart nor a
// library is called. Works on any function, in any phase; for the CPU after cnn-unroll-tiles.
// What a sigmoid is made of, 1 / (1 + exp(-x)), is found as such: its exponential takes less.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/cpu/MachineAccess.h"
#include "compiler/cpu/MathCoefficients.h"
#include "compiler/cpu/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

#include <cmath>
#include <limits>

namespace mlir::cnn {
#define GEN_PASS_DEF_EXPANDMATHPASS
#include "compiler/cpu/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

namespace {

constexpr double ln2 = 0.693147180559945309417;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Builds one function on values of one type.
class Expansion {
public:
  Expansion(OpBuilder &builder, FunctionValues &values, Operation *op)
      : builder(builder), values(values), loc(op->getLoc()), type(op->getResult(0).getType()),
        isDouble(getElementTypeOrSelf(type).isF64()) {
    bits = isDouble ? Type(builder.getI64Type()) : Type(builder.getI32Type());
    if (auto vector = dyn_cast<VectorType>(type))
      bits = vector.clone(bits);
    mantissa = isDouble ? 52 : 23;
    bias = isDouble ? 1023 : 127;
  }

  Value exp(Value x);
  Value onePlusExp(Value x);
  Value log(Value x);
  Value tanh(Value x);
  Value erf(Value x);
  Value sine(Value x, bool cosine);

private:
  /// exp(x) = (1 + tail) * 2^power, for |x| < 2^20; the lowest bits of `biased` are power + bias.
  struct Reduced {
    Value tail, biased;
  };
  Reduced reduceExp(Value x);

  Value number(double value) { return values.getSplat(type, value); }
  Value integer(int64_t value) {
    TypedAttr scalar = builder.getIntegerAttr(getElementTypeOrSelf(bits), value);
    if (auto vector = dyn_cast<VectorType>(bits))
      return values.getConstant(DenseElementsAttr::get(vector, Attribute(scalar)));
    return values.getConstant(scalar);
  }
  template <typename Op> Value make(Value lhs, Value rhs) {
    return Op::create(builder, loc, lhs, rhs);
  }
  Value add(Value lhs, Value rhs) { return make<arith::AddFOp>(lhs, rhs); }
  Value sub(Value lhs, Value rhs) { return make<arith::SubFOp>(lhs, rhs); }
  Value mul(Value lhs, Value rhs) { return make<arith::MulFOp>(lhs, rhs); }
  Value div(Value lhs, Value rhs) { return make<arith::DivFOp>(lhs, rhs); }
  Value fma(Value a, Value b, Value c) { return math::FmaOp::create(builder, loc, a, b, c); }
  Value addInt(Value lhs, Value rhs) { return make<arith::AddIOp>(lhs, rhs); }
  Value subInt(Value lhs, Value rhs) { return make<arith::SubIOp>(lhs, rhs); }
  Value isBelow(Value lhs, Value rhs) {
    return arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, lhs, rhs);
  }
  Value select(Value condition, Value yes, Value no) {
    return arith::SelectOp::create(builder, loc, condition, yes, no);
  }
  /// A NaN stays one.
  Value atMost(Value x, double limit) {
    return select(isBelow(number(limit), x), number(limit), x);
  }
  Value atLeast(Value x, double limit) {
    return select(isBelow(x, number(limit)), number(limit), x);
  }
  Value toBits(Value x) { return arith::BitcastOp::create(builder, loc, bits, x); }
  Value toNumber(Value x) { return arith::BitcastOp::create(builder, loc, type, x); }
  /// Added to this, a number is rounded to an integer, which stands, with the bias, in the lowest
  /// bits.
  double getShift() const { return std::ldexp(1.5, mantissa) + bias; }
  /// 2^power, for powers of normal numbers; infinity for the power after them.
  Value powerOfTwo(Value biased) {
    return toNumber(make<arith::ShLIOp>(biased, integer(mantissa)));
  }
  int64_t signBit() const {
    return isDouble ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int32_t>::min();
  }
  Value abs(Value x) { return toNumber(make<arith::AndIOp>(toBits(x), integer(~signBit()))); }
  Value withSignOf(Value magnitude, Value x) {
    Value sign = make<arith::AndIOp>(toBits(x), integer(signBit()));
    return toNumber(make<arith::OrIOp>(toBits(magnitude), sign));
  }
  template <size_t N32, size_t N64>
  Value polynomial(Value x, const double (&of32)[N32], const double (&of64)[N64]) {
    ArrayRef<double> terms = isDouble ? ArrayRef<double>(of64) : ArrayRef<double>(of32);
    Value sum = number(terms.back());
    for (double term : llvm::reverse(terms.drop_back()))
      sum = fma(sum, x, number(term));
    return sum;
  }
  /// ln2 as the sum of two numbers of the type.
  double ln2High() const { return isDouble ? ln2 : static_cast<float>(ln2); }
  double ln2Low() const { return isDouble ? 2.319046813846299558e-17 : ln2 - ln2High(); }

  OpBuilder &builder;
  FunctionValues &values;
  Location loc;
  Type type, bits;
  bool isDouble;
  int64_t mantissa, bias;
};

// x = power * ln2 + r with |r| <= ln2 / 2; exp(r) = 1 + r + r^2 * expTail(r).
Expansion::Reduced Expansion::reduceExp(Value x) {
  Value shift = number(getShift());
  Value shifted = fma(x, number(1 / ln2), shift);
  Value rounded = sub(shifted, shift);
  Value r = fma(rounded, number(-ln2High()), x);
  r = fma(rounded, number(-ln2Low()), r);
  Value tail = fma(mul(r, r), polynomial(r, expTail32, expTail64), r);
  return {tail, toBits(shifted)};
}

Value Expansion::exp(Value x) {
  // Beyond these the result is infinite, or zero, in any case.
  x = atLeast(atMost(x, isDouble ? 710 : 89), isDouble ? -746 : -104);
  Reduced reduced = reduceExp(x);
  // In two steps, since 2^power need not be a normal number where the result is one.
  Value power = subInt(reduced.biased, toBits(number(getShift())));
  Value half = make<arith::ShRSIOp>(power, integer(1));
  Value rest = subInt(power, half);
  Value result = add(reduced.tail, number(1));
  return mul(mul(result, powerOfTwo(addInt(half, integer(bias)))),
             powerOfTwo(addInt(rest, integer(bias))));
}

// 1 + exp(x) of a sigmoid's divisor. Below the lower bound the sum is 1 in any case; from the upper
// one on 2^power is infinite, and the sigmoid zero, up to half a unit of the largest numbers early.
// A negation comes behind the bounds, where it costs nothing: fma takes it.
Value Expansion::onePlusExp(Value x) {
  double low = (1 - bias) * ln2, high = isDouble ? 710 : 89;
  if (auto negation = x.getDefiningOp<arith::NegFOp>())
    x = arith::NegFOp::create(builder, loc, atLeast(atMost(negation.getOperand(), -low), -high));
  else
    x = atLeast(atMost(x, high), low);
  Reduced reduced = reduceExp(x);
  return fma(add(reduced.tail, number(1)), powerOfTwo(reduced.biased), number(1));
}

// x = m * 2^k with sqrt(1/2) <= m < sqrt(2); with f = m - 1, s = f / (2 + f), z = s^2:
// log(m) = f - f^2/2 + s * (f^2/2 + z * logTail(z)).
Value Expansion::log(Value x) {
  // Numbers below the normal ones are scaled up first.
  Value isTiny = isBelow(x, number(std::ldexp(1.0, 1 - bias)));
  Value scaled = select(isTiny, mul(x, number(std::ldexp(1.0, mantissa + 2))), x);
  Value correction = select(isTiny, integer(bias + mantissa + 2), integer(bias));
  double root = isDouble ? 0.70710678118654757 : 0.707106769084930420;
  int64_t rootBits =
      isDouble ? llvm::bit_cast<int64_t>(root) : llvm::bit_cast<int32_t>(static_cast<float>(root));
  int64_t one = bias << mantissa;
  Value moved = addInt(toBits(scaled), integer(one - rootBits));
  Value k = arith::SIToFPOp::create(
      builder, loc, type, subInt(make<arith::ShRSIOp>(moved, integer(mantissa)), correction));
  Value m = toNumber(
      addInt(make<arith::AndIOp>(moved, integer((int64_t(1) << mantissa) - 1)), integer(rootBits)));

  Value f = sub(m, number(1));
  Value s = div(f, add(f, number(2)));
  Value z = mul(s, s);
  Value halfSquare = mul(mul(f, f), number(0.5));
  Value tail = fma(z, polynomial(z, logTail32, logTail64), halfSquare);
  Value low = fma(k, number(ln2Low()), mul(s, tail));
  Value result = fma(k, number(ln2High()), sub(f, sub(halfSquare, low)));

  // Infinity and NaN give themselves, zero minus infinity, negative numbers NaN.
  result = select(isBelow(x, number(infinity)), result, x);
  Value isZero = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ, x, number(0));
  Value isNegative = isBelow(x, number(0));
  result = select(isNegative, number(std::numeric_limits<double>::quiet_NaN()), result);
  return select(isZero, number(-infinity), result);
}

// With e = exp(2|x|) - 1: tanh(|x|) = e / (e + 2).
Value Expansion::tanh(Value x) {
  // From here on the result is 1 in any case.
  Value twice = atMost(mul(abs(x), number(2)), isDouble ? 40 : 20);
  Reduced reduced = reduceExp(twice);
  Value scale = powerOfTwo(reduced.biased);
  Value e = fma(reduced.tail, scale, sub(scale, number(1)));
  return withSignOf(div(e, add(e, number(2))), x);
}

// Up to 1: x + x * erfNear(x^2); beyond: 1 - exp(-x * erfFar(x)).
Value Expansion::erf(Value x) {
  Value magnitude = abs(x);
  Value near = fma(x, polynomial(mul(x, x), erfNear32, erfNear64), x);
  Value a = atMost(magnitude, isDouble ? 6 : 4);
  Value exponent = mul(sub(number(0), a), polynomial(a, erfFar32, erfFar64));
  Reduced reduced = reduceExp(exponent);
  Value scale = powerOfTwo(reduced.biased);
  // 1 - scale * (1 + tail), the large parts first.
  Value far = sub(sub(number(1), scale), mul(scale, reduced.tail));
  return select(isBelow(magnitude, number(1)), near, withSignOf(far, x));
}

// |x| = n * pi/2 + r with |r| <= pi/4: what n is modulo 4 says whether the result is sin(r), cos(r)
// or the negative of one. The parts of pi/2 are exact to 2^-70 (2^-160) beyond n = 2^20 (2^40),
// where the result is not a number.
Value Expansion::sine(Value x, bool cosine) {
  double limit = std::ldexp(1.0, isDouble ? 40 : 20);
  Value a = abs(x);
  a = select(isBelow(number(limit), a), number(std::numeric_limits<double>::quiet_NaN()), a);
  Value shift = number(std::ldexp(1.5, mantissa));
  Value shifted = fma(a, number(0.636619772367581343076), shift);
  Value n = subInt(toBits(shifted), toBits(shift));
  Value rounded = sub(shifted, shift), r = a;
  for (double part : isDouble ? halfPi64 : halfPi32)
    r = fma(rounded, number(-part), r);
  if (cosine)
    n = addInt(n, integer(1));
  Value z = mul(r, r);
  Value ofSine = fma(mul(z, polynomial(z, sinTail32, sinTail64)), r, r);
  Value ofCosine =
      fma(mul(z, z), polynomial(z, cosTail32, cosTail64), fma(z, number(-0.5), number(1)));
  Value isOdd = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne,
                                      make<arith::AndIOp>(n, integer(1)), integer(0));
  Value magnitude = select(isOdd, ofCosine, ofSine);
  Value sign = make<arith::ShLIOp>(make<arith::AndIOp>(n, integer(2)), integer(isDouble ? 62 : 30));
  Value bits = make<arith::XOrIOp>(toBits(magnitude), sign);
  if (!cosine)
    bits = make<arith::XOrIOp>(bits, make<arith::AndIOp>(toBits(x), integer(signBit())));
  return toNumber(bits);
}

/// The sum of 1 and an exponential which is nothing but the divisor of a sigmoid; or null. Over
/// another numerator, such as that of silu, the quotient need not be small where the sum is large.
arith::AddFOp getDivisorOf(Operation *op) {
  auto exp = dyn_cast<math::ExpOp>(op);
  auto sum = exp && exp->hasOneUse() ? dyn_cast<arith::AddFOp>(*exp->user_begin()) : nullptr;
  if (!sum || !sum->hasOneUse())
    return nullptr;
  auto quotient = dyn_cast<arith::DivFOp>(*sum->user_begin());
  Value other = sum.getLhs() == exp.getResult() ? sum.getRhs() : sum.getLhs();
  if (!quotient || quotient.getRhs() != sum.getResult() ||
      !matchPattern(quotient.getLhs(), m_OneFloat()))
    return nullptr;
  return matchPattern(other, m_OneFloat()) ? sum : nullptr;
}

struct ExpandMathPass : public cnn::impl::ExpandMathPassBase<ExpandMathPass> {
  void runOnOperation() override {
    WalkResult result =
        getOperation()->walk<WalkOrder::PreOrder>([&](FunctionOpInterface function) {
          return failed(expand(function)) ? WalkResult::interrupt() : WalkResult::skip();
        });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  LogicalResult expand(FunctionOpInterface function) {
    SmallVector<Operation *> found;
    function->walk([&](Operation *op) {
      if (isa<math::ExpOp, math::LogOp, math::TanhOp, math::ErfOp, math::SinOp, math::CosOp>(op))
        found.push_back(op);
    });
    if (found.empty())
      return success();
    FunctionValues values(&function.getFunctionBody().front());
    for (Operation *op : found) {
      Type element = getElementTypeOrSelf(op->getResult(0).getType());
      if (!element.isF32() && !element.isF64())
        return op->emitOpError() << "on " << element << " is not supported; expected f32 or f64";
      OpBuilder builder(op);
      Expansion expansion(builder, values, op);
      Value x = op->getOperand(0);
      if (arith::AddFOp sum = getDivisorOf(op)) {
        builder.setInsertionPoint(sum);
        sum.replaceAllUsesWith(expansion.onePlusExp(x));
        sum.erase();
        op->erase();
        ++numExpanded;
        continue;
      }
      Value result = isa<math::ExpOp>(op)    ? expansion.exp(x)
                     : isa<math::LogOp>(op)  ? expansion.log(x)
                     : isa<math::TanhOp>(op) ? expansion.tanh(x)
                     : isa<math::ErfOp>(op)  ? expansion.erf(x)
                                             : expansion.sine(x, isa<math::CosOp>(op));
      op->replaceAllUsesWith(ValueRange{result});
      op->erase();
      ++numExpanded;
    }
    return success();
  }
};

} // namespace
