// RUN: not cnn-opt %s --cnn-choose-gpu-schedules=override=pool1=load:through 2>&1 | FileCheck %s --check-prefix=POOL
// RUN: not cnn-opt %s --cnn-choose-gpu-schedules=override=relu1=load:through 2>&1 | FileCheck %s --check-prefix=RETURNED
// RUN: not cnn-opt %s --cnn-choose-gpu-schedules=override=sum1=load:through 2>&1 | FileCheck %s --check-prefix=LARGE
// RUN: not cnn-opt %s --cnn-choose-gpu-schedules=override=relu1=load:twice 2>&1 | FileCheck %s --check-prefix=VALUE
// RUN: not cnn-opt %s --cnn-choose-gpu-schedules=override=relu1=loads:stored 2>&1 | FileCheck %s --check-prefix=KEY
// RUN: not cnn-opt %s --cnn-choose-gpu-schedules=override=rely1=load:stored 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not cnn-opt %s "--cnn-choose-gpu-schedules=override=sum2=load:through override=conv2=instruction:bf16;tile:64x128x64x32x64;stages:1" 2>&1 | FileCheck %s --check-prefix=REGISTERS
// RUN: cnn-opt %s "--cnn-choose-gpu-schedules=override=sum2=load:stored override=conv2=instruction:bf16;tile:64x128x64x32x64;stages:1" | FileCheck %s --check-prefix=STORED
// RUN: cnn-opt %s --cnn-choose-gpu-schedules=override=relu=load:through,avg_pool=load:through,add=load:through,pool1=load:stored | FileCheck %s
// Breaks if a group that readers cannot compute is read through, or if what is asked for is passed over.

// POOL: error: group 'pool1': its readers cannot compute it: 'avg_pool' is not pointwise
// POOL: note: loc("--set schedule.pool1=load:through"): it is asked for here
// RETURNED: error: group 'relu1': its readers cannot compute it: it is read as another shape, written or returned
// LARGE: error: group 'sum1': its readers cannot compute it: the product of 'conv1' would read 3 tensors for one of its factors, more than 2
// LARGE: note: loc("--set schedule.sum1=load:through"): it is asked for here
// VALUE: error: loc("--set schedule.relu1=load:twice"): 'load' is 'twice', expected through or stored
// KEY: error: loc("--set schedule.relu1=loads:stored"): 'loads:stored': a schedule has no 'loads'; it has algorithm, {{.*}}windows and load
// KEY: note: {{.*}}hint: did you mean 'load', such as load:through?
// NAME: error: loc("--set schedule.rely1=load:stored"): schedule override names 'rely1', which is no group and no operation of one
// NAME: hint: did you mean 'relu1'?
// Both tensors wait in registers: of 64 x 128 elements of each 64 in a thread's, besides 32 of the weight.
// REGISTERS: error: group 'conv2': 64 sums of a thread and 160 elements that it reads for the next tile are more than 199
// STORED: cnn.group "conv2" {{.*}}tile = [64, 128, 64, 32, 64]
// Of all groups of an operation, those are meant where it applies.
// CHECK: cnn.group "relu1"
// CHECK: cnn.group "sum1"
module attributes {cnn.target = "nvptx", cnn.cpu = "sm_80"} {
  func.func @f(%x: tensor<4x4x8x8xf32> {cnn.name = "x"}, %y: tensor<4x4x8x8xf32> {cnn.name = "y"}, %z: tensor<4x4x8x8xf32> {cnn.name = "z"}, %w: tensor<4x4x1x1xf32> {cnn.name = "w", cnn.unbatched}) -> (tensor<4x4x8x8xf32>, tensor<4x4x8x8xf32>, tensor<4x4x8x8xf32>, tensor<4x4x8x8xf32>) attributes {cnn.batch = 4 : i64} {
    %relu1 = cnn.group "relu1" (%a = %x) : (tensor<4x4x8x8xf32>) -> tensor<4x4x8x8xf32> {
      %0 = cnn.relu %a : tensor<4x4x8x8xf32> -> tensor<4x4x8x8xf32>
      cnn.yield %0 : tensor<4x4x8x8xf32>
    }
    %pool1 = cnn.group "pool1" (%a = %relu1) : (tensor<4x4x8x8xf32>) -> tensor<4x4x8x8xf32> {
      %0 = cnn.avg_pool %a {kernel = array<i64: 3, 3>, stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>} : tensor<4x4x8x8xf32> -> tensor<4x4x8x8xf32>
      cnn.yield %0 : tensor<4x4x8x8xf32>
    }
    %sum1 = cnn.group "sum1" (%a = %x, %b = %y, %c = %z) : (tensor<4x4x8x8xf32>, tensor<4x4x8x8xf32>, tensor<4x4x8x8xf32>) -> tensor<4x4x8x8xf32> {
      %0 = cnn.add %a, %b : tensor<4x4x8x8xf32>, tensor<4x4x8x8xf32> -> tensor<4x4x8x8xf32>
      %1 = cnn.add %0, %c : tensor<4x4x8x8xf32>, tensor<4x4x8x8xf32> -> tensor<4x4x8x8xf32>
      cnn.yield %1 : tensor<4x4x8x8xf32>
    }
    %conv1 = cnn.group "conv1" (%a = %sum1, %b = %w) : (tensor<4x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<4x4x8x8xf32> {
      %0 = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<4x4x8x8xf32>, tensor<4x4x1x1xf32> -> tensor<4x4x8x8xf32>
      cnn.yield %0 : tensor<4x4x8x8xf32>
    }
    %sum2 = cnn.group "sum2" (%a = %x, %b = %y) : (tensor<4x4x8x8xf32>, tensor<4x4x8x8xf32>) -> tensor<4x4x8x8xf32> {
      %0 = cnn.add %a, %b : tensor<4x4x8x8xf32>, tensor<4x4x8x8xf32> -> tensor<4x4x8x8xf32>
      cnn.yield %0 : tensor<4x4x8x8xf32>
    }
    %conv2 = cnn.group "conv2" (%a = %sum2, %b = %w) : (tensor<4x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<4x4x8x8xf32> {
      %0 = cnn.conv %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64} : tensor<4x4x8x8xf32>, tensor<4x4x1x1xf32> -> tensor<4x4x8x8xf32>
      cnn.yield %0 : tensor<4x4x8x8xf32>
    }
    return %relu1, %pool1, %conv1, %conv2 : tensor<4x4x8x8xf32>, tensor<4x4x8x8xf32>, tensor<4x4x8x8xf32>, tensor<4x4x8x8xf32>
  }
}
