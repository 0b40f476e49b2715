// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=batch" "--cnn-choose-schedules=override=conv1=tile:1x1x4x4x1x3x3 override=add1=tile:1x1x1x8" --cnn-fuse-moments | FileCheck %s --check-prefix=DIRECT
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=batch" --cnn-choose-algorithms --cnn-choose-schedules --cnn-fuse-moments | FileCheck %s --check-prefix=WINOGRAD
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=batch" --cnn-choose-algorithms=override=small=algorithm:direct --cnn-slice-batch=fewest=2 --cnn-choose-schedules --cnn-fuse-moments=override=channel_sums=windows:2x4 | FileCheck %s --check-prefix=SLICED
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=batch" --cnn-choose-algorithms --cnn-choose-schedules --cnn-fuse-moments=override=conv=windows:1x1 | FileCheck %s --check-prefix=ASKED
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=haswell layout=batch" --cnn-choose-schedules=override=conv1=tile:1x1x4x4x1x3x3 --cnn-fuse-moments | FileCheck %s --check-prefix=FEW
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=plain" --cnn-choose-schedules --cnn-fuse-moments | FileCheck %s --check-prefix=PLAIN
// Breaks if a batch norm's statistics read a large tensor again that its group could have taken them of, if a group's
// schedule changes for them, or if they are taken where that gains nothing.

// Windows that lie in the tile; the sums read nothing else, and what follows from them is as it was.
// DIRECT: %[[X:.*]]:3 = cnn.group "conv1" {{.*}}tile = [1, 1, 4, 4, 1, 3, 3],{{.*}} because "asked for: {{.*}}; mean and squares of windows of 4x4 for 'sums1': {{[0-9]+}} cycles estimated, instead of {{[0-9]+}}"
// DIRECT: %[[C:.*]] = cnn.conv
// DIRECT-NEXT: %[[M:.*]] = cnn.avg_pool %[[C]] {kernel = array<i64: 4, 4>, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 4, 4>} : tensor<96x64x56x56xf32, #cnn.layout<[[B:.*]]>> -> tensor<96x64x14x14xf32, #cnn.layout<[[B]]>>
// DIRECT-NEXT: %[[Q:.*]] = cnn.window_squares %[[C]], %[[M]] {window = array<i64: 4, 4>}
// DIRECT-NEXT: cnn.yield %[[C]], %[[M]], %[[Q]]
// DIRECT: cnn.group "sums1" (%[[P:.*]] = %{{[^,]*}}, %[[MI:.*]] = %[[X]]#1, %[[QI:.*]] = %[[X]]#2) {{.*}} because "from windows that 'conv1' has; {{.*}} cycles estimated
// DIRECT-NEXT: cnn.combine_moments %[[MI]], %[[QI]], %[[P]] {area = 16 : i64}
// A pointwise group has tiles, too.
// DIRECT: cnn.group "add1" {{.*}}mean and squares of windows of 1x8
// DIRECT: cnn.group "sums2" {{.*}}from windows that 'add1' has
// What the third cache still has is read again; so is what ends in a pooling, is scattered, or is in no tile.
// DIRECT: cnn.group "sums3" {{.*}}reads what 'small' makes again: its 96 KB are still in the third cache
// DIRECT: cnn.group "sums4" {{.*}}reads what 'pooled' makes again: it has a pooling
// DIRECT: cnn.group "sums5" {{.*}}reads what 'scattered' makes again: its results are complete only after all of its points
// DIRECT: cnn.group "sums6" {{.*}}reads what 'x.blocks' makes again: no windows of 8 to 16 elements tile its register tile of 1x1 and an image of 56x56

// WINOGRAD: %[[X:.*]]:3 = cnn.group "conv1.blocks"
// WINOGRAD: %[[Y:.*]]:3 = cnn.group "conv1" {{.*}}mean and squares of windows of 4x4 for 'sums1'
// WINOGRAD: %[[C:.*]] = cnn.winograd_output
// WINOGRAD-NEXT: cnn.avg_pool %[[C]] {kernel = array<i64: 4, 4>
// WINOGRAD-NEXT: cnn.window_squares
// WINOGRAD: cnn.yield %[[Y]]#0, %[[Y]]#1, %[[Y]]#2
// WINOGRAD: cnn.group "sums1" (%{{[^,]*}}, %{{.*}} = %[[X]]#1, %{{.*}} = %[[X]]#2)

