// RUN: cnn-opt %s --split-input-file --verify-diagnostics
// Fails when a function by index accepts maps, sizes or a region that do not fit its tensors.

// cnn.generic C1
func.func @f(%x: tensor<3x3xf32>) {
  // expected-error@+1 {{has 1 maps, expected 2 (C1)}}
  %0 = cnn.generic %x sizes [3, 3] parallel 1 reduction sum maps [affine_map<(i, j) -> (i)>] : (tensor<3x3xf32>) -> tensor<3xf32> {
  ^bb0(%u: f32, %i: i32, %j: i32):
    %c = arith.constant 1.0 : f32
    cnn.term %u : f32
  }
  return
}

// -----

// cnn.generic C1
func.func @f(%x: tensor<3x3xf32>) {
  // expected-error@+1 {{map 0 is affine_map<(d0, d1) -> (d0)>, expected a linear one from 2 dimensions to 2 (C1)}}
  %0 = cnn.generic %x sizes [3, 3] parallel 1 reduction sum maps [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i)>] : (tensor<3x3xf32>) -> tensor<3xf32> {
  ^bb0(%u: f32, %i: i32, %j: i32):
    %c = arith.constant 1.0 : f32
    cnn.term %u : f32
  }
  return
}

// -----

// cnn.generic C1
func.func @f(%x: tensor<3x3xf32>) {
  // expected-error@+1 {{map 0 is affine_map<(d0, d1) -> (d0, d1 mod 2)>, expected a linear one from 2 dimensions to 2 (C1)}}
  %0 = cnn.generic %x sizes [3, 3] parallel 1 reduction sum maps [affine_map<(i, j) -> (i, j mod 2)>, affine_map<(i, j) -> (i)>] : (tensor<3x3xf32>) -> tensor<3xf32> {
  ^bb0(%u: f32, %i: i32, %j: i32):
    %c = arith.constant 1.0 : f32
    cnn.term %u : f32
  }
  return
}

// -----

// cnn.generic C2
func.func @f(%x: tensor<3x3xf32>) {
  // expected-error@+1 {{size 0 is not positive (C2)}}
  %0 = cnn.generic %x sizes [3, 0] parallel 1 reduction sum maps [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>] : (tensor<3x3xf32>) -> tensor<3xf32> {
  ^bb0(%u: f32, %i: i32, %j: i32):
    %c = arith.constant 1.0 : f32
    cnn.term %u : f32
  }
  return
}

// -----

// cnn.generic C2
func.func @f(%x: tensor<3x3xf32>) {
  // expected-error@+1 {{keeps 3 of 2 dimensions (C2)}}
  %0 = cnn.generic %x sizes [3, 3] parallel 3 reduction sum maps [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>] : (tensor<3x3xf32>) -> tensor<3xf32> {
  ^bb0(%u: f32, %i: i32, %j: i32):
    %c = arith.constant 1.0 : f32
    cnn.term %u : f32
  }
  return
}

// -----

// cnn.generic C2
func.func @f(%x: tensor<3x3xf32>) {
  // expected-error@+1 {{the result's map uses dimension 1, which is reduced (C2)}}
  %0 = cnn.generic %x sizes [3, 3] parallel 1 reduction sum maps [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>] : (tensor<3x3xf32>) -> tensor<3xf32> {
  ^bb0(%u: f32, %i: i32, %j: i32):
    %c = arith.constant 1.0 : f32
    cnn.term %u : f32
  }
  return
}

// -----

// cnn.generic C3
func.func @f(%x: tensor<3x3xf32>) {
  // expected-error@+1 {{reduction is 'mean', expected none, sum or max (C3)}}
  %0 = cnn.generic %x sizes [3, 3] parallel 1 reduction mean maps [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>] : (tensor<3x3xf32>) -> tensor<3xf32> {
  ^bb0(%u: f32, %i: i32, %j: i32):
    %c = arith.constant 1.0 : f32
    cnn.term %u : f32
  }
  return
}

