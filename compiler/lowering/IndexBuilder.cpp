//===- IndexBuilder.cpp - Arithmetic on indices in one kernel --------------------------------===//

#include "compiler/lowering/IndexBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::cnn;

Value IndexBuilder::constant(int64_t value) {
  Value &known = constants[value];
  if (!known) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&kernel.getBody().front());
    Location name = NameLoc::get(b.getStringAttr("c" + std::to_string(value)), loc);
    known = arith::ConstantIndexOp::create(b, name, value);
  }
  return known;
}

Value IndexBuilder::add(Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return lhs ? lhs : rhs;
  return b.createOrFold<arith::AddIOp>(loc, lhs, rhs);
}

Value IndexBuilder::scale(Value value, int64_t factor) {
  return factor == 1 ? value : b.createOrFold<arith::MulIOp>(loc, value, constant(factor));
}
