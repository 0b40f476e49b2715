// RUN: cnn-opt %s -canonicalize | FileCheck %s
// Fails when an operation that changes nothing is left in place, or one that does is folded away.

// CHECK-LABEL: func.func @neutral(
// CHECK-SAME: %[[X:.*]]: tensor<4x3xf32>
// CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]]
func.func @neutral(%x: tensor<4x3xf32>) -> (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>) {
  %zero = cnn.constant 0.0 : tensor<f32>
  %one = cnn.constant 1.0 : tensor<3xf32>
  %0 = cnn.add %x, %zero : tensor<4x3xf32>, tensor<f32> -> tensor<4x3xf32>
  %1 = cnn.add %zero, %x : tensor<f32>, tensor<4x3xf32> -> tensor<4x3xf32>
  %2 = cnn.sub %x, %zero : tensor<4x3xf32>, tensor<f32> -> tensor<4x3xf32>
  %3 = cnn.mul %x, %one : tensor<4x3xf32>, tensor<3xf32> -> tensor<4x3xf32>
  %4 = cnn.mul %one, %x : tensor<3xf32>, tensor<4x3xf32> -> tensor<4x3xf32>
  %5 = cnn.div %x, %one : tensor<4x3xf32>, tensor<3xf32> -> tensor<4x3xf32>
  %6 = cnn.neg %x : tensor<4x3xf32> -> tensor<4x3xf32>
  %7 = cnn.neg %6 : tensor<4x3xf32> -> tensor<4x3xf32>
  return %0, %1, %2, %3, %4, %5, %7 : tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>
}

