// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=batch" --cnn-slice-batch=fewest=2 --cnn-choose-schedules | FileCheck %s --check-prefix=SPR
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=znver4 layout=batch" --cnn-slice-batch=fewest=2 --cnn-choose-schedules | FileCheck %s --check-prefix=ZEN
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=haswell layout=batch" --cnn-slice-batch=fewest=2 --cnn-choose-schedules | FileCheck %s --check-prefix=HSW
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=batch" --cnn-slice-batch=fewest=2 "--cnn-choose-schedules=override=conv.grad=gather override=conv=tile:1x2x1x3x1x1x1" | FileCheck %s --check-prefix=ASKED
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=batch" --cnn-slice-batch=fewest=2 --cnn-choose-schedules=seed=7 | FileCheck %s --check-prefix=RANDOM
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=batch" --cnn-slice-batch=fewest=2 --cnn-choose-schedules | cnn-opt | FileCheck %s --check-prefix=SPR
// Breaks if the schedules of named CPUs, or what a user asks for, change.

// With 32 registers up to 28 accumulators, with 16 at most 14, and no fewer than hide the latency; vectors along the images of a block.
// SPR: cnn.group "conv"{{.*}} schedule #cnn.nest<"direct", vector = 0, tile = [1, {{.*}}], order = [0, {{.*}}, 4, 5, 6]> because "{{8|9|1[0-9]|2[0-8]}} accumulators
// ZEN: cnn.group "conv"{{.*}} schedule #cnn.nest<"direct", vector = 0, tile = [1, {{.*}}], order = [0, {{.*}}, 4, 5, 6]> because "{{8|9|1[0-9]|2[0-8]}} accumulators
// HSW: cnn.group "conv"{{.*}} schedule #cnn.nest<"direct", vector = 0, tile = [1, {{.*}}], order = [0, {{.*}}, 4, 5, 6]> because "{{8|9|1[0-4]}} accumulators
// ASKED: cnn.group "conv"{{.*}} schedule #cnn.nest<"direct", vector = 0, tile = [1, 2, 1, 3, 1, 1, 1]{{.*}} because "asked for: tile:1x2x1x3x1x1x1"
// RANDOM: cnn.group "conv"{{.*}} because "drawn at random"

