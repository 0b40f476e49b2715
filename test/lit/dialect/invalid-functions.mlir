// RUN: cnn-opt %s --split-input-file --verify-diagnostics
// Fails when a function of numbers or softmax accepts operands that do not fit.

// cnn.maximum C1
func.func @f(%x: tensor<4x3xf32>, %y: tensor<4x2xf32>, %z: tensor<4x3xf64>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{shapes 4x3 and 4x2 do not match (C1)}}
  %0 = "cnn.maximum"(%x, %y) : (tensor<4x3xf32>, tensor<4x2xf32>) -> tensor<4x3xf32>
  return
}

// -----

// cnn.maximum C2
func.func @f(%x: tensor<4x3xf32>, %y: tensor<4x2xf32>, %z: tensor<4x3xf64>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{element types 'f32' and 'f64' differ (C2)}}
  %0 = "cnn.maximum"(%x, %z) : (tensor<4x3xf32>, tensor<4x3xf64>) -> tensor<4x3xf32>
  return
}

// -----

// cnn.minimum C1
func.func @f(%x: tensor<4x3xf32>, %y: tensor<4x2xf32>, %z: tensor<4x3xf64>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{shapes 4x3 and 4x2 do not match (C1)}}
  %0 = "cnn.minimum"(%x, %y) : (tensor<4x3xf32>, tensor<4x2xf32>) -> tensor<4x3xf32>
  return
}

// -----

// cnn.minimum C2
func.func @f(%x: tensor<4x3xf32>, %y: tensor<4x2xf32>, %z: tensor<4x3xf64>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{element types 'f32' and 'f64' differ (C2)}}
  %0 = "cnn.minimum"(%x, %z) : (tensor<4x3xf32>, tensor<4x3xf64>) -> tensor<4x3xf32>
  return
}

// -----

// cnn.larger_share C1
func.func @f(%x: tensor<4x3xf32>, %y: tensor<4x2xf32>, %z: tensor<4x3xf64>) {
  // expected-error@+1 {{'cnn.larger_share' op cannot broadcast 4x2 to the gradient's 4x3 (C1)}}
  %0 = cnn.larger_share %x, %y, %x : tensor<4x3xf32>, tensor<4x2xf32>, tensor<4x3xf32> -> tensor<4x3xf32>
  return
}

// -----

// cnn.softmax C1
func.func @f(%x: tensor<4x3xf32>, %y: tensor<4x2xf32>, %z: tensor<4x3xf64>) {
  // expected-error@+1 {{'cnn.softmax' op dim 2 is not one of the 2 dimensions (C1)}}
  %0 = cnn.softmax %x dim 2 : tensor<4x3xf32> -> tensor<4x3xf32>
  return
}

// -----

// cnn.softmax C2
func.func @f(%x: tensor<4x3xf32>, %y: tensor<4x2xf32>, %z: tensor<4x3xf64>) {
  // expected-error@+1 {{'cnn.softmax' op result is 'tensor<4x2xf32>', expected the input's type (C2)}}
  %0 = cnn.softmax %x dim 1 : tensor<4x3xf32> -> tensor<4x2xf32>
  return
}

// -----

// cnn.log_softmax C1
func.func @f(%x: tensor<4x3xf32>, %y: tensor<4x2xf32>, %z: tensor<4x3xf64>) {
  // expected-error@+1 {{'cnn.log_softmax' op dim 2 is not one of the 2 dimensions (C1)}}
  %0 = cnn.log_softmax %x dim 2 : tensor<4x3xf32> -> tensor<4x3xf32>
  return
}

// -----

// cnn.log_softmax C2
func.func @f(%x: tensor<4x3xf32>, %y: tensor<4x2xf32>, %z: tensor<4x3xf64>) {
  // expected-error@+1 {{'cnn.log_softmax' op result is 'tensor<4x2xf32>', expected the input's type (C2)}}
  %0 = cnn.log_softmax %x dim 1 : tensor<4x3xf32> -> tensor<4x2xf32>
  return
}
