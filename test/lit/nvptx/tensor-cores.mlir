// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=precision=1e-3" | FileCheck %s --check-prefix=TF32
// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=precision=1e-2" | FileCheck %s --check-prefix=BF16
// RUN: cnn-opt %s --cnn-choose-gpu-schedules | FileCheck %s --check-prefix=FMA
// RUN: sed s/sm_80/sm_75/ %s | cnn-opt "--cnn-choose-gpu-schedules=precision=1e-2" | FileCheck %s --check-prefix=OLD
// RUN: sed s/sm_80/sm_75/ %s | not cnn-opt "--cnn-choose-gpu-schedules=override=l.forward=instruction:tf32" 2>&1 | FileCheck %s --check-prefix=OLD-ASKED
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=l.forward=instruction:fp8" 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=d.forward=instruction:tf32" 2>&1 | FileCheck %s --check-prefix=DOUBLE
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=l.forward=instruction:tf32;tile:64x64x24x32x32" 2>&1 | FileCheck %s --check-prefix=POWER
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=l.forward=instruction:bf16;tile:64x64x8x32x32" 2>&1 | FileCheck %s --check-prefix=DEPTH
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=l.forward=instruction:tf32;tile:64x64x16x16x32" 2>&1 | FileCheck %s --check-prefix=WARP
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=l.forward=instruction:bf16;tile:64x128x32x64x64" 2>&1 | FileCheck %s --check-prefix=HELD
// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=l.forward=instruction:bf16;tile:128x128x32x64x64" | FileCheck %s --check-prefix=FITS
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=l.forward=instruction:tf32;stages:4" 2>&1 | FileCheck %s --check-prefix=SHARED
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=l.forward=stages:9" 2>&1 | FileCheck %s --check-prefix=STAGES
// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=precision=1e-3" --cnn-plan --cnn-build-gpu-kernels --canonicalize --cse | FileCheck %s --check-prefix=KERNEL
// Breaks if tensor cores are used where the precision or the processor does not allow it, or if a tile is multiplied
// before its copies have come.

// OLD-ASKED: error: group 'l.forward': instruction 'tf32' does not apply: sm_75 has none; sm_80 and later have
// NAME: error: group 'l.forward': instruction 'fp8' does not apply: there is no such instruction; there are fma, tf32 and bf16
// DOUBLE: error: group 'd.forward': instruction 'tf32' does not apply: its elements are not f32
// POWER: error: group 'l.forward': a tile of tensor cores has extents that are powers of 2, not 24
// DEPTH: error: group 'l.forward': a depth of 8 is not between 16, that of one bf16 instruction, and 64
// WARP: error: group 'l.forward': 16 x 32 results of one warp are not between 32 x 32 and 64 x 64
// HELD: error: group 'l.forward': 128 sums of a thread and 96 elements that it reads for the next tile are more than 199, which its registers hold; with less depth, or more threads, they are fewer
// FITS: cnn.group "l.forward" {{.*}} block = 128, tile = [128, 128, 32, 64, 64], instruction = "bf16"
// SHARED: error: group 'l.forward': the tile takes 65536 bytes of shared memory; at most 49152
// STAGES: error: group 'l.forward': 9 stages; expected 1 to 8
module @m attributes {cnn.target = "nvptx", cnn.cpu = "sm_80"} {
  func.func @infer(%x: tensor<2048x512xf32>, %w: tensor<1024x512xf32>, %u: tensor<2048x64xf64>, %v: tensor<1024x64xf64>) -> (tensor<2048x1024xf32>, tensor<2048x1024xf64>) {
    // TF32: cnn.group "l.forward" {{.*}} schedule #cnn.gpu_schedule<"contraction", block = 256, tile = [128, 128, 16, 64, 32], instruction = "tf32", stages = 3> because "2048 x 1024 results, each of 512 products: 128 tiles of 128 x 128 in tf32"
    // BF16: cnn.group "l.forward" {{.*}} schedule #cnn.gpu_schedule<"contraction", block = 256, tile = [128, 128, 32, 64, 32], instruction = "bf16", stages = 2>
    // FMA: cnn.group "l.forward" {{.*}} schedule #cnn.gpu_schedule<"contraction", block = 256, tile = [128, 64, 8, 8, 4], stages = 2>
    // OLD: cnn.group "l.forward" {{.*}} schedule #cnn.gpu_schedule<"contraction", block = 256, tile = [128, 64, 8, 8, 4], stages = 2>
    // Two tiles on their way, of 16 bytes a copy; the third follows when the oldest is there and the one before it is done with.
    // KERNEL-LABEL: gpu.func @l_forward(
    // KERNEL-SAME: workgroup(%{{.*}} : memref<6144xf32, {{.*}}>{{.*}}, %{{.*}} : memref<6144xf32,
    // KERNEL-SAME: nvvm.minctasm = 2 : i32
    // KERNEL-COUNT-4: nvvm.cp.async.shared.global {{.*}}, 16, cache = cg
    // KERNEL: nvvm.cp.async.commit.group
    // KERNEL-COUNT-4: nvvm.cp.async.shared.global {{.*}}, 16, cache = cg
    // KERNEL: nvvm.cp.async.commit.group
    // KERNEL: scf.for
    // KERNEL: nvvm.cp.async.wait.group 1
    // KERNEL-NEXT: gpu.barrier
    // KERNEL: scf.if
    // KERNEL-COUNT-4: nvvm.cp.async.shared.global {{.*}}, 16, cache = cg
    // KERNEL: nvvm.cp.async.commit.group
    // KERNEL-NOT: gpu.barrier
    // Two steps of 4 x 4 products of a warp, of operands rounded to the nearest.
    // KERNEL: nvvm.convert.float.to.tf32 %{{.*}} {rnd = #nvvm.fp_rnd_mode<rna>}
    // KERNEL-COUNT-32: nvvm.mma.sync
    // KERNEL-NOT: nvvm.mma.sync
    // KERNEL-NOT: gpu.barrier
    // KERNEL-LABEL: gpu.func @d_forward(
    %l = cnn.group "l.forward" (%a = %x, %k = %w) : (tensor<2048x512xf32>, tensor<1024x512xf32>) -> tensor<2048x1024xf32> {
      %y = cnn.linear %a, %k : tensor<2048x512xf32>, tensor<1024x512xf32> -> tensor<2048x1024xf32>
      cnn.yield %y : tensor<2048x1024xf32>
    }
    // TF32: cnn.group "d.forward" {{.*}} schedule #cnn.gpu_schedule<"contraction", block = 256, tile = [64, 64, 16, 4, 4], stages = 2>
    %d = cnn.group "d.forward" (%a = %u, %k = %v) : (tensor<2048x64xf64>, tensor<1024x64xf64>) -> tensor<2048x1024xf64> {
      %y = cnn.linear %a, %k : tensor<2048x64xf64>, tensor<1024x64xf64> -> tensor<2048x1024xf64>
      cnn.yield %y : tensor<2048x1024xf64>
    }
    return %l, %d : tensor<2048x1024xf32>, tensor<2048x1024xf64>
  }
}
