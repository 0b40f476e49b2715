// RUN: cnn-opt %s -cnn-merge-convolutions --remarks-filter=cnn-merge-convolutions --remark-format=emitRemark 2>&1 >/dev/null | FileCheck %s
// RUN: cnn-opt %s -cnn-merge-convolutions | FileCheck %s --check-prefix=IR
// Fails when convolutions are merged where one is not the same or costs more, or no longer says why not.

// IR-NOT: cnn.conv_data_grad
// IR: cnn.because = "'a' and 'b' are not merged: the result of 'a' is used elsewhere, too"

// CHECK: [Missed] NotMerged | Category:cnn-merge-convolutions | Remark="'a' and 'b' are not merged: the result of 'a' is used elsewhere, too"
func.func @used(%x: tensor<8x3x12x12xf32>, %w1: tensor<64x3x3x3xf32>, %w2: tensor<4x64x3x3xf32>, %b1: tensor<64xf32>) -> (tensor<8x64x10x10xf32>, tensor<8x4x8x8xf32>) {
  %0 = cnn.conv %x, %w1 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x3x12x12xf32>, tensor<64x3x3x3xf32> -> tensor<8x64x10x10xf32> loc("a")
  %1 = cnn.conv %0, %w2 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x64x10x10xf32>, tensor<4x64x3x3xf32> -> tensor<8x4x8x8xf32> loc("b")
  return %0, %1 : tensor<8x64x10x10xf32>, tensor<8x4x8x8xf32>
}

// CHECK: [Missed] NotMerged | Category:cnn-merge-convolutions | Remark="'a' and 'b' are not merged: 'b' pads with zeros where 'a' would still see its input"
func.func @border(%x: tensor<8x3x12x12xf32>, %w1: tensor<64x3x3x3xf32>, %w2: tensor<4x64x3x3xf32>, %b1: tensor<64xf32>) -> (tensor<8x4x12x12xf32>) {
  %0 = cnn.conv %x, %w1 {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x3x12x12xf32>, tensor<64x3x3x3xf32> -> tensor<8x64x12x12xf32> loc("a")
  %1 = cnn.conv %0, %w2 {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x64x12x12xf32>, tensor<4x64x3x3xf32> -> tensor<8x4x12x12xf32> loc("b")
  return %1 : tensor<8x4x12x12xf32>
}

// CHECK: [Missed] NotMerged | Category:cnn-merge-convolutions | Remark="'a' and 'b' are not merged: 'b' pads with zeros where 'a' would still see its input"
func.func @behind(%x: tensor<8x3x12x12xf32>, %w1: tensor<64x3x3x3xf32>, %w2: tensor<4x64x3x3xf32>) -> (tensor<8x4x11x8xf32>) {
  %0 = cnn.conv %x, %w1 {stride = array<i64: 1, 1>, padding = array<i64: 2, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x3x12x12xf32>, tensor<64x3x3x3xf32> -> tensor<8x64x12x10xf32> loc("a")
  %1 = cnn.conv %0, %w2 {stride = array<i64: 1, 1>, padding = array<i64: 0, 1, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x64x12x10xf32>, tensor<4x64x3x3xf32> -> tensor<8x4x11x8xf32> loc("b")
  return %1 : tensor<8x4x11x8xf32>
}

// CHECK: [Missed] NotMerged | Category:cnn-merge-convolutions | Remark="'a' and 'b' are not merged: 'b' pads with zeros, which have not the bias of 'a'"
func.func @biased(%x: tensor<8x3x12x12xf32>, %w1: tensor<64x3x3x3xf32>, %w2: tensor<4x64x3x3xf32>, %b1: tensor<64xf32>) -> (tensor<8x4x14x10xf32>) {
  %0 = cnn.conv %x, %w1, %b1 {stride = array<i64: 1, 1>, padding = array<i64: 2, 2, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x3x12x12xf32>, tensor<64x3x3x3xf32>, tensor<64xf32> -> tensor<8x64x14x12xf32> loc("a")
  %1 = cnn.conv %0, %w2 {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x64x14x12xf32>, tensor<4x64x3x3xf32> -> tensor<8x4x14x10xf32> loc("b")
  return %1 : tensor<8x4x14x10xf32>
}

// CHECK: [Missed] NotMerged | Category:cnn-merge-convolutions | Remark="'a' and 'b' are not merged: the 1 groups of 'a' do not divide into the 2 of 'b'"
func.func @groups(%x: tensor<8x4x12x12xf32>, %w1: tensor<64x4x1x1xf32>, %w2: tensor<4x32x1x1xf32>) -> (tensor<8x4x12x12xf32>) {
  %0 = cnn.conv %x, %w1 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x4x12x12xf32>, tensor<64x4x1x1xf32> -> tensor<8x64x12x12xf32> loc("a")
  %1 = cnn.conv %0, %w2 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 2 : i64} : tensor<8x64x12x12xf32>, tensor<4x32x1x1xf32> -> tensor<8x4x12x12xf32> loc("b")
  return %1 : tensor<8x4x12x12xf32>
}

// CHECK: [Missed] NotMerged | Category:cnn-merge-convolutions | Remark="'a' and 'b' are not merged: one takes 3.28 million multiplications, both 3.02"
func.func @dearer(%x: tensor<8x16x12x12xf32>, %w1: tensor<16x16x3x3xf32>, %w2: tensor<16x16x3x3xf32>) -> (tensor<8x16x8x8xf32>) {
  %0 = cnn.conv %x, %w1 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x16x12x12xf32>, tensor<16x16x3x3xf32> -> tensor<8x16x10x10xf32> loc("a")
  %1 = cnn.conv %0, %w2 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x16x10x10xf32>, tensor<16x16x3x3xf32> -> tensor<8x16x8x8xf32> loc("b")
  return %1 : tensor<8x16x8x8xf32>
}

cnn.param @w : tensor<4x64x3x3xf32> parameter <"pytorch_default", fan_in = 576>
// CHECK: [Missed] NotMerged | Category:cnn-merge-convolutions | Remark="'a' and 'b' are not merged: training changes both weights, not their product"
func.func @trains(%x: tensor<8x3x12x12xf32>, %w1: tensor<64x3x3x3xf32>, %w2: tensor<4x64x3x3xf32>, %b1: tensor<64xf32>) -> (tensor<8x4x8x8xf32>) {
  %0 = cnn.conv %x, %w1 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x3x12x12xf32>, tensor<64x3x3x3xf32> -> tensor<8x64x10x10xf32> loc("a")
  %1 = cnn.conv %0, %w2 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<8x64x10x10xf32>, tensor<4x64x3x3xf32> -> tensor<8x4x8x8xf32> loc("b")
  cnn.write @w, %w2 : tensor<4x64x3x3xf32>
  return %1 : tensor<8x4x8x8xf32>
}


// CHECK: [Missed] NotMerged | Category:cnn-merge-convolutions | Remark="'a' and 'b' are not merged: one takes 10.24 million multiplications, both 14.75, which Winograd's algorithm does in the time of 7.37"
func.func @winograd(%x: tensor<16x16x12x12xf32>, %w1: tensor<32x16x3x3xf32>, %w2: tensor<25x32x3x3xf32>) -> tensor<16x25x8x8xf32> {
  %0 = cnn.conv %x, %w1 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x16x12x12xf32>, tensor<32x16x3x3xf32> -> tensor<16x32x10x10xf32> loc("a")
  %1 = cnn.conv %0, %w2 {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x32x10x10xf32>, tensor<25x32x3x3xf32> -> tensor<16x25x8x8xf32> loc("b")
  return %1 : tensor<16x25x8x8xf32>
}
