// RUN: cnn-opt %s --split-input-file --verify-diagnostics
// Fails when a convolution or its gradient accepts shapes that do not fit.

// cnn.conv C1
func.func @f(%x: tensor<4x5x5xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{input 'tensor<4x5x5xf32>' and weight 'tensor<6x4x3x3xf32>' must have rank 4 (C1)}}
  %0 = cnn.conv %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<4x5x5xf32>, tensor<6x4x3x3xf32> -> tensor<2x6x3x3xf32>
  return
}

// -----

// cnn.conv C1
func.func @f(%x: tensor<2x4x5x5xf32>, %w: tensor<6x4xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{weight 'tensor<6x4xf32>' must have rank 4 (C1)}}
  %0 = cnn.conv %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<2x4x5x5xf32>, tensor<6x4xf32> -> tensor<2x6x3x3xf32>
  return
}

// -----

// cnn.conv C1
func.func @f(%x: tensor<2x4x5x5xf32>, %w: tensor<6x4x3x3xf64>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{element types 'f32' and 'f64' differ (C1)}}
  %0 = cnn.conv %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<2x4x5x5xf32>, tensor<6x4x3x3xf64> -> tensor<2x6x3x3xf32>
  return
}

// -----

// cnn.conv C1
func.func @f(%x: tensor<2x4x5x5xf32>, %w: tensor<6x4x3x3xf32>, %b: tensor<5xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{bias 'tensor<5xf32>', expected [6] of 'f32' (C1)}}
  %0 = cnn.conv %x, %w, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<2x4x5x5xf32>, tensor<6x4x3x3xf32>, tensor<5xf32> -> tensor<2x6x3x3xf32>
  return
}

// -----

// cnn.conv C2
func.func @f(%x: tensor<2x4x5x5xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{stride must be positive, not 0 (C2)}}
  %0 = cnn.conv %x, %w {stride = array<i64: 1, 0>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<2x4x5x5xf32>, tensor<6x4x3x3xf32> -> tensor<2x6x3x3xf32>
  return
}

// -----

// cnn.conv C2
func.func @f(%x: tensor<2x4x5x5xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{padding must not be negative, is -1 (C2)}}
  %0 = cnn.conv %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, -1, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<2x4x5x5xf32>, tensor<6x4x3x3xf32> -> tensor<2x6x3x3xf32>
  return
}

// -----

// cnn.conv C2
func.func @f(%x: tensor<2x4x5x5xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{kernel, stride and dilation have 2 entries, padding has 4 (C2)}}
  %0 = cnn.conv %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<2x4x5x5xf32>, tensor<6x4x3x3xf32> -> tensor<2x6x3x3xf32>
  return
}

// -----

// cnn.conv C2
func.func @f(%x: tensor<2x4x5x5xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{window extents are at most 16777216, not 4611686018427387904 (C2)}}
  %0 = cnn.conv %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 4611686018427387904, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<2x4x5x5xf32>, tensor<6x4x3x3xf32> -> tensor<2x6x3x3xf32>
  return
}

// -----

// cnn.conv C3
func.func @f(%x: tensor<2x4x5x5xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{3 groups do not fit 4 input channels, 6 output channels and weight 'tensor<6x4x3x3xf32>' (C3)}}
  %0 = cnn.conv %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 3 : i64} : tensor<2x4x5x5xf32>, tensor<6x4x3x3xf32> -> tensor<2x6x3x3xf32>
  return
}

// -----

// cnn.conv C3
func.func @f(%x: tensor<2x4x5x5xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{2 groups do not fit 4 input channels, 6 output channels and weight 'tensor<6x4x3x3xf32>' (C3)}}
  %0 = cnn.conv %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 2 : i64} : tensor<2x4x5x5xf32>, tensor<6x4x3x3xf32> -> tensor<2x6x3x3xf32>
  return
}

// -----

// cnn.conv C3
func.func @f(%x: tensor<2x4x5x5xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{0 groups do not fit 4 input channels, 6 output channels and weight 'tensor<6x4x3x3xf32>' (C3)}}
  %0 = cnn.conv %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 0 : i64} : tensor<2x4x5x5xf32>, tensor<6x4x3x3xf32> -> tensor<2x6x3x3xf32>
  return
}

// -----

