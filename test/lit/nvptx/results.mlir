// RUN: cnn-opt %s --cnn-choose-gpu-schedules | FileCheck %s
// Breaks if a result that no group makes, or that leaves twice, is not copied to where it belongs.

module @m attributes {cnn.target = "nvptx"} {
  // CHECK-LABEL: func.func @identity
  // CHECK: %[[FIRST:.*]] = cnn.group "y.copy" {{.*}} schedule #cnn.gpu_schedule<"point"
  // CHECK: cnn.convert_layout
  // CHECK: %[[SECOND:.*]] = cnn.group "result1.copy"
  // CHECK: return %[[FIRST]], %[[SECOND]]
  func.func @identity(%x: tensor<2x6xf32>) -> (tensor<2x6xf32> {cnn.name = "y"}, tensor<3x4xf32>) {
    %r = cnn.reshape %x : tensor<2x6xf32> -> tensor<3x4xf32>
    return %x, %r : tensor<2x6xf32>, tensor<3x4xf32>
  }
}
