// RUN: cnn-opt %s --split-input-file --verify-diagnostics
// Fails when sums in parts are accepted of what is no sum, or cannot be cut so.

// cnn.partial_sums C1
func.func @f(%x: tensor<4x6xf32>) {
  // expected-error@+1 {{has arguments that differ from its operands (C1)}}
  %0 = cnn.partial_sums %x dim 1 parts 2 : (tensor<4x6xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<4x5xf32>):
    %s = cnn.reduce_sum %a dims [1] : tensor<4x5xf32> -> tensor<4xf32>
    cnn.yield %s : tensor<4xf32>
  }
  return
}

// -----

// cnn.partial_sums C1
func.func @f(%x: tensor<4x6xf32>) {
  // expected-error@+1 {{must hold one operation with a loop nest, and yield its results (C1)}}
  %0 = cnn.partial_sums %x dim 1 parts 2 : (tensor<4x6xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<4x6xf32>):
    %r = cnn.relu %a : tensor<4x6xf32> -> tensor<4x6xf32>
    %s = cnn.reduce_sum %r dims [1] : tensor<4x6xf32> -> tensor<4xf32>
    cnn.yield %s : tensor<4xf32>
  }
  return
}

// -----

// cnn.partial_sums C2
func.func @f(%x: tensor<4x6xf32>) {
  // expected-error@+1 {{'reduce_max' does not just add up (C2)}}
  %0 = cnn.partial_sums %x dim 1 parts 2 : (tensor<4x6xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<4x6xf32>):
    %s = cnn.reduce_max %a dims [1] : tensor<4x6xf32> -> tensor<4xf32>
    cnn.yield %s : tensor<4xf32>
  }
  return
}

// -----

// The sum is divided at the end.
// cnn.partial_sums C2
func.func @f(%x: tensor<1x2x6x6xf32>) {
  // expected-error@+1 {{'avg_pool' does not just add up (C2)}}
  %0 = cnn.partial_sums %x dim 4 parts 2 : (tensor<1x2x6x6xf32>) -> tensor<2x1x2x3x3xf32> {
  ^bb0(%a: tensor<1x2x6x6xf32>):
    %s = cnn.avg_pool %a {kernel = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : tensor<1x2x6x6xf32> -> tensor<1x2x3x3xf32>
    cnn.yield %s : tensor<1x2x3x3xf32>
  }
  return
}

// -----

// The sums start from a bias, which each part would add.
// cnn.partial_sums C2
func.func @f(%x: tensor<4x6xf32>, %w: tensor<3x6xf32>, %b: tensor<3xf32>) {
  // expected-error@+1 {{'linear' does not just add up (C2)}}
  %0 = cnn.partial_sums %x, %w, %b dim 2 parts 2 : (tensor<4x6xf32>, tensor<3x6xf32>, tensor<3xf32>) -> tensor<2x4x3xf32> {
  ^bb0(%a: tensor<4x6xf32>, %c: tensor<3x6xf32>, %d: tensor<3xf32>):
    %s = cnn.linear %a, %c, %d : tensor<4x6xf32>, tensor<3x6xf32>, tensor<3xf32> -> tensor<4x3xf32>
    cnn.yield %s : tensor<4x3xf32>
  }
  return
}

// -----

// cnn.partial_sums C3
func.func @f(%x: tensor<4x6xf32>) {
  // expected-error@+1 {{dimension 0 of 'reduce_sum' is not reduced; those from 1 to 1 are (C3)}}
  %0 = cnn.partial_sums %x dim 0 parts 2 : (tensor<4x6xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<4x6xf32>):
    %s = cnn.reduce_sum %a dims [1] : tensor<4x6xf32> -> tensor<4xf32>
    cnn.yield %s : tensor<4xf32>
  }
  return
}

// -----

// cnn.partial_sums C3
func.func @f(%x: tensor<4x6xf32>) {
  // expected-error@+1 {{4 parts do not divide an extent of 6 (C3)}}
  %0 = cnn.partial_sums %x dim 1 parts 4 : (tensor<4x6xf32>) -> tensor<4x4xf32> {
  ^bb0(%a: tensor<4x6xf32>):
    %s = cnn.reduce_sum %a dims [1] : tensor<4x6xf32> -> tensor<4xf32>
    cnn.yield %s : tensor<4xf32>
  }
  return
}

// -----

// cnn.partial_sums C4
func.func @f(%x: tensor<4x6xf32>) {
  // expected-error@+1 {{result is 'tensor<4x2xf32>', expected 2x4 (C4)}}
  %0 = cnn.partial_sums %x dim 1 parts 2 : (tensor<4x6xf32>) -> tensor<4x2xf32> {
  ^bb0(%a: tensor<4x6xf32>):
    %s = cnn.reduce_sum %a dims [1] : tensor<4x6xf32> -> tensor<4xf32>
    cnn.yield %s : tensor<4xf32>
  }
  return
}
