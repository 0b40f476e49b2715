// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=mul=vector:4 override=max_pool=vector:4 override=avg_pool_grad=vector:4" --cnn-plan=together=false --cnn-build-gpu-kernels --canonicalize --cse | FileCheck %s
// Breaks if neighbours of one thread are not read and written at once, or if what does not lie so is.

module @m attributes {cnn.target = "nvptx"} {
  func.func @infer(%x: tensor<2x3x7x5xf32>, %s: tensor<2x3x1x1xf32>, %i: tensor<2x3x8x8xf32>, %j: tensor<2x3x4x4xf32>,
                   %o: tensor<1x3x7x5xf32>, %m: tensor<1x3x1x1xf32>)
      -> (tensor<2x3x7x5xf32> {cnn.name = "y"}, tensor<2x3x4x4xf32> {cnn.name = "z"}, tensor<2x3x8x8xf32> {cnn.name = "g"},
          tensor<1x3x7x5xf32> {cnn.name = "h"}) {
    // 210 elements: 52 threads with 4 of them, which may lie in several rows, and one for each of the 2 that are left.
    // CHECK-LABEL: gpu.func @y_forward(
    // CHECK: arith.cmpi ult, %{{.*}}, %c52_i32
    // CHECK: scf.if
    // CHECK: %[[V:.*]] = vector.load %{{.*}} {alignment = 16 : i64} : memref<210xf32>, vector<4xf32>
    // CHECK-COUNT-4: memref.load %{{.*}} : memref<6xf32>
    // CHECK: vector.store %{{.*}} {alignment = 16 : i64} : memref<210xf32>, vector<4xf32>
    // CHECK: arith.cmpi ult, %{{.*}}, %c2_i32
    // CHECK: scf.if
    // CHECK-NOT: vector
    // CHECK: memref.store
    %y = cnn.group "y.forward" (%a = %x, %b = %s) : (tensor<2x3x7x5xf32>, tensor<2x3x1x1xf32>) -> tensor<2x3x7x5xf32> {
      %v = cnn.mul %a, %b : tensor<2x3x7x5xf32>, tensor<2x3x1x1xf32> -> tensor<2x3x7x5xf32>
      cnn.yield %v : tensor<2x3x7x5xf32>
    }
    // The windows of 4 neighbours are two rows of 8.
    // CHECK-LABEL: gpu.func @z_forward(
    // CHECK-COUNT-4: vector.load
    // CHECK-NOT: load
    // CHECK: vector.store
    %z = cnn.group "z.forward" (%a = %i) : (tensor<2x3x8x8xf32>) -> tensor<2x3x4x4xf32> {
      %v = cnn.max_pool %a {kernel = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : tensor<2x3x8x8xf32> -> tensor<2x3x4x4xf32>
      cnn.yield %v : tensor<2x3x4x4xf32>
    }
    // Points that are written side by side, two of each window.
    // CHECK-LABEL: gpu.func @g_backward(
    // CHECK: vector.store
    // CHECK-NOT: store
    %g = cnn.group "g.backward" (%a = %j) : (tensor<2x3x4x4xf32>) -> tensor<2x3x8x8xf32> {
      %v = cnn.avg_pool_grad %a {kernel = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : tensor<2x3x4x4xf32> -> tensor<2x3x8x8xf32>
      cnn.yield %v : tensor<2x3x8x8xf32>
    }
    // A batch of one image counts nothing, wherever it stands among the dimensions.
    // CHECK-LABEL: gpu.func @h_forward(
    // CHECK: vector.load %{{.*}} {alignment = 16 : i64} : memref<105xf32>, vector<4xf32>
    // CHECK: vector.store %{{.*}} {alignment = 16 : i64} : memref<105xf32>, vector<4xf32>
    %h = cnn.group "h.forward" (%a = %o, %b = %m) : (tensor<1x3x7x5xf32>, tensor<1x3x1x1xf32>) -> tensor<1x3x7x5xf32> {
      %v = cnn.mul %a, %b : tensor<1x3x7x5xf32>, tensor<1x3x1x1xf32> -> tensor<1x3x7x5xf32>
      cnn.yield %v : tensor<1x3x7x5xf32>
    }
    return %y, %z, %g, %h : tensor<2x3x7x5xf32>, tensor<2x3x4x4xf32>, tensor<2x3x8x8xf32>, tensor<1x3x7x5xf32>
  }
}
