// RUN: cnn-opt %S/cnn-choose-algorithms.mlir "--cnn-choose-layouts=cpu=sapphirerapids layout=batch" "--cnn-choose-algorithms=override=conv=winograd4 override=conv1=direct" | FileCheck %s --check-prefixes=CHECK,BEFORE
// RUN: cnn-opt %S/cnn-choose-algorithms.mlir "--cnn-choose-layouts=cpu=sapphirerapids layout=batch" "--cnn-choose-algorithms=override=conv=winograd4 override=conv1=direct" --cnn-fit-halos | FileCheck %s --check-prefixes=CHECK,AFTER
// Fails when zeros stay around what Winograd's algorithms alone read, or go where another convolution reads them.

// The image is read by a direct 5 x 5 convolution.
// CHECK: %x.blocks = cnn.group {{.*}} -> tensor<32x64x24x24xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16, halo = [0, 0, 2, 2]>> {
// Its result is read by Winograd's transform, in an outer group.
// BEFORE: %conv1 = cnn.group {{.*}} -> tensor<32x64x24x24xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16, halo = [0, 0, 1, 1]>> {
// AFTER: %conv1 = cnn.group {{.*}} -> tensor<32x64x24x24xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16>> {
// AFTER: cnn.yield %{{.*}} : tensor<32x64x24x24xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16>>
// AFTER: %conv2.blocks = cnn.group "conv2.blocks" ({{.*}}) : (tensor<32x64x24x24xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16>>,
// AFTER: cnn.winograd_input %{{.*}} : tensor<32x64x24x24xf32, #cnn.layout<order = [0, 1, 2, 3, 0], block = 16>> ->
