// RUN: cnn-opt %s --split-input-file --verify-diagnostics
// Fails when a tile does not fit its buffer and is not refused.

// cnn.tile_load C1
func.func @f(%b: memref<8x32xf32>, %v: vector<4x16xf32>, %d: vector<4x16xf64>, %i: index) {
  // expected-error@+1 {{'cnn.tile_load' op has a map of 2 dimensions and 2 results and 1 indices for a tile of rank 2 and a buffer of rank 2 (C1)}}
  %0 = cnn.tile_load %b[%i] map affine_map<(d0, d1) -> (d0, d1)> : memref<8x32xf32> -> vector<4x16xf32>
  return
}

// -----

// cnn.tile_load C1
func.func @f(%b: memref<8x32xf32>, %v: vector<4x16xf32>, %d: vector<4x16xf64>, %i: index) {
  // expected-error@+1 {{'cnn.tile_load' op guards dimension 2 of a buffer of rank 2 (C1)}}
  %0 = cnn.tile_load %b[%i, %i] map affine_map<(d0, d1) -> (d0, d1)> {guard = array<i64: 2>} : memref<8x32xf32> -> vector<4x16xf32>
  return
}

// -----

// cnn.tile_load C2
func.func @f(%b: memref<8x32xf32>, %v: vector<4x16xf32>, %d: vector<4x16xf64>, %i: index) {
  // expected-error@+1 {{'cnn.tile_load' op has a tile of 'f64' and a buffer of 'f32' (C2)}}
  %0 = cnn.tile_load %b[%i, %i] map affine_map<(d0, d1) -> (d0, d1)> : memref<8x32xf32> -> vector<4x16xf64>
  return
}

// -----

// cnn.tile_store C1
func.func @f(%b: memref<8x32xf32>, %v: vector<4x16xf32>, %d: vector<4x16xf64>, %i: index) {
  // expected-error@+1 {{'cnn.tile_store' op has a map of 1 dimensions and 2 results and 2 indices for a tile of rank 2 and a buffer of rank 2 (C1)}}
  cnn.tile_store %v, %b[%i, %i] map affine_map<(d0) -> (d0, d0)> : vector<4x16xf32> -> memref<8x32xf32>
  return
}

// -----

// cnn.tile_store C2
func.func @f(%b: memref<8x32xf32>, %v: vector<4x16xf32>, %d: vector<4x16xf64>, %i: index) {
  // expected-error@+1 {{'cnn.tile_store' op has a tile of 'f64' and a buffer of 'f32' (C2)}}
  cnn.tile_store %d, %b[%i, %i] map affine_map<(d0, d1) -> (d0, d1)> : vector<4x16xf64> -> memref<8x32xf32>
  return
}

// -----

func.func @f(%b: memref<8x32xf32>, %v: vector<4x16xf32>, %d: vector<4x16xf64>, %i: index) {
  // expected-error@+1 {{'cnn.tile_pick' op picks outside of dimension 0}}
  %0 = cnn.tile_pick %v offsets [1, 0] strides [2, 1] : vector<4x16xf32> -> vector<3x16xf32>
  return
}

// -----

func.func @f(%b: memref<8x32xf32>, %v: vector<4x16xf32>, %d: vector<4x16xf64>, %i: index) {
  // expected-error@+1 {{'cnn.tile_pick' op must keep the lanes whole}}
  %0 = cnn.tile_pick %v offsets [0, 1] strides [1, 1] : vector<4x16xf32> -> vector<4x8xf32>
  return
}

// -----

func.func @f(%b: memref<8x32xf32>, %v: vector<4x16xf32>, %d: vector<4x16xf64>, %i: index) {
  // expected-error@+1 {{'cnn.tile_reduce' op kind is 'mean', expected add or max}}
  %0 = cnn.tile_reduce "mean" %v : vector<4x16xf32> -> vector<4x1xf32>
  return
}

// -----

func.func @f(%b: memref<8x32xf32>, %v: vector<4x16xf32>, %d: vector<4x16xf64>, %i: index) {
  // expected-error@+1 {{'cnn.tile_reduce' op result is 'vector<4x2xf32>', expected the input's shape with 1 lane}}
  %0 = cnn.tile_reduce "add" %v : vector<4x16xf32> -> vector<4x2xf32>
  return
}

// -----

// cnn.tile_join C1
func.func @f(%v: vector<4x16xf32>, %d: vector<4x8xf32>) {
  // expected-error@+1 {{'cnn.tile_join' op needs parts of one type (C1)}}
  %0 = cnn.tile_join %v, %d {dim = 0 : i64} : vector<4x16xf32>, vector<4x8xf32> -> vector<8x16xf32>
  return
}

// -----

// cnn.tile_join C1
func.func @f(%v: vector<4x16xf32>) {
  // expected-error@+1 {{'cnn.tile_join' op joins dimension 1 of 'vector<4x16xf32>' (C1)}}
  %0 = cnn.tile_join %v, %v {dim = 1 : i64} : vector<4x16xf32>, vector<4x16xf32> -> vector<4x32xf32>
  return
}

// -----

// cnn.tile_join C1
func.func @f(%v: vector<4x16xf32>) {
  // expected-error@+1 {{'cnn.tile_join' op result is 'vector<9x16xf32>', expected 'vector<8x16xf32>' (C1)}}
  %0 = cnn.tile_join %v, %v {dim = 0 : i64} : vector<4x16xf32>, vector<4x16xf32> -> vector<9x16xf32>
  return
}

// -----

// cnn.tile_load C3
func.func @f(%b: memref<8x32xf32>, %i: index) {
  // expected-error@+1 {{'cnn.tile_load' op tells the zeros of 1 dimensions of 'memref<8x32xf32>' (C3)}}
  %0 = cnn.tile_load %b[%i, %i] map affine_map<(d0, d1) -> (d0, d1)> {zeros = array<i64: 1>} : memref<8x32xf32> -> vector<4x16xf32>
  return
}
