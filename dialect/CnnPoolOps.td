//===- CnnPoolOps.td - Pooling and its gradients ------------------------------------------------===//

#ifndef CNNC_DIALECT_CNN_POOL_OPS_TD
#define CNNC_DIALECT_CNN_POOL_OPS_TD

include "dialect/CnnPointwiseOps.td"

// Windows: `kernel` and `stride` are `[height, width]`, `padding` `[top, bottom, left, right]`. With
// `ceil_mode` the output extents are rounded up, as PyTorch does: the last window must begin inside of
// the input or its leading padding.

def Cnn_MaxPoolOp : Cnn_NestOp<"max_pool", [Cnn_Backward], ["buildInit"]> {
  let summary = "the largest element of every window";
  let description = [{
    `y[n, c, i, j] = max_{r, s} x[n, c, i sh + r dh - pt, j sw + s dw - pl]`, padding never being the largest, as
    PyTorch's `nn.MaxPool2d`; `dilation` is `[height, width]`. A second result, if asked for, is the position `r kw + s` of the first largest
    element of the window, which the gradient needs.

    Constraints:
    - C1: `input` is `[n, c, h, w]`; `kernel`, `stride` and `dilation` have 2 positive entries, `padding` 4 that
      are not negative.
    - C2: the padding is at most half the kernel, dilated.
    - C3: the window is not larger than the padded input.
    - C4: `positions`, if any, has the shape of the result and element type i32.
  }];
  let arguments = (ins Cnn_FloatTensor:$input, DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$stride,
                       DenseI64ArrayAttr:$padding, DefaultValuedAttr<BoolAttr, "false">:$ceil_mode,
                       DefaultValuedAttr<BoolAttr, "false">:$with_positions,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$dilation);
  let results = (outs Cnn_FloatTensor:$result, Optional<Cnn_IntTensor>:$positions);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result) (`,` type($positions)^)?";
  let extraNestDeclaration = "static ::std::vector<::mlir::cnn::LayerDef> getLayers();";
}

def Cnn_AvgPoolOp : Cnn_NestOp<"avg_pool", [Cnn_Backward], ["buildFinish"]> {
  let summary = "the mean of every window";
  let description = [{
    `y[n, c, i, j] = sum_{r, s} x[n, c, i sh + r - pt, j sw + s - pl] / count`, as PyTorch's `nn.AvgPool2d`: `count`
    is the number of elements of the window inside of the padded input, or, without `count_include_pad`,
    inside of the input; or `divisor` where this is not 0.

    Constraints: C1 to C3 of `cnn.max_pool`.
  }];
  let arguments = (ins Cnn_FloatTensor:$input, DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$stride,
                       DenseI64ArrayAttr:$padding, DefaultValuedAttr<BoolAttr, "false">:$ceil_mode,
                       DefaultValuedAttr<BoolAttr, "true">:$count_include_pad,
                       DefaultValuedAttr<I64Attr, "0">:$divisor);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let extraNestDeclaration = "static ::std::vector<::mlir::cnn::LayerDef> getLayers();";
}

class Cnn_PoolGradOp<string mnemonic> : Cnn_TypedNestOp<mnemonic> {
  let results = (outs Cnn_FloatTensor:$result);
  let hasVerifier = 1;
}

def Cnn_MaxPoolGradOp : Cnn_PoolGradOp<"max_pool_grad"> {
  let summary = "gradient of max pooling";
  let description = [{
    Adds `gradient[n, c, i, j]` to the element of the result that `positions[n, c, i, j]` names.

    Constraints:
    - C1: `gradient` and `positions` have the shape that pooling the result's shape gives.
  }];
  let arguments = (ins Cnn_FloatTensor:$gradient, Cnn_IntTensor:$positions,
                       DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$stride, DenseI64ArrayAttr:$padding,
                       DefaultValuedAttr<BoolAttr, "false">:$ceil_mode,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$dilation);
  let assemblyFormat = [{
    $gradient `,` $positions attr-dict `:` type($gradient) `,` type($positions) `->` type($result)
  }];
}

def Cnn_AvgPoolGradOp : Cnn_PoolGradOp<"avg_pool_grad"> {
  let summary = "gradient of average pooling";
  let description = [{
    Adds `gradient[n, c, i, j] / count` to every element of the window.

    Constraints:
    - C1: `gradient` has the shape that pooling the result's shape gives.
  }];
  let arguments = (ins Cnn_FloatTensor:$gradient, DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$stride,
                       DenseI64ArrayAttr:$padding, DefaultValuedAttr<BoolAttr, "false">:$ceil_mode,
                       DefaultValuedAttr<BoolAttr, "true">:$count_include_pad,
                       DefaultValuedAttr<I64Attr, "0">:$divisor);
  let assemblyFormat = "$gradient attr-dict `:` type($gradient) `->` type($result)";
}

#endif // CNNC_DIALECT_CNN_POOL_OPS_TD
