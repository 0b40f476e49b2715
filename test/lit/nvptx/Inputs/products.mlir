// Products of two tensors at odd sizes: rows, columns and depths that do and do not fill tiles, that lie along the
// one or the other, in groups, with padding, with something computed before and behind.
module @products attributes {cnn.phase = "grad"} {
  func.func @conv(%x: tensor<2x20x11x9xf32> {cnn.name = "x"}, %w: tensor<70x20x3x3xf32> {cnn.name = "w"}, %b: tensor<70xf32> {cnn.name = "b"}) -> (tensor<2x70x11x9xf32> {cnn.name = "y"}) {
    %0 = cnn.conv %x, %w, %b {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : tensor<2x20x11x9xf32>, tensor<70x20x3x3xf32>, tensor<70xf32> -> tensor<2x70x11x9xf32>
    %1 = cnn.relu %0 : tensor<2x70x11x9xf32> -> tensor<2x70x11x9xf32>
    return %1 : tensor<2x70x11x9xf32>
  }
  func.func @strided(%x: tensor<3x17x9x10xf32> {cnn.name = "x"}, %w: tensor<33x17x5x5xf32> {cnn.name = "w"}) -> (tensor<3x33x5x5xf32> {cnn.name = "y"}) {
    %0 = cnn.conv %x, %w {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 2, 2, 2, 2>, stride = array<i64: 2, 2>} : tensor<3x17x9x10xf32>, tensor<33x17x5x5xf32> -> tensor<3x33x5x5xf32>
    return %0 : tensor<3x33x5x5xf32>
  }
  func.func @pointwise(%x: tensor<2x24x6x8xf32> {cnn.name = "x"}, %w: tensor<40x24x1x1xf32> {cnn.name = "w"}) -> (tensor<2x40x6x8xf32> {cnn.name = "y"}) {
    %0 = cnn.conv %x, %w {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : tensor<2x24x6x8xf32>, tensor<40x24x1x1xf32> -> tensor<2x40x6x8xf32>
    return %0 : tensor<2x40x6x8xf32>
  }
  func.func @grouped(%x: tensor<2x16x7x7xf32> {cnn.name = "x"}, %w: tensor<64x8x3x3xf32> {cnn.name = "w"}) -> (tensor<2x64x7x7xf32> {cnn.name = "y"}) {
    %0 = cnn.conv %x, %w {dilation = array<i64: 1, 1>, groups = 2 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : tensor<2x16x7x7xf32>, tensor<64x8x3x3xf32> -> tensor<2x64x7x7xf32>
    return %0 : tensor<2x64x7x7xf32>
  }
  func.func @data_grad(%dy: tensor<2x18x7x9xf32> {cnn.name = "dy"}, %w: tensor<18x36x3x3xf32> {cnn.name = "w"}) -> (tensor<2x36x7x9xf32> {cnn.name = "y"}) {
    %0 = cnn.conv_data_grad %dy, %w {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<2x18x7x9xf32>, tensor<18x36x3x3xf32> -> tensor<2x36x7x9xf32>
    return %0 : tensor<2x36x7x9xf32>
  }
  func.func @weight_grad(%x: tensor<4x18x6x8xf32> {cnn.name = "x"}, %dy: tensor<4x35x6x8xf32> {cnn.name = "dy"}) -> (tensor<35x18x3x3xf32> {cnn.name = "y"}) {
    %0 = cnn.conv_weight_grad %x, %dy {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : tensor<4x18x6x8xf32>, tensor<4x35x6x8xf32> -> tensor<35x18x3x3xf32>
    return %0 : tensor<35x18x3x3xf32>
  }
  func.func @linear(%x: tensor<50x100xf32> {cnn.name = "x"}, %w: tensor<90x100xf32> {cnn.name = "w"}, %b: tensor<90xf32> {cnn.name = "b"}) -> (tensor<50x90xf32> {cnn.name = "y"}) {
    %0 = cnn.linear %x, %w, %b : tensor<50x100xf32>, tensor<90x100xf32>, tensor<90xf32> -> tensor<50x90xf32>
    return %0 : tensor<50x90xf32>
  }
  func.func @odd(%x: tensor<37x45xf32> {cnn.name = "x"}, %w: tensor<41x45xf32> {cnn.name = "w"}) -> (tensor<37x41xf32> {cnn.name = "y"}) {
    %0 = cnn.linear %x, %w : tensor<37x45xf32>, tensor<41x45xf32> -> tensor<37x41xf32>
    return %0 : tensor<37x41xf32>
  }
  func.func @transposed(%a: tensor<72x68xf32> {cnn.name = "a"}, %b: tensor<72x132xf32> {cnn.name = "b"}) -> (tensor<68x132xf32> {cnn.name = "y"}) {
    %0 = cnn.matmul %a, %b : tensor<72x68xf32>, tensor<72x132xf32> -> tensor<68x132xf32> {transpose_a = true}
    return %0 : tensor<68x132xf32>
  }
  func.func @before(%a: tensor<40x34xf32> {cnn.name = "a"}, %b: tensor<34x40xf32> {cnn.name = "b"}) -> (tensor<40x40xf32> {cnn.name = "y"}) {
    %0 = cnn.relu %a : tensor<40x34xf32> -> tensor<40x34xf32>
    %1 = cnn.matmul %0, %b : tensor<40x34xf32>, tensor<34x40xf32> -> tensor<40x40xf32>
    return %1 : tensor<40x40xf32>
  }
}
