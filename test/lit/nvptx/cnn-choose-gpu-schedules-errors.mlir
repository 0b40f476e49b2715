// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=sigmod1=block:64" 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=sigmoid1=reduce" 2>&1 | FileCheck %s --check-prefix=REDUCE
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=sigmoid1=winograd4" 2>&1 | FileCheck %s --check-prefix=ALGORITHM
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=sigmoid1=block:96" 2>&1 | FileCheck %s --check-prefix=BLOCK
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=sigmoid1=tilt:1" 2>&1 | FileCheck %s --check-prefix=KEY
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=sigmoid1=vector:3" 2>&1 | FileCheck %s --check-prefix=VECTOR
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=sums=algorithm:reduce;tile:64" 2>&1 | FileCheck %s --check-prefix=SHARED
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=sums=algorithm:reduce;block:16" 2>&1 | FileCheck %s --check-prefix=WARP
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=sums=algorithm:reduce;vector:2" 2>&1 | FileCheck %s --check-prefix=ROWS
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=columns=algorithm:reduce;tile:64x8" 2>&1 | FileCheck %s --check-prefix=COLUMNS
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=columns=algorithm:reduce;tile:64x4;vector:2" 2>&1 | FileCheck %s --check-prefix=NEIGHBOURS
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=layout=batch" 2>&1 | FileCheck %s --check-prefix=LAYOUT
// Breaks if an illegal schedule is taken, or if its message does not say what is legal.

// NAME: error: loc("--set schedule.sigmod1=block:64"): schedule override names 'sigmod1', which is no group and no operation of one
// NAME: note: {{.*}}hint: did you mean 'sigmoid1'?
// REDUCE: error: group 'sigmoid1': algorithm 'reduce' does not apply: nothing is summed
// ALGORITHM: error: group 'sigmoid1': algorithm 'winograd4' does not apply: there is no such algorithm; there are point, reduce and contraction
// BLOCK: error: group 'sigmoid1': a block of 96 threads is none of the powers of 2 up to 1024
// KEY: error: loc("--set schedule.sigmoid1=tilt:1"): 'tilt:1': a schedule has no 'tilt'; it has algorithm, block, vector, tile, instruction, stages, split, pool, windows and load
// KEY: note: {{.*}}hint: did you mean 'tile', such as contraction;tile:64x64x16x4x4?
// VECTOR: error: group 'sigmoid1': a thread has 1, 2 or 4 neighbours of this type, not 3
// SHARED: error: group 'sums': 64 threads cannot share one element; it is all of the block, or a power of 2 up to 32
// WARP: error: group 'sums': a block of 16 threads is less than a warp of 32, in which threads add up their sums
// ROWS: error: group 'sums': rows of 5 neighbours do not divide by 2
// COLUMNS: error: group 'columns': 64 threads for each of 8 neighbours are not a block of 256
// NEIGHBOURS: error: group 'columns': rows of 5 results do not divide by 2
// LAYOUT: error: loc("--set schedule.layout=batch"): unknown layout 'batch', expected auto, plain or channels
module @odd attributes {cnn.target = "nvptx"} {
  func.func @odd(%x: tensor<3x4xf32> {cnn.name = "x"}, %z: tensor<3x5xf32> {cnn.name = "z"})
      -> (tensor<3x4xf32> {cnn.name = "y"}, tensor<3xf32> {cnn.name = "u"}, tensor<5xf32> {cnn.name = "v"}) {
    %y = cnn.group "sigmoid1" (%a = %x) : (tensor<3x4xf32>) -> tensor<3x4xf32> {
      %s = cnn.sigmoid %a : tensor<3x4xf32> -> tensor<3x4xf32>
      cnn.yield %s : tensor<3x4xf32>
    }
    %u = cnn.group "sums" (%a = %z) : (tensor<3x5xf32>) -> tensor<3xf32> {
      %s = cnn.reduce_sum %a dims [1] : tensor<3x5xf32> -> tensor<3xf32>
      cnn.yield %s : tensor<3xf32>
    }
    %v = cnn.group "columns" (%a = %z) : (tensor<3x5xf32>) -> tensor<5xf32> {
      %s = cnn.reduce_sum %a dims [0] : tensor<3x5xf32> -> tensor<5xf32>
      cnn.yield %s : tensor<5xf32>
    }
    return %y, %u, %v : tensor<3x4xf32>, tensor<3xf32>, tensor<5xf32>
  }
}
