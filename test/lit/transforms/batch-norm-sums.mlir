// RUN: cnn-opt %s -cnn-decompose | FileCheck %s
// Breaks if the statistics of batch norm read large images twice, or if what is zero is summed: the gradient of a bias
// in front of a normalisation.

// CHECK-LABEL: func.func @statistics
// The centre of the squares: the mean of a corner of 4 x 4.
// CHECK: %[[CORNER:.*]] = cnn.avg_pool %[[X:.*]] {kernel = array<i64: 4, 4>, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 16, 12>} : tensor<4x6x16x12xf32> -> tensor<4x6x1x1xf32>
// CHECK: %[[CENTER:.*]] = cnn.reshape %[[CORNER]] : tensor<4x6x1x1xf32> -> tensor<4x6xf32>
// CHECK: cnn.channel_sums %[[X]], %[[CENTER]]
// CHECK-NOT: dims [2, 3]
func.func @statistics(%x: tensor<4x6x16x12xf32>, %w: tensor<6xf32>, %b: tensor<6xf32>, %rows: tensor<i32>) -> tensor<4x6x16x12xf32> {
  %y, %m, %v = cnn.batch_norm_train %x, %w, %b, %rows {epsilon = 1.0e-05} : tensor<4x6x16x12xf32>, tensor<6xf32>, tensor<i32> -> tensor<4x6x16x12xf32>, tensor<6xf32>, tensor<6xf32>
  return %y : tensor<4x6x16x12xf32>
}

// A small image is read again sooner than a corner of it is computed.
// CHECK-LABEL: func.func @small
// CHECK-NOT: cnn.avg_pool
// CHECK: cnn.reduce_sum %{{.*}} dims [2, 3]
func.func @small(%x: tensor<4x6x11x12xf32>, %w: tensor<6xf32>, %b: tensor<6xf32>, %rows: tensor<i32>) -> tensor<4x6x11x12xf32> {
  %y, %m, %v = cnn.batch_norm_train %x, %w, %b, %rows {epsilon = 1.0e-05} : tensor<4x6x11x12xf32>, tensor<6xf32>, tensor<i32> -> tensor<4x6x11x12xf32>, tensor<6xf32>, tensor<6xf32>
  return %y : tensor<4x6x11x12xf32>
}

// The sum over a channel is zero, that over an image is not.
// CHECK-LABEL: func.func @gradient
// CHECK: %[[ZERO:.*]] = cnn.constant 0.000000e+00 : tensor<6xf32>
// CHECK: %[[DX:.*]] = cnn.mask_rows
// CHECK-NOT: cnn.reduce_sum %[[DX]] dims [0, 2, 3]
// CHECK: %[[PART:.*]] = cnn.reduce_sum %[[DX]] dims [2, 3]
// CHECK: return %[[DX]], %[[ZERO]], %[[PART]]
func.func @gradient(%g: tensor<4x6x9x8xf32>, %x: tensor<4x6x9x8xf32>, %w: tensor<6xf32>, %m: tensor<6xf32>, %v: tensor<6xf32>, %rows: tensor<i32>) -> (tensor<4x6x9x8xf32>, tensor<6xf32>, tensor<4x6xf32>) {
  %dx, %dw, %db = cnn.batch_norm_grad %g, %x, %w, %m, %v, %rows {epsilon = 1.0e-05} : tensor<4x6x9x8xf32>, tensor<6xf32>, tensor<i32> -> tensor<4x6x9x8xf32>, tensor<6xf32>, tensor<6xf32>
  %sum = cnn.reduce_sum %dx dims [0, 2, 3] : tensor<4x6x9x8xf32> -> tensor<6xf32>
  %part = cnn.reduce_sum %dx dims [2, 3] : tensor<4x6x9x8xf32> -> tensor<4x6xf32>
  return %dx, %sum, %part : tensor<4x6x9x8xf32>, tensor<6xf32>, tensor<4x6xf32>
}
