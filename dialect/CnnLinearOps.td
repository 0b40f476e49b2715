//===- CnnLinearOps.td - Linear layers, matrix products, reductions -----------------------------===//

#ifndef CNNC_DIALECT_CNN_LINEAR_OPS_TD
#define CNNC_DIALECT_CNN_LINEAR_OPS_TD

include "dialect/CnnPointwiseOps.td"

def Cnn_LinearOp : Cnn_NestOp<"linear", [Cnn_Backward]> {
  let summary = "a fully connected layer";
  let description = [{
    `result[n, o] = bias[o] + sum_i input[n, i] * weight[o, i]`, as PyTorch's `nn.Linear`.

    ```mlir
    %y = cnn.linear %x, %w, %b : tensor<128x400xf32>, tensor<120x400xf32>, tensor<120xf32> -> tensor<128x120xf32>
    ```

    Constraints:
    - C1: `input` is `[n, i]`, `weight` `[o, i]`, `bias` (if any) `[o]`.
    - C2: all element types are equal.
  }];
  let arguments = (ins Cnn_FloatTensor:$input, Cnn_FloatTensor:$weight,
                       Optional<Cnn_FloatTensor>:$bias);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $weight (`,` $bias^)? `:` type($input) `,` type($weight) (`,` type($bias)^)?
    `->` type($result) attr-dict
  }];
  let extraNestDeclaration = "static ::mlir::cnn::LayerDef getLayer();";
}

def Cnn_MatmulOp : Cnn_NestOp<"matmul", [Cnn_Backward]> {
  let summary = "a matrix product";
  let description = [{
    `result[m, n] = sum_k a[m, k] * b[k, n]`; with `transpose_a`, `a` is `[k, m]`, with `transpose_b`, `b` is
    `[n, k]`.

    Constraints:
    - C1: both operands have rank 2, and their common extents agree.
    - C2: both element types are equal.
  }];
  let arguments = (ins Cnn_FloatTensor:$lhs, Cnn_FloatTensor:$rhs,
                       DefaultValuedAttr<BoolAttr, "false">:$transpose_a,
                       DefaultValuedAttr<BoolAttr, "false">:$transpose_b);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$lhs `,` $rhs `:` type($lhs) `,` type($rhs) `->` type($result) attr-dict";
}

class Cnn_ReduceOp<string mnemonic, string name, list<Trait> traits, list<string> nestMethods = []>
    : Cnn_NestOp<mnemonic, traits, nestMethods> {
  let summary = name;
  let description = name # [{ over the dimensions `dims`, which the result does not have; with `keep_dims` it has
    them with extent 1.

    ```mlir
    %b = cnn.reduce_sum %dy dims [0, 2, 3] : tensor<128x6x28x28xf32> -> tensor<6xf32>
    ```

    Constraints:
    - C1: `dims` are increasing and below the rank of the input.}];
  let arguments = (ins Cnn_FloatTensor:$input, DenseI64ArrayAttr:$dims,
                       DefaultValuedAttr<BoolAttr, "false">:$keep_dims);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$input `dims` $dims `:` type($input) `->` type($result) attr-dict";
}
def Cnn_ReduceSumOp : Cnn_ReduceOp<"reduce_sum", "the sum", [Cnn_Backward]>;
def Cnn_ReduceMaxOp : Cnn_ReduceOp<"reduce_max", "the largest element",
    [], ["buildInit"]>;

def Cnn_NonfiniteOp : Cnn_NestOp<"nonfinite"> {
  let summary = "0 if every element is finite, NaN otherwise";
  let description = "`sum(x * 0)`, of any shape, as a rank-0 tensor: infinity times zero is not a number.";
  let arguments = (ins Cnn_FloatTensor:$input);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$input `:` type($input) `->` type($result) attr-dict";
}

#endif // CNNC_DIALECT_CNN_LINEAR_OPS_TD
