//===- CnnSoftmaxOps.td - Softmax and its logarithm ---------------------------------------------===//

#ifndef CNNC_DIALECT_CNN_SOFTMAX_OPS_TD
#define CNNC_DIALECT_CNN_SOFTMAX_OPS_TD

include "dialect/CnnPointwiseOps.td"

class Cnn_SoftmaxBase<string mnemonic, string name, string formula>
    : Cnn_Op<mnemonic, [Pure, Cnn_Backward, Cnn_Decompose]> {
  let summary = name;
  let description = "`" # formula # [{` along dimension `dim`. The largest element is taken off before `exp`, so
    that nothing overflows.

    Constraints:
    - C1: `dim` is a dimension of the input.
    - C2: input and result have the same type.}];
  let arguments = (ins Cnn_FloatTensor:$input, I64Attr:$dim);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$input `dim` $dim attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = "static ::mlir::cnn::LayerDef getLayer();";
}
def Cnn_SoftmaxOp : Cnn_SoftmaxBase<"softmax", "softmax", "y[k] = exp(x[k]) / sum_j exp(x[j])">;
def Cnn_LogSoftmaxOp : Cnn_SoftmaxBase<"log_softmax", "the logarithm of softmax",
    "y[k] = x[k] - log(sum_j exp(x[j]))">;

#endif // CNNC_DIALECT_CNN_SOFTMAX_OPS_TD
