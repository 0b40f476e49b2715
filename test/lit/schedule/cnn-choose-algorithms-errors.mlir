// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-algorithms=override=wide=winograd4 2>&1 | FileCheck %s --check-prefix=KERNEL
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-algorithms=override=strided=algorithm:winograd4 2>&1 | FileCheck %s --check-prefix=STRIDE
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-algorithms=override=dilated=winograd2 2>&1 | FileCheck %s --check-prefix=DILATION
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-algorithms=override=grouped=winograd2 2>&1 | FileCheck %s --check-prefix=GROUPS
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-algorithms=override=pooled=winograd4 2>&1 | FileCheck %s --check-prefix=POOL
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-algorithms=override=padded=winograd4 2>&1 | FileCheck %s --check-prefix=PADDING
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-algorithms=override=halved=winograd2 2>&1 | FileCheck %s --check-prefix=HALVED
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-algorithms=override=halving=winograd6 2>&1 | FileCheck %s --check-prefix=HALVING
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-algorithms=override=conv=winograd5 2>&1 | FileCheck %s --check-prefix=TILE
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids "--cnn-choose-algorithms=override=padded=algorithm:winograd2;blocks:0x3" 2>&1 | FileCheck %s --check-prefix=BLOCKS
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-algorithms=override=wide 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not cnn-opt %s --cnn-choose-algorithms 2>&1 | FileCheck %s --check-prefix=MACHINE
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-choose-schedules=override=pooled=winograd4 2>&1 | FileCheck %s --check-prefix=LATE
// Breaks if Winograd's algorithm is taken where it does not apply, or if the message does not say why.

