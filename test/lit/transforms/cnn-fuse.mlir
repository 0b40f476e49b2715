// RUN: cnn-opt %s -cnn-fuse | FileCheck %s
// Fails when fusion forms other groups: values that only a group uses would go through memory.

// The plan of inference has no place for what lies between convolution and pooling.
// CHECK-LABEL: func.func @inference
// CHECK-SAME: (%[[X:.*]]: tensor<4x1x8x8xf32>, %[[W:.*]]: tensor<2x1x3x3xf32>, %[[B:.*]]: tensor<2xf32>)
// CHECK-NEXT: %[[G:.*]] = cnn.group "conv1.forward" (%[[A0:.*]] = %[[X]], %[[A1:.*]] = %[[W]], %[[A2:.*]] = %[[B]]){{.*}}-> tensor<4x2x4x4xf32> {
// CHECK-NEXT:   %[[C:.*]] = cnn.conv %[[A0]], %[[A1]], %[[A2]]
// CHECK-NEXT:   %[[S:.*]] = cnn.sigmoid %[[C]]
// CHECK-NEXT:   %[[P:.*]] = cnn.avg_pool %[[S]]
// CHECK-NEXT:   %[[R:.*]] = cnn.relu %[[P]]
// CHECK-NEXT:   cnn.yield %[[R]] : tensor<4x2x4x4xf32>
// CHECK-NEXT: }
// CHECK-NEXT: return %[[G]]
func.func @inference(%x: tensor<4x1x8x8xf32>, %w: tensor<2x1x3x3xf32>, %b: tensor<2xf32>) -> tensor<4x2x4x4xf32> {
  %c = cnn.conv %x, %w, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<4x1x8x8xf32>, tensor<2x1x3x3xf32>, tensor<2xf32> -> tensor<4x2x8x8xf32> loc("conv1")
  %s = cnn.sigmoid %c : tensor<4x2x8x8xf32> -> tensor<4x2x8x8xf32>
  %p = cnn.avg_pool %s {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<4x2x8x8xf32> -> tensor<4x2x4x4xf32>
  %r = cnn.relu %p : tensor<4x2x4x4xf32> -> tensor<4x2x4x4xf32>
  return %r : tensor<4x2x4x4xf32>
}

// What is saved for the backward pass becomes a result; the group stays whole.
// CHECK-LABEL: func.func @saved
// CHECK: %[[G:.*]]:3 = cnn.group "conv1.forward.saved"
// CHECK:   %[[R:.*]] = cnn.relu
// CHECK:   %[[P:[^,]*]], %[[I:.*]] = cnn.max_pool %[[R]]
// CHECK:   cnn.yield %[[R]], %[[P]], %[[I]] : tensor<4x2x8x8xf32>, tensor<4x2x4x4xf32>, tensor<4x2x4x4xi32>
// CHECK: return %[[G]]#0, %[[G]]#1, %[[G]]#2
func.func @saved(%x: tensor<4x1x8x8xf32>, %w: tensor<2x1x3x3xf32>) -> (tensor<4x2x8x8xf32>, tensor<4x2x4x4xf32>, tensor<4x2x4x4xi32>) {
  %c = cnn.conv %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<4x1x8x8xf32>, tensor<2x1x3x3xf32> -> tensor<4x2x8x8xf32> loc("conv1")
  %r = cnn.relu %c : tensor<4x2x8x8xf32> -> tensor<4x2x8x8xf32>
  %p, %i = cnn.max_pool %r {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, with_positions = true} : tensor<4x2x8x8xf32> -> tensor<4x2x4x4xf32>, tensor<4x2x4x4xi32>
  return %r, %p, %i : tensor<4x2x8x8xf32>, tensor<4x2x4x4xf32>, tensor<4x2x4x4xi32>
}

// Windows that overlap, or leave a margin, are computed from the whole image; so is a second pooling.
// CHECK-LABEL: func.func @other_pools
// CHECK: cnn.group "conv.forward"
// CHECK-NEXT: cnn.conv
// CHECK-NEXT: cnn.avg_pool
// CHECK-NEXT: cnn.yield
// CHECK: cnn.group "max_pool.forward"
// CHECK-NEXT: cnn.max_pool
// CHECK-NEXT: cnn.yield
// CHECK: cnn.group "avg_pool.forward"
// CHECK-NEXT: cnn.avg_pool
// CHECK-NEXT: cnn.yield
func.func @other_pools(%x: tensor<4x1x12x12xf32>, %w: tensor<2x1x1x1xf32>) -> tensor<4x2x2x2xf32> {
  %c = cnn.conv %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<4x1x12x12xf32>, tensor<2x1x1x1xf32> -> tensor<4x2x12x12xf32>
  %a = cnn.avg_pool %c {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<4x2x12x12xf32> -> tensor<4x2x6x6xf32>
  %o = cnn.max_pool %a {kernel = array<i64: 2, 2>, stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>} : tensor<4x2x6x6xf32> -> tensor<4x2x5x5xf32>
  %m = cnn.avg_pool %o {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<4x2x5x5xf32> -> tensor<4x2x2x2xf32>
  return %m : tensor<4x2x2x2xf32>
}

// A sum over whole dimensions is no pooling, and a reduction of its own; what follows it is fused.
// CHECK-LABEL: func.func @reductions
// CHECK: cnn.group "matmul.forward"
// CHECK-NEXT: cnn.matmul
// CHECK-NEXT: cnn.yield
// CHECK: cnn.group "reduce_sum.forward"
// CHECK-NEXT: cnn.reduce_sum
// CHECK-NEXT: cnn.mul
// CHECK-NEXT: cnn.sub
// CHECK-NEXT: cnn.yield
func.func @reductions(%a: tensor<4x3xf32>, %b: tensor<3x5xf32>, %p: tensor<5xf32>, %lr: tensor<f32>) -> tensor<5xf32> {
  %m = cnn.matmul %a, %b : tensor<4x3xf32>, tensor<3x5xf32> -> tensor<4x5xf32>
  %g = cnn.reduce_sum %m dims [0] : tensor<4x5xf32> -> tensor<5xf32>
  %s = cnn.mul %g, %lr : tensor<5xf32>, tensor<f32> -> tensor<5xf32>
  %u = cnn.sub %p, %s : tensor<5xf32>, tensor<5xf32> -> tensor<5xf32>
  return %u : tensor<5xf32>
}

// The difference would need the maximum, which needs the product: fused, the two groups would wait
// for each other.
// CHECK-LABEL: func.func @cycle
// CHECK: %[[M:.*]] = cnn.group "matmul.forward.cycle"
// CHECK-NEXT: cnn.matmul
// CHECK-NEXT: cnn.yield
// CHECK: cnn.group "reduce_max.forward"
// CHECK: cnn.group "reduce_sum.forward.cycle" (%{{.*}} = %[[M]],
// CHECK-NEXT: cnn.sub
// CHECK-NEXT: cnn.exp
// CHECK-NEXT: cnn.reduce_sum
// CHECK-NEXT: cnn.log
// CHECK-NEXT: cnn.yield
func.func @cycle(%a: tensor<4x3xf32>, %b: tensor<3x5xf32>) -> tensor<4x1xf32> {
  %m = cnn.matmul %a, %b : tensor<4x3xf32>, tensor<3x5xf32> -> tensor<4x5xf32>
  %x = cnn.reduce_max %m dims [1] : tensor<4x5xf32> -> tensor<4x1xf32> {keep_dims = true}
  %d = cnn.sub %m, %x : tensor<4x5xf32>, tensor<4x1xf32> -> tensor<4x5xf32>
  %e = cnn.exp %d : tensor<4x5xf32> -> tensor<4x5xf32>
  %s = cnn.reduce_sum %e dims [1] : tensor<4x5xf32> -> tensor<4x1xf32> {keep_dims = true}
  %l = cnn.log %s : tensor<4x1xf32> -> tensor<4x1xf32>
  return %l : tensor<4x1xf32>
}

// In the group of the first product the sum would wait for the second, which waits for the group.
// The sum joins the product that comes last.
// CHECK-LABEL: func.func @crossed
// CHECK: %[[B:.*]] = cnn.group "matmul.forward.crossed"
// CHECK-NEXT: cnn.matmul
// CHECK-NEXT: cnn.sigmoid
// CHECK-NEXT: cnn.yield
// CHECK: cnn.group "matmul.forward_2
// CHECK-NEXT: cnn.matmul
// CHECK-NEXT: cnn.add
// CHECK-NEXT: cnn.yield
func.func @crossed(%a: tensor<3x3xf32>, %b: tensor<3x3xf32>) -> tensor<3x3xf32> {
  %m = cnn.matmul %a, %b : tensor<3x3xf32>, tensor<3x3xf32> -> tensor<3x3xf32>
  %s = cnn.sigmoid %m : tensor<3x3xf32> -> tensor<3x3xf32>
  %n = cnn.matmul %s, %b : tensor<3x3xf32>, tensor<3x3xf32> -> tensor<3x3xf32>
  %r = cnn.add %s, %n : tensor<3x3xf32>, tensor<3x3xf32> -> tensor<3x3xf32>
  return %r : tensor<3x3xf32>
}

// Behind a scatter nothing is complete before its last point; where windows tile the image, each
// element is written once.
// CHECK-LABEL: func.func @scatter
// CHECK: cnn.group "conv_data_grad.forward"
// CHECK-NEXT: cnn.conv_data_grad
// CHECK-NEXT: cnn.yield
// CHECK: cnn.group "relu_grad.forward"
// CHECK-NEXT: cnn.relu_grad
// CHECK-NEXT: cnn.yield
// CHECK: cnn.group "avg_pool_grad.forward"
// CHECK-NEXT: cnn.avg_pool_grad
// CHECK-NEXT: cnn.sigmoid_grad
// CHECK-NEXT: cnn.yield
func.func @scatter(%dy: tensor<2x3x4x4xf32>, %w: tensor<3x5x3x3xf32>, %y: tensor<2x5x6x6xf32>, %z: tensor<2x5x12x12xf32>) -> tensor<2x5x12x12xf32> {
  %d = cnn.conv_data_grad %dy, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<2x3x4x4xf32>, tensor<3x5x3x3xf32> -> tensor<2x5x6x6xf32>
  %r = cnn.relu_grad %y, %d : tensor<2x5x6x6xf32>, tensor<2x5x6x6xf32> -> tensor<2x5x6x6xf32>
  %p = cnn.avg_pool_grad %r {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<2x5x6x6xf32> -> tensor<2x5x12x12xf32>
  %s = cnn.sigmoid_grad %z, %p : tensor<2x5x12x12xf32>, tensor<2x5x12x12xf32> -> tensor<2x5x12x12xf32>
  return %s : tensor<2x5x12x12xf32>
}

// A reshape moves behind the activation, forward and backward.
// CHECK-LABEL: func.func @flatten
// CHECK: %[[C:.*]] = cnn.group "conv.forward.flatten"
// CHECK-NEXT: cnn.conv
// CHECK-NEXT: cnn.sigmoid
// CHECK-NEXT: cnn.yield
// CHECK: %[[F:.*]] = cnn.reshape %[[C]] : tensor<4x2x3x3xf32> -> tensor<4x18xf32>
// CHECK: cnn.group "linear.forward" (%{{.*}} = %[[F]]
// CHECK: cnn.group "matmul.forward.flatten"
// CHECK-NEXT: cnn.matmul
// CHECK-NEXT: cnn.sigmoid_grad
// CHECK-NEXT: cnn.yield
func.func @flatten(%x: tensor<4x1x3x3xf32>, %w: tensor<2x1x1x1xf32>, %v: tensor<5x18xf32>) -> (tensor<4x5xf32>, tensor<4x2x3x3xf32>) {
  %c = cnn.conv %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<4x1x3x3xf32>, tensor<2x1x1x1xf32> -> tensor<4x2x3x3xf32>
  %f = cnn.reshape %c : tensor<4x2x3x3xf32> -> tensor<4x18xf32>
  %s = cnn.sigmoid %f : tensor<4x18xf32> -> tensor<4x18xf32>
  %l = cnn.linear %s, %v : tensor<4x18xf32>, tensor<5x18xf32> -> tensor<4x5xf32>
  %m = cnn.matmul %l, %v : tensor<4x5xf32>, tensor<5x18xf32> -> tensor<4x18xf32>
  %h = cnn.reshape %m : tensor<4x18xf32> -> tensor<4x2x3x3xf32>
  %t = cnn.reshape %s : tensor<4x18xf32> -> tensor<4x2x3x3xf32>
  %g = cnn.sigmoid_grad %t, %h : tensor<4x2x3x3xf32>, tensor<4x2x3x3xf32> -> tensor<4x2x3x3xf32>
  return %l, %g : tensor<4x5xf32>, tensor<4x2x3x3xf32>
}

// Masks are computed where they are read, in every group; an expensive function is not, as a convolution
// reads each element several times.
// CHECK-LABEL: func.func @prologues
// CHECK: %[[S:.*]] = cnn.group "sigmoid.forward"
// CHECK-NEXT: cnn.sigmoid
// CHECK-NEXT: cnn.yield
// CHECK: %[[V:.*]] = cnn.reshape %[[S]]
// CHECK: cnn.group "conv.forward.prologues" (%{{[^,]*}} = %[[V]], %[[ROWS:[^ ]*]] = %{{[^,]*}},
// CHECK-NEXT: cnn.mask_rows %{{.*}}, %[[ROWS]]
// CHECK-NEXT: cnn.conv
// CHECK-NEXT: cnn.yield
// CHECK: cnn.group "conv_weight_grad.forward"
// CHECK-NEXT: cnn.mask_rows
// CHECK-NEXT: cnn.conv_weight_grad
// CHECK-NEXT: cnn.yield
func.func @prologues(%x: tensor<4x1x3x3xf32>, %w: tensor<2x1x1x1xf32>, %rows: tensor<i32>) -> tensor<2x1x1x1xf32> {
  %f = cnn.reshape %x : tensor<4x1x3x3xf32> -> tensor<4x9xf32>
  %e = cnn.sigmoid %f : tensor<4x9xf32> -> tensor<4x9xf32>
  %s = cnn.reshape %e : tensor<4x9xf32> -> tensor<4x1x3x3xf32>
  %m = cnn.mask_rows %s, %rows : tensor<4x1x3x3xf32>, tensor<i32> -> tensor<4x1x3x3xf32>
  %c = cnn.conv %m, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<4x1x3x3xf32>, tensor<2x1x1x1xf32> -> tensor<4x2x3x3xf32>
  %g = cnn.conv_weight_grad %m, %c {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<4x1x3x3xf32>, tensor<4x2x3x3xf32> -> tensor<2x1x1x1xf32>
  return %g : tensor<2x1x1x1xf32>
}

// Constants, labels and weights of rows are no results, unless the function returns one.
// CHECK-LABEL: func.func @generated
// CHECK: %[[C:.*]] = cnn.group "constant.forward" () : () -> tensor<f32>
// CHECK: cnn.group "mul.forward"
// CHECK-NEXT: cnn.one_hot
// CHECK-NEXT: cnn.row_weight
// CHECK-NEXT: cnn.sub
// CHECK-NEXT: cnn.mul
// CHECK-NEXT: cnn.yield
// CHECK: cnn.group "reduce_sum.forward.generated"
// CHECK-NEXT: cnn.constant
// CHECK-NEXT: cnn.mul
// CHECK-NEXT: cnn.reduce_sum
// CHECK: return %{{.*}}, %[[C]]
func.func @generated(%x: tensor<4x5xf32>, %labels: tensor<4xi32>, %rows: tensor<i32>) -> (tensor<4x5xf32>, tensor<5xf32>, tensor<f32>) {
  %half = cnn.constant 5.0e-01 : tensor<f32>
  %h = cnn.one_hot %labels : tensor<4xi32> -> tensor<4x5xf32>
  %w = cnn.row_weight %rows : tensor<i32> -> tensor<4x1xf32>
  %d = cnn.sub %x, %h : tensor<4x5xf32>, tensor<4x5xf32> -> tensor<4x5xf32>
  %m = cnn.mul %d, %w : tensor<4x5xf32>, tensor<4x1xf32> -> tensor<4x5xf32>
  %t = cnn.mul %m, %half : tensor<4x5xf32>, tensor<f32> -> tensor<4x5xf32>
  %s = cnn.reduce_sum %t dims [0] : tensor<4x5xf32> -> tensor<5xf32>
  return %m, %s, %half : tensor<4x5xf32>, tensor<5xf32>, tensor<f32>
}

// A window too large for the registers is pooled from memory.
// CHECK-LABEL: func.func @large_window
// CHECK: cnn.group
// CHECK-NEXT: cnn.conv
// CHECK-NEXT: cnn.yield
// CHECK: cnn.group
// CHECK-NEXT: cnn.max_pool
func.func @large_window(%x: tensor<4x1x10x10xf32>, %w: tensor<2x1x1x1xf32>) -> tensor<4x2x2x2xf32> {
  %c = cnn.conv %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<4x1x10x10xf32>, tensor<2x1x1x1xf32> -> tensor<4x2x10x10xf32>
  %p = cnn.max_pool %c {kernel = array<i64: 5, 5>, stride = array<i64: 5, 5>, padding = array<i64: 0, 0, 0, 0>} : tensor<4x2x10x10xf32> -> tensor<4x2x2x2xf32>
  return %p : tensor<4x2x2x2xf32>
}

// A function by index stays in the shape that its sizes and maps are of; others go before the reshape.
// CHECK-LABEL: func.func @by_index
// CHECK: %[[V:.*]] = cnn.reshape %{{.*}} : tensor<2x6xf32> -> tensor<2x2x3xf32>
// CHECK-NEXT: cnn.group {{.*}} = %[[V]]
// CHECK-NEXT: cnn.generic
func.func @by_index(%x: tensor<2x6xf32>) -> tensor<2x2x3xf32> {
  %0 = cnn.relu %x : tensor<2x6xf32> -> tensor<2x6xf32>
  %1 = cnn.reshape %0 : tensor<2x6xf32> -> tensor<2x2x3xf32>
  %2 = cnn.generic %1 sizes [2, 2, 3] parallel 3 reduction none maps [affine_map<(i, j, k) -> (i, j, k)>, affine_map<(i, j, k) -> (i, j, k)>] : (tensor<2x2x3xf32>) -> tensor<2x2x3xf32> {
  ^bb0(%v: f32, %i: i32, %j: i32, %k: i32):
    %two = arith.addf %v, %v : f32
    cnn.term %two : f32
  }
  return %2 : tensor<2x2x3xf32>
}

// Cheap, and read by 9 points for every 4 elements: computed inside of the pooling, not stored.
// CHECK-LABEL: func.func @overlapping
// CHECK-COUNT-1: cnn.group
// CHECK: %[[D:.*]] = cnn.sub
// CHECK: %[[S:.*]] = cnn.mul %[[D]]
// CHECK: cnn.max_pool %[[S]]
// CHECK-LABEL: func.func @crowded
// With 9 points for every element, two operations are too many.
// CHECK: cnn.group
// CHECK: cnn.sub
// CHECK: cnn.group
// CHECK: cnn.max_pool
func.func @overlapping(%x: tensor<4x2x8x8xf32>, %c: tensor<2x1x1xf32>) -> tensor<4x2x4x4xf32> {
  %d = cnn.sub %x, %c : tensor<4x2x8x8xf32>, tensor<2x1x1xf32> -> tensor<4x2x8x8xf32>
  %s = cnn.mul %d, %c : tensor<4x2x8x8xf32>, tensor<2x1x1xf32> -> tensor<4x2x8x8xf32>
  %p = cnn.max_pool %s {kernel = array<i64: 3, 3>, stride = array<i64: 2, 2>, padding = array<i64: 1, 1, 1, 1>} : tensor<4x2x8x8xf32> -> tensor<4x2x4x4xf32>
  return %p : tensor<4x2x4x4xf32>
}
func.func @crowded(%x: tensor<4x2x9x9xf32>, %c: tensor<2x1x1xf32>) -> tensor<4x2x9x9xf32> {
  %d = cnn.sub %x, %c : tensor<4x2x9x9xf32>, tensor<2x1x1xf32> -> tensor<4x2x9x9xf32>
  %s = cnn.mul %d, %c : tensor<4x2x9x9xf32>, tensor<2x1x1xf32> -> tensor<4x2x9x9xf32>
  %p = cnn.max_pool %s {kernel = array<i64: 3, 3>, stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>} : tensor<4x2x9x9xf32> -> tensor<4x2x9x9xf32>
  return %p : tensor<4x2x9x9xf32>
}
