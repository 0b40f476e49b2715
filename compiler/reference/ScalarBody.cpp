// One function per operation. Comparisons and unordered cases follow the definitions of the arith
// dialect; transcendental functions are those of the C library.
#include "compiler/reference/ScalarBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace cnn;
using namespace mlir;

namespace {

using Function = void (*)(const Scalar *, const unsigned *, Scalar &);

#define FLOAT(EXPR)                                                                                \
  [](const Scalar *r, const unsigned *at, Scalar &result) {                                        \
    [[maybe_unused]] double a = r[at[0]].number, b = r[at[1]].number, c = r[at[2]].number;         \
    result.number = EXPR;                                                                          \
  }
#define INTEGER(EXPR)                                                                              \
  [](const Scalar *r, const unsigned *at, Scalar &result) {                                        \
    [[maybe_unused]] int64_t a = r[at[0]].integer, b = r[at[1]].integer;                           \
    [[maybe_unused]] uint64_t x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);          \
    result.integer = static_cast<int64_t>(EXPR);                                                   \
  }
#define COMPARE(EXPR)                                                                              \
  [](const Scalar *r, const unsigned *at, Scalar &result) {                                        \
    [[maybe_unused]] double a = r[at[0]].number, b = r[at[1]].number;                              \
    result.integer = EXPR;                                                                         \
  }

Function getCompare(arith::CmpFPredicate predicate) {
  switch (predicate) {
  case arith::CmpFPredicate::AlwaysFalse:
    return COMPARE(false);
  case arith::CmpFPredicate::OEQ:
    return COMPARE(a == b);
  case arith::CmpFPredicate::OGT:
    return COMPARE(a > b);
  case arith::CmpFPredicate::OGE:
    return COMPARE(a >= b);
  case arith::CmpFPredicate::OLT:
    return COMPARE(a < b);
  case arith::CmpFPredicate::OLE:
    return COMPARE(a <= b);
  case arith::CmpFPredicate::ONE:
    return COMPARE(a < b || a > b);
  case arith::CmpFPredicate::ORD:
    return COMPARE(!std::isnan(a) && !std::isnan(b));
  case arith::CmpFPredicate::UEQ:
    return COMPARE(!(a < b || a > b));
  case arith::CmpFPredicate::UGT:
    return COMPARE(!(a <= b));
  case arith::CmpFPredicate::UGE:
    return COMPARE(!(a < b));
  case arith::CmpFPredicate::ULT:
    return COMPARE(!(a >= b));
  case arith::CmpFPredicate::ULE:
    return COMPARE(!(a > b));
  case arith::CmpFPredicate::UNE:
    return COMPARE(a != b);
  case arith::CmpFPredicate::UNO:
    return COMPARE(std::isnan(a) || std::isnan(b));
  case arith::CmpFPredicate::AlwaysTrue:
    return COMPARE(true);
  }
  return nullptr;
}

Function getCompare(arith::CmpIPredicate predicate) {
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return INTEGER(a == b);
  case arith::CmpIPredicate::ne:
    return INTEGER(a != b);
  case arith::CmpIPredicate::slt:
    return INTEGER(a < b);
  case arith::CmpIPredicate::sle:
    return INTEGER(a <= b);
  case arith::CmpIPredicate::sgt:
    return INTEGER(a > b);
  case arith::CmpIPredicate::sge:
    return INTEGER(a >= b);
  // Integers are kept sign-extended from their width, which keeps the unsigned order too.
  case arith::CmpIPredicate::ult:
    return INTEGER(x < y);
  case arith::CmpIPredicate::ule:
    return INTEGER(x <= y);
  case arith::CmpIPredicate::ugt:
    return INTEGER(x > y);
  case arith::CmpIPredicate::uge:
    return INTEGER(x >= y);
  }
  return nullptr;
}

/// A NaN operand gives NaN, and -0 < 0.
double maximum(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return std::nan("");
  return a == b && std::signbit(a) ? b : std::max(a, b);
}
double minimum(double a, double b) { return -maximum(-a, -b); }

uint64_t low(uint64_t bits) { return bits & 0xFFFFFFFF; }

