// RUN: cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --split-input-file | FileCheck %s --check-prefix=WIDE --enable-var-scope
// RUN: cnn-opt %s --cnn-choose-layouts=cpu=haswell --split-input-file | FileCheck %s --check-prefix=NARROW
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=plain" --split-input-file | FileCheck %s --check-prefix=PLAIN
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=channels" --split-input-file | FileCheck %s --check-prefix=CHANNELS
// Breaks if a batch that fills whole vectors is not laid out innermost, or another one is; or if the
// channels of another one are not in blocks where they fill vectors.

// The input is converted once, with the zeros that the convolution's padding reads.
// WIDE: cnn.machine = {cores = 8 : i64, cpu = "sapphirerapids", {{.*}}registers = 32 : i64, vector_bits = 512 : i64}
// WIDE-LABEL: func.func @forward
// WIDE-SAME: cnn.layout_reason = "batch of 32 is 2 blocks of 16 images, one vector each"
// WIDE: cnn.group "image.blocks"{{.*}} -> tensor<32x3x7x9xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16, halo = [0, 0, 1, 2]>>
// WIDE: cnn.mask_rows
// WIDE: cnn.group "conv1.forward"{{.*}} -> tensor<32x5x7x9xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16>>
// What leaves is plain again.
// WIDE: cnn.group "y.copy"{{.*}} -> tensor<32x5x7x9xf32>
// NARROW: vector_bits = 256 : i64
// NARROW: block = 8, halo = [0, 0, 1, 2]
// PLAIN-LABEL: func.func @forward
// PLAIN-SAME: cnn.layout_reason = "plain layouts were asked for"
// PLAIN-NOT: #cnn.layout
module @padded {
  cnn.param @conv1.weight : tensor<5x3x3x5xf32> parameter <"constant", value = 1.0 : f64>
  func.func @forward(%image: tensor<32x3x7x9xf32> {cnn.name = "image"}, %rows: tensor<i32> {cnn.name = "rows"}) -> (tensor<32x5x7x9xf32> {cnn.name = "y"}) {
    %w = cnn.read @conv1.weight : tensor<5x3x3x5xf32>
    %y = cnn.group "conv1.forward" (%a = %image, %r = %rows, %b = %w) : (tensor<32x3x7x9xf32>, tensor<i32>, tensor<5x3x3x5xf32>) -> tensor<32x5x7x9xf32> {
      %m = cnn.mask_rows %a, %r : tensor<32x3x7x9xf32>, tensor<i32> -> tensor<32x3x7x9xf32>
      %c = cnn.conv %m, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 2, 2>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<32x3x7x9xf32>, tensor<5x3x3x5xf32> -> tensor<32x5x7x9xf32>
      cnn.yield %c : tensor<32x5x7x9xf32>
    }
    return %y : tensor<32x5x7x9xf32>
  }
}

// -----

// A batch that does not fill vectors stays plain.
// WIDE-LABEL: func.func @odd
// WIDE-SAME: cnn.layout_reason = "the batch does not fill whole vectors of sapphirerapids"
// WIDE-NOT: #cnn.layout
module @odd {
  func.func @odd(%x: tensor<3x4xf32> {cnn.name = "x"}) -> (tensor<3x4xf32> {cnn.name = "y"}) {
    %y = cnn.group "sigmoid1" (%a = %x) : (tensor<3x4xf32>) -> tensor<3x4xf32> {
      %s = cnn.sigmoid %a : tensor<3x4xf32> -> tensor<3x4xf32>
      cnn.yield %s : tensor<3x4xf32>
    }
    return %y : tensor<3x4xf32>
  }
}

// -----

