// RUN: cnn-opt %s --split-input-file --cnn-choose-gpu-schedules --cnn-plan --cnn-build-gpu-kernels --canonicalize --cse | FileCheck %s
// Breaks if the threads of a block wait for each other where each reads only what it has written itself, or do not where another one has.

// One launch for all: every group needs the one before.
// CHECK: cnn.launch @a_forward_and_5 items 1(
// What is written is not `noalias`: LLVM would move what is read of it in front of a barrier.
// CHECK: gpu.func @a_forward_and_5(%arg0: memref<60xf32> {{{[^}]*}} llvm.noalias, {{[^}]*}}llvm.readonly}, %arg1:
// CHECK-NOT: llvm.noalias
// CHECK-SAME: kernel attributes
// CHECK: math.exp
// Element by element of one shape.
// CHECK-NOT: gpu.barrier
// CHECK: math.tanh
// A row is of several threads.
// CHECK: gpu.barrier
// CHECK: arith.mulf
// Sums of rows, of 12 threads, are added by one.
// CHECK: gpu.barrier
// CHECK: scf.for
// The only element is read by the thread that has written it ...
// CHECK-NOT: gpu.barrier
// CHECK: math.log
// ... and by all.
// CHECK: gpu.barrier
// CHECK: arith.divf
// CHECK-NOT: gpu.barrier
module @m attributes {cnn.target = "nvptx"} {
  func.func @infer(%x: tensor<12x5xf32>)
      -> (tensor<12x5xf32> {cnn.name = "y"}) {
    %a = cnn.group "a.forward" (%p = %x) : (tensor<12x5xf32>) -> tensor<12x5xf32> {
      %r = cnn.exp %p : tensor<12x5xf32> -> tensor<12x5xf32>
      cnn.yield %r : tensor<12x5xf32>
    }
    %b = cnn.group "b.forward" (%p = %a) : (tensor<12x5xf32>) -> tensor<12x5xf32> {
      %r = cnn.tanh %p : tensor<12x5xf32> -> tensor<12x5xf32>
      cnn.yield %r : tensor<12x5xf32>
    }
    %c = cnn.group "c.forward" (%p = %b) : (tensor<12x5xf32>) -> tensor<12xf32> {
      %r = cnn.reduce_sum %p dims [1] : tensor<12x5xf32> -> tensor<12xf32>
      %s = cnn.mul %r, %r : tensor<12xf32>, tensor<12xf32> -> tensor<12xf32>
      cnn.yield %s : tensor<12xf32>
    }
    %d = cnn.group "d.forward" (%p = %c) : (tensor<12xf32>) -> tensor<f32> {
      %r = cnn.reduce_sum %p dims [0] : tensor<12xf32> -> tensor<f32>
      cnn.yield %r : tensor<f32>
    }
    %e = cnn.group "e.forward" (%p = %d) : (tensor<f32>) -> tensor<f32> {
      %r = cnn.log %p : tensor<f32> -> tensor<f32>
      cnn.yield %r : tensor<f32>
    }
    %f = cnn.group "f.forward" (%p = %b, %q = %e) : (tensor<12x5xf32>, tensor<f32>) -> tensor<12x5xf32> {
      %r = cnn.div %p, %q : tensor<12x5xf32>, tensor<f32> -> tensor<12x5xf32>
      cnn.yield %r : tensor<12x5xf32>
    }
    return %f : tensor<12x5xf32>
  }
}

// -----

// Columns: 32 points of each of 256 results, of which a block of threads has 64 at a time. Four blocks are done in turn by one, which
// writes the memory that its threads share again: they meet before they read it, and, in the loop, after that.
// CHECK: cnn.launch @a_forward_and_2 items 1(
// CHECK: gpu.func @a_forward_and_2(
// CHECK: math.exp
// CHECK: gpu.barrier
// CHECK: scf.for %{{.*}} = %c0{{.*}} to %c4{{.*}} step %c1
// CHECK: memref.store {{.*}} #gpu.address_space<workgroup>>
// CHECK: gpu.barrier
// CHECK: memref.load {{.*}} #gpu.address_space<workgroup>>
// CHECK: gpu.barrier
// CHECK-NEXT: }
// They met at the end of the loop.
// CHECK-NOT: gpu.barrier
// CHECK: math.log
// CHECK: gpu.return
module @columns attributes {cnn.target = "nvptx"} {
  func.func @infer(%x: tensor<32x256xf32>)
      -> (tensor<256xf32> {cnn.name = "y"}) {
    %a = cnn.group "a.forward" (%p = %x) : (tensor<32x256xf32>) -> tensor<32x256xf32> {
      %r = cnn.exp %p : tensor<32x256xf32> -> tensor<32x256xf32>
      cnn.yield %r : tensor<32x256xf32>
    }
    %b = cnn.group "b.forward" (%p = %a) : (tensor<32x256xf32>) -> tensor<256xf32> {
      %r = cnn.reduce_sum %p dims [0] : tensor<32x256xf32> -> tensor<256xf32>
      cnn.yield %r : tensor<256xf32>
    }
    %c = cnn.group "c.forward" (%p = %b) : (tensor<256xf32>) -> tensor<256xf32> {
      %r = cnn.log %p : tensor<256xf32> -> tensor<256xf32>
      cnn.yield %r : tensor<256xf32>
    }
    return %c : tensor<256xf32>
  }
}
