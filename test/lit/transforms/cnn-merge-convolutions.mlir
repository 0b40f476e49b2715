// RUN: cnn-opt %s -cnn-merge-convolutions | FileCheck %s
// Fails when two convolutions become another one than the product of both.

// A kernel of 3 behind one of 3 is one of 5; no bias, one bias, both.
// CHECK-LABEL: func.func @plain
// CHECK-SAME: %[[X:[^ ]*]]: tensor<8x3x12x12xf32>, %[[W1:[^ ]*]]: tensor<64x3x3x3xf32>, %[[W2:[^ ]*]]: tensor<4x64x3x3xf32>, %[[B1:[^ ]*]]: tensor<64xf32>, %[[B2:[^ ]*]]: tensor<4xf32>
// CHECK: %[[W:.*]] = cnn.conv_data_grad %[[W2]], %[[W1]] {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : tensor<4x64x3x3xf32>, tensor<64x3x3x3xf32> -> tensor<4x3x5x5xf32>
// CHECK: %[[Y:.*]] = cnn.conv %[[X]], %[[W]] {cnn.because = "'a' and 'b' as one of 5x5: 0.15 in place of 2.56 million multiplications", dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : tensor<8x3x12x12xf32>, tensor<4x3x5x5xf32> -> tensor<8x4x8x8xf32>
// CHECK: cnn.conv_data_grad
// CHECK: cnn.conv %[[X]], %{{.*}}, %[[B2]] {
// CHECK: cnn.conv_data_grad
// CHECK: %[[S:.*]] = cnn.reduce_sum %[[W2]] dims [2, 3]
// CHECK: %[[P:.*]] = cnn.mul %[[S]], %[[B1]]
// CHECK: %[[T:.*]] = cnn.reduce_sum %[[P]] dims [1]
// CHECK: %[[B:.*]] = cnn.add %[[T]], %[[B2]]
// CHECK: cnn.conv %[[X]], %{{.*}}, %[[B]] {
// CHECK: return %[[Y]]
func.func @plain(%x: tensor<8x3x12x12xf32>, %w1: tensor<64x3x3x3xf32>, %w2: tensor<4x64x3x3xf32>, %b1: tensor<64xf32>, %b2: tensor<4xf32>) -> (tensor<8x4x8x8xf32>, tensor<8x4x8x8xf32>, tensor<8x4x8x8xf32>) {
  %0 = cnn.conv %x, %w1 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x3x12x12xf32>, tensor<64x3x3x3xf32> -> tensor<8x64x10x10xf32> loc("a")
  %1 = cnn.conv %0, %w2 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x64x10x10xf32>, tensor<4x64x3x3xf32> -> tensor<8x4x8x8xf32> loc("b")
  %2 = cnn.conv %x, %w1 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x3x12x12xf32>, tensor<64x3x3x3xf32> -> tensor<8x64x10x10xf32>
  %3 = cnn.conv %2, %w2, %b2 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x64x10x10xf32>, tensor<4x64x3x3xf32>, tensor<4xf32> -> tensor<8x4x8x8xf32>
  %4 = cnn.conv %x, %w1, %b1 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x3x12x12xf32>, tensor<64x3x3x3xf32>, tensor<64xf32> -> tensor<8x64x10x10xf32>
  %5 = cnn.conv %4, %w2, %b2 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x64x10x10xf32>, tensor<4x64x3x3xf32>, tensor<4xf32> -> tensor<8x4x8x8xf32>
  return %1, %3, %5 : tensor<8x4x8x8xf32>, tensor<8x4x8x8xf32>, tensor<8x4x8x8xf32>
}

// Strides multiply, the first's stride spreads the second's taps, paddings add; 14 columns of which
// the last is not read. Rows: dilated, kernel 3 at 2 behind 3 at 4 is 7 at 2.
// CHECK-LABEL: func.func @windows
// CHECK: cnn.conv_data_grad %{{.*}}, %{{.*}} {dilation = array<i64: 1, 1>, groups = 1 : i64, padding = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 3>} : tensor<2x64x3x2xf32>, tensor<64x3x3x3xf32> -> tensor<2x3x7x6xf32>
// CHECK: cnn.conv {{.*}}dilation = array<i64: 2, 1>, groups = 1 : i64, padding = array<i64: 1, 0, 2, 0>, stride = array<i64: 2, 6>} : tensor<8x3x20x14xf32>, tensor<2x3x7x6xf32> -> tensor<8x2x5x2xf32>
func.func @windows(%x: tensor<8x3x20x14xf32>, %w1: tensor<64x3x3x3xf32>, %w2: tensor<2x64x3x2xf32>) -> tensor<8x2x5x2xf32> {
  %0 = cnn.conv %x, %w1 {stride = array<i64: 1, 3>, padding = array<i64: 1, 1, 2, 0>, dilation = array<i64: 2, 1>, groups = 1 : i64} : tensor<8x3x20x14xf32>, tensor<64x3x3x3xf32> -> tensor<8x64x18x5xf32>
  %1 = cnn.conv %0, %w2 {stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 4, 1>, groups = 1 : i64} : tensor<8x64x18x5xf32>, tensor<2x64x3x2xf32> -> tensor<8x2x5x2xf32>
  return %1 : tensor<8x2x5x2xf32>
}

