// RUN: cnn-opt %s --cnn-choose-schedules --split-input-file | FileCheck %s
// Breaks if weights that the second cache does not hold are read tile by tile in another order than they lie in
// memory, where that leaves no core idle.

// d3 and d4 are points, d5 the outputs: the loop over these is the inner one, and the points are shared among 2 cores.
module attributes {cnn.machine = {cores = 2 : i64, cpu = "znver4", l2 = 1048576 : i64, registers = 32 : i64, vector_bits = 512 : i64}} {
  // CHECK: tile = [1, 1, 1, 1, 1, 16, 1, 1, 4], order = [3, 4, 5, 0, 1, 2, 6, 7, 8], chunk = 1, collapse = 2>
  func.func @product(%x: tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>> {cnn.name = "x"}, %w: tensor<5x5x512x512xf32> {cnn.name = "w", cnn.unbatched}) -> (tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>> {cnn.name = "y"}) {
    %y = cnn.group "product" (%a = %x, %b = %w) : (tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>, tensor<5x5x512x512xf32>) -> tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>> {
      %p = cnn.winograd_product %a, %b : tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>, tensor<5x5x512x512xf32> -> tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>
      cnn.yield %p : tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>
    }
    return %y : tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>
  }
}

// -----

// Of 25 points one core of 8 would get 4: the outputs are shared out, too.
module attributes {cnn.machine = {cores = 8 : i64, cpu = "znver4", l2 = 1048576 : i64, registers = 32 : i64, vector_bits = 512 : i64}} {
  // CHECK: tile = [1, 1, 1, 1, 1, 16, 1, 1, 4], order = [3, 5, 4, 0, 1, 2, 6, 7, 8], chunk = 1, collapse = 2>
  func.func @product(%x: tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>> {cnn.name = "x"}, %w: tensor<5x5x512x512xf32> {cnn.name = "w", cnn.unbatched}) -> (tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>> {cnn.name = "y"}) {
    %y = cnn.group "product" (%a = %x, %b = %w) : (tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>, tensor<5x5x512x512xf32>) -> tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>> {
      %p = cnn.winograd_product %a, %b : tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>, tensor<5x5x512x512xf32> -> tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>
      cnn.yield %p : tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>
    }
    return %y : tensor<16x1x1x5x5x512x1x1xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16>>
  }
}
