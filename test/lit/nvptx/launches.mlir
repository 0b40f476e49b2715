// RUN: cnn-opt %s --cnn-choose-gpu-schedules --cnn-plan --cnn-build-gpu-kernels --canonicalize --cse | FileCheck %s
// Breaks if groups that could run together take a launch each, or if one that needs another does not wait for it.

// Small ones that depend on each other: one block, which waits between them.
// CHECK: cnn.launch @s_forward_and_1 items 1({{.*}}cnn.layer = "s.forward, t.forward"
// What can run then: blocks for each.
// CHECK: cnn.launch @u_forward_and_3 items 179({{.*}}cnn.layer = "u.forward, v.forward, x.forward, y.forward"
// CHECK: gpu.func @s_forward_and_1(
// CHECK-NOT: gpu.block_id
// CHECK: math.exp
// CHECK: memref.store
// CHECK: gpu.barrier
// CHECK: arith.addf
// CHECK: memref.store
// CHECK-NOT: gpu.barrier
// CHECK: gpu.func @u_forward_and_3(
// CHECK: %[[B:.*]] = gpu.block_id x
// CHECK: arith.cmpi ult, %[[B]], %c2
// CHECK: arith.cmpi ult, %[[B]], %c1
// CHECK: arith.divf
// CHECK: arith.mulf
// CHECK: arith.cmpi ult, %[[B]], %c61
// CHECK: arith.subi %[[B]], %c2
// CHECK: math.exp
// CHECK: arith.subi %[[B]], %c61
// CHECK: math.tanh
module @m attributes {cnn.target = "nvptx"} {
  func.func @infer(%a: tensor<20x12xf32>, %b: tensor<60x1000xf32>, %c: tensor<30x1000xf32>)
      -> (tensor<20x12xf32> {cnn.name = "u"}, tensor<20x12xf32> {cnn.name = "v"}, tensor<60x1000xf32> {cnn.name = "x"}, tensor<30x1000xf32> {cnn.name = "y"}) {
    %s = cnn.group "s.forward" (%p = %a) : (tensor<20x12xf32>) -> tensor<20x12xf32> {
      %r = cnn.exp %p : tensor<20x12xf32> -> tensor<20x12xf32>
      cnn.yield %r : tensor<20x12xf32>
    }
    %t = cnn.group "t.forward" (%p = %s) : (tensor<20x12xf32>) -> tensor<20x1xf32> {
      %r = cnn.reduce_sum %p dims [1] : tensor<20x12xf32> -> tensor<20x1xf32> {keep_dims = true}
      cnn.yield %r : tensor<20x1xf32>
    }
    %u = cnn.group "u.forward" (%p = %s, %q = %t) : (tensor<20x12xf32>, tensor<20x1xf32>) -> tensor<20x12xf32> {
      %r = cnn.div %p, %q : tensor<20x12xf32>, tensor<20x1xf32> -> tensor<20x12xf32>
      cnn.yield %r : tensor<20x12xf32>
    }
    %v = cnn.group "v.forward" (%p = %s, %q = %t) : (tensor<20x12xf32>, tensor<20x1xf32>) -> tensor<20x12xf32> {
      %r = cnn.mul %p, %q : tensor<20x12xf32>, tensor<20x1xf32> -> tensor<20x12xf32>
      cnn.yield %r : tensor<20x12xf32>
    }
    %x = cnn.group "x.forward" (%p = %b) : (tensor<60x1000xf32>) -> tensor<60x1000xf32> {
      %r = cnn.exp %p : tensor<60x1000xf32> -> tensor<60x1000xf32>
      cnn.yield %r : tensor<60x1000xf32>
    }
    %y = cnn.group "y.forward" (%p = %c) : (tensor<30x1000xf32>) -> tensor<30x1000xf32> {
      %r = cnn.tanh %p : tensor<30x1000xf32> -> tensor<30x1000xf32>
      cnn.yield %r : tensor<30x1000xf32>
    }
    return %u, %v, %x, %y : tensor<20x12xf32>, tensor<20x12xf32>, tensor<60x1000xf32>, tensor<30x1000xf32>
  }
}
