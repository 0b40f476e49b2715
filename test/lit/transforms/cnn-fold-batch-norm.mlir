// RUN: cnn-opt %s -cnn-fold-batch-norm | FileCheck %s
// RUN: cnn-opt %s -cnn-fold-batch-norm --remarks-filter=cnn-fold-batch-norm --remark-format=emitRemark 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// Fails when batch norm is folded wrongly, where it must not, or no longer says why it is not.

// With a bias and without one.
// CHECK-LABEL: func.func @folds
// CHECK-SAME: %[[X:[^ ]*]]: tensor<2x3x4x4xf32>, %[[W:[^ ]*]]: tensor<5x3x1x1xf32>, %[[B:[^ ]*]]: tensor<5xf32>, %[[G:[^ ]*]]: tensor<5xf32>, %[[H:[^ ]*]]: tensor<5xf32>, %[[M:[^ ]*]]: tensor<5xf32>, %[[V:[^ ]*]]: tensor<5xf32>
// CHECK: %[[SW:.*]] = cnn.scaled_weight %[[W]], %[[G]], %[[V]] {epsilon = 1.000000e-05 : f64}
// CHECK: %[[D:.*]] = cnn.sub %[[B]], %[[M]]
// CHECK: %[[SD:.*]] = cnn.scaled_weight %[[D]], %[[G]], %[[V]]
// CHECK: %[[NB:.*]] = cnn.add %[[SD]], %[[H]]
// CHECK: %[[C:.*]] = cnn.conv %[[X]], %[[SW]], %[[NB]] {cnn.because = "'batch_norm' is folded into its weight", dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>
// CHECK-NOT: cnn.batch_norm
// CHECK: %[[N:.*]] = cnn.neg %[[M]]
// CHECK: cnn.scaled_weight %[[N]], %[[G]], %[[V]]
// CHECK: cnn.linear %{{.*}}, %{{.*}}, %{{.*}} : tensor<32x6xf32>, tensor<5x6xf32>, tensor<5xf32> -> tensor<32x5xf32> {cnn.because =
// CHECK-NOT: cnn.batch_norm
// CHECK: return
func.func @folds(%x: tensor<2x3x4x4xf32>, %w: tensor<5x3x1x1xf32>, %b: tensor<5xf32>, %g: tensor<5xf32>, %h: tensor<5xf32>, %m: tensor<5xf32>, %v: tensor<5xf32>, %f: tensor<32x6xf32>, %u: tensor<5x6xf32>) -> (tensor<2x5x6x6xf32>, tensor<32x5xf32>) {
  %0 = cnn.conv %x, %w, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<2x3x4x4xf32>, tensor<5x3x1x1xf32>, tensor<5xf32> -> tensor<2x5x6x6xf32>
  %1 = cnn.batch_norm %0, %g, %h, %m, %v {epsilon = 1.0e-05, momentum = 0.1} : tensor<2x5x6x6xf32>, tensor<5xf32> -> tensor<2x5x6x6xf32>
  %2 = cnn.linear %f, %u : tensor<32x6xf32>, tensor<5x6xf32> -> tensor<32x5xf32>
  %d = cnn.dropout %2 {probability = 0.5} : tensor<32x5xf32>
  %3 = cnn.batch_norm %d, %g, %h, %m, %v {epsilon = 1.0e-05, momentum = 0.1} : tensor<32x5xf32>, tensor<5xf32> -> tensor<32x5xf32>
  return %1, %3 : tensor<2x5x6x6xf32>, tensor<32x5xf32>
}

// CHECK-LABEL: func.func @declines
// CHECK: cnn.batch_norm {{.*}}{cnn.because = "'bn1' is not folded: its input is not the result of a convolution or a linear layer"
// CHECK: cnn.batch_norm
// REMARK: net.cnn:1:1: remark: [Missed] NotFolded | Category:cnn-fold-batch-norm | Remark="'bn1' is not folded: its input is not the result of a convolution or a linear layer"
// REMARK: net.cnn:2:1: remark: {{.*}}"'bn2' is not folded: the result of 'linear1' is used elsewhere, too"
func.func @declines(%g: tensor<5xf32>, %f: tensor<4x6xf32>, %u: tensor<5x6xf32>, %y: tensor<4x5xf32>) -> (tensor<4x5xf32>, tensor<4x5xf32>, tensor<4x5xf32>) {
  %0 = cnn.batch_norm %y, %g, %g, %g, %g {epsilon = 1.0e-05, momentum = 0.1} : tensor<4x5xf32>, tensor<5xf32> -> tensor<4x5xf32> loc("bn1"("net.cnn":1:1))
  %1 = cnn.linear %f, %u : tensor<4x6xf32>, tensor<5x6xf32> -> tensor<4x5xf32> loc("linear1"("net.cnn":2:9))
  %2 = cnn.batch_norm %1, %g, %g, %g, %g {epsilon = 1.0e-05, momentum = 0.1} : tensor<4x5xf32>, tensor<5xf32> -> tensor<4x5xf32> loc("bn2"("net.cnn":2:1))
  return %0, %1, %2 : tensor<4x5xf32>, tensor<4x5xf32>, tensor<4x5xf32>
}
