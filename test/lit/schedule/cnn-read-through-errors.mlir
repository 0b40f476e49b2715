// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-read-through=override=pool1=load:through 2>&1 | FileCheck %s --check-prefix=POOL
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-read-through=override=relu1=load:through 2>&1 | FileCheck %s --check-prefix=RETURNED
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-read-through=override=relu1=load:twice 2>&1 | FileCheck %s --check-prefix=VALUE
// RUN: not cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-read-through=override=rely1=load:stored 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: cnn-opt %s --cnn-choose-layouts=cpu=sapphirerapids --cnn-read-through=override=relu=load:through,avg_pool=load:through,pool1=load:stored | FileCheck %s
// Breaks if a group that readers cannot compute is read through, or if what is asked for is passed over.

// POOL: error: group 'pool1': its readers cannot compute it: 'avg_pool' is not pointwise
// POOL: note: loc("--set schedule.pool1=load:through"): it is asked for here
// RETURNED: error: group 'relu1': its readers cannot compute it: it is read as another shape, written or returned
// VALUE: error: loc("--set schedule.relu1=load:twice"): 'load' is 'twice', expected through or stored
// NAME: error: loc("--set schedule.rely1=load:stored"): schedule override names 'rely1', which is no group and no operation of one
// NAME: hint: did you mean 'relu1'?
// Of all groups of an operation, those are meant where it applies.
// CHECK: cnn.group "relu1"
func.func @f(%x: tensor<4x4x8x8xf32> {cnn.name = "x"}) -> (tensor<4x4x8x8xf32>, tensor<4x4x8x8xf32>) attributes {cnn.batch = 4 : i64} {
  %relu1 = cnn.group "relu1" (%a = %x) : (tensor<4x4x8x8xf32>) -> tensor<4x4x8x8xf32> {
    %0 = cnn.relu %a : tensor<4x4x8x8xf32> -> tensor<4x4x8x8xf32>
    cnn.yield %0 : tensor<4x4x8x8xf32>
  }
  %pool1 = cnn.group "pool1" (%a = %relu1) : (tensor<4x4x8x8xf32>) -> tensor<4x4x8x8xf32> {
    %0 = cnn.avg_pool %a {kernel = array<i64: 3, 3>, stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>} : tensor<4x4x8x8xf32> -> tensor<4x4x8x8xf32>
    cnn.yield %0 : tensor<4x4x8x8xf32>
  }
  return %relu1, %pool1 : tensor<4x4x8x8xf32>, tensor<4x4x8x8xf32>
}
