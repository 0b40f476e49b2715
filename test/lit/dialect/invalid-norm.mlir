// RUN: cnn-opt %s --split-input-file --verify-diagnostics
// Fails when a batch normalisation accepts operands that do not fit.

// cnn.batch_norm C1
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>, %rows: tensor<i32>, %r: tensor<4xi32>) {
  // expected-error@+2 {{input 'tensor<6xf32>', expected [n, c] or [n, c, h, w] (C1)}}
  // expected-error@+1 {{'cnn.batch_norm' op failed to infer returned types}}
  %0 = cnn.batch_norm %c, %c, %c, %c, %c {epsilon = 1.0e-05, momentum = 0.1} : tensor<6xf32>, tensor<6xf32> -> tensor<6xf32>
  return
}

// -----

// cnn.batch_norm C1
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>, %rows: tensor<i32>, %r: tensor<4xi32>) {
  // expected-error@+2 {{an operand per channel is 'tensor<6xf64>', expected 'tensor<6xf32>' (C1)}}
  // expected-error@+1 {{'cnn.batch_norm' op failed to infer returned types}}
  %0 = cnn.batch_norm %x, %d, %d, %d, %d {epsilon = 1.0e-05, momentum = 0.1} : tensor<4x6xf32>, tensor<6xf64> -> tensor<4x6xf32>
  return
}

// -----

// cnn.batch_norm C2
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>, %rows: tensor<i32>, %r: tensor<4xi32>) {
  // expected-error@+2 {{epsilon must be positive (C2)}}
  // expected-error@+1 {{'cnn.batch_norm' op failed to infer returned types}}
  %0 = cnn.batch_norm %x, %c, %c, %c, %c {epsilon = 0.0, momentum = 0.1} : tensor<4x6xf32>, tensor<6xf32> -> tensor<4x6xf32>
  return
}

// -----

// cnn.batch_norm C2
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>, %rows: tensor<i32>, %r: tensor<4xi32>) {
  // expected-error@+2 {{momentum is 1.500000e+00, expected 0 to 1 (C2)}}
  // expected-error@+1 {{'cnn.batch_norm' op failed to infer returned types}}
  %0 = cnn.batch_norm %x, %c, %c, %c, %c {epsilon = 1.0e-05, momentum = 1.5} : tensor<4x6xf32>, tensor<6xf32> -> tensor<4x6xf32>
  return
}

// -----

// cnn.batch_norm_train C1
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>, %rows: tensor<i32>, %r: tensor<4xi32>) {
  // expected-error@+2 {{rows is 'tensor<4xi32>', expected tensor<i32> (C1)}}
  // expected-error@+1 {{'cnn.batch_norm_train' op failed to infer returned types}}
  %0, %1, %2 = cnn.batch_norm_train %x, %c, %c, %r {epsilon = 1.0e-05} : tensor<4x6xf32>, tensor<6xf32>, tensor<4xi32> -> tensor<4x6xf32>, tensor<6xf32>, tensor<6xf32>
  return
}

// -----

// cnn.batch_norm_train C2
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>, %rows: tensor<i32>, %r: tensor<4xi32>) {
  // expected-error@+2 {{epsilon must be positive (C2)}}
  // expected-error@+1 {{'cnn.batch_norm_train' op failed to infer returned types}}
  %0, %1, %2 = cnn.batch_norm_train %x, %c, %c, %rows {epsilon = -1.0} : tensor<4x6xf32>, tensor<6xf32>, tensor<i32> -> tensor<4x6xf32>, tensor<6xf32>, tensor<6xf32>
  return
}

// -----

// cnn.batch_norm_grad C1
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>, %rows: tensor<i32>, %r: tensor<4xi32>) {
  // expected-error@+2 {{an operand per channel is 'tensor<6xf64>', expected 'tensor<6xf32>' (C1)}}
  // expected-error@+1 {{'cnn.batch_norm_grad' op failed to infer returned types}}
  %0, %1, %2 = cnn.batch_norm_grad %x, %x, %d, %d, %d, %rows {epsilon = 1.0e-05} : tensor<4x6xf32>, tensor<6xf64>, tensor<i32> -> tensor<4x6xf32>, tensor<6xf32>, tensor<6xf32>
  return
}

