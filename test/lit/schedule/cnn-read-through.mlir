// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=batch" --cnn-choose-algorithms=override=narrow=winograd4,wide=direct,grad=winograd4 --cnn-read-through=override=norm1=load:through | FileCheck %s
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=batch" --cnn-choose-algorithms=override=narrow=winograd4,wide=direct --cnn-read-through=override=norm1=load:stored,norm2=load:through,shift1=load:through | FileCheck %s --check-prefix=ASKED
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=batch" --cnn-read-through=override=relu=load:through --cnn-choose-schedules=override=relu=load:through | FileCheck %s --check-prefix=ALL
// Breaks if what is pointwise in front of convolutions is stored where its readers could compute it for less, if it is computed
// where that takes longer, or if one of the readers gets something else.

// Read by Winograd's algorithm, in an outer group, by the gradient of a weight, and by a mask.
// CHECK-NOT: cnn.group "norm1"
// CHECK: cnn.group "narrow.blocks" (%{{[^ ]*}} = %[[X:[^,]*]], %{{[^ ]*}} = %[[S:[^,]*]], %{{[^ ]*}} = %{{[^,)]*}})
// CHECK: cnn.group "narrow.winograd_input" {{.*}} because "computes 'norm1' as it reads: asked for: load:through"
// CHECK-NEXT: %[[M:.*]] = cnn.mul
// CHECK-NEXT: %[[R:.*]] = cnn.relu %[[M]] : tensor<16x64x24x24xf32> -> tensor<16x64x24x24xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16>>
// CHECK-NEXT: cnn.winograd_input %[[R]]
// CHECK: cnn.group "grad" {{.*}}computes 'norm1' as it reads
// CHECK-NEXT: cnn.mul
// CHECK-NEXT: %[[R:.*]] = cnn.relu
// CHECK-NEXT: cnn.conv_weight_grad %[[R]]
// CHECK: cnn.group "mask" {{.*}}computes 'norm1' as it reads
// CHECK-NEXT: cnn.mul
// CHECK-NEXT: %[[R:.*]] = cnn.relu
// CHECK-NEXT: cnn.relu_grad %[[R]]
// By cost: a gradient of a weight reads it a few times, and never beyond its bounds.
// CHECK-NOT: cnn.group "norm4"
// CHECK: cnn.group "grad4{{.*}}computes 'norm4' as it reads: {{[0-9]+}} cycles estimated, stored {{[0-9]+}}
// CHECK-NEXT: cnn.mul
// CHECK-NEXT: %[[R:.*]] = cnn.relu
// CHECK-NEXT: cnn.conv_weight_grad %{{.*}}, %[[R]]
// Tiles of a direct convolution read an element again for every few outputs.
// CHECK: cnn.group "norm2" {{.*}} because "stored for 1 groups: to compute it in each is not faster: {{[0-9]+}} cycles estimated, stored {{[0-9]+}}"
// CHECK: cnn.group "wide" (%{{[^ ]*}} = %{{[^,]*}}, %{{[^ ]*}} = %{{[^,)]*}})
// What is read as another shape, too, is stored.
// CHECK: cnn.group "norm3" {{.*}} because "stored, since its readers cannot compute it: it is read as another shape, written or returned"
// No convolution reads it.
// CHECK: cnn.group "shift1" {{[^"]*}}{{[{]$}}

// ASKED: cnn.group "norm1"
// ASKED-NOT: computes 'norm1'
// ASKED-NOT: cnn.group "norm2"
// ASKED: cnn.group "wide" {{.*}}computes 'norm2' as it reads: asked for: load:through
// ASKED-NEXT: cnn.mul
// ASKED-NEXT: %[[R:.*]] = cnn.relu
// ASKED-NEXT: cnn.conv %[[R]]
// ASKED-NOT: cnn.group "shift1"
// ASKED: cnn.group "twice" {{.*}}computes 'shift1' as it reads

