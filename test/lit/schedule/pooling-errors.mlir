// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-schedules 2>&1 | FileCheck %s
// Breaks if a pooling behind an anchor may read what is not in registers there: it would crash.
// CHECK: error: group 'conv1' already has the anchor 'cnn.conv'
module @odd {
  func.func @odd(%x: tensor<16x4x8x8xf32> {cnn.name = "x"}, %w: tensor<4x4x3x3xf32> {cnn.unbatched}, %c: tensor<16x4x4x4xf32> {cnn.name = "c"}) -> (tensor<16x4x4x4xf32> {cnn.name = "y"}, tensor<16x4x4x4xf32> {cnn.name = "z"}) {
    %0:2 = cnn.group "conv1" (%a = %x, %b = %w, %d = %c) : (tensor<16x4x8x8xf32>, tensor<4x4x3x3xf32>, tensor<16x4x4x4xf32>) -> (tensor<16x4x4x4xf32>, tensor<16x4x4x4xf32>) {
      %s = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x4x8x8xf32>, tensor<4x4x3x3xf32> -> tensor<16x4x8x8xf32>
      %m = cnn.avg_pool %s {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<16x4x8x8xf32> -> tensor<16x4x4x4xf32>
      %q = cnn.window_squares %s, %d {window = array<i64: 2, 2>} : tensor<16x4x8x8xf32>, tensor<16x4x4x4xf32> -> tensor<16x4x4x4xf32>
      cnn.yield %m, %q : tensor<16x4x4x4xf32>, tensor<16x4x4x4xf32>
    }
    return %0#0, %0#1 : tensor<16x4x4x4xf32>, tensor<16x4x4x4xf32>
  }
}
