// RUN: cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-algorithms --cnn-slice-batch --cnn-choose-schedules | FileCheck %s --check-prefix=BEST
// RUN: cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-algorithms=override=deep=direct --cnn-slice-batch --cnn-choose-schedules=override=deep=direct | FileCheck %s --check-prefix=DIRECT
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=plain" --cnn-choose-algorithms=override=deep=winograd2 --cnn-choose-schedules=override=deep=winograd2 | FileCheck %s --check-prefix=PLAIN
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=channels" --cnn-choose-algorithms --cnn-choose-schedules | FileCheck %s --check-prefix=CHANNELS
// RUN: cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-algorithms=override=conv_weight_grad=winograd3 --cnn-slice-batch "--cnn-choose-schedules=override=wide.slices=tile:1x64x2x3x3x16x6x24" --cnn-plan | FileCheck %s --check-prefix=PLAN
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-algorithms=override=conv_weight_grad=winograd5 2>&1 | FileCheck %s --check-prefix=TILE
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-algorithms=override=strided=winograd4 2>&1 | FileCheck %s --check-prefix=STRIDE
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-algorithms --cnn-slice-batch "--cnn-choose-schedules=override=wide.slices=tile:1x60x4x3x3x16x4x12" 2>&1 | FileCheck %s --check-prefix=OUTPUTS
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-algorithms --cnn-slice-batch "--cnn-choose-schedules=override=wide.slices=tile:1x64x4x3x3x16x4x16" 2>&1 | FileCheck %s --check-prefix=COLUMNS
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-algorithms --cnn-slice-batch "--cnn-choose-schedules=override=wide.slices=vector:1" 2>&1 | FileCheck %s --check-prefix=VECTOR
// Breaks if the gradient of a kernel is not computed by Winograd's algorithm where it is faster or asked for, or
// not cut into slices and chunks by what stays in the cache.

// Many tiles to an image and few weights: slice by slice. Few tiles and many weights: one sum over the
// whole batch, a kernel whose chunks are work items, which computes what follows: the update. What meets
// its weights otherwise than one by one, or asks where they lie, is a group of its own, and reads one sum.
// BEST: cnn.group "f.slices"
// BEST: cnn.group "wide.slices" {{.*}} schedule #cnn.nest<"winograd4", vector = 2, tile = [1, {{[0-9]+}}, 4, 3, 3, 16, 4, {{[0-9]+}}], order = [0, 1, 2, 3, 4, 5, 6, 7]> because "tiles of 4 x 4 need 25% of the multiplications; chunks of {{[0-9]+}} x 64 channels, 1 x {{[0-9]}} tiles of 16 images a step; 8 sums; {{.*}} cycles estimated, direct {{.*}} kept for a step
// BEST: cnn.conv_weight_grad {{.*}} slices = 8 : i64, {{.*}} winograd = 4 : i64}
// BEST: cnn.group "strided.slices" {{.*}} schedule #cnn.nest<"steps", vector = 2, {{.*}} because "winograd does not apply: the stride is 2x2, and it needs 1; channels are turned into the lanes
// BEST-NOT: cnn.group "deep.slices"
// BEST: cnn.group "deep" {{.*}} -> tensor<512x512x3x3xf32> schedule #cnn.nest<"winograd3", vector = 2, tile = [{{[0-9]+}}, {{[0-9]+}}, 3, 3, {{[0-9]+}}, 3, 3], order = [0, 1, 2, 3, 4, 5, 6], chunk = 1> because "tiles of 3 x 3 need 30% of the multiplications; chunks of {{.*}} 1 sums
// BEST-NEXT: cnn.conv_weight_grad {{.*}}, winograd = 3 : i64} {{.*}} -> tensor<512x512x3x3xf32>
// BEST-NEXT: cnn.mul
// BEST-NEXT: cnn.sub
// BEST: cnn.group "apart.slices" {{.*}} chunk = 1> because "tiles of 3 x 3 need 30% of the multiplications; chunks of {{.*}} 1 sums
// BEST-NEXT: cnn.conv_weight_grad {{.*}} slices = 1 : i64, {{.*}} winograd = 3 : i64} {{.*}} -> tensor<1x512x512x3x3xf32>
// BEST: cnn.group "apart" {{.*}}tensor<1x512x512x3x3xf32>
// BEST: cnn.conv_weight_grad {{.*}} slices = 1 : i64, {{.*}} winograd = 3 : i64}
// BEST: cnn.group "indexed" {{.*}}tensor<1x512x512x3x3xf32>
// BEST-NEXT: cnn.reduce_sum

// DIRECT: cnn.group "deep.slices"
// DIRECT: cnn.conv_weight_grad {{.*}} slices = 8 : i64, stride = array<i64: 1, 1>} : {{.*}} -> tensor<8x512x512x3x3xf32>

// In plain layouts it is used where it is asked for.
// PLAIN: cnn.group "wide" {{.*}} because "winograd gathers windows lane by lane in plain layouts
// PLAIN: cnn.group "deep" {{.*}} schedule #cnn.nest<"winograd2"
// PLAIN-NEXT: cnn.conv_weight_grad {{.*}}, winograd = 2 : i64}