// -----

// cnn.generic C3
func.func @f(%x: tensor<3x3xf32>) {
  // expected-error@+1 {{reduction is 'none', but 1 dimensions are reduced (C3)}}
  %0 = cnn.generic %x sizes [3, 3] parallel 1 reduction none maps [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>] : (tensor<3x3xf32>) -> tensor<3xf32> {
  ^bb0(%u: f32, %i: i32, %j: i32):
    %c = arith.constant 1.0 : f32
    cnn.term %u : f32
  }
  return
}

// -----

// cnn.generic C3
func.func @f(%x: tensor<3x3xf32>) {
  // expected-error@+1 {{cannot accumulate 'i32' (C3)}}
  %0 = cnn.generic %x sizes [3, 3] parallel 1 reduction sum maps [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>] : (tensor<3x3xf32>) -> tensor<3xi32> {
  ^bb0(%u: f32, %i: i32, %j: i32):
    %c = arith.constant 1.0 : f32
    cnn.term %i : i32
  }
  return
}

// -----

// cnn.generic C4
func.func @f(%x: tensor<3x3xf32>) {
  // expected-error@+1 {{the result 'tensor<4xf32>' is not that of the kept dimensions in order (C4)}}
  %0 = cnn.generic %x sizes [3, 3] parallel 1 reduction sum maps [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>] : (tensor<3x3xf32>) -> tensor<4xf32> {
  ^bb0(%u: f32, %i: i32, %j: i32):
    %c = arith.constant 1.0 : f32
    cnn.term %u : f32
  }
  return
}

// -----

// cnn.generic C5
func.func @f(%x: tensor<3x3xf32>) {
  // expected-error@+1 {{positions are those of a maximum, in the result's shape (C5)}}
  %0, %1 = cnn.generic %x sizes [3, 3] parallel 1 reduction sum maps [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>] : (tensor<3x3xf32>) -> (tensor<3xf32>, tensor<3xi32>) {
  ^bb0(%u: f32, %i: i32, %j: i32):
    %c = arith.constant 1.0 : f32
    cnn.term %u : f32
  }
  return
}

// -----

// cnn.generic C6
func.func @f(%x: tensor<3x3xf32>) {
  // expected-error@+1 {{expected 'f32', 'i32', 'i32' (C6)}}
  %0 = cnn.generic %x sizes [3, 3] parallel 1 reduction sum maps [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>] : (tensor<3x3xf32>) -> tensor<3xf32> {
  ^bb0(%u: f32, %i: i32):
    %c = arith.constant 1.0 : f32
    cnn.term %u : f32
  }
  return
}

// -----

// cnn.generic C6
func.func @f(%x: tensor<3x3xf32>) {
  // expected-error@+1 {{region gives 'i32', expected 'f32' (C6)}}
  %0 = cnn.generic %x sizes [3, 3] parallel 1 reduction sum maps [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>] : (tensor<3x3xf32>) -> tensor<3xf32> {
  ^bb0(%u: f32, %i: i32, %j: i32):
    %c = arith.constant 1.0 : f32
    cnn.term %i : i32
  }
  return
}

// -----

// cnn.generic C6
func.func @f(%x: tensor<3xf32>) {
  %0 = cnn.generic %x sizes [3] parallel 1 reduction none maps [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] : (tensor<3xf32>) -> tensor<3xf32> {
  ^bb0(%u: f32, %i: i32):
    // expected-error@+1 {{'math.sin' op cannot stand in a function by index (C6)}}
    %s = math.sin %u : f32
    cnn.term %s : f32
  }
  return
}

// -----

// cnn.literal C1
func.func @f() {
  // expected-error@+1 {{'cnn.literal' op value has type 'vector<2xf32>', the result 'tensor<2xf32>' (C1)}}
  %0 = "cnn.literal"() {value = dense<[0.0, 1.0]> : vector<2xf32>} : () -> tensor<2xf32>
  return
}
