// RUN: cnn-opt %s | cnn-opt | FileCheck %s
// RUN: cnn-opt %s --mlir-print-op-generic | cnn-opt | FileCheck %s
// Fails when an operation that computes does not survive being printed and parsed.

// CHECK-DAG: #[[EVERY_OTHER:.*]] = affine_map<(d0, d1) -> (d0 * 2, d1)>
// CHECK-DAG: #[[ALL:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[LANE:.*]] = affine_map<(d0, d1) -> (d1)>

// CHECK-LABEL: func.func @unary
func.func @unary(%x: tensor<4x3xf64>) {
  // CHECK: cnn.sigmoid %{{.*}} : tensor<4x3xf64> -> tensor<4x3xf64>
  %0 = cnn.sigmoid %x : tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.tanh %{{.*}} : tensor<4x3xf64> -> tensor<4x3xf64>
  %1 = cnn.tanh %x : tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.relu %{{.*}} : tensor<4x3xf64> -> tensor<4x3xf64>
  %2 = cnn.relu %x : tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.exp %{{.*}} : tensor<4x3xf64> -> tensor<4x3xf64>
  %3 = cnn.exp %x : tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.log %{{.*}} : tensor<4x3xf64> -> tensor<4x3xf64>
  %4 = cnn.log %x : tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.neg %{{.*}} : tensor<4x3xf64> -> tensor<4x3xf64>
  %5 = cnn.neg %x : tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.sigmoid_grad %{{.*}}, %{{.*}} : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  %6 = cnn.sigmoid_grad %0, %x : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.tanh_grad %{{.*}}, %{{.*}} : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  %7 = cnn.tanh_grad %1, %x : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.relu_grad %{{.*}}, %{{.*}} : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  %8 = cnn.relu_grad %2, %x : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  return
}

