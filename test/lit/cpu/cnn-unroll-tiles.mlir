// RUN: cnn-opt %s --cnn-unroll-tiles --canonicalize --cse | FileCheck %s --enable-var-scope
// Breaks if tiles are not taken apart into machine vectors, or loads are repeated or moved badly.

// The weights (6 distinct, the most) go outermost: each is loaded once, right before its uses; the
// two pixels stay in registers. Nothing is loaded before it is needed.
// CHECK-LABEL: func.func private @conv(
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>, {{.*}}vector<16xf32>)
// CHECK: %[[X0:.*]] = vector.load {{.*}} vector<16xf32>
// CHECK: %[[W:.*]] = memref.load
// CHECK: %[[W0:.*]] = vector.broadcast %[[W]] : f32 to vector<16xf32>
// CHECK: math.fma %[[X0]], %[[W0]]
// CHECK: %[[X1:.*]] = vector.load {{.*}} vector<16xf32>
// CHECK: math.fma %[[X1]], %[[W0]]
// CHECK-NOT: vector.load
// CHECK: memref.load
// CHECK: %[[W1:.*]] = vector.broadcast
// CHECK-NEXT: math.fma %[[X0]], %[[W1]]
// CHECK-NEXT: math.fma %[[X1]], %[[W1]]
// CHECK-COUNT-8: math.fma
// CHECK-NOT: math.fma
// CHECK: scf.yield {{.*}} : vector<16xf32>, {{.*}}vector<16xf32>
// CHECK-COUNT-12: vector.store
// CHECK-NOT: vector.store
// CHECK: return
func.func private @conv(%item: index, %scratch: memref<64xi8>, %x: memref<8x4x30x16xf32>, %w: memref<6x4xf32>, %y: memref<8x6x30x16xf32>) attributes {cnn.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant dense<0.0> : vector<6x2x16xf32>
  %sum = scf.for %c = %c0 to %c4 step %c1 iter_args(%acc = %zero) -> vector<6x2x16xf32> {
    %xt = cnn.tile_load %x[%item, %c, %c0, %c0] map affine_map<(k, p, n) -> (0, 0, p, n)> : memref<8x4x30x16xf32> -> vector<6x2x16xf32>
    %wt = cnn.tile_load %w[%c0, %c] map affine_map<(k, p, n) -> (k, 0)> : memref<6x4xf32> -> vector<6x2x16xf32>
    %f = math.fma %xt, %wt, %acc : vector<6x2x16xf32>
    scf.yield %f : vector<6x2x16xf32>
  }
  cnn.tile_store %sum, %y[%item, %c0, %c0, %c0] map affine_map<(k, p, n) -> (0, k, p, n)> : vector<6x2x16xf32> -> memref<8x6x30x16xf32>
  return
}

// Elementwise code is emitted one machine vector at a time, from the load to the store.
// CHECK-LABEL: func.func private @pointwise(
// CHECK: %[[A:.*]] = vector.load {{.*}} vector<8xf32>
// CHECK-NEXT: %[[B:.*]] = arith.negf %[[A]] : vector<8xf32>
// CHECK-NEXT: vector.store %[[B]]
// CHECK: %[[C:.*]] = vector.load {{.*}} vector<8xf32>
// CHECK-NEXT: %[[D:.*]] = arith.negf %[[C]] : vector<8xf32>
// CHECK-NEXT: vector.store %[[D]]
// CHECK-NEXT: vector.load
// CHECK-NEXT: vector.load
// CHECK-NEXT: vector.store
// CHECK: vector.store
// CHECK-NOT: vector<2x8xf32>
func.func private @pointwise(%item: index, %scratch: memref<64xi8>, %x: memref<16x8xf32>, %y: memref<16x8xf32>) attributes {cnn.kernel} {
  %c0 = arith.constant 0 : index
  %x0 = cnn.tile_load %x[%item, %c0] map affine_map<(i, n) -> (i, n)> : memref<16x8xf32> -> vector<2x8xf32>
  %e = arith.negf %x0 : vector<2x8xf32>
  cnn.tile_store %e, %y[%item, %c0] map affine_map<(i, n) -> (i, n)> : vector<2x8xf32> -> memref<16x8xf32>
  // In place, shifted by a row: all is loaded before anything is stored.
  %x1 = cnn.tile_load %x[%item, %c0] map affine_map<(i, n) -> (i, n)> : memref<16x8xf32> -> vector<2x8xf32>
  cnn.tile_store %x1, %x[%item, %c0] map affine_map<(i, n) -> (i + 1, n)> : vector<2x8xf32> -> memref<16x8xf32>
  return
}

