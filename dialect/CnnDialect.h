//===- CnnDialect.h - The cnn dialect: operations, attributes, interfaces --------------------===//

#ifndef CNNC_DIALECT_CNN_DIALECT_H
#define CNNC_DIALECT_CNN_DIALECT_H

#include "dialect/Layer.h"
#include "dialect/Loss.h"
#include "dialect/Nest.h"
#include "dialect/Optimizer.h"
#include "dialect/Training.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::cnn {
class YieldOp;
class TermOp;

/// Whether the types agree pair by pair in shape and element type, whatever their layouts.
bool haveSameShapes(TypeRange lhs, TypeRange rhs);

/// The type of a value that is a tensor.
inline RankedTensorType getTensor(Value value) { return cast<RankedTensorType>(value.getType()); }

/// The type without its layout.
RankedTensorType dropLayout(RankedTensorType type);

/// The layout of a tensor; plain where the type has none.
class LayoutAttr;
LayoutAttr getLayoutOf(RankedTensorType type);
} // namespace mlir::cnn

#include "dialect/CnnDialect.h.inc"
#include "dialect/CnnInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialect/CnnAttrs.h.inc"

#define GET_OP_CLASSES
#include "dialect/CnnOps.h.inc"

#endif // CNNC_DIALECT_CNN_DIALECT_H
