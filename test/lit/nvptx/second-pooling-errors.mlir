// RUN: not cnn-opt %s --cnn-choose-gpu-schedules 2>&1 | FileCheck %s
// Breaks if a second pooling of a group is taken for a pointwise operation on a GPU.
// CHECK: error: group 'conv1': 'window_squares' is a second pooling, and a group has one on a GPU
module @odd attributes {cnn.target = "nvptx"} {
  func.func @odd(%x: tensor<16x4x8x8xf32> {cnn.name = "x"}, %w: tensor<4x4x3x3xf32> {cnn.unbatched}, %c: tensor<16x4x4x4xf32> {cnn.name = "c"}) -> (tensor<16x4x4x4xf32> {cnn.name = "y"}, tensor<16x4x4x4xf32> {cnn.name = "z"}) {
    %0:2 = cnn.group "conv1" (%a = %x, %b = %w) : (tensor<16x4x8x8xf32>, tensor<4x4x3x3xf32>) -> (tensor<16x4x4x4xf32>, tensor<16x4x4x4xf32>) {
      %s = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x4x8x8xf32>, tensor<4x4x3x3xf32> -> tensor<16x4x8x8xf32>
      %m = cnn.avg_pool %s {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<16x4x8x8xf32> -> tensor<16x4x4x4xf32>
      %q = cnn.window_squares %s, %m {window = array<i64: 2, 2>} : tensor<16x4x8x8xf32>, tensor<16x4x4x4xf32> -> tensor<16x4x4x4xf32>
      cnn.yield %m, %q : tensor<16x4x4x4xf32>, tensor<16x4x4x4xf32>
    }
    return %0#0, %0#1 : tensor<16x4x4x4xf32>, tensor<16x4x4x4xf32>
  }
}
