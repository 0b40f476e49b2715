// RUN: cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-slice-batch=fewest=2 --cnn-choose-schedules --cnn-plan | FileCheck %s --enable-var-scope
// Breaks if the plan gives a slot to a value that never leaves its kernel, or buffers that are alive together meet.

// The state: aligned offsets. The input, the output, arena and scratch are arguments in the order of the C interface.
// CHECK: cnn.param @w : {{.*}} {cnn.offset = 0 : i64}
// CHECK: cnn.param @b : {{.*}} {cnn.offset = 640 : i64}
// CHECK-LABEL: func.func @infer(
// CHECK-SAME: memref<704xi8> {cnn.role = "state_in"}
// CHECK-SAME: memref<32x1x28x28xf32> {cnn.name = "image", cnn.role = "input"
// CHECK-SAME: memref<32x6x14x14xf32> {cnn.name = "y", cnn.role = "output"
// CHECK-SAME: {cnn.role = "arena"}
// CHECK-SAME: {cnn.role = "scratch"}
// There is no slot for what the convolution or the sigmoid gives: only the pooled tensor and the padded image.
// CHECK-SAME: cnn.plan = ["scratch {{[0-9]+}} + 65536: image.blocks#0, steps 0 to 1", "scratch {{[0-9]+}} + 75264: conv1.forward#0, steps 1 to 2", "arena: 64 bytes, 0 in use at one time"]
// CHECK: cnn.launch @infer.slices items 2
// CHECK-NOT: cnn.barrier
// CHECK: return
// CHECK-LABEL: func.func private @infer.slices
// CHECK: call @image.blocks
// CHECK: call @conv1.forward
// CHECK: call @y.copy
// CHECK-LABEL: func.func private @conv1.forward
// CHECK-SAME: memref<1x1x32x32x16xf32>
// CHECK-SAME: memref<1x6x14x14x16xf32>
module @lenet {
  cnn.param @w : tensor<6x1x5x5xf32> parameter <"constant", value = 1.0 : f64>
  cnn.param @b : tensor<6xf32> parameter <"constant", value = 0.0 : f64>
  func.func @infer(%image: tensor<32x1x28x28xf32> {cnn.name = "image"}) -> (tensor<32x6x14x14xf32> {cnn.name = "y"}) {
    %w = cnn.read @w : tensor<6x1x5x5xf32>
    %b = cnn.read @b : tensor<6xf32>
    %p = cnn.group "conv1.forward" (%x = %image, %w1 = %w, %b1 = %b) : (tensor<32x1x28x28xf32>, tensor<6x1x5x5xf32>, tensor<6xf32>) -> tensor<32x6x14x14xf32> {
      %y = cnn.conv %x, %w1, %b1 {stride = array<i64: 1, 1>, padding = array<i64: 2, 2, 2, 2>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<32x1x28x28xf32>, tensor<6x1x5x5xf32>, tensor<6xf32> -> tensor<32x6x28x28xf32>
      %s = cnn.sigmoid %y : tensor<32x6x28x28xf32> -> tensor<32x6x28x28xf32>
      %q = cnn.avg_pool %s {kernel = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : tensor<32x6x28x28xf32> -> tensor<32x6x14x14xf32>
      cnn.yield %q : tensor<32x6x14x14xf32>
    }
    return %p : tensor<32x6x14x14xf32>
  }
}
