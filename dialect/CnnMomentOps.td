//===- CnnMomentOps.td - Mean and variance by way of windows ------------------------------------===//

#ifndef CNNC_DIALECT_CNN_MOMENT_OPS_TD
#define CNNC_DIALECT_CNN_MOMENT_OPS_TD

include "dialect/CnnPointwiseOps.td"

def Cnn_WindowSquaresOp : Cnn_NestOp<"window_squares"> {
  let summary = "squared distances from each window's mean, added up";
  let description = [{
    `result[n, c, i, j] = sum_{r, s} (x[n, c, h i + r, w j + s] - mean[n, c, i, j])^2` over the windows of
    `h x w` elements that tile the image.

    ```mlir
    %q = cnn.window_squares %x, %m {window = array<i64: 4, 4>}
         : tensor<16x6x28x28xf32>, tensor<16x6x7x7xf32> -> tensor<16x6x7x7xf32>
    ```

    Constraints:
    - C1: `x` is `[n, c, h, w]`, and the two positive entries of `window` divide `h` and `w`.
    - C2: `mean` has one element for each window, of the same float type.
  }];
  let arguments = (ins Cnn_FloatTensor:$input, Cnn_FloatTensor:$mean, DenseI64ArrayAttr:$window);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $mean attr-dict `:` type($input) `,` type($mean) `->` type($result)
  }];
}

def Cnn_CombineMomentsOp : Cnn_NestOp<"combine_moments"> {
  let summary = "sums over each channel of each image, from means and squares of windows";
  let description = [{
    `sums[n, c] = sum_{i, j} area (mean[n, c, i, j] - center)` and
    `products[n, c] = sum_{i, j} (squares[n, c, i, j] + area (mean[n, c, i, j] - center)^2)`,

    where `mean` is that of a window of `area` elements, and `squares` its `cnn.window_squares`. These are the sums of distances
    from `center` and of their squares, as `cnn.channel_sums` has them (Chan, Golub, LeVeque 1983). No large
    numbers are subtracted, whatever the means are. `center` is `center[c]` or `center[n, c]`.

    ```mlir
    %s, %q = cnn.combine_moments %means, %squares, %m {area = 16 : i64}
             : tensor<16x6x7x7xf32>, tensor<16x6x7x7xf32>, tensor<16x6xf32>
               -> tensor<16x6xf32>, tensor<16x6xf32>
    ```

    Constraints:
    - C1: `mean` is `[n, c, h, w]`, `squares` like it, `center` `[c]` or `[n, c]`, all of one float type.
    - C2: `area` is positive.
  }];
  let arguments = (ins Cnn_FloatTensor:$mean, Cnn_FloatTensor:$squares, Cnn_FloatTensor:$center, I64Attr:$area);
  let results = (outs Cnn_FloatTensor:$sums, Cnn_FloatTensor:$products);
  let assemblyFormat = [{
    $mean `,` $squares `,` $center attr-dict `:` type($mean) `,` type($squares) `,` type($center) `->`
    type($sums) `,` type($products)
  }];
}

#endif // CNNC_DIALECT_CNN_MOMENT_OPS_TD