// Channels that fill half of a vector lie in blocks, with the zeros that the next layer reads; so do the
// kernels of the weight. Three channels of an image stay plain, and what is returned does.
// WIDE-LABEL: func.func @one
// WIDE-SAME: cnn.layout_reason = "the batch does not fill whole vectors of sapphirerapids: channels in blocks of 16, tensors: 1"
// WIDE: cnn.group "image.blocks"{{.*}} -> tensor<1x3x64x64xf32, #cnn.layout<order = [0, 1, 2, 3], block = 1, halo = [0, 0, 1, 1]>>
// WIDE: cnn.group "conv1.forward.weight1"{{.*}} -> tensor<9x3x3x3xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16>>
// WIDE: cnn.group "conv2.forward.weight1"{{.*}} -> tensor<5x9x3x3xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16>>
// WIDE: cnn.group "conv1.forward"{{.*}} -> tensor<1x9x64x64xf32, #cnn.layout<order = [0, 1, 2, 3, 1], block = 16, halo = [0, 0, 1, 1]>>
// WIDE: cnn.group "conv2.forward"{{.*}} -> tensor<1x5x64x64xf32>
// NARROW-LABEL: func.func @one
// NARROW: cnn.group "conv1.forward"{{.*}} -> tensor<1x9x64x64xf32, #cnn.layout<order = [0, 1, 2, 3, 1], block = 8, halo = [0, 0, 1, 1]>>
// PLAIN-LABEL: func.func @one
// PLAIN-NOT: #cnn.layout
// CHANNELS-LABEL: func.func @one
// CHANNELS: cnn.group "image.blocks"{{.*}} -> tensor<1x3x64x64xf32, #cnn.layout<order = [0, 1, 2, 3, 1], block = 16, halo = [0, 0, 1, 1]>>
module @one {
  cnn.param @conv1.weight : tensor<9x3x3x3xf32> parameter <"constant", value = 1.0 : f64>
  cnn.param @conv2.weight : tensor<5x9x3x3xf32> parameter <"constant", value = 1.0 : f64>
  func.func @one(%image: tensor<1x3x64x64xf32> {cnn.name = "image"}) -> (tensor<1x5x64x64xf32> {cnn.name = "y"}) {
    %w = cnn.read @conv1.weight : tensor<9x3x3x3xf32>
    %v = cnn.read @conv2.weight : tensor<5x9x3x3xf32>
    %x = cnn.group "conv1.forward" (%a = %image, %b = %w) : (tensor<1x3x64x64xf32>, tensor<9x3x3x3xf32>) -> tensor<1x9x64x64xf32> {
      %c = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<1x3x64x64xf32>, tensor<9x3x3x3xf32> -> tensor<1x9x64x64xf32>
      cnn.yield %c : tensor<1x9x64x64xf32>
    }
    %y = cnn.group "conv2.forward" (%a = %x, %b = %v) : (tensor<1x9x64x64xf32>, tensor<5x9x3x3xf32>) -> tensor<1x5x64x64xf32> {
      %c = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<1x9x64x64xf32>, tensor<5x9x3x3xf32> -> tensor<1x5x64x64xf32>
      cnn.yield %c : tensor<1x5x64x64xf32>
    }
    return %y : tensor<1x5x64x64xf32>
  }
}

// -----

// Groups of four channels are no whole vectors: the images that they touch stay plain.
// WIDE-LABEL: func.func @grouped
// WIDE-NOT: block = 16
module @grouped {
  cnn.param @conv1.weight : tensor<16x4x1x1xf32> parameter <"constant", value = 1.0 : f64>
  func.func @grouped(%image: tensor<1x16x64x64xf32> {cnn.name = "image"}) -> (tensor<1x16x64x64xf32> {cnn.name = "y"}) {
    %w = cnn.read @conv1.weight : tensor<16x4x1x1xf32>
    %x = cnn.group "conv1.forward" (%a = %image, %b = %w) : (tensor<1x16x64x64xf32>, tensor<16x4x1x1xf32>) -> tensor<1x16x64x64xf32> {
      %c = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 4 : i64} : tensor<1x16x64x64xf32>, tensor<16x4x1x1xf32> -> tensor<1x16x64x64xf32>
      cnn.yield %c : tensor<1x16x64x64xf32>
    }
    %y = cnn.group "relu1.forward" (%a = %x) : (tensor<1x16x64x64xf32>) -> tensor<1x16x64x64xf32> {
      %r = cnn.relu %a : tensor<1x16x64x64xf32> -> tensor<1x16x64x64xf32>
      cnn.yield %r : tensor<1x16x64x64xf32>
    }
    return %y : tensor<1x16x64x64xf32>
  }
}

// -----

// A sum over the batch and the image is split: per image first, over the images last.
// WIDE-LABEL: func.func @sum
// WIDE: cnn.group "sum.slices"
// WIDE: cnn.reduce_sum {{.*}} dims [2] : tensor<32x4x6xf32{{.*}} -> tensor<32x4xf32, #cnn.layout<order = [0, 1, 0], block = 16>>
// WIDE: cnn.group "sum"
// WIDE: cnn.reduce_sum {{.*}} dims [0] : {{.*}} -> tensor<4xf32>
module @sum {
  func.func @sum(%x: tensor<32x4x6xf32> {cnn.name = "x"}) -> (tensor<4xf32> {cnn.name = "y"}) {
    %y = cnn.group "sum" (%a = %x) : (tensor<32x4x6xf32>) -> tensor<4xf32> {
      %s = cnn.reduce_sum %a dims [0, 2] : tensor<32x4x6xf32> -> tensor<4xf32>
      cnn.yield %s : tensor<4xf32>
    }
    return %y : tensor<4xf32>
  }
}

