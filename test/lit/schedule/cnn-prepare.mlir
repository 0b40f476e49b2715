// RUN: cnn-opt %s --split-input-file --cnn-prepare | FileCheck %s
// RUN: cnn-opt %s --cnn-prepare --cnn-choose-layouts=cpu=haswell --cnn-choose-schedules --cnn-plan --split-input-file | FileCheck %s --check-prefix=PLAN
// Breaks if what depends on parameters only is computed at every call, or what depends on more is not.

// Both entry points read the scaled weight, which is computed once; `sum` is not read by anything else,
// so no buffer holds it. What changes state has new parameters at every step and computes them itself.
module @two {
  cnn.param @a.weight : tensor<8x4xf32> parameter <"xavier_uniform", fan_in = 4, fan_out = 8>
  cnn.param @a.scale : tensor<8x4xf32> running <"constant", value = 1.0 : f64>
  // CHECK-LABEL: module @two
  // CHECK: cnn.param @scaled.prepared : tensor<8x4xf32> prepared <"constant", value = 0.000000e+00 : f64>
  // CHECK-NOT: cnn.param

  // CHECK: func.func @infer
  // CHECK-NEXT: %[[READ:[a-z.]*]] = cnn.read @scaled.prepared
  // CHECK-NEXT: cnn.group "product" (%{{.*}} = %arg0, %{{.*}} = %[[READ]])
  // CHECK-NEXT: cnn.linear
  func.func @infer(%x: tensor<16x4xf32> {cnn.name = "x"}) -> (tensor<16x8xf32> {cnn.name = "logits"}) {
    %w = cnn.read @a.weight : tensor<8x4xf32>
    %v = cnn.read @a.scale : tensor<8x4xf32>
    %p = cnn.group "sum" (%l = %w, %r = %v) : (tensor<8x4xf32>, tensor<8x4xf32>) -> (tensor<8x4xf32>) {
      %0 = cnn.add %l, %r : tensor<8x4xf32>, tensor<8x4xf32> -> tensor<8x4xf32>
      cnn.yield %0 : tensor<8x4xf32>
    }
    %s = cnn.group "scaled" (%l = %p, %r = %v) : (tensor<8x4xf32>, tensor<8x4xf32>) -> (tensor<8x4xf32>) {
      %0 = cnn.mul %l, %r : tensor<8x4xf32>, tensor<8x4xf32> -> tensor<8x4xf32>
      cnn.yield %0 : tensor<8x4xf32>
    }
    %y = cnn.group "product" (%l = %x, %r = %s) : (tensor<16x4xf32>, tensor<8x4xf32>) -> (tensor<16x8xf32>) {
      %0 = cnn.linear %l, %r : tensor<16x4xf32>, tensor<8x4xf32> -> tensor<16x8xf32>
      cnn.yield %0 : tensor<16x8xf32>
    }
    return %y : tensor<16x8xf32>
  }

  // CHECK: func.func @eval
  // CHECK-NEXT: cnn.read @scaled.prepared
  // CHECK-NEXT: cnn.group "product_2"
  func.func @eval(%x: tensor<16x4xf32> {cnn.name = "x"}) -> (tensor<16x8xf32> {cnn.name = "logits"}) {
    %w = cnn.read @a.weight : tensor<8x4xf32>
    %v = cnn.read @a.scale : tensor<8x4xf32>
    %p = cnn.group "sum_2" (%l = %w, %r = %v) : (tensor<8x4xf32>, tensor<8x4xf32>) -> (tensor<8x4xf32>) {
      %0 = cnn.add %l, %r : tensor<8x4xf32>, tensor<8x4xf32> -> tensor<8x4xf32>
      cnn.yield %0 : tensor<8x4xf32>
    }
    %s = cnn.group "scaled_2" (%l = %p, %r = %v) : (tensor<8x4xf32>, tensor<8x4xf32>) -> (tensor<8x4xf32>) {
      %0 = cnn.mul %l, %r : tensor<8x4xf32>, tensor<8x4xf32> -> tensor<8x4xf32>
      cnn.yield %0 : tensor<8x4xf32>
    }
    %y = cnn.group "product_2" (%l = %x, %r = %s) : (tensor<16x4xf32>, tensor<8x4xf32>) -> (tensor<16x8xf32>) {
      %0 = cnn.linear %l, %r : tensor<16x4xf32>, tensor<8x4xf32> -> tensor<16x8xf32>
      cnn.yield %0 : tensor<16x8xf32>
    }
    return %y : tensor<16x8xf32>
  }

  // CHECK: func.func @train_step
  // CHECK: cnn.group "doubled"
  // CHECK: cnn.write @a.weight
  // CHECK: cnn.write @a.scale
  func.func @train_step() {
    %w = cnn.read @a.weight : tensor<8x4xf32>
    %p = cnn.group "doubled" (%l = %w) : (tensor<8x4xf32>) -> (tensor<8x4xf32>) {
      %0 = cnn.add %l, %l : tensor<8x4xf32>, tensor<8x4xf32> -> tensor<8x4xf32>
      cnn.yield %0 : tensor<8x4xf32>
    }
    cnn.write @a.weight, %p : tensor<8x4xf32>
    cnn.write @a.scale, %p : tensor<8x4xf32>
    return
  }

  // CHECK: func.func @prepare()
  // CHECK: %[[W:[a-z.]*]] = cnn.read @a.weight
  // CHECK: %[[V:[a-z.]*]] = cnn.read @a.scale
  // CHECK: cnn.group "sum"
  // CHECK: %[[S:[a-z.]*]] = cnn.group "scaled"
  // CHECK: cnn.write @scaled.prepared, %[[S]]
  // CHECK-NEXT: return

  // The buffer of what is prepared follows the state; `infer` needs the state no longer.
  // PLAN: func.func @infer(%{{[^:]*}}: memref<128xi8> {cnn.role = "prepared"}, %{{[^:]*}}: memref<16x4xf32>
  // PLAN: func.func @train_step(%{{[^:]*}}: memref<256xi8> {cnn.role = "state_in"}, %{{[^:]*}}: memref<256xi8> {cnn.role = "state_out"}
  // PLAN: func.func @prepare(%{{[^:]*}}: memref<256xi8> {cnn.role = "state_in"}, %{{[^:]*}}: memref<128xi8> {cnn.role = "prepared"}
}

