//===- CnnAdamOps.td - Adam and AdamW -----------------------------------------------------------===//

#ifndef CNNC_DIALECT_CNN_ADAM_OPS_TD
#define CNNC_DIALECT_CNN_ADAM_OPS_TD

include "dialect/CnnPointwiseOps.td"

def Cnn_AdamUpdateOp : Cnn_Op<"adam_update", [Pure, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<DecomposeOpInterface, ["decompose"]>]> {
  let summary = "one step of Adam or AdamW";
  let description = [{
    As PyTorch's `optim.Adam` (Kingma and Ba 2015) and `optim.AdamW` (Loshchilov and Hutter 2019). For Adam
    `g = gradient + weight_decay p`; for AdamW, with `shrinkage`, `p` is replaced by `shrinkage p` first. Then

    `m' = m + mean_share (g - m)`, `v' = square_decay v + square_share g g`,
    `p' = p - step_size m' / (sqrt(v') / correction + eps)`.

    With `largest` (AMSGrad, Reddi, Kale, Kumar 2018) `max(largest, v')` stands in place of `v'` in the last
    formula, and is the fourth result.

    All scalars are rank-0 tensors that change without recompilation, computed in double by whoever
    calls the step: in step t (from 1) of a run with rates b1 and b2, `mean_share = 1 - b1`,
    `square_decay = b2`, `square_share = 1 - b2`, `step_size = lr / (1 - b1^t)`, `correction = sqrt(1 - b2^t)`,
    `shrinkage = 1 - lr weight_decay`.

    Constraints:
    - C1: parameter, gradient, the two moments and the results have one shape and element type.
    - C2: `weight_decay` and `shrinkage` are not given both.
    - C3: `updated_largest` is a result exactly where `largest` is given.
  }];
  let arguments = (ins Cnn_FloatTensor:$parameter, Cnn_FloatTensor:$gradient,
                       Cnn_FloatTensor:$mean, Cnn_FloatTensor:$square, Cnn_FloatTensor:$step_size,
                       Cnn_FloatTensor:$mean_share, Cnn_FloatTensor:$square_decay,
                       Cnn_FloatTensor:$square_share, Cnn_FloatTensor:$correction,
                       Cnn_FloatTensor:$eps, Optional<Cnn_FloatTensor>:$weight_decay,
                       Optional<Cnn_FloatTensor>:$shrinkage, Optional<Cnn_FloatTensor>:$largest);
  let results = (outs Cnn_FloatTensor:$updated, Cnn_FloatTensor:$updated_mean,
                      Cnn_FloatTensor:$updated_square, Optional<Cnn_FloatTensor>:$updated_largest);
  let assemblyFormat = [{
    $parameter `,` $gradient `moments` $mean `,` $square `step_size` $step_size `mean_share` $mean_share
    `square_decay` $square_decay `square_share` $square_share `correction` $correction `eps` $eps
    (`decay` $weight_decay^)? (`shrinkage` $shrinkage^)? (`largest` $largest^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = "static ::std::vector<::mlir::cnn::OptimizerDef> getOptimizers();";
}

def Cnn_AdamRatioOp : Cnn_NestOp<"adam_ratio"> {
  let summary = "the direction of a step of Adam";
  let description = [{
    `mean / (sqrt(square) / correction + eps)`, element by element.

    Constraints:
    - C1: `mean` and `square` have one shape and element type, `correction` and `eps` rank 0 and that
      element type.
  }];
  let arguments = (ins Cnn_FloatTensor:$mean, Cnn_FloatTensor:$square, Cnn_FloatTensor:$correction,
                       Cnn_FloatTensor:$eps);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = [{
    $mean `,` $square `,` $correction `,` $eps attr-dict `:` type($mean) `,` type($square) `,` type($correction)
    `,` type($eps) `->` type($result)
  }];
}

#endif // CNNC_DIALECT_CNN_ADAM_OPS_TD
