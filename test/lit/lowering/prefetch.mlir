// RUN: cnn-opt %s --cnn-tile --split-input-file | FileCheck %s --enable-var-scope
// RUN: sed 's/l2 = 1048576/l2 = 67108864/' %s | cnn-opt --cnn-tile --split-input-file | FileCheck %s --check-prefix=HELD
// RUN: cnn-opt %s --cnn-tile --cnn-unroll-tiles --split-input-file | FileCheck %s --check-prefix=UNROLLED
// Breaks if a product asks for another part of its weights than the next tile's, for less or more of it than
// it reads itself, or for weights that the second cache holds; or if multiply-adds wait for that.

// HELD-NOT: prefetch

// 16 rows of 512 elements: every step asks for one line, 16 * 512 elements behind this tile and in order.
// CHECK-LABEL: func.func private @rows(
// CHECK: scf.for %[[K:.*]] = {{.*}} step %c16
// CHECK: scf.for %[[C:.*]] = {{.*}} step %c4
// CHECK: %[[AT:.*]] = arith.muli %[[C]], %c16
// CHECK: %[[NEXT:.*]] = arith.addi %[[AT]], %c8192
// CHECK: memref.prefetch %{{.*}}[%{{.*}}, %{{.*}}, %[[K]], %[[NEXT]]], read, locality<3>, data
// CHECK-COUNT-3: memref.prefetch
// CHECK-NOT: prefetch
// CHECK: return
// UNROLLED-LABEL: func.func private @rows(
// UNROLLED-COUNT-4: memref.prefetch
// UNROLLED-NOT: prefetch
// UNROLLED: return
module attributes {cnn.machine = {cpu = "znver5", l2 = 1048576 : i64, registers = 32 : i64, vector_bits = 512 : i64}} {
  func.func private @rows(%item: index, %scratch: memref<64xi8>, %x: memref<1x1x1x5x5x512x1x1x16xf32>, %w: memref<5x5x512x512xf32>, %y: memref<1x1x1x5x5x512x1x1x16xf32>) attributes {cnn.kernel} {
    %0 = cnn.from_buffer %x : memref<1x1x1x5x5x512x1x1x16xf32> -> tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>
    %1 = cnn.from_buffer %w : memref<5x5x512x512xf32> -> tensor<5x5x512x512xf32>
    %2 = cnn.group "rows" (%a = %0, %b = %1) : (tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>, tensor<5x5x512x512xf32>) -> tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>> schedule #cnn.nest<"winograd3", vector = 0, tile = [1, 1, 1, 1, 1, 16, 1, 1, 4], order = [3, 4, 5, 0, 1, 2, 6, 7, 8], chunk = 1> {
      %3 = cnn.winograd_product %a, %b : tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>, tensor<5x5x512x512xf32> -> tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>
      cnn.yield %3 : tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>
    }
    cnn.to_buffer %2, %y : tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>> -> memref<1x1x1x5x5x512x1x1x16xf32>
    return
  }
}

// -----

// The loop inside goes to the next point, which has weights of its own: 512 * 512 elements on.
// CHECK-LABEL: func.func private @points(
// CHECK: arith.addi %{{.*}}, %c262144
// CHECK: memref.prefetch
// CHECK: return
module attributes {cnn.machine = {cpu = "znver5", l2 = 1048576 : i64, registers = 32 : i64, vector_bits = 512 : i64}} {
  func.func private @points(%item: index, %scratch: memref<64xi8>, %x: memref<1x1x1x5x5x512x1x1x16xf32>, %w: memref<5x5x512x512xf32>, %y: memref<1x1x1x5x5x512x1x1x16xf32>) attributes {cnn.kernel} {
    %0 = cnn.from_buffer %x : memref<1x1x1x5x5x512x1x1x16xf32> -> tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>
    %1 = cnn.from_buffer %w : memref<5x5x512x512xf32> -> tensor<5x5x512x512xf32>
    %2 = cnn.group "points" (%a = %0, %b = %1) : (tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>, tensor<5x5x512x512xf32>) -> tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>> schedule #cnn.nest<"winograd3", vector = 0, tile = [1, 1, 1, 1, 1, 16, 1, 1, 4], order = [3, 5, 4, 0, 1, 2, 6, 7, 8], chunk = 1> {
      %3 = cnn.winograd_product %a, %b : tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>, tensor<5x5x512x512xf32> -> tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>
      cnn.yield %3 : tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>
    }
    cnn.to_buffer %2, %y : tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>> -> memref<1x1x1x5x5x512x1x1x16xf32>
    return
  }
}

