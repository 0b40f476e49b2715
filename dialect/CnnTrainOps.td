//===- CnnTrainOps.td - Parameter updates -------------------------------------------------------===//

#ifndef CNNC_DIALECT_CNN_TRAIN_OPS_TD
#define CNNC_DIALECT_CNN_TRAIN_OPS_TD

include "dialect/CnnPointwiseOps.td"

def Cnn_SgdUpdateOp : Cnn_Op<"sgd_update", [Pure, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<DecomposeOpInterface, ["decompose"]>]> {
  let summary = "one step of stochastic gradient descent";
  let description = [{
    As PyTorch's `optim.SGD`: `g = gradient + weight_decay p`; with a velocity `v' = momentum v + gradient_share g`,
    and `g = v'`, or with `nesterov` `g = g + momentum v'`; `p' = p - lr g`. `gradient_share` is 1 where it is not
    given, and in the first step of a run; later it is `1 - dampening`. `lr`, `momentum`, `weight_decay` and
    `gradient_share` are rank-0 tensors, so that changing them recompiles nothing.

    Constraints:
    - C1: parameter, gradient, velocity and the results have one shape and element type.
    - C2: `momentum` is given exactly where `velocity` is, and then there are two results.
    - C3: `nesterov` and `gradient_share` need a velocity, and are not given both.
  }];
  let arguments = (ins Cnn_FloatTensor:$parameter, Cnn_FloatTensor:$gradient, Cnn_FloatTensor:$lr,
                       Optional<Cnn_FloatTensor>:$weight_decay, Optional<Cnn_FloatTensor>:$velocity,
                       Optional<Cnn_FloatTensor>:$momentum, Optional<Cnn_FloatTensor>:$gradient_share,
                       DefaultValuedAttr<BoolAttr, "false">:$nesterov);
  let results = (outs Cnn_FloatTensor:$updated, Optional<Cnn_FloatTensor>:$updated_velocity);
  let assemblyFormat = [{
    $parameter `,` $gradient `lr` $lr (`decay` $weight_decay^)? (`velocity` $velocity^ `momentum` $momentum)?
    (`share` $gradient_share^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = "static ::std::vector<::mlir::cnn::OptimizerDef> getOptimizers();";
}

#endif // CNNC_DIALECT_CNN_TRAIN_OPS_TD
