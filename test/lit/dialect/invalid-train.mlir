// RUN: cnn-opt %s --split-input-file --verify-diagnostics
// Fails when a loss or an update accepts operands that do not fit.

// cnn.cross_entropy C1
func.func @f(%x: tensor<4x3xf32>, %l: tensor<4xi32>, %r: tensor<i32>, %k: tensor<5xi32>) {
  // expected-error@+1 {{'cnn.cross_entropy' op got logits 'tensor<4x3xf32>', labels 'tensor<5xi32>', rows 'tensor<i32>'; expected [n, k], [n] of i32, and tensor<i32> (C1)}}
  %0 = cnn.cross_entropy %x, %k, %r : tensor<4x3xf32>, tensor<5xi32>, tensor<i32> -> tensor<f32>
  return
}

// -----

// cnn.cross_entropy C1
func.func @f(%x: tensor<4x3xf32>, %l: tensor<4xi32>, %r: tensor<i32>, %k: tensor<5xi32>) {
  // expected-error@+1 {{'cnn.cross_entropy' op result is 'tensor<1xf32>', expected rank 0 (C1)}}
  %0 = cnn.cross_entropy %x, %l, %r : tensor<4x3xf32>, tensor<4xi32>, tensor<i32> -> tensor<1xf32>
  return
}

// -----

// cnn.cross_entropy_grad C1
func.func @f(%x: tensor<4x3xf32>, %l: tensor<4xi32>, %r: tensor<i32>, %k: tensor<5xi32>) {
  // expected-error@+1 {{'cnn.cross_entropy_grad' op result is 'tensor<4xf32>', expected the logits' type (C1)}}
  %0 = cnn.cross_entropy_grad %x, %l, %r : tensor<4x3xf32>, tensor<4xi32>, tensor<i32> -> tensor<4xf32>
  return
}

// -----

// cnn.cross_entropy_grad C1
func.func @f(%x: tensor<4x3xf32>, %l: tensor<4xi32>, %r: tensor<i32>, %k: tensor<5xi32>) {
  // expected-error@+1 {{'cnn.cross_entropy_grad' op got logits 'tensor<4x3xf32>', labels 'tensor<4xi32>', rows 'tensor<4xi32>'; expected [n, k], [n] of i32, and tensor<i32> (C1)}}
  %0 = cnn.cross_entropy_grad %x, %l, %l : tensor<4x3xf32>, tensor<4xi32>, tensor<4xi32> -> tensor<4x3xf32>
  return
}

// -----

// cnn.sgd_update C1
func.func @f(%p: tensor<3xf32>, %g: tensor<4xf32>, %s: tensor<f32>) {
  // expected-error@+1 {{'cnn.sgd_update' op has a tensor of type 'tensor<4xf32>', expected 'tensor<3xf32>' (C1)}}
  %0 = cnn.sgd_update %p, %g lr %s : (tensor<3xf32>, tensor<4xf32>, tensor<f32>) -> tensor<3xf32>
  return
}

// -----

// cnn.sgd_update C2
func.func @f(%p: tensor<3xf32>, %g: tensor<4xf32>, %s: tensor<f32>) {
  // expected-error@+1 {{'cnn.sgd_update' op velocity, momentum and the second result come together (C2)}}
  %0 = cnn.sgd_update %p, %p lr %s velocity %p momentum %s : (tensor<3xf32>, tensor<3xf32>, tensor<f32>, tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  return
}

// -----

// cnn.sgd_update C3
func.func @f(%p: tensor<3xf32>, %g: tensor<4xf32>, %s: tensor<f32>) {
  // expected-error@+1 {{'cnn.sgd_update' op nesterov needs a velocity (C3)}}
  %0 = cnn.sgd_update %p, %p lr %s {nesterov = true} : (tensor<3xf32>, tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  return
}

// -----

// cnn.cross_entropy C2
func.func @f(%x: tensor<4x3xf32>, %l: tensor<4xi32>, %r: tensor<i32>, %k: tensor<5xi32>) {
  // expected-error@+1 {{'cnn.cross_entropy' op label_smoothing is 1.500000e+00 : f64, expected 0 to 1 (C2)}}
  %0 = cnn.cross_entropy %x, %l, %r {label_smoothing = 1.5 : f64} : tensor<4x3xf32>, tensor<4xi32>, tensor<i32> -> tensor<f32>
  return
}

// -----

// cnn.squared_error C1
func.func @f(%x: tensor<4x3xf32>, %l: tensor<4xi32>, %r: tensor<i32>, %k: tensor<5xi32>) {
  // expected-error@+1 {{'cnn.squared_error' op got output 'tensor<4x3xf32>', target 'tensor<4x3xf32>', rows 'tensor<4xi32>' and result 'tensor<f32>'; expected [n, k] twice, tensor<i32> and rank 0 (C1)}}
  %0 = cnn.squared_error %x, %x, %l : tensor<4x3xf32>, tensor<4x3xf32>, tensor<4xi32> -> tensor<f32>
  return
}

// -----

// cnn.sgd_update C3
func.func @f(%p: tensor<3xf32>, %s: tensor<f32>) {
  // expected-error@+1 {{'cnn.sgd_update' op a gradient share needs a velocity, and excludes nesterov (C3)}}
  %0, %1 = cnn.sgd_update %p, %p lr %s velocity %p momentum %s share %s {nesterov = true} : (tensor<3xf32>, tensor<3xf32>, tensor<f32>, tensor<3xf32>, tensor<f32>, tensor<f32>) -> (tensor<3xf32>, tensor<3xf32>)
  return
}