// -----

// A reshape that takes the batch apart is a view of plain memory.
// WIDE-LABEL: func.func @apart
// WIDE: cnn.group "double"{{.*}} -> tensor<32x3x4xf32> {
// WIDE: cnn.reshape {{.*}} : tensor<32x3x4xf32> -> tensor<96x4xf32>
module {
  func.func @apart(%x: tensor<32x3x4xf32> {cnn.name = "x"}, %rows: tensor<i32> {cnn.name = "rows"}) -> (tensor<96x4xf32> {cnn.name = "y"}) {
    %a = cnn.group "double" (%l = %x) : (tensor<32x3x4xf32>) -> (tensor<32x3x4xf32>) {
      %0 = cnn.add %l, %l : tensor<32x3x4xf32>, tensor<32x3x4xf32> -> tensor<32x3x4xf32>
      cnn.yield %0 : tensor<32x3x4xf32>
    }
    %b = cnn.reshape %a : tensor<32x3x4xf32> -> tensor<96x4xf32>
    %c = cnn.group "exp" (%l = %b) : (tensor<96x4xf32>) -> (tensor<96x4xf32>) {
      %0 = cnn.exp %l : tensor<96x4xf32> -> tensor<96x4xf32>
      cnn.yield %0 : tensor<96x4xf32>
    }
    return %c : tensor<96x4xf32>
  }
}

// -----

// A network of a few thousand multiplications stays plain.
// WIDE-LABEL: func.func @small
// WIDE-SAME: cnn.layout_reason = "the batch does not fill whole vectors of sapphirerapids, and the network is too small for channels in blocks"
module @small {
  cnn.param @conv1.weight : tensor<9x9x3x3xf32> parameter <"constant", value = 1.0 : f64>
  func.func @small(%image: tensor<1x9x6x6xf32> {cnn.name = "image"}) -> (tensor<1x9x4x4xf32> {cnn.name = "y"}) {
    %w = cnn.read @conv1.weight : tensor<9x9x3x3xf32>
    %x = cnn.group "conv1.forward" (%a = %image, %b = %w) : (tensor<1x9x6x6xf32>, tensor<9x9x3x3xf32>) -> tensor<1x9x4x4xf32> {
      %c = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<1x9x6x6xf32>, tensor<9x9x3x3xf32> -> tensor<1x9x4x4xf32>
      cnn.yield %c : tensor<1x9x4x4xf32>
    }
    return %x : tensor<1x9x4x4xf32>
  }
}

// -----