// CHECK-LABEL: func.func @binary
func.func @binary(%x: tensor<4x1x3xf32>, %y: tensor<2x3xf32>, %z: tensor<f32>) {
  // CHECK: cnn.add %{{.*}}, %{{.*}} : tensor<4x1x3xf32>, tensor<2x3xf32> -> tensor<4x2x3xf32>
  %0 = cnn.add %x, %y : tensor<4x1x3xf32>, tensor<2x3xf32> -> tensor<4x2x3xf32>
  // CHECK: cnn.sub %{{.*}}, %{{.*}} : tensor<f32>, tensor<2x3xf32> -> tensor<2x3xf32>
  %1 = cnn.sub %z, %y : tensor<f32>, tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: cnn.mul %{{.*}}, %{{.*}} : tensor<f32>, tensor<f32> -> tensor<f32>
  %2 = cnn.mul %z, %z : tensor<f32>, tensor<f32> -> tensor<f32>
  // CHECK: cnn.div %{{.*}}, %{{.*}} : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
  %3 = cnn.div %y, %y : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// CHECK-LABEL: func.func @generated
func.func @generated(%x: tensor<4x3xf32>, %labels: tensor<4xi32>, %rows: tensor<i32>) {
  // CHECK: cnn.constant 5.000000e-01 : tensor<1xf32>
  %0 = cnn.constant 5.0e-01 : tensor<1xf32>
  // CHECK: cnn.one_hot %{{.*}} : tensor<4xi32> -> tensor<4x3xf32>
  %1 = cnn.one_hot %labels : tensor<4xi32> -> tensor<4x3xf32>
  // CHECK: cnn.mask_rows %{{.*}}, %{{.*}} : tensor<4x3xf32>, tensor<i32> -> tensor<4x3xf32>
  %2 = cnn.mask_rows %x, %rows : tensor<4x3xf32>, tensor<i32> -> tensor<4x3xf32>
  // CHECK: cnn.all_rows {count = 4 : i64} : tensor<i32>
  %all = cnn.all_rows {count = 4} : tensor<i32>
  // CHECK: cnn.row_weight %{{.*}} : tensor<i32> -> tensor<4x1xf32>
  %3 = cnn.row_weight %rows : tensor<i32> -> tensor<4x1xf32>
  // CHECK: cnn.row_weight %{{.*}} : tensor<i32> -> tensor<4x1xf32> {sum = true}
  %4 = cnn.row_weight %rows : tensor<i32> -> tensor<4x1xf32> {sum = true}
  // CHECK: cnn.reshape %{{.*}} : tensor<4x3xf32> -> tensor<2x6xf32>
  %5 = cnn.reshape %x : tensor<4x3xf32> -> tensor<2x6xf32>
  // CHECK: cnn.convert_layout %{{.*}} : tensor<4x3xf32> -> tensor<4x3xf32, #cnn.layout<order = [0, 1, 0], block = 4>>
  %6 = cnn.convert_layout %x : tensor<4x3xf32> -> tensor<4x3xf32, #cnn.layout<order = [0, 1, 0], block = 4>>
  return
}

// CHECK-LABEL: func.func @products
func.func @products(%x: tensor<4x3xf32>, %w: tensor<5x3xf32>, %b: tensor<5xf32>) {
  // CHECK: cnn.linear %{{.*}}, %{{.*}}, %{{.*}} : tensor<4x3xf32>, tensor<5x3xf32>, tensor<5xf32> -> tensor<4x5xf32>
  %0 = cnn.linear %x, %w, %b : tensor<4x3xf32>, tensor<5x3xf32>, tensor<5xf32> -> tensor<4x5xf32>
  // CHECK: cnn.linear %{{.*}}, %{{.*}} : tensor<4x3xf32>, tensor<5x3xf32> -> tensor<4x5xf32>
  %1 = cnn.linear %x, %w : tensor<4x3xf32>, tensor<5x3xf32> -> tensor<4x5xf32>
  // CHECK: cnn.matmul %{{.*}}, %{{.*}} : tensor<4x5xf32>, tensor<5x3xf32> -> tensor<4x3xf32>
  %2 = cnn.matmul %0, %w : tensor<4x5xf32>, tensor<5x3xf32> -> tensor<4x3xf32>
  // CHECK: cnn.matmul %{{.*}}, %{{.*}} : tensor<4x3xf32>, tensor<4x3xf32> -> tensor<3x3xf32> {transpose_a = true}
  %3 = cnn.matmul %x, %x : tensor<4x3xf32>, tensor<4x3xf32> -> tensor<3x3xf32> {transpose_a = true}
  // CHECK: cnn.matmul %{{.*}}, %{{.*}} : tensor<4x3xf32>, tensor<4x3xf32> -> tensor<4x4xf32> {transpose_b = true}
  %4 = cnn.matmul %x, %x : tensor<4x3xf32>, tensor<4x3xf32> -> tensor<4x4xf32> {transpose_b = true}
  return
}

// CHECK-LABEL: func.func @reductions
func.func @reductions(%x: tensor<4x3x2xf32>) {
  // CHECK: cnn.reduce_sum %{{.*}} dims [0, 2] : tensor<4x3x2xf32> -> tensor<3xf32>
  %0 = cnn.reduce_sum %x dims [0, 2] : tensor<4x3x2xf32> -> tensor<3xf32>
  // CHECK: cnn.reduce_max %{{.*}} dims [1] : tensor<4x3x2xf32> -> tensor<4x1x2xf32> {keep_dims = true}
  %1 = cnn.reduce_max %x dims [1] : tensor<4x3x2xf32> -> tensor<4x1x2xf32> {keep_dims = true}
  // CHECK: cnn.nonfinite %{{.*}} : tensor<4x3x2xf32> -> tensor<f32>
  %2 = cnn.nonfinite %x : tensor<4x3x2xf32> -> tensor<f32>
  // CHECK: cnn.partial_sums %{{.*}} dim 2 parts 2 : (tensor<4x3x2xf32>) -> tensor<2x3x2xf32> {
  // CHECK: ^bb0(%[[A:.*]]: tensor<4x3x2xf32>):
  // CHECK: %[[S:.*]] = cnn.reduce_sum %[[A]] dims [0]
  // CHECK: cnn.yield %[[S]] : tensor<3x2xf32>
  %3 = cnn.partial_sums %x dim 2 parts 2 : (tensor<4x3x2xf32>) -> tensor<2x3x2xf32> {
  ^bb0(%a: tensor<4x3x2xf32>):
    %s = cnn.reduce_sum %a dims [0] : tensor<4x3x2xf32> -> tensor<3x2xf32>
    cnn.yield %s : tensor<3x2xf32>
  }
  return
}

// CHECK-LABEL: func.func @convolutions
func.func @convolutions(%x: tensor<4x6x9x8xf32>, %w: tensor<4x3x3x2xf32>, %b: tensor<4xf32>) {
  // CHECK: cnn.conv %{{.*}}, %{{.*}}, %{{.*}} {dilation = array<i64: 1, 2>, groups = 2 : i64, padding = array<i64: 1, 0, 0, 1>, stride = array<i64: 2, 1>} : tensor<4x6x9x8xf32>, tensor<4x3x3x2xf32>, tensor<4xf32> -> tensor<4x4x4x7xf32>
  %0 = cnn.conv %x, %w, %b {stride = array<i64: 2, 1>, padding = array<i64: 1, 0, 0, 1>, dilation = array<i64: 1, 2>, groups = 2 : i64} : tensor<4x6x9x8xf32>, tensor<4x3x3x2xf32>, tensor<4xf32> -> tensor<4x4x4x7xf32>
  // CHECK: cnn.conv %{{.*}}, %{{.*}} {dilation = {{.*}}} : tensor<4x6x9x8xf32>, tensor<4x3x3x2xf32> -> tensor<4x4x7x7xf32>
  %1 = cnn.conv %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 2 : i64} : tensor<4x6x9x8xf32>, tensor<4x3x3x2xf32> -> tensor<4x4x7x7xf32>
  // CHECK: cnn.conv_data_grad %{{.*}}, %{{.*}} {dilation = {{.*}}} : tensor<4x4x4x7xf32>, tensor<4x3x3x2xf32> -> tensor<4x6x9x8xf32>
  %2 = cnn.conv_data_grad %0, %w {stride = array<i64: 2, 1>, padding = array<i64: 1, 0, 0, 1>, dilation = array<i64: 1, 2>, groups = 2 : i64} : tensor<4x4x4x7xf32>, tensor<4x3x3x2xf32> -> tensor<4x6x9x8xf32>
  // CHECK: cnn.conv_data_grad %{{.*}}, %{{.*}} {dilation = {{.*}}, scatter = false, {{.*}}} : tensor<4x4x7x7xf32>, tensor<4x3x3x2xf32> -> tensor<4x6x9x8xf32>
  %3 = cnn.conv_data_grad %1, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 2 : i64, scatter = false} : tensor<4x4x7x7xf32>, tensor<4x3x3x2xf32> -> tensor<4x6x9x8xf32>
  // CHECK: cnn.conv_weight_grad %{{.*}}, %{{.*}} {dilation = {{.*}}} : tensor<4x6x9x8xf32>, tensor<4x4x7x7xf32> -> tensor<4x3x3x2xf32>
  %4 = cnn.conv_weight_grad %x, %1 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 2 : i64} : tensor<4x6x9x8xf32>, tensor<4x4x7x7xf32> -> tensor<4x3x3x2xf32>
  // CHECK: cnn.conv_weight_grad %{{.*}}, %{{.*}} {dilation = {{.*}}, slices = 2 : i64, {{.*}}} : tensor<4x6x9x8xf32>, tensor<4x4x7x7xf32> -> tensor<2x4x3x3x2xf32>
  %5 = cnn.conv_weight_grad %x, %1 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 2 : i64, slices = 2 : i64} : tensor<4x6x9x8xf32>, tensor<4x4x7x7xf32> -> tensor<2x4x3x3x2xf32>
  // CHECK: cnn.conv_weight_grad %{{.*}}, %{{.*}} {{{.*}}slices = 2 : i64, {{.*}}, winograd = 3 : i64} : tensor<4x6x9x8xf32>, tensor<4x6x9x8xf32> -> tensor<2x6x6x3x3xf32>
  %w3 = cnn.conv_weight_grad %x, %x {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64, slices = 2 : i64, winograd = 3 : i64} : tensor<4x6x9x8xf32>, tensor<4x6x9x8xf32> -> tensor<2x6x6x3x3xf32>
  return
}

