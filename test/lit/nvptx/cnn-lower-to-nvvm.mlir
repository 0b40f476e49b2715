// RUN: cnn-opt %s --cnn-lower-to-nvvm --split-input-file | FileCheck %s
// Breaks if kernels lose what the backend must know, call a library, or keep something that is no
// kernel beside them.

// CHECK-LABEL: module @m
// CHECK-NOT: cnn.param
// CHECK-NOT: func.func
// CHECK: llvm.mlir.global internal @[[SHARED:.*]]() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<32 x f32>
// CHECK: llvm.func @k(%{{.*}}: !llvm.ptr {llvm.align = 64 : i64, llvm.dereferenceable = 128 : i64, llvm.noalias, llvm.readonly}, %{{.*}}: !llvm.ptr)
// CHECK-SAME: nvvm.kernel, nvvm.maxntid = array<i32: 32, 1, 1>
// CHECK: nvvm.read.ptx.sreg.tid.x
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> f32
// CHECK: llvm.store %{{.*}} : f32, !llvm.ptr<3>
// CHECK: nvvm.barrier
// Not the toolkit's functions.
// CHECK: llvm.intr.fma
// CHECK: llvm.intr.sqrt
// CHECK: llvm.intr.fabs
// CHECK: llvm.cond_br
// CHECK-NOT: llvm.call
// CHECK: llvm.return
module @m attributes {cnn.target = "nvptx"} {
  cnn.param @w : tensor<4xf32> parameter <"constant", value = 0.000000e+00 : f64>
  func.func @infer(%x: memref<32xf32>, %y: memref<32xf32>) {
    cnn.launch @k items 1(%x, %y) : memref<32xf32>, memref<32xf32> {cnn.layer = "k"}
    return
  }
  gpu.module @kernels {
    gpu.func @k(%x: memref<32xf32> {llvm.align = 64 : i64, llvm.dereferenceable = 128 : i64, llvm.noalias, llvm.readonly}, %y: memref<32xf32>)
        workgroup(%s: memref<32xf32, #gpu.address_space<workgroup>> {llvm.align = 16 : i64})
        kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      %t = gpu.thread_id x
      %v = memref.load %x[%t] : memref<32xf32>
      memref.store %v, %s[%t] : memref<32xf32, #gpu.address_space<workgroup>>
      gpu.barrier
      %c1 = arith.constant 1 : index
      %c31 = arith.constant 31 : index
      %n = arith.subi %c31, %t : index
      %u = memref.load %s[%n] : memref<32xf32, #gpu.address_space<workgroup>>
      %f = math.fma %u, %v, %u : f32
      %q = math.sqrt %f : f32
      %a = math.absf %q : f32
      %b = arith.cmpi ult, %t, %c31 : index
      scf.if %b {
        memref.store %a, %y[%t] : memref<32xf32>
      }
      gpu.return
    }
  }
}
