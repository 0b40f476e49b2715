//===- CnnShapeOps.td - Operations that move elements -------------------------------------------===//

#ifndef CNNC_DIALECT_CNN_SHAPE_OPS_TD
#define CNNC_DIALECT_CNN_SHAPE_OPS_TD

include "dialect/CnnPointwiseOps.td"

def Cnn_PadOp : Cnn_NestOp<"pad", [Cnn_Backward]> {
  let summary = "a tensor with something around it, or without its borders";
  let description = [{
    `low` and `high` give, per dimension, how many elements of `value` are put before and behind those of the
    input; negative numbers take so many away. The gradient of one padding is another.

    ```mlir
    %y = cnn.pad %x {low = array<i64: 0, 0, 1, 1>, high = array<i64: 0, 0, 2, -1>, value = 0.0 : f64}
         : tensor<2x3x5x5xf32> -> tensor<2x3x8x5xf32>
    ```

    Constraints:
    - C1: `low` and `high` have one entry per dimension.
    - C2: something of the input is left in every dimension.
  }];
  let arguments = (ins Cnn_FloatTensor:$input, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high,
                       F64Attr:$value);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasFolder = 1;
  let extraNestDeclaration = "static ::mlir::cnn::LayerDef getLayer();";
}

def Cnn_ConcatOp : Cnn_NestOp<"concat", [Cnn_Backward]> {
  let summary = "tensors one behind the other";
  let description = [{
    Along dimension `dim`, the operands in order.

    ```mlir
    %y = cnn.concat %a, %b dim 1 : (tensor<2x3x5x5xf32>, tensor<2x4x5x5xf32>) -> tensor<2x7x5x5xf32>
    ```

    Constraints:
    - C1: there is an operand, and `dim` is one of its dimensions.
    - C2: the operands agree in element type, rank, and all extents but that of `dim`.
  }];
  let arguments = (ins Variadic<Cnn_FloatTensor>:$inputs, I64Attr:$dim);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$inputs `dim` $dim attr-dict `:` functional-type($inputs, $result)";
  let extraNestDeclaration = "static ::mlir::cnn::LayerDef getLayer();";
}

def Cnn_PermuteOp : Cnn_NestOp<"permute", [Cnn_Backward]> {
  let summary = "a tensor with its dimensions in another order";
  let description = [{
    Dimension `d` of the result is dimension `order[d]` of the input.

    ```mlir
    %y = cnn.permute %x order [0, 2, 3, 1] : tensor<2x3x5x7xf32> -> tensor<2x5x7x3xf32>
    ```

    Constraints:
    - C1: `order` names every dimension of the input once.
  }];
  let arguments = (ins Cnn_FloatTensor:$input, DenseI64ArrayAttr:$order);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$input `order` $order attr-dict `:` type($input) `->` type($result)";
  let hasFolder = 1;
  let extraNestDeclaration = "static ::std::vector<::mlir::cnn::LayerDef> getLayers();";
}

#endif // CNNC_DIALECT_CNN_SHAPE_OPS_TD