// Within the slices; out of the group of blocks, and into the next slices.
// SLICED: %[[S:.*]]:3 = cnn.group "small"
// SLICED: cnn.group "sums3" (%{{[^,]*}}, %{{.*}} = %[[S]]#1, %{{.*}} = %[[S]]#2)
// SLICED-NEXT: cnn.combine_moments {{.*}} {area = 8 : i64}
// SLICED: %[[X:.*]]:3 = cnn.group "conv1.blocks"
// SLICED: cnn.group "f.slices{{.*}}, %[[M:[^ ]*]] = %[[X]]#1, %[[Q:[^ ]*]] = %[[X]]#2)
// SLICED: cnn.group "sums1" (%{{[^,]*}}, %{{.*}} = %[[M]], %{{.*}} = %[[Q]])
// SLICED-NEXT: cnn.combine_moments {{.*}} {area = 8 : i64}

// ASKED: cnn.group "sums1" {{.*}}reads what 'conv1' makes again: asked for: windows:1x1
// ASKED-NEXT: cnn.channel_sums

// Sixteen registers hold windows of eight; so many of them are not worth it.
// FEW: cnn.group "sums1" {{.*}}reads what 'conv1' makes again: windows are not faster: {{[0-9]+}} cycles estimated, instead of {{[0-9]+}}

