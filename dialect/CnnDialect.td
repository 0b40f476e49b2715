//===- CnnDialect.td - The cnn dialect: its definition -----------------------------------------===//
//
// The dialect of convolutional networks. Values are tensors in logical NCHW order; dimension 0 of
// an activation is the batch. Parameters are symbols, never constants.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_DIALECT_CNN_DIALECT_TD
#define CNNC_DIALECT_CNN_DIALECT_TD

include "mlir/IR/OpBase.td"

def Cnn_Dialect : Dialect {
  let name = "cnn";
  let cppNamespace = "::mlir::cnn";
  let summary = "Convolutional networks: layers, gradients, losses, updates, groups and tiles";
  let description = [{
    A network is a function on tensors. Activations are `[batch, channels, height, width]` or
    `[batch, features]`, whatever the layout in memory will be; a layout is an encoding of the
    tensor type (`#cnn.layout`) that the schedule adds and that the lowering to buffers removes.

    Parameters, optimizer state and running statistics are symbols (`cnn.param`), read by
    `cnn.read` and written by `cnn.write` into the *next* state, so that a training step is pure.

    Operations that compute implement `NestOpInterface`: an iteration space, an affine map for each
    operand and result, and a scalar body. Code for every target is generated from that.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"
  ];
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = "void registerAttributes();";
}

/// A tensor of static shape. Layouts are encodings, so any encoding is allowed.
class Cnn_TensorOf<list<Type> elements, string name>
    : Type<And<[RankedTensorOf<elements>.predicate, HasStaticShapePred]>,
           "tensor of static shape of " # name, "::mlir::RankedTensorType">;
def Cnn_FloatTensor : Cnn_TensorOf<[F32, F64], "f32 or f64">;
def Cnn_IntTensor : Cnn_TensorOf<[I32], "i32">;
def Cnn_Tensor : Cnn_TensorOf<[F32, F64, I32], "f32, f64 or i32">;

class Cnn_Op<string mnemonic, list<Trait> traits = []> : Op<Cnn_Dialect, mnemonic, traits>;

#endif // CNNC_DIALECT_CNN_DIALECT_TD