// Asked of all that rectify, it is meant where it applies, and no group need be left of them.
// ALL-NOT: cnn.group "norm1"
// ALL-NOT: cnn.group "norm2"
// ALL: cnn.group "norm3"
module @net {
  cnn.param @w : tensor<64x64x3x3xf32> parameter <"constant", value = 1.0 : f64>
  cnn.param @v : tensor<256x64x3x3xf32> parameter <"constant", value = 1.0 : f64>
  func.func @f(%x: tensor<16x64x24x24xf32> {cnn.name = "x"}, %g: tensor<16x64x24x24xf32> {cnn.name = "g"}, %s: tensor<64x1x1xf32> {cnn.name = "s", cnn.unbatched}) -> (tensor<16x64x24x24xf32>, tensor<64x64x3x3xf32>, tensor<16x64x24x24xf32>, tensor<16x256x24x24xf32>, tensor<16x64x24x24xf32>, tensor<16x64x24x24xf32>, tensor<16x36864xf32>, tensor<64x64x3x3xf32>) attributes {cnn.batch = 16 : i64} {
    %w = cnn.read @w : tensor<64x64x3x3xf32>
    %v = cnn.read @v : tensor<256x64x3x3xf32>
    %sum = cnn.group "sum" (%a = %x, %b = %g) : (tensor<16x64x24x24xf32>, tensor<16x64x24x24xf32>) -> tensor<16x64x24x24xf32> {
      %0 = cnn.add %a, %b : tensor<16x64x24x24xf32>, tensor<16x64x24x24xf32> -> tensor<16x64x24x24xf32>
      cnn.yield %0 : tensor<16x64x24x24xf32>
    }
    %pool = cnn.group "pool" (%a = %sum) : (tensor<16x64x24x24xf32>) -> tensor<16x64x24x24xf32> {
      %0 = cnn.avg_pool %a {kernel = array<i64: 3, 3>, stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>} : tensor<16x64x24x24xf32> -> tensor<16x64x24x24xf32>
      cnn.yield %0 : tensor<16x64x24x24xf32>
    }
    %norm1 = cnn.group "norm1" (%a = %pool, %b = %s) : (tensor<16x64x24x24xf32>, tensor<64x1x1xf32>) -> tensor<16x64x24x24xf32> {
      %0 = cnn.mul %a, %b : tensor<16x64x24x24xf32>, tensor<64x1x1xf32> -> tensor<16x64x24x24xf32>
      %1 = cnn.relu %0 : tensor<16x64x24x24xf32> -> tensor<16x64x24x24xf32>
      cnn.yield %1 : tensor<16x64x24x24xf32>
    }
    %narrow = cnn.group "narrow" (%a = %norm1, %b = %w) : (tensor<16x64x24x24xf32>, tensor<64x64x3x3xf32>) -> tensor<16x64x24x24xf32> {
      %0 = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x64x24x24xf32>, tensor<64x64x3x3xf32> -> tensor<16x64x24x24xf32>
      cnn.yield %0 : tensor<16x64x24x24xf32>
    }
    %grad = cnn.group "grad" (%a = %norm1, %b = %pool) : (tensor<16x64x24x24xf32>, tensor<16x64x24x24xf32>) -> tensor<64x64x3x3xf32> {
      %0 = cnn.conv_weight_grad %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x64x24x24xf32>, tensor<16x64x24x24xf32> -> tensor<64x64x3x3xf32>
      cnn.yield %0 : tensor<64x64x3x3xf32>
    }
    %mask = cnn.group "mask" (%a = %norm1, %b = %sum) : (tensor<16x64x24x24xf32>, tensor<16x64x24x24xf32>) -> tensor<16x64x24x24xf32> {
      %0 = cnn.relu_grad %a, %b : tensor<16x64x24x24xf32>, tensor<16x64x24x24xf32> -> tensor<16x64x24x24xf32>
      cnn.yield %0 : tensor<16x64x24x24xf32>
    }
    %norm4 = cnn.group "norm4" (%a = %pool, %b = %s) : (tensor<16x64x24x24xf32>, tensor<64x1x1xf32>) -> tensor<16x64x24x24xf32> {
      %0 = cnn.mul %a, %b : tensor<16x64x24x24xf32>, tensor<64x1x1xf32> -> tensor<16x64x24x24xf32>
      %1 = cnn.relu %0 : tensor<16x64x24x24xf32> -> tensor<16x64x24x24xf32>
      cnn.yield %1 : tensor<16x64x24x24xf32>
    }
    %grad4 = cnn.group "grad4" (%a = %sum, %b = %norm4) : (tensor<16x64x24x24xf32>, tensor<16x64x24x24xf32>) -> tensor<64x64x3x3xf32> {
      %0 = cnn.conv_weight_grad %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x64x24x24xf32>, tensor<16x64x24x24xf32> -> tensor<64x64x3x3xf32>
      cnn.yield %0 : tensor<64x64x3x3xf32>
    }
    %norm2 = cnn.group "norm2" (%a = %sum, %b = %s) : (tensor<16x64x24x24xf32>, tensor<64x1x1xf32>) -> tensor<16x64x24x24xf32> {
      %0 = cnn.mul %a, %b : tensor<16x64x24x24xf32>, tensor<64x1x1xf32> -> tensor<16x64x24x24xf32>
      %1 = cnn.relu %0 : tensor<16x64x24x24xf32> -> tensor<16x64x24x24xf32>
      cnn.yield %1 : tensor<16x64x24x24xf32>
    }
    %wide = cnn.group "wide" (%a = %norm2, %b = %v) : (tensor<16x64x24x24xf32>, tensor<256x64x3x3xf32>) -> tensor<16x256x24x24xf32> {
      %0 = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x64x24x24xf32>, tensor<256x64x3x3xf32> -> tensor<16x256x24x24xf32>
      cnn.yield %0 : tensor<16x256x24x24xf32>
    }
    %norm3 = cnn.group "norm3" (%a = %pool, %b = %s) : (tensor<16x64x24x24xf32>, tensor<64x1x1xf32>) -> tensor<16x64x24x24xf32> {
      %0 = cnn.add %a, %b : tensor<16x64x24x24xf32>, tensor<64x1x1xf32> -> tensor<16x64x24x24xf32>
      %1 = cnn.relu %0 : tensor<16x64x24x24xf32> -> tensor<16x64x24x24xf32>
      cnn.yield %1 : tensor<16x64x24x24xf32>
    }
    %kept = cnn.group "kept" (%a = %norm3, %b = %w) : (tensor<16x64x24x24xf32>, tensor<64x64x3x3xf32>) -> tensor<16x64x24x24xf32> {
      %0 = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x64x24x24xf32>, tensor<64x64x3x3xf32> -> tensor<16x64x24x24xf32>
      cnn.yield %0 : tensor<16x64x24x24xf32>
    }
    %shift1 = cnn.group "shift1" (%a = %pool, %b = %s) : (tensor<16x64x24x24xf32>, tensor<64x1x1xf32>) -> tensor<16x64x24x24xf32> {
      %0 = cnn.add %a, %b : tensor<16x64x24x24xf32>, tensor<64x1x1xf32> -> tensor<16x64x24x24xf32>
      cnn.yield %0 : tensor<16x64x24x24xf32>
    }
    %twice = cnn.group "twice" (%a = %shift1) : (tensor<16x64x24x24xf32>) -> tensor<16x64x24x24xf32> {
      %0 = cnn.avg_pool %a {kernel = array<i64: 3, 3>, stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>} : tensor<16x64x24x24xf32> -> tensor<16x64x24x24xf32>
      cnn.yield %0 : tensor<16x64x24x24xf32>
    }
    %flat = cnn.reshape %norm3 : tensor<16x64x24x24xf32> -> tensor<16x36864xf32>
    return %narrow, %grad, %mask, %wide, %kept, %twice, %flat, %grad4 : tensor<16x64x24x24xf32>, tensor<64x64x3x3xf32>, tensor<16x64x24x24xf32>, tensor<16x256x24x24xf32>, tensor<16x64x24x24xf32>, tensor<16x64x24x24xf32>, tensor<16x36864xf32>, tensor<64x64x3x3xf32>
  }
}
