// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-schedules --cnn-fuse-moments=override=conv1=windows:0x4 2>&1 | FileCheck %s --check-prefix=NUMBERS
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-schedules --cnn-fuse-moments=override=conv1=windows:5x3 2>&1 | FileCheck %s --check-prefix=TILE
// RUN: not cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=plain" --cnn-choose-schedules=override=conv1=vector:3 --cnn-fuse-moments=override=conv1=windows:2x2 2>&1 | FileCheck %s --check-prefix=VECTOR
// RUN: cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-schedules --cnn-fuse-moments=override=conv=windows:5x3 | FileCheck %s --check-prefix=ALL
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-schedules --cnn-fuse-moments=override=twice=windows:4x4 2>&1 | FileCheck %s --check-prefix=NOBODY
// RUN: not cnn-opt %s --cnn-fuse-moments 2>&1 | FileCheck %s --check-prefix=MACHINE
// Breaks if windows that do not fit are taken, or if the message does not say why they are not.

// NUMBERS: error: loc("--set schedule.conv1=windows:0x4"): 'windows' is '0x4', expected rows and columns of windows
// NUMBERS: note: {{.*}}hint: such as windows:4x4, or windows:1x1 for none
// TILE: error: group 'conv1': windows of 5x3 do not apply: they do not tile its register tile of {{[0-9x]+}} and an image of 8x8
// VECTOR: error: group 'conv1': windows of 2x2 do not apply: its vectors run along the rows or columns of an image
// NOBODY: error: group 'twice': windows do not apply: no batch norm takes its statistics of what the group makes
// NOBODY: note: {{.*}}: it is asked for here
// NOBODY: note: hint: ask the group in front of a batch norm in training, or 'channel_sums' for all of them
// Asked of all convolutions, they are taken where they fit.
// ALL: cnn.group "sums1" {{.*}}they do not tile
// ALL: cnn.channel_sums
// MACHINE: error: the module has no cnn.machine; it must go through phase scheduled
module @one {
  func.func @f(%x: tensor<16x4x8x8xf32> {cnn.name = "x"}, %w: tensor<4x4x3x3xf32> {cnn.unbatched}, %p: tensor<16x4xf32> {cnn.name = "p"}) -> (tensor<16x4x8x8xf32>, tensor<16x4xf32>, tensor<16x4xf32>) {
    %0 = cnn.group "conv1" (%a = %x, %b = %w) : (tensor<16x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<16x4x8x8xf32> {
      %s = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x4x8x8xf32>, tensor<4x4x3x3xf32> -> tensor<16x4x8x8xf32>
      cnn.yield %s : tensor<16x4x8x8xf32>
    }
    %1:2 = cnn.group "sums1" (%a = %0, %b = %p) : (tensor<16x4x8x8xf32>, tensor<16x4xf32>) -> (tensor<16x4xf32>, tensor<16x4xf32>) {
      %s, %t = cnn.channel_sums %a, %b : tensor<16x4x8x8xf32>, tensor<16x4xf32> -> tensor<16x4xf32>, tensor<16x4xf32>
      cnn.yield %s, %t : tensor<16x4xf32>, tensor<16x4xf32>
    }
    %2 = cnn.group "twice" (%a = %0) : (tensor<16x4x8x8xf32>) -> tensor<16x4x8x8xf32> {
      %s = cnn.add %a, %a : tensor<16x4x8x8xf32>, tensor<16x4x8x8xf32> -> tensor<16x4x8x8xf32>
      cnn.yield %s : tensor<16x4x8x8xf32>
    }
    return %2, %1#0, %1#1 : tensor<16x4x8x8xf32>, tensor<16x4xf32>, tensor<16x4xf32>
  }
}
