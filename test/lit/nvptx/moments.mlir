// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=a.forward=tile:64x64x16x4x4;stages:1" --cnn-fuse-moments | FileCheck %s --check-prefix=CHOSEN
// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=a.forward=tile:64x64x16x4x4;stages:1" --cnn-fuse-moments --cnn-plan --cnn-build-gpu-kernels --canonicalize --cse | FileCheck %s
// RUN: cnn-opt %s --cnn-choose-gpu-schedules=precision=3e-4 --cnn-fuse-moments | FileCheck %s --check-prefix=MMA
// RUN: cnn-opt %s --cnn-choose-gpu-schedules "--cnn-fuse-moments=override=conv=windows:1x1 override=b.forward=windows:4x4" | FileCheck %s --check-prefix=ASKED
// RUN: not cnn-opt %s --cnn-choose-gpu-schedules "--cnn-fuse-moments=override=a.forward=windows:3x3" 2>&1 | FileCheck %s --check-prefix=THREE
// RUN: not cnn-opt %s --cnn-choose-gpu-schedules "--cnn-fuse-moments=override=a.forward=windows:5x4" 2>&1 | FileCheck %s --check-prefix=FIVE
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=b.forward=algorithm:point" "--cnn-fuse-moments=override=b.forward=windows:4x4" 2>&1 | FileCheck %s --check-prefix=POINT
// Breaks if a product's tiles do not take a batch norm's statistics of windows where that saves time, if a reason is missing, or if the mean of a window is not
// that of all of its threads before distances from it are summed.