// Where channels lie in the lanes already, it is faster, too.
// CHANNELS: cnn.group "wide.slices" {{.*}} schedule #cnn.nest<"winograd4", {{.*}} because "tiles of 4 x 4 need 25% of the multiplications
// CHANNELS: cnn.group "strided" {{.*}} because "winograd does not apply: the stride is 2x2, and it needs 1; steps is not faster
// CHANNELS: cnn.group "deep" {{.*}} schedule #cnn.nest<"winograd3"

// What a step keeps is the worker's scratch memory.
// PLAN-DAG: cnn.launch @deep items {{[0-9]+}}
// PLAN-DAG: scratch {{[0-9]+}} + {{[0-9]+}}: wide.slices.scratch

// TILE: error: loc("--set schedule.conv_weight_grad=winograd5"): 'conv_weight_grad' has no algorithm 'winograd5'; it has direct, steps, winograd2, winograd3 and winograd4
// STRIDE: error: group 'strided.slices': algorithm 'winograd4' does not apply: the stride is 2x2, and it needs 1
// OUTPUTS: error: group 'wide.slices': tile of dimension 1 is 60, expected a multiple of 16 up to 64
// COLUMNS: error: group 'wide.slices': tile of dimension 7 is 16, expected a multiple of 4 that divides 24
// VECTOR: error: group 'wide.slices': winograd4 of 'conv_weight_grad' runs along dimension 2, in the order of the dimensions, with chunk 0
#same = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
module @five {
  func.func @f(%x: tensor<128x64x24x24xf32> {cnn.name = "x"}, %s: tensor<128x64x11x11xf32> {cnn.name = "s"}, %d: tensor<128x512x3x3xf32> {cnn.name = "d"}, %w: tensor<512x512x3x3xf32> {cnn.unbatched}, %rate: tensor<f32> {cnn.unbatched}, %scale: tensor<512x1x1x1xf32> {cnn.unbatched}) -> (tensor<64x64x3x3xf32> {cnn.name = "wide"}, tensor<64x64x3x3xf32> {cnn.name = "strided"}, tensor<512x512x3x3xf32> {cnn.name = "deep"}, tensor<512x512x3x3xf32> {cnn.name = "apart"}, tensor<512x512x3x3xf32> {cnn.name = "indexed"}) {
    %0 = cnn.group "wide" (%a = %x) : (tensor<128x64x24x24xf32>) -> tensor<64x64x3x3xf32> {
      %g = cnn.conv_weight_grad %a, %a {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<128x64x24x24xf32>, tensor<128x64x24x24xf32> -> tensor<64x64x3x3xf32>
      cnn.yield %g : tensor<64x64x3x3xf32>
    }
    %1 = cnn.group "strided" (%a = %x, %b = %s) : (tensor<128x64x24x24xf32>, tensor<128x64x11x11xf32>) -> tensor<64x64x3x3xf32> {
      %g = cnn.conv_weight_grad %a, %b {stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<128x64x24x24xf32>, tensor<128x64x11x11xf32> -> tensor<64x64x3x3xf32>
      cnn.yield %g : tensor<64x64x3x3xf32>
    }
    %2 = cnn.group "deep" (%a = %d, %b = %w, %c = %rate) : (tensor<128x512x3x3xf32>, tensor<512x512x3x3xf32>, tensor<f32>) -> tensor<512x512x3x3xf32> {
      %g = cnn.conv_weight_grad %a, %a {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<128x512x3x3xf32>, tensor<128x512x3x3xf32> -> tensor<512x512x3x3xf32>
      %m = cnn.mul %g, %c : tensor<512x512x3x3xf32>, tensor<f32> -> tensor<512x512x3x3xf32>
      %n = cnn.sub %b, %m : tensor<512x512x3x3xf32>, tensor<512x512x3x3xf32> -> tensor<512x512x3x3xf32>
      cnn.yield %n : tensor<512x512x3x3xf32>
    }
    %3 = cnn.group "apart" (%a = %d, %c = %scale) : (tensor<128x512x3x3xf32>, tensor<512x1x1x1xf32>) -> tensor<512x512x3x3xf32> {
      %g = cnn.conv_weight_grad %a, %a {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<128x512x3x3xf32>, tensor<128x512x3x3xf32> -> tensor<512x512x3x3xf32>
      %m = cnn.mul %g, %c : tensor<512x512x3x3xf32>, tensor<512x1x1x1xf32> -> tensor<512x512x3x3xf32>
      cnn.yield %m : tensor<512x512x3x3xf32>
    }
    %4 = cnn.group "indexed" (%a = %d) : (tensor<128x512x3x3xf32>) -> tensor<512x512x3x3xf32> {
      %g = cnn.conv_weight_grad %a, %a {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<128x512x3x3xf32>, tensor<128x512x3x3xf32> -> tensor<512x512x3x3xf32>
      %m = cnn.generic %g sizes [512, 512, 3, 3] parallel 4 reduction none maps [#same, #same] : (tensor<512x512x3x3xf32>) -> tensor<512x512x3x3xf32> {
      ^bb0(%e: f32, %i: i32, %j: i32, %k: i32, %l: i32):
        %f = arith.sitofp %k : i32 to f32
        %p = arith.mulf %e, %f : f32
        cnn.term %p : f32
      }
      cnn.yield %m : tensor<512x512x3x3xf32>
    }
    return %0, %1, %2, %3, %4 : tensor<64x64x3x3xf32>, tensor<64x64x3x3xf32>, tensor<512x512x3x3xf32>, tensor<512x512x3x3xf32>, tensor<512x512x3x3xf32>
  }
}