Function getFunction(Operation *op) {
  return llvm::TypeSwitch<Operation *, Function>(op)
      .Case([](arith::AddFOp) -> Function { return FLOAT(a + b); })
      .Case([](arith::SubFOp) -> Function { return FLOAT(a - b); })
      .Case([](arith::MulFOp) -> Function { return FLOAT(a * b); })
      .Case([](arith::DivFOp) -> Function { return FLOAT(a / b); })
      .Case([](arith::NegFOp) -> Function { return FLOAT(-a); })
      .Case([](arith::MaximumFOp) -> Function { return FLOAT(maximum(a, b)); })
      .Case([](arith::MinimumFOp) -> Function { return FLOAT(minimum(a, b)); })
      .Case([](arith::CmpFOp cmp) { return getCompare(cmp.getPredicate()); })
      .Case([](math::FmaOp) -> Function { return FLOAT(std::fma(a, b, c)); })
      .Case([](math::ExpOp) -> Function { return FLOAT(std::exp(a)); })
      .Case([](math::LogOp) -> Function { return FLOAT(std::log(a)); })
      .Case([](math::SinOp) -> Function { return FLOAT(std::sin(a)); })
      .Case([](math::CosOp) -> Function { return FLOAT(std::cos(a)); })
      .Case([](math::TanhOp) -> Function { return FLOAT(std::tanh(a)); })
      .Case([](math::ErfOp) -> Function { return FLOAT(std::erf(a)); })
      .Case([](math::SqrtOp) -> Function { return FLOAT(std::sqrt(a)); })
      .Case([](math::AbsFOp) -> Function { return FLOAT(std::abs(a)); })
      .Case([](arith::AddIOp) -> Function { return INTEGER(x + y); })
      .Case([](arith::SubIOp) -> Function { return INTEGER(x - y); })
      .Case([](arith::MulIOp) -> Function { return INTEGER(x * y); })
      .Case([](arith::DivUIOp op) -> Function {
        // Registers are sign-extended: 32 bits without a sign are the lower half.
        if (op.getType().isInteger(32))
          return INTEGER(low(y) ? low(x) / low(y) : 0);
        return INTEGER(y ? x / y : 0);
      })
      .Case([](arith::AndIOp) -> Function { return INTEGER(a & b); })
      .Case([](arith::OrIOp) -> Function { return INTEGER(a | b); })
      .Case([](arith::XOrIOp) -> Function { return INTEGER(a ^ b); })
      .Case([](arith::MaxSIOp) -> Function { return INTEGER(std::max(a, b)); })
      .Case([](arith::MinSIOp) -> Function { return INTEGER(std::min(a, b)); })
      .Case([](arith::CmpIOp cmp) { return getCompare(cmp.getPredicate()); })
      .Case([](arith::SIToFPOp) -> Function {
        return [](const Scalar *r, const unsigned *at, Scalar &result) {
          result.number = static_cast<double>(r[at[0]].integer);
        };
      })
      .Case([](arith::SelectOp) -> Function {
        return [](const Scalar *r, const unsigned *at, Scalar &result) {
          result = r[at[0]].integer ? r[at[1]] : r[at[2]];
        };
      })
      .Default([](Operation *) -> Function { return nullptr; });
}

/// The two halves of a product of 32-bit integers.
constexpr Function productLow = INTEGER(low(x) * low(y));
constexpr Function productHigh = INTEGER(low(x) * low(y) >> 32);

#undef FLOAT
#undef INTEGER
#undef COMPARE

} // namespace

unsigned ScalarBody::registerOf(Value value) {
  auto [entry, inserted] = numbers.try_emplace(value, registers.size());
  if (inserted)
    registers.emplace_back();
  return entry->second;
}

LogicalResult ScalarBody::add(Operation *op) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    unsigned at = registerOf(constant);
    if (auto number = dyn_cast<FloatAttr>(constant.getValue()))
      registers[at].number = number.getValueAsDouble();
    else if (auto integer = dyn_cast<IntegerAttr>(constant.getValue()))
      registers[at].integer =
          integer.getValue().getSExtValue() & (integer.getType().isInteger(1) ? 1 : ~int64_t(0));
    return success();
  }
  if (auto product = dyn_cast<arith::MulUIExtendedOp>(op);
      product && product.getType(0).isInteger(32)) {
    add(op, 0, productLow);
    add(op, 1, productHigh);
    return success();
  }
  Function function = getFunction(op);
  if (!function || op->getNumResults() != 1 || op->getNumOperands() > 3)
    return op->emitError() << "the reference does not know the operation '" << op->getName() << "'";
  add(op, 0, function);
  return success();
}

void ScalarBody::add(Operation *op, unsigned result, Instruction::Function function) {
  Instruction instruction{function, {}, 0, 0};
  for (auto [index, operand] : llvm::enumerate(op->getOperands()))
    instruction.operands[index] = registerOf(operand);
  instruction.result = registerOf(op->getResult(result));
  if (auto type = dyn_cast<IntegerType>(op->getResult(result).getType()))
    instruction.bits = type.getWidth();
  instructions.push_back(instruction);
}

FailureOr<ScalarBody> ScalarBody::create(Block &block, ValueRange wanted) {
  ScalarBody body;
  for (BlockArgument argument : block.getArguments())
    body.registerOf(argument);
  body.arguments = block.getNumArguments();
  body.registers.resize(std::max<size_t>(body.registers.size(), 1));
  for (Operation &op : block)
    if (failed(body.add(&op)))
      return failure();
  for (Value value : wanted)
    body.results.push_back(body.registerOf(value));
  body.numbers.clear();
  return body;
}

void ScalarBody::run(llvm::ArrayRef<Scalar> given, llvm::MutableArrayRef<Scalar> computed) {
  std::copy(given.begin(), given.begin() + arguments, registers.begin());
  for (const Instruction &instruction : instructions) {
    Scalar &result = registers[instruction.result];
    instruction.function(registers.data(), instruction.operands, result);
    if (instruction.bits > 1 && instruction.bits < 64) {
      unsigned shift = 64 - instruction.bits;
      result.integer =
          static_cast<int64_t>(static_cast<uint64_t>(result.integer) << shift) >> shift;
    }
  }
  for (auto [index, at] : llvm::enumerate(results))
    computed[index] = registers[at];
}
