// RUN: cnn-opt %s --cnn-count-gpu-work --verify-diagnostics
// Breaks if a launch of no kernel is counted.
module attributes {cnn.target = "nvptx"} {
  func.func @infer(%a: memref<4xf32>) {
    // expected-error @+1 {{'gone' is no kernel of this module}}
    cnn.launch @gone items 1 (%a) : memref<4xf32>
    return
  }
}
