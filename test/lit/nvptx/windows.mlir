// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=a.forward=pool:with;tile:64x64x16x4x4;stages:1 override=b.forward=pool:with;tile:32x32x16x4x4;stages:1" | FileCheck %s --check-prefix=CHOSEN
// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=a.forward=pool:with;tile:64x64x16x4x4;stages:1 override=b.forward=pool:with;tile:32x32x16x4x4;stages:1" --cnn-plan --cnn-build-gpu-kernels --canonicalize --cse | FileCheck %s
// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=a.forward=pool:with;instruction:tf32" --cnn-plan --cnn-build-gpu-kernels --canonicalize --cse | FileCheck %s --check-prefix=MMA
// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=conv=pool:apart" | FileCheck %s --check-prefix=APART
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=s.forward=pool:with" 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=a.forward=pool:beside" 2>&1 | FileCheck %s --check-prefix=WORD
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=b.forward=pool:with;tile:64x64x16x4x4" 2>&1 | FileCheck %s --check-prefix=WHOLE
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=t.forward=pool:with;contraction" 2>&1 | FileCheck %s --check-prefix=THREE
// Breaks if windows are not whole in a thread or a warp, if threads of a warp part before they exchange points, or if what is asked for is not done.

// NONE: error: group 's.forward': pool:with does not apply: it is no product that a pooling follows
// WORD: error: loc("--set schedule.a.forward=pool:beside"): 'pool' is 'beside', expected with or apart
// WHOLE: error: group 'b.forward': a tile of 64 x 64 with 4 x 4 for each thread has no whole windows of the pooling within a warp
// THREE: error: group 't.forward': algorithm 'contraction' does not apply: windows of 9 points follow, of which tiles have no whole number
#last = #cnn.layout<order = [0, 2, 3, 1], block = 1>
module @m attributes {cnn.target = "nvptx", cnn.cpu = "sm_80"} {
  func.func @infer(%x: tensor<8x32x24x24xf32>, %u: tensor<8x16x24x24xf32>, %w: tensor<40x32x3x3xf32>, %v: tensor<32x16x1x1xf32>, %b: tensor<40xf32>, %l: tensor<8x32x24x24xf32, #last>, %o: tensor<40x32x3x3xf32, #last>)
      -> (tensor<8x40x12x12xf32>, tensor<8x40x12x12xi32>, tensor<8x40x24x24xf32>, tensor<8x40x6x6xf32>, tensor<8x32x8x8xf32>, tensor<8x16x24x24xf32>) {
    // Columns are pixels. Within a row of a window they are threads beside each other, which exchange them; the rows are registers.
    // CHOSEN: cnn.group "a.forward" {{.*}} schedule #cnn.gpu_schedule<"contraction", block = 256, tile = [64, 64, 16, 4, 4]> because "with the pooling: asked for: pool:with;
    // CHOSEN: cnn.max_pool
    // CHECK-LABEL: gpu.func @a_forward(
    // CHECK: math.fma
    // Where a pixel is, it is stored; all threads meet between that and the exchange.
    // CHECK: scf.if
    // CHECK: memref.store
    // CHECK: memref.store
    // CHECK-NOT: memref.store
    // CHECK: }
    // CHECK-COUNT-2: gpu.shuffle idx
    // CHECK: arith.cmpf ugt
    // Of the two threads, the first stores the largest and where it was.
    // CHECK: scf.if
    // CHECK: memref.store {{.*}} : memref<46080xf32
    // CHECK: memref.store {{.*}} : memref<46080xi32
    // With tensor cores, neighbours of a row are in registers beside each other: they are stored at once, and nothing is exchanged.
    // MMA-LABEL: gpu.func @a_forward(
    // MMA: nvvm.mma.sync
    // MMA-NOT: gpu.shuffle
    // MMA: vector.store {{.*}} : memref<184320xf32{{.*}}, vector<2xf32>
    // MMA: gpu.return
    // APART: cnn.group "a.forward.product" {{.*}} because "apart from the pooling: asked for: pool:apart
    // APART: cnn.group "a.forward"
    // APART: cnn.max_pool
    %p, %i, %z = cnn.group "a.forward" (%a = %x, %k = %w, %c = %b) : (tensor<8x32x24x24xf32>, tensor<40x32x3x3xf32>, tensor<40xf32>) -> (tensor<8x40x12x12xf32>, tensor<8x40x12x12xi32>, tensor<8x40x24x24xf32>) {
      %y = cnn.conv %a, %k, %c {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : tensor<8x32x24x24xf32>, tensor<40x32x3x3xf32>, tensor<40xf32> -> tensor<8x40x24x24xf32>
      %r = cnn.relu %y : tensor<8x40x24x24xf32> -> tensor<8x40x24x24xf32>
      %m, %at = cnn.max_pool %r {kernel = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>, with_positions = true} : tensor<8x40x24x24xf32> -> tensor<8x40x12x12xf32>, tensor<8x40x12x12xi32>
      cnn.yield %m, %at, %r : tensor<8x40x12x12xf32>, tensor<8x40x12x12xi32>, tensor<8x40x24x24xf32>
    }
    // Rows are pixels, channels lie side by side. Of a window of 4 x 4, a thread has the points of four of its rows, and four threads of a warp, each eight apart,
    // have one between them: they add up their sums in two steps.
    // CHECK-LABEL: gpu.func @b_forward(
    // CHECK: math.fma
    // CHECK-NOT: gpu.shuffle
    // CHECK: gpu.shuffle xor
    // CHECK-NEXT: arith.addf
    // CHECK: gpu.shuffle xor
    // CHECK-NEXT: arith.addf
    // CHECK: arith.divf
    // CHECK: scf.if
    // CHECK: memref.store
    %q = cnn.group "b.forward" (%a = %l, %k = %o, %c = %b) : (tensor<8x32x24x24xf32, #last>, tensor<40x32x3x3xf32, #last>, tensor<40xf32>) -> tensor<8x40x6x6xf32, #last> {
      %y = cnn.conv %a, %k, %c {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : tensor<8x32x24x24xf32, #last>, tensor<40x32x3x3xf32, #last>, tensor<40xf32> -> tensor<8x40x24x24xf32>
      %m = cnn.avg_pool %y {kernel = array<i64: 4, 4>, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 4, 4>} : tensor<8x40x24x24xf32> -> tensor<8x40x6x6xf32, #last>
      cnn.yield %m : tensor<8x40x6x6xf32, #last>
    }
    %e = cnn.group "e.forward" (%a = %q) : (tensor<8x40x6x6xf32, #last>) -> tensor<8x40x6x6xf32> {
      %y = cnn.relu %a : tensor<8x40x6x6xf32, #last> -> tensor<8x40x6x6xf32>
      cnn.yield %y : tensor<8x40x6x6xf32>
    }
    // Three by three pixels are no whole part of a tile.
    // CHOSEN: cnn.group "t.forward.product" {{.*}} because "apart from the pooling: {{.*}} us, not {{.*}} us; apart, {{[0-9]+}} more bytes are written and read, since windows of 9 points follow
    %t = cnn.group "t.forward" (%a = %u, %k = %v) : (tensor<8x16x24x24xf32>, tensor<32x16x1x1xf32>) -> tensor<8x32x8x8xf32> {
      %y = cnn.conv %a, %k {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : tensor<8x16x24x24xf32>, tensor<32x16x1x1xf32> -> tensor<8x32x24x24xf32>
      %m = cnn.max_pool %y {kernel = array<i64: 3, 3>, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 3, 3>} : tensor<8x32x24x24xf32> -> tensor<8x32x8x8xf32>
      cnn.yield %m : tensor<8x32x8x8xf32>
    }
    %s = cnn.group "s.forward" (%a = %u) : (tensor<8x16x24x24xf32>) -> tensor<8x16x24x24xf32> {
      %y = cnn.sigmoid %a : tensor<8x16x24x24xf32> -> tensor<8x16x24x24xf32>
      cnn.yield %y : tensor<8x16x24x24xf32>
    }
    return %p, %i, %z, %e, %t, %s : tensor<8x40x12x12xf32>, tensor<8x40x12x12xi32>, tensor<8x40x24x24xf32>, tensor<8x40x6x6xf32>, tensor<8x32x8x8xf32>, tensor<8x16x24x24xf32>
  }
}