// -----

// 4 steps of 6 rows read 24 elements: two lines.
// CHECK-LABEL: func.func private @six_rows(
// CHECK-COUNT-2: memref.prefetch
// CHECK-NOT: prefetch
// CHECK: return
module attributes {cnn.machine = {cpu = "znver5", l2 = 1048576 : i64, registers = 32 : i64, vector_bits = 512 : i64}} {
  func.func private @six_rows(%item: index, %scratch: memref<64xi8>, %x: memref<1x1x1x5x5x512x2x2x16xf32>, %w: memref<5x5x504x512xf32>, %y: memref<1x1x1x5x5x504x2x2x16xf32>) attributes {cnn.kernel} {
    %0 = cnn.from_buffer %x : memref<1x1x1x5x5x512x2x2x16xf32> -> tensor<16x1x1x5x5x512x2x2xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>
    %1 = cnn.from_buffer %w : memref<5x5x504x512xf32> -> tensor<5x5x504x512xf32>
    %2 = cnn.group "six_rows" (%a = %0, %b = %1) : (tensor<16x1x1x5x5x512x2x2xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>, tensor<5x5x504x512xf32>) -> tensor<16x1x1x5x5x504x2x2xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>> schedule #cnn.nest<"winograd3", vector = 0, tile = [1, 1, 1, 1, 1, 6, 2, 2, 4], order = [3, 4, 5, 0, 1, 2, 6, 7, 8], chunk = 1> {
      %3 = cnn.winograd_product %a, %b : tensor<16x1x1x5x5x512x2x2xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>, tensor<5x5x504x512xf32> -> tensor<16x1x1x5x5x504x2x2xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>
      cnn.yield %3 : tensor<16x1x1x5x5x504x2x2xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>
    }
    cnn.to_buffer %2, %y : tensor<16x1x1x5x5x504x2x2xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>> -> memref<1x1x1x5x5x504x2x2x16xf32>
    return
  }
}

// -----

// 24 sums use each element 12 times: the processor's own prefetches are fast enough.
// CHECK-LABEL: func.func private @reused(
// CHECK-NOT: memref.prefetch
// CHECK: return
module attributes {cnn.machine = {cpu = "znver5", l2 = 1048576 : i64, registers = 32 : i64, vector_bits = 512 : i64}} {
  func.func private @reused(%item: index, %scratch: memref<64xi8>, %x: memref<1x1x1x5x5x512x3x4x16xf32>, %w: memref<5x5x512x512xf32>, %y: memref<1x1x1x5x5x512x3x4x16xf32>) attributes {cnn.kernel} {
    %0 = cnn.from_buffer %x : memref<1x1x1x5x5x512x3x4x16xf32> -> tensor<16x1x1x5x5x512x3x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>
    %1 = cnn.from_buffer %w : memref<5x5x512x512xf32> -> tensor<5x5x512x512xf32>
    %2 = cnn.group "reused" (%a = %0, %b = %1) : (tensor<16x1x1x5x5x512x3x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>, tensor<5x5x512x512xf32>) -> tensor<16x1x1x5x5x512x3x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>> schedule #cnn.nest<"winograd3", vector = 0, tile = [1, 1, 1, 1, 1, 2, 3, 4, 4], order = [3, 4, 5, 0, 1, 2, 6, 7, 8], chunk = 1> {
      %3 = cnn.winograd_product %a, %b : tensor<16x1x1x5x5x512x3x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>, tensor<5x5x512x512xf32> -> tensor<16x1x1x5x5x512x3x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>
      cnn.yield %3 : tensor<16x1x1x5x5x512x3x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>
    }
    cnn.to_buffer %2, %y : tensor<16x1x1x5x5x512x3x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>> -> memref<1x1x1x5x5x512x3x4x16xf32>
    return
  }
}

// -----

