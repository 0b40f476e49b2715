//===- CnnOps.td - All operations of the dialect ------------------------------------------------===//

#ifndef CNNC_DIALECT_CNN_OPS_TD
#define CNNC_DIALECT_CNN_OPS_TD

include "dialect/CnnStructureOps.td"
include "dialect/CnnPointwiseOps.td"
include "dialect/CnnActivationOps.td"
include "dialect/CnnMathOps.td"
include "dialect/CnnLinearOps.td"
include "dialect/CnnConvOps.td"
include "dialect/CnnWinogradOps.td"
include "dialect/CnnPoolOps.td"
include "dialect/CnnNormOps.td"
include "dialect/CnnMomentOps.td"
include "dialect/CnnIndexOps.td"
include "dialect/CnnAdaptivePoolOps.td"
include "dialect/CnnShapeOps.td"
include "dialect/CnnPartialOps.td"
include "dialect/CnnSoftmaxOps.td"
include "dialect/CnnLossOps.td"
include "dialect/CnnRandomOps.td"
include "dialect/CnnTrainOps.td"
include "dialect/CnnAdamOps.td"
include "dialect/CnnTileOps.td"

#endif // CNNC_DIALECT_CNN_OPS_TD
