// RUN: cnn-opt %s --split-input-file --verify-diagnostics
// Fails when a product or a reduction accepts operands that do not fit.

// cnn.linear C1
func.func @f(%x: tensor<4x3xf32>, %w: tensor<5x2xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{input 'tensor<4x3xf32>' and weight 'tensor<5x2xf32>', expected [n, i] and [o, i] (C1)}}
  %0 = cnn.linear %x, %w : tensor<4x3xf32>, tensor<5x2xf32> -> tensor<4x5xf32>
  return
}

// -----

// cnn.linear C1
func.func @f(%x: tensor<4x3xf32>, %w: tensor<5x3xf32>, %b: tensor<4xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{bias 'tensor<4xf32>', expected [5] (C1)}}
  %0 = cnn.linear %x, %w, %b : tensor<4x3xf32>, tensor<5x3xf32>, tensor<4xf32> -> tensor<4x5xf32>
  return
}

// -----

// cnn.linear C2
func.func @f(%x: tensor<4x3xf32>, %w: tensor<5x3xf64>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{element types 'f32' and 'f64' differ (C2)}}
  %0 = cnn.linear %x, %w : tensor<4x3xf32>, tensor<5x3xf64> -> tensor<4x5xf32>
  return
}

// -----

// cnn.linear C2
func.func @f(%x: tensor<4x3xf32>, %w: tensor<5x3xf32>, %b: tensor<5xf64>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{element types 'f64' and 'f32' differ (C2)}}
  %0 = cnn.linear %x, %w, %b : tensor<4x3xf32>, tensor<5x3xf32>, tensor<5xf64> -> tensor<4x5xf32>
  return
}

// -----

// cnn.matmul C1
func.func @f(%x: tensor<4xf32>, %w: tensor<4x5xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{operands 'tensor<4xf32>' and 'tensor<4x5xf32>' must have rank 2 (C1)}}
  %0 = cnn.matmul %x, %w : tensor<4xf32>, tensor<4x5xf32> -> tensor<5xf32>
  return
}

// -----

// cnn.matmul C1
func.func @f(%x: tensor<4x3xf32>, %w: tensor<3x5xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{common extents 4 and 3 differ (C1)}}
  %0 = cnn.matmul %x, %w : tensor<4x3xf32>, tensor<3x5xf32> -> tensor<3x5xf32> {transpose_a = true}
  return
}

// -----

// cnn.matmul C2
func.func @f(%x: tensor<4x3xf32>, %w: tensor<3x5xf64>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{element types 'f32' and 'f64' differ (C2)}}
  %0 = cnn.matmul %x, %w : tensor<4x3xf32>, tensor<3x5xf64> -> tensor<4x5xf32>
  return
}

// -----

// cnn.reduce_sum C1
func.func @f(%x: tensor<4x3xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{dims must increase and be below the rank 2; got 0 (C1)}}
  %0 = cnn.reduce_sum %x dims [1, 0] : tensor<4x3xf32> -> tensor<f32>
  return
}

// -----

// cnn.reduce_sum C1
func.func @f(%x: tensor<4x3xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{dims must increase and be below the rank 2; got 2 (C1)}}
  %0 = cnn.reduce_sum %x dims [2] : tensor<4x3xf32> -> tensor<4xf32>
  return
}

// -----

// cnn.reduce_max C1
func.func @f(%x: tensor<4x3xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{dims must increase and be below the rank 2; got 0 (C1)}}
  %0 = cnn.reduce_max %x dims [1, 0] : tensor<4x3xf32> -> tensor<f32>
  return
}

// -----

// cnn.reduce_max C1
func.func @f(%x: tensor<4x3xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{dims must increase and be below the rank 2; got 2 (C1)}}
  %0 = cnn.reduce_max %x dims [2] : tensor<4x3xf32> -> tensor<4xf32>
  return
}