// THREE: error: group 'a.forward': windows of 3x3 do not apply: algorithm 'contraction' does not apply: windows of 9 points follow, of which tiles have no whole number
// FIVE: error: group 'a.forward': windows of 5x4 do not apply: they do not tile an image of 24x24
// POINT: error: group 'b.forward': windows of 4x4 do not apply: it is computed by algorithm 'point', not by tiles of a product
#last = #cnn.layout<order = [0, 2, 3, 1], block = 1>
module @m attributes {cnn.target = "nvptx", cnn.cpu = "sm_80"} {
  func.func @train_step(%x: tensor<64x32x24x24xf32, #last>, %w: tensor<64x32x3x3xf32, #last>, %v: tensor<64x64x3x3xf32, #last>, %ca: tensor<64x64xf32>, %cb: tensor<64x64xf32>, %u: tensor<64x32x9x9xf32>, %k: tensor<64x32x1x1xf32>, %cc: tensor<64x64xf32>)
      -> (tensor<64x64x12x12xf32>, tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64x9x9xf32>, tensor<64x64xf32>, tensor<64x64xf32>) {
    // Windows take the layout of what they are windows of. The schedule stays, and the sums read nothing else.
    // CHOSEN: %[[A:.*]]:3 = cnn.group "a.forward" {{.*}} schedule #cnn.gpu_schedule<"contraction", block = 256, tile = [64, 64, 16, 4, 4]> because "asked for: tile:64x64x16x4x4;stages:1; mean and squares of windows of 1x8 for 'a.sums': {{[0-9.]+}} us estimated, instead of {{[0-9.]+}} us"
    // CHOSEN: %[[Y:.*]] = cnn.conv
    // CHOSEN-NEXT: %[[M:.*]] = cnn.avg_pool %[[Y]] {kernel = array<i64: 1, 8>, {{.*}} -> tensor<64x64x24x3xf32, #cnn.layout<order = [0, 2, 3, 1], block = 1>>
    // CHOSEN-NEXT: cnn.window_squares %[[Y]], %[[M]] {window = array<i64: 1, 8>}
    // CHOSEN: cnn.group "a.sums" (%[[C:.*]] = %{{[^,]*}}, %[[AM:.*]] = %[[A]]#1, %[[AQ:.*]] = %[[A]]#2) {{.*}} because "from windows that 'a.forward' has; 4096 results of 72 points each
    // CHOSEN-NEXT: cnn.combine_moments %[[AM]], %[[AQ]], %[[C]] {area = 8 : i64}
    // Two threads, 16 apart, have a window between them. They add up their parts of the sum; then those of the squares.
    // CHECK-LABEL: gpu.func @a_forward(
    // CHECK: math.fma
    // CHECK-COUNT-4: memref.store
    // CHECK-COUNT-4: arith.addf
    // CHECK: %[[S:.*]], %{{.*}} = gpu.shuffle xor %[[P:.*]], %c16
    // CHECK-NEXT: %[[T:.*]] = arith.addf %[[P]], %[[S]]
    // CHECK-NEXT: %[[MEAN:.*]] = arith.divf %[[T]], %
    // CHECK-NEXT: %[[D:.*]] = arith.subf %{{.*}}, %[[MEAN]]
    // CHECK-NEXT: math.fma %[[D]], %[[D]],
    // CHECK: gpu.shuffle xor %{{.*}}, %c16
    // CHECK-NEXT: arith.addf
    // One of the two stores them.
    // CHECK: scf.if
    // CHECK: memref.store %[[MEAN]]
    // CHECK-NEXT: memref.store
    // CHECK-NEXT: }
    // MMA: cnn.group "a.forward" {{.*}}tf32{{.*}}mean and squares of windows of {{[0-9x]+}} for 'a.sums'
    // ASKED: cnn.group "a.sums" {{.*}}reads what 'a.forward' makes again: asked for: windows:1x1
    // ASKED-NEXT: cnn.channel_sums
    %a = cnn.group "a.forward" (%i = %x, %f = %w) : (tensor<64x32x24x24xf32, #last>, tensor<64x32x3x3xf32, #last>) -> tensor<64x64x24x24xf32, #last> {
      %y = cnn.conv %i, %f {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : tensor<64x32x24x24xf32, #last>, tensor<64x32x3x3xf32, #last> -> tensor<64x64x24x24xf32, #last>
      cnn.yield %y : tensor<64x64x24x24xf32, #last>
    }
    %as:2 = cnn.group "a.sums" (%i = %a, %c = %ca) : (tensor<64x64x24x24xf32, #last>, tensor<64x64xf32>) -> (tensor<64x64xf32>, tensor<64x64xf32>) {
      %s, %t = cnn.channel_sums %i, %c : tensor<64x64x24x24xf32, #last>, tensor<64x64xf32> -> tensor<64x64xf32>, tensor<64x64xf32>
      cnn.yield %s, %t : tensor<64x64xf32>, tensor<64x64xf32>
    }
    // Row-major, rows of windows are runs of a tile's columns, and short ones; asked for, a stride is no matter: windows are of results.
    // CHOSEN: cnn.group "b.sums" {{.*}}reads what 'b.forward' makes again: windows are not faster: {{[0-9.]+}} us estimated, instead of {{[0-9.]+}} us
    // ASKED: cnn.group "b.forward" {{.*}}mean and squares of windows of 4x4 for 'b.sums': asked for: windows:4x4
    %b = cnn.group "b.forward" (%i = %a, %f = %v) : (tensor<64x64x24x24xf32, #last>, tensor<64x64x3x3xf32, #last>) -> tensor<64x64x12x12xf32> {
      %y = cnn.conv %i, %f {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 2, 2>} : tensor<64x64x24x24xf32, #last>, tensor<64x64x3x3xf32, #last> -> tensor<64x64x12x12xf32>
      cnn.yield %y : tensor<64x64x12x12xf32>
    }
    %bs:2 = cnn.group "b.sums" (%i = %b, %c = %cb) : (tensor<64x64x12x12xf32>, tensor<64x64xf32>) -> (tensor<64x64xf32>, tensor<64x64xf32>) {
      %s, %t = cnn.channel_sums %i, %c : tensor<64x64x12x12xf32>, tensor<64x64xf32> -> tensor<64x64xf32>, tensor<64x64xf32>
      cnn.yield %s, %t : tensor<64x64xf32>, tensor<64x64xf32>
    }
    // CHOSEN: cnn.group "c.sums" {{.*}}reads what 'c.forward' makes again: no windows of 8 to 16 elements, powers of 2, tile an image of 9x9
    %d = cnn.group "c.forward" (%i = %u, %f = %k) : (tensor<64x32x9x9xf32>, tensor<64x32x1x1xf32>) -> tensor<64x64x9x9xf32> {
      %y = cnn.conv %i, %f {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : tensor<64x32x9x9xf32>, tensor<64x32x1x1xf32> -> tensor<64x64x9x9xf32>
      cnn.yield %y : tensor<64x64x9x9xf32>
    }
    %ds:2 = cnn.group "c.sums" (%i = %d, %c = %cc) : (tensor<64x64x9x9xf32>, tensor<64x64xf32>) -> (tensor<64x64xf32>, tensor<64x64xf32>) {
      %s, %t = cnn.channel_sums %i, %c : tensor<64x64x9x9xf32>, tensor<64x64xf32> -> tensor<64x64xf32>, tensor<64x64xf32>
      cnn.yield %s, %t : tensor<64x64xf32>, tensor<64x64xf32>
    }
    return %b, %as#0, %as#1, %bs#0, %bs#1, %d, %ds#0, %ds#1 : tensor<64x64x12x12xf32>, tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64x9x9xf32>, tensor<64x64xf32>, tensor<64x64xf32>
  }
}
