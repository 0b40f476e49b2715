// RUN: cnn-opt %s -cnn-trim-kernels | FileCheck %s
// Fails when taps that meet nothing but padding are computed with, or when others are not.

// Of 3 x 3 taps the middle one meets an image of 1 x 1.
// CHECK-LABEL: func.func @middle
// CHECK-SAME: %[[X:[^ ]*]]: tensor<8x4x1x1xf32>, %[[W:[^ ]*]]: tensor<5x4x3x3xf32>, %[[DY:[^ ]*]]: tensor<8x5x1x1xf32>
// CHECK: %[[V:.*]] = cnn.pad %[[W]] {high = array<i64: 0, 0, -1, -1>, low = array<i64: 0, 0, -1, -1>, value = 0.000000e+00 : f64} : tensor<5x4x3x3xf32> -> tensor<5x4x1x1xf32>
// CHECK: cnn.conv %[[X]], %[[V]] {cnn.because = "only 1x1 taps of the kernel's 3x3 meet the image, the others padding", dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : tensor<8x4x1x1xf32>, tensor<5x4x1x1xf32> -> tensor<8x5x1x1xf32>
// CHECK: cnn.conv_data_grad %[[DY]], %{{.*}}padding = array<i64: 0, 0, 0, 0>{{.*}} : tensor<8x5x1x1xf32>, tensor<5x4x1x1xf32> -> tensor<8x4x1x1xf32>
// CHECK: %[[G:.*]] = cnn.conv_weight_grad %[[X]], %[[DY]] {{.*}}padding = array<i64: 0, 0, 0, 0>{{.*}} -> tensor<5x4x1x1xf32>
// CHECK: %[[ALL:.*]] = cnn.pad %[[G]] {high = array<i64: 0, 0, 1, 1>, low = array<i64: 0, 0, 1, 1>, value = 0.000000e+00 : f64} : tensor<5x4x1x1xf32> -> tensor<5x4x3x3xf32>
// CHECK: return %{{.*}}, %{{.*}}, %[[ALL]]
func.func @middle(%x: tensor<8x4x1x1xf32>, %w: tensor<5x4x3x3xf32>, %dy: tensor<8x5x1x1xf32>) -> (tensor<8x5x1x1xf32>, tensor<8x4x1x1xf32>, tensor<5x4x3x3xf32>) {
  %0 = cnn.conv %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x4x1x1xf32>, tensor<5x4x3x3xf32> -> tensor<8x5x1x1xf32>
  %1 = cnn.conv_data_grad %dy, %w {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x5x1x1xf32>, tensor<5x4x3x3xf32> -> tensor<8x4x1x1xf32>
  %2 = cnn.conv_weight_grad %x, %dy {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x4x1x1xf32>, tensor<8x5x1x1xf32> -> tensor<5x4x3x3xf32>
  return %0, %1, %2 : tensor<8x5x1x1xf32>, tensor<8x4x1x1xf32>, tensor<5x4x3x3xf32>
}

// Rows: stride 2 over 2 of them, the first tap sees padding. Columns: dilated by 3 over 5, all taps of 3 see
// the image from somewhere.
// CHECK-LABEL: func.func @strided
// CHECK: cnn.pad %{{.*}} {high = array<i64: 0, 0, 0, 0>, low = array<i64: 0, 0, -1, 0>, value = 0.000000e+00 : f64} : tensor<5x4x3x3xf32> -> tensor<5x4x2x3xf32>
// CHECK: cnn.conv {{.*}}dilation = array<i64: 1, 3>, groups = 1 : i64, padding = array<i64: 0, 0, 3, 3>, stride = array<i64: 2, 1>} : tensor<8x4x2x5xf32>, tensor<5x4x2x3xf32> -> tensor<8x5x1x5xf32>
func.func @strided(%x: tensor<8x4x2x5xf32>, %w: tensor<5x4x3x3xf32>) -> tensor<8x5x1x5xf32> {
  %0 = cnn.conv %x, %w {stride = array<i64: 2, 1>, padding = array<i64: 1, 1, 3, 3>, dilation = array<i64: 1, 3>, groups = 1 : i64} : tensor<8x4x2x5xf32>, tensor<5x4x3x3xf32> -> tensor<8x5x1x5xf32>
  return %0 : tensor<8x5x1x5xf32>
}

// CHECK-LABEL: func.func @all
// CHECK-NOT: cnn.pad
func.func @all(%x: tensor<8x4x2x2xf32>, %w: tensor<5x4x3x3xf32>) -> tensor<8x5x2x2xf32> {
  %0 = cnn.conv %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x4x2x2xf32>, tensor<5x4x3x3xf32> -> tensor<8x5x2x2xf32>
  return %0 : tensor<8x5x2x2xf32>
}
