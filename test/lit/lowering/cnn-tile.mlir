// RUN: cnn-opt %s --cnn-tile --split-input-file | FileCheck %s --enable-var-scope
// RUN: sed 's/tile = \[1, 3, 2, 4, 1, 1, 5\]/tile = [1, 2, 2, 2, 1, 1, 1]/' %s | cnn-opt --cnn-tile --split-input-file | FileCheck %s --check-prefix=EDITED
// Breaks if loops do not follow the schedule, or if tiles inside of a tensor check bounds.

// Convolution, sigmoid and pooling in one loop nest: 3 channels x 2 rows x 4 columns in registers, of which
// the pooling leaves 3 x 1 x 2. The halo is stored, so nothing is guarded.
// CHECK-LABEL: func.func private @conv1.forward
// CHECK: scf.for %{{.*}} = %c0{{.*}} to %c6{{.*}} step %c3
// CHECK: scf.for %{{.*}} = %c0{{.*}} to %c28{{.*}} step %c2
// CHECK: scf.for %{{.*}} = %c0{{.*}} to %c28{{.*}} step %c4
// CHECK: %[[ACC:.*]] = scf.for {{.*}} -> (vector<1x3x2x4x16xf32>)
// CHECK-COUNT-5: math.fma
// CHECK-NOT: math.fma
// CHECK: math.exp
// CHECK-COUNT-4: cnn.tile_pick {{.*}} strides [1, 1, 2, 2, 1] : vector<1x3x2x4x16xf32> -> vector<1x3x1x2x16xf32>
// CHECK: cnn.tile_store {{.*}} : vector<1x3x1x2x16xf32> -> memref<1x6x14x14x16xf32>
// CHECK-NOT: guard
// EDITED-LABEL: func.func private @conv1.forward
// EDITED: scf.for %{{.*}} = %c0{{.*}} to %c6{{.*}} step %c2
// EDITED: scf.for %{{.*}} = %c0{{.*}} to %c28{{.*}} step %c2
// EDITED: scf.for %{{.*}} = %c0{{.*}} to %c28{{.*}} step %c2
// EDITED: -> (vector<1x2x2x2x16xf32>)
module attributes {cnn.machine = {cpu = "sapphirerapids", registers = 32 : i64, vector_bits = 512 : i64}} {
  func.func private @conv1.forward(%item: index, %scratch: memref<64xi8>, %x: memref<1x1x32x32x16xf32>, %w: memref<6x1x5x5xf32>, %b: memref<6xf32>, %y: memref<1x6x14x14x16xf32>) attributes {cnn.kernel, cnn.slices = #cnn.slices<block = 16, count = 8>} {
    %0 = cnn.from_buffer %x : memref<1x1x32x32x16xf32> -> tensor<128x1x28x28xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16, halo = [0, 0, 2, 2]>>
    %1 = cnn.from_buffer %w : memref<6x1x5x5xf32> -> tensor<6x1x5x5xf32>
    %2 = cnn.from_buffer %b : memref<6xf32> -> tensor<6xf32>
    %3 = cnn.group "conv1.forward" (%a = %0, %k = %1, %c = %2) : (tensor<128x1x28x28xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16, halo = [0, 0, 2, 2]>>, tensor<6x1x5x5xf32>, tensor<6xf32>) -> tensor<128x6x14x14xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16>> schedule #cnn.nest<"direct", vector = 0, tile = [1, 3, 2, 4, 1, 1, 5], order = [0, 1, 2, 3, 4, 5, 6]> {
      %4 = cnn.conv %a, %k, %c {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 2, 2, 2, 2>, stride = array<i64: 1, 1>} : tensor<128x1x28x28xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16, halo = [0, 0, 2, 2]>>, tensor<6x1x5x5xf32>, tensor<6xf32> -> tensor<128x6x28x28xf32>
      %5 = cnn.sigmoid %4 : tensor<128x6x28x28xf32> -> tensor<128x6x28x28xf32>
      %6 = cnn.avg_pool %5 {kernel = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : tensor<128x6x28x28xf32> -> tensor<128x6x14x14xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16>>
      cnn.yield %6 : tensor<128x6x14x14xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16>>
    }
    cnn.to_buffer %3, %y : tensor<128x6x14x14xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16>> -> memref<1x6x14x14x16xf32>
    return
  }
}

