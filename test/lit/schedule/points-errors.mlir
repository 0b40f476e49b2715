// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-schedules 2>&1 | FileCheck %s
// Breaks if an operation gets from registers what is read at other points: it would use the wrong elements.
// CHECK: error: group 'conv1': 'generic' reads 'relu' at other points than the one that is computed
#flip = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, -d3 + 7)>
#same = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
func.func @f(%x: tensor<16x4x8x8xf32> {cnn.name = "x"}, %w: tensor<4x4x3x3xf32> {cnn.unbatched}) -> (tensor<16x4x8x8xf32> {cnn.name = "y"}) attributes {cnn.batch = 16 : i64} {
  %0 = cnn.group "conv1" (%a = %x, %b = %w) : (tensor<16x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<16x4x8x8xf32> {
    %c = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x4x8x8xf32>, tensor<4x4x3x3xf32> -> tensor<16x4x8x8xf32>
    %r = cnn.relu %c : tensor<16x4x8x8xf32> -> tensor<16x4x8x8xf32>
    %t = cnn.generic %r sizes [16, 4, 8, 8] parallel 4 reduction none maps [#flip, #same] : (tensor<16x4x8x8xf32>) -> tensor<16x4x8x8xf32> {
    ^bb0(%e: f32, %i: i32, %j: i32, %k: i32, %l: i32):
      cnn.term %e : f32
    }
    cnn.yield %t : tensor<16x4x8x8xf32>
  }
  return %0 : tensor<16x4x8x8xf32>
}
