// RUN: cnn-opt %s --split-input-file --verify-diagnostics
// Fails when a part of Winograd's convolution accepts shapes that do not fit.

// cnn.winograd_weight C1
func.func @f(%w: tensor<6x4x7x7xf32>) {
  // expected-error@+1 {{'cnn.winograd_weight' op weight is 'tensor<6x4x7x7xf32>', expected [?, ?, 3, 3] of 'f32' (C1)}}
  %0 = cnn.winograd_weight %w {tile = 4 : i64} : tensor<6x4x7x7xf32> -> tensor<6x6x6x4xf32>
  return
}

// -----

// cnn.winograd_weight C1
func.func @f(%w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{'cnn.winograd_weight' op result is 'tensor<4x4x4x6xf32>', expected [4, 4, 6, 4] of 'f32' (C1)}}
  %0 = cnn.winograd_weight %w {tile = 2 : i64} : tensor<6x4x3x3xf32> -> tensor<4x4x4x6xf32>
  return
}

// -----

// cnn.winograd_weight C2
func.func @f(%w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{'cnn.winograd_weight' op tile is 5, expected 2, 3, 4 or 6 (C2)}}
  %0 = cnn.winograd_weight %w {tile = 5 : i64} : tensor<6x4x3x3xf32> -> tensor<7x7x6x4xf32>
  return
}

// -----

// cnn.winograd_weight C2
func.func @f(%w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{'cnn.winograd_weight' op stride is 3, expected 1 or 2 (C2)}}
  %0 = cnn.winograd_weight %w {tile = 4 : i64, stride = 3 : i64} : tensor<6x4x3x3xf32> -> tensor<6x6x6x4xf32>
  return
}

// -----

// cnn.winograd_weight C2
func.func @f(%w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{'cnn.winograd_weight' op tile is 6, expected 2, 3 or 4 at stride 2 (C2)}}
  %0 = cnn.winograd_weight %w {tile = 6 : i64, stride = 2 : i64} : tensor<6x4x3x3xf32> -> tensor<13x13x6x4xf32>
  return
}

// -----

// cnn.winograd_output C3
func.func @f(%m: tensor<16x2x1x7x7x6x1x2xf32>) {
  // expected-error@+1 {{'cnn.winograd_output' op 2 blocks of 1 tiles of 6 do not cover an extent of 13 (C3)}}
  %0 = cnn.winograd_output %m {tile = 3 : i64, of = "conv_data_grad", stride = 2 : i64, turned = true} : tensor<16x2x1x7x7x6x1x2xf32> -> tensor<16x6x13x8xf32>
  return
}

// -----

// cnn.winograd_input C1
func.func @f(%x: tensor<16x4x8x8xf32>) {
  // expected-error@+1 {{'cnn.winograd_input' op result is 'tensor<16x1x1x6x6x5x2x2xf32>', expected [16, ?, ?, 6, 6, 4, ?, ?] of 'f32' (C1)}}
  %0 = cnn.winograd_input %x {tile = 4 : i64, padding = array<i64: 1, 1>} : tensor<16x4x8x8xf32> -> tensor<16x1x1x6x6x5x2x2xf32>
  return
}

// -----

// cnn.winograd_input C2
func.func @f(%x: tensor<16x4x8x8xf32>) {
  // expected-error@+1 {{'cnn.winograd_input' op tile is 8, expected 2, 3, 4 or 6 (C2)}}
  %0 = cnn.winograd_input %x {tile = 8 : i64, padding = array<i64: 1, 1>} : tensor<16x4x8x8xf32> -> tensor<16x1x1x10x10x4x1x1xf32>
  return
}

// -----

// cnn.winograd_input C2
func.func @f(%x: tensor<16x4x8x8xf32>) {
  // expected-error@+1 {{'cnn.winograd_input' op padding is 1x-1, expected two numbers that are not negative (C2)}}
  %0 = cnn.winograd_input %x {tile = 4 : i64, padding = array<i64: 1, -1>} : tensor<16x4x8x8xf32> -> tensor<16x1x1x6x6x4x2x2xf32>
  return
}

// -----