// -----

// Plain layout with padding: borders check their rows and columns, the inside does not; 7 columns in
// vectors of 8 are masked at the end.
// CHECK-LABEL: func.func private @padded
// CHECK: cnn.tile_load {{.*}}guard = array<i64: 2, 3>
// CHECK: scf.for %{{.*}} = %c1{{.*}} to %c6
// CHECK: cnn.tile_load {{.*}}guard = array<i64: 3>
// CHECK: cnn.tile_store {{.*}}guard = array<i64: 3>
// CHECK: cnn.tile_load {{.*}}guard = array<i64: 2, 3>
module attributes {cnn.machine = {cpu = "haswell", registers = 16 : i64, vector_bits = 256 : i64}} {
  func.func private @padded(%item: index, %scratch: memref<64xi8>, %x: memref<1x2x7x7xf32>, %w: memref<3x2x3x3xf32>, %y: memref<1x3x7x7xf32>) attributes {cnn.kernel} {
    %0 = cnn.from_buffer %x : memref<1x2x7x7xf32> -> tensor<1x2x7x7xf32>
    %1 = cnn.from_buffer %w : memref<3x2x3x3xf32> -> tensor<3x2x3x3xf32>
    %2 = cnn.group "padded" (%a = %0, %k = %1) : (tensor<1x2x7x7xf32>, tensor<3x2x3x3xf32>) -> tensor<1x3x7x7xf32> schedule #cnn.nest<"direct", vector = 3, tile = [1, 3, 1, 1, 1, 1, 1], order = [0, 1, 2, 3, 4, 5, 6]> {
      %3 = cnn.conv %a, %k {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : tensor<1x2x7x7xf32>, tensor<3x2x3x3xf32> -> tensor<1x3x7x7xf32>
      cnn.yield %3 : tensor<1x3x7x7xf32>
    }
    cnn.to_buffer %2, %y : tensor<1x3x7x7xf32> -> memref<1x3x7x7xf32>
    return
  }
}

// -----

// Vectors along 6 channels of 8 lanes: what lies behind the channels is neither read nor, behind the
// pooling, written.
// CHECK-LABEL: func.func private @channels
// CHECK: cnn.tile_load {{.*}}guard = array<i64: 0>
// CHECK: cnn.tile_store {{.*}}guard = array<i64: 1>} : vector<1x1x1x1x8xf32> -> memref<1x6x2x2xf32>
module attributes {cnn.machine = {cpu = "haswell", registers = 16 : i64, vector_bits = 256 : i64}} {
  func.func private @channels(%item: index, %scratch: memref<64xi8>, %x: memref<1x2x6x6xf32>, %w: memref<6x2x3x3xf32>, %y: memref<1x6x2x2xf32>) attributes {cnn.kernel} {
    %0 = cnn.from_buffer %x : memref<1x2x6x6xf32> -> tensor<1x2x6x6xf32>
    %1 = cnn.from_buffer %w : memref<6x2x3x3xf32> -> tensor<6x2x3x3xf32>
    %2 = cnn.group "channels" (%a = %0, %k = %1) : (tensor<1x2x6x6xf32>, tensor<6x2x3x3xf32>) -> tensor<1x6x2x2xf32> schedule #cnn.nest<"direct", vector = 1, tile = [1, 1, 2, 2, 1, 1, 1], order = [0, 1, 2, 3, 4, 5, 6]> {
      %3 = cnn.conv %a, %k {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : tensor<1x2x6x6xf32>, tensor<6x2x3x3xf32> -> tensor<1x6x4x4xf32>
      %4 = cnn.max_pool %3 {kernel = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : tensor<1x6x4x4xf32> -> tensor<1x6x2x2xf32>
      cnn.yield %4 : tensor<1x6x2x2xf32>
    }
    cnn.to_buffer %2, %y : tensor<1x6x2x2xf32> -> memref<1x6x2x2xf32>
    return
  }
}

// -----

// The gradient of the first four of six columns: two work items fill two columns each with zeros, the second
// one the two behind as well.
// CHECK-LABEL: func.func private @slice.backward
// CHECK: %[[END:.*]] = arith.minui %c6{{.*}}, %{{.*}} : index
// CHECK: %[[LAST:.*]] = arith.cmpi eq, %{{.*}}, %c1{{.*}} : index
// CHECK: %[[TO:.*]] = arith.select %[[LAST]], %c6{{.*}}, %{{.*}} : index
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[TO]]
#map = affine_map<(d0, d1) -> (d0, d1)>
module attributes {cnn.machine = {cpu = "sapphirerapids", registers = 32 : i64, vector_bits = 512 : i64}} {
  func.func private @slice.backward(%item: index, %scratch: memref<64xi8>, %g: memref<2x4x16xf32>, %y: memref<2x6x16xf32>) attributes {cnn.kernel} {
    %0 = cnn.from_buffer %g : memref<2x4x16xf32> -> tensor<32x4xf32, #cnn.layout<order = [0, 1, 0], block = 16>>
    %1 = cnn.group "slice.backward" (%a = %0) : (tensor<32x4xf32, #cnn.layout<order = [0, 1, 0], block = 16>>) -> tensor<32x6xf32, #cnn.layout<order = [0, 1, 0], block = 16>> schedule #cnn.nest<"direct", vector = 0, tile = [1, 1], order = [1, 0], chunk = 2> {
      %2 = cnn.generic %a sizes [32, 4] parallel 2 reduction none maps [#map, #map] {scatter = true} : (tensor<32x4xf32, #cnn.layout<order = [0, 1, 0], block = 16>>) -> tensor<32x6xf32, #cnn.layout<order = [0, 1, 0], block = 16>> {
      ^bb0(%v: f32, %i: i32, %j: i32):
        cnn.term %v : f32
      }
      cnn.yield %2 : tensor<32x6xf32, #cnn.layout<order = [0, 1, 0], block = 16>>
    }
    cnn.to_buffer %1, %y : tensor<32x6xf32, #cnn.layout<order = [0, 1, 0], block = 16>> -> memref<2x6x16xf32>
    return
  }
}

