// RUN: cnn-opt %s --cnn-choose-gpu-schedules | FileCheck %s
// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=c.weight_grad=split:4 override=p.forward=pool:apart;tile:32x32x16x4x4" | FileCheck %s --check-prefix=ASKED
// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=c.weight_grad=reduce" | FileCheck %s --check-prefix=WHOLE
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=c.weight_grad=split:3" 2>&1 | FileCheck %s --check-prefix=THREE
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=m.forward=split:2" 2>&1 | FileCheck %s --check-prefix=MAX
// Breaks if a deep sum of few results is left to few blocks, if the parts add a bias each, if a product that a pooling follows is computed by single
// threads, or if what is asked for by name goes to the wrong part.

// MAX: error: group 'm.forward': split:2 does not apply: 'reduce_max' is no sum
// THREE: error: group 'c.weight_grad': split:3 does not apply: it divides none of the extents that are summed over, 64x10x10
module @m attributes {cnn.target = "nvptx", cnn.cpu = "sm_80"} {
  func.func @step(%x: tensor<64x6x14x14xf32>, %dy: tensor<64x16x10x10xf32>, %w: tensor<64x32x3x3xf32>, %b: tensor<64xf32>, %u: tensor<8x32x64x64xf32>, %old: tensor<16x6x5x5xf32>)
      -> (tensor<16x6x5x5xf32>, tensor<8x64x32x32xf32>, tensor<8x64x64x64xf32>) {
    // CHECK: %[[S:.*]] = cnn.group "c.weight_grad.slices" {{.*}} -> tensor<32x16x6x5x5xf32> schedule #cnn.gpu_schedule<"contraction", {{.*}}> because "each sum in 32 parts: whole, 3 tiles would do all of it; 16 x 150 results 32 times, each of 200 products: 96 tiles of 16 x 64"
    // CHECK: cnn.partial_sums %{{.*}}, %{{.*}} dim 4 parts 32
    // CHECK: cnn.group "c.weight_grad" (%{{.*}} = %[[S]], %{{.*}} = %{{.*}}) : (tensor<32x16x6x5x5xf32>, tensor<16x6x5x5xf32>) -> tensor<16x6x5x5xf32>
    // CHECK: cnn.reduce_sum %{{.*}} dims [0]
    // CHECK: cnn.add
    // ASKED: cnn.group "c.weight_grad.slices" {{.*}} -> tensor<4x16x6x5x5xf32>
    // WHOLE-NOT: slices
    // WHOLE: cnn.group "c.weight_grad" {{.*}} schedule #cnn.gpu_schedule<"reduce", {{.*}}> because "asked for: reduce"
    %g = cnn.group "c.weight_grad" (%a = %x, %k = %dy, %o = %old) : (tensor<64x6x14x14xf32>, tensor<64x16x10x10xf32>, tensor<16x6x5x5xf32>) -> tensor<16x6x5x5xf32> {
      %v = cnn.conv_weight_grad %a, %k {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : tensor<64x6x14x14xf32>, tensor<64x16x10x10xf32> -> tensor<16x6x5x5xf32>
      %s = cnn.add %v, %o : tensor<16x6x5x5xf32>, tensor<16x6x5x5xf32> -> tensor<16x6x5x5xf32>
      cnn.yield %s : tensor<16x6x5x5xf32>
    }
    // The rectified image is needed elsewhere: apart, nothing more would be written, but the pooling would read it.
    // CHECK: cnn.group "p.forward" {{.*}} schedule #cnn.gpu_schedule<"contraction", {{.*}}> because "with the pooling: {{.*}}; apart, 8388608 more bytes are written and read
    // ASKED: %[[P:.*]] = cnn.group "p.forward.product" {{.*}} -> tensor<8x64x64x64xf32> schedule #cnn.gpu_schedule<"contraction", {{.*}} tile = [32, 32, 16, 4, 4]{{.*}}> because "apart from the pooling: asked for: pool:apart
    // ASKED: cnn.relu
    // ASKED: cnn.group "p.forward" (%{{.*}} = %[[P]]) {{.*}} -> tensor<8x64x32x32xf32> schedule #cnn.gpu_schedule<"point"
    // ASKED: cnn.max_pool
    %p, %r = cnn.group "p.forward" (%a = %u, %k = %w, %c = %b) : (tensor<8x32x64x64xf32>, tensor<64x32x3x3xf32>, tensor<64xf32>) -> (tensor<8x64x32x32xf32>, tensor<8x64x64x64xf32>) {
      %v = cnn.conv %a, %k, %c {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : tensor<8x32x64x64xf32>, tensor<64x32x3x3xf32>, tensor<64xf32> -> tensor<8x64x64x64xf32>
      %z = cnn.relu %v : tensor<8x64x64x64xf32> -> tensor<8x64x64x64xf32>
      %m = cnn.max_pool %z {kernel = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : tensor<8x64x64x64xf32> -> tensor<8x64x32x32xf32>
      cnn.yield %m, %z : tensor<8x64x32x32xf32>, tensor<8x64x64x64xf32>
    }
    return %g, %p, %r : tensor<16x6x5x5xf32>, tensor<8x64x32x32xf32>, tensor<8x64x64x64xf32>
  }
  // Few tiles of deep sums: each part has all of the rows and columns, none has the bias, which has the
  // shape of the channels when it is added at the end. What follows a sum follows when it is whole.
  // CHECK-LABEL: func.func @deep
  func.func @deep(%x: tensor<16x256x6x6xf32>, %w: tensor<256x256x3x3xf32>, %b: tensor<256xf32>, %u: tensor<64x8192xf32>, %v: tensor<256x8192xf32>, %c: tensor<256xf32>)
      -> (tensor<16x256x6x6xf32>, tensor<64x256xf32>) {
    // CHECK: %[[B:.*]] = cnn.reshape %{{.*}} : tensor<256xf32> -> tensor<256x1x1xf32>
    // CHECK: cnn.group "c.forward.slices" (%[[X:.*]] = %{{.*}}, %[[W:.*]] = %{{.*}}) : {{.*}} -> tensor<[[P:[0-9]+]]x16x256x6x6xf32> schedule #cnn.gpu_schedule<"contraction", {{.*}}> because "each sum in [[P]] parts: whole, 36 tiles would do all of it; 256 x 576 results [[P]] times
    // CHECK: cnn.partial_sums %[[X]], %[[W]] dim 4 parts [[P]]
    // CHECK: cnn.conv %{{.*}}, %{{.*}} {
    // CHECK: cnn.group "c.forward" (%[[PARTS:.*]] = %{{.*}}, %[[BIAS:.*]] = %[[B]]) {{.*}} schedule #cnn.gpu_schedule<"point"
    // CHECK: %[[S:.*]] = cnn.reduce_sum %[[PARTS]] dims [0]
    // CHECK: %[[A:.*]] = cnn.add %[[S]], %[[BIAS]]
    // CHECK: cnn.relu %[[A]]
    %g = cnn.group "c.forward" (%a = %x, %k = %w, %o = %b) : (tensor<16x256x6x6xf32>, tensor<256x256x3x3xf32>, tensor<256xf32>) -> tensor<16x256x6x6xf32> {
      %y = cnn.conv %a, %k, %o {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : tensor<16x256x6x6xf32>, tensor<256x256x3x3xf32>, tensor<256xf32> -> tensor<16x256x6x6xf32>
      %z = cnn.relu %y : tensor<16x256x6x6xf32> -> tensor<16x256x6x6xf32>
      cnn.yield %z : tensor<16x256x6x6xf32>
    }
    // A bias along the last dimension is added as it is.
    // CHECK: cnn.group "l.forward.slices" {{.*}} -> tensor<[[#]]x64x256xf32> schedule #cnn.gpu_schedule<"contraction"
    // CHECK: cnn.partial_sums {{.*}} dim 2 parts
    // CHECK: cnn.linear %{{.*}}, %{{.*}} : tensor<64x8192xf32>, tensor<256x8192xf32> -> tensor<64x256xf32>
    // CHECK: cnn.group "l.forward" {{.*}}tensor<256xf32>) -> tensor<64x256xf32>
    %l = cnn.group "l.forward" (%a = %u, %k = %v, %o = %c) : (tensor<64x8192xf32>, tensor<256x8192xf32>, tensor<256xf32>) -> tensor<64x256xf32> {
      %y = cnn.linear %a, %k, %o : tensor<64x8192xf32>, tensor<256x8192xf32>, tensor<256xf32> -> tensor<64x256xf32>
      cnn.yield %y : tensor<64x256xf32>
    }
    return %g, %l : tensor<16x256x6x6xf32>, tensor<64x256xf32>
  }
  // One block for one sum of many numbers would take as long as all else.
  // CHECK-LABEL: func.func @reductions
  func.func @reductions(%w: tensor<4096x1024xf32>, %dy: tensor<128x6x64x64xf32>) -> (tensor<f32>, tensor<6xf32>, tensor<6xf32>) {
    // CHECK: cnn.group "w.nonfinite.slices" {{.*}} -> tensor<512xf32> schedule #cnn.gpu_schedule<"reduce", {{.*}}> because "each sum in 512 parts: whole, 1 block would add up 4194304 points each; 512 results of 8192 points each
    // CHECK: cnn.partial_sums {{.*}} dim 0 parts 512
    // CHECK: cnn.nonfinite
    // CHECK: cnn.group "w.nonfinite" {{.*}} : (tensor<512xf32>) -> tensor<f32>
    %n = cnn.group "w.nonfinite" (%a = %w) : (tensor<4096x1024xf32>) -> tensor<f32> {
      %y = cnn.nonfinite %a : tensor<4096x1024xf32> -> tensor<f32>
      cnn.yield %y : tensor<f32>
    }
    // CHECK: cnn.group "b.bias_grad.slices" {{.*}} -> tensor<64x6xf32> schedule #cnn.gpu_schedule<"reduce"
    // CHECK: cnn.partial_sums {{.*}} dim 1 parts 64
    %b = cnn.group "b.bias_grad" (%a = %dy) : (tensor<128x6x64x64xf32>) -> tensor<6xf32> {
      %y = cnn.reduce_sum %a dims [0, 2, 3] : tensor<128x6x64x64xf32> -> tensor<6xf32>
      cnn.yield %y : tensor<6xf32>
    }
    // Not of what is no sum.
    // CHECK: cnn.group "m.forward" {{.*}} schedule #cnn.gpu_schedule<"reduce"
    // CHECK: cnn.reduce_max
    %m = cnn.group "m.forward" (%a = %dy) : (tensor<128x6x64x64xf32>) -> tensor<6xf32> {
      %y = cnn.reduce_max %a dims [0, 2, 3] : tensor<128x6x64x64xf32> -> tensor<6xf32>
      cnn.yield %y : tensor<6xf32>
    }
    return %n, %b, %m : tensor<f32>, tensor<6xf32>, tensor<6xf32>
  }
}
