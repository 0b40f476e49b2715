// RUN: cnn-opt %s -cnn-fuse --remarks-filter=cnn-fuse --remark-format=emitRemark 2>&1 >/dev/null | FileCheck %s
// Fails when fusion no longer says what it left alone, and why.

// CHECK: net.cnn:4:1: remark: [Missed] NotFused | Category:cnn-fuse | Remark="act1 (cnn.relu_grad): the results of 'conv1.data_grad' are complete only after all of its points"
// CHECK: net.cnn:2:1: remark: [Analysis] Groups | Category:cnn-fuse | Remark="f: 2 operations in 2 groups"
// CHECK: net.cnn:5:1: remark: {{.*}}"sub1 (cnn.sub): its operand of 'largest1' depends on the group of 'linear1'"
// CHECK: net.cnn:6:1: remark: {{.*}}"sigmoid1 (cnn.sigmoid): several groups use it, and it is too dear to be computed in each"
func.func @f(%dy: tensor<2x3x4x4xf32>, %w: tensor<3x5x3x3xf32>, %y: tensor<2x5x6x6xf32>) -> tensor<2x5x6x6xf32> {
  %d = cnn.conv_data_grad %dy, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<2x3x4x4xf32>, tensor<3x5x3x3xf32> -> tensor<2x5x6x6xf32> loc("conv1.data_grad"("net.cnn":3:1))
  %r = cnn.relu_grad %y, %d : tensor<2x5x6x6xf32>, tensor<2x5x6x6xf32> -> tensor<2x5x6x6xf32> loc("act1"("net.cnn":4:1))
  return %r : tensor<2x5x6x6xf32>
} loc("net.cnn":2:1)

func.func @g(%a: tensor<4x3xf32>, %b: tensor<3x5xf32>) -> tensor<4x5xf32> {
  %m = cnn.matmul %a, %b : tensor<4x3xf32>, tensor<3x5xf32> -> tensor<4x5xf32> loc("linear1"("net.cnn":3:1))
  %x = cnn.reduce_max %m dims [1] : tensor<4x5xf32> -> tensor<4x1xf32> {keep_dims = true} loc("largest1"("net.cnn":4:1))
  %d = cnn.sub %m, %x : tensor<4x5xf32>, tensor<4x1xf32> -> tensor<4x5xf32> loc("sub1"("net.cnn":5:1))
  return %d : tensor<4x5xf32>
}

func.func @h(%a: tensor<4x3xf32>, %b: tensor<3x3xf32>) -> (tensor<4x3xf32>, tensor<4x3xf32>) {
  %s = cnn.sigmoid %a : tensor<4x3xf32> -> tensor<4x3xf32> loc("sigmoid1"("net.cnn":6:1))
  %m = cnn.matmul %s, %b : tensor<4x3xf32>, tensor<3x3xf32> -> tensor<4x3xf32>
  %n = cnn.matmul %s, %s : tensor<4x3xf32>, tensor<4x3xf32> -> tensor<4x4xf32> {transpose_b = true}
  %o = cnn.matmul %n, %a : tensor<4x4xf32>, tensor<4x3xf32> -> tensor<4x3xf32>
  return %m, %o : tensor<4x3xf32>, tensor<4x3xf32>
}
