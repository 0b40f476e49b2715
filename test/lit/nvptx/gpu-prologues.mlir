// RUN: cnn-opt %s --cnn-choose-gpu-schedules | FileCheck %s
// RUN: cnn-opt %s --cnn-choose-gpu-schedules=precision=1e-3 | FileCheck %s --check-prefix=TF32
// RUN: cnn-opt %s --cnn-choose-gpu-schedules=override=norm1=load:stored,norm3=load:through,half=load:through | FileCheck %s --check-prefix=ASKED
// RUN: cnn-opt %s --cnn-choose-gpu-schedules=override=relu=load:through,add=load:through,mul=load:through | FileCheck %s --check-prefix=ALL
// Breaks if what is pointwise in front of products is stored where they could compute it for less, if it is computed where that takes longer or takes more
// registers than there are, or if what is asked for is passed over.

// A kernel of 1 x 1 reads every pixel once, and so does the other reader, which is no product.
// CHECK-NOT: cnn.group "norm1"
// CHECK: cnn.group "narrow" (%{{[^ ]*}} = %[[X:[^,]*]], {{.*}} because "computes 'norm1' as it reads: {{0\.[0-9]+}} us more for readers, {{1[0-9]\.[0-9]}} us less without it; {{.*}} tiles of
// CHECK-NEXT: %[[M:.*]] = cnn.mul
// CHECK-NEXT: %[[R:.*]] = cnn.relu %[[M]]
// CHECK-NEXT: cnn.conv %[[R]]
// CHECK: cnn.group "mask" {{.*}}computes 'norm1' as it reads
// CHECK-NEXT: cnn.mul
// CHECK-NEXT: %[[R:.*]] = cnn.relu
// CHECK-NEXT: cnn.relu_grad %[[R]]
// One of 3 x 3 computes it nine times, by the instructions that multiply...
// CHECK: cnn.group "norm3" {{.*}} because "stored for 1 groups: to compute it in each is not faster: {{[0-9.]+}} us more for readers, {{1[0-9]\.[0-9]}} us less without it;
// CHECK: cnn.group "wide" {{.*}} because "64 x 100352 results
// More than two tensors of the size of an image are too many.
// CHECK: cnn.group "sum" {{.*}} because "stored, since its readers cannot compute it: the product of 'of_sum' would read 3 tensors for one of its factors, more than 2;
// CHECK: cnn.group "shaped" {{.*}} because "stored, since its readers cannot compute it: it is read as another shape, written or returned;
// CHECK: cnn.group "two" {{.*}} because "{{[0-9]+}} results
// What comes of the parameters alone is not computed for every batch.
// CHECK: cnn.group "half" {{.*}} because "{{[0-9]+}} results
// CHECK: cnn.group "of_half" {{.*}} because "64 x 100352 results

// ... and for nothing while tensor cores do.
// TF32: cnn.group "wide" {{.*}} because "computes 'norm3' as it reads: {{.*}} in tf32"
// TF32-NEXT: %[[M:.*]] = cnn.mul
// TF32-NEXT: %[[R:.*]] = cnn.relu %[[M]]
// TF32-NEXT: cnn.conv %[[R]]

// ASKED: cnn.group "norm1"
// ASKED-NOT: computes 'norm1'
// ASKED-NOT: cnn.group "norm3"
// ASKED: cnn.group "wide" {{.*}} because "computes 'norm3' as it reads: asked for: load:through; {{.*}} tiles of
// ASKED-NOT: cnn.group "half"
// ASKED: cnn.group "of_half" {{.*}} because "computes 'half' as it reads

