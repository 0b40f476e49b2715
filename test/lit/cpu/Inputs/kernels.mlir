// Tiles of every kind, LANES lanes of ELEMENT, run by kernels.c. sed fills in the two words.
module @net attributes {cnn.cpu = "CPU"} {
  // A 3x3 convolution with padding 1, lanes are channels: y[k,h,w] = b[k] + sum x[c,h+r-1,w+s-1] f[c,r,s,k]
  func.func private @conv.forward(%item: index, %scratch: memref<64xi8>, %x: memref<3x5x7xELEMENT>, %f: memref<3x3x3x2xLANESxELEMENT>, %b: memref<2xLANESxELEMENT>, %y: memref<5x7x2xLANESxELEMENT>) attributes {cnn.kernel} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %c7 = arith.constant 7 : index
    scf.for %w = %c0 to %c7 step %c1 {
      %init = cnn.tile_load %b[%c0, %c0] map affine_map<(k, n) -> (k, n)> : memref<2xLANESxELEMENT> -> vector<2xLANESxELEMENT>
      %sum = scf.for %c = %c0 to %c3 step %c1 iter_args(%a0 = %init) -> vector<2xLANESxELEMENT> {
        %s0 = scf.for %r = %c0 to %c3 step %c1 iter_args(%a1 = %a0) -> vector<2xLANESxELEMENT> {
          %s1 = scf.for %s = %c0 to %c3 step %c1 iter_args(%a2 = %a1) -> vector<2xLANESxELEMENT> {
            %hr = arith.addi %item, %r : index
            %ws = arith.addi %w, %s : index
            %xt = cnn.tile_load %x[%c, %hr, %ws] map affine_map<(k, n) -> (0, -1, -1)> {guard = array<i64: 1, 2>} : memref<3x5x7xELEMENT> -> vector<2xLANESxELEMENT>
            %ft = cnn.tile_load %f[%c, %r, %s, %c0, %c0] map affine_map<(k, n) -> (0, 0, 0, k, n)> : memref<3x3x3x2xLANESxELEMENT> -> vector<2xLANESxELEMENT>
            %m = math.fma %xt, %ft, %a2 : vector<2xLANESxELEMENT>
            scf.yield %m : vector<2xLANESxELEMENT>
          }
          scf.yield %s1 : vector<2xLANESxELEMENT>
        }
        scf.yield %s0 : vector<2xLANESxELEMENT>
      }
      cnn.tile_store %sum, %y[%item, %w, %c0, %c0] map affine_map<(k, n) -> (0, 0, k, n)> : vector<2xLANESxELEMENT> -> memref<5x7x2xLANESxELEMENT>
    }
    return
  }

  // Lanes along a row of 2 * LANES - 3, with guards: y = x shifted by 2, -1 outside; then transposed.
  func.func private @shift(%item: index, %scratch: memref<64xi8>, %x: memref<4x29xELEMENT>, %y: memref<4x29xELEMENT>, %t: memref<29x4xELEMENT>) attributes {cnn.kernel} {
    %c0 = arith.constant 0 : index
    %c29 = arith.constant 29 : index
    %step = arith.constant LANES : index
    scf.for %j = %c0 to %c29 step %step {
      %a = cnn.tile_load %x[%item, %j] map affine_map<(i, n) -> (i, n - 2)> {guard = array<i64: 1>, padding = -1.0 : f64} : memref<4x29xELEMENT> -> vector<1xLANESxELEMENT>
      cnn.tile_store %a, %y[%item, %j] map affine_map<(i, n) -> (i, n)> {guard = array<i64: 1>} : vector<1xLANESxELEMENT> -> memref<4x29xELEMENT>
      cnn.tile_store %a, %t[%j, %item] map affine_map<(i, n) -> (n, i)> {guard = array<i64: 0>} : vector<1xLANESxELEMENT> -> memref<29x4xELEMENT>
    }
    return
  }

  // 2x2 max pooling over 4x4 picks, with the place of the maximum, and sums over everything.
  func.func private @pool(%item: index, %scratch: memref<64xi8>, %x: memref<5x4x4xLANESxELEMENT>, %y: memref<5x2x2xLANESxELEMENT>, %at: memref<5x2x2xLANESxi32>, %sums: memref<5xELEMENT>, %t: memref<4x4xELEMENT>) attributes {cnn.kernel} {
    %c0 = arith.constant 0 : index
    %a = cnn.tile_load %x[%item, %c0, %c0, %c0] map affine_map<(h, w, n) -> (0, h, w, n)> : memref<5x4x4xLANESxELEMENT> -> vector<4x4xLANESxELEMENT>
    %i = cnn.tile_index %c0 map affine_map<(h, w, n) -> (4 * h + w)> : vector<4x4xLANESxi32>
    %a0 = cnn.tile_pick %a offsets [0, 0, 0] strides [2, 2, 1] : vector<4x4xLANESxELEMENT> -> vector<2x2xLANESxELEMENT>
    %a1 = cnn.tile_pick %a offsets [0, 1, 0] strides [2, 2, 1] : vector<4x4xLANESxELEMENT> -> vector<2x2xLANESxELEMENT>
    %a2 = cnn.tile_pick %a offsets [1, 0, 0] strides [2, 2, 1] : vector<4x4xLANESxELEMENT> -> vector<2x2xLANESxELEMENT>
    %a3 = cnn.tile_pick %a offsets [1, 1, 0] strides [2, 2, 1] : vector<4x4xLANESxELEMENT> -> vector<2x2xLANESxELEMENT>
    %i0 = cnn.tile_pick %i offsets [0, 0, 0] strides [2, 2, 1] : vector<4x4xLANESxi32> -> vector<2x2xLANESxi32>
    %i1 = cnn.tile_pick %i offsets [0, 1, 0] strides [2, 2, 1] : vector<4x4xLANESxi32> -> vector<2x2xLANESxi32>
    %i2 = cnn.tile_pick %i offsets [1, 0, 0] strides [2, 2, 1] : vector<4x4xLANESxi32> -> vector<2x2xLANESxi32>
    %i3 = cnn.tile_pick %i offsets [1, 1, 0] strides [2, 2, 1] : vector<4x4xLANESxi32> -> vector<2x2xLANESxi32>
    %g1 = arith.cmpf ogt, %a1, %a0 : vector<2x2xLANESxELEMENT>
    %m1 = arith.select %g1, %a1, %a0 : vector<2x2xLANESxi1>, vector<2x2xLANESxELEMENT>
    %j1 = arith.select %g1, %i1, %i0 : vector<2x2xLANESxi1>, vector<2x2xLANESxi32>
    %g2 = arith.cmpf ogt, %a2, %m1 : vector<2x2xLANESxELEMENT>
    %m2 = arith.select %g2, %a2, %m1 : vector<2x2xLANESxi1>, vector<2x2xLANESxELEMENT>
    %j2 = arith.select %g2, %i2, %j1 : vector<2x2xLANESxi1>, vector<2x2xLANESxi32>
    %g3 = arith.cmpf ogt, %a3, %m2 : vector<2x2xLANESxELEMENT>
    %m3 = arith.select %g3, %a3, %m2 : vector<2x2xLANESxi1>, vector<2x2xLANESxELEMENT>
    %j3 = arith.select %g3, %i3, %j2 : vector<2x2xLANESxi1>, vector<2x2xLANESxi32>
    cnn.tile_store %m3, %y[%item, %c0, %c0, %c0] map affine_map<(h, w, n) -> (0, h, w, n)> : vector<2x2xLANESxELEMENT> -> memref<5x2x2xLANESxELEMENT>
    cnn.tile_store %j3, %at[%item, %c0, %c0, %c0] map affine_map<(h, w, n) -> (0, h, w, n)> : vector<2x2xLANESxi32> -> memref<5x2x2xLANESxi32>

    // sums[item] = the sum over h and w of the largest lane; t[h, w] += the sum over the lanes.
    %r = cnn.tile_reduce "max" %a : vector<4x4xLANESxELEMENT> -> vector<4x4x1xELEMENT>
    %zero = arith.constant dense<0.0> : vector<1x1x1xELEMENT>
    cnn.tile_store %zero, %sums[%item] map affine_map<(h, w, n) -> (0)> : vector<1x1x1xELEMENT> -> memref<5xELEMENT>
    cnn.tile_store %r, %sums[%item] map affine_map<(h, w, n) -> (0)> {accumulate = true} : vector<4x4x1xELEMENT> -> memref<5xELEMENT>
    cnn.tile_store %a, %t[%c0, %c0] map affine_map<(h, w, n) -> (h, w)> {accumulate = true} : vector<4x4xLANESxELEMENT> -> memref<4x4xELEMENT>
    // Broadcast of what the lanes gave: x - max, over x.
    %br = vector.broadcast %r : vector<4x4x1xELEMENT> to vector<4x4xLANESxELEMENT>
    %d = arith.subf %a, %br : vector<4x4xLANESxELEMENT>
    cnn.tile_store %d, %x[%item, %c0, %c0, %c0] map affine_map<(h, w, n) -> (0, h, w, n)> : vector<4x4xLANESxELEMENT> -> memref<5x4x4xLANESxELEMENT>
    return
  }

  // Overlapping vectors are added one after the other: y[i + n] += x[i, n], what falls outside is dropped.
  func.func private @scatter(%item: index, %scratch: memref<64xi8>, %x: memref<3xLANESxELEMENT>, %y: memref<LANESxELEMENT>) attributes {cnn.kernel} {
    %c0 = arith.constant 0 : index
    %a = cnn.tile_load %x[%c0, %c0] map affine_map<(i, n) -> (i, n)> : memref<3xLANESxELEMENT> -> vector<3xLANESxELEMENT>
    cnn.tile_store %a, %y[%c0] map affine_map<(i, n) -> (i + n - 1)> {accumulate = true, guard = array<i64: 0>} : vector<3xLANESxELEMENT> -> memref<LANESxELEMENT>
    return
  }

  func.func @infer(%x: memref<3x5x7xELEMENT>, %f: memref<3x3x3x2xLANESxELEMENT>, %b: memref<2xLANESxELEMENT>, %y: memref<5x7x2xLANESxELEMENT>, %row: memref<4x29xELEMENT>, %shifted: memref<4x29xELEMENT>, %turned: memref<29x4xELEMENT>, %image: memref<5x4x4xLANESxELEMENT>, %pooled: memref<5x2x2xLANESxELEMENT>, %at: memref<5x2x2xLANESxi32>, %sums: memref<5xELEMENT>, %total: memref<4x4xELEMENT>, %parts: memref<3xLANESxELEMENT>, %joined: memref<LANESxELEMENT>, %scratch: memref<64xi8> {cnn.role = "scratch"}) {
    cnn.launch @conv.forward items 5 (%x, %f, %b, %y) : memref<3x5x7xELEMENT>, memref<3x3x3x2xLANESxELEMENT>, memref<2xLANESxELEMENT>, memref<5x7x2xLANESxELEMENT>
    cnn.launch @shift items 4 (%row, %shifted, %turned) : memref<4x29xELEMENT>, memref<4x29xELEMENT>, memref<29x4xELEMENT>
    cnn.barrier
    cnn.launch @pool items 5 (%image, %pooled, %at, %sums, %total) : memref<5x4x4xLANESxELEMENT>, memref<5x2x2xLANESxELEMENT>, memref<5x2x2xLANESxi32>, memref<5xELEMENT>, memref<4x4xELEMENT>
    cnn.launch @scatter items 1 (%parts, %joined) : memref<3xLANESxELEMENT>, memref<LANESxELEMENT>
    cnn.barrier
    return
  }
}
