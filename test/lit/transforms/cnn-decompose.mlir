// RUN: cnn-opt %s -cnn-decompose --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s
// Fails when a loss or an update is computed by another formula, or loses its layer.

// CHECK-LABEL: func.func @loss(
// CHECK-SAME: %[[X:[^ ]*]]: tensor<4x3xf64>
// CHECK-NEXT: %[[MAX:.*]] = cnn.reduce_max %[[X]] dims [1] : tensor<4x3xf64> -> tensor<4x1xf64> {keep_dims = true} loc("loss"("net.cnn":9:1))
// CHECK-NEXT: %[[D:.*]] = cnn.sub %[[X]], %[[MAX]]
// CHECK-NEXT: %[[E:.*]] = cnn.exp %[[D]]
// CHECK-NEXT: %[[T:.*]] = cnn.reduce_sum %[[E]] dims [1]
// CHECK-NEXT: %[[H:.*]] = cnn.one_hot
// CHECK-NEXT: %[[W:.*]] = cnn.row_weight
// CHECK-NEXT: %[[D2:.*]] = cnn.sub %[[X]], %[[MAX]]
// CHECK-NEXT: %[[P:.*]] = cnn.mul %[[D2]], %[[H]]
// CHECK-NEXT: %[[PICK:.*]] = cnn.reduce_sum %[[P]] dims [1]
// CHECK-NEXT: %[[L:.*]] = cnn.log %[[T]]
// CHECK-NEXT: %[[R:.*]] = cnn.sub %[[L]], %[[PICK]]
// CHECK-NEXT: %[[RW:.*]] = cnn.mul %[[R]], %[[W]]
// CHECK-NEXT: %[[LOSS:.*]] = cnn.reduce_sum %[[RW]] dims [0, 1]
// CHECK: %[[E:.*]] = cnn.exp
// CHECK-NEXT: %[[T:.*]] = cnn.reduce_sum %[[E]] dims [1]
// CHECK-NEXT: %[[H:.*]] = cnn.one_hot
// CHECK-NEXT: %[[W:.*]] = cnn.row_weight {{.*}} {sum = true}
// CHECK-NEXT: %[[S:.*]] = cnn.div %[[E]], %[[T]]
// CHECK-NEXT: %[[D:.*]] = cnn.sub %[[S]], %[[H]]
// CHECK-NEXT: %[[G:.*]] = cnn.mul %[[D]], %[[W]] {{.*}} loc("loss.backward"("net.cnn":9:1))
// CHECK-NEXT: return %[[LOSS]], %[[G]]
func.func @loss(%x: tensor<4x3xf64>, %labels: tensor<4xi32>, %rows: tensor<i32>) -> (tensor<f64>, tensor<4x3xf64>) {
  %0 = cnn.cross_entropy %x, %labels, %rows : tensor<4x3xf64>, tensor<4xi32>, tensor<i32> -> tensor<f64> loc("loss"("net.cnn":9:1))
  %1 = cnn.cross_entropy_grad %x, %labels, %rows {sum = true} : tensor<4x3xf64>, tensor<4xi32>, tensor<i32> -> tensor<4x3xf64> loc("loss.backward"("net.cnn":9:1))
  return %0, %1 : tensor<f64>, tensor<4x3xf64>
}

// CHECK-LABEL: func.func @plain(
// CHECK-SAME: %[[P:[^ ]*]]: tensor<6xf32> {{.*}}, %[[G:[^ ]*]]: tensor<6xf32> {{.*}}, %[[LR:[^ ]*]]: tensor<f32>
// CHECK-NEXT: %[[S:.*]] = cnn.mul %[[G]], %[[LR]]
// CHECK-NEXT: %[[N:.*]] = cnn.sub %[[P]], %[[S]]
// CHECK-NEXT: return %[[N]]
func.func @plain(%p: tensor<6xf32>, %g: tensor<6xf32>, %lr: tensor<f32>) -> tensor<6xf32> {
  %0 = cnn.sgd_update %p, %g lr %lr : (tensor<6xf32>, tensor<6xf32>, tensor<f32>) -> tensor<6xf32>
  return %0 : tensor<6xf32>
}

// CHECK-LABEL: func.func @nesterov(
// CHECK-SAME: %[[P:[^ ]*]]: tensor<6xf32> {{.*}}, %[[G:[^ ]*]]: tensor<6xf32> {{.*}}, %[[V:[^ ]*]]: tensor<6xf32> {{.*}}, %[[LR:[^ ]*]]: tensor<f32> {{.*}}, %[[M:[^ ]*]]: tensor<f32> {{.*}}, %[[WD:[^ ]*]]: tensor<f32>
// CHECK-NEXT: %[[PWD:.*]] = cnn.mul %[[P]], %[[WD]]
// CHECK-NEXT: %[[GD:.*]] = cnn.add %[[G]], %[[PWD]]
// CHECK-NEXT: %[[VM:.*]] = cnn.mul %[[V]], %[[M]]
// CHECK-NEXT: %[[NV:.*]] = cnn.add %[[VM]], %[[GD]]
// CHECK-NEXT: %[[NVM:.*]] = cnn.mul %[[NV]], %[[M]]
// CHECK-NEXT: %[[STEP:.*]] = cnn.add %[[GD]], %[[NVM]]
// CHECK-NEXT: %[[S:.*]] = cnn.mul %[[STEP]], %[[LR]]
// CHECK-NEXT: %[[N:.*]] = cnn.sub %[[P]], %[[S]]
// CHECK-NEXT: return %[[N]], %[[NV]]
func.func @nesterov(%p: tensor<6xf32>, %g: tensor<6xf32>, %v: tensor<6xf32>, %lr: tensor<f32>, %m: tensor<f32>, %wd: tensor<f32>) -> (tensor<6xf32>, tensor<6xf32>) {
  %0, %1 = cnn.sgd_update %p, %g lr %lr decay %wd velocity %v momentum %m {nesterov = true} : (tensor<6xf32>, tensor<6xf32>, tensor<f32>, tensor<f32>, tensor<6xf32>, tensor<f32>) -> (tensor<6xf32>, tensor<6xf32>)
  return %0, %1 : tensor<6xf32>, tensor<6xf32>
}
