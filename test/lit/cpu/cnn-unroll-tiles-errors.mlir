// RUN: cnn-opt %s --cnn-unroll-tiles --split-input-file --verify-diagnostics
// Breaks if a tile that cannot be taken apart is miscompiled instead of refused.

func.func private @map(%item: index, %x: memref<64xf32>) {
  // expected-error @below {{has map affine_map<(d0) -> (d0 mod 2)>, which is not linear}}
  %a = cnn.tile_load %x[%item] map affine_map<(d0) -> (d0 mod 2)> : memref<64xf32> -> vector<16xf32>
  cnn.tile_store %a, %x[%item] map affine_map<(d0) -> (d0)> : vector<16xf32> -> memref<64xf32>
  return
}

// -----

func.func private @dynamic(%item: index, %x: memref<?xf32>) {
  // expected-error @below {{needs a buffer of static shape and plain layout, not 'memref<?xf32>'}}
  %a = cnn.tile_load %x[%item] map affine_map<(d0) -> (d0)> : memref<?xf32> -> vector<16xf32>
  return
}

// -----

func.func private @unknown(%item: index, %x: memref<64xf32>) {
  %a = cnn.tile_load %x[%item] map affine_map<(d0, d1) -> (d1)> : memref<64xf32> -> vector<2x16xf32>
  // expected-error @below {{on the register tile 'vector<2x16xf32>' is not supported}}
  %t = vector.transpose %a, [1, 0] : vector<2x16xf32> to vector<16x2xf32>
  return
}

// -----

// expected-error @below {{takes or returns a register tile, which is not supported}}
func.func private @argument(%a: vector<2x16xf32>) {
  return
}