// Images that do not fit into the second cache together have their channels in blocks, though the
// batch fills vectors; what linear layers read and give has images in the lanes. In the training
// step, which writes, images stay in the lanes.
// WIDE-LABEL: func.func @large
// WIDE-SAME: cnn.layout_reason = "most convolutions read 16 images that take more than twice the second cache: channels in blocks of 16, tensors: 2"
// WIDE: cnn.group "x.blocks"{{.*}} -> tensor<16x32x48x48xf32, #cnn.layout<order = [0, 1, 2, 3, 1], block = 16, halo = [0, 0, 1, 1]>>
// WIDE: cnn.group "conv1.forward"{{.*}} -> tensor<16x32x48x48xf32, #cnn.layout<order = [0, 1, 2, 3, 1], block = 16>>
// WIDE: cnn.group "pool"{{.*}} -> tensor<16x32xf32>
// WIDE: cnn.group "fc1.forward.rows0"{{.*}} -> tensor<16x32xf32, #cnn.layout<order = [0, 1, 0], block = 16>>
// WIDE: cnn.group "fc1.forward"{{.*}} -> tensor<16x32xf32, #cnn.layout<order = [0, 1, 0], block = 16>>
// WIDE: cnn.group "fc2.forward"{{.*}} (tensor<16x32xf32, #cnn.layout<order = [0, 1, 0], block = 16>>, tensor<4x32xf32>) -> tensor<16x4xf32>
module @large {
  cnn.param @conv1.weight : tensor<32x32x3x3xf32> parameter <"constant", value = 1.0 : f64>
  cnn.param @fc1.weight : tensor<32x32xf32> parameter <"constant", value = 1.0 : f64>
  cnn.param @fc2.weight : tensor<4x32xf32> parameter <"constant", value = 1.0 : f64>
  func.func @large(%x: tensor<16x32x48x48xf32> {cnn.name = "x"}) -> (tensor<16x4xf32> {cnn.name = "y"}) {
    %w = cnn.read @conv1.weight : tensor<32x32x3x3xf32>
    %v = cnn.read @fc1.weight : tensor<32x32xf32>
    %u = cnn.read @fc2.weight : tensor<4x32xf32>
    %c = cnn.group "conv1.forward" (%a = %x, %b = %w) : (tensor<16x32x48x48xf32>, tensor<32x32x3x3xf32>) -> tensor<16x32x48x48xf32> {
      %0 = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x32x48x48xf32>, tensor<32x32x3x3xf32> -> tensor<16x32x48x48xf32>
      cnn.yield %0 : tensor<16x32x48x48xf32>
    }
    %p = cnn.group "pool" (%a = %c) : (tensor<16x32x48x48xf32>) -> tensor<16x32xf32> {
      %0 = cnn.reduce_sum %a dims [2, 3] : tensor<16x32x48x48xf32> -> tensor<16x32xf32>
      cnn.yield %0 : tensor<16x32xf32>
    }
    %d = cnn.group "fc1.forward" (%a = %p, %b = %v) : (tensor<16x32xf32>, tensor<32x32xf32>) -> tensor<16x32xf32> {
      %0 = cnn.linear %a, %b : tensor<16x32xf32>, tensor<32x32xf32> -> tensor<16x32xf32>
      cnn.yield %0 : tensor<16x32xf32>
    }
    %e = cnn.group "fc2.forward" (%a = %d, %b = %u) : (tensor<16x32xf32>, tensor<4x32xf32>) -> tensor<16x4xf32> {
      %0 = cnn.linear %a, %b : tensor<16x32xf32>, tensor<4x32xf32> -> tensor<16x4xf32>
      cnn.yield %0 : tensor<16x4xf32>
    }
    return %e : tensor<16x4xf32>
  }
}

// -----

// So has a step whose batch does not fill vectors. The weight, which it changes, is read as it lies.
// WIDE-LABEL: func.func @step
// WIDE-SAME: cnn.layout_reason = "the batch does not fill whole vectors of sapphirerapids: channels in blocks of 16, tensors: 2"
// WIDE: cnn.group "x.blocks"{{.*}} -> tensor<3x32x48x48xf32, #cnn.layout<order = [0, 1, 2, 3, 1], block = 16, halo = [0, 0, 1, 1]>>
// WIDE: cnn.group "conv1.forward" {{.*}} = %conv1.weight) {{.*}} -> tensor<3x32x48x48xf32, #cnn.layout<order = [0, 1, 2, 3, 1], block = 16>>
// WIDE: cnn.group "conv1.weight_grad" {{.*}} -> tensor<32x32x3x3xf32> {
module @step {
  cnn.param @conv1.weight : tensor<32x32x3x3xf32> parameter <"constant", value = 1.0 : f64>
  func.func @step(%x: tensor<3x32x48x48xf32> {cnn.name = "x"}) {
    %w = cnn.read @conv1.weight : tensor<32x32x3x3xf32>
    %c = cnn.group "conv1.forward" (%a = %x, %b = %w) : (tensor<3x32x48x48xf32>, tensor<32x32x3x3xf32>) -> tensor<3x32x48x48xf32> {
      %0 = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<3x32x48x48xf32>, tensor<32x32x3x3xf32> -> tensor<3x32x48x48xf32>
      cnn.yield %0 : tensor<3x32x48x48xf32>
    }
    %g = cnn.group "conv1.weight_grad" (%a = %x, %b = %c) : (tensor<3x32x48x48xf32>, tensor<3x32x48x48xf32>) -> tensor<32x32x3x3xf32> {
      %0 = cnn.conv_weight_grad %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<3x32x48x48xf32>, tensor<3x32x48x48xf32> -> tensor<32x32x3x3xf32>
      cnn.yield %0 : tensor<32x32x3x3xf32>
    }
    cnn.write @conv1.weight, %g : tensor<32x32x3x3xf32>
    return
  }
}
