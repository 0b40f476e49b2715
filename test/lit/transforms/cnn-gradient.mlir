// RUN: cnn-opt %s -cnn-gradient | FileCheck %s
// Fails when the function that tests call for a gradient has other arguments, or another chain rule.

// CHECK-LABEL: func.func @f(
// CHECK-LABEL: func.func @chain(
// CHECK-LABEL: func.func @views(

// CHECK-LABEL: func.func @f_grad(
// CHECK-SAME: %[[X:[^ ]*]]: tensor<4x3xf32> {cnn.name = "x"}, %[[W:[^ ]*]]: tensor<5x3xf32> {cnn.name = "arg1"}, %[[R:[^ ]*]]: tensor<i32> {cnn.name = "rows"}, %[[DY:[^ ]*]]: tensor<4x5xf32> {cnn.name = "d_y"})
// CHECK-SAME: -> (tensor<4x3xf32> {cnn.name = "d_x"}, tensor<5x3xf32> {cnn.name = "d_arg1"})
// CHECK-NEXT: %[[M:.*]] = cnn.mask_rows %[[X]], %[[R]]
// CHECK-NEXT: %[[DM:.*]] = cnn.matmul %[[DY]], %[[W]]
// CHECK-NEXT: %[[DW:.*]] = cnn.matmul %[[DY]], %[[M]] {{.*}} {transpose_a = true}
// CHECK-NEXT: %[[DX:.*]] = cnn.mask_rows %[[DM]], %[[R]]
// CHECK-NEXT: return %[[DX]], %[[DW]]
func.func @f(%x: tensor<4x3xf32> {cnn.name = "x"}, %w: tensor<5x3xf32>, %rows: tensor<i32> {cnn.name = "rows"}) -> (tensor<4x5xf32> {cnn.name = "y"}) {
  %0 = cnn.mask_rows %x, %rows : tensor<4x3xf32>, tensor<i32> -> tensor<4x3xf32>
  %1 = cnn.linear %0, %w : tensor<4x3xf32>, tensor<5x3xf32> -> tensor<4x5xf32>
  return %1 : tensor<4x5xf32>
}

// Two results, a value used twice, an operand that is repeated, an argument that nothing depends on.
// CHECK-LABEL: func.func @chain_grad(
// CHECK-SAME: %[[X:[^ ]*]]: tensor<4x3xf32> {cnn.name = "arg0"}, %[[B:[^ ]*]]: tensor<3xf32> {cnn.name = "arg1"}, %{{.*}}: tensor<2xf32> {cnn.name = "arg2"}, %[[D0:[^ ]*]]: tensor<4x3xf32> {cnn.name = "d_result0"}, %[[D1:[^ ]*]]: tensor<4x3xf32> {cnn.name = "d_result1"})
// CHECK-NEXT: %[[S:.*]] = cnn.sub %[[X]], %[[B]]
// CHECK-NEXT: %[[E:.*]] = cnn.exp %[[S]]
// CHECK-NEXT: %[[DS:.*]] = cnn.mul %[[D1]], %[[E]]
// CHECK-NEXT: %[[SUM:.*]] = cnn.add %[[D0]], %[[DS]]
// CHECK-NEXT: %[[N:.*]] = cnn.neg %[[SUM]]
// CHECK-NEXT: %[[DB:.*]] = cnn.reduce_sum %[[N]] dims [0]
// CHECK-NEXT: %[[Z:.*]] = cnn.constant 0.000000e+00 : tensor<2xf32>
// CHECK-NEXT: return %[[SUM]], %[[DB]], %[[Z]]
func.func @chain(%x: tensor<4x3xf32>, %b: tensor<3xf32>, %unused: tensor<2xf32>) -> (tensor<4x3xf32>, tensor<4x3xf32>) {
  %0 = cnn.sub %x, %b : tensor<4x3xf32>, tensor<3xf32> -> tensor<4x3xf32>
  %1 = cnn.exp %0 : tensor<4x3xf32> -> tensor<4x3xf32>
  return %0, %1 : tensor<4x3xf32>, tensor<4x3xf32>
}

// An extent of 1 that is repeated, and one that is missing.
// CHECK-LABEL: func.func @views_grad(
// CHECK: %[[DZ:.*]] = cnn.reduce_sum %{{.*}} dims [0, 1] : tensor<4x3xf32> -> tensor<f32>
// CHECK: %[[SUM:.*]] = cnn.reduce_sum %{{.*}} dims [1] : tensor<4x3xf32> -> tensor<4xf32>
// CHECK: %[[DX:.*]] = cnn.reshape %[[SUM]] : tensor<4xf32> -> tensor<4x1xf32>
// CHECK: return %[[DX]], %{{.*}}, %[[DZ]]
func.func @views(%x: tensor<4x1xf32>, %y: tensor<4x3xf32>, %z: tensor<f32>) -> tensor<4x3xf32> {
  %0 = cnn.mul %x, %y : tensor<4x1xf32>, tensor<4x3xf32> -> tensor<4x3xf32>
  %1 = cnn.div %0, %z : tensor<4x3xf32>, tensor<f32> -> tensor<4x3xf32>
  return %1 : tensor<4x3xf32>
}