// CHECK-LABEL: func.func @moved_nowhere
// CHECK-SAME: %[[X:.*]]: tensor<2x3xf32>
// CHECK-NEXT: %[[P:.*]] = cnn.pad %[[X]] {high = array<i64: 0, 1>,
// CHECK-NEXT: %[[Q:.*]] = cnn.permute %[[X]] order [1, 0]
// CHECK-NEXT: return %[[X]], %[[X]], %[[P]], %[[Q]]
func.func @moved_nowhere(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x4xf32>, tensor<3x2xf32>) {
  %0 = cnn.pad %x {low = array<i64: 0, 0>, high = array<i64: 0, 0>, value = 1.0 : f64} : tensor<2x3xf32> -> tensor<2x3xf32>
  %1 = cnn.permute %x order [0, 1] : tensor<2x3xf32> -> tensor<2x3xf32>
  %2 = cnn.pad %x {low = array<i64: 0, 0>, high = array<i64: 0, 1>, value = 1.0 : f64} : tensor<2x3xf32> -> tensor<2x4xf32>
  %3 = cnn.permute %x order [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
  return %0, %1, %2, %3 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x4xf32>, tensor<3x2xf32>
}

// Not 0 - x, not 1 / x, and not where the other operand is repeated.
// CHECK-LABEL: func.func @not_neutral
// CHECK: cnn.sub
// CHECK: cnn.div
// CHECK: cnn.mul
func.func @not_neutral(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<4x3xf32>) {
  %zero = cnn.constant 0.0 : tensor<3xf32>
  %one = cnn.constant 1.0 : tensor<4x3xf32>
  %unit = cnn.constant 1.0 : tensor<3xf32>
  %0 = cnn.sub %zero, %x : tensor<3xf32>, tensor<3xf32> -> tensor<3xf32>
  %1 = cnn.div %unit, %x : tensor<3xf32>, tensor<3xf32> -> tensor<3xf32>
  %2 = cnn.mul %one, %x : tensor<4x3xf32>, tensor<3xf32> -> tensor<4x3xf32>
  return %0, %1, %2 : tensor<3xf32>, tensor<3xf32>, tensor<4x3xf32>
}

// CHECK-LABEL: func.func @views
// CHECK-SAME: %[[X:.*]]: tensor<4x6xf32>
// CHECK: %[[R:.*]] = cnn.reshape %[[X]] : tensor<4x6xf32> -> tensor<8x3xf32>
// CHECK: return %[[X]], %[[R]], %[[X]]
func.func @views(%x: tensor<4x6xf32>) -> (tensor<4x6xf32>, tensor<8x3xf32>, tensor<4x6xf32>) {
  %0 = cnn.reshape %x : tensor<4x6xf32> -> tensor<4x6xf32>
  %1 = cnn.reshape %0 : tensor<4x6xf32> -> tensor<2x12xf32>
  %2 = cnn.reshape %1 : tensor<2x12xf32> -> tensor<8x3xf32>
  %3 = cnn.reshape %2 : tensor<8x3xf32> -> tensor<4x6xf32>
  return %0, %2, %3 : tensor<4x6xf32>, tensor<8x3xf32>, tensor<4x6xf32>
}

// CHECK-LABEL: func.func @layouts
// CHECK-SAME: %[[X:.*]]: tensor<4x6xf32>
// CHECK: %[[C:.*]] = cnn.convert_layout %[[X]] : tensor<4x6xf32> -> tensor<4x6xf32, #cnn.layout<order = [1, 0], block = 1>>
// CHECK: return %[[C]], %[[X]]
func.func @layouts(%x: tensor<4x6xf32>) -> (tensor<4x6xf32, #cnn.layout<order = [1, 0], block = 1>>, tensor<4x6xf32>) {
  %0 = cnn.convert_layout %x : tensor<4x6xf32> -> tensor<4x6xf32, #cnn.layout<order = [0, 1, 0], block = 2>>
  %1 = cnn.convert_layout %0 : tensor<4x6xf32, #cnn.layout<order = [0, 1, 0], block = 2>> -> tensor<4x6xf32, #cnn.layout<order = [1, 0], block = 1>>
  %2 = cnn.convert_layout %0 : tensor<4x6xf32, #cnn.layout<order = [0, 1, 0], block = 2>> -> tensor<4x6xf32>
  return %1, %2 : tensor<4x6xf32, #cnn.layout<order = [1, 0], block = 1>>, tensor<4x6xf32>
}

// Equal constants are one, and what nobody uses is gone; a write is kept.
cnn.param @w : tensor<3xf32> parameter <"constant">
// CHECK-LABEL: func.func @dead
// CHECK-NEXT: %[[W:.*]] = cnn.read @w
// CHECK-NEXT: cnn.write @w, %[[W]]
// CHECK-NEXT: return
func.func @dead(%x: tensor<3xf32>) {
  %w = cnn.read @w : tensor<3xf32>
  %0 = cnn.sigmoid %x : tensor<3xf32> -> tensor<3xf32>
  cnn.write @w, %w : tensor<3xf32>
  return
}

// A function by index reads each input once, only what it uses, and a copy is its input.
// CHECK-LABEL: func.func @index
// CHECK-SAME: %[[X:.*]]: tensor<3xf32>, %[[Y:.*]]: tensor<3xf32>
// CHECK: %[[S:.*]] = cnn.generic %[[X]] sizes [3]
// CHECK-NEXT: ^bb0(%[[U:.*]]: f32, %{{.*}}: i32):
// CHECK-NEXT: arith.mulf %[[U]], %[[U]]
// CHECK: return %[[S]], %[[Y]]
func.func @index(%x: tensor<3xf32>, %y: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  %0 = cnn.generic %x, %y, %x sizes [3] parallel 1 reduction none maps [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>]
      : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32> {
  ^bb0(%u: f32, %v: f32, %w: f32, %i: i32):
    %p = arith.mulf %u, %w : f32
    cnn.term %p : f32
  }
  %1 = cnn.generic %y sizes [3] parallel 1 reduction none maps [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>]
      : (tensor<3xf32>) -> tensor<3xf32> {
  ^bb0(%v: f32, %i: i32):
    cnn.term %v : f32
  }
  return %0, %1 : tensor<3xf32>, tensor<3xf32>
}