// Vectors along rows have the elements of a window in their lanes.
// PLAIN-NOT: cnn.combine_moments
// PLAIN: cnn.group "sums1" {{.*}}reads what 'conv1' makes again: its vectors run along the rows or columns of an image
// PLAIN-NOT: cnn.combine_moments
module @norms {
  cnn.param @w : tensor<64x64x3x3xf32> parameter <"constant", value = 1.0 : f64>
  cnn.param @v : tensor<4x4x3x3xf32> parameter <"constant", value = 1.0 : f64>
  func.func @f(%x: tensor<96x64x56x56xf32> {cnn.name = "x"}, %y: tensor<96x4x8x8xf32> {cnn.name = "y"}, %z: tensor<96x64x112x112xf32> {cnn.name = "z"}, %i: tensor<96x64x56x56xi32> {cnn.name = "i"}, %p: tensor<96x64xf32> {cnn.name = "p"}, %q: tensor<96x4xf32> {cnn.name = "q"}) -> (tensor<96x64x56x56xf32>, tensor<96x64xf32>, tensor<96x64xf32>, tensor<96x64x56x56xf32>, tensor<96x64xf32>, tensor<96x64xf32>, tensor<96x4x8x8xf32>, tensor<96x4xf32>, tensor<96x4xf32>, tensor<96x64x56x56xf32>, tensor<96x64xf32>, tensor<96x64xf32>, tensor<96x64x112x112xf32>, tensor<96x64xf32>, tensor<96x64xf32>, tensor<96x64xf32>, tensor<96x64xf32>) {
    %w = cnn.read @w : tensor<64x64x3x3xf32>
    %v = cnn.read @v : tensor<4x4x3x3xf32>
    %conv1 = cnn.group "conv1" (%a = %x, %b = %w) : (tensor<96x64x56x56xf32>, tensor<64x64x3x3xf32>) -> tensor<96x64x56x56xf32> {
      %s = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<96x64x56x56xf32>, tensor<64x64x3x3xf32> -> tensor<96x64x56x56xf32>
      cnn.yield %s : tensor<96x64x56x56xf32>
    }
    %sums1:2 = cnn.group "sums1" (%a = %conv1, %b = %p) : (tensor<96x64x56x56xf32>, tensor<96x64xf32>) -> (tensor<96x64xf32>, tensor<96x64xf32>) {
      %s, %t = cnn.channel_sums %a, %b : tensor<96x64x56x56xf32>, tensor<96x64xf32> -> tensor<96x64xf32>, tensor<96x64xf32>
      cnn.yield %s, %t : tensor<96x64xf32>, tensor<96x64xf32>
    }
    %add1 = cnn.group "add1" (%a = %x, %b = %conv1) : (tensor<96x64x56x56xf32>, tensor<96x64x56x56xf32>) -> tensor<96x64x56x56xf32> {
      %s = cnn.add %a, %b : tensor<96x64x56x56xf32>, tensor<96x64x56x56xf32> -> tensor<96x64x56x56xf32>
      cnn.yield %s : tensor<96x64x56x56xf32>
    }
    %sums2:2 = cnn.group "sums2" (%a = %add1, %b = %p) : (tensor<96x64x56x56xf32>, tensor<96x64xf32>) -> (tensor<96x64xf32>, tensor<96x64xf32>) {
      %s, %t = cnn.channel_sums %a, %b : tensor<96x64x56x56xf32>, tensor<96x64xf32> -> tensor<96x64xf32>, tensor<96x64xf32>
      cnn.yield %s, %t : tensor<96x64xf32>, tensor<96x64xf32>
    }
    %small = cnn.group "small" (%a = %y, %b = %v) : (tensor<96x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<96x4x8x8xf32> {
      %s = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<96x4x8x8xf32>, tensor<4x4x3x3xf32> -> tensor<96x4x8x8xf32>
      cnn.yield %s : tensor<96x4x8x8xf32>
    }
    %sums3:2 = cnn.group "sums3" (%a = %small, %b = %q) : (tensor<96x4x8x8xf32>, tensor<96x4xf32>) -> (tensor<96x4xf32>, tensor<96x4xf32>) {
      %s, %t = cnn.channel_sums %a, %b : tensor<96x4x8x8xf32>, tensor<96x4xf32> -> tensor<96x4xf32>, tensor<96x4xf32>
      cnn.yield %s, %t : tensor<96x4xf32>, tensor<96x4xf32>
    }
    %pooled = cnn.group "pooled" (%a = %z, %b = %w) : (tensor<96x64x112x112xf32>, tensor<64x64x3x3xf32>) -> tensor<96x64x56x56xf32> {
      %s = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<96x64x112x112xf32>, tensor<64x64x3x3xf32> -> tensor<96x64x112x112xf32>
      %t = cnn.avg_pool %s {kernel = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : tensor<96x64x112x112xf32> -> tensor<96x64x56x56xf32>
      cnn.yield %t : tensor<96x64x56x56xf32>
    }
    %sums4:2 = cnn.group "sums4" (%a = %pooled, %b = %p) : (tensor<96x64x56x56xf32>, tensor<96x64xf32>) -> (tensor<96x64xf32>, tensor<96x64xf32>) {
      %s, %t = cnn.channel_sums %a, %b : tensor<96x64x56x56xf32>, tensor<96x64xf32> -> tensor<96x64xf32>, tensor<96x64xf32>
      cnn.yield %s, %t : tensor<96x64xf32>, tensor<96x64xf32>
    }
    %scattered = cnn.group "scattered" (%a = %x, %b = %i) : (tensor<96x64x56x56xf32>, tensor<96x64x56x56xi32>) -> tensor<96x64x112x112xf32> {
      %s = cnn.max_pool_grad %a, %b {kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 2, 2>} : tensor<96x64x56x56xf32>, tensor<96x64x56x56xi32> -> tensor<96x64x112x112xf32>
      cnn.yield %s : tensor<96x64x112x112xf32>
    }
    %sums5:2 = cnn.group "sums5" (%a = %scattered, %b = %p) : (tensor<96x64x112x112xf32>, tensor<96x64xf32>) -> (tensor<96x64xf32>, tensor<96x64xf32>) {
      %s, %t = cnn.channel_sums %a, %b : tensor<96x64x112x112xf32>, tensor<96x64xf32> -> tensor<96x64xf32>, tensor<96x64xf32>
      cnn.yield %s, %t : tensor<96x64xf32>, tensor<96x64xf32>
    }
    %sums6:2 = cnn.group "sums6" (%a = %x, %b = %p) : (tensor<96x64x56x56xf32>, tensor<96x64xf32>) -> (tensor<96x64xf32>, tensor<96x64xf32>) {
      %s, %t = cnn.channel_sums %a, %b : tensor<96x64x56x56xf32>, tensor<96x64xf32> -> tensor<96x64xf32>, tensor<96x64xf32>
      cnn.yield %s, %t : tensor<96x64xf32>, tensor<96x64xf32>
    }
    return %conv1, %sums1#0, %sums1#1, %add1, %sums2#0, %sums2#1, %small, %sums3#0, %sums3#1, %pooled, %sums4#0, %sums4#1, %scattered, %sums5#0, %sums5#1, %sums6#0, %sums6#1 : tensor<96x64x56x56xf32>, tensor<96x64xf32>, tensor<96x64xf32>, tensor<96x64x56x56xf32>, tensor<96x64xf32>, tensor<96x64xf32>, tensor<96x4x8x8xf32>, tensor<96x4xf32>, tensor<96x4xf32>, tensor<96x64x56x56xf32>, tensor<96x64xf32>, tensor<96x64xf32>, tensor<96x64x112x112xf32>, tensor<96x64xf32>, tensor<96x64xf32>, tensor<96x64xf32>, tensor<96x64xf32>
  }
}