// KERNEL: error: group 'wide': algorithm 'winograd4' does not apply: the kernel is 7x7, and it needs 3x3 or 5x5
// STRIDE: error: group 'strided': algorithm 'winograd4' does not apply: the stride is 2x1, and it needs 1x1 or 2x2
// DILATION: error: group 'dilated': algorithm 'winograd2' does not apply: the dilation is 2x2, and it needs 1
// GROUPS: error: group 'grouped': algorithm 'winograd2' does not apply: there are 2 groups, and it needs 1
// POOL: error: group 'pooled': algorithm 'winograd4' does not apply: windows of 3 of the pooling in its group do not divide tiles of 4
// POOL: note: {{.*}}: it is asked for here
// POOL: note: {{.*}}hint: 'pooled' can take direct, winograd3 and winograd6
// PADDING: error: group 'padded': algorithm 'winograd4' does not apply: the padding is 3x0x0x0, and it needs 2 or less
// HALVED: error: group 'halved': algorithm 'winograd2' does not apply: the padding is 0x0x0x0, and it needs 1 before rows and columns
// HALVING: error: group 'halving': algorithm 'winograd6' does not apply: its tiles at stride 2 are 2, 3 or 4
// TILE: error: loc("--set schedule.conv=winograd5"): 'conv' has no algorithm 'winograd5'; it has direct, winograd2, winograd3, winograd4 and winograd6
// TILE: note: {{.*}}hint: did you mean 'winograd6'?
// BLOCKS: error: loc("--set schedule.padded=algorithm:winograd2;blocks:0x3"): 'blocks' is '0x3', expected the rows and columns of tiles of a block
// BLOCKS: note: {{.*}}hint: such as winograd4;blocks:1x4
// FORM: error: schedule override 'wide' is not of the form name=value
// MACHINE: error: the module has no cnn.machine; it must go through phase scheduled
// LATE: error: group 'pooled': algorithm 'winograd4' does not apply: 'conv' has no algorithm 'winograd4'; it has direct
module @all {
  func.func @f(%x: tensor<16x4x9x9xf32> {cnn.name = "x"}, %w7: tensor<4x4x7x7xf32> {cnn.unbatched}, %w: tensor<4x4x3x3xf32> {cnn.unbatched}, %g: tensor<4x2x3x3xf32> {cnn.unbatched}) -> (tensor<16x4x3x3xf32>, tensor<16x4x4x7xf32>, tensor<16x4x5x5xf32>, tensor<16x4x7x7xf32>, tensor<16x4x3x3xf32>, tensor<16x4x8x11xf32>, tensor<16x4x19x19xf32>, tensor<16x4x4x4xf32>) {
    %0 = cnn.group "wide" (%a = %x, %b = %w7) : (tensor<16x4x9x9xf32>, tensor<4x4x7x7xf32>) -> tensor<16x4x3x3xf32> {
      %s = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x4x9x9xf32>, tensor<4x4x7x7xf32> -> tensor<16x4x3x3xf32>
      cnn.yield %s : tensor<16x4x3x3xf32>
    }
    %1 = cnn.group "strided" (%a = %x, %b = %w) : (tensor<16x4x9x9xf32>, tensor<4x4x3x3xf32>) -> tensor<16x4x4x7xf32> {
      %s = cnn.conv %a, %b {stride = array<i64: 2, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x4x9x9xf32>, tensor<4x4x3x3xf32> -> tensor<16x4x4x7xf32>
      cnn.yield %s : tensor<16x4x4x7xf32>
    }
    %2 = cnn.group "dilated" (%a = %x, %b = %w) : (tensor<16x4x9x9xf32>, tensor<4x4x3x3xf32>) -> tensor<16x4x5x5xf32> {
      %s = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 2, 2>, groups = 1 : i64} : tensor<16x4x9x9xf32>, tensor<4x4x3x3xf32> -> tensor<16x4x5x5xf32>
      cnn.yield %s : tensor<16x4x5x5xf32>
    }
    %3 = cnn.group "grouped" (%a = %x, %b = %g) : (tensor<16x4x9x9xf32>, tensor<4x2x3x3xf32>) -> tensor<16x4x7x7xf32> {
      %s = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 2 : i64} : tensor<16x4x9x9xf32>, tensor<4x2x3x3xf32> -> tensor<16x4x7x7xf32>
      cnn.yield %s : tensor<16x4x7x7xf32>
    }
    %4 = cnn.group "pooled" (%a = %x, %b = %w) : (tensor<16x4x9x9xf32>, tensor<4x4x3x3xf32>) -> tensor<16x4x3x3xf32> {
      %s = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x4x9x9xf32>, tensor<4x4x3x3xf32> -> tensor<16x4x9x9xf32>
      %p = cnn.max_pool %s {kernel = array<i64: 3, 3>, stride = array<i64: 3, 3>, padding = array<i64: 0, 0, 0, 0>} : tensor<16x4x9x9xf32> -> tensor<16x4x3x3xf32>
      cnn.yield %p : tensor<16x4x3x3xf32>
    }
    %5 = cnn.group "padded" (%a = %x, %b = %w) : (tensor<16x4x9x9xf32>, tensor<4x4x3x3xf32>) -> tensor<16x4x8x11xf32> {
      %s = cnn.conv_data_grad %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 3, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x4x9x9xf32>, tensor<4x4x3x3xf32> -> tensor<16x4x8x11xf32>
      cnn.yield %s : tensor<16x4x8x11xf32>
    }
    %6 = cnn.group "halved" (%a = %x, %b = %w) : (tensor<16x4x9x9xf32>, tensor<4x4x3x3xf32>) -> tensor<16x4x19x19xf32> {
      %s = cnn.conv_data_grad %a, %b {stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x4x9x9xf32>, tensor<4x4x3x3xf32> -> tensor<16x4x19x19xf32>
      cnn.yield %s : tensor<16x4x19x19xf32>
    }
    %7 = cnn.group "halving" (%a = %x, %b = %w) : (tensor<16x4x9x9xf32>, tensor<4x4x3x3xf32>) -> tensor<16x4x4x4xf32> {
      %s = cnn.conv %a, %b {stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<16x4x9x9xf32>, tensor<4x4x3x3xf32> -> tensor<16x4x4x4xf32>
      cnn.yield %s : tensor<16x4x4x4xf32>
    }
    return %0, %1, %2, %3, %4, %5, %6, %7 : tensor<16x4x3x3xf32>, tensor<16x4x4x7xf32>, tensor<16x4x5x5xf32>, tensor<16x4x7x7xf32>, tensor<16x4x3x3xf32>, tensor<16x4x8x11xf32>, tensor<16x4x19x19xf32>, tensor<16x4x4x4xf32>
  }
}
