// RUN: cnn-opt %s -cnn-differentiate | FileCheck %s
// RUN: cnn-opt %s -cnn-differentiate -cnn-decompose -canonicalize -cse | FileCheck %s --check-prefix=PARTS
// Fails when training does not normalise by the batch, evaluation not by the running statistics, or when
// the running statistics lose a batch.

module @net {
  cnn.param @norm.weight : tensor<2xf32> parameter <"constant", value = 1.0 : f64>
  cnn.param @norm.bias : tensor<2xf32> parameter <"constant">
  cnn.param @norm.running_mean : tensor<2xf32> running <"constant">
  cnn.param @norm.running_var : tensor<2xf32> running <"constant", value = 1.0 : f64>
  cnn.recipe @r net @net loss "cross_entropy" optimizer "sgd"

  // A layer that is used twice sees two batches a step.
  // CHECK-LABEL: func.func @train_step
  // CHECK-SAME: %[[ROWS:[^ ]*]]: tensor<i32>
  // CHECK: %[[X:.*]] = cnn.mask_rows
  // CHECK: %[[MEAN:.*]] = cnn.read @norm.running_mean
  // CHECK: %[[Y:.*]], %[[M1:.*]], %[[V1:.*]] = cnn.batch_norm_train %[[X]], %[[W:.*]], %[[B:.*]], %[[ROWS]] {epsilon = 1.000000e-05 : f64}
  // CHECK: cnn.row_count %[[ROWS]] {factor = 1 : i64}
  // CHECK: cnn.row_count %[[ROWS]] {factor = 1 : i64, offset = -1 : i64}
  // CHECK: %[[OLD:.*]] = cnn.mul %[[MEAN]], %{{.*}}
  // CHECK: %[[NEW:.*]] = cnn.mul %[[M1]], %{{.*}}
  // CHECK: %[[AFTER:.*]] = cnn.add %[[OLD]], %[[NEW]]
  // CHECK: %[[Z:.*]], %[[M2:.*]], %[[V2:.*]] = cnn.batch_norm_train %[[Y]], %[[W]], %[[B]], %[[ROWS]]
  // CHECK: %[[OLD2:.*]] = cnn.mul %[[AFTER]], %{{.*}}
  // CHECK: %[[AFTER2:.*]] = cnn.add %[[OLD2]]
  // CHECK: %[[AFTERVAR:.*]] = cnn.add
  // CHECK: cnn.batch_norm_grad %{{.*}}, %[[Y]], %[[W]], %[[M2]], %[[V2]], %[[ROWS]]
  // CHECK: cnn.batch_norm_grad %{{.*}}, %[[X]], %[[W]], %[[M1]], %[[V1]], %[[ROWS]]
  // CHECK: cnn.write @norm.weight
  // CHECK: cnn.write @norm.running_mean, %[[AFTER2]]
  // CHECK: cnn.write @norm.running_var, %[[AFTERVAR]]

  // CHECK-LABEL: func.func @eval
  // CHECK: cnn.batch_norm
  // CHECK-NOT: cnn.batch_norm_train
  // CHECK-NOT: cnn.write
  // CHECK-LABEL: func.func @infer

  // The gradient is 0 in rows that are not used, since the statistics mix all rows.
  // PARTS-LABEL: func.func @train_step
  // PARTS: cnn.row_weight
  // PARTS: cnn.inverse_std
  // PARTS: cnn.mask_rows
  // PARTS-NOT: cnn.batch_norm
  // PARTS-LABEL: func.func @infer
  // PARTS: %[[S:.*]] = cnn.mul %{{.*}}, %{{.*}} : tensor<2xf32>, tensor<2xf32>
  // PARTS: cnn.mul %{{.*}}, %[[S]] : tensor<4x2xf32>, tensor<2xf32>
  // PARTS-NOT: cnn.batch_norm
  func.func @net(%x: tensor<4x2xf32> {cnn.name = "x"}) -> (tensor<4x2xf32> {cnn.name = "y"}) {
    %w = cnn.read @norm.weight : tensor<2xf32>
    %b = cnn.read @norm.bias : tensor<2xf32>
    %m = cnn.read @norm.running_mean : tensor<2xf32>
    %v = cnn.read @norm.running_var : tensor<2xf32>
    %0 = cnn.batch_norm %x, %w, %b, %m, %v {epsilon = 1.0e-05, momentum = 0.1} : tensor<4x2xf32>, tensor<2xf32> -> tensor<4x2xf32> loc("norm")
    %1 = cnn.batch_norm %0, %w, %b, %m, %v {epsilon = 1.0e-05, momentum = 0.1} : tensor<4x2xf32>, tensor<2xf32> -> tensor<4x2xf32> loc("norm.2")
    return %1 : tensor<4x2xf32>
  }
}
