// RUN: cnn-opt %s --cnn-choose-gpu-schedules --cnn-plan=together=false --cnn-build-gpu-kernels --canonicalize --cse | FileCheck %s
// Breaks if a thread has not one element of the result, reads outside of a tensor, or misses a point
// that falls on its element.

module @m attributes {cnn.target = "nvptx"} {
  func.func @infer(%x: tensor<2x3x6x6xf32>, %w: tensor<4x3x3x3xf32>, %b: tensor<4xf32>, %dy: tensor<2x4x3x3xf32>)
      -> (tensor<2x3x6x6xf32>, tensor<2x4x3x3xf32>, tensor<2x3x7x7xf32>, tensor<2x4x6x6xf32>) {
    // 216 elements and 256 threads: those beyond the end do nothing.
    // CHECK-LABEL: gpu.func @s_forward(
    // CHECK-SAME: %{{.*}}: memref<216xf32> {llvm.align = 64 : i64, llvm.dereferenceable = 864 : i64, llvm.noalias, llvm.nonnull, llvm.noundef, llvm.readonly}
    // CHECK-SAME: kernel attributes {cnn.decisions = [{{.*}}], known_block_size = array<i32: 256, 1, 1>, nvvm.minctasm = 2 : i32}
    // CHECK: %[[T:.*]] = gpu.thread_id x
    // CHECK: %[[E:.*]] = arith.index_castui %[[T]] : index to i32
    // CHECK: %[[IN:.*]] = arith.cmpi ult, %[[E]], %c216_i32
    // CHECK: scf.if %[[IN]]
    // CHECK: memref.load
    // CHECK: memref.store
    %s = cnn.group "s.forward" (%a = %x) : (tensor<2x3x6x6xf32>) -> tensor<2x3x6x6xf32> {
      %v = cnn.sigmoid %a : tensor<2x3x6x6xf32> -> tensor<2x3x6x6xf32>
      cnn.yield %v : tensor<2x3x6x6xf32>
    }
    // The window of the pooling, then channels and taps; only rows and columns are checked, and what lies
    // outside is read from the first element.
    // CHECK-LABEL: gpu.func @c_forward(
    // CHECK: scf.for {{.*}} = %c0_i32 to %c2_i32
    // CHECK: scf.for {{.*}} = %c0_i32 to %c2_i32
    // CHECK: %[[B:.*]] = memref.load
    // CHECK: scf.for {{.*}} = %c0_i32 to %c3_i32 {{.*}} iter_args(%{{.*}} = %[[B]])
    // CHECK: scf.for {{.*}} = %c0_i32 to %c3_i32
    // CHECK: scf.for {{.*}} = %c0_i32 to %c3_i32
    // CHECK-COUNT-2: arith.cmpi ult, %{{.*}}, %c6_i32
    // CHECK-NOT: arith.cmpi
    // CHECK: %[[AT:.*]] = arith.select %{{.*}}, %{{.*}}, %c0_i32 : i32
    // CHECK: %[[I:.*]] = arith.index_castui %[[AT]]
    // CHECK: %[[X:.*]] = memref.load %{{.*}}[%[[I]]]
    // CHECK: arith.select %{{.*}}, %[[X]], %cst
    // CHECK: math.fma
    // CHECK: arith.maximumf
    // CHECK: memref.store
    %c = cnn.group "c.forward" (%a = %x, %k = %w, %o = %b) : (tensor<2x3x6x6xf32>, tensor<4x3x3x3xf32>, tensor<4xf32>) -> tensor<2x4x3x3xf32> {
      %v = cnn.conv %a, %k, %o {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : tensor<2x3x6x6xf32>, tensor<4x3x3x3xf32>, tensor<4xf32> -> tensor<2x4x6x6xf32>
      %r = cnn.relu %v : tensor<2x4x6x6xf32> -> tensor<2x4x6x6xf32>
      %p = cnn.max_pool %r {kernel = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : tensor<2x4x6x6xf32> -> tensor<2x4x3x3xf32>
      cnn.yield %p : tensor<2x4x3x3xf32>
    }
    // A scatter turned round: of the taps, those count whose distance from the element is a multiple of the stride,
    // and whose point lies inside.
    // CHECK-LABEL: gpu.func @c_data_grad(
    // CHECK: scf.for {{.*}} = %c0_i32 to %c3_i32
    // CHECK: scf.for {{.*}} = %c0_i32 to %c3_i32
    // CHECK: arith.remsi %{{.*}}, %c2_i32
    // CHECK: arith.divsi %{{.*}}, %c2_i32
    // CHECK: arith.cmpi ult, %{{.*}}, %c3_i32
    // CHECK: arith.remsi %{{.*}}, %c2_i32
    // CHECK: scf.if {{.*}} -> (f32) {
    // CHECK: scf.for {{.*}} = %c0_i32 to %c4_i32
    // CHECK: math.fma
    // CHECK: arith.addf
    // CHECK: } else {
    // CHECK: memref.store
    %g = cnn.group "c.data_grad" (%a = %dy, %k = %w) : (tensor<2x4x3x3xf32>, tensor<4x3x3x3xf32>) -> tensor<2x3x7x7xf32> {
      %v = cnn.conv_data_grad %a, %k {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : tensor<2x4x3x3xf32>, tensor<4x3x3x3xf32> -> tensor<2x3x7x7xf32>
      cnn.yield %v : tensor<2x3x7x7xf32>
    }
    // Windows that tile an image are written by their points: neighbouring threads have neighbouring columns, so
    // the column of the window runs fastest, then that of the windows.
    // CHECK-LABEL: gpu.func @p_backward(
    // CHECK: gpu.thread_id x
    // CHECK: %[[E:.*]] = arith.addi %{{.*}}, %{{.*}} : i32
    // CHECK: arith.remui %[[E]], %c2_i32
    // CHECK: %[[Q:.*]] = arith.divui %[[E]], %c2_i32
    // CHECK: arith.remui %[[Q]], %c3_i32
    %p = cnn.group "p.backward" (%a = %dy) : (tensor<2x4x3x3xf32>) -> tensor<2x4x6x6xf32> {
      %v = cnn.avg_pool_grad %a {kernel = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : tensor<2x4x3x3xf32> -> tensor<2x4x6x6xf32>
      cnn.yield %v : tensor<2x4x6x6xf32>
    }
    %q = cnn.group "q" (%a = %p) : (tensor<2x4x6x6xf32>) -> tensor<2x4x6x6xf32> {
      %v = cnn.relu %a : tensor<2x4x6x6xf32> -> tensor<2x4x6x6xf32>
      cnn.yield %v : tensor<2x4x6x6xf32>
    }
    return %s, %c, %g, %q : tensor<2x3x6x6xf32>, tensor<2x4x3x3xf32>, tensor<2x3x7x7xf32>, tensor<2x4x6x6xf32>
  }
}
