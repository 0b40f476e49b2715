// RUN: cnn-opt %s --cnn-lower-to-nvvm --verify-diagnostics --split-input-file
// Breaks if a function that is missing on the user's machine is called silently.

module @m attributes {cnn.target = "nvptx"} {
  gpu.module @kernels {
    gpu.func @k(%x: memref<1xf32>, %y: memref<1xf32>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      %c0 = arith.constant 0 : index
      %v = memref.load %x[%c0] : memref<1xf32>
      // expected-error @below {{'arith.remf' calls a function, and kernels must not need a library}}
      %r = arith.remf %v, %v : f32
      memref.store %r, %y[%c0] : memref<1xf32>
      gpu.return
    }
  }
}

// -----

module @m attributes {cnn.target = "nvptx"} {
  gpu.module @kernels {
    gpu.func @k(%x: memref<1xf32>, %y: memref<1xf32>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      %c0 = arith.constant 0 : index
      %v = memref.load %x[%c0] : memref<1xf32>
      // expected-error @below {{'math.powf' calls a function, and kernels must not need a library}}
      %r = math.powf %v, %v : f32
      memref.store %r, %y[%c0] : memref<1xf32>
      gpu.return
    }
  }
}