// -----

// Items that share a row store their zeros one by one: a vector would reach into those of the next item, which may
// be done already.
// CHECK-LABEL: func.func private @row.backward
// CHECK: %[[TO:.*]] = arith.select
// CHECK-NEXT: scf.for %[[AT:.*]] = %{{.*}} to %[[TO]] step %c1
// CHECK: cnn.tile_store %{{.*}}, %{{.*}}[%{{.*}}, %[[AT]]] {{.*}} : vector<1xf32>
#map = affine_map<(d0, d1) -> (d0, d1)>
module attributes {cnn.machine = {cpu = "sapphirerapids", registers = 32 : i64, vector_bits = 512 : i64}} {
  func.func private @row.backward(%item: index, %scratch: memref<64xi8>, %g: memref<2x4xf32>, %y: memref<2x6xf32>) attributes {cnn.kernel} {
    %0 = cnn.from_buffer %g : memref<2x4xf32> -> tensor<2x4xf32>
    %1 = cnn.group "row.backward" (%a = %0) : (tensor<2x4xf32>) -> tensor<2x6xf32> schedule #cnn.nest<"direct", vector = 0, tile = [1, 1], order = [1, 0], chunk = 1> {
      %2 = cnn.generic %a sizes [2, 4] parallel 2 reduction none maps [#map, #map] {scatter = true} : (tensor<2x4xf32>) -> tensor<2x6xf32> {
      ^bb0(%v: f32, %i: i32, %j: i32):
        cnn.term %v : f32
      }
      cnn.yield %2 : tensor<2x6xf32>
    }
    cnn.to_buffer %1, %y : tensor<2x6xf32> -> memref<2x6xf32>
    return
  }
}

// -----

