//===- CnnAdaptivePoolOps.td - Pooling to a given size ------------------------------------------===//

#ifndef CNNC_DIALECT_CNN_ADAPTIVE_POOL_OPS_TD
#define CNNC_DIALECT_CNN_ADAPTIVE_POOL_OPS_TD

include "dialect/CnnPointwiseOps.td"

// Window i of `out` windows over an extent of `in` goes from floor(i in / out) to ceil((i + 1) in / out), as
// in PyTorch. Where `out` divides `in`, these are the windows of ordinary pooling, which serves better.

def Cnn_AdaptiveAvgPoolOp : Cnn_NestOp<"adaptive_avg_pool", [Cnn_Backward], ["buildFinish"]> {
  let summary = "means of windows that cover an image in a given number";
  let description = [{
    As PyTorch's `nn.AdaptiveAvgPool2d`. Every point of the image is visited for every result, and counts where
    it lies in the window.

    Constraints:
    - C1: `input` is `[n, c, h, w]`; `size` has 2 positive entries.
  }];
  let arguments = (ins Cnn_FloatTensor:$input, DenseI64ArrayAttr:$size);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$input `size` $size attr-dict `:` type($input) `->` type($result)";
  let extraNestDeclaration = "static ::mlir::cnn::LayerDef getLayer();";
}

def Cnn_AdaptiveMaxPoolOp : Cnn_NestOp<"adaptive_max_pool", [Cnn_Backward], ["buildInit"]> {
  let summary = "the largest elements of windows that cover an image in a given number";
  let description = [{
    As PyTorch's `nn.AdaptiveMaxPool2d`. The second result is the position `r w + s` in the image of the first
    largest element, which the gradient needs.

    Constraints:
    - C1: `input` is `[n, c, h, w]`; `size` has 2 positive entries.
  }];
  let arguments = (ins Cnn_FloatTensor:$input, DenseI64ArrayAttr:$size);
  let results = (outs Cnn_FloatTensor:$result, Cnn_IntTensor:$positions);
  let assemblyFormat = [{
    $input `size` $size attr-dict `:` type($input) `->` type($result) `,` type($positions)
  }];
  let extraNestDeclaration = "static ::mlir::cnn::LayerDef getLayer();";
}

def Cnn_AdaptiveAvgPoolGradOp : Cnn_TypedNestOp<"adaptive_avg_pool_grad"> {
  let summary = "gradient of adaptive average pooling";
  let description = [{
    Every element of the result is the sum of `gradient / count` over the windows that it lies in.

    Constraints:
    - C1: `gradient` and the result have rank 4, and agree in their first two extents.
  }];
  let arguments = (ins Cnn_FloatTensor:$gradient);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$gradient attr-dict `:` type($gradient) `->` type($result)";
  let hasVerifier = 1;
}

def Cnn_AdaptiveMaxPoolGradOp : Cnn_TypedNestOp<"adaptive_max_pool_grad"> {
  let summary = "gradient of adaptive max pooling";
  let description = [{
    Every element of the result is the sum of `gradient` over the windows that name it in `positions`.

    Constraints:
    - C1: `gradient` and the result have rank 4, and agree in their first two extents.
    - C2: `positions` have the gradient's shape, and element type i32.
  }];
  let arguments = (ins Cnn_FloatTensor:$gradient, Cnn_IntTensor:$positions);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = [{
    $gradient `,` $positions attr-dict `:` type($gradient) `,` type($positions) `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // CNNC_DIALECT_CNN_ADAPTIVE_POOL_OPS_TD
