//===- CnnTrainOps.td - Losses and parameter updates --------------------------------------------===//

#ifndef CNNC_DIALECT_CNN_TRAIN_OPS_TD
#define CNNC_DIALECT_CNN_TRAIN_OPS_TD

include "dialect/CnnPointwiseOps.td"

def Cnn_CrossEntropyOp : Cnn_Op<"cross_entropy", [Pure, Cnn_Backward,
    DeclareOpInterfaceMethods<DecomposeOpInterface, ["decompose"]>]> {
  let summary = "mean cross-entropy of softmax against labels";
  let description = [{
    `loss = 1/rows sum_{n < rows} (log sum_k exp x[n, k] - x[n, label[n]])`, as PyTorch's
    `nn.CrossEntropyLoss`; with `sum`, without the factor. Rank 0.

    Constraints:
    - C1: `logits` is `[n, k]`, `labels` `[n]` of i32, `rows` `tensor<i32>`, the result of rank 0.
  }];
  let arguments = (ins Cnn_FloatTensor:$logits, Cnn_IntTensor:$labels, Cnn_IntTensor:$rows,
                       DefaultValuedAttr<BoolAttr, "false">:$sum);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = [{
    $logits `,` $labels `,` $rows attr-dict `:` type($logits) `,` type($labels) `,` type($rows) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Cnn_CrossEntropyGradOp : Cnn_Op<"cross_entropy_grad", [Pure,
    DeclareOpInterfaceMethods<DecomposeOpInterface, ["decompose"]>]> {
  let summary = "gradient of the mean cross-entropy";
  let description = [{
    `result[n, k] = (softmax(x[n, :])[k] - (label[n] == k)) * (n < rows ? 1/rows : 0)`, for a loss gradient of 1.

    Constraints:
    - C1: `logits` is `[n, k]`, `labels` `[n]` of i32, `rows` `tensor<i32>`, the result like `logits`.
  }];
  let arguments = (ins Cnn_FloatTensor:$logits, Cnn_IntTensor:$labels, Cnn_IntTensor:$rows,
                       DefaultValuedAttr<BoolAttr, "false">:$sum);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = [{
    $logits `,` $labels `,` $rows attr-dict `:` type($logits) `,` type($labels) `,` type($rows) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Cnn_SgdUpdateOp : Cnn_Op<"sgd_update", [Pure, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<DecomposeOpInterface, ["decompose"]>]> {
  let summary = "one step of stochastic gradient descent";
  let description = [{
    As PyTorch's `optim.SGD`: `g = gradient + weight_decay p`; with a velocity `v' = momentum v + g`, and `g = v'`,
    or with `nesterov` `g = g + momentum v'`; `p' = p - lr g`. `lr`, `momentum` and `weight_decay` are rank-0
    tensors, so that changing them recompiles nothing.

    Constraints:
    - C1: parameter, gradient, velocity and the results have one shape and element type.
    - C2: `momentum` is given exactly where `velocity` is, and then there are two results.
    - C3: `nesterov` needs a velocity.
  }];
  let arguments = (ins Cnn_FloatTensor:$parameter, Cnn_FloatTensor:$gradient, Cnn_FloatTensor:$lr,
                       Optional<Cnn_FloatTensor>:$weight_decay, Optional<Cnn_FloatTensor>:$velocity,
                       Optional<Cnn_FloatTensor>:$momentum,
                       DefaultValuedAttr<BoolAttr, "false">:$nesterov);
  let results = (outs Cnn_FloatTensor:$updated, Optional<Cnn_FloatTensor>:$updated_velocity);
  let assemblyFormat = [{
    $parameter `,` $gradient `lr` $lr (`decay` $weight_decay^)? (`velocity` $velocity^ `momentum` $momentum)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // CNNC_DIALECT_CNN_TRAIN_OPS_TD
