//===- CnnWinogradOps.td - The four parts of a Winograd convolution -----------------------------===//
//
// Phase `scheduled` puts them in place of a convolution (or of its data gradient) whose kernel is
// 3 x 3, at stride 1 or 2, or 5 x 5 at stride 1. Tiles of m x m outputs are computed from windows of
// alpha x alpha inputs, alpha = m + 2, or 2 m + 1 at stride 2, or m + 4:
//
//   U = winograd_weight(w)      [p, q, k, c]                        once
//   V = winograd_input(x)       [n, bi, bj, p, q, c, ti, tj]        the tile at row bi TI + ti,
//   M = winograd_product(V, U)  [n, bi, bj, p, q, k, ti, tj]        column bj TJ + tj
//   y = winograd_output(M)      [n, k, h, w]
//
// The gradient of the input is a convolution with the kernel turned round. So is that of images turned
// round, whose result is turned round again: with `turned`, V and y are those of windows and tiles
// counted from their last row and column, and M sums over the other index of the same U.
//
// Blocks of TI x TJ tiles are dimensions of their own (bi, bj), so that an outer group can run all
// parts on one block while V and M stay in the cache.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_DIALECT_CNN_WINOGRAD_OPS_TD
#define CNNC_DIALECT_CNN_WINOGRAD_OPS_TD

include "dialect/CnnPointwiseOps.td"

def Cnn_WinogradWeightOp : Cnn_TypedNestOp<"winograd_weight"> {
  let summary = "transforms a kernel for Winograd's convolution";
  let description = [{
    `U[p, q, k, c] = sum_{r, s} G[p, r] G[q, s] w[k, c, r, s]`, with the matrix G of F(tile, taps)
    (`WinogradForm` in `dialect/Winograd.h`, which also says what it is at stride 2). It has `a` rows: tile + taps - 1, at stride 2
    2 tile + 1.

    ```mlir
    %u = cnn.winograd_weight %w {tile = 4 : i64} : tensor<64x32x3x3xf32> -> tensor<6x6x64x32xf32>
    ```

    Constraints:
    - C1: `w` is `[K, C, 3, 3]` or `[K, C, 5, 5]`, the result `[a, a, K, C]` of its type.
    - C2: `tile` is 2, 3, 4 or 6 at `stride` 1, and 2, 3 or 4 at 2; with 5 taps 2 or 4, at stride 1.
  }];
  let arguments = (ins Cnn_FloatTensor:$weight, I64Attr:$tile,
                       DefaultValuedAttr<I64Attr, "1">:$stride);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$weight attr-dict `:` type($weight) `->` type($result)";
  let hasVerifier = 1;
}

def Cnn_WinogradInputOp : Cnn_TypedNestOp<"winograd_input"> {
  let summary = "transforms the windows of images for Winograd's convolution";
  let description = [{
    `V[n, bi, bj, p, q, c, ti, tj] = sum_{r, s} B[p, r] B[q, s] x[n, c, step (bi TI + ti) + r - pt, step (bj TJ + tj) + s - pl]`
    with zeros outside of `x`; `padding` is `[pt, pl]`. B and step are those of the form: tile, stride, the
    kernel's `taps` along an axis, and whether the images are those of the gradient of an input (`turned`).

    ```mlir
    %v = cnn.winograd_input %x {tile = 4 : i64, padding = array<i64: 1, 1>}
         : tensor<16x32x8x8xf32> -> tensor<16x2x1x6x6x32x1x2xf32>
    ```

    Constraints:
    - C1: `x` is `[n, C, h, w]`, the result `[n, BI, BJ, a, a, C, TI, TJ]` of its type.
    - C2: `tile`, `stride` and `taps` (3 or 5) are as with `cnn.winograd_weight`, `padding` has two entries that are not negative.
  }];
  let arguments = (ins Cnn_FloatTensor:$input, I64Attr:$tile, DenseI64ArrayAttr:$padding,
                       DefaultValuedAttr<I64Attr, "1">:$stride,
                       DefaultValuedAttr<BoolAttr, "false">:$turned,
                       DefaultValuedAttr<I64Attr, "3">:$taps);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def Cnn_WinogradProductOp : Cnn_TypedNestOp<"winograd_product"> {
  let summary = "sums over the channels of transformed windows and kernels";
  let description = [{
    `M[n, bi, bj, p, q, k, ti, tj] = sum_c V[n, bi, bj, p, q, c, ti, tj] * U[p, q, k, c]`, with `turned`
    `* U[p, q, c, k]`. `stride` and `taps` tell which algorithm it is a part of.

    Constraints:
    - C1: `V` is `[n, BI, BJ, a, a, C, TI, TJ]`, `U` `[a, a, K, C]` (`C, K` where `turned`), the result `[n, BI, BJ, a, a, K, TI, TJ]`, all
      of one float type.
  }];
  let arguments = (ins Cnn_FloatTensor:$input, Cnn_FloatTensor:$weight,
                       DefaultValuedAttr<I64Attr, "1">:$stride,
                       DefaultValuedAttr<BoolAttr, "false">:$turned,
                       DefaultValuedAttr<I64Attr, "3">:$taps);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$input `,` $weight attr-dict `:` type($input) `,` type($weight) `->` type($result)";
  let hasVerifier = 1;
}

def Cnn_WinogradOutputOp : Cnn_TypedNestOp<"winograd_output"> {
  let summary = "transforms Winograd's products back to images";
  let description = [{
    `y[n, k, T (bi TI + ti) + i, T (bj TJ + tj) + j] = bias[k] + sum_{p, q} A[i, p] A[j, q] M[n, bi, bj, p, q, k, ti, tj]`,
    with the T outputs of a tile and the matrix A of the form; what lies outside of `y` is dropped. `of` is the operation that the four parts compute (`conv`,
    `conv_data_grad`): schedules are asked for by that name.

    Constraints:
    - C1: `M` is `[n, BI, BJ, a, a, K, TI, TJ]`, the result `[n, K, h, w]`, `bias` (if any) `[K]`, all
      of one float type.
    - C2: `tile`, `stride` and `taps` are as with `cnn.winograd_weight`.
    - C3: the tiles cover the result.
  }];
  let arguments = (ins Cnn_FloatTensor:$input, Optional<Cnn_FloatTensor>:$bias, I64Attr:$tile,
                       StrAttr:$of, DefaultValuedAttr<I64Attr, "1">:$stride,
                       DefaultValuedAttr<BoolAttr, "false">:$turned,
                       DefaultValuedAttr<I64Attr, "3">:$taps);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = [{
    $input (`,` $bias^)? attr-dict `:` type($input) (`,` type($bias)^)? `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // CNNC_DIALECT_CNN_WINOGRAD_OPS_TD