// The second's padding lies where the first sees padding only: a 1 x 1 kernel, or one that is padded
// by its extent less 1.
// CHECK-LABEL: func.func @zero_border
// CHECK: cnn.conv {{.*}}padding = array<i64: 1, 1, 3, 3>, stride = array<i64: 1, 1>} : tensor<8x3x6x6xf32>, tensor<4x3x3x5xf32> -> tensor<8x4x6x8xf32>
// CHECK-NOT: cnn.conv
func.func @zero_border(%x: tensor<8x3x6x6xf32>, %w1: tensor<64x3x1x3xf32>, %w2: tensor<4x64x3x3xf32>) -> tensor<8x4x6x8xf32> {
  %0 = cnn.conv %x, %w1 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 2, 2>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x3x6x6xf32>, tensor<64x3x1x3xf32> -> tensor<8x64x6x8xf32>
  %1 = cnn.conv %0, %w2 {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x64x6x8xf32>, tensor<4x64x3x3xf32> -> tensor<8x4x6x8xf32>
  return %1 : tensor<8x4x6x8xf32>
}

// Four groups inside of two.
// CHECK-LABEL: func.func @groups
// CHECK: cnn.permute %{{.*}} order [1, 0, 2, 3, 4] : tensor<2x2x16x1x1xf32> -> tensor<2x2x16x1x1xf32>
// CHECK: cnn.conv_data_grad {{.*}}groups = 4 : i64{{.*}} : tensor<2x32x1x1xf32>, tensor<32x2x3x3xf32> -> tensor<2x8x3x3xf32>
// CHECK: cnn.permute %{{.*}} order [1, 0, 2, 3, 4] : tensor<2x2x4x3x3xf32> -> tensor<2x2x4x3x3xf32>
// CHECK: cnn.conv {{.*}}groups = 2 : i64{{.*}} : tensor<8x8x9x9xf32>, tensor<4x4x3x3xf32>, tensor<4xf32> -> tensor<8x4x7x7xf32>
func.func @groups(%x: tensor<8x8x9x9xf32>, %w1: tensor<32x2x3x3xf32>, %b1: tensor<32xf32>, %w2: tensor<4x16x1x1xf32>) -> tensor<8x4x7x7xf32> {
  %0 = cnn.conv %x, %w1, %b1 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 4 : i64} : tensor<8x8x9x9xf32>, tensor<32x2x3x3xf32>, tensor<32xf32> -> tensor<8x32x7x7xf32>
  %1 = cnn.conv %0, %w2 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 2 : i64} : tensor<8x32x7x7xf32>, tensor<4x16x1x1xf32> -> tensor<8x4x7x7xf32>
  return %1 : tensor<8x4x7x7xf32>
}

// Three in a row become one.
// CHECK-LABEL: func.func @chain
// CHECK-COUNT-1: cnn.conv %
// CHECK-NOT: cnn.conv %
// CHECK: return
func.func @chain(%x: tensor<8x3x9x9xf32>, %w1: tensor<64x3x1x1xf32>, %w2: tensor<64x64x1x1xf32>, %w3: tensor<4x64x3x3xf32>) -> tensor<8x4x7x7xf32> {
  %0 = cnn.conv %x, %w1 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x3x9x9xf32>, tensor<64x3x1x1xf32> -> tensor<8x64x9x9xf32>
  %1 = cnn.conv %0, %w2 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x64x9x9xf32>, tensor<64x64x1x1xf32> -> tensor<8x64x9x9xf32>
  %2 = cnn.conv %1, %w3 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x64x9x9xf32>, tensor<4x64x3x3xf32> -> tensor<8x4x7x7xf32>
  return %2 : tensor<8x4x7x7xf32>
}
