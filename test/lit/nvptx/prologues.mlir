// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=conv=contraction;tile:64x64x16x4x4;stages:2;split:1" --cnn-plan --cnn-build-gpu-kernels --canonicalize --cse | FileCheck %s
// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=conv=instruction:bf16;tile:64x64x16x32x32;stages:2;split:1" --cnn-plan --cnn-build-gpu-kernels --canonicalize --cse | FileCheck %s --check-prefix=BF16
// Breaks if a factor that is computed on the way is not loaded 16 bytes at a time, if a product waits for what is loaded for the next tile, or if
// what lies outside of the factor is computed, too, and not zero.

#last = #cnn.layout<order = [0, 2, 3, 1], block = 1>
module @m attributes {cnn.target = "nvptx", cnn.cpu = "sm_80"} {
  func.func @infer(%x: tensor<32x32x11x11xf32, #last>, %m: tensor<32x1x1xf32>, %s: tensor<32x1x1xf32>, %w: tensor<64x32x3x3xf32, #last>, %z: tensor<32x32x6x8xf32>, %v: tensor<64x32x1x1xf32>)
      -> (tensor<32x64x11x11xf32>, tensor<32x64x6x8xf32>) {
    // CHECK-LABEL: gpu.func @a_forward(%arg0: memref<123904xf32> {{.*}}, %arg1: memref<32xf32> {{.*}}, %arg2: memref<32xf32>
    // CHECK: scf.for
    // CHECK: gpu.barrier
    // The images of the next tile, and whether they are there; nothing else of them before the product.
    // CHECK: scf.if %{{.*}} -> (vector<4xf32>, vector<4xf32>, i1) {
    // CHECK: %[[AT:.*]] = arith.select %[[IN:[0-9]+]], %{{.*}}, %c0_i32
    // CHECK: %[[P:.*]] = llvm.getelementptr %{{.*}}[%[[AT]]]
    // CHECK-NEXT: %[[X:.*]] = llvm.load %[[P]] {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
    // CHECK-NEXT: scf.yield %{{.*}}, %[[X]], %[[IN]] :
    // CHECK: } else {
    // CHECK-NEXT: scf.yield %{{.*}}, %{{.*}}, %false :
    // CHECK: math.fma
    // Behind it: four channels of each number, and zeros outside.
    // CHECK: scf.if
    // CHECK: vector.load %arg1[%[[C:.*]]] {alignment = 16 : i64}
    // CHECK-NEXT: vector.load %arg2[%[[C]]] {alignment = 16 : i64}
    // CHECK-COUNT-4: arith.mulf
    // CHECK: %[[Y:.*]] = vector.from_elements
    // CHECK-NEXT: %[[Z:.*]] = arith.select %{{.*}}, %[[Y]], %{{.*}} : vector<4xf32>
    // CHECK-NEXT: llvm.extractelement %[[Z]]
    // CHECK: scf.yield
    // BF16-LABEL: gpu.func @a_forward(
    // BF16: scf.for
    // BF16: scf.if %{{.*}} -> (vector<4xf32>, vector<4xf32>, vector<4xf32>, i1, vector<4xf32>, i1)
    // BF16: nvvm.mma.sync
    // BF16: arith.select %{{.*}} : vector<4xf32>
    // BF16: nvvm.convert.f32x2.to.bf16x2
    %a = cnn.group "a.forward" (%i = %x, %c = %m, %f = %s, %k = %w) : (tensor<32x32x11x11xf32, #last>, tensor<32x1x1xf32>, tensor<32x1x1xf32>, tensor<64x32x3x3xf32, #last>) -> tensor<32x64x11x11xf32> {
      %0 = cnn.sub %i, %c : tensor<32x32x11x11xf32, #last>, tensor<32x1x1xf32> -> tensor<32x32x11x11xf32>
      %1 = cnn.mul %0, %f : tensor<32x32x11x11xf32>, tensor<32x1x1xf32> -> tensor<32x32x11x11xf32>
      %y = cnn.conv %1, %k {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : tensor<32x32x11x11xf32>, tensor<64x32x3x3xf32, #last> -> tensor<32x64x11x11xf32>
      cnn.yield %y : tensor<32x64x11x11xf32>
    }
    // Four pixels of a channel, which have a number of each kind for all of them.
    // CHECK-LABEL: gpu.func @b_forward(
    // CHECK: scf.for
    // CHECK: llvm.load {{.*}} -> vector<4xf32>
    // CHECK: math.fma
    // CHECK: scf.if
    // CHECK: memref.load %arg1[
    // CHECK-NEXT: memref.load %arg2[
    // CHECK: vector.from_elements
    // CHECK: llvm.store {{.*}} {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<3>
    %b = cnn.group "b.forward" (%i = %z, %c = %m, %f = %s, %k = %v) : (tensor<32x32x6x8xf32>, tensor<32x1x1xf32>, tensor<32x1x1xf32>, tensor<64x32x1x1xf32>) -> tensor<32x64x6x8xf32> {
      %0 = cnn.sub %i, %c : tensor<32x32x6x8xf32>, tensor<32x1x1xf32> -> tensor<32x32x6x8xf32>
      %1 = cnn.mul %0, %f : tensor<32x32x6x8xf32>, tensor<32x1x1xf32> -> tensor<32x32x6x8xf32>
      %y = cnn.conv %1, %k {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : tensor<32x32x6x8xf32>, tensor<64x32x1x1xf32> -> tensor<32x64x6x8xf32>
      cnn.yield %y : tensor<32x64x6x8xf32>
    }
    return %a, %b : tensor<32x64x11x11xf32>, tensor<32x64x6x8xf32>
  }
}
