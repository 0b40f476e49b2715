// Products of images that are normalised and rectified as they are read, at odd sizes: with zeros around them, which are those of what is
// normalised; with a stride; along rows or columns of the product; with a second tensor added; and, row-major, rows of pixels that fill 16 bytes.
module @prologues attributes {cnn.phase = "fused"} {
  func.func @infer(%x: tensor<3x20x11x9xf32> {cnn.name = "x"}, %z: tensor<3x20x11x9xf32> {cnn.name = "z"}, %dy: tensor<3x35x11x9xf32> {cnn.name = "dy"}, %mean: tensor<20x1x1xf32> {cnn.name = "mean", cnn.unbatched}, %scale: tensor<20x1x1xf32> {cnn.name = "scale", cnn.unbatched}, %bias: tensor<20x1x1xf32> {cnn.name = "bias", cnn.unbatched},
      %w: tensor<35x20x3x3xf32> {cnn.name = "w", cnn.unbatched}, %v: tensor<24x20x1x1xf32> {cnn.name = "v", cnn.unbatched}, %u: tensor<40x20x1x1xf32> {cnn.name = "u", cnn.unbatched})
      -> (tensor<3x35x11x9xf32> {cnn.name = "forward"}, tensor<3x24x6x5xf32> {cnn.name = "strided"}, tensor<35x20x3x3xf32> {cnn.name = "weight_grad"}, tensor<3x40x11x9xf32> {cnn.name = "added"}) {
    %images = cnn.group "images" (%i = %x) : (tensor<3x20x11x9xf32>) -> tensor<3x20x11x9xf32> {
      %0 = cnn.neg %i : tensor<3x20x11x9xf32> -> tensor<3x20x11x9xf32>
      cnn.yield %0 : tensor<3x20x11x9xf32>
    }
    %others = cnn.group "others" (%i = %z) : (tensor<3x20x11x9xf32>) -> tensor<3x20x11x9xf32> {
      %0 = cnn.neg %i : tensor<3x20x11x9xf32> -> tensor<3x20x11x9xf32>
      cnn.yield %0 : tensor<3x20x11x9xf32>
    }
    %gradients = cnn.group "gradients" (%i = %dy) : (tensor<3x35x11x9xf32>) -> tensor<3x35x11x9xf32> {
      %0 = cnn.neg %i : tensor<3x35x11x9xf32> -> tensor<3x35x11x9xf32>
      cnn.yield %0 : tensor<3x35x11x9xf32>
    }
    %forward = cnn.group "forward" (%i = %images, %m = %mean, %s = %scale, %b = %bias, %k = %w) : (tensor<3x20x11x9xf32>, tensor<20x1x1xf32>, tensor<20x1x1xf32>, tensor<20x1x1xf32>, tensor<35x20x3x3xf32>) -> tensor<3x35x11x9xf32> {
      %0 = cnn.sub %i, %m : tensor<3x20x11x9xf32>, tensor<20x1x1xf32> -> tensor<3x20x11x9xf32>
      %1 = cnn.mul %0, %s : tensor<3x20x11x9xf32>, tensor<20x1x1xf32> -> tensor<3x20x11x9xf32>
      %2 = cnn.add %1, %b : tensor<3x20x11x9xf32>, tensor<20x1x1xf32> -> tensor<3x20x11x9xf32>
      %3 = cnn.relu %2 : tensor<3x20x11x9xf32> -> tensor<3x20x11x9xf32>
      %4 = cnn.conv %3, %k {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : tensor<3x20x11x9xf32>, tensor<35x20x3x3xf32> -> tensor<3x35x11x9xf32>
      cnn.yield %4 : tensor<3x35x11x9xf32>
    }
    %strided = cnn.group "strided" (%i = %images, %m = %mean, %s = %scale, %b = %bias, %k = %v) : (tensor<3x20x11x9xf32>, tensor<20x1x1xf32>, tensor<20x1x1xf32>, tensor<20x1x1xf32>, tensor<24x20x1x1xf32>) -> tensor<3x24x6x5xf32> {
      %0 = cnn.sub %i, %m : tensor<3x20x11x9xf32>, tensor<20x1x1xf32> -> tensor<3x20x11x9xf32>
      %1 = cnn.mul %0, %s : tensor<3x20x11x9xf32>, tensor<20x1x1xf32> -> tensor<3x20x11x9xf32>
      %2 = cnn.add %1, %b : tensor<3x20x11x9xf32>, tensor<20x1x1xf32> -> tensor<3x20x11x9xf32>
      %3 = cnn.relu %2 : tensor<3x20x11x9xf32> -> tensor<3x20x11x9xf32>
      %4 = cnn.conv %3, %k {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : tensor<3x20x11x9xf32>, tensor<24x20x1x1xf32> -> tensor<3x24x6x5xf32>
      cnn.yield %4 : tensor<3x24x6x5xf32>
    }
    %weight_grad = cnn.group "weight_grad" (%i = %images, %m = %mean, %s = %scale, %b = %bias, %g = %gradients) : (tensor<3x20x11x9xf32>, tensor<20x1x1xf32>, tensor<20x1x1xf32>, tensor<20x1x1xf32>, tensor<3x35x11x9xf32>) -> tensor<35x20x3x3xf32> {
      %0 = cnn.sub %i, %m : tensor<3x20x11x9xf32>, tensor<20x1x1xf32> -> tensor<3x20x11x9xf32>
      %1 = cnn.mul %0, %s : tensor<3x20x11x9xf32>, tensor<20x1x1xf32> -> tensor<3x20x11x9xf32>
      %2 = cnn.add %1, %b : tensor<3x20x11x9xf32>, tensor<20x1x1xf32> -> tensor<3x20x11x9xf32>
      %3 = cnn.relu %2 : tensor<3x20x11x9xf32> -> tensor<3x20x11x9xf32>
      %4 = cnn.conv_weight_grad %3, %g {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : tensor<3x20x11x9xf32>, tensor<3x35x11x9xf32> -> tensor<35x20x3x3xf32>
      cnn.yield %4 : tensor<35x20x3x3xf32>
    }
    %added = cnn.group "added" (%i = %images, %m = %mean, %s = %scale, %b = %bias, %j = %others, %k = %u) : (tensor<3x20x11x9xf32>, tensor<20x1x1xf32>, tensor<20x1x1xf32>, tensor<20x1x1xf32>, tensor<3x20x11x9xf32>, tensor<40x20x1x1xf32>) -> tensor<3x40x11x9xf32> {
      %0 = cnn.sub %i, %m : tensor<3x20x11x9xf32>, tensor<20x1x1xf32> -> tensor<3x20x11x9xf32>
      %1 = cnn.mul %0, %s : tensor<3x20x11x9xf32>, tensor<20x1x1xf32> -> tensor<3x20x11x9xf32>
      %2 = cnn.add %1, %b : tensor<3x20x11x9xf32>, tensor<20x1x1xf32> -> tensor<3x20x11x9xf32>
      %3 = cnn.add %2, %j : tensor<3x20x11x9xf32>, tensor<3x20x11x9xf32> -> tensor<3x20x11x9xf32>
      %4 = cnn.relu %3 : tensor<3x20x11x9xf32> -> tensor<3x20x11x9xf32>
      %5 = cnn.conv %4, %k {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : tensor<3x20x11x9xf32>, tensor<40x20x1x1xf32> -> tensor<3x40x11x9xf32>
      cnn.yield %5 : tensor<3x40x11x9xf32>
    }
    return %forward, %strided, %weight_grad, %added : tensor<3x35x11x9xf32>, tensor<3x24x6x5xf32>, tensor<35x20x3x3xf32>, tensor<3x40x11x9xf32>
  }
  func.func @rows(%x: tensor<2x8x6x8xf32> {cnn.name = "x"}, %mean: tensor<8x1x1xf32> {cnn.name = "mean", cnn.unbatched}, %scale: tensor<8x1x1xf32> {cnn.name = "scale", cnn.unbatched}, %bias: tensor<8x1x1xf32> {cnn.name = "bias", cnn.unbatched}, %k: tensor<16x8x1x1xf32> {cnn.name = "k", cnn.unbatched}) -> (tensor<2x16x6x8xf32> {cnn.name = "y"}) {
    %rows = cnn.group "rows" (%i = %x, %m = %mean, %s = %scale, %b = %bias, %f = %k) : (tensor<2x8x6x8xf32>, tensor<8x1x1xf32>, tensor<8x1x1xf32>, tensor<8x1x1xf32>, tensor<16x8x1x1xf32>) -> tensor<2x16x6x8xf32> {
      %0 = cnn.sub %i, %m : tensor<2x8x6x8xf32>, tensor<8x1x1xf32> -> tensor<2x8x6x8xf32>
      %1 = cnn.mul %0, %s : tensor<2x8x6x8xf32>, tensor<8x1x1xf32> -> tensor<2x8x6x8xf32>
      %2 = cnn.add %1, %b : tensor<2x8x6x8xf32>, tensor<8x1x1xf32> -> tensor<2x8x6x8xf32>
      %3 = cnn.relu %2 : tensor<2x8x6x8xf32> -> tensor<2x8x6x8xf32>
      %4 = cnn.conv %3, %f {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : tensor<2x8x6x8xf32>, tensor<16x8x1x1xf32> -> tensor<2x16x6x8xf32>
      cnn.yield %4 : tensor<2x16x6x8xf32>
    }
    return %rows : tensor<2x16x6x8xf32>
  }
}
