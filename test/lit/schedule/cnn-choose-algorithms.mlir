// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=batch" --cnn-choose-algorithms | FileCheck %s --check-prefix=BEST
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=batch" "--cnn-choose-algorithms=override=conv=algorithm:winograd2;blocks:2x3 override=conv1=algorithm:direct" | FileCheck %s --check-prefix=ASKED
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=plain" --cnn-choose-algorithms | FileCheck %s --check-prefix=PLAIN
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=plain" --cnn-choose-algorithms=override=conv=winograd4 | FileCheck %s --check-prefix=PLAIN4
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=batch" "--cnn-choose-algorithms=override=conv=algorithm:winograd4;blocks:1x6" --cnn-slice-batch "--cnn-choose-schedules=override=conv=algorithm:winograd4;blocks:1x6" --cnn-plan | FileCheck %s --check-prefix=PLAN
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=channels" --cnn-choose-algorithms | FileCheck %s --check-prefix=CHANNELS
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=channels" "--cnn-choose-algorithms=override=conv=algorithm:winograd4;blocks:1x6" | FileCheck %s --check-prefix=ROWS
// Breaks if Winograd's algorithm is not put in place of a convolution where it is faster or asked for.

// Asked of all convolutions, an algorithm is taken where it applies.
// The 3 x 3 convolution becomes the four parts, the last three of them block by block; the first
// takes the weight, the last keeps name and epilogue, and the reason stands with it. Tiles of 2 of
// the 5 x 5 one have as many points as tiles of 4 with 3 x 3.
// BEST: cnn.winograd_weight {{.*}} {tile = 2 : i64} : tensor<64x64x5x5xf32> -> tensor<6x6x64x64xf32>
// BEST: cnn.winograd_input {{.*}} {padding = array<i64: 2, 2>, taps = 5 : i64, tile = 2 : i64}
// BEST: cnn.winograd_product {{.*}} {taps = 5 : i64}
// BEST: cnn.group "conv1" {{.*}} because "tiles of 2 x 2 need 36% of the multiplications; blocks of
// BEST: cnn.winograd_output {{.*}} {of = "conv", taps = 5 : i64, tile = 2 : i64}
// BEST: cnn.group "conv2.winograd_weight"
// BEST-NEXT: cnn.winograd_weight {{.*}} {tile = 4 : i64} : tensor<64x64x3x3xf32> -> tensor<6x6x64x64xf32>
// BEST: cnn.group "conv2.blocks"{{.*}} schedule #cnn.slices<block = 16, count = 2, tiles = [{{.*}}]> because "tiles of 4 x 4 need 25% of the multiplications; blocks of {{.*}} cycles estimated, direct {{.*}}" {
// BEST: cnn.group "conv2.winograd_input"
// BEST: cnn.winograd_input {{.*}} {padding = array<i64: 1, 1>, tile = 4 : i64}
// BEST: cnn.group "conv2.winograd_product"
// BEST: cnn.winograd_product
// BEST: cnn.group "conv2" {{.*}} because "tiles of 4 x 4
// BEST-NEXT: cnn.winograd_output {{.*}} {of = "conv", tile = 4 : i64}
// BEST-NEXT: cnn.relu
// The gradient of its input: the same weights, channels and outputs exchanged, images and tiles turned round.
// BEST-NOT: cnn.winograd_weight
// BEST: cnn.winograd_input {{.*}} {padding = array<i64: 1, 1>, tile = 4 : i64, turned = true}
// BEST: cnn.winograd_product {{.*}} {turned = true}
// BEST: cnn.group "grad2" {{.*}} because "{{.*}}reads 'conv2.winograd_weight', transposed
// BEST: cnn.winograd_output {{.*}} {of = "conv_data_grad", tile = 4 : i64, turned = true}

