//===- CnnRandomOps.td - Operations that draw random numbers ------------------------------------===//

#ifndef CNNC_DIALECT_CNN_RANDOM_OPS_TD
#define CNNC_DIALECT_CNN_RANDOM_OPS_TD

include "dialect/CnnNormOps.td"

def Cnn_DropoutOp : Cnn_Op<"dropout", [Pure, Cnn_Backward, Cnn_Decompose, AllTypesMatch<["input", "result"]>,
    DeclareOpInterfaceMethods<TrainingFormOpInterface, ["buildTrainingForm"]>]> {
  let summary = "the identity, which in training zeroes elements at random";
  let description = [{
    Gives `input`. In the training step it becomes `cnn.dropout_train`, as PyTorch's `nn.Dropout`.

    Constraints:
    - C1: `probability` is between 0 and 1.
  }];
  let arguments = (ins Cnn_FloatTensor:$input, F64Attr:$probability);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
  let hasVerifier = 1;
  let extraClassDeclaration = "static ::mlir::cnn::LayerDef getLayer();";
}

def Cnn_DropoutTrainOp : Cnn_NestOp<"dropout_train", [Cnn_Backward]> {
  let summary = "elements zeroed at random, the others scaled";
  let description = [{
    `result[e] = word(e) < probability * 2^32 ? 0 : input[e] / (1 - probability)`, where `word(e)` is the
    first word of Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC11) of the counter
    `(e, number, step, 4 << 24)` under the key `(seed, seed_high)`, and `e` the row-major index of the
    element in the logical tensor. So the mask depends on nothing else: not on the schedule, the layout,
    or the number of threads. It is computed again in the backward pass. With a probability of 1,
    everything is 0.

    ```mlir
    %y = cnn.dropout_train %x, %seed, %seed_high, %step {probability = 0.5 : f64, number = 0 : i64}
         : tensor<128x256xf32>, tensor<i32> -> tensor<128x256xf32>
    ```

    Constraints:
    - C1: `seed`, `seed_high` and `step` are `tensor<i32>`.
    - C2: `probability` is between 0 and 1, `number` at least 0.
    - C3: `input` has fewer than 2^31 elements.
  }];
  let arguments = (ins Cnn_FloatTensor:$input, Cnn_IntTensor:$seed, Cnn_IntTensor:$seed_high,
                       Cnn_IntTensor:$step, F64Attr:$probability, I64Attr:$number);
  let results = (outs Cnn_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $seed `,` $seed_high `,` $step attr-dict `:` type($input) `,` type($seed) `,` type($seed_high)
    `,` type($step) `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // CNNC_DIALECT_CNN_RANDOM_OPS_TD