// cnn.conv C4
func.func @f(%x: tensor<2x4x5x5xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{kernel 7x3 is larger than the padded input 5x5 (C4)}}
  %0 = cnn.conv %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 3, 1>, groups = 1 : i64} : tensor<2x4x5x5xf32>, tensor<6x4x3x3xf32> -> tensor<2x6x3x3xf32>
  return
}

// -----

// cnn.conv_data_grad C1
func.func @f(%g: tensor<2x6x4x3xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{'cnn.conv_data_grad' op gradient has shape 2x6x4x3, expected 2x6x3x3 (C1)}}
  %0 = cnn.conv_data_grad %g, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<2x6x4x3xf32>, tensor<6x4x3x3xf32> -> tensor<2x4x5x5xf32>
  return
}

// -----

// cnn.conv_data_grad C1
func.func @f(%g: tensor<2x6x3x3xf32>, %w: tensor<6xf32>) {
  // expected-error@+1 {{'cnn.conv_data_grad' op weight 'tensor<6xf32>' must have rank 4 (C1)}}
  %0 = cnn.conv_data_grad %g, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<2x6x3x3xf32>, tensor<6xf32> -> tensor<2x4x5x5xf32>
  return
}

// -----

// cnn.conv_data_grad C2
func.func @f(%g: tensor<2x6x1x3xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{'cnn.conv_data_grad' op the gather form does not apply: with a stride of 2 it needs a dilation of 1, or of 1 more than a multiple of it, not 2 (C2)}}
  %0 = cnn.conv_data_grad %g, %w {stride = array<i64: 2, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 2, 1>, groups = 1 : i64, scatter = false} : tensor<2x6x1x3xf32>, tensor<6x4x3x3xf32> -> tensor<2x4x5x5xf32>
  return
}

// -----

// cnn.conv_weight_grad C1
func.func @f(%x: tensor<2x4x5x5xf32>, %g: tensor<2x6x3x3xf32>) {
  // expected-error@+1 {{'cnn.conv_weight_grad' op gradient has shape 2x6x3x3, expected 2x6x4x4 (C1)}}
  %0 = cnn.conv_weight_grad %x, %g {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<2x4x5x5xf32>, tensor<2x6x3x3xf32> -> tensor<6x4x2x2xf32>
  return
}

// -----

// cnn.conv_weight_grad C1
func.func @f(%x: tensor<2x4x5x5xf32>, %g: tensor<2x6x3x3xf32>) {
  // expected-error@+1 {{'cnn.conv_weight_grad' op result is 'tensor<6x4x3x3xf32>', expected a weight behind 2 slices (C1)}}
  %0 = cnn.conv_weight_grad %x, %g {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64, slices = 2 : i64} : tensor<2x4x5x5xf32>, tensor<2x6x3x3xf32> -> tensor<6x4x3x3xf32>
  return
}

// -----

// cnn.conv_weight_grad C2
func.func @f(%x: tensor<2x4x5x5xf32>, %g: tensor<2x6x3x3xf32>) {
  // expected-error@+1 {{'cnn.conv_weight_grad' op 3 slices do not divide the batch of 2 (C2)}}
  %0 = cnn.conv_weight_grad %x, %g {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64, slices = 3 : i64} : tensor<2x4x5x5xf32>, tensor<2x6x3x3xf32> -> tensor<3x6x4x3x3xf32>
  return
}

// -----

// cnn.conv_weight_grad C3
func.func @f(%x: tensor<2x4x5x5xf32>, %g: tensor<2x6x3x3xf32>) {
  // expected-error@+1 {{'cnn.conv_weight_grad' op winograd is 5, expected 0 or 1, or 2, 3 or 4 with a kernel of 3x3 whose stride and dilation are 1 (C3)}}
  %0 = cnn.conv_weight_grad %x, %g {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64, slices = 2 : i64, winograd = 5 : i64} : tensor<2x4x5x5xf32>, tensor<2x6x3x3xf32> -> tensor<2x6x4x3x3xf32>
  return
}

// -----

// cnn.conv_weight_grad C3
func.func @f(%x: tensor<2x4x5x5xf32>, %g: tensor<2x6x3x3xf32>) {
  // expected-error@+1 {{'cnn.conv_weight_grad' op winograd is 4, which needs 1 group (C3)}}
  %0 = cnn.conv_weight_grad %x, %g {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 2 : i64, winograd = 4 : i64} : tensor<2x4x5x5xf32>, tensor<2x6x3x3xf32> -> tensor<6x2x3x3xf32>
  return
}
