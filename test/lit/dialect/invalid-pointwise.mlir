// RUN: cnn-opt %s --split-input-file --verify-diagnostics
// Fails when an operation on single elements accepts shapes or types it cannot compute.

func.func @f(%x: tensor<4xi32>) {
  // expected-error@+1 {{'cnn.sigmoid' op operand #0 must be tensor of static shape of f32 or f64, but got 'tensor<4xi32>'}}
  %0 = "cnn.sigmoid"(%x) : (tensor<4xi32>) -> tensor<4xi32>
  return
}

// -----

func.func @f(%x: tensor<?xf32>) {
  // expected-error@+1 {{'cnn.relu' op operand #0 must be tensor of static shape of f32 or f64, but got 'tensor<?xf32>'}}
  %0 = cnn.relu %x : tensor<?xf32> -> tensor<?xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{'cnn.relu' op inferred type(s) 'tensor<4xf32>' are incompatible with return type(s) of operation 'tensor<5xf32>'}}
  %0 = cnn.relu %x : tensor<4xf32> -> tensor<5xf32>
  return
}

// -----

// cnn.add C1
func.func @f(%x: tensor<4x3xf32>, %y: tensor<2xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{shapes 4x3 and 2 do not match (C1)}}
  %0 = cnn.add %x, %y : tensor<4x3xf32>, tensor<2xf32> -> tensor<4x3xf32>
  return
}

// -----

// cnn.add C2
func.func @f(%x: tensor<3xf32>, %y: tensor<3xf64>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{element types 'f32' and 'f64' differ (C2)}}
  %0 = cnn.add %x, %y : tensor<3xf32>, tensor<3xf64> -> tensor<3xf32>
  return
}

// -----

// cnn.sub C1
func.func @f(%x: tensor<4x3xf32>, %y: tensor<2xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{shapes 4x3 and 2 do not match (C1)}}
  %0 = cnn.sub %x, %y : tensor<4x3xf32>, tensor<2xf32> -> tensor<4x3xf32>
  return
}

// -----

// cnn.sub C2
func.func @f(%x: tensor<3xf32>, %y: tensor<3xf64>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{element types 'f32' and 'f64' differ (C2)}}
  %0 = cnn.sub %x, %y : tensor<3xf32>, tensor<3xf64> -> tensor<3xf32>
  return
}

// -----

// cnn.mul C1
func.func @f(%x: tensor<4x3xf32>, %y: tensor<2xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{shapes 4x3 and 2 do not match (C1)}}
  %0 = cnn.mul %x, %y : tensor<4x3xf32>, tensor<2xf32> -> tensor<4x3xf32>
  return
}

// -----

// cnn.mul C2
func.func @f(%x: tensor<3xf32>, %y: tensor<3xf64>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{element types 'f32' and 'f64' differ (C2)}}
  %0 = cnn.mul %x, %y : tensor<3xf32>, tensor<3xf64> -> tensor<3xf32>
  return
}

// -----

// cnn.div C1
func.func @f(%x: tensor<4x3xf32>, %y: tensor<2xf32>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{shapes 4x3 and 2 do not match (C1)}}
  %0 = cnn.div %x, %y : tensor<4x3xf32>, tensor<2xf32> -> tensor<4x3xf32>
  return
}

// -----

// cnn.div C2
func.func @f(%x: tensor<3xf32>, %y: tensor<3xf64>) {
  // expected-error@+2 {{failed to infer returned types}}
  // expected-error@+1 {{element types 'f32' and 'f64' differ (C2)}}
  %0 = cnn.div %x, %y : tensor<3xf32>, tensor<3xf64> -> tensor<3xf32>
  return
}

// -----

// cnn.one_hot C1
func.func @f(%l: tensor<4xi32>) {
  // expected-error@+1 {{'cnn.one_hot' op labels are 'tensor<4xi32>' and the result 'tensor<5x3xf32>', expected [n] of i32 and [n, k] of floats (C1)}}
  %0 = cnn.one_hot %l : tensor<4xi32> -> tensor<5x3xf32>
  return
}

// -----

// cnn.mask_rows C1
func.func @f(%x: tensor<4x3xf32>, %r: tensor<1xi32>) {
  // expected-error@+1 {{'cnn.mask_rows' op rows is 'tensor<1xi32>', expected tensor<i32> (C1)}}
  %0 = cnn.mask_rows %x, %r : tensor<4x3xf32>, tensor<1xi32> -> tensor<4x3xf32>
  return
}

// -----

// cnn.all_rows C1
func.func @f() {
  // expected-error@+1 {{'cnn.all_rows' op count is 0 and the result 'tensor<i32>', expected a positive one and tensor<i32> (C1)}}
  %0 = cnn.all_rows {count = 0} : tensor<i32>
  return
}

// -----

// cnn.all_rows C1
func.func @f() {
  // expected-error@+1 {{'cnn.all_rows' op count is 4 and the result 'tensor<1xi32>', expected a positive one and tensor<i32> (C1)}}
  %0 = cnn.all_rows {count = 4} : tensor<1xi32>
  return
}

// -----

// cnn.row_weight C1
func.func @f(%r: tensor<i32>) {
  // expected-error@+1 {{'cnn.row_weight' op result is 'tensor<4xf32>', expected [n, 1] (C1)}}
  %0 = cnn.row_weight %r : tensor<i32> -> tensor<4xf32>
  return
}

// -----

// cnn.row_weight C1
func.func @f(%r: tensor<1xi32>) {
  // expected-error@+1 {{'cnn.row_weight' op rows is 'tensor<1xi32>', expected tensor<i32> (C1)}}
  %0 = cnn.row_weight %r : tensor<1xi32> -> tensor<4x1xf32>
  return
}

// -----

// cnn.convert_layout C1
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{'cnn.convert_layout' op input 'tensor<4xf32>' and result 'tensor<2x2xf32>' must differ in layout only (C1)}}
  %0 = cnn.convert_layout %x : tensor<4xf32> -> tensor<2x2xf32>
  return
}

// -----

// cnn.reshape C1
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{'cnn.reshape' op cannot reshape 'tensor<4xf32>' to 'tensor<2x3xf32>' (C1)}}
  %0 = cnn.reshape %x : tensor<4xf32> -> tensor<2x3xf32>
  return
}