// -----

// cnn.batch_norm_grad C2
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>, %rows: tensor<i32>, %r: tensor<4xi32>) {
  // expected-error@+2 {{epsilon must be positive (C2)}}
  // expected-error@+1 {{'cnn.batch_norm_grad' op failed to infer returned types}}
  %0, %1, %2 = cnn.batch_norm_grad %x, %x, %c, %c, %c, %rows {epsilon = 0.0} : tensor<4x6xf32>, tensor<6xf32>, tensor<i32> -> tensor<4x6xf32>, tensor<6xf32>, tensor<6xf32>
  return
}

// -----

// cnn.channel_sums C1
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>, %rows: tensor<i32>, %r: tensor<4xi32>) {
  // expected-error@+2 {{input 'tensor<4x6xf32>', expected [n, c, h, w] (C1)}}
  // expected-error@+1 {{'cnn.channel_sums' op failed to infer returned types}}
  %0, %1 = cnn.channel_sums %x, %c : tensor<4x6xf32>, tensor<6xf32> -> tensor<4x6xf32>, tensor<4x6xf32>
  return
}

// -----

// cnn.channel_sums C1
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>, %rows: tensor<i32>, %r: tensor<4xi32>) {
  // expected-error@+2 {{center is 'tensor<6xf64>' for an input of 'tensor<4x6x3x2xf32>', expected [c] or [n, c] (C1)}}
  // expected-error@+1 {{'cnn.channel_sums' op failed to infer returned types}}
  %0, %1 = cnn.channel_sums %i, %d : tensor<4x6x3x2xf32>, tensor<6xf64> -> tensor<4x6xf32>, tensor<4x6xf32>
  return
}

// -----

// cnn.channel_sums C1
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>, %rows: tensor<i32>, %r: tensor<4xi32>) {
  // expected-error@+2 {{factor is 'tensor<4x6xf32>', expected 'tensor<4x6x3x2xf32>' (C1)}}
  // expected-error@+1 {{'cnn.channel_sums' op failed to infer returned types}}
  %0, %1 = cnn.channel_sums %i, %c factor %x : tensor<4x6x3x2xf32>, tensor<6xf32>, tensor<4x6xf32> -> tensor<4x6xf32>, tensor<4x6xf32>
  return
}

// -----

// cnn.window_squares C1
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>) {
  // expected-error@+2 {{windows of 2x2 do not tile 'tensor<4x6x3x2xf32>' (C1)}}
  // expected-error@+1 {{'cnn.window_squares' op failed to infer returned types}}
  %0 = cnn.window_squares %i, %i {window = array<i64: 2, 2>} : tensor<4x6x3x2xf32>, tensor<4x6x3x2xf32> -> tensor<4x6x1x1xf32>
  return
}

// -----

// cnn.window_squares C1
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>) {
  // expected-error@+2 {{windows of 0x2 do not tile 'tensor<4x6x3x2xf32>' (C1)}}
  // expected-error@+1 {{'cnn.window_squares' op failed to infer returned types}}
  %0 = cnn.window_squares %i, %i {window = array<i64: 0, 2>} : tensor<4x6x3x2xf32>, tensor<4x6x3x2xf32> -> tensor<4x6x3x1xf32>
  return
}

// -----

// cnn.window_squares C2
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>) {
  // expected-error@+2 {{mean is 'tensor<4x6x3x2xf32>', expected 'tensor<4x6x1x2xf32>' (C2)}}
  // expected-error@+1 {{'cnn.window_squares' op failed to infer returned types}}
  %0 = cnn.window_squares %i, %i {window = array<i64: 3, 1>} : tensor<4x6x3x2xf32>, tensor<4x6x3x2xf32> -> tensor<4x6x1x2xf32>
  return
}

// -----

