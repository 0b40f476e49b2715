// RUN: cnn-opt %s --cnn-choose-gpu-schedules | FileCheck %s
// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=sum=algorithm:point;block:128 override=sigmoid=block:64" | FileCheck %s --check-prefix=ASKED
// Breaks if a group gets no schedule, if few results of many points are not shared by a block, or if
// what is asked for is not taken.

module @odd attributes {cnn.target = "nvptx"} {
  // CHECK-LABEL: func.func @infer
  func.func @infer(%x: tensor<300x40xf32>, %dy: tensor<2x3x5x5xf32>, %w: tensor<3x4x3x3xf32>, %dz: tensor<2x3x3x3xf32>,
                   %y: tensor<40x40xf32>, %z: tensor<200x200xf32>)
      -> (tensor<300x40xf32>, tensor<40xf32>, tensor<300xf32>, tensor<2x4x7x7xf32>, tensor<2x4x7x7xf32>, tensor<40xf32>, tensor<200x200xf32>) {
    // CHECK: cnn.group "s.forward" {{.*}} schedule #cnn.gpu_schedule<"point", block = 256> because "12000 results: a thread for each"
    // ASKED: cnn.group "s.forward" {{.*}} schedule #cnn.gpu_schedule<"point", block = 64> because "asked for: block:64"
    %s = cnn.group "s.forward" (%a = %x) : (tensor<300x40xf32>) -> tensor<300x40xf32> {
      %v = cnn.sigmoid %a : tensor<300x40xf32> -> tensor<300x40xf32>
      cnn.yield %v : tensor<300x40xf32>
    }
    // CHECK: cnn.group "sum" {{.*}} schedule #cnn.gpu_schedule<"reduce", block = 256, tile = [64, 4], vector = 4> because "40 results of 300 points each: 64 threads for each 4 beside each other"
    // ASKED: cnn.group "sum" {{.*}} schedule #cnn.gpu_schedule<"point", block = 128> because "asked for: algorithm:point;block:128"
    %t = cnn.group "sum" (%a = %x) : (tensor<300x40xf32>) -> tensor<40xf32> {
      %v = cnn.reduce_sum %a dims [0] : tensor<300x40xf32> -> tensor<40xf32>
      cnn.yield %v : tensor<40xf32>
    }
    // Points that lie side by side are for a warp, which reads them at once.
    // CHECK: cnn.group "rows" {{.*}} schedule #cnn.gpu_schedule<"reduce", block = 256, tile = [32]> because "300 results of 40 points each: a warp for each"
    %r = cnn.group "rows" (%a = %x) : (tensor<300x40xf32>) -> tensor<300xf32> {
      %v = cnn.reduce_sum %a dims [1] : tensor<300x40xf32> -> tensor<300xf32>
      cnn.yield %v : tensor<300xf32>
    }
    // Those of neighbouring results are read by threads beside each other.
    // CHECK: cnn.group "columns" {{.*}} schedule #cnn.gpu_schedule<"reduce", block = 256, tile = [32, 8], vector = 4> because "40 results of 40 points each: 32 threads for each 4 beside each other"
    %k = cnn.group "columns" (%a = %y) : (tensor<40x40xf32>) -> tensor<40xf32> {
      %v = cnn.reduce_sum %a dims [0] : tensor<40x40xf32> -> tensor<40xf32>
      cnn.yield %v : tensor<40xf32>
    }
    // Enough elements that a thread has several.
    // CHECK: cnn.group "wide" {{.*}} schedule #cnn.gpu_schedule<"point", block = 256, vector = 4> because "40000 results: a thread for each 4"
    %i = cnn.group "wide" (%a = %z) : (tensor<200x200xf32>) -> tensor<200x200xf32> {
      %v = cnn.relu %a : tensor<200x200xf32> -> tensor<200x200xf32>
      cnn.yield %v : tensor<200x200xf32>
    }
    // At stride 1 the gradient is gathered; at stride 2 only where its phases are products worth tiles.
    // CHECK: cnn.group "grad"
    // CHECK: cnn.conv_data_grad {{.*}}scatter = false
    %g = cnn.group "grad" (%a = %dy, %b = %w) : (tensor<2x3x5x5xf32>, tensor<3x4x3x3xf32>) -> tensor<2x4x7x7xf32> {
      %v = cnn.conv_data_grad %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<2x3x5x5xf32>, tensor<3x4x3x3xf32> -> tensor<2x4x7x7xf32>
      cnn.yield %v : tensor<2x4x7x7xf32>
    }
    // CHECK: cnn.group "grad2" {{.*}} schedule #cnn.gpu_schedule<"point", block = 256> because "392 results{{.*}}: a thread for each
    // CHECK-NOT: scatter = false
    %h = cnn.group "grad2" (%a = %dz, %b = %w) : (tensor<2x3x3x3xf32>, tensor<3x4x3x3xf32>) -> tensor<2x4x7x7xf32> {
      %v = cnn.conv_data_grad %a, %b {stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<2x3x3x3xf32>, tensor<3x4x3x3xf32> -> tensor<2x4x7x7xf32>
      cnn.yield %v : tensor<2x4x7x7xf32>
    }
    return %s, %t, %r, %g, %h, %k, %i : tensor<300x40xf32>, tensor<40xf32>, tensor<300xf32>, tensor<2x4x7x7xf32>, tensor<2x4x7x7xf32>, tensor<40xf32>, tensor<200x200xf32>
  }
}