// ASKED: cnn.group "conv1"
// ASKED: cnn.conv
// ASKED: cnn.group "conv2.blocks"{{.*}} schedule #cnn.slices<block = 16, count = 2, tiles = [6, 4]>
// Planes of 64 x 2 x 3 vectors would lie 24 KB apart, on the same set of the first cache.
// ASKED: cnn.winograd_input {{.*}} tile = 2 : i64} : {{.*}} -> tensor<32x6x4x4x4x64x2x3xf32, #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 0], block = 16, pad = [0, 0, 0, 0, 0, 1, 0, 0]>>

// PLAIN: cnn.group "conv2" {{.*}} because "winograd gathers windows lane by lane in plain layouts" {
// PLAIN4: cnn.winograd_input {{.*}} tile = 4 : i64} : tensor<32x64x24x24xf32> -> tensor<32x1x1x6x6x64x6x6xf32>
// PLAIN4-NOT: cnn.slices

// Channels in blocks: of what passes between the parts and of the transformed weight, too.
// CHANNELS: cnn.winograd_weight {{.*}} -> tensor<6x6x64x64xf32, #cnn.layout<order = [0, 1, 2, 3, 2], block = 16>>
// CHANNELS: cnn.winograd_input {{.*}} #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 5], block = 16{{(, pad = .*)?}}>>
// CHANNELS: cnn.winograd_product {{.*}} -> {{.*}} #cnn.layout<order = [0, 1, 2, 3, 4, 5, 6, 7, 5], block = 16{{(, pad = .*)?}}>>
// CHANNELS: because "tiles of 4 x 4
// ROWS: cnn.group "conv2.blocks"{{.*}} schedule #cnn.slices<block = 1, count = 32, tiles = [6, 1]>

// What passes between the parts is one block in a worker's scratch memory; 2 slices x 6 rows of blocks.
// PLAN: cnn.launch @conv2.blocks items 12
// PLAN: func.func private @conv2.winograd_product(%{{[^)]*}}memref<1x1x1x6x6x65x1x6x16xf32>
module @three {
  cnn.param @w : tensor<64x64x3x3xf32> parameter <"constant", value = 1.0 : f64>
  cnn.param @v : tensor<64x64x5x5xf32> parameter <"constant", value = 1.0 : f64>
  func.func @f(%x: tensor<32x64x24x24xf32> {cnn.name = "x"}) -> (tensor<32x64x24x24xf32> {cnn.name = "y"}) {
    %w = cnn.read @w : tensor<64x64x3x3xf32>
    %v = cnn.read @v : tensor<64x64x5x5xf32>
    %c = cnn.group "conv1" (%a = %x, %b = %v) : (tensor<32x64x24x24xf32>, tensor<64x64x5x5xf32>) -> tensor<32x64x24x24xf32> {
      %s = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 2, 2, 2, 2>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<32x64x24x24xf32>, tensor<64x64x5x5xf32> -> tensor<32x64x24x24xf32>
      cnn.yield %s : tensor<32x64x24x24xf32>
    }
    %d = cnn.group "conv2" (%a = %c, %b = %w) : (tensor<32x64x24x24xf32>, tensor<64x64x3x3xf32>) -> tensor<32x64x24x24xf32> {
      %s = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<32x64x24x24xf32>, tensor<64x64x3x3xf32> -> tensor<32x64x24x24xf32>
      %r = cnn.relu %s : tensor<32x64x24x24xf32> -> tensor<32x64x24x24xf32>
      cnn.yield %r : tensor<32x64x24x24xf32>
    }
    %e = cnn.group "grad2" (%a = %d, %b = %w) : (tensor<32x64x24x24xf32>, tensor<64x64x3x3xf32>) -> tensor<32x64x24x24xf32> {
      %s = cnn.conv_data_grad %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<32x64x24x24xf32>, tensor<64x64x3x3xf32> -> tensor<32x64x24x24xf32>
      cnn.yield %s : tensor<32x64x24x24xf32>
    }
    return %e : tensor<32x64x24x24xf32>
  }
}