// cnn.combine_moments C1
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>) {
  // expected-error@+2 {{mean and squares are 'tensor<4x6x3x2xf32>' and 'tensor<4x6xf32>', expected two of [n, c, h, w] (C1)}}
  // expected-error@+1 {{'cnn.combine_moments' op failed to infer returned types}}
  %0, %1 = cnn.combine_moments %i, %x, %c {area = 4} : tensor<4x6x3x2xf32>, tensor<4x6xf32>, tensor<6xf32> -> tensor<4x6xf32>, tensor<4x6xf32>
  return
}

// -----

// cnn.combine_moments C1
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>) {
  // expected-error@+2 {{center is 'tensor<6xf64>' for means of 'tensor<4x6x3x2xf32>', expected [c] or [n, c] (C1)}}
  // expected-error@+1 {{'cnn.combine_moments' op failed to infer returned types}}
  %0, %1 = cnn.combine_moments %i, %i, %d {area = 4} : tensor<4x6x3x2xf32>, tensor<4x6x3x2xf32>, tensor<6xf64> -> tensor<4x6xf32>, tensor<4x6xf32>
  return
}

// -----

// cnn.combine_moments C2
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>) {
  // expected-error@+2 {{area is 0, expected a positive one (C2)}}
  // expected-error@+1 {{'cnn.combine_moments' op failed to infer returned types}}
  %0, %1 = cnn.combine_moments %i, %i, %c {area = 0} : tensor<4x6x3x2xf32>, tensor<4x6x3x2xf32>, tensor<6xf32> -> tensor<4x6xf32>, tensor<4x6xf32>
  return
}

// -----

// cnn.inverse_std C1
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>, %rows: tensor<i32>, %r: tensor<4xi32>) {
  // expected-error@+1 {{'cnn.inverse_std' op epsilon must be positive (C1)}}
  %0 = cnn.inverse_std %c {epsilon = 0.0} : tensor<6xf32> -> tensor<6xf32>
  return
}

// -----

// cnn.row_count C1
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>, %rows: tensor<i32>, %r: tensor<4xi32>) {
  // expected-error@+1 {{'cnn.row_count' op result is 'tensor<6xf32>', expected rank 0 (C1)}}
  %0 = cnn.row_count %rows {factor = 2} : tensor<i32> -> tensor<6xf32>
  return
}

// -----

// cnn.row_count C1
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>, %rows: tensor<i32>, %r: tensor<4xi32>) {
  // expected-error@+1 {{rows is 'tensor<4xi32>', expected tensor<i32> (C1)}}
  %0 = cnn.row_count %r {factor = 2} : tensor<4xi32> -> tensor<f32>
  return
}

// -----

// cnn.row_count C2
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>, %rows: tensor<i32>, %r: tensor<4xi32>) {
  // expected-error@+1 {{'cnn.row_count' op factor is 0, expected a positive one (C2)}}
  %0 = cnn.row_count %rows {factor = 0} : tensor<i32> -> tensor<f32>
  return
}

// -----

// cnn.scaled_weight C1
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>, %rows: tensor<i32>, %r: tensor<4xi32>) {
  // expected-error@+2 {{scale or variance is 'tensor<6xf32>', expected 'tensor<4xf32>' (C1)}}
  // expected-error@+1 {{'cnn.scaled_weight' op failed to infer returned types}}
  %0 = cnn.scaled_weight %x, %c, %c {epsilon = 1.0e-05} : tensor<4x6xf32>, tensor<6xf32>, tensor<6xf32> -> tensor<4x6xf32>
  return
}

// -----

// cnn.scaled_weight C2
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x6x3x2xf32>, %c: tensor<6xf32>, %d: tensor<6xf64>, %rows: tensor<i32>, %r: tensor<4xi32>) {
  // expected-error@+1 {{'cnn.scaled_weight' op epsilon must be positive (C2)}}
  %0 = cnn.scaled_weight %c, %c, %c {epsilon = 0.0} : tensor<6xf32>, tensor<6xf32>, tensor<6xf32> -> tensor<6xf32>
  return
}
