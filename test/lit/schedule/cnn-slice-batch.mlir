// RUN: cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-slice-batch=fewest=2 | FileCheck %s --enable-var-scope
// RUN: cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-slice-batch | FileCheck %s --check-prefix=FEW
// Breaks if what needs only its own images does not run slice by slice, or if the batch meets too early.

// Both groups of the image run on one slice after the other; the sum over the batch waits for all.
// CHECK-LABEL: func.func @f
// CHECK: %[[OUTER:.*]] = cnn.group "f.slices"{{.*}} schedule #cnn.slices<block = 16, count = 2> because "each of 3 members
// CHECK: cnn.group "x.blocks"
// CHECK: cnn.group "square"
// CHECK: cnn.group "sum.slices"
// CHECK: cnn.yield
// CHECK: cnn.group "sum" ({{.*}} = %[[OUTER]]
// CHECK: return
// Two slices are too few work items, unless asked for.
// FEW-LABEL: func.func @f
// FEW-NOT: cnn.slices
// FEW: return
module @slices {
  func.func @f(%x: tensor<32x4x6xf32> {cnn.name = "x"}) -> (tensor<4xf32> {cnn.name = "y"}) {
    %q = cnn.group "square" (%a = %x) : (tensor<32x4x6xf32>) -> tensor<32x4x6xf32> {
      %s = cnn.mul %a, %a : tensor<32x4x6xf32>, tensor<32x4x6xf32> -> tensor<32x4x6xf32>
      cnn.yield %s : tensor<32x4x6xf32>
    }
    %y = cnn.group "sum" (%a = %q) : (tensor<32x4x6xf32>) -> tensor<4xf32> {
      %s = cnn.reduce_sum %a dims [0, 2] : tensor<32x4x6xf32> -> tensor<4xf32>
      cnn.yield %s : tensor<4xf32>
    }
    return %y : tensor<4xf32>
  }
}