// Asked of all that rectify, add or multiply, it is meant where it applies, and no group need be left of them.
// ALL-NOT: cnn.group "norm1"
// ALL-NOT: cnn.group "norm3"
// ALL: cnn.group "sum"
// ALL: cnn.group "two"
// ALL-NOT: cnn.group "half"
module @net attributes {cnn.target = "nvptx", cnn.cpu = "sm_80"} {
  cnn.param @k : tensor<64x64x1x1xf32> parameter <"constant", value = 1.0 : f64>
  func.func @infer(%x: tensor<32x64x56x56xf32> {cnn.name = "x"}, %g: tensor<32x64x56x56xf32> {cnn.name = "g"}, %h: tensor<32x64x56x56xf32> {cnn.name = "h"}, %s: tensor<64x1x1xf32> {cnn.name = "s", cnn.unbatched},
      %v: tensor<64x64x1x1xf32> {cnn.name = "v", cnn.unbatched}, %w: tensor<64x64x3x3xf32> {cnn.name = "w", cnn.unbatched})
      -> (tensor<32x64x56x56xf32>, tensor<32x64x56x56xf32>, tensor<32x64x56x56xf32>, tensor<32x64x56x56xf32>, tensor<32x64x56x56xf32>, tensor<32x200704xf32>, tensor<32x64x56x56xf32>, tensor<32x64x56x56xf32>) attributes {cnn.batch = 32 : i64} {
    %norm1 = cnn.group "norm1" (%a = %x, %b = %s) : (tensor<32x64x56x56xf32>, tensor<64x1x1xf32>) -> tensor<32x64x56x56xf32> {
      %0 = cnn.mul %a, %b : tensor<32x64x56x56xf32>, tensor<64x1x1xf32> -> tensor<32x64x56x56xf32>
      %1 = cnn.relu %0 : tensor<32x64x56x56xf32> -> tensor<32x64x56x56xf32>
      cnn.yield %1 : tensor<32x64x56x56xf32>
    }
    %narrow = cnn.group "narrow" (%a = %norm1, %b = %v) : (tensor<32x64x56x56xf32>, tensor<64x64x1x1xf32>) -> tensor<32x64x56x56xf32> {
      %0 = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<32x64x56x56xf32>, tensor<64x64x1x1xf32> -> tensor<32x64x56x56xf32>
      cnn.yield %0 : tensor<32x64x56x56xf32>
    }
    %mask = cnn.group "mask" (%a = %norm1, %b = %g) : (tensor<32x64x56x56xf32>, tensor<32x64x56x56xf32>) -> tensor<32x64x56x56xf32> {
      %0 = cnn.relu_grad %a, %b : tensor<32x64x56x56xf32>, tensor<32x64x56x56xf32> -> tensor<32x64x56x56xf32>
      cnn.yield %0 : tensor<32x64x56x56xf32>
    }
    %norm3 = cnn.group "norm3" (%a = %x, %b = %s) : (tensor<32x64x56x56xf32>, tensor<64x1x1xf32>) -> tensor<32x64x56x56xf32> {
      %0 = cnn.mul %a, %b : tensor<32x64x56x56xf32>, tensor<64x1x1xf32> -> tensor<32x64x56x56xf32>
      %1 = cnn.relu %0 : tensor<32x64x56x56xf32> -> tensor<32x64x56x56xf32>
      cnn.yield %1 : tensor<32x64x56x56xf32>
    }
    %wide = cnn.group "wide" (%a = %norm3, %b = %w) : (tensor<32x64x56x56xf32>, tensor<64x64x3x3xf32>) -> tensor<32x64x56x56xf32> {
      %0 = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<32x64x56x56xf32>, tensor<64x64x3x3xf32> -> tensor<32x64x56x56xf32>
      cnn.yield %0 : tensor<32x64x56x56xf32>
    }
    %sum = cnn.group "sum" (%a = %x, %b = %g, %c = %h) : (tensor<32x64x56x56xf32>, tensor<32x64x56x56xf32>, tensor<32x64x56x56xf32>) -> tensor<32x64x56x56xf32> {
      %0 = cnn.add %a, %b : tensor<32x64x56x56xf32>, tensor<32x64x56x56xf32> -> tensor<32x64x56x56xf32>
      %1 = cnn.add %0, %c : tensor<32x64x56x56xf32>, tensor<32x64x56x56xf32> -> tensor<32x64x56x56xf32>
      cnn.yield %1 : tensor<32x64x56x56xf32>
    }
    %of_sum = cnn.group "of_sum" (%a = %sum, %b = %v) : (tensor<32x64x56x56xf32>, tensor<64x64x1x1xf32>) -> tensor<32x64x56x56xf32> {
      %0 = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<32x64x56x56xf32>, tensor<64x64x1x1xf32> -> tensor<32x64x56x56xf32>
      cnn.yield %0 : tensor<32x64x56x56xf32>
    }
    %shaped = cnn.group "shaped" (%a = %h, %b = %s) : (tensor<32x64x56x56xf32>, tensor<64x1x1xf32>) -> tensor<32x64x56x56xf32> {
      %0 = cnn.add %a, %b : tensor<32x64x56x56xf32>, tensor<64x1x1xf32> -> tensor<32x64x56x56xf32>
      cnn.yield %0 : tensor<32x64x56x56xf32>
    }
    %of_shaped = cnn.group "of_shaped" (%a = %shaped, %b = %v) : (tensor<32x64x56x56xf32>, tensor<64x64x1x1xf32>) -> tensor<32x64x56x56xf32> {
      %0 = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<32x64x56x56xf32>, tensor<64x64x1x1xf32> -> tensor<32x64x56x56xf32>
      cnn.yield %0 : tensor<32x64x56x56xf32>
    }
    %flat = cnn.reshape %shaped : tensor<32x64x56x56xf32> -> tensor<32x200704xf32>
    %two:2 = cnn.group "two" (%a = %g, %b = %s) : (tensor<32x64x56x56xf32>, tensor<64x1x1xf32>) -> (tensor<32x64x56x56xf32>, tensor<32x64x56x56xf32>) {
      %0 = cnn.add %a, %b : tensor<32x64x56x56xf32>, tensor<64x1x1xf32> -> tensor<32x64x56x56xf32>
      %1 = cnn.relu %0 : tensor<32x64x56x56xf32> -> tensor<32x64x56x56xf32>
      cnn.yield %0, %1 : tensor<32x64x56x56xf32>, tensor<32x64x56x56xf32>
    }
    %of_two = cnn.group "of_two" (%a = %two#1, %b = %v) : (tensor<32x64x56x56xf32>, tensor<64x64x1x1xf32>) -> tensor<32x64x56x56xf32> {
      %0 = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<32x64x56x56xf32>, tensor<64x64x1x1xf32> -> tensor<32x64x56x56xf32>
      cnn.yield %0 : tensor<32x64x56x56xf32>
    }
    %k = cnn.read @k : tensor<64x64x1x1xf32>
    %half = cnn.group "half" (%a = %k, %b = %s) : (tensor<64x64x1x1xf32>, tensor<64x1x1xf32>) -> tensor<64x64x1x1xf32> {
      %0 = cnn.mul %a, %b : tensor<64x64x1x1xf32>, tensor<64x1x1xf32> -> tensor<64x64x1x1xf32>
      cnn.yield %0 : tensor<64x64x1x1xf32>
    }
    %of_half = cnn.group "of_half" (%a = %x, %b = %half) : (tensor<32x64x56x56xf32>, tensor<64x64x1x1xf32>) -> tensor<32x64x56x56xf32> {
      %0 = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<32x64x56x56xf32>, tensor<64x64x1x1xf32> -> tensor<32x64x56x56xf32>
      cnn.yield %0 : tensor<32x64x56x56xf32>
    }
    return %narrow, %mask, %wide, %of_sum, %of_shaped, %flat, %of_two, %of_half : tensor<32x64x56x56xf32>, tensor<32x64x56x56xf32>, tensor<32x64x56x56xf32>, tensor<32x64x56x56xf32>, tensor<32x64x56x56xf32>, tensor<32x200704xf32>, tensor<32x64x56x56xf32>, tensor<32x64x56x56xf32>
  }
}