// -----

// A net whose weights are used as they are prepares nothing, nor what it only returns.
// CHECK-LABEL: module @none
// CHECK-NOT: prepare
module @none {
  cnn.param @a.weight : tensor<8x4xf32> parameter <"xavier_uniform", fan_in = 4, fan_out = 8>
  func.func @infer(%x: tensor<16x4xf32> {cnn.name = "x"}) -> (tensor<16x8xf32> {cnn.name = "logits"}) {
    %w = cnn.read @a.weight : tensor<8x4xf32>
    %y = cnn.group "product" (%l = %x, %r = %w) : (tensor<16x4xf32>, tensor<8x4xf32>) -> (tensor<16x8xf32>) {
      %0 = cnn.linear %l, %r : tensor<16x4xf32>, tensor<8x4xf32> -> tensor<16x8xf32>
      cnn.yield %0 : tensor<16x8xf32>
    }
    return %y : tensor<16x8xf32>
  }
}

// -----

// Of two values in a row that are both wanted, the second is computed from the first, not from what
// the buffer held before.
// CHECK-LABEL: module @chain
// CHECK: func.func @prepare
// CHECK: %[[FIRST:.*]] = cnn.group "first"
// CHECK: cnn.group "second" (%{{.*}} = %[[FIRST]]
// CHECK-NOT: cnn.read @first.prepared
// CHECK: return
module @chain {
  cnn.param @w : tensor<8x4xf32> parameter <"xavier_uniform", fan_in = 4, fan_out = 8>
  func.func @infer(%x: tensor<8x4xf32> {cnn.name = "x"}) -> (tensor<8x4xf32> {cnn.name = "y"}) {
    %w = cnn.read @w : tensor<8x4xf32>
    %a = cnn.group "first" (%l = %w) : (tensor<8x4xf32>) -> (tensor<8x4xf32>) {
      %0 = cnn.relu %l : tensor<8x4xf32> -> tensor<8x4xf32>
      cnn.yield %0 : tensor<8x4xf32>
    }
    %b = cnn.group "second" (%l = %a) : (tensor<8x4xf32>) -> (tensor<8x4xf32>) {
      %0 = cnn.exp %l : tensor<8x4xf32> -> tensor<8x4xf32>
      cnn.yield %0 : tensor<8x4xf32>
    }
    %y = cnn.group "third" (%l = %x, %m = %a, %n = %b) : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>) -> (tensor<8x4xf32>) {
      %0 = cnn.add %l, %m : tensor<8x4xf32>, tensor<8x4xf32> -> tensor<8x4xf32>
      %1 = cnn.mul %0, %n : tensor<8x4xf32>, tensor<8x4xf32> -> tensor<8x4xf32>
      cnn.yield %1 : tensor<8x4xf32>
    }
    return %y : tensor<8x4xf32>
  }
}
