// RUN: cnn-opt %s | cnn-opt | FileCheck %s
// RUN: cnn-opt %s --mlir-print-op-generic | cnn-opt | FileCheck %s
// Fails when parameters, recipes, groups or launches do not survive being printed and parsed.

// CHECK: cnn.param @conv1.weight : tensor<6x1x5x5xf32> parameter <"xavier_uniform", fan_in = 25, fan_out = 150>
cnn.param @conv1.weight : tensor<6x1x5x5xf32> parameter <"xavier_uniform", fan_in = 25, fan_out = 150>
// CHECK: cnn.param @conv1.weight.velocity : tensor<6x1x5x5xf32> optimizer <"constant", value = 0.000000e+00 : f64>
cnn.param @conv1.weight.velocity : tensor<6x1x5x5xf32> optimizer <"constant", value = 0.0 : f64>
// CHECK: cnn.param @norm.mean : tensor<6xf64> running <"constant", value = 1.000000e+00 : f64>
cnn.param @norm.mean : tensor<6xf64> running <"constant", value = 1.0 : f64>
// CHECK: cnn.recipe @a net @lenet loss "cross_entropy" optimizer "sgd"{{$}}
cnn.recipe @a net @lenet loss "cross_entropy" optimizer "sgd"
// CHECK: cnn.recipe @b net @lenet loss "cross_entropy" optimizer "sgd" {momentum = true, nesterov = true, weight_decay = true}
cnn.recipe @b net @lenet loss "cross_entropy" optimizer "sgd" {momentum = true, nesterov = true, weight_decay = true}

// CHECK-LABEL: func.func @state
func.func @state() {
  // CHECK: %[[W:.*]] = cnn.read @conv1.weight : tensor<6x1x5x5xf32>
  %w = cnn.read @conv1.weight : tensor<6x1x5x5xf32>
  // CHECK: cnn.write @conv1.weight, %[[W]] : tensor<6x1x5x5xf32>
  cnn.write @conv1.weight, %w : tensor<6x1x5x5xf32>
  return
}

// CHECK-LABEL: func.func @groups
func.func @groups(%x: tensor<32x8xf32>) -> (tensor<32x8xf32>, tensor<32x8xf32>) {
  // CHECK: cnn.group "net" (%[[A:.*]] = %{{.*}}) : (tensor<32x8xf32>) -> (tensor<32x8xf32>, tensor<32x8xf32>) schedule #cnn.slices<block = 16, count = 2> because "fits the cache" {
  %0:2 = cnn.group "net" (%a = %x) : (tensor<32x8xf32>) -> (tensor<32x8xf32>, tensor<32x8xf32>) schedule #cnn.slices<block = 16, count = 2> because "fits the cache" {
    // CHECK: %[[I:.*]] = cnn.group "relu1.forward" (%[[B:.*]] = %[[A]]) : (tensor<32x8xf32>) -> tensor<32x8xf32> schedule #cnn.nest<"direct", vector = 1, tile = [4, 2], order = [0, 1]>
    %1 = cnn.group "relu1.forward" (%b = %a) : (tensor<32x8xf32>) -> tensor<32x8xf32> schedule #cnn.nest<"direct", vector = 1, tile = [4, 2], order = [0, 1]> {
      %2 = cnn.relu %b : tensor<32x8xf32> -> tensor<32x8xf32>
      // CHECK: cnn.yield %{{.*}} : tensor<32x8xf32>
      cnn.yield %2 : tensor<32x8xf32>
    }
    // CHECK: cnn.yield %[[A]], %[[I]] : tensor<32x8xf32>, tensor<32x8xf32>
    cnn.yield %a, %1 : tensor<32x8xf32>, tensor<32x8xf32>
  }
  // Without inputs, results or schedule.
  // CHECK: cnn.group "nothing" () : () -> () {
  cnn.group "nothing" () : () -> () {
    // CHECK-NEXT: cnn.yield{{$}}
    cnn.yield
  }
  return %0#0, %0#1 : tensor<32x8xf32>, tensor<32x8xf32>
}

func.func private @kernel(%item: index, %scratch: memref<?xi8>, %x: memref<4xf32>)

// CHECK-LABEL: func.func @buffers
func.func @buffers(%x: memref<4xf32>) {
  // CHECK: %[[T:.*]] = cnn.from_buffer %{{.*}} : memref<4xf32> -> tensor<4xf32>
  %0 = cnn.from_buffer %x : memref<4xf32> -> tensor<4xf32>
  // CHECK: cnn.to_buffer %[[T]], %{{.*}} : tensor<4xf32> -> memref<4xf32>
  cnn.to_buffer %0, %x : tensor<4xf32> -> memref<4xf32>
  // CHECK: cnn.launch @kernel items 3(%{{.*}}) : memref<4xf32>
  cnn.launch @kernel items 3(%x) : memref<4xf32>
  // CHECK: cnn.barrier
  cnn.barrier
  return
}

// CHECK-LABEL: func.func private @layouts
// CHECK-SAME: tensor<32x8x4x4xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16>>
// CHECK-SAME: tensor<32x8x4x4xf32, #cnn.layout<order = [0, 2, 3, 1], block = 1, halo = [0, 0, 1, 1]>>
// CHECK-SAME: tensor<4x512xf32, #cnn.layout<order = [0, 1], block = 1, pad = [0, 16]>>
// CHECK-SAME: tensor<4x5xf32, #cnn.layout<order = [0, 1], block = 1, halo = [0, 1], pad = [0, 2]>>
func.func private @layouts(tensor<32x8x4x4xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16>>,
                           tensor<32x8x4x4xf32, #cnn.layout<order = [0, 2, 3, 1], block = 1, halo = [0, 0, 1, 1]>>,
                           tensor<4x512xf32, #cnn.layout<order = [0, 1], block = 1, pad = [0, 16]>>,
                           tensor<4x5xf32, #cnn.layout<order = [0, 1], block = 1, halo = [0, 1], pad = [0, 2]>>)
