// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=sigmod1=block:64" 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=sigmoid1=reduce" 2>&1 | FileCheck %s --check-prefix=REDUCE
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=sigmoid1=winograd4" 2>&1 | FileCheck %s --check-prefix=ALGORITHM
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=sigmoid1=block:96" 2>&1 | FileCheck %s --check-prefix=BLOCK
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=sigmoid1=tilt:1" 2>&1 | FileCheck %s --check-prefix=KEY
// Breaks if an illegal schedule is taken, or if its message does not say what is legal.

// NAME: error: loc("--set schedule.sigmod1=block:64"): schedule override names 'sigmod1', which is no group and no operation of one
// NAME: note: {{.*}}hint: did you mean 'sigmoid1'?
// REDUCE: error: group 'sigmoid1': algorithm 'reduce' does not apply: nothing is summed
// ALGORITHM: error: group 'sigmoid1': algorithm 'winograd4' does not apply: there is no such algorithm; there are point, reduce and contraction
// BLOCK: error: group 'sigmoid1': a block of 96 threads is none of the powers of 2 up to 1024
// KEY: error: group 'sigmoid1': override 'tilt:1' is none of algorithm:NAME, block:N, tile:NxNxNxNxN, instruction:NAME, stages:N and, of a convolution's weight_grad, split:N
module @odd attributes {cnn.target = "nvptx"} {
  func.func @odd(%x: tensor<3x4xf32> {cnn.name = "x"}) -> (tensor<3x4xf32> {cnn.name = "y"}) {
    %y = cnn.group "sigmoid1" (%a = %x) : (tensor<3x4xf32>) -> tensor<3x4xf32> {
      %s = cnn.sigmoid %a : tensor<3x4xf32> -> tensor<3x4xf32>
      cnn.yield %s : tensor<3x4xf32>
    }
    return %y : tensor<3x4xf32>
  }
}
