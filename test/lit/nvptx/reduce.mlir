// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=rows=reduce override=b.grad=tile:256;vector:1" --cnn-plan=together=false --cnn-build-gpu-kernels --canonicalize --cse | FileCheck %s
// Breaks if the threads of a block do not share the points of a sum, or add theirs up without waiting
// for each other.

module @m attributes {cnn.target = "nvptx"} {
  func.func @infer(%x: tensor<300x4xf32>, %lr: tensor<f32>, %b: tensor<4xf32>, %y: tensor<4x5x20x2xf32>, %z: tensor<100x12xf32>)
      -> (tensor<4xf32>, tensor<12xf32>, tensor<f32>, tensor<4x5xf32>) {
    // Elements of a sum do not lie side by side: each thread takes every 256th.
    // CHECK-LABEL: gpu.func @b_grad(
    // CHECK-SAME: workgroup(%[[S:.*]] : memref<8xf32, #gpu.address_space<workgroup>> {llvm.align = 16 : i64}) kernel attributes {cnn.decisions = [{{.*}}], known_block_size = array<i32: 256, 1, 1>, nvvm.minctasm = 2 : i32}
    // CHECK: %[[SUM:.*]] = scf.for %{{.*}} = %{{.*}} to %c300_i32 step %c256_i32 iter_args({{.*}}) -> (f32)
    // CHECK-COUNT-5: gpu.shuffle xor
    // CHECK-NOT: gpu.shuffle
    // The first thread of each warp stores its sum.
    // CHECK: scf.if
    // CHECK: memref.store %{{.*}}, %[[S]][
    // CHECK: gpu.barrier
    // CHECK-COUNT-8: memref.load %[[S]]
    // CHECK-COUNT-7: arith.addf
    // CHECK-NOT: gpu.barrier
    // The first thread subtracts what has been summed up from the parameter.
    // CHECK: arith.cmpi ult, %{{.*}}, %c1_i32
    // CHECK: scf.if
    // CHECK: arith.mulf
    // CHECK: arith.subf
    // CHECK: memref.store
    %g = cnn.group "b.grad" (%a = %x, %l = %lr, %p = %b) : (tensor<300x4xf32>, tensor<f32>, tensor<4xf32>) -> tensor<4xf32> {
      %v = cnn.reduce_sum %a dims [0] : tensor<300x4xf32> -> tensor<4xf32>
      %m = cnn.mul %v, %l : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
      %u = cnn.sub %p, %m : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
      cnn.yield %u : tensor<4xf32>
    }
    // Threads beside each other have four columns each, 64 share them. Of a warp they add up by shuffles at distances
    // of 16, 8 and 4 threads, then 8 warps.
    // CHECK-LABEL: gpu.func @columns_kernel(
    // CHECK-SAME: workgroup(%[[S:.*]] : memref<32xf32, {{.*}}memref<32xf32, {{.*}}memref<32xf32, {{.*}}memref<32xf32
    // CHECK: scf.for %{{.*}} = %{{.*}} to %c100_i32 step %c64_i32 iter_args({{.*}}) -> (f32, f32, f32, f32)
    // CHECK: vector.load %{{.*}} {alignment = 16 : i64} : memref<1200xf32>, vector<4xf32>
    // CHECK: scf.yield
    // CHECK-COUNT-12: gpu.shuffle xor
    // CHECK-NOT: gpu.shuffle
    // CHECK-COUNT-4: memref.store
    // CHECK: gpu.barrier
    // CHECK: scf.if
    // CHECK-COUNT-32: memref.load
    // CHECK: vector.store %{{.*}} {alignment = 16 : i64} : memref<12xf32>, vector<4xf32>
    %columns = cnn.group "columns" (%a = %z) : (tensor<100x12xf32>) -> tensor<12xf32> {
      %v = cnn.reduce_sum %a dims [0] : tensor<100x12xf32> -> tensor<12xf32>
      cnn.yield %v : tensor<12xf32>
    }
    // Four neighbours at a time, each in a maximum of its own.
    // CHECK-LABEL: gpu.func @largest_kernel(
    // CHECK: scf.for %{{.*}} = %{{.*}} to %c300_i32 step %c256_i32 iter_args({{.*}}) -> (f32, f32, f32, f32)
    // CHECK: vector.load %{{.*}} {alignment = 16 : i64} : memref<1200xf32>, vector<4xf32>
    // CHECK-NOT: vector.load
    // CHECK-COUNT-4: arith.maximumf
    // CHECK: scf.yield
    // CHECK-COUNT-8: arith.maximumf
    // CHECK: gpu.barrier
    %m = cnn.group "largest" (%a = %x) : (tensor<300x4xf32>) -> tensor<f32> {
      %v = cnn.reduce_max %a dims [0, 1] : tensor<300x4xf32> -> tensor<f32>
      cnn.yield %v : tensor<f32>
    }
    // A warp for each of 20 sums, 8 warps to a block: those behind the last one store nothing. 20 x 2 points lie
    // in a row, one for each thread of a warp at a time.
    // CHECK-LABEL: gpu.func @rows_kernel(
    // CHECK-NOT: workgroup
    // CHECK-DAG: arith.cmpi ult, %{{.*}}, %c20_i32
    // CHECK: scf.for %{{.*}} = %{{.*}} to %c40_i32 step %c32_i32
    // CHECK: memref.load
    // CHECK-COUNT-5: gpu.shuffle xor
    // CHECK-NOT: gpu.barrier
    // CHECK: scf.if
    // CHECK: memref.store
    %r = cnn.group "rows" (%a = %y) : (tensor<4x5x20x2xf32>) -> tensor<4x5xf32> {
      %v = cnn.reduce_sum %a dims [2, 3] : tensor<4x5x20x2xf32> -> tensor<4x5xf32>
      cnn.yield %v : tensor<4x5xf32>
    }
    return %g, %columns, %m, %r : tensor<4xf32>, tensor<12xf32>, tensor<f32>, tensor<4x5xf32>
  }
}
