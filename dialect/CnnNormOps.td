//===- CnnNormOps.td - Batch normalisation ------------------------------------------------------===//

#ifndef CNNC_DIALECT_CNN_NORM_OPS_TD
#define CNNC_DIALECT_CNN_NORM_OPS_TD

include "dialect/CnnPointwiseOps.td"

def Cnn_BatchNormOp : Cnn_Op<"batch_norm", [Pure, AllTypesMatch<["weight", "bias", "mean", "variance"]>, Cnn_Backward, Cnn_Decompose,
    DeclareOpInterfaceMethods<TrainingFormOpInterface, ["buildTrainingForm"]>,
    DeclareOpInterfaceMethods<InferTypeOpInterface, ["inferReturnTypes"]>]> {
  let summary = "batch normalisation by running statistics";
  let description = [{
    `y[n, c, ...] = (x[n, c, ...] - mean[c]) / sqrt(variance[c] + epsilon) * weight[c] + bias[c]`, as PyTorch's
    `nn.BatchNorm2d` and `nn.BatchNorm1d` in evaluation. In the training step it becomes
    `cnn.batch_norm_train`, and the statistics of the batch enter the running ones with the share
    `momentum`: the mean as it is, the variance as the unbiased one, `n / (n - 1)` times the biased
    one for `n` values of a channel (once the biased one for a single value, which PyTorch refuses).

    ```mlir
    %y = cnn.batch_norm %x, %weight, %bias, %mean, %variance {epsilon = 1.0e-05, momentum = 1.0e-01}
         : tensor<128x6x28x28xf32>, tensor<6xf32> -> tensor<128x6x28x28xf32>
    ```

    Constraints:
    - C1: `x` is `[n, c]` or `[n, c, h, w]`, every other operand `[c]`, all of one float type.
    - C2: `epsilon` is positive, `momentum` between 0 and 1.
  }];
  let arguments = (ins Cnn_FloatTensor:$input, Cnn_FloatTensor:$weight, Cnn_FloatTensor:$bias,
                       Cnn_FloatTensor:$mean, Cnn_FloatTensor:$variance, F64Attr:$epsilon,
                       F64Attr:$momentum);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $weight `,` $bias `,` $mean `,` $variance attr-dict `:` type($input) `,` type($weight)
    `->` type($result)
  }];
  let extraClassDeclaration = [{
    static bool isCompatibleReturnTypes(::mlir::TypeRange inferred, ::mlir::TypeRange actual) {
      return ::mlir::cnn::haveSameShapes(inferred, actual);
    }
    static ::mlir::cnn::LayerDef getLayer();
  }];
}

def Cnn_BatchNormTrainOp : Cnn_Op<"batch_norm_train", [Pure, AllTypesMatch<["weight", "bias"]>, Cnn_Backward, Cnn_Decompose,
    DeclareOpInterfaceMethods<InferTypeOpInterface, ["inferReturnTypes"]>]> {
  let summary = "batch normalisation by the statistics of the batch";
  let description = [{
    `batch_mean` and `batch_variance` (biased) of each channel over the first `rows` rows and the whole
    image; `result` is `x` normalised by them as `cnn.batch_norm` says. No gradient flows through
    `batch_mean` and `batch_variance` as results (they become running statistics).

    The statistics take two passes: each image's mean, then its sum of squares about that mean, which
    also corrects the mean (Chan, Golub, LeVeque 1983); the images are combined as in Chan's formula
    for groups. No large numbers are subtracted, whatever the mean is.

    Constraints:
    - C1: `x` is `[n, c]` or `[n, c, h, w]`, `weight` and `bias` `[c]`, all of one float type;
      `rows` is `tensor<i32>`.
    - C2: `epsilon` is positive.
  }];
  let arguments = (ins Cnn_FloatTensor:$input, Cnn_FloatTensor:$weight, Cnn_FloatTensor:$bias,
                       Cnn_IntTensor:$rows, F64Attr:$epsilon);
  let results = (outs Cnn_FloatTensor:$result, Cnn_FloatTensor:$batch_mean,
                      Cnn_FloatTensor:$batch_variance);
  let assemblyFormat = [{
    $input `,` $weight `,` $bias `,` $rows attr-dict `:` type($input) `,` type($weight) `,` type($rows)
    `->` type(results)
  }];
  let extraClassDeclaration = [{
    static bool isCompatibleReturnTypes(::mlir::TypeRange inferred, ::mlir::TypeRange actual) {
      return ::mlir::cnn::haveSameShapes(inferred, actual);
    }
  }];
}