// As do items that share the lanes of a block: from the item's first to before the next one's.
// CHECK-LABEL: func.func private @lanes.backward
// CHECK: scf.for %[[BLOCK:.*]] = %c0{{.*}} to %c1{{.*}} step %c1
// CHECK: %[[BEGIN:.*]] = arith.muli %[[BLOCK]], %c16
// CHECK: arith.maxui %{{.*}}, %[[BEGIN]]
// CHECK: scf.for %[[AT:.*]] = %{{.*}} to %{{.*}} step %c1
// CHECK: cnn.tile_store %{{.*}}, %{{.*}}[%{{.*}}, %[[BLOCK]], %{{.*}}, %[[AT]]] {{.*}} : vector<1xf32>
#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
module attributes {cnn.machine = {cpu = "sapphirerapids", registers = 32 : i64, vector_bits = 512 : i64}} {
  func.func private @lanes.backward(%item: index, %scratch: memref<64xi8>, %g: memref<2x3x4xf32>, %y: memref<2x1x6x16xf32>) attributes {cnn.kernel} {
    %0 = cnn.from_buffer %g : memref<2x3x4xf32> -> tensor<2x3x4xf32>
    %1 = cnn.group "lanes.backward" (%a = %0) : (tensor<2x3x4xf32>) -> tensor<2x3x6xf32, #cnn.layout<order = [0, 1, 2, 1], block = 16>> schedule #cnn.nest<"direct", vector = 2, tile = [1, 1, 1], order = [1, 0, 2], chunk = 1> {
      %2 = cnn.generic %a sizes [2, 3, 4] parallel 3 reduction none maps [#map, #map] {scatter = true} : (tensor<2x3x4xf32>) -> tensor<2x3x6xf32, #cnn.layout<order = [0, 1, 2, 1], block = 16>> {
      ^bb0(%v: f32, %i: i32, %j: i32, %k: i32):
        cnn.term %v : f32
      }
      cnn.yield %2 : tensor<2x3x6xf32, #cnn.layout<order = [0, 1, 2, 1], block = 16>>
    }
    cnn.to_buffer %1, %y : tensor<2x3x6xf32, #cnn.layout<order = [0, 1, 2, 1], block = 16>> -> memref<2x1x6x16xf32>
    return
  }
}

// -----

// Channels in blocks: vectors are blocks of the result, and 35 channels of the image are two blocks of 16,
// each element of a block in all lanes, and three channels of the third; no index is divided.
// CHECK-LABEL: func.func private @blocked
// CHECK-NOT: remui
// CHECK: scf.for %[[B:.*]] = %c0{{.*}} to %c2{{.*}} step %c1
// CHECK: scf.for %[[C:.*]] = %c0{{.*}} to %c16{{.*}} step %c2
// CHECK: %[[AT:.*]] = arith.addi %{{.*}}, %[[C]]
// CHECK: cnn.tile_load %{{.*}}[%c0{{.*}}, %[[B]], %{{.*}}, %{{.*}}, %[[C]]]
// CHECK: cnn.tile_load %{{.*}}[%{{.*}}, %[[AT]], %c0{{.*}}, %c0{{.*}}, %c0{{.*}}] {{.*}} : memref<2x35x1x1x16xf32>
// CHECK: cnn.tile_load %{{.*}}[%c0{{.*}}, %c2{{.*}}, %{{.*}}, %{{.*}}, %c2{{.*}}]
module attributes {cnn.machine = {cpu = "sapphirerapids", registers = 32 : i64, vector_bits = 512 : i64}} {
  func.func private @blocked(%item: index, %scratch: memref<64xi8>, %x: memref<1x3x6x6x16xf32>, %w: memref<2x35x1x1x16xf32>, %y: memref<1x2x6x6x16xf32>) attributes {cnn.kernel} {
    %0 = cnn.from_buffer %x : memref<1x3x6x6x16xf32> -> tensor<1x35x6x6xf32, #cnn.layout<order = [0, 1, 2, 3, 1], block = 16>>
    %1 = cnn.from_buffer %w : memref<2x35x1x1x16xf32> -> tensor<20x35x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16>>
    %2 = cnn.group "blocked" (%a = %0, %k = %1) : (tensor<1x35x6x6xf32, #cnn.layout<order = [0, 1, 2, 3, 1], block = 16>>, tensor<20x35x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16>>) -> tensor<1x20x6x6xf32, #cnn.layout<order = [0, 1, 2, 3, 1], block = 16>> schedule #cnn.nest<"direct", vector = 1, tile = [1, 2, 1, 6, 2, 1, 1], order = [0, 1, 2, 3, 4, 5, 6]> {
      %3 = cnn.conv %a, %k {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : tensor<1x35x6x6xf32, #cnn.layout<order = [0, 1, 2, 3, 1], block = 16>>, tensor<20x35x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16>> -> tensor<1x20x6x6xf32, #cnn.layout<order = [0, 1, 2, 3, 1], block = 16>>
      cnn.yield %3 : tensor<1x20x6x6xf32, #cnn.layout<order = [0, 1, 2, 3, 1], block = 16>>
    }
    cnn.to_buffer %2, %y : tensor<1x20x6x6xf32, #cnn.layout<order = [0, 1, 2, 3, 1], block = 16>> -> memref<1x2x6x6x16xf32>
    return
  }
}

// -----

// Zeros before and behind the elements of a row: nothing between them is touched.
// CHECK-LABEL: func.func private @zeros
// CHECK: cnn.tile_store %{{.*}}[%c0{{.*}}, %{{.*}}] {{.*}}guard
// CHECK: cnn.tile_store %{{.*}}[%{{.*}}, %c0{{.*}}] map #{{.*}} : vector<2x1xf32>
// CHECK: cnn.tile_store %{{.*}}[%{{.*}}, %c9{{.*}}] map #{{.*}} : vector<2x1xf32>
// CHECK-NOT: cnn.tile_store
module attributes {cnn.machine = {cpu = "sapphirerapids", registers = 32 : i64, vector_bits = 512 : i64}} {
  func.func private @zeros(%item: index, %scratch: memref<64xi8>, %x: memref<1x7xf32>, %y: memref<1x11xf32>) attributes {cnn.kernel} {
    %0 = cnn.from_buffer %x : memref<1x7xf32> -> tensor<1x7xf32>
    %1 = cnn.group "zeros" (%a = %0) : (tensor<1x7xf32>) -> tensor<1x7xf32, #cnn.layout<order = [0, 1], block = 1, halo = [0, 2]>> schedule #cnn.nest<"direct", vector = 1, tile = [1, 1], order = [0, 1]> {
      %2 = cnn.relu %a : tensor<1x7xf32> -> tensor<1x7xf32, #cnn.layout<order = [0, 1], block = 1, halo = [0, 2]>>
      cnn.yield %2 : tensor<1x7xf32, #cnn.layout<order = [0, 1], block = 1, halo = [0, 2]>>
    }
    cnn.to_buffer %1, %y : tensor<1x7xf32, #cnn.layout<order = [0, 1], block = 1, halo = [0, 2]>> -> memref<1x11xf32>
    return
  }
}