// One lane: scalars.
// CHECK-LABEL: func.func private @scalars(
// CHECK: %[[A:.*]] = memref.load {{.*}} : memref<4xf64>
// CHECK: %[[S:.*]] = arith.mulf %[[A]], %[[A]] : f64
// CHECK: memref.store %[[S]]
// CHECK-NOT: vector
func.func private @scalars(%item: index, %scratch: memref<64xi8>, %x: memref<4xf64>) attributes {cnn.kernel} {
  %c0 = arith.constant 0 : index
  %a = cnn.tile_load %x[%item] map affine_map<(i, n) -> (i + n)> : memref<4xf64> -> vector<2x1xf64>
  %s = arith.mulf %a, %a : vector<2x1xf64>
  cnn.tile_store %s, %x[%item] map affine_map<(i, n) -> (i + n)> : vector<2x1xf64> -> memref<4xf64>
  return
}

// A guard along the lanes becomes a mask, one across them a mask of equal lanes; neither branches.
// CHECK-LABEL: func.func private @guards(
// CHECK: arith.cmpi ult, {{.*}} : index
// CHECK: arith.cmpi ult, {{.*}} : vector<8xi32>
// CHECK: vector.maskedload {{.*}} into vector<8xf32>
// CHECK: vector.maskedstore
// CHECK-NOT: scf.if
// CHECK: return
func.func private @guards(%item: index, %scratch: memref<64xi8>, %x: memref<5x21xf32>, %y: memref<5x21xf32>) attributes {cnn.kernel} {
  %c0 = arith.constant 0 : index
  %a = cnn.tile_load %x[%item, %item] map affine_map<(i, n) -> (i - 1, n - 2)> {guard = array<i64: 0, 1>, padding = -1.0 : f64} : memref<5x21xf32> -> vector<1x8xf32>
  cnn.tile_store %a, %y[%c0, %item] map affine_map<(i, n) -> (i, n)> {guard = array<i64: 1>} : vector<1x8xf32> -> memref<5x21xf32>
  return
}

// What falls on one element is added in the order of rows; lanes are combined as a tree.
// CHECK-LABEL: func.func private @sums(
// CHECK: vector.shuffle {{.*}} [0, 1] : vector<4xf64>, vector<4xf64>
// CHECK: vector.shuffle {{.*}} [2, 3] : vector<4xf64>, vector<4xf64>
// CHECK: arith.addf {{.*}} : vector<2xf64>
// CHECK: %[[R0:.*]] = arith.addf {{.*}} : f64
// CHECK: %[[R1:.*]] = arith.addf {{.*}} : f64
// CHECK: %[[OLD:.*]] = memref.load %{{.*}}[] : memref<f64>
// CHECK: %[[FIRST:.*]] = arith.addf %[[OLD]], %[[R0]] : f64
// CHECK: %[[BOTH:.*]] = arith.addf %[[FIRST]], %[[R1]] : f64
// CHECK: memref.store %[[BOTH]], %{{.*}}[] : memref<f64>
func.func private @sums(%item: index, %scratch: memref<64xi8>, %x: memref<2x4xf64>, %y: memref<f64>) attributes {cnn.kernel} {
  %c0 = arith.constant 0 : index
  %a = cnn.tile_load %x[%c0, %c0] map affine_map<(i, n) -> (i, n)> : memref<2x4xf64> -> vector<2x4xf64>
  %r = cnn.tile_reduce "add" %a : vector<2x4xf64> -> vector<2x1xf64>
  cnn.tile_store %r, %y[] map affine_map<(i, n) -> ()> {accumulate = true} : vector<2x1xf64> -> memref<f64>
  return
}

