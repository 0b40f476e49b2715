// RUN: cnn-opt %s --cnn-choose-gpu-schedules --cnn-plan=together=false --cnn-build-gpu-kernels --canonicalize --cse | FileCheck %s
// Breaks if launches and kernels do not belong together, if literals become arguments, or if the
// backend is told of buffers what is not so.

// CHECK: cnn.launch @a_forward items 1({{.*}}) : {{.*}}{cnn.layer = "a.forward", cnn.work = {{[{].*[}]}}}
// One code for two layers.
// CHECK: cnn.launch @a_forward items 1({{.*}}) : {{.*}}{cnn.layer = "b.forward", cnn.work = {{[{].*[}]}}}
// In place: the two arguments are one buffer.
// CHECK: cnn.launch @c_forward items 1(%[[V:.*]], %[[V]]) :
// CHECK-NOT: func.func private
// CHECK: gpu.module @kernels
// CHECK-DAG: memref.global "private" constant @cnn_literal1 : memref<4xf32> = dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]> {alignment = 64 : i64}
// CHECK: gpu.func @a_forward(
// CHECK-SAME: llvm.noalias
// Two elements of one output: aligned to one element only.
// CHECK: gpu.func @n_forward(%{{[^:]*}}: memref<4xf32> {{.*}}%{{[^:]*}}: memref<1xf32> {llvm.align = 4 : i64
// CHECK: gpu.func @c_forward(%{{[^:]*}}: memref<4xf32> {llvm.align = 64 : i64, llvm.dereferenceable = 16 : i64, llvm.nonnull, llvm.noundef}
// CHECK-SAME: %{{[^:]*}}: memref<4xf32> {llvm.align = 64 : i64, llvm.dereferenceable = 16 : i64, llvm.nonnull, llvm.noundef}) kernel
// The literal is no argument.
// CHECK: gpu.func @d_forward(%{{[a-z0-9_#]*}}: memref<4xf32>{{[^%]*}}%{{[a-z0-9_#]*}}: memref<4xf32>{{[^%]*}}) kernel
// CHECK: memref.get_global @cnn_literal1
module @m attributes {cnn.target = "nvptx"} {
  func.func @infer(%x: tensor<4xf32>, %y: tensor<4xf32>)
      -> (tensor<4xf32> {cnn.name = "z"}, tensor<4xf32> {cnn.name = "u"}, tensor<f32> {cnn.name = "n.0"}, tensor<f32> {cnn.name = "n.1"}) {
    %k = cnn.literal dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
    %a = cnn.group "a.forward" (%p = %x) : (tensor<4xf32>) -> tensor<4xf32> {
      %v = cnn.sigmoid %p : tensor<4xf32> -> tensor<4xf32>
      cnn.yield %v : tensor<4xf32>
    }
    %b = cnn.group "b.forward" (%p = %y) : (tensor<4xf32>) -> tensor<4xf32> {
      %v = cnn.sigmoid %p : tensor<4xf32> -> tensor<4xf32>
      cnn.yield %v : tensor<4xf32>
    }
    %c = cnn.group "c.forward" (%p = %b) : (tensor<4xf32>) -> tensor<4xf32> {
      %v = cnn.relu %p : tensor<4xf32> -> tensor<4xf32>
      cnn.yield %v : tensor<4xf32>
    }
    %d = cnn.group "d.forward" (%p = %c, %q = %k) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> {
      %v = cnn.mul %p, %q : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
      cnn.yield %v : tensor<4xf32>
    }
    %n = cnn.group "n.forward" (%p = %x) : (tensor<4xf32>) -> tensor<f32> {
      %v = cnn.nonfinite %p : tensor<4xf32> -> tensor<f32>
      cnn.yield %v : tensor<f32>
    }
    %o = cnn.group "n.forward" (%p = %y) : (tensor<4xf32>) -> tensor<f32> {
      %v = cnn.nonfinite %p : tensor<4xf32> -> tensor<f32>
      cnn.yield %v : tensor<f32>
    }
    return %a, %d, %n, %o : tensor<4xf32>, tensor<4xf32>, tensor<f32>, tensor<f32>
  }
}
