// RUN: cnn-opt %s -split-input-file -cnn-recompute -canonicalize -cse -mlir-print-debuginfo=false | FileCheck %s
// RUN: cnn-opt %s -split-input-file -cnn-recompute -canonicalize -cse -cnn-fuse | FileCheck %s --check-prefix=FUSED
// Fails when the backward pass reads what a recipe does not want kept, when copies are merged with what they repeat,
// or when what is dear or must be kept is computed again.

// Cheap: the sigmoid's result is one pass over %x, which is kept anyway. Not the sum of two large tensors; not the
// product; not the small sum over the batch.
// CHECK-LABEL: module @cheap {
// CHECK: %[[S:.*]] = cnn.sigmoid %[[X:[^ ]*]] : tensor<64x64xf32>
// CHECK: %[[L:.*]] = cnn.linear %[[S]]
// CHECK: %[[A:.*]] = cnn.add %[[L]], %[[X]]
// CHECK: %[[LOSS:.*]] = cnn.reduce_sum %[[A]]
// CHECK: %[[R:.*]] = cnn.sigmoid %[[X]] : tensor<64x64xf32> -> tensor<64x64xf32> {cnn.because = "computed again for the backward pass: the recipe does not keep what is cheap to compute", cnn.recomputed}
// CHECK-NEXT: %[[G:.*]] = cnn.linear %[[R]], %[[A]]
// CHECK-NEXT: %[[H:.*]] = cnn.mul %[[G]], %[[X]]
// CHECK-NEXT: %[[E:.*]] = cnn.mul %[[H]], %[[L]]
// CHECK-NEXT: return %[[LOSS]], %[[E]]
// FUSED: cnn.group "first.recompute" {{.*}} because "computed again for the backward pass: the recipe does not keep what is cheap to compute" attributes {cnn.recomputed}
module @cheap attributes {cnn.recompute = "cheap"} {
  func.func @train_step(%x0: tensor<64x64xf32>, %w: tensor<64x64xf32>) -> (tensor<f32>, tensor<64x64xf32>) {
    %x = cnn.linear %x0, %w : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32> loc("zeroth")
    %s = cnn.sigmoid %x : tensor<64x64xf32> -> tensor<64x64xf32> loc("first")
    %l = cnn.linear %s, %w : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32> loc("second")
    %a = cnn.add %l, %x : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32> loc("third")
    %loss = cnn.reduce_sum %a dims [0, 1] : tensor<64x64xf32> -> tensor<f32> loc("loss")
    %g = cnn.linear %s, %a : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32> loc("g.backward")
    %h = cnn.mul %g, %x : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32> loc("h.backward")
    %e = cnn.mul %h, %l : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32> loc("e.backward")
    return %loss, %e : tensor<f32>, tensor<64x64xf32>
  }
}

// -----

// Blocks: what is inside of `b` is computed again from what enters it, the linear layer first; what leaves it is kept.
// CHECK-LABEL: module @blocks {
// CHECK: %[[B:.*]] = cnn.relu
// CHECK: %[[LOSS:.*]] = cnn.reduce_sum %[[B]]
// CHECK: %[[L:.*]] = cnn.linear %[[X:[^ ]*]], %{{.*}} {cnn.because = "computed again for the backward pass: the recipe does not keep what is inside of 'b'", cnn.recomputed}
// CHECK-NEXT: %[[S:.*]] = cnn.sigmoid %[[L]] {{.*}} cnn.recomputed
// CHECK-NEXT: %[[G:.*]] = cnn.linear %[[S]], %[[B]]
// CHECK-NEXT: cnn.mul %[[G]], %[[L]]
// FUSED: cnn.group "b.first.recompute" {{.*}} because "computed again for the backward pass: the recipe does not keep what is inside of 'b'" attributes {cnn.recomputed} {
module @blocks attributes {cnn.recompute = ["b", "c.d"]} {
  func.func @train_step(%x: tensor<64x64xf32>, %w: tensor<64x64xf32>) -> (tensor<f32>, tensor<64x64xf32>) {
    %l = cnn.linear %x, %w : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32> loc("b.first")
    %s = cnn.sigmoid %l : tensor<64x64xf32> -> tensor<64x64xf32> loc("b.second")
    %r = cnn.relu %s : tensor<64x64xf32> -> tensor<64x64xf32> loc("b.third")
    %loss = cnn.reduce_sum %r dims [0, 1] : tensor<64x64xf32> -> tensor<f32> loc("loss")
    %g = cnn.linear %s, %r : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32> loc("g.backward")
    %h = cnn.mul %g, %l : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32> loc("h.backward")
    return %loss, %h : tensor<f32>, tensor<64x64xf32>
  }
}
