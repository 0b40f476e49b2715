//===- CnnDialect.cpp - Registers the dialect, and builders of constants ---------------------===//

#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::cnn;

#include "dialect/CnnDialect.cpp.inc"
#include "dialect/CnnInterfaces.cpp.inc"

// `custom<Keyword>` of assembly formats: a string that is printed bare.
static ParseResult parseKeyword(OpAsmParser &parser, StringAttr &keyword) {
  StringRef text;
  if (parser.parseKeyword(&text))
    return failure();
  keyword = parser.getBuilder().getStringAttr(text);
  return success();
}

static void printKeyword(OpAsmPrinter &printer, Operation *, StringAttr keyword) {
  printer << keyword.getValue();
}

#define GET_OP_CLASSES
#include "dialect/CnnOps.cpp.inc"

void CnnDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "dialect/CnnOps.cpp.inc"
      >();
}

bool mlir::cnn::haveSameShapes(TypeRange lhs, TypeRange rhs) {
  if (lhs.size() != rhs.size())
    return false;
  for (auto [a, b] : llvm::zip(lhs, rhs)) {
    auto s = dyn_cast<ShapedType>(a), t = dyn_cast<ShapedType>(b);
    if (!s || !t || s.getShape() != t.getShape() || s.getElementType() != t.getElementType())
      return false;
  }
  return true;
}

RankedTensorType mlir::cnn::dropLayout(RankedTensorType type) {
  return RankedTensorType::get(type.getShape(), type.getElementType());
}

LayoutAttr mlir::cnn::getLayoutOf(RankedTensorType type) {
  if (auto layout = dyn_cast_or_null<LayoutAttr>(type.getEncoding()))
    return layout;
  return LayoutAttr::getPlain(type.getContext(), type.getRank());
}

static Value buildConstant(OpBuilder &builder, Location loc, Type type, TypedAttr scalar) {
  if (auto vector = dyn_cast<VectorType>(type))
    return arith::ConstantOp::create(builder, loc,
                                     DenseElementsAttr::get(vector, cast<Attribute>(scalar)));
  return arith::ConstantOp::create(builder, loc, scalar);
}

Value mlir::cnn::buildZero(OpBuilder &builder, Location loc, Type type) {
  return buildConstant(builder, loc, type, builder.getZeroAttr(getElementTypeOrSelf(type)));
}

Value mlir::cnn::buildFloat(OpBuilder &builder, Location loc, Type type, double value) {
  return buildConstant(builder, loc, type, builder.getFloatAttr(getElementTypeOrSelf(type), value));
}

Value mlir::cnn::buildInt(OpBuilder &builder, Location loc, Type like, int64_t value) {
  Type type = builder.getI32Type();
  if (auto vector = dyn_cast<VectorType>(like))
    type = VectorType::get(vector.getShape(), type);
  return buildConstant(builder, loc, type, builder.getI32IntegerAttr(value));
}
