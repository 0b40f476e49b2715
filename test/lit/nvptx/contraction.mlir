// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=conv=contraction;tile:64x64x16x4x4;stages:1 override=linear=contraction override=conv_weight_grad=contraction;split:1;stages:1" | FileCheck %s --check-prefix=CHOSEN
// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=conv=contraction;tile:64x64x16x4x4;stages:1 override=linear=contraction override=conv_weight_grad=contraction;split:1;stages:1" --cnn-plan --cnn-build-gpu-kernels --canonicalize --cse | FileCheck %s
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=s.forward=contraction" 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=c.forward=contraction;tile:32x32x16x4x5" 2>&1 | FileCheck %s --check-prefix=TILE
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=c.forward=contraction;tile:32x32x1x4x4" 2>&1 | FileCheck %s --check-prefix=DEPTH
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=c.forward=contraction;tile:128x128x64x8x8" 2>&1 | FileCheck %s --check-prefix=SHARED
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=c.forward=contraction;tile:32x32x16" 2>&1 | FileCheck %s --check-prefix=FIVE
// Breaks if a product of two tensors is not seen as one, if rows and columns are mixed up, or if threads go on
// before the others have read or written a tile.

// NONE: error: group 's.forward': algorithm 'contraction' does not apply: it is no sum of products of two tensors
// TILE: error: group 'c.forward': a tile of 32 x 32 with 4 x 5 for each thread does not take 256 threads
// DEPTH: error: group 'c.forward': a depth of 1 does not give each of 64 threads as many elements to read
// SHARED: error: group 'c.forward': the tile takes 135168 bytes of shared memory; at most 49152
// FIVE: error: group 'c.forward': the tile of a contraction is five extents from 1 to 1024: rows, columns, depth, and the rows and columns of a thread, or of a warp
module @m attributes {cnn.target = "nvptx"} {
  func.func @infer(%x: tensor<2x3x9x9xf32>, %w: tensor<40x3x3x3xf32>, %b: tensor<40xf32>, %u: tensor<40x20xf32>, %v: tensor<24x20xf32>, %dy: tensor<2x40x9x9xf32>)
      -> (tensor<2x40x9x9xf32>, tensor<40x24xf32>, tensor<40x3x3x3xf32>, tensor<2x3x9x9xf32>) {
    // Rows are the channels of the result, columns its pixels, which are neighbours in memory.
    // CHOSEN: cnn.group "c.forward" {{.*}} schedule #cnn.gpu_schedule<"contraction", block = 256, tile = [64, 64, 16, 4, 4]>
    // CHECK-LABEL: gpu.func @c_forward(
    // CHECK-SAME: workgroup(%[[A:.*]] : memref<[[#]]xf32, #gpu.address_space<workgroup>> {llvm.align = 16 : i64}, %[[B:.*]] : memref<1024xf32, #gpu.address_space<workgroup>> {llvm.align = 16 : i64})
    // So many registers that two blocks fit.
    // CHECK-SAME: nvvm.minctasm = 2 : i32
    // Two steps of 16 for 27 products.
    // CHECK: scf.for {{.*}} = %c0_i32 to %c2_i32
    // The image is read where it is, else a zero.
    // CHECK: memref.load
    // CHECK: gpu.barrier
    // CHECK-COUNT-8: llvm.store {{.*}} : f32, !llvm.ptr<3>
    // CHECK: gpu.barrier
    // CHECK-NOT: gpu.barrier
    // CHECK: memref.load %[[A]][
    // CHECK: memref.load %[[B]][
    // CHECK: math.fma
    // CHECK: scf.yield
    // The bias and what follows, for the elements that there are.
    // CHECK: scf.if
    // CHECK: scf.if
    // CHECK: arith.addf
    // CHECK: memref.store
    %c = cnn.group "c.forward" (%a = %x, %k = %w, %o = %b) : (tensor<2x3x9x9xf32>, tensor<40x3x3x3xf32>, tensor<40xf32>) -> tensor<2x40x9x9xf32> {
      %y = cnn.conv %a, %k, %o {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : tensor<2x3x9x9xf32>, tensor<40x3x3x3xf32>, tensor<40xf32> -> tensor<2x40x9x9xf32>
      cnn.yield %y : tensor<2x40x9x9xf32>
    }
    // One tile, which its threads share: two would bring as much and have fewer threads that wait.
    // CHOSEN: cnn.group "l.forward" {{.*}} schedule #cnn.gpu_schedule<"contraction", block = 256, tile = [64, 64, 16, 4, 4], stages = 2>
    // CHECK-LABEL: gpu.func @l_forward(
    %l = cnn.group "l.forward" (%a = %u, %k = %v) : (tensor<40x20xf32>, tensor<24x20xf32>) -> tensor<40x24xf32> {
      %y = cnn.linear %a, %k : tensor<40x20xf32>, tensor<24x20xf32> -> tensor<40x24xf32>
      cnn.yield %y : tensor<40x24xf32>
    }
    // CHOSEN: cnn.group "c.weight_grad" {{.*}} schedule #cnn.gpu_schedule<"contraction", {{.*}}> because "asked for: contraction;split:1;stages:1"
    // CHECK-LABEL: gpu.func @c_weight_grad(
    // 162 products in steps of 16.
    // CHECK: scf.for {{.*}} = %c0_i32 to %c11_i32
    %g = cnn.group "c.weight_grad" (%a = %x, %k = %dy) : (tensor<2x3x9x9xf32>, tensor<2x40x9x9xf32>) -> tensor<40x3x3x3xf32> {
      %y = cnn.conv_weight_grad %a, %k {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : tensor<2x3x9x9xf32>, tensor<2x40x9x9xf32> -> tensor<40x3x3x3xf32>
      cnn.yield %y : tensor<40x3x3x3xf32>
    }
    %s = cnn.group "s.forward" (%a = %x) : (tensor<2x3x9x9xf32>) -> tensor<2x3x9x9xf32> {
      %y = cnn.sigmoid %a : tensor<2x3x9x9xf32> -> tensor<2x3x9x9xf32>
      cnn.yield %y : tensor<2x3x9x9xf32>
    }
    return %c, %l, %g, %s : tensor<2x40x9x9xf32>, tensor<40x24xf32>, tensor<40x3x3x3xf32>, tensor<2x3x9x9xf32>
  }
}