// cnn.winograd_product C1
func.func @f(%v: tensor<16x1x1x6x6x4x2x2xf32>, %u: tensor<6x6x7x4xf32>) {
  // expected-error@+1 {{'cnn.winograd_product' op weight is 'tensor<6x6x7x4xf32>', expected [6, 6, 4, ?] of 'f32' (C1)}}
  %0 = cnn.winograd_product %v, %u {turned = true} : tensor<16x1x1x6x6x4x2x2xf32>, tensor<6x6x7x4xf32> -> tensor<16x1x1x6x6x7x2x2xf32>
  return
}

// -----

// cnn.winograd_product C1
func.func @f(%v: tensor<16x1x1x6x6x4x2x2xf32>, %u: tensor<6x6x7x5xf32>) {
  // expected-error@+1 {{'cnn.winograd_product' op weight is 'tensor<6x6x7x5xf32>', expected [6, 6, ?, 4] of 'f32' (C1)}}
  %0 = cnn.winograd_product %v, %u : tensor<16x1x1x6x6x4x2x2xf32>, tensor<6x6x7x5xf32> -> tensor<16x1x1x6x6x7x2x2xf32>
  return
}

// -----

// cnn.winograd_output C1
func.func @f(%m: tensor<16x1x1x6x6x7x2x2xf32>, %b: tensor<8xf32>) {
  // expected-error@+1 {{'cnn.winograd_output' op bias is 'tensor<8xf32>', expected [7] of 'f32' (C1)}}
  %0 = cnn.winograd_output %m, %b {tile = 4 : i64, of = "conv"} : tensor<16x1x1x6x6x7x2x2xf32>, tensor<8xf32> -> tensor<16x7x8x8xf32>
  return
}

// -----

// cnn.winograd_output C2
func.func @f(%m: tensor<16x1x1x6x6x7x2x2xf32>) {
  // expected-error@+1 {{'cnn.winograd_output' op tile is 5, expected 2, 3, 4 or 6 (C2)}}
  %0 = cnn.winograd_output %m {tile = 5 : i64, of = "conv"} : tensor<16x1x1x6x6x7x2x2xf32> -> tensor<16x7x8x8xf32>
  return
}

// -----

// cnn.winograd_output C3
func.func @f(%m: tensor<16x1x2x6x6x7x2x1xf32>) {
  // expected-error@+1 {{'cnn.winograd_output' op 2 blocks of 1 tiles of 4 do not cover an extent of 9 (C3)}}
  %0 = cnn.winograd_output %m {tile = 4 : i64, of = "conv"} : tensor<16x1x2x6x6x7x2x1xf32> -> tensor<16x7x8x9xf32>
  return
}

// -----

// cnn.winograd_weight C2
func.func @f(%w: tensor<6x4x5x5xf32>) {
  // expected-error@+1 {{'cnn.winograd_weight' op tile is 3, expected 2 or 4 at stride 1 with 5 taps (C2)}}
  %0 = cnn.winograd_weight %w {tile = 3 : i64} : tensor<6x4x5x5xf32> -> tensor<7x7x6x4xf32>
  return
}

// -----

// cnn.winograd_input C2
func.func @f(%x: tensor<16x4x8x8xf32>) {
  // expected-error@+1 {{'cnn.winograd_input' op taps is 4, expected 3 or 5 (C2)}}
  %0 = cnn.winograd_input %x {tile = 2 : i64, padding = array<i64: 1, 1>, taps = 4 : i64} : tensor<16x4x8x8xf32> -> tensor<16x1x1x5x5x4x4x4xf32>
  return
}

// -----

// cnn.winograd_output C1
func.func @f(%m: tensor<16x1x1x6x6x5x2x2xf32>) {
  // expected-error@+1 {{'cnn.winograd_output' op input is 'tensor<16x1x1x6x6x5x2x2xf32>', expected [?, ?, ?, 8, 8, ?, ?, ?] of 'f32' (C1)}}
  %0 = cnn.winograd_output %m {tile = 4 : i64, of = "conv", taps = 5 : i64} : tensor<16x1x1x6x6x5x2x2xf32> -> tensor<16x5x4x4xf32>
  return
}
