// RUN: cnn-opt %s --cnn-choose-gpu-schedules --cnn-plan --cnn-build-gpu-kernels --canonicalize --cse | FileCheck %s
// Breaks if the threads of a block do not share the points of a sum, or add theirs up without waiting
// for each other.

module @m attributes {cnn.target = "nvptx"} {
  func.func @infer(%x: tensor<300x4xf32>, %lr: tensor<f32>, %b: tensor<4xf32>) -> (tensor<4xf32>, tensor<f32>) {
    // CHECK-LABEL: gpu.func @b_grad(
    // CHECK-SAME: workgroup(%[[S:.*]] : memref<64xf32, #gpu.address_space<workgroup>> {llvm.align = 16 : i64}) kernel attributes {known_block_size = array<i32: 64, 1, 1>}
    // CHECK-DAG: %[[T:.*]] = arith.index_castui %{{.*}} : index to i32
    // CHECK: %[[SUM:.*]] = scf.for %[[K:.*]] = %{{.*}} to %c300_i32 step %c64_i32 iter_args({{.*}}) -> (f32)
    // CHECK: memref.store %[[SUM]], %[[S]][
    // CHECK: gpu.barrier
    // CHECK: arith.cmpi ult, %{{.*}}, %c32_i32
    // CHECK: scf.if
    // CHECK: arith.addf
    // CHECK: memref.store %{{.*}}, %[[S]][
    // CHECK-COUNT-5: gpu.barrier
    // CHECK-NOT: gpu.barrier
    // The first thread subtracts what has been summed up from the parameter.
    // CHECK: arith.cmpi ult, %{{.*}}, %c1_i32
    // CHECK: scf.if
    // CHECK: memref.load %[[S]]
    // CHECK: arith.mulf
    // CHECK: arith.subf
    // CHECK: memref.store
    %g = cnn.group "b.grad" (%a = %x, %l = %lr, %p = %b) : (tensor<300x4xf32>, tensor<f32>, tensor<4xf32>) -> tensor<4xf32> {
      %v = cnn.reduce_sum %a dims [0] : tensor<300x4xf32> -> tensor<4xf32>
      %m = cnn.mul %v, %l : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
      %u = cnn.sub %p, %m : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
      cnn.yield %u : tensor<4xf32>
    }
    // CHECK-LABEL: gpu.func @largest_kernel(
    // CHECK: arith.maximumf
    // CHECK: gpu.barrier
    // CHECK: arith.maximumf
    %m = cnn.group "largest" (%a = %x) : (tensor<300x4xf32>) -> tensor<f32> {
      %v = cnn.reduce_max %a dims [0, 1] : tensor<300x4xf32> -> tensor<f32>
      cnn.yield %v : tensor<f32>
    }
    return %g, %m : tensor<4xf32>, tensor<f32>
  }
}
