// RUN: cnn-opt %s --split-input-file --verify-diagnostics
// Fails when an operation that draws random numbers accepts what it cannot number.

// cnn.dropout C1
func.func @f(%x: tensor<4x6xf32>) {
  // expected-error@+1 {{'cnn.dropout' op probability is 1.500000e+00, expected 0 to 1 (C1)}}
  %0 = cnn.dropout %x {probability = 1.5} : tensor<4x6xf32>
  return
}

// -----

// cnn.dropout_train C1
func.func @f(%x: tensor<4x6xf32>, %s: tensor<i32>, %r: tensor<2xi32>) {
  // expected-error@+1 {{'cnn.dropout_train' op seed, seed_high or step is 'tensor<2xi32>', expected tensor<i32> (C1)}}
  %0 = cnn.dropout_train %x, %s, %r, %s {probability = 0.5, number = 3} : tensor<4x6xf32>, tensor<i32>, tensor<2xi32>, tensor<i32> -> tensor<4x6xf32>
  return
}

// -----

// cnn.dropout_train C2
func.func @f(%x: tensor<4x6xf32>, %s: tensor<i32>) {
  // expected-error@+1 {{'cnn.dropout_train' op probability is 5.000000e-01 and number -1, expected 0 to 1, and at least 0 (C2)}}
  %0 = cnn.dropout_train %x, %s, %s, %s {probability = 0.5, number = -1} : tensor<4x6xf32>, tensor<i32>, tensor<i32>, tensor<i32> -> tensor<4x6xf32>
  return
}

// -----

// cnn.dropout_train C3
func.func @f(%x: tensor<65536x32768xf32>, %s: tensor<i32>) {
  // expected-error@+1 {{'cnn.dropout_train' op input 'tensor<65536x32768xf32>' has 2^31 elements or more, too many to number (C3)}}
  %0 = cnn.dropout_train %x, %s, %s, %s {probability = 0.5, number = 0} : tensor<65536x32768xf32>, tensor<i32>, tensor<i32>, tensor<i32> -> tensor<65536x32768xf32>
  return
}
