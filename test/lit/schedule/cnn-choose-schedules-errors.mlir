// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids "--cnn-choose-schedules=override=sigmod1=vector:0" 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids "--cnn-choose-schedules=override=sigmoid1=vector:2" 2>&1 | FileCheck %s --check-prefix=VECTOR
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids "--cnn-choose-schedules=override=sigmoid1=tile:1x9" 2>&1 | FileCheck %s --check-prefix=TILE
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids "--cnn-choose-schedules=override=sigmoid1=order:0x0" 2>&1 | FileCheck %s --check-prefix=ORDER
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids "--cnn-choose-schedules=override=sigmoid1=winograd4" 2>&1 | FileCheck %s --check-prefix=ALGORITHM
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids "--cnn-choose-schedules=override=sigmoid1=tilt:1x1" 2>&1 | FileCheck %s --check-prefix=KEY
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids "--cnn-choose-schedules=override=sigmoid1=chunk:0;collapse:2" 2>&1 | FileCheck %s --check-prefix=COLLAPSE
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids "--cnn-choose-schedules=override=sigmoid1=chunk:1;collapse:3" 2>&1 | FileCheck %s --check-prefix=THREE
// RUN: not cnn-opt %s --cnn-choose-schedules 2>&1 | FileCheck %s --check-prefix=MACHINE
// Breaks if an illegal schedule is taken, or if its message does not say what is legal.

// NAME: error: loc("--set schedule.sigmod1=vector:0"): schedule override names 'sigmod1', which is no group and no operation of one
// NAME: note: {{.*}}hint: did you mean 'sigmoid1'?
// VECTOR: error: group 'sigmoid1': vector dimension 2 is not one of the 2
// TILE: error: group 'sigmoid1': tile of dimension 1 is 9, expected 1 to 1
// ORDER: error: group 'sigmoid1': order must name each of the 2 dimensions once
// ALGORITHM: error: group 'sigmoid1': algorithm 'winograd4' does not apply: 'sigmoid' has no algorithm 'winograd4'; it has direct
// KEY: error: loc("--set schedule.sigmoid1=tilt:1x1"): 'tilt:1x1': a schedule has no 'tilt'; it has algorithm, vector, tile, order, chunk, collapse, blocks, windows and load
// KEY: note: {{.*}}hint: did you mean 'tile', such as tile:1x3x2x4x1x1x5?
// COLLAPSE: error: group 'sigmoid1': collapse is 2, expected 1, or 2 where there are chunks of two loops, and neither sums in memory nor zeros around the result
// THREE: error: group 'sigmoid1': collapse is 3, expected 1, or 2 where there are chunks
// MACHINE: error: the module has no cnn.machine; it must go through phase scheduled
module @odd {
  func.func @odd(%x: tensor<3x4xf32> {cnn.name = "x"}) -> (tensor<3x4xf32> {cnn.name = "y"}) {
    %y = cnn.group "sigmoid1" (%a = %x) : (tensor<3x4xf32>) -> tensor<3x4xf32> {
      %s = cnn.sigmoid %a : tensor<3x4xf32> -> tensor<3x4xf32>
      cnn.yield %s : tensor<3x4xf32>
    }
    return %y : tensor<3x4xf32>
  }
}
