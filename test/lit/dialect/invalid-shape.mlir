// RUN: cnn-opt %s --split-input-file --verify-diagnostics
// Fails when an operation that moves elements, or an adaptive pooling, accepts what it cannot do.

// cnn.pad C1
func.func @f(%x: tensor<2x3x5x5xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{low and high have 4 and 2 entries, expected 4 (C1)}}
  %0 = "cnn.pad"(%x) {low = array<i64: 0, 0, 1, 1>, high = array<i64: 0, 0>, value = 0.0 : f64} : (tensor<2x3x5x5xf32>) -> tensor<2x3x6x6xf32>
  return
}

// -----

// cnn.pad C2
func.func @f(%x: tensor<2x3x5x5xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{nothing is left of the 5 elements of dimension 3 (C2)}}
  %0 = "cnn.pad"(%x) {low = array<i64: 0, 0, 1, -2>, high = array<i64: 0, 0, 0, -3>, value = 0.0 : f64} : (tensor<2x3x5x5xf32>) -> tensor<2x3x6x1xf32>
  return
}

// -----

// cnn.concat C1
func.func @f(%x: tensor<2x3x5x5xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{dim 4 is not a dimension of 1 operands (C1)}}
  %0 = "cnn.concat"(%x) {dim = 4 : i64} : (tensor<2x3x5x5xf32>) -> tensor<2x3x5x5xf32>
  return
}

// -----

// cnn.concat C2
func.func @f(%x: tensor<2x3x5x5xf32>, %y: tensor<2x3x5x4xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{operands 'tensor<2x3x5x5xf32>' and 'tensor<2x3x5x4xf32>' differ in more than dimension 1 (C2)}}
  %0 = "cnn.concat"(%x, %y) {dim = 1 : i64} : (tensor<2x3x5x5xf32>, tensor<2x3x5x4xf32>) -> tensor<2x6x5x5xf32>
  return
}

// -----

// cnn.permute C1
func.func @f(%x: tensor<2x3x5x5xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{order must name each of the 4 dimensions once (C1)}}
  %0 = "cnn.permute"(%x) {order = array<i64: 0, 2, 2, 1>} : (tensor<2x3x5x5xf32>) -> tensor<2x5x5x3xf32>
  return
}

// -----

// cnn.adaptive_avg_pool C1
func.func @f(%x: tensor<2x3x5x5xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{input 'tensor<2x3x5x5xf32>' must have rank 4, and size 2 positive entries (C1)}}
  %0 = "cnn.adaptive_avg_pool"(%x) {size = array<i64: 0, 2>} : (tensor<2x3x5x5xf32>) -> tensor<2x3x1x2xf32>
  return
}

// -----

// cnn.adaptive_max_pool C1
func.func @f(%x: tensor<2x3x5x5xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{input 'tensor<2x3x5x5xf32>' must have rank 4, and size 2 positive entries (C1)}}
  %0, %1 = "cnn.adaptive_max_pool"(%x) {size = array<i64: 2>} : (tensor<2x3x5x5xf32>) -> (tensor<2x3x2x2xf32>, tensor<2x3x2x2xi32>)
  return
}

// -----

// cnn.adaptive_avg_pool_grad C1
func.func @f(%x: tensor<2x3x5x5xf32>) {
  // expected-error@+1 {{gradient 'tensor<2x3x5x5xf32>' and result 'tensor<2x4x5x5xf32>' must agree in rank 4 and their first extents (C1)}}
  %0 = cnn.adaptive_avg_pool_grad %x : tensor<2x3x5x5xf32> -> tensor<2x4x5x5xf32>
  return
}

// -----

// cnn.adaptive_max_pool_grad C1
func.func @f(%x: tensor<2x3x5x5xf32>, %p: tensor<2x3x5x5xi32>) {
  // expected-error@+1 {{gradient 'tensor<2x3x5x5xf32>' and result 'tensor<2x4x5x5xf32>' must agree in rank 4 and their first extents (C1)}}
  %0 = cnn.adaptive_max_pool_grad %x, %p : tensor<2x3x5x5xf32>, tensor<2x3x5x5xi32> -> tensor<2x4x5x5xf32>
  return
}

// -----

// cnn.adaptive_max_pool_grad C2
func.func @f(%x: tensor<2x3x5x5xf32>, %p: tensor<2x3x5x4xi32>) {
  // expected-error@+1 {{positions are 'tensor<2x3x5x4xi32>', expected the gradient's shape with i32 (C2)}}
  %0 = cnn.adaptive_max_pool_grad %x, %p : tensor<2x3x5x5xf32>, tensor<2x3x5x4xi32> -> tensor<2x3x7x7xf32>
  return
}
