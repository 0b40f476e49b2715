// RUN: cnn-opt %s --cnn-lower-to-llvm --split-input-file --verify-diagnostics
// Breaks if something that has no C interface is lowered to wrong code.

// expected-error @below {{has no name, of which those of its entry points are made}}
module {
  func.func @infer() {
    return
  }
}

// -----

module @net {
  // expected-error @below {{is an entry point and must take static memrefs, not 'memref<?xf32>'}}
  func.func @infer(%x: memref<?xf32>) {
    return
  }
}

// -----

module @net {
  func.func @infer(%x: memref<4xf32>) {
    %c0 = arith.constant 0 : index
    // expected-error @below {{cannot stand in an entry point; expected views at constant offsets, cnn.launch and cnn.barrier}}
    %a = memref.load %x[%c0] : memref<4xf32>
    return
  }
}

// -----

module @net {
  func.func @infer(%x: memref<4xf32>) {
    // expected-error @below {{calls 'conv', which is no kernel of this module}}
    cnn.launch @conv items 1 (%x) : memref<4xf32>
    return
  }
}

// -----

module @net {
  func.func private @conv(%item: index, %scratch: memref<64xi8>) {
    return
  }
  func.func @infer(%x: memref<4xf32>) {
    // expected-error @below {{passes 1 operands to 'conv', which takes 0}}
    cnn.launch @conv items 1 (%x) : memref<4xf32>
    return
  }
}

// -----

module @net {
  // expected-error @below {{has no body; compiled code calls nothing outside of it}}
  func.func private @helper(%x: memref<4xf32>)
}
