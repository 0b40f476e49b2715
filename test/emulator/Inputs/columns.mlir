// Groups so small that one block computes them in turn, one of them a sum of columns for which the threads of a
// block share memory, several times over.
module @columns attributes {cnn.phase = "fused", cnn.target = "nvptx"} {
  func.func @infer(%x: tensor<32x256xf32> {cnn.name = "x"}) -> (tensor<256xf32> {cnn.name = "y"}) {
    %a = cnn.group "a.forward" (%p = %x) : (tensor<32x256xf32>) -> tensor<32x256xf32> {
      %r = cnn.exp %p : tensor<32x256xf32> -> tensor<32x256xf32>
      cnn.yield %r : tensor<32x256xf32>
    }
    %b = cnn.group "b.forward" (%p = %a) : (tensor<32x256xf32>) -> tensor<256xf32> {
      %r = cnn.reduce_sum %p dims [0] : tensor<32x256xf32> -> tensor<256xf32>
      cnn.yield %r : tensor<256xf32>
    }
    %c = cnn.group "c.forward" (%p = %b) : (tensor<256xf32>) -> tensor<256xf32> {
      %r = cnn.log %p : tensor<256xf32> -> tensor<256xf32>
      cnn.yield %r : tensor<256xf32>
    }
    return %c : tensor<256xf32>
  }
}
