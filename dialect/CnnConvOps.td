//===- CnnConvOps.td - Convolution and its gradients --------------------------------------------===//

#ifndef CNNC_DIALECT_CNN_CONV_OPS_TD
#define CNNC_DIALECT_CNN_CONV_OPS_TD

include "dialect/CnnPointwiseOps.td"

defvar Cnn_WindowAttrs = (ins DenseI64ArrayAttr:$stride, DenseI64ArrayAttr:$padding,
                              DenseI64ArrayAttr:$dilation, I64Attr:$groups);

def Cnn_ConvOp : Cnn_NestOp<"conv", [Cnn_Backward]> {
  let summary = "a convolution (cross-correlation) of images";
  let description = [{
    `y[n, k, i, j] = bias[k] + sum_{c, r, s} x[n, g C/G + c, i sh + r dh - pt, j sw + s dw - pl] * w[k, c, r, s]`
    with `g = k div (K/G)` and zeros outside of `x`, as PyTorch's `nn.Conv2d`. `stride` and `dilation` are
    `[height, width]`, `padding` is `[top, bottom, left, right]`.

    ```mlir
    %y = cnn.conv %x, %w, %b {stride = array<i64: 1, 1>, padding = array<i64: 2, 2, 2, 2>,
           dilation = array<i64: 1, 1>, groups = 1 : i64}
         : tensor<128x1x28x28xf32>, tensor<6x1x5x5xf32>, tensor<6xf32> -> tensor<128x6x28x28xf32>
    ```

    Constraints:
    - C1: `x` is `[n, C, h, w]`, `w` `[K, C/G, r, s]`, `bias` (if any) `[K]`, all of one float type.
    - C2: `stride` and `dilation` have 2 positive entries, `padding` 4 that are not negative.
    - C3: `groups` divides `C` and `K`, and `w`'s second extent is `C/G`.
    - C4: the kernel, dilated, is not larger than the padded input.
  }];
  let arguments = !con((ins Cnn_FloatTensor:$input, Cnn_FloatTensor:$weight,
                            Optional<Cnn_FloatTensor>:$bias), Cnn_WindowAttrs);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $weight (`,` $bias^)? attr-dict `:` type($input) `,` type($weight) (`,` type($bias)^)?
    `->` type($result)
  }];
  let extraNestDeclaration = "static ::mlir::cnn::LayerDef getLayer();";
}

def Cnn_ConvDataGradOp : Cnn_TypedNestOp<"conv_data_grad"> {
  let summary = "gradient of a convolution for its input";
  let description = [{
    `dx[n, c, i sh + r dh - pt, j sw + s dw - pl] = sum_{k, r, s} dy[n, k, i, j] * w[k, c, r, s]`.

    Two forms: `scatter` follows the sum as it stands; `gather` computes each element of `dx` by a convolution
    with the kernel turned round, so that others can follow in its group. Along an axis of stride `t` that is `t`
    convolutions, each with every `t`-th tap, whose results lie interleaved: the nest counts them as phases before
    rows and columns. The attribute `scatter` tells which form; `isScatterCheaper` counts.

    Constraints:
    - C1: the result has the shape of the input of the convolution that gives `dy`'s shape.
    - C2: `scatter` is set where a dilation is not 1 more than a multiple of its stride.
  }];
  let arguments = !con((ins Cnn_FloatTensor:$gradient, Cnn_FloatTensor:$weight), Cnn_WindowAttrs,
                       (ins DefaultValuedAttr<BoolAttr, "true">:$scatter));
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = [{
    $gradient `,` $weight attr-dict `:` type($gradient) `,` type($weight) `->` type($result)
  }];
  let extraClassDeclaration = [{
    /// Whether the scattered form takes fewer multiplications; it also adds to memory once per sum.
    bool isScatterCheaper();
    /// Why the gathered form does not apply; empty where it does.
    std::string whyNotGather();
  }];
  let hasVerifier = 1;
}

def Cnn_ConvWeightGradOp : Cnn_TypedNestOp<"conv_weight_grad"> {
  let summary = "gradient of a convolution for its weight";
  let description = [{
    `dw[k, c, r, s] = sum_{n, i, j} x[n, g C/G + c, i sh + r dh - pt, j sw + s dw - pl] * dy[n, k, i, j]`.

    With `slices`, the result has a leading dimension of that extent, the batch is cut into as many
    equal slices, and each slice has its own sum.

    With `winograd`, set by the schedule, it is computed step by step, with channels in the lanes: by Winograd's
    algorithm F(3, `winograd`) from tiles of so many rows and columns of `dy`, or, with 1, as it stands.

    Constraints:
    - C1: the result has the shape of the weight of the convolution from `x` to `dy`, behind `slices`
      if that is not 0.
    - C2: `slices` divides the batch.
    - C3: `winograd` is 0 to 4; if not 0, there is one group; from 2 on, the kernel is 3 x 3, stride and dilation
      are 1.
  }];
  let arguments = !con((ins Cnn_FloatTensor:$input, Cnn_FloatTensor:$gradient), Cnn_WindowAttrs,
                       (ins DefaultValuedAttr<I64Attr, "0">:$slices,
                            DefaultValuedAttr<I64Attr, "0">:$winograd));
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $gradient attr-dict `:` type($input) `,` type($gradient) `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // CNNC_DIALECT_CNN_CONV_OPS_TD
