// RUN: cnn-opt %s -cnn-differentiate --mlir-print-local-scope --mlir-print-debuginfo | FileCheck %s
// Fails when the entry points lack a gradient, an update, a name, or compute what no parameter needs.

module @net {
  // The optimizer's state stands behind the parameters, which keep their order.
  // CHECK: cnn.param @shared.weight {{.*}} parameter
  // CHECK-NEXT: cnn.param @conv1.bias {{.*}} parameter
  // CHECK-NEXT: cnn.param @shared.weight.velocity : tensor<1x1x1x1xf64> optimizer <"constant", value = 0.000000e+00 : f64> loc("shared.weight.velocity"("net.cnn":3:5))
  // CHECK-NEXT: cnn.param @conv1.bias.velocity : tensor<1xf64> optimizer
  // CHECK-NEXT: cnn.param @norm.mean {{.*}} running
  cnn.param @shared.weight : tensor<1x1x1x1xf64> parameter <"constant"> loc("shared"("net.cnn":3:5))
  cnn.param @conv1.bias : tensor<1xf64> parameter <"constant"> loc("conv1"("net.cnn":3:5))
  cnn.param @norm.mean : tensor<1xf64> running <"constant"> loc("norm"("net.cnn":4:5))
  // CHECK-NOT: cnn.recipe
  cnn.recipe @r net @net loss "cross_entropy" optimizer "sgd" {momentum = true, nesterov = true, weight_decay = true} loc("net.cnn":9:1)
  // CHECK-NOT: func.func @net

  // CHECK-LABEL: func.func @train_step(
  // CHECK-SAME: %[[IMAGE:[^ ]*]]: tensor<4x1x4x1xf64> {cnn.name = "image"} loc("image"("net.cnn":1:9))
  // CHECK-SAME: %[[LABELS:[^ ]*]]: tensor<4xi32> {cnn.name = "labels"}
  // CHECK-SAME: %[[ROWS:[^ ]*]]: tensor<i32> {cnn.name = "rows"}
  // CHECK-SAME: %[[LR:[^ ]*]]: tensor<f64> {cnn.name = "lr"}
  // CHECK-SAME: %[[MOMENTUM:[^ ]*]]: tensor<f64> {cnn.name = "momentum"}
  // CHECK-SAME: %[[DECAY:[^ ]*]]: tensor<f64> {cnn.name = "weight_decay"}
  // CHECK-SAME: -> (tensor<f64> {cnn.name = "loss"}, tensor<f64> {cnn.name = "nonfinite.0"}, tensor<f64> {cnn.name = "nonfinite.1"}) {
  // CHECK-NEXT: %[[X:.*]] = cnn.mask_rows %[[IMAGE]], %[[ROWS]]
  // CHECK-NEXT: %[[W:.*]] = cnn.read @shared.weight
  // CHECK-NEXT: %[[B:.*]] = cnn.read @conv1.bias
  // CHECK-NEXT: %[[C1:.*]] = cnn.conv %[[X]], %[[W]], %[[B]] {{.*}} loc("conv1"("net.cnn":3:5))
  // CHECK-NEXT: %[[R1:.*]] = cnn.relu %[[C1]]
  // The backward pass of max pooling needs positions: the forward pass then computes them.
  // CHECK-NEXT: %[[P:.*]], %[[AT:.*]] = cnn.max_pool %[[R1]] {{{.*}}with_positions = true} {{.*}} loc("pool1"("net.cnn":3:30))
  // CHECK-NEXT: %[[W2:.*]] = cnn.read @shared.weight
  // CHECK-NEXT: %[[C2:.*]] = cnn.conv %[[P]], %[[W2]] {{.*}} loc("conv2"("net.cnn":4:5))
  // CHECK-NEXT: %[[S:.*]] = cnn.add %[[C2]], %[[P]]
  // CHECK-NEXT: %[[L:.*]] = cnn.reshape %[[S]]
  // CHECK-NEXT: %[[LOSS:.*]] = cnn.cross_entropy %[[L]], %[[LABELS]], %[[ROWS]] : {{.*}} loc("loss"("net.cnn":9:1))
  // CHECK-NEXT: %[[DL:.*]] = cnn.cross_entropy_grad {{.*}} loc("loss.backward"("net.cnn":9:1))
  // CHECK-NEXT: %[[DS:.*]] = cnn.reshape %[[DL]] {{.*}} loc("flatten1.backward"("net.cnn":5:5))
  // CHECK-NEXT: %[[DP:.*]] = cnn.conv_data_grad %[[DS]], %[[W2]] {{.*}} loc("conv2.data_grad"("net.cnn":4:5))
  // CHECK-NEXT: %[[DW2:.*]] = cnn.conv_weight_grad %[[P]], %[[DS]] {{.*}} loc("conv2.weight_grad"("net.cnn":4:5))
  // The pooled image is used twice: its gradients meet.
  // CHECK-NEXT: %[[DP2:.*]] = cnn.add %[[DS]], %[[DP]] {{.*}} loc("conv2.backward"("net.cnn":4:5))
  // CHECK-NEXT: %[[DR:.*]] = cnn.max_pool_grad %[[DP2]], %[[AT]] {{.*}} loc("pool1.backward"("net.cnn":3:30))
  // CHECK-NEXT: %[[DC:.*]] = cnn.relu_grad %[[R1]], %[[DR]] {{.*}} loc("relu1.backward"("net.cnn":3:20))
  // The image itself needs no gradient.
  // CHECK-NEXT: %[[DW1:.*]] = cnn.conv_weight_grad %[[X]], %[[DC]] {{.*}} loc("conv1.weight_grad"("net.cnn":3:5))
  // CHECK-NEXT: %[[DB:.*]] = cnn.reduce_sum %[[DC]] dims [0, 2, 3] {{.*}} loc("conv1.bias_grad"("net.cnn":3:5))
  // So is the shared weight.
  // CHECK-NEXT: %[[DW:.*]] = cnn.add %[[DW1]], %[[DW2]] {{.*}} loc("shared.backward"("net.cnn":3:5))
  // CHECK-NEXT: %[[V:.*]] = cnn.read @shared.weight.velocity
  // CHECK-NEXT: %[[NW:.*]], %[[NV:.*]] = cnn.sgd_update %{{.*}}, %[[DW]] lr %[[LR]] decay %[[DECAY]] velocity %[[V]] momentum %[[MOMENTUM]] {nesterov = true} {{.*}} loc("shared.update"("net.cnn":3:5))
  // CHECK-NEXT: cnn.write @shared.weight, %[[NW]]
  // CHECK-NEXT: cnn.write @shared.weight.velocity, %[[NV]]
  // What is not finite in the gradient is in the updated parameter.
  // CHECK-NEXT: %[[N0:.*]] = cnn.nonfinite %[[NW]] {{.*}} loc("shared.nonfinite"("net.cnn":3:5))
  // CHECK: %[[NB:.*]], %{{.*}} = cnn.sgd_update %{{.*}}, %[[DB]] lr
  // CHECK-NEXT: cnn.write @conv1.bias, %[[NB]]
  // CHECK-NEXT: cnn.write @conv1.bias.velocity,
  // CHECK-NEXT: %[[N1:.*]] = cnn.nonfinite %[[NB]]
  // The next state is whole.
  // CHECK-NEXT: %[[MEAN:.*]] = cnn.read @norm.mean
  // CHECK-NEXT: cnn.write @norm.mean, %[[MEAN]]
  // CHECK-NEXT: return %[[LOSS]], %[[N0]], %[[N1]]

  // CHECK-LABEL: func.func @eval(
  // CHECK-SAME: {cnn.name = "image"}{{.*}}{cnn.name = "labels"}{{.*}}{cnn.name = "rows"}
  // CHECK-SAME: -> (tensor<f64> {cnn.name = "loss_sum"}, tensor<4x2xf64> {cnn.name = "logits"})
  // CHECK: %[[L:.*]] = cnn.reshape
  // CHECK-NEXT: %[[LOSS:.*]] = cnn.cross_entropy %[[L]], {{.*}} {sum = true}
  // CHECK-NEXT: return %[[LOSS]], %[[L]]

  // CHECK-LABEL: func.func @infer(
  // CHECK-SAME: {cnn.name = "image"}{{.*}}{cnn.name = "rows"} loc({{.*}})) -> (tensor<4x2xf64> {cnn.name = "logits"})
  // CHECK-NEXT: cnn.mask_rows
  // CHECK: cnn.max_pool %{{.*}} -> tensor<4x1x2x1xf64> loc
  // CHECK: %[[L:.*]] = cnn.reshape
  // CHECK-NEXT: return %[[L]]
  func.func @net(%image: tensor<4x1x4x1xf64> {cnn.name = "image"} loc("image"("net.cnn":1:9))) -> (tensor<4x2xf64> {cnn.name = "logits"}) {
    %w = cnn.read @shared.weight : tensor<1x1x1x1xf64> loc("conv1"("net.cnn":3:5))
    %b = cnn.read @conv1.bias : tensor<1xf64> loc("conv1"("net.cnn":3:5))
    %0 = cnn.conv %image, %w, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<4x1x4x1xf64>, tensor<1x1x1x1xf64>, tensor<1xf64> -> tensor<4x1x4x1xf64> loc("conv1"("net.cnn":3:5))
    %1 = cnn.relu %0 : tensor<4x1x4x1xf64> -> tensor<4x1x4x1xf64> loc("relu1"("net.cnn":3:20))
    %2 = cnn.max_pool %1 {kernel = array<i64: 2, 1>, stride = array<i64: 2, 1>, padding = array<i64: 0, 0, 0, 0>} : tensor<4x1x4x1xf64> -> tensor<4x1x2x1xf64> loc("pool1"("net.cnn":3:30))
    %v = cnn.read @shared.weight : tensor<1x1x1x1xf64> loc("conv2"("net.cnn":4:5))
    %3 = cnn.conv %2, %v {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<4x1x2x1xf64>, tensor<1x1x1x1xf64> -> tensor<4x1x2x1xf64> loc("conv2"("net.cnn":4:5))
    %4 = cnn.add %3, %2 : tensor<4x1x2x1xf64>, tensor<4x1x2x1xf64> -> tensor<4x1x2x1xf64> loc("add1"("net.cnn":4:20))
    %5 = cnn.reshape %4 : tensor<4x1x2x1xf64> -> tensor<4x2xf64> loc("flatten1"("net.cnn":5:5))
    return %5 : tensor<4x2xf64>
  } loc("net.cnn":1:1)
}
