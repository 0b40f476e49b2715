//===- CnnLossOps.td - Losses -------------------------------------------------------------------===//

#ifndef CNNC_DIALECT_CNN_LOSS_OPS_TD
#define CNNC_DIALECT_CNN_LOSS_OPS_TD

include "dialect/CnnPointwiseOps.td"

defvar Cnn_CrossEntropyArguments = (ins Cnn_FloatTensor:$logits, Cnn_IntTensor:$labels, Cnn_IntTensor:$rows,
    DefaultValuedAttr<BoolAttr, "false">:$sum, DefaultValuedAttr<F64Attr, "0.0">:$label_smoothing);

def Cnn_CrossEntropyOp : Cnn_Op<"cross_entropy", [Pure, Cnn_Backward, Cnn_Decompose]> {
  let summary = "mean cross-entropy of softmax against labels";
  let description = [{
    `loss = 1/rows sum_{n < rows} (log sum_k exp x[n, k] - sum_k t[n, k] x[n, k])` with
    `t[n, k] = (1 - s) (label[n] == k) + s / K`, as PyTorch's `nn.CrossEntropyLoss` with `label_smoothing` s; with
    `sum`, without the factor. Rank 0.

    Constraints:
    - C1: `logits` is `[n, k]`, `labels` `[n]` of i32, `rows` `tensor<i32>`, the result of rank 0.
    - C2: `label_smoothing` is between 0 and 1.
  }];
  let arguments = Cnn_CrossEntropyArguments;
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = [{
    $logits `,` $labels `,` $rows attr-dict `:` type($logits) `,` type($labels) `,` type($rows) `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = "static ::mlir::cnn::LossDef getLoss();";
}

def Cnn_CrossEntropyGradOp : Cnn_Op<"cross_entropy_grad", [Pure, Cnn_Decompose]> {
  let summary = "gradient of the mean cross-entropy";
  let description = [{
    `result[n, k] = (softmax(x[n, :])[k] - t[n, k]) * (n < rows ? 1/rows : 0)`, for a loss gradient of 1, with the
    targets `t` of `cnn.cross_entropy`.

    Constraints:
    - C1: `logits` is `[n, k]`, `labels` `[n]` of i32, `rows` `tensor<i32>`, the result like `logits`.
  }];
  let arguments = Cnn_CrossEntropyArguments;
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = [{
    $logits `,` $labels `,` $rows attr-dict `:` type($logits) `,` type($labels) `,` type($rows) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Cnn_SquaredErrorOp : Cnn_Op<"squared_error", [Pure, Cnn_Backward, Cnn_Decompose]> {
  let summary = "squared error: its mean, or its sum";
  let description = [{
    `loss = sum_{n < rows, k} (x[n, k] - t[n, k])^2`; with `mean`, times `1 / (rows K)`, as PyTorch's `nn.MSELoss`,
    or with `mean` and `sum`, times `1 / K`. Rank 0.

    Constraints:
    - C1: `output` and `target` are `[n, k]` of one float type, `rows` is `tensor<i32>`, the result has rank 0.
  }];
  let arguments = (ins Cnn_FloatTensor:$output, Cnn_FloatTensor:$target, Cnn_IntTensor:$rows,
                       DefaultValuedAttr<BoolAttr, "false">:$mean, DefaultValuedAttr<BoolAttr, "false">:$sum);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = [{
    $output `,` $target `,` $rows attr-dict `:` type($output) `,` type($target) `,` type($rows) `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = "static ::std::vector<::mlir::cnn::LossDef> getLosses();";
}

#endif // CNNC_DIALECT_CNN_LOSS_OPS_TD