// Two vectors of channels for each of 512: the next tile is 2 * 512 * 16 elements on, and each of its streams.
// CHECK-LABEL: func.func private @vectors(
// CHECK: cnn.tile_load %{{.*}} {prefetch = 16384 : i64} : memref<5x5x32x512x16xf32>
// CHECK: return
// UNROLLED-LABEL: func.func private @vectors(
// UNROLLED: memref.prefetch
module attributes {cnn.machine = {cpu = "znver5", l2 = 1048576 : i64, registers = 32 : i64, vector_bits = 512 : i64}} {
  func.func private @vectors(%item: index, %scratch: memref<64xi8>, %x: memref<1x1x1x5x5x32x1x4x16xf32>, %w: memref<5x5x32x512x16xf32>, %y: memref<1x1x1x5x5x32x1x4x16xf32>) attributes {cnn.kernel} {
    %0 = cnn.from_buffer %x : memref<1x1x1x5x5x32x1x4x16xf32> -> tensor<1x1x1x5x5x512x1x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 5], block = 16>>
    %1 = cnn.from_buffer %w : memref<5x5x32x512x16xf32> -> tensor<5x5x512x512xf32, #cnn.layout<order = [0, 1, 2, 3, 2], block = 16>>
    %2 = cnn.group "vectors" (%a = %0, %b = %1) : (tensor<1x1x1x5x5x512x1x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 5], block = 16>>, tensor<5x5x512x512xf32, #cnn.layout<order = [0, 1, 2, 3, 2], block = 16>>) -> tensor<1x1x1x5x5x512x1x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 5], block = 16>> schedule #cnn.nest<"winograd3", vector = 5, tile = [1, 1, 1, 1, 1, 2, 1, 4, 4], order = [3, 4, 5, 0, 1, 2, 6, 7, 8], chunk = 1> {
      %3 = cnn.winograd_product %a, %b : tensor<1x1x1x5x5x512x1x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 5], block = 16>>, tensor<5x5x512x512xf32, #cnn.layout<order = [0, 1, 2, 3, 2], block = 16>> -> tensor<1x1x1x5x5x512x1x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 5], block = 16>>
      cnn.yield %3 : tensor<1x1x1x5x5x512x1x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 5], block = 16>>
    }
    cnn.to_buffer %2, %y : tensor<1x1x1x5x5x512x1x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 5], block = 16>> -> memref<1x1x1x5x5x32x1x4x16xf32>
    return
  }
}

// -----

// 4 tiles in turn read the same weights: these stay, and their stream is asked for a page ahead.
// CHECK-LABEL: func.func private @many_turns(
// CHECK: cnn.tile_load %{{.*}} {prefetch = 1024 : i64} : memref<5x5x32x512x16xf32>
// CHECK: return
module attributes {cnn.machine = {cpu = "znver5", l2 = 1048576 : i64, registers = 32 : i64, vector_bits = 512 : i64}} {
  func.func private @many_turns(%item: index, %scratch: memref<64xi8>, %x: memref<1x1x1x5x5x32x4x4x16xf32>, %w: memref<5x5x32x512x16xf32>, %y: memref<1x1x1x5x5x32x4x4x16xf32>) attributes {cnn.kernel} {
    %0 = cnn.from_buffer %x : memref<1x1x1x5x5x32x4x4x16xf32> -> tensor<1x1x1x5x5x512x4x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 5], block = 16>>
    %1 = cnn.from_buffer %w : memref<5x5x32x512x16xf32> -> tensor<5x5x512x512xf32, #cnn.layout<order = [0, 1, 2, 3, 2], block = 16>>
    %2 = cnn.group "many_turns" (%a = %0, %b = %1) : (tensor<1x1x1x5x5x512x4x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 5], block = 16>>, tensor<5x5x512x512xf32, #cnn.layout<order = [0, 1, 2, 3, 2], block = 16>>) -> tensor<1x1x1x5x5x512x4x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 5], block = 16>> schedule #cnn.nest<"winograd3", vector = 5, tile = [1, 1, 1, 1, 1, 2, 1, 4, 4], order = [3, 4, 5, 6, 0, 1, 2, 7, 8], chunk = 1> {
      %3 = cnn.winograd_product %a, %b : tensor<1x1x1x5x5x512x4x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 5], block = 16>>, tensor<5x5x512x512xf32, #cnn.layout<order = [0, 1, 2, 3, 2], block = 16>> -> tensor<1x1x1x5x5x512x4x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 5], block = 16>>
      cnn.yield %3 : tensor<1x1x1x5x5x512x4x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 5], block = 16>>
    }
    cnn.to_buffer %2, %y : tensor<1x1x1x5x5x512x4x4xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 5], block = 16>> -> memref<1x1x1x5x5x32x4x4x16xf32>
    return
  }
}
