// RUN: cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-slice-batch=fewest=2 | FileCheck %s --enable-var-scope
// What leaves the slices in two shapes leaves once, and is given its other shape behind them: one buffer cannot be in
// two places, and the kernels wrote to one of the two.

// CHECK: %[[BOTH:.*]] = cnn.group "shapes.slices"
// CHECK: %[[SQUARE:.*]] = cnn.group "square"
// CHECK: cnn.yield %[[SQUARE]] : tensor<32x4x6xf32, {{[^>]*}}>
// CHECK-NEXT: }
// CHECK-NEXT: %[[FLAT:.*]] = cnn.reshape %[[BOTH]] : {{.*}} -> tensor<32x24xf32
// CHECK: cnn.group "a" ({{.*}} = %[[BOTH]])
// CHECK: cnn.group "b" ({{.*}} = %[[FLAT]])
module @shapes {
  func.func @shapes(%x: tensor<32x4x6xf32> {cnn.name = "x"}) -> (tensor<4x6xf32>, tensor<24xf32>) {
    %q = cnn.group "square" (%a = %x) : (tensor<32x4x6xf32>) -> tensor<32x4x6xf32> {
      %s = cnn.mul %a, %a : tensor<32x4x6xf32>, tensor<32x4x6xf32> -> tensor<32x4x6xf32>
      cnn.yield %s : tensor<32x4x6xf32>
    }
    %r = cnn.reshape %q : tensor<32x4x6xf32> -> tensor<32x24xf32>
    %a = cnn.group "a" (%v = %q) : (tensor<32x4x6xf32>) -> tensor<4x6xf32> {
      %s = cnn.reduce_max %v dims [0] : tensor<32x4x6xf32> -> tensor<4x6xf32>
      cnn.yield %s : tensor<4x6xf32>
    }
    %b = cnn.group "b" (%v = %r) : (tensor<32x24xf32>) -> tensor<24xf32> {
      %s = cnn.reduce_max %v dims [0] : tensor<32x24xf32> -> tensor<24xf32>
      cnn.yield %s : tensor<24xf32>
    }
    return %a, %b : tensor<4x6xf32>, tensor<24xf32>
  }
}
