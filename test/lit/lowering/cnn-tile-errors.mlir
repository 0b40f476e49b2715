// RUN: cnn-opt %s --cnn-tile --verify-diagnostics --split-input-file
// Breaks if a dump with a schedule edited beyond what is legal is compiled.

module attributes {cnn.machine = {cpu = "haswell", registers = 16 : i64, vector_bits = 256 : i64}} {
  func.func private @k(%item: index, %scratch: memref<64xi8>, %x: memref<3x4xf32>, %y: memref<3x4xf32>) attributes {cnn.kernel} {
    %0 = cnn.from_buffer %x : memref<3x4xf32> -> tensor<3x4xf32>
    // expected-error @below {{group 'g': tile of dimension 0 is 4, expected 1 to 3}}
    %1 = cnn.group "g" (%a = %0) : (tensor<3x4xf32>) -> tensor<3x4xf32> schedule #cnn.nest<"direct", vector = 1, tile = [4, 1], order = [0, 1]> {
      %2 = cnn.sigmoid %a : tensor<3x4xf32> -> tensor<3x4xf32>
      cnn.yield %2 : tensor<3x4xf32>
    }
    cnn.to_buffer %1, %y : tensor<3x4xf32> -> memref<3x4xf32>
    return
  }
}

// -----

module attributes {cnn.machine = {cpu = "haswell", registers = 16 : i64, vector_bits = 256 : i64}} {
  func.func private @k(%item: index, %scratch: memref<64xi8>, %x: memref<3x4xf32>, %y: memref<3x4xf32>) attributes {cnn.kernel} {
    %0 = cnn.from_buffer %x : memref<3x4xf32> -> tensor<3x4xf32>
    // expected-error @below {{group 'g': has no #cnn.nest schedule}}
    %1 = cnn.group "g" (%a = %0) : (tensor<3x4xf32>) -> tensor<3x4xf32> {
      %2 = cnn.sigmoid %a : tensor<3x4xf32> -> tensor<3x4xf32>
      cnn.yield %2 : tensor<3x4xf32>
    }
    cnn.to_buffer %1, %y : tensor<3x4xf32> -> memref<3x4xf32>
    return
  }
}
