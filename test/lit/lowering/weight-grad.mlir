// RUN: cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-algorithms=override=conv_weight_grad=winograd4 --cnn-choose-schedules=override=g=tile:16x2x3x3x16x8x8 --cnn-plan --cnn-tile | FileCheck %s
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=haswell layout=plain" --cnn-choose-algorithms=override=conv_weight_grad=winograd2 --cnn-choose-schedules --cnn-plan --cnn-tile | FileCheck %s --check-prefix=PLAIN
// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=channels" --cnn-choose-algorithms=override=conv_weight_grad=winograd3 --cnn-choose-schedules --cnn-plan --cnn-tile | FileCheck %s --check-prefix=CHANNELS
// Breaks if the parts of Winograd's gradient of a kernel are not there: transforms with images and channels turned
// round, products over tiles and images, and the sums' transform, of channels that there are.

// CHECK: func.func private @g
// What a step keeps: one window, V, Z and U.
// CHECK-DAG: memref.view %arg1{{.*}} to memref<16x{{[0-9]+}}xf32>
// CHECK-DAG: memref.view %arg1{{.*}} to memref<6x6x1040xf32>
// CHECK: cnn.tile_store
// The window of the input: zeros outside, inside 16 channels of 16 images, turned round.
// CHECK: arith.cmpi ult
// CHECK: scf.if
// CHECK-COUNT-16: vector.load
// CHECK-COUNT-64: vector.shuffle
// CHECK-COUNT-16: vector.store
// CHECK: cnn.tile_load {{.*}} -> vector<6x6x16xf32>
// CHECK: cnn.tile_store {{.*}} : vector<6x6x16xf32> -> memref<6x6x
// The tiles of the gradient: 4 x 4 become 6 x 6.
// CHECK-COUNT-64: vector.shuffle
// CHECK: cnn.tile_load {{.*}} -> vector<4x4x16xf32>
// CHECK: cnn.tile_store {{.*}} : vector<6x6x16xf32> -> memref<6x6x
// The products: 14 outputs at a time, then the other 2, and two vectors of channels.
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<14x2x16xf32>)
// CHECK: math.fma {{.*}} : vector<14x2x16xf32>
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<2x2x16xf32>)
// The sums: taps and channels turned round, so that a row lies as in the weight; what follows goes along it, 16 elements
// at a time and those that are left (17 channels x 9 taps) one by one.
// CHECK: arith.minui
// CHECK: cnn.tile_load {{.*}} -> vector<6x6x16xf32>
// CHECK: cnn.tile_store {{.*}} : vector<3x3x16xf32> -> memref<144xf32>
// CHECK-COUNT-9: vector.load
// CHECK-COUNT-64: vector.shuffle
// CHECK-COUNT-16: vector.store {{.*}} memref<{{[0-9]+}}xf32>, vector<16xf32>
// CHECK: scf.for
// CHECK: cnn.tile_load {{.*}} -> vector<16xf32>
// CHECK: arith.mulf {{.*}} : vector<16xf32>
// CHECK: cnn.tile_store {{.*}} : vector<16xf32> -> memref<5x17x3x3xf32>
// CHECK: scf.for
// CHECK: cnn.tile_load {{.*}} -> vector<1xf32>
// CHECK: arith.mulf {{.*}} : vector<1xf32>
// CHECK: cnn.tile_store {{.*}} : vector<1xf32> -> memref<5x17x3x3xf32>

// One image after another, lane by lane.
// PLAIN: func.func private @g
// PLAIN: scf.if
// PLAIN-COUNT-8: memref.load
// PLAIN: vector.store
// PLAIN: cnn.tile_load {{.*}} -> vector<4x4x8xf32>

// Channels lie next to each other: a vector of them for each pixel, and nothing to turn round.
// CHANNELS: func.func private @g.slices
// CHANNELS: scf.if
// CHANNELS-NOT: memref.load
// CHANNELS: vector.load {{.*}} : memref<16x2x{{[0-9]+x[0-9]+}}x16xf32>, vector<16xf32>
// CHANNELS-NEXT: vector.store
// CHANNELS-NOT: vector.shuffle
// CHANNELS: cnn.tile_load {{.*}} -> vector<5x5x16xf32>
module @small {
  func.func @f(%x: tensor<16x17x5x6xf32> {cnn.name = "x"}, %d: tensor<16x5x5x6xf32> {cnn.name = "d"}, %w: tensor<5x17x3x3xf32> {cnn.unbatched}) -> (tensor<5x17x3x3xf32> {cnn.name = "g"}) {
    %0 = cnn.group "g" (%a = %x, %b = %d, %c = %w) : (tensor<16x17x5x6xf32>, tensor<16x5x5x6xf32>, tensor<5x17x3x3xf32>) -> tensor<5x17x3x3xf32> {
      %g = cnn.conv_weight_grad %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x17x5x6xf32>, tensor<16x5x5x6xf32> -> tensor<5x17x3x3xf32>
      %m = cnn.mul %g, %c : tensor<5x17x3x3xf32>, tensor<5x17x3x3xf32> -> tensor<5x17x3x3xf32>
      cnn.yield %m : tensor<5x17x3x3xf32>
    }
    return %0 : tensor<5x17x3x3xf32>
  }
}
