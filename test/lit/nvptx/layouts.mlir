// RUN: cnn-opt %s --cnn-choose-gpu-schedules | FileCheck %s
// RUN: cnn-opt %s --cnn-choose-gpu-schedules=layout=plain | FileCheck %s --check-prefix=PLAIN
// RUN: cnn-opt %s --cnn-choose-gpu-schedules=layout=channels | FileCheck %s --check-prefix=ASKED
// Breaks if images of a GPU lie otherwise than products read them best, if a weight does not follow them, or if
// what others read lies so.

// PLAIN-NOT: block = 1>
module @m attributes {cnn.target = "nvptx", cnn.cpu = "sm_80"} {
  cnn.param @conv2.weight : tensor<64x32x3x3xf32> parameter <"constant", value = 0.0 : f64>
  // CHECK: func.func @infer({{.*}}) -> {{.*}} attributes {cnn.layout_reason = "channels-last: {{[0-9]+}} million words fewer for products in accesses of 16 bytes, 0 more where the order changes; images: 1, weights: 1, gradients of weights: 0"}
  // PLAIN: cnn.layout_reason = "row-major: asked for"
  // ASKED: cnn.layout_reason = "channels-last: asked for; images: 1, weights: 1, gradients of weights: 0"
  func.func @infer(%x: tensor<32x3x64x64xf32> {cnn.name = "x"}, %w1: tensor<32x3x3x3xf32> {cnn.unbatched})
      -> (tensor<32x64x64x64xf32> {cnn.name = "y"}) {
    // CHECK: cnn.group "conv2.weight.channels_last" {{.*}} : (tensor<64x32x3x3xf32>) -> tensor<64x32x3x3xf32, #cnn.layout<order = [0, 2, 3, 1], block = 1>>
    // CHECK: cnn.convert_layout
    %w2 = cnn.read @conv2.weight : tensor<64x32x3x3xf32>
    // Of three channels the input is read as it is.
    // CHECK: cnn.group "conv1" {{.*}} : (tensor<32x3x64x64xf32>, tensor<32x3x3x3xf32>) -> tensor<32x32x64x64xf32, #cnn.layout<order = [0, 2, 3, 1], block = 1>>
    %y1 = cnn.group "conv1" (%a = %x, %b = %w1) : (tensor<32x3x64x64xf32>, tensor<32x3x3x3xf32>) -> tensor<32x32x64x64xf32> {
      %v = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<32x3x64x64xf32>, tensor<32x3x3x3xf32> -> tensor<32x32x64x64xf32>
      cnn.yield %v : tensor<32x32x64x64xf32>
    }
    // CHECK: cnn.group "conv2" {{.*}} : (tensor<32x32x64x64xf32, #cnn.layout<order = [0, 2, 3, 1], block = 1>>, tensor<64x32x3x3xf32, #cnn.layout<order = [0, 2, 3, 1], block = 1>>) -> tensor<32x64x64x64xf32> schedule
    %y2 = cnn.group "conv2" (%a = %y1, %b = %w2) : (tensor<32x32x64x64xf32>, tensor<64x32x3x3xf32>) -> tensor<32x64x64x64xf32> {
      %v = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<32x32x64x64xf32>, tensor<64x32x3x3xf32> -> tensor<32x64x64x64xf32>
      cnn.yield %v : tensor<32x64x64x64xf32>
    }
    return %y2 : tensor<32x64x64x64xf32>
  }
}
