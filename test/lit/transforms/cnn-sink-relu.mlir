// RUN: cnn-opt %s -cnn-sink-relu | FileCheck %s
// Fails when a rectifier stays before the pooling that alone reads it, or moves where something else does.

// CHECK-LABEL: func.func @moves
// CHECK-SAME: %[[X:[^ ]*]]: tensor<2x3x6x6xf32>
// CHECK: %[[P:.*]] = cnn.max_pool %[[X]] {{.*}} : tensor<2x3x6x6xf32> -> tensor<2x3x3x3xf32>
// CHECK: %[[R:.*]] = cnn.relu %[[P]] : tensor<2x3x3x3xf32> -> tensor<2x3x3x3xf32> {cnn.because = "'r' behind 'p'"}
// CHECK: return %[[R]]
func.func @moves(%x: tensor<2x3x6x6xf32>) -> tensor<2x3x3x3xf32> {
  %0 = cnn.relu %x : tensor<2x3x6x6xf32> -> tensor<2x3x6x6xf32> loc("r")
  %1 = cnn.max_pool %0 {kernel = array<i64: 3, 3>, stride = array<i64: 2, 2>, padding = array<i64: 1, 1, 1, 1>} : tensor<2x3x6x6xf32> -> tensor<2x3x3x3xf32> loc("p")
  return %1 : tensor<2x3x3x3xf32>
}

// CHECK-LABEL: func.func @used_elsewhere
// CHECK: %[[R:.*]] = cnn.relu %{{.*}} {cnn.because = "'r' stays before 'p': its result is used elsewhere, too"}
// CHECK: cnn.max_pool %[[R]]
func.func @used_elsewhere(%x: tensor<2x3x6x6xf32>) -> (tensor<2x3x3x3xf32>, tensor<2x3x6x6xf32>) {
  %0 = cnn.relu %x : tensor<2x3x6x6xf32> -> tensor<2x3x6x6xf32> loc("r")
  %1 = cnn.max_pool %0 {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<2x3x6x6xf32> -> tensor<2x3x3x3xf32> loc("p")
  return %1, %0 : tensor<2x3x3x3xf32>, tensor<2x3x6x6xf32>
}

// A mean of rectified elements is no rectified mean.
// CHECK-LABEL: func.func @mean
// CHECK: %[[R:.*]] = cnn.relu
// CHECK: cnn.avg_pool %[[R]]
func.func @mean(%x: tensor<2x3x6x6xf32>) -> tensor<2x3x3x3xf32> {
  %0 = cnn.relu %x : tensor<2x3x6x6xf32> -> tensor<2x3x6x6xf32>
  %1 = cnn.avg_pool %0 {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<2x3x6x6xf32> -> tensor<2x3x3x3xf32>
  return %1 : tensor<2x3x3x3xf32>
}