// Three taps of a window over six pixels: along the pixels, each is loaded once and used by up to three
// taps at once, and the three weights stay in registers. Every sum keeps its order.
// CHECK-LABEL: func.func private @window(
// CHECK: %[[A0:.*]] = vector.load {{.*}} vector<16xf32>
// CHECK: %[[S0:.*]] = math.fma %[[A0]], %{{.*}}, %{{.*}} : vector<16xf32>
// CHECK: %[[A1:.*]] = vector.load
// CHECK: math.fma %[[A1]]
// CHECK: %[[S1:.*]] = math.fma %[[A1]], %{{.*}}, %[[S0]] : vector<16xf32>
// CHECK: %[[A2:.*]] = vector.load
// CHECK: math.fma %[[A2]]
// CHECK: math.fma %[[A2]]
// CHECK: %[[S2:.*]] = math.fma %[[A2]], %{{.*}}, %[[S1]] : vector<16xf32>
// CHECK-COUNT-5: vector.load
// CHECK-NOT: vector.load
// CHECK: vector.store %[[S2]]
func.func private @window(%item: index, %scratch: memref<64xi8>, %x: memref<8x16xf32>, %w: memref<3xf32>, %y: memref<6x16xf32>) attributes {cnn.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %i1 = arith.addi %item, %c1 : index
  %i2 = arith.addi %item, %c2 : index
  %zero = arith.constant dense<0.0> : vector<6x16xf32>
  %x0 = cnn.tile_load %x[%item, %c0] map affine_map<(p, n) -> (p, n)> : memref<8x16xf32> -> vector<6x16xf32>
  %w0 = cnn.tile_load %w[%c0] map affine_map<(p, n) -> (0)> : memref<3xf32> -> vector<6x16xf32>
  %s0 = math.fma %x0, %w0, %zero : vector<6x16xf32>
  %x1 = cnn.tile_load %x[%i1, %c0] map affine_map<(p, n) -> (p, n)> : memref<8x16xf32> -> vector<6x16xf32>
  %w1 = cnn.tile_load %w[%c1] map affine_map<(p, n) -> (0)> : memref<3xf32> -> vector<6x16xf32>
  %s1 = math.fma %x1, %w1, %s0 : vector<6x16xf32>
  %x2 = cnn.tile_load %x[%i2, %c0] map affine_map<(p, n) -> (p, n)> : memref<8x16xf32> -> vector<6x16xf32>
  %w2 = cnn.tile_load %w[%c2] map affine_map<(p, n) -> (0)> : memref<3xf32> -> vector<6x16xf32>
  %s2 = math.fma %x2, %w2, %s1 : vector<6x16xf32>
  cnn.tile_store %s2, %y[%c0, %c0] map affine_map<(p, n) -> (p, n)> : vector<6x16xf32> -> memref<6x16xf32>
  return
}

// The outer of three indices hold stored zeros: row 0 of the tile is not loaded, and its sum is what
// it was. Where the index is not known, all is loaded.
// CHECK-LABEL: func.func private @zeros(
// CHECK-SAME: %[[SUM:[a-z0-9]+]]: memref<2x8xf32>, %[[Y:[a-z0-9]+]]: memref<2x8xf32>)
// CHECK-COUNT-1: math.fma
// CHECK-NOT: math.fma
// CHECK: return
func.func private @zeros(%item: index, %scratch: memref<64xi8>, %x: memref<3x8xf32>, %w: memref<1xf32>, %sum: memref<2x8xf32>, %y: memref<2x8xf32>) attributes {cnn.kernel} {
  %c0 = arith.constant 0 : index
  %xt = cnn.tile_load %x[%c0, %c0] map affine_map<(p, n) -> (p, n)> {zeros = array<i64: 1, 0>} : memref<3x8xf32> -> vector<2x8xf32>
  %wt = cnn.tile_load %w[%c0] map affine_map<(p, n) -> (0)> : memref<1xf32> -> vector<2x8xf32>
  %st = cnn.tile_load %sum[%c0, %c0] map affine_map<(p, n) -> (p, n)> : memref<2x8xf32> -> vector<2x8xf32>
  %f = math.fma %xt, %wt, %st : vector<2x8xf32>
  cnn.tile_store %f, %y[%c0, %c0] map affine_map<(p, n) -> (p, n)> : vector<2x8xf32> -> memref<2x8xf32>
  return
}

// CHECK-LABEL: func.func private @unknown(
// CHECK-COUNT-2: math.fma
// CHECK: return
func.func private @unknown(%item: index, %scratch: memref<64xi8>, %x: memref<3x8xf32>, %w: memref<1xf32>, %sum: memref<2x8xf32>, %y: memref<2x8xf32>) attributes {cnn.kernel} {
  %c0 = arith.constant 0 : index
  %xt = cnn.tile_load %x[%item, %c0] map affine_map<(p, n) -> (p, n)> {zeros = array<i64: 1, 0>} : memref<3x8xf32> -> vector<2x8xf32>
  %wt = cnn.tile_load %w[%c0] map affine_map<(p, n) -> (0)> : memref<1xf32> -> vector<2x8xf32>
  %st = cnn.tile_load %sum[%c0, %c0] map affine_map<(p, n) -> (p, n)> : memref<2x8xf32> -> vector<2x8xf32>
  %f = math.fma %xt, %wt, %st : vector<2x8xf32>
  cnn.tile_store %f, %y[%c0, %c0] map affine_map<(p, n) -> (p, n)> : vector<2x8xf32> -> memref<2x8xf32>
  return
}