def Cnn_BatchNormGradOp : Cnn_Op<"batch_norm_grad", [Pure, AllTypesMatch<["gradient", "input"]>,
    AllTypesMatch<["weight", "mean", "variance"]>, Cnn_Decompose,
    DeclareOpInterfaceMethods<InferTypeOpInterface, ["inferReturnTypes"]>]> {
  let summary = "gradients of a batch normalisation by the statistics of the batch";
  let description = [{
    With `s = 1 / sqrt(variance + epsilon)`, `a[c]` the sum of `dy` and `b[c]` that of
    `dy (x - mean)`, over `m` values of a channel:

    `dx = s weight (dy - a / m - (x - mean) s s b / m)`, 0 in unused rows; `dweight = s b`, `dbias = a`.

    `dy` must be 0 in unused rows, as the gradient of a loss over `rows` rows is.

    Constraints:
    - C1: `dy` and `x` are `[n, c]` or `[n, c, h, w]`, `weight`, `mean` and `variance` `[c]`, all of one float type;
      `rows` is `tensor<i32>`.
    - C2: `epsilon` is positive.
  }];
  let arguments = (ins Cnn_FloatTensor:$gradient, Cnn_FloatTensor:$input, Cnn_FloatTensor:$weight,
                       Cnn_FloatTensor:$mean, Cnn_FloatTensor:$variance, Cnn_IntTensor:$rows,
                       F64Attr:$epsilon);
  let results = (outs Cnn_FloatTensor:$data_gradient, Cnn_FloatTensor:$weight_gradient,
                      Cnn_FloatTensor:$bias_gradient);
  let assemblyFormat = [{
    $gradient `,` $input `,` $weight `,` $mean `,` $variance `,` $rows attr-dict
    `:` type($input) `,` type($weight) `,` type($rows) `->` type(results)
  }];
  let extraClassDeclaration = [{
    static bool isCompatibleReturnTypes(::mlir::TypeRange inferred, ::mlir::TypeRange actual) {
      return ::mlir::cnn::haveSameShapes(inferred, actual);
    }
  }];
}

def Cnn_ChannelSumsOp : Cnn_NestOp<"channel_sums"> {
  let summary = "sums over each channel of each image, about a centre";
  let description = [{
    `sums[n, c] = sum_{h, w} f` and `products[n, c] = sum_{h, w} f * (x[n, c, h, w] - center)`, where `f` is
    `factor[n, c, h, w]` if that is given, else `x[n, c, h, w] - center`, and `center` is `center[c]` or
    `center[n, c]`. Both sums in one pass.

    ```mlir
    %s, %q = cnn.channel_sums %x, %m : tensor<128x6x28x28xf32>, tensor<128x6xf32>
             -> tensor<128x6xf32>, tensor<128x6xf32>
    ```

    Constraints:
    - C1: `x` is `[n, c, h, w]`, `center` `[c]` or `[n, c]`, `factor` (if any) like `x`, all of one float type.
  }];
  let arguments = (ins Cnn_FloatTensor:$input, Cnn_FloatTensor:$center,
                       Optional<Cnn_FloatTensor>:$factor);
  let results = (outs Cnn_FloatTensor:$sums, Cnn_FloatTensor:$products);
  let assemblyFormat = [{
    $input `,` $center (`factor` $factor^)? attr-dict `:` type($input) `,` type($center)
    (`,` type($factor)^)? `->` type($sums) `,` type($products)
  }];
}

def Cnn_InverseStdOp : Cnn_NestOp<"inverse_std"> {
  let summary = "1 / sqrt(variance + epsilon)";
  let description = [{
    Element by element. Any shape; f32 or f64.

    Constraints:
    - C1: `epsilon` is positive.
  }];
  let arguments = (ins Cnn_FloatTensor:$input, F64Attr:$epsilon);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def Cnn_ScaledWeightOp : Cnn_NestOp<"scaled_weight"> {
  let summary = "the weight of a layer and the batch normalisation behind it";
  let description = [{
    `result[k, ...] = weight[k, ...] * scale[k] / sqrt(variance[k] + epsilon)`.

    Constraints:
    - C1: `weight` is `[k, ...]`, `scale` and `variance` `[k]`, all of one float type.
    - C2: `epsilon` is positive.
  }];
  let arguments = (ins Cnn_FloatTensor:$weight, Cnn_FloatTensor:$scale, Cnn_FloatTensor:$variance,
                       F64Attr:$epsilon);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = [{
    $weight `,` $scale `,` $variance attr-dict `:` type($weight) `,` type($scale) `,` type($variance)
    `->` type($result)
  }];
  let hasVerifier = 1;
}

def Cnn_RowCountOp : Cnn_TypedNestOp<"row_count"> {
  let summary = "how many values the used rows of a batch hold, as a float";
  let description = [{
    `result = max(rows * factor + offset, 1)`, of rank 0.

    Constraints:
    - C1: `rows` is `tensor<i32>`, the result of rank 0 and a float type.
    - C2: `factor` is positive.
  }];
  let arguments = (ins Cnn_IntTensor:$rows, I64Attr:$factor, DefaultValuedAttr<I64Attr, "0">:$offset);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$rows attr-dict `:` type($rows) `->` type($result)";
  let hasVerifier = 1;
}

#endif // CNNC_DIALECT_CNN_NORM_OPS_TD