// CHECK-LABEL: func.func @pools
func.func @pools(%x: tensor<4x6x9x8xf32>) {
  // CHECK: cnn.max_pool %{{.*}} {ceil_mode = true, kernel = array<i64: 2, 3>, padding = array<i64: 1, 0, 0, 1>, stride = array<i64: 2, 2>} : tensor<4x6x9x8xf32> -> tensor<4x6x5x4xf32>
  %0 = cnn.max_pool %x {kernel = array<i64: 2, 3>, stride = array<i64: 2, 2>, padding = array<i64: 1, 0, 0, 1>, ceil_mode = true} : tensor<4x6x9x8xf32> -> tensor<4x6x5x4xf32>
  // CHECK: cnn.max_pool %{{.*}} {kernel = {{.*}}, with_positions = true} : tensor<4x6x9x8xf32> -> tensor<4x6x4x4xf32>, tensor<4x6x4x4xi32>
  %1, %2 = cnn.max_pool %x {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, with_positions = true} : tensor<4x6x9x8xf32> -> tensor<4x6x4x4xf32>, tensor<4x6x4x4xi32>
  // CHECK: cnn.avg_pool %{{.*}} {count_include_pad = false, kernel = {{.*}}} : tensor<4x6x9x8xf32> -> tensor<4x6x4x4xf32>
  %3 = cnn.avg_pool %x {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, count_include_pad = false} : tensor<4x6x9x8xf32> -> tensor<4x6x4x4xf32>
  // CHECK: cnn.max_pool_grad %{{.*}}, %{{.*}} {kernel = {{.*}}} : tensor<4x6x4x4xf32>, tensor<4x6x4x4xi32> -> tensor<4x6x9x8xf32>
  %4 = cnn.max_pool_grad %1, %2 {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<4x6x4x4xf32>, tensor<4x6x4x4xi32> -> tensor<4x6x9x8xf32>
  // CHECK: cnn.avg_pool_grad %{{.*}} {kernel = {{.*}}} : tensor<4x6x4x4xf32> -> tensor<4x6x9x8xf32>
  %5 = cnn.avg_pool_grad %3 {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<4x6x4x4xf32> -> tensor<4x6x9x8xf32>
  return
}

// CHECK-LABEL: func.func @index
func.func @index(%x: tensor<3x3xf32>, %labels: tensor<3xi32>) {
  // CHECK: %[[K:.*]] = cnn.literal dense<{{.*}}> : tensor<2x2xf32>
  %k = cnn.literal dense<[[0.0, 1.0], [2.0, 3.0]]> : tensor<2x2xf32>
  // CHECK: cnn.generic %{{.*}}, %[[K]] sizes [2, 2, 2, 2] parallel 2 reduction sum maps [{{.*}}] : (tensor<3x3xf32>, tensor<2x2xf32>) -> tensor<2x2xf32> {
  // CHECK-NEXT: ^bb0(%[[U:.*]]: f32, %[[V:.*]]: f32, %{{.*}}: i32, %{{.*}}: i32, %{{.*}}: i32, %{{.*}}: i32):
  // CHECK-NEXT: %[[P:.*]] = arith.mulf %[[U]], %[[V]] : f32
  // CHECK-NEXT: cnn.term %[[P]] : f32
  %0 = cnn.generic %x, %k sizes [2, 2, 2, 2] parallel 2 reduction sum
      maps [affine_map<(i, j, a, b) -> (i + a, j + b)>, affine_map<(i, j, a, b) -> (a, b)>, affine_map<(i, j, a, b) -> (i, j)>]
      : (tensor<3x3xf32>, tensor<2x2xf32>) -> tensor<2x2xf32> {
  ^bb0(%u: f32, %v: f32, %i: i32, %j: i32, %a: i32, %b: i32):
    %p = arith.mulf %u, %v : f32
    cnn.term %p : f32
  }
  // CHECK: cnn.generic %{{.*}} sizes [3, 3] parallel 1 reduction max maps [{{.*}}] : (tensor<3x3xf32>) -> (tensor<3xf32>, tensor<3xi32>)
  %1, %2 = cnn.generic %x sizes [3, 3] parallel 1 reduction max maps [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>]
      : (tensor<3x3xf32>) -> (tensor<3xf32>, tensor<3xi32>) {
  ^bb0(%u: f32, %i: i32, %j: i32):
    cnn.term %u : f32
  }
  // CHECK: cnn.generic %{{.*}} sizes [3, 3] parallel 2 reduction none maps [{{.*}}] {scatter = true} : (tensor<3x3xf32>) -> tensor<7xf32>
  %3 = cnn.generic %x sizes [3, 3] parallel 2 reduction none maps [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (2 * i + j)>] {scatter = true}
      : (tensor<3x3xf32>) -> tensor<7xf32> {
  ^bb0(%u: f32, %i: i32, %j: i32):
    cnn.term %u : f32
  }
  // CHECK: cnn.generic sizes [4] parallel 1 reduction none maps [{{.*}}] : () -> tensor<4xi32>
  %4 = cnn.generic sizes [4] parallel 1 reduction none maps [affine_map<(i) -> (i)>] : () -> tensor<4xi32> {
  ^bb0(%i: i32):
    cnn.term %i : i32
  }
  return
}

// CHECK-LABEL: func.func @training
func.func @training(%x: tensor<4x3xf32>, %labels: tensor<4xi32>, %rows: tensor<i32>, %s: tensor<f32>) {
  // CHECK: cnn.cross_entropy %{{.*}}, %{{.*}}, %{{.*}} : tensor<4x3xf32>, tensor<4xi32>, tensor<i32> -> tensor<f32>
  %0 = cnn.cross_entropy %x, %labels, %rows : tensor<4x3xf32>, tensor<4xi32>, tensor<i32> -> tensor<f32>
  // CHECK: cnn.cross_entropy_grad %{{.*}}, %{{.*}}, %{{.*}} {sum = true} : tensor<4x3xf32>, tensor<4xi32>, tensor<i32> -> tensor<4x3xf32>
  %1 = cnn.cross_entropy_grad %x, %labels, %rows {sum = true} : tensor<4x3xf32>, tensor<4xi32>, tensor<i32> -> tensor<4x3xf32>
  // CHECK: cnn.cross_entropy %{{.*}}, %{{.*}}, %{{.*}} {label_smoothing = 1.000000e-01 : f64} : tensor<4x3xf32>, tensor<4xi32>, tensor<i32> -> tensor<f32>
  %smooth = cnn.cross_entropy %x, %labels, %rows {label_smoothing = 1.000000e-01 : f64} : tensor<4x3xf32>, tensor<4xi32>, tensor<i32> -> tensor<f32>
  // CHECK: cnn.squared_error %{{.*}}, %{{.*}}, %{{.*}} {mean = true} : tensor<4x3xf32>, tensor<4x3xf32>, tensor<i32> -> tensor<f32>
  %squared = cnn.squared_error %x, %x, %rows {mean = true} : tensor<4x3xf32>, tensor<4x3xf32>, tensor<i32> -> tensor<f32>
  // CHECK: cnn.sgd_update %{{.*}}, %{{.*}} lr %{{.*}} : (tensor<4x3xf32>, tensor<4x3xf32>, tensor<f32>) -> tensor<4x3xf32>
  %2 = cnn.sgd_update %x, %1 lr %s : (tensor<4x3xf32>, tensor<4x3xf32>, tensor<f32>) -> tensor<4x3xf32>
  // CHECK: cnn.sgd_update %{{.*}}, %{{.*}} lr %{{.*}} decay %{{.*}} velocity %{{.*}} momentum %{{.*}} {nesterov = true} : (tensor<4x3xf32>, tensor<4x3xf32>, tensor<f32>, tensor<f32>, tensor<4x3xf32>, tensor<f32>) -> (tensor<4x3xf32>, tensor<4x3xf32>)
  %3, %4 = cnn.sgd_update %x, %1 lr %s decay %s velocity %x momentum %s {nesterov = true} : (tensor<4x3xf32>, tensor<4x3xf32>, tensor<f32>, tensor<f32>, tensor<4x3xf32>, tensor<f32>) -> (tensor<4x3xf32>, tensor<4x3xf32>)
  // CHECK: cnn.sgd_update {{.*}} momentum %{{.*}} share %{{.*}} :
  %s3, %s4 = cnn.sgd_update %x, %1 lr %s decay %s velocity %x momentum %s share %s : (tensor<4x3xf32>, tensor<4x3xf32>, tensor<f32>, tensor<f32>, tensor<4x3xf32>, tensor<f32>, tensor<f32>) -> (tensor<4x3xf32>, tensor<4x3xf32>)
  return
}

// CHECK-LABEL: func.func @norms
func.func @norms(%x: tensor<4x6x9x8xf32>, %c: tensor<6xf32>, %f: tensor<4x6xf32>, %rows: tensor<i32>) {
  // CHECK: cnn.batch_norm %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} {epsilon = 1.000000e-05 : f64, momentum = 1.000000e-01 : f64} : tensor<4x6x9x8xf32>, tensor<6xf32> -> tensor<4x6x9x8xf32>
  %0 = cnn.batch_norm %x, %c, %c, %c, %c {epsilon = 1.0e-05, momentum = 1.0e-01} : tensor<4x6x9x8xf32>, tensor<6xf32> -> tensor<4x6x9x8xf32>
  // CHECK: %{{.*}}, %[[M:.*]], %[[V:.*]] = cnn.batch_norm_train %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} {epsilon = {{.*}}} : tensor<4x6xf32>, tensor<6xf32>, tensor<i32> -> tensor<4x6xf32>, tensor<6xf32>, tensor<6xf32>
  %1, %m, %v = cnn.batch_norm_train %f, %c, %c, %rows {epsilon = 1.0e-05} : tensor<4x6xf32>, tensor<6xf32>, tensor<i32> -> tensor<4x6xf32>, tensor<6xf32>, tensor<6xf32>
  // CHECK: cnn.batch_norm_grad %{{.*}}, %{{.*}}, %{{.*}}, %[[M]], %[[V]], %{{.*}} {epsilon = {{.*}}} : tensor<4x6xf32>, tensor<6xf32>, tensor<i32> -> tensor<4x6xf32>, tensor<6xf32>, tensor<6xf32>
  %2, %3, %4 = cnn.batch_norm_grad %1, %f, %c, %m, %v, %rows {epsilon = 1.0e-05} : tensor<4x6xf32>, tensor<6xf32>, tensor<i32> -> tensor<4x6xf32>, tensor<6xf32>, tensor<6xf32>
  // CHECK: cnn.channel_sums %{{.*}}, %{{.*}} : tensor<4x6x9x8xf32>, tensor<4x6xf32> -> tensor<4x6xf32>, tensor<4x6xf32>
  %5, %6 = cnn.channel_sums %x, %f : tensor<4x6x9x8xf32>, tensor<4x6xf32> -> tensor<4x6xf32>, tensor<4x6xf32>
  // CHECK: cnn.channel_sums %{{.*}}, %{{.*}} factor %{{.*}} : tensor<4x6x9x8xf32>, tensor<6xf32>, tensor<4x6x9x8xf32> -> tensor<4x6xf32>, tensor<4x6xf32>
  %7, %8 = cnn.channel_sums %x, %c factor %0 : tensor<4x6x9x8xf32>, tensor<6xf32>, tensor<4x6x9x8xf32> -> tensor<4x6xf32>, tensor<4x6xf32>
  // CHECK: %[[MEANS:.*]] = cnn.avg_pool
  %means = cnn.avg_pool %x {kernel = array<i64: 3, 4>, stride = array<i64: 3, 4>, padding = array<i64: 0, 0, 0, 0>} : tensor<4x6x9x8xf32> -> tensor<4x6x3x2xf32>
  // CHECK: %[[SQUARES:.*]] = cnn.window_squares %{{.*}}, %[[MEANS]] {window = array<i64: 3, 4>} : tensor<4x6x9x8xf32>, tensor<4x6x3x2xf32> -> tensor<4x6x3x2xf32>
  %squares = cnn.window_squares %x, %means {window = array<i64: 3, 4>} : tensor<4x6x9x8xf32>, tensor<4x6x3x2xf32> -> tensor<4x6x3x2xf32>
  // CHECK: cnn.combine_moments %[[MEANS]], %[[SQUARES]], %{{.*}} {area = 12 : i64} : tensor<4x6x3x2xf32>, tensor<4x6x3x2xf32>, tensor<4x6xf32> -> tensor<4x6xf32>, tensor<4x6xf32>
  %s0, %s1 = cnn.combine_moments %means, %squares, %f {area = 12} : tensor<4x6x3x2xf32>, tensor<4x6x3x2xf32>, tensor<4x6xf32> -> tensor<4x6xf32>, tensor<4x6xf32>
  // CHECK: cnn.inverse_std %[[V]] {epsilon = 1.000000e-05 : f64} : tensor<6xf32> -> tensor<6xf32>
  %9 = cnn.inverse_std %v {epsilon = 1.0e-05} : tensor<6xf32> -> tensor<6xf32>
  // CHECK: cnn.scaled_weight %{{.*}}, %{{.*}}, %[[V]] {epsilon = {{.*}}} : tensor<6x2xf32>, tensor<6xf32>, tensor<6xf32> -> tensor<6x2xf32>
  %w = cnn.constant 1.0 : tensor<6x2xf32>
  %sw = cnn.scaled_weight %w, %c, %v {epsilon = 1.0e-05} : tensor<6x2xf32>, tensor<6xf32>, tensor<6xf32> -> tensor<6x2xf32>
  // CHECK: cnn.row_count %{{.*}} {factor = 72 : i64, offset = -1 : i64} : tensor<i32> -> tensor<f32>
  %10 = cnn.row_count %rows {factor = 72, offset = -1} : tensor<i32> -> tensor<f32>
  return
}

// CHECK-LABEL: func.func @winograd
func.func @winograd(%x: tensor<16x4x9x8xf32>, %w: tensor<6x4x3x3xf32>, %b: tensor<6xf32>) {
  // CHECK: cnn.winograd_weight %{{.*}} {tile = 4 : i64} : tensor<6x4x3x3xf32> -> tensor<6x6x6x4xf32>
  %u = cnn.winograd_weight %w {tile = 4 : i64} : tensor<6x4x3x3xf32> -> tensor<6x6x6x4xf32>
  // CHECK: cnn.winograd_input %{{.*}} {padding = array<i64: 1, 1>, tile = 4 : i64} : tensor<16x4x9x8xf32> -> tensor<16x3x1x6x6x4x1x2xf32>
  %v = cnn.winograd_input %x {tile = 4 : i64, padding = array<i64: 1, 1>} : tensor<16x4x9x8xf32> -> tensor<16x3x1x6x6x4x1x2xf32>
  // CHECK: cnn.winograd_product %{{.*}}, %{{.*}} : tensor<16x3x1x6x6x4x1x2xf32>, tensor<6x6x6x4xf32> -> tensor<16x3x1x6x6x6x1x2xf32>
  %m = cnn.winograd_product %v, %u : tensor<16x3x1x6x6x4x1x2xf32>, tensor<6x6x6x4xf32> -> tensor<16x3x1x6x6x6x1x2xf32>
  // CHECK: cnn.winograd_output %{{.*}}, %{{.*}} {of = "conv", tile = 4 : i64} : tensor<16x3x1x6x6x6x1x2xf32>, tensor<6xf32> -> tensor<16x6x9x8xf32>
  %y = cnn.winograd_output %m, %b {tile = 4 : i64, of = "conv"} : tensor<16x3x1x6x6x6x1x2xf32>, tensor<6xf32> -> tensor<16x6x9x8xf32>
  // CHECK: cnn.winograd_input %{{.*}} {padding = array<i64: 1, 1>, tile = 4 : i64, turned = true} : tensor<16x6x9x8xf32> -> tensor<16x3x1x6x6x6x1x2xf32>
  %g = cnn.winograd_input %y {tile = 4 : i64, padding = array<i64: 1, 1>, turned = true} : tensor<16x6x9x8xf32> -> tensor<16x3x1x6x6x6x1x2xf32>
  // CHECK: cnn.winograd_product %{{.*}}, %{{.*}} {turned = true} : tensor<16x3x1x6x6x6x1x2xf32>, tensor<6x6x6x4xf32> -> tensor<16x3x1x6x6x4x1x2xf32>
  %h = cnn.winograd_product %g, %u {turned = true} : tensor<16x3x1x6x6x6x1x2xf32>, tensor<6x6x6x4xf32> -> tensor<16x3x1x6x6x4x1x2xf32>
  // CHECK: cnn.winograd_output %{{.*}} {of = "conv_data_grad", tile = 4 : i64, turned = true} : tensor<16x3x1x6x6x4x1x2xf32> -> tensor<16x4x9x8xf32>
  %d = cnn.winograd_output %h {tile = 4 : i64, of = "conv_data_grad", turned = true} : tensor<16x3x1x6x6x4x1x2xf32> -> tensor<16x4x9x8xf32>
  // At stride 2 the images' points are 2 tile + 1, and so are those of the gradient of an input, which reads tile + 1 elements for 2 tile.
  // CHECK: cnn.winograd_weight %{{.*}} {stride = 2 : i64, tile = 3 : i64} : tensor<6x4x3x3xf32> -> tensor<7x7x6x4xf32>
  %u2 = cnn.winograd_weight %w {tile = 3 : i64, stride = 2 : i64} : tensor<6x4x3x3xf32> -> tensor<7x7x6x4xf32>
  // CHECK: cnn.winograd_input %{{.*}} {padding = array<i64: 1, 1>, stride = 2 : i64, tile = 3 : i64} : tensor<16x4x9x8xf32> -> tensor<16x2x1x7x7x4x1x2xf32>
  %v2 = cnn.winograd_input %x {tile = 3 : i64, padding = array<i64: 1, 1>, stride = 2 : i64} : tensor<16x4x9x8xf32> -> tensor<16x2x1x7x7x4x1x2xf32>
  // CHECK: cnn.winograd_product %{{.*}}, %{{.*}} {stride = 2 : i64} : tensor<16x2x1x7x7x4x1x2xf32>, tensor<7x7x6x4xf32> -> tensor<16x2x1x7x7x6x1x2xf32>
  %m2 = cnn.winograd_product %v2, %u2 {stride = 2 : i64} : tensor<16x2x1x7x7x4x1x2xf32>, tensor<7x7x6x4xf32> -> tensor<16x2x1x7x7x6x1x2xf32>
  // CHECK: cnn.winograd_output %{{.*}}, %{{.*}} {of = "conv", stride = 2 : i64, tile = 3 : i64} : tensor<16x2x1x7x7x6x1x2xf32>, tensor<6xf32> -> tensor<16x6x5x4xf32>
  %y2 = cnn.winograd_output %m2, %b {tile = 3 : i64, of = "conv", stride = 2 : i64} : tensor<16x2x1x7x7x6x1x2xf32>, tensor<6xf32> -> tensor<16x6x5x4xf32>
  // CHECK: cnn.winograd_output %{{.*}} {of = "conv_data_grad", stride = 2 : i64, tile = 3 : i64, turned = true} : tensor<16x2x1x7x7x6x1x2xf32> -> tensor<16x6x9x8xf32>
  %d2 = cnn.winograd_output %m2 {tile = 3 : i64, of = "conv_data_grad", stride = 2 : i64, turned = true} : tensor<16x2x1x7x7x6x1x2xf32> -> tensor<16x6x9x8xf32>
  return
}

// CHECK-LABEL: func.func @random
func.func @random(%x: tensor<4x6xf32>, %s: tensor<i32>) {
  // CHECK: cnn.dropout %{{.*}} {probability = 5.000000e-01 : f64} : tensor<4x6xf32>
  %0 = cnn.dropout %x {probability = 0.5} : tensor<4x6xf32>
  // CHECK: cnn.dropout_train %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} {number = 3 : i64, probability = 5.000000e-01 : f64} : tensor<4x6xf32>, tensor<i32>, tensor<i32>, tensor<i32> -> tensor<4x6xf32>
  %1 = cnn.dropout_train %x, %s, %s, %s {probability = 0.5, number = 3} : tensor<4x6xf32>, tensor<i32>, tensor<i32>, tensor<i32> -> tensor<4x6xf32>
  return
}

// CHECK-LABEL: func.func @adam
func.func @adam(%p: tensor<4x3xf32>, %s: tensor<f32>) {
  // CHECK: cnn.adam_update %{{.*}}, %{{.*}} moments %{{.*}}, %{{.*}} step_size %{{.*}} mean_share %{{.*}} square_decay %{{.*}} square_share %{{.*}} correction %{{.*}} eps %{{.*}} shrinkage %{{.*}} : (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>)
  %0, %1, %2 = cnn.adam_update %p, %p moments %p, %p step_size %s mean_share %s square_decay %s square_share %s correction %s eps %s shrinkage %s : (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>)
  // CHECK: cnn.adam_update {{.*}} eps %{{.*}} largest %{{.*}} : {{.*}} -> (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>)
  %a0, %a1, %a2, %a3 = cnn.adam_update %p, %p moments %p, %p step_size %s mean_share %s square_decay %s square_share %s correction %s eps %s largest %p : (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<4x3xf32>) -> (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>)
  // CHECK: cnn.adam_ratio %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<4x3xf32>, tensor<4x3xf32>, tensor<f32>, tensor<f32> -> tensor<4x3xf32>
  %3 = cnn.adam_ratio %p, %p, %s, %s : tensor<4x3xf32>, tensor<4x3xf32>, tensor<f32>, tensor<f32> -> tensor<4x3xf32>
  return
}

// CHECK-LABEL: func.func @tiles
func.func @tiles(%b: memref<8x32xf32>, %i: index) {
  // CHECK: %[[T:.*]] = cnn.tile_load %{{.*}}[%{{.*}}, %{{.*}}] map #[[EVERY_OTHER]] {guard = array<i64: 0>, padding = -1.000000e+00 : f64} : memref<8x32xf32> -> vector<4x16xf32>
  %0 = cnn.tile_load %b[%i, %i] map affine_map<(d0, d1) -> (d0 * 2, d1)> {guard = array<i64: 0>, padding = -1.0 : f64} : memref<8x32xf32> -> vector<4x16xf32>
  // CHECK: cnn.tile_store %[[T]], %{{.*}}[%{{.*}}, %{{.*}}] map #[[ALL]] {accumulate = true} : vector<4x16xf32> -> memref<8x32xf32>
  cnn.tile_store %0, %b[%i, %i] map affine_map<(d0, d1) -> (d0, d1)> {accumulate = true} : vector<4x16xf32> -> memref<8x32xf32>
  // CHECK: cnn.tile_index %{{.*}} map #[[LANE]] : vector<4x16xi32>
  %1 = cnn.tile_index %i map affine_map<(d0, d1) -> (d1)> : vector<4x16xi32>
  // CHECK: cnn.tile_pick %[[T]] offsets [1, 0] strides [2, 1] : vector<4x16xf32> -> vector<2x16xf32>
  %2 = cnn.tile_pick %0 offsets [1, 0] strides [2, 1] : vector<4x16xf32> -> vector<2x16xf32>
  // CHECK: cnn.tile_join %[[T]], %[[T]] {dim = 0 : i64} : vector<4x16xf32>, vector<4x16xf32> -> vector<8x16xf32>
  %4 = cnn.tile_join %0, %0 {dim = 0 : i64} : vector<4x16xf32>, vector<4x16xf32> -> vector<8x16xf32>
  // CHECK: cnn.tile_reduce "add" %[[T]] : vector<4x16xf32> -> vector<4x1xf32>
  %3 = cnn.tile_reduce "add" %0 : vector<4x16xf32> -> vector<4x1xf32>
  return
}

// CHECK-LABEL: func.func @functions
func.func @functions(%x: tensor<4x3xf64>) {
  // CHECK: cnn.leaky_relu %{{.*}} : tensor<4x3xf64> -> tensor<4x3xf64> {slope = 1.000000e-01 : f64}
  %0 = cnn.leaky_relu %x : tensor<4x3xf64> -> tensor<4x3xf64> {slope = 1.000000e-01 : f64}
  // CHECK: cnn.elu %{{.*}} : tensor<4x3xf64> -> tensor<4x3xf64> {alpha = 1.000000e+00 : f64}
  %1 = cnn.elu %x : tensor<4x3xf64> -> tensor<4x3xf64> {alpha = 1.000000e+00 : f64}
  // CHECK: cnn.relu6 %{{.*}} : tensor<4x3xf64> -> tensor<4x3xf64>
  %2 = cnn.relu6 %x : tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.silu %{{.*}} : tensor<4x3xf64> -> tensor<4x3xf64>
  %3 = cnn.silu %x : tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.hardswish %{{.*}} : tensor<4x3xf64> -> tensor<4x3xf64>
  %4 = cnn.hardswish %x : tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.gelu %{{.*}} : tensor<4x3xf64> -> tensor<4x3xf64> {approximate = true}
  %5 = cnn.gelu %x : tensor<4x3xf64> -> tensor<4x3xf64> {approximate = true}
  // CHECK: cnn.abs %{{.*}} : tensor<4x3xf64> -> tensor<4x3xf64>
  %6 = cnn.abs %x : tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.sin %{{.*}} : tensor<4x3xf64> -> tensor<4x3xf64>
  %sin = cnn.sin %x : tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.cos %{{.*}} : tensor<4x3xf64> -> tensor<4x3xf64>
  %cos = cnn.cos %x : tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.sqrt %{{.*}} : tensor<4x3xf64> -> tensor<4x3xf64>
  %7 = cnn.sqrt %x : tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.pow %{{.*}} : tensor<4x3xf64> -> tensor<4x3xf64> {exponent = 2.500000e+00 : f64}
  %8 = cnn.pow %x : tensor<4x3xf64> -> tensor<4x3xf64> {exponent = 2.500000e+00 : f64}
  // CHECK: cnn.leaky_relu_grad %{{.*}}, %{{.*}} : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64> {slope = 1.000000e-01 : f64}
  %9 = cnn.leaky_relu_grad %x, %x : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64> {slope = 1.000000e-01 : f64}
  // CHECK: cnn.elu_grad %{{.*}}, %{{.*}} : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64> {alpha = 1.000000e+00 : f64}
  %10 = cnn.elu_grad %x, %x : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64> {alpha = 1.000000e+00 : f64}
  // CHECK: cnn.relu6_grad %{{.*}}, %{{.*}} : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  %11 = cnn.relu6_grad %x, %x : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.silu_grad %{{.*}}, %{{.*}} : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  %12 = cnn.silu_grad %x, %x : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.hardswish_grad %{{.*}}, %{{.*}} : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  %13 = cnn.hardswish_grad %x, %x : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.gelu_grad %{{.*}}, %{{.*}} : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64> {approximate = true}
  %14 = cnn.gelu_grad %x, %x : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64> {approximate = true}
  // CHECK: cnn.abs_grad %{{.*}}, %{{.*}} : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  %15 = cnn.abs_grad %x, %x : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.maximum %{{.*}}, %{{.*}} : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  %16 = cnn.maximum %x, %x : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.minimum %{{.*}}, %{{.*}} : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  %17 = cnn.minimum %x, %x : tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.larger_share %{{.*}}, %{{.*}}, %{{.*}} : tensor<4x3xf64>, tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  %18 = cnn.larger_share %x, %x, %x : tensor<4x3xf64>, tensor<4x3xf64>, tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.softmax %{{.*}} dim 1 : tensor<4x3xf64> -> tensor<4x3xf64>
  %19 = cnn.softmax %x dim 1 : tensor<4x3xf64> -> tensor<4x3xf64>
  // CHECK: cnn.log_softmax %{{.*}} dim 1 : tensor<4x3xf64> -> tensor<4x3xf64>
  %20 = cnn.log_softmax %x dim 1 : tensor<4x3xf64> -> tensor<4x3xf64>
  return
}

// CHECK-LABEL: func.func @moving
func.func @moving(%x: tensor<2x3x5x5xf32>, %y: tensor<2x4x5x5xf32>) {
  // CHECK: cnn.pad %{{.*}} {high = array<i64: 0, 0, 2, -1>, low = array<i64: 0, 0, 1, 1>, value = 5.000000e-01 : f64} : tensor<2x3x5x5xf32> -> tensor<2x3x8x5xf32>
  %0 = cnn.pad %x {high = array<i64: 0, 0, 2, -1>, low = array<i64: 0, 0, 1, 1>, value = 5.000000e-01 : f64} : tensor<2x3x5x5xf32> -> tensor<2x3x8x5xf32>
  // CHECK: cnn.concat %{{.*}}, %{{.*}} dim 1 : (tensor<2x3x5x5xf32>, tensor<2x4x5x5xf32>) -> tensor<2x7x5x5xf32>
  %1 = cnn.concat %x, %y dim 1 : (tensor<2x3x5x5xf32>, tensor<2x4x5x5xf32>) -> tensor<2x7x5x5xf32>
  // CHECK: cnn.permute %{{.*}} order [0, 2, 3, 1] : tensor<2x3x5x5xf32> -> tensor<2x5x5x3xf32>
  %2 = cnn.permute %x order [0, 2, 3, 1] : tensor<2x3x5x5xf32> -> tensor<2x5x5x3xf32>
  // CHECK: cnn.adaptive_avg_pool %{{.*}} size [2, 3] : tensor<2x3x5x5xf32> -> tensor<2x3x2x3xf32>
  %3 = cnn.adaptive_avg_pool %x size [2, 3] : tensor<2x3x5x5xf32> -> tensor<2x3x2x3xf32>
  // CHECK: cnn.adaptive_max_pool %{{.*}} size [2, 3] : tensor<2x3x5x5xf32> -> tensor<2x3x2x3xf32>, tensor<2x3x2x3xi32>
  %4, %5 = cnn.adaptive_max_pool %x size [2, 3] : tensor<2x3x5x5xf32> -> tensor<2x3x2x3xf32>, tensor<2x3x2x3xi32>
  // CHECK: cnn.adaptive_avg_pool_grad %{{.*}} : tensor<2x3x2x3xf32> -> tensor<2x3x5x5xf32>
  %6 = cnn.adaptive_avg_pool_grad %4 : tensor<2x3x2x3xf32> -> tensor<2x3x5x5xf32>
  // CHECK: cnn.adaptive_max_pool_grad %{{.*}}, %{{.*}} : tensor<2x3x2x3xf32>, tensor<2x3x2x3xi32> -> tensor<2x3x5x5xf32>
  %7 = cnn.adaptive_max_pool_grad %4, %5 : tensor<2x3x2x3xf32>, tensor<2x3x2x3xi32> -> tensor<2x3x5x5xf32>
  return
}
