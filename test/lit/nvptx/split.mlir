// RUN: cnn-opt %s --cnn-choose-gpu-schedules | FileCheck %s
// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=c.weight_grad=split:4 override=p.forward=tile:32x32x16x4x4" | FileCheck %s --check-prefix=ASKED
// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=c.weight_grad=reduce" | FileCheck %s --check-prefix=WHOLE
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=conv_weight_grad=split:3" 2>&1 | FileCheck %s --check-prefix=THREE
// Breaks if a deep sum of few results is left to few blocks, if a product that a pooling follows is computed by single
// threads, or if what is asked for by name goes to the wrong part.

// THREE: error: group 'c.weight_grad': split:3 does not divide the batch of 64
module @m attributes {cnn.target = "nvptx", cnn.cpu = "sm_80"} {
  func.func @step(%x: tensor<64x6x14x14xf32>, %dy: tensor<64x16x10x10xf32>, %w: tensor<64x32x3x3xf32>, %b: tensor<64xf32>, %u: tensor<8x32x64x64xf32>, %old: tensor<16x6x5x5xf32>)
      -> (tensor<16x6x5x5xf32>, tensor<8x64x32x32xf32>, tensor<8x64x64x64xf32>) {
    // CHECK: %[[S:.*]] = cnn.group "c.weight_grad.slices" {{.*}} -> tensor<32x16x6x5x5xf32> schedule #cnn.gpu_schedule<"contraction", {{.*}}> because "split into 32 sums of parts of the batch: whole, few blocks would do all of it; 16 x 150 results 32 times, each of 200 products: 96 tiles of 32 x 64"
    // CHECK: cnn.conv_weight_grad {{.*}}slices = 32
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
    // The rectified image is needed elsewhere: nothing more is written, and the pooling reads it.
    // CHECK: %[[P:.*]] = cnn.group "p.forward.product" {{.*}} -> tensor<8x64x64x64xf32> schedule #cnn.gpu_schedule<"contraction", {{.*}}> because "apart from the pooling: 0 more bytes are written and read
    // CHECK: cnn.relu
    // CHECK: cnn.group "p.forward" (%{{.*}} = %[[P]]) {{.*}} -> tensor<8x64x32x32xf32> schedule #cnn.gpu_schedule<"point"
    // CHECK: cnn.max_pool
    // ASKED: cnn.group "p.forward.product" {{.*}} tile = [32, 32, 16, 4, 4]
    %p, %r = cnn.group "p.forward" (%a = %u, %k = %w, %c = %b) : (tensor<8x32x64x64xf32>, tensor<64x32x3x3xf32>, tensor<64xf32>) -> (tensor<8x64x32x32xf32>, tensor<8x64x64x64xf32>) {
      %v = cnn.conv %a, %k, %c {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : tensor<8x32x64x64xf32>, tensor<64x32x3x3xf32>, tensor<64xf32> -> tensor<8x64x64x64xf32>
      %z = cnn.relu %v : tensor<8x64x64x64xf32> -> tensor<8x64x64x64xf32>
      %m = cnn.max_pool %z {kernel = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : tensor<8x64x64x64xf32> -> tensor<8x64x32x32xf32>
      cnn.yield %m, %z : tensor<8x64x32x32xf32>, tensor<8x64x64x64xf32>
    }
    return %g, %p, %r : tensor<16x6x5x5xf32>, tensor<8x64x32x32xf32>, tensor<8x64x64x64xf32>
  }
}