// What comes 256 elements later is asked for, row by row.
// CHECK-LABEL: func.func private @ahead(
// CHECK: %[[AT:.*]] = arith.addi %{{.*}}, %{{c256.*}} : index
// CHECK: memref.prefetch %{{.*}}[%[[AT]]], read, locality<3>, data : memref<1024xf32>
// CHECK: vector.load
// CHECK: memref.prefetch
// CHECK: vector.load
func.func private @ahead(%item: index, %scratch: memref<64xi8>, %x: memref<64x16xf32>, %y: memref<2x16xf32>) attributes {cnn.kernel} {
  %c0 = arith.constant 0 : index
  %t = cnn.tile_load %x[%item, %c0] map affine_map<(d0, d1) -> (d0, d1)> {prefetch = 256 : i64} : memref<64x16xf32> -> vector<2x16xf32>
  cnn.tile_store %t, %y[%c0, %c0] map affine_map<(d0, d1) -> (d0, d1)> : vector<2x16xf32> -> memref<2x16xf32>
  return
}

// Of elements in one line one is asked for, of the next line again one.
// CHECK-LABEL: func.func private @prefetch_lines(
// CHECK-COUNT-2: memref.prefetch
// CHECK-NOT: memref.prefetch
// CHECK: return
func.func private @prefetch_lines(%item: index, %scratch: memref<64xi8>, %x: memref<4096xf32>, %y: memref<32x16xf32>) attributes {cnn.kernel} {
  %c0 = arith.constant 0 : index
  %t = cnn.tile_load %x[%item] map affine_map<(k, n) -> (k)> {prefetch = 256 : i64} : memref<4096xf32> -> vector<32x16xf32>
  cnn.tile_store %t, %y[%c0, %c0] map affine_map<(k, n) -> (k, n)> : vector<32x16xf32> -> memref<32x16xf32>
  return
}

// Lines of the caches are stored past them; vectors that are none, are masked or are added to are not.
// CHECK-LABEL: func.func private @nontemporal(
// CHECK-COUNT-2: vector.store {{.*}} {alignment = 64 : i64, nontemporal = true} : memref<{{.*}}>, vector<16xf32>
// CHECK-NOT: nontemporal
// CHECK: return
func.func private @nontemporal(%item: index, %scratch: memref<64xi8>, %x: memref<2x16xf32>, %y: memref<8x32xf32>, %z: memref<8x40xf32>, %h: memref<8x32xf32>) attributes {cnn.kernel} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %t = cnn.tile_load %x[%c0, %c0] map affine_map<(i, n) -> (i, n)> : memref<2x16xf32> -> vector<2x16xf32>
  %half = cnn.tile_load %x[%c0, %c0] map affine_map<(i, n) -> (i, n)> : memref<2x16xf32> -> vector<2x8xf32>
  cnn.tile_store %t, %y[%item, %c0] map affine_map<(i, n) -> (i, n)> {nontemporal} : vector<2x16xf32> -> memref<8x32xf32>
  cnn.tile_store %t, %y[%item, %c8] map affine_map<(i, n) -> (i, n)> {nontemporal} : vector<2x16xf32> -> memref<8x32xf32>
  cnn.tile_store %t, %z[%item, %c0] map affine_map<(i, n) -> (i, n)> {nontemporal} : vector<2x16xf32> -> memref<8x40xf32>
  cnn.tile_store %t, %y[%item, %c0] map affine_map<(i, n) -> (i, n)> {guard = array<i64: 0>, nontemporal} : vector<2x16xf32> -> memref<8x32xf32>
  cnn.tile_store %t, %y[%item, %c0] map affine_map<(i, n) -> (i, n)> {accumulate = true, nontemporal} : vector<2x16xf32> -> memref<8x32xf32>
  cnn.tile_store %half, %h[%item, %c0] map affine_map<(i, n) -> (i, n)> {nontemporal} : vector<2x8xf32> -> memref<8x32xf32>
  return
}