// Without padding the gradient of the input has fewer taps when it scatters.
// SPR: cnn.group "conv.grad"{{.*}} schedule #cnn.nest<"scatter"{{.*}} because "scatter has fewer taps than gather
// SPR: cnn.conv_data_grad
// ASKED: cnn.group "conv.grad"{{.*}} schedule #cnn.nest<"gather"
// ASKED: cnn.conv_data_grad {{.*}}scatter = false
module @two {
  cnn.param @wide : tensor<64x64x3x3xf32> parameter <"constant", value = 1.0 : f64>
  cnn.param @deep : tensor<512x512x3x3xf32> parameter <"constant", value = 1.0 : f64>
  cnn.param @w : tensor<16x6x5x5xf32> parameter <"constant", value = 1.0 : f64>
  func.func @f(%x: tensor<32x6x14x14xf32> {cnn.name = "x"}) -> (tensor<32x6x14x14xf32> {cnn.name = "y"}) {
    %w = cnn.read @w : tensor<16x6x5x5xf32>
    %c = cnn.group "conv" (%a = %x, %b = %w) : (tensor<32x6x14x14xf32>, tensor<16x6x5x5xf32>) -> tensor<32x16x10x10xf32> {
      %s = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<32x6x14x14xf32>, tensor<16x6x5x5xf32> -> tensor<32x16x10x10xf32>
      cnn.yield %s : tensor<32x16x10x10xf32>
    }
    %d = cnn.group "conv.grad" (%a = %c, %b = %w) : (tensor<32x16x10x10xf32>, tensor<16x6x5x5xf32>) -> tensor<32x6x14x14xf32> {
      %s = cnn.conv_data_grad %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<32x16x10x10xf32>, tensor<16x6x5x5xf32> -> tensor<32x6x14x14xf32>
      cnn.yield %s : tensor<32x6x14x14xf32>
    }
    return %d : tensor<32x6x14x14xf32>
  }

  // Two results of rank 0 that are one value: the copy has no dimensions, and a schedule all the same.
  // SPR: cnn.group "second.copy"{{.*}} schedule #cnn.nest<"direct", vector = 0, tile = [], order = []>
  func.func @twice(%x: tensor<f32> {cnn.name = "x"}) -> (tensor<f32> {cnn.name = "first"}, tensor<f32> {cnn.name = "second"}) {
    %c = cnn.group "sum" (%a = %x) : (tensor<f32>) -> tensor<f32> {
      %s = cnn.add %a, %a : tensor<f32>, tensor<f32> -> tensor<f32>
      cnn.yield %s : tensor<f32>
    }
    return %c, %c : tensor<f32>, tensor<f32>
  }

  // An image of 64 channels does not fit into the second cache, a few rows and the weights do:
  // rows and columns outside of the channels. Work items own the zeros above and below their rows.
  // SPR: cnn.group "wide"{{.*}} schedule #cnn.nest<"direct", vector = 0, tile = {{.*}}, order = [2, 0, 3, 1, 4, 5, 6], chunk = {{[1-9]}}>
  // Weights of 512 x 512 x 9 do not fit, an image of 3 x 3 does: channels outside. A tile of the whole
  // image leaves out the products with the zeros around it.
  // SPR: cnn.group "deep"{{.*}} schedule #cnn.nest<"direct", vector = 0, tile = [1, 2, 3, 3, 1, 3, 3], order = [1, 0, 2, 3, 4, 5, 6], chunk = 8> because {{.*}} KB from beyond the second cache
  func.func @order(%x: tensor<16x64x56x56xf32> {cnn.name = "x"}, %y: tensor<16x512x3x3xf32> {cnn.name = "y"}) -> (tensor<16x64x56x56xf32> {cnn.name = "a"}, tensor<16x512x3x3xf32> {cnn.name = "b"}) {
    %w = cnn.read @wide : tensor<64x64x3x3xf32>
    %v = cnn.read @deep : tensor<512x512x3x3xf32>
    %a = cnn.group "wide" (%p = %x, %q = %w) : (tensor<16x64x56x56xf32>, tensor<64x64x3x3xf32>) -> tensor<16x64x56x56xf32> {
      %s = cnn.conv %p, %q {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x64x56x56xf32>, tensor<64x64x3x3xf32> -> tensor<16x64x56x56xf32>
      cnn.yield %s : tensor<16x64x56x56xf32>
    }
    %b = cnn.group "deep" (%p = %y, %q = %v) : (tensor<16x512x3x3xf32>, tensor<512x512x3x3xf32>) -> tensor<16x512x3x3xf32> {
      %s = cnn.conv %p, %q {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x512x3x3xf32>, tensor<512x512x3x3xf32> -> tensor<16x512x3x3xf32>
      cnn.yield %s : tensor<16x512x3x3xf32>
    }
    return %a, %b : tensor<16x64x56x56xf32>, tensor<16x512x3x3xf32>
  }

  // A sum of a whole tensor would keep one core busy: it is cut along its first dimension. A small one is not worth it.
  // SPR: %[[PARTS:.*]] = cnn.group "all.slices"{{.*}} -> tensor<64xf32{{.*}} because "one sum in 64 parts, a work item to each
  // SPR: cnn.group "all" ({{.*}} = %[[PARTS]]
  // SPR-NOT: "few.slices"
  // SPR: cnn.group "few"
  func.func @total(%x: tensor<512x9x9x9xf32> {cnn.name = "x"}, %y: tensor<512x4xf32> {cnn.name = "y", cnn.unbatched}) -> (tensor<f32> {cnn.name = "all"}, tensor<f32> {cnn.name = "few"}) {
    %w = cnn.read @deep : tensor<512x512x3x3xf32>
    %all = cnn.group "all" (%a = %w) : (tensor<512x512x3x3xf32>) -> tensor<f32> {
      %s = cnn.nonfinite %a : tensor<512x512x3x3xf32> -> tensor<f32>
      cnn.yield %s : tensor<f32>
    }
    %few = cnn.group "few" (%a = %y) : (tensor<512x4xf32>) -> tensor<f32> {
      %s = cnn.nonfinite %a : tensor<512x4xf32> -> tensor<f32>
      cnn.yield %s : tensor<f32>
    }
    return %all, %few : tensor<f32>, tensor<f32>
  }
}
