// RUN: cnn-opt %s --split-input-file --cnn-choose-gpu-schedules --verify-diagnostics | FileCheck %s
// RUN: cnn-opt %s --split-input-file "--cnn-choose-gpu-schedules=override=conv_data_grad=contraction" --verify-diagnostics | FileCheck %s --check-prefix=ASKED
// Breaks if the gradient of a strided convolution's input is scattered point by point where all of its phases are one
// product, or if phases are gathered beyond the end of the image.

module @m attributes {cnn.target = "nvptx", cnn.cpu = "sm_80"} {
  // CHECK-LABEL: func.func @step
  func.func @step(%dy: tensor<256x64x8x8xf32>, %w: tensor<64x32x3x3xf32>, %dz: tensor<2x4x3x3xf32>, %v: tensor<4x3x3x3xf32>)
      -> (tensor<256x32x16x16xf32>, tensor<256x32x15x15xf32>, tensor<2x3x6x6xf32>) {
    // 256 x 8 x 8 pixels of the gradient; 32 channels and 2 x 2 phases; 64 channels and 2 x 2 taps.
    // CHECK: cnn.group "even" {{.*}} schedule #cnn.gpu_schedule<"contraction", {{.*}}> because "{{.*}}16384 x 128 results, each of 256 products
    // CHECK: cnn.conv_data_grad {{.*}}scatter = false
    %e = cnn.group "even" (%a = %dy, %k = %w) : (tensor<256x64x8x8xf32>, tensor<64x32x3x3xf32>) -> tensor<256x32x16x16xf32> {
      %y = cnn.conv_data_grad %a, %k {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 2, 2>} : tensor<256x64x8x8xf32>, tensor<64x32x3x3xf32> -> tensor<256x32x16x16xf32>
      cnn.yield %y : tensor<256x32x16x16xf32>
    }
    // The last row has one phase only.
    // CHECK: cnn.group "odd" {{.*}} schedule #cnn.gpu_schedule<"point"
    // CHECK-NOT: scatter = false
    // ASKED: cnn.group "odd" {{.*}} schedule #cnn.gpu_schedule<"point"
    %o = cnn.group "odd" (%a = %dy, %k = %w) : (tensor<256x64x8x8xf32>, tensor<64x32x3x3xf32>) -> tensor<256x32x15x15xf32> {
      %y = cnn.conv_data_grad %a, %k {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 2, 2>} : tensor<256x64x8x8xf32>, tensor<64x32x3x3xf32> -> tensor<256x32x15x15xf32>
      cnn.yield %y : tensor<256x32x15x15xf32>
    }
    // Too little for tiles, but asked for.
    // CHECK: cnn.group "small" {{.*}} schedule #cnn.gpu_schedule<"point"
    // ASKED: cnn.group "small" {{.*}} schedule #cnn.gpu_schedule<"contraction"
    // ASKED: cnn.conv_data_grad {{.*}}scatter = false
    %s = cnn.group "small" (%a = %dz, %k = %v) : (tensor<2x4x3x3xf32>, tensor<4x3x3x3xf32>) -> tensor<2x3x6x6xf32> {
      %y = cnn.conv_data_grad %a, %k {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 2, 2>} : tensor<2x4x3x3xf32>, tensor<4x3x3x3xf32> -> tensor<2x3x6x6xf32>
      cnn.yield %y : tensor<2x3x6x6xf32>
    }
    return %e, %o, %s : tensor<256x32x16x16xf32>, tensor<256x32x15x15xf32>, tensor<2x3x6x6xf32>
  }
}

// -----

module @m attributes {cnn.target = "nvptx", cnn.cpu = "sm_80"} {
  func.func @step(%dy: tensor<2x4x3x3xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<2x3x5x5xf32> {
    // expected-error@+1 {{group 'odd': points of 'conv_data_grad' lie outside of its result, which a GPU does not leave out; its scattered form has none}}
    %o = cnn.group "odd" (%a = %dy, %k = %w) : (tensor<2x4x3x3xf32>, tensor<4x3x3x3xf32>) -> tensor<2x3x5x5xf32> {
      %y = cnn.conv_data_grad %a, %k {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 2, 2>, scatter = false} : tensor<2x4x3x3xf32>, tensor<4x3x3x3xf32> -> tensor<2x3x5x5xf32>
      cnn.yield %y : tensor<2x3x5x5xf32>
    }
    return %o : tensor<2x3x5x5xf32>
  }
}
