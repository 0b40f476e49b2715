// RUN: cnn-opt %s --split-input-file --verify-diagnostics
// Fails when pooling or its gradient accepts shapes that do not fit.

// cnn.max_pool C1
func.func @f(%x: tensor<2x4x5xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{input 'tensor<2x4x5xf32>' must have rank 4 (C1)}}
  %0 = cnn.max_pool %x {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<2x4x5xf32> -> tensor<2x4x2x2xf32>
  return
}

// -----

// cnn.max_pool C1
func.func @f(%x: tensor<2x4x5x5xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{kernel must be positive, not 0 (C1)}}
  %0 = cnn.max_pool %x {kernel = array<i64: 2, 0>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<2x4x5x5xf32> -> tensor<2x4x2x2xf32>
  return
}

// -----

// cnn.max_pool C2
func.func @f(%x: tensor<2x4x5x5xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{padding 2 is more than half the kernel 2 (C2)}}
  %0 = cnn.max_pool %x {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 2, 0>} : tensor<2x4x5x5xf32> -> tensor<2x4x2x2xf32>
  return
}

// -----

// cnn.max_pool C3
func.func @f(%x: tensor<2x4x5x5xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{window 6x2 is larger than the padded input 5x5 (C3)}}
  %0 = cnn.max_pool %x {kernel = array<i64: 6, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<2x4x5x5xf32> -> tensor<2x4x2x2xf32>
  return
}

// -----

// cnn.avg_pool C1
func.func @f(%x: tensor<2x4x5xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{input 'tensor<2x4x5xf32>' must have rank 4 (C1)}}
  %0 = cnn.avg_pool %x {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<2x4x5xf32> -> tensor<2x4x2x2xf32>
  return
}

// -----

// cnn.avg_pool C1
func.func @f(%x: tensor<2x4x5x5xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{kernel must be positive, not 0 (C1)}}
  %0 = cnn.avg_pool %x {kernel = array<i64: 2, 0>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<2x4x5x5xf32> -> tensor<2x4x2x2xf32>
  return
}

// -----

// cnn.avg_pool C2
func.func @f(%x: tensor<2x4x5x5xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{padding 2 is more than half the kernel 2 (C2)}}
  %0 = cnn.avg_pool %x {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 2, 0>} : tensor<2x4x5x5xf32> -> tensor<2x4x2x2xf32>
  return
}

// -----

// cnn.avg_pool C3
func.func @f(%x: tensor<2x4x5x5xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{window 6x2 is larger than the padded input 5x5 (C3)}}
  %0 = cnn.avg_pool %x {kernel = array<i64: 6, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<2x4x5x5xf32> -> tensor<2x4x2x2xf32>
  return
}

// -----

// cnn.max_pool C4
func.func @f(%x: tensor<2x4x5x5xf32>) {
  // expected-error@+1 {{'cnn.max_pool' op result #1 must be tensor of static shape of i32, but got 'tensor<2x4x2x2xf32>'}}
  %0, %1 = cnn.max_pool %x {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, with_positions = true} : tensor<2x4x5x5xf32> -> tensor<2x4x2x2xf32>, tensor<2x4x2x2xf32>
  return
}

// -----

// cnn.max_pool C4
func.func @f(%x: tensor<2x4x5x5xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{'cnn.max_pool' op inferred type(s) 'tensor<2x4x2x2xf32>' are incompatible with return type(s) of operation 'tensor<2x4x2x2xf32>', 'tensor<2x4x2x2xi32>'}}
  %0, %1 = cnn.max_pool %x {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<2x4x5x5xf32> -> tensor<2x4x2x2xf32>, tensor<2x4x2x2xi32>
  return
}

// -----

// cnn.max_pool_grad C1
func.func @f(%g: tensor<2x4x2x2xf32>, %p: tensor<2x4x2x1xi32>) {
  // expected-error@+1 {{'cnn.max_pool_grad' op positions are 'tensor<2x4x2x1xi32>', expected the gradient's shape with i32 (C1)}}
  %0 = cnn.max_pool_grad %g, %p {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<2x4x2x2xf32>, tensor<2x4x2x1xi32> -> tensor<2x4x5x5xf32>
  return
}

// -----

// cnn.max_pool_grad C1
func.func @f(%g: tensor<2x4x2x2xf32>, %p: tensor<2x4x2x2xi32>) {
  // expected-error@+1 {{'cnn.max_pool_grad' op gradient has shape 2x4x2x2, expected 2x4x3x2 (C1)}}
  %0 = cnn.max_pool_grad %g, %p {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<2x4x2x2xf32>, tensor<2x4x2x2xi32> -> tensor<2x4x6x5xf32>
  return
}

// -----

// cnn.avg_pool_grad C1
func.func @f(%g: tensor<2x4x2x2xf32>) {
  // expected-error@+1 {{'cnn.avg_pool_grad' op gradient has shape 2x4x2x2, expected 2x4x3x2 (C1)}}
  %0 = cnn.avg_pool_grad %g {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<2x4x2x2xf32> -> tensor<2x4x6x5xf32>
  return
}
