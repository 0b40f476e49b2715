// RUN: cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-schedules | FileCheck %s
// Fails when the gradient of a strided convolution's weight sums over lanes, or one that Winograd's algorithm can
// compute, or of few channels, gets a copy of the outputs' gradient that costs more than it saves.

// The copy has its channels in blocks; vectors run along the output channels (dimension 1).
// CHECK-LABEL: func.func @strided(
// CHECK: cnn.group "dw.slices.channels" {{.*}} -> tensor<32x64x4x4xf32, #cnn.layout<order = [0, 1, 2, 3, 1], block = 16>>
// CHECK: cnn.group "dw.slices" {{.*}} schedule #cnn.nest<"direct", vector = 1, tile = [1, 1, {{.*}}], {{.*}}>
func.func @strided(%x: tensor<32x64x8x8xf32>, %dy: tensor<32x64x4x4xf32>) -> tensor<64x64x3x3xf32> {
  %0 = cnn.group "dw" (%x1 = %x, %dy1 = %dy) : (tensor<32x64x8x8xf32>, tensor<32x64x4x4xf32>) -> tensor<64x64x3x3xf32> {
    %1 = cnn.conv_weight_grad %x1, %dy1 {stride = array<i64: 2, 2>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<32x64x8x8xf32>, tensor<32x64x4x4xf32> -> tensor<64x64x3x3xf32>
    cnn.yield %1 : tensor<64x64x3x3xf32>
  }
  return %0 : tensor<64x64x3x3xf32>
}

// CHECK-LABEL: func.func @others(
// CHECK-NOT: .channels
func.func @others(%x: tensor<32x64x8x8xf32>, %dy: tensor<32x64x8x8xf32>, %x3: tensor<32x3x8x8xf32>, %dy3: tensor<32x64x4x4xf32>) -> (tensor<64x64x3x3xf32>, tensor<64x3x3x3xf32>) {
  %0 = cnn.group "dw" (%x1 = %x, %dy1 = %dy) : (tensor<32x64x8x8xf32>, tensor<32x64x8x8xf32>) -> tensor<64x64x3x3xf32> {
    %1 = cnn.conv_weight_grad %x1, %dy1 {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<32x64x8x8xf32>, tensor<32x64x8x8xf32> -> tensor<64x64x3x3xf32>
    cnn.yield %1 : tensor<64x64x3x3xf32>
  }
  %2 = cnn.group "few" (%x1 = %x3, %dy1 = %dy3) : (tensor<32x3x8x8xf32>, tensor<32x64x4x4xf32>) -> tensor<64x3x3x3xf32> {
    %1 = cnn.conv_weight_grad %x1, %dy1 {stride = array<i64: 2, 2>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<32x3x8x8xf32>, tensor<32x64x4x4xf32> -> tensor<64x3x3x3xf32>
    cnn.yield %1 : tensor<64x3x3x3xf32>
  }
  return %0, %2 : tensor<64x64x3x3xf32>, tensor<64x3x3x3xf32>
}