// -----

// Work items over two loops: chunks of 2 of 5 rows, and each of 3 columns.
// CHECK-LABEL: func.func private @collapsed(
// CHECK-SAME: %[[ITEM:[a-z0-9]*]]: index
// CHECK: %[[ROW:.*]] = arith.divui %[[ITEM]], %c3{{.*}} : index
// CHECK: %[[FIRST:.*]] = arith.muli %[[ROW]], %c2{{.*}} : index
// CHECK: %[[LOW:.*]] = arith.maxui %{{.*}}, %[[FIRST]] : index
// CHECK: scf.for %{{.*}} = %[[LOW]] to
// CHECK: %[[COLUMN:.*]] = arith.remui %[[ITEM]], %c3{{.*}} : index
// CHECK: %[[BEHIND:.*]] = arith.addi %[[COLUMN]], %c1{{.*}} : index
// CHECK: %[[START:.*]] = arith.maxui %{{.*}}, %[[COLUMN]] : index
// CHECK: %[[END:.*]] = arith.minui %{{.*}}, %[[BEHIND]] : index
// CHECK: scf.for %{{.*}} = %[[START]] to %[[END]]
module attributes {cnn.machine = {cpu = "sapphirerapids", registers = 32 : i64, vector_bits = 512 : i64}} {
  func.func private @collapsed(%item: index, %scratch: memref<64xi8>, %x: memref<5x3x16xf32>, %y: memref<5x3x16xf32>) attributes {cnn.kernel} {
    %0 = cnn.from_buffer %x : memref<5x3x16xf32> -> tensor<5x3x16xf32>
    %1 = cnn.group "collapsed" (%a = %0) : (tensor<5x3x16xf32>) -> tensor<5x3x16xf32> schedule #cnn.nest<"direct", vector = 2, tile = [1, 1, 1], order = [0, 1, 2], chunk = 2, collapse = 2> {
      %2 = cnn.relu %a : tensor<5x3x16xf32> -> tensor<5x3x16xf32>
      cnn.yield %2 : tensor<5x3x16xf32>
    }
    cnn.to_buffer %1, %y : tensor<5x3x16xf32> -> memref<5x3x16xf32>
    return
  }
}
