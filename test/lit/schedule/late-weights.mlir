// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=plain" --cnn-choose-schedules --cnn-plan | FileCheck %s
// Fails when what comes from the state alone takes memory before it is read, or what is computed again before the
// backward pass reads it.

module @net {
  cnn.param @w : tensor<32x32xf32> parameter <"constant", value = 1.0 : f64>

  // Without waiting, %v and %u are computed in steps 0 and 1 and stay until step 3. What comes from an
  // input is not made to wait: that keeps what it is made from.
  // CHECK-LABEL: func.func @infer(
  // CHECK-SAME: cnn.plan = [
  // CHECK-SAME: "arena {{[0-9]+}} + 4096: a#0, steps 0 to 1"
  // CHECK-SAME: "arena {{[0-9]+}} + 4096: v#0, steps 1 to 2"
  // CHECK-SAME: "arena {{[0-9]+}} + 4096: b#0, steps 1 to 3"
  // CHECK-SAME: "arena {{[0-9]+}} + 4096: u#0, steps 2 to 3"
  // CHECK-SAME: "arena {{[0-9]+}} + 4096: c#0, steps 2 to 3"
  // CHECK-SAME: "arena: 16384 bytes, 16384 in use at one time"]
  func.func @infer(%x: tensor<32x32xf32> {cnn.name = "x"}) -> (tensor<32x32xf32> {cnn.name = "y"}) {
    %w = cnn.read @w : tensor<32x32xf32>
    %v = cnn.group "v" (%x1 = %w) : (tensor<32x32xf32>) -> tensor<32x32xf32> {
      %0 = cnn.sigmoid %x1 : tensor<32x32xf32> -> tensor<32x32xf32>
      cnn.yield %0 : tensor<32x32xf32>
    }
    %u = cnn.group "u" (%x1 = %v) : (tensor<32x32xf32>) -> tensor<32x32xf32> {
      %0 = cnn.permute %x1 order [1, 0] : tensor<32x32xf32> -> tensor<32x32xf32>
      cnn.yield %0 : tensor<32x32xf32>
    }
    %a = cnn.group "a" (%x1 = %x) : (tensor<32x32xf32>) -> tensor<32x32xf32> {
      %0 = cnn.permute %x1 order [1, 0] : tensor<32x32xf32> -> tensor<32x32xf32>
      cnn.yield %0 : tensor<32x32xf32>
    }
    %b = cnn.group "b" (%x1 = %a) : (tensor<32x32xf32>) -> tensor<32x32xf32> {
      %0 = cnn.permute %x1 order [1, 0] : tensor<32x32xf32> -> tensor<32x32xf32>
      cnn.yield %0 : tensor<32x32xf32>
    }
    %c = cnn.group "c" (%x1 = %b) : (tensor<32x32xf32>) -> tensor<32x32xf32> {
      %0 = cnn.permute %x1 order [1, 0] : tensor<32x32xf32> -> tensor<32x32xf32>
      cnn.yield %0 : tensor<32x32xf32>
    }
    %y = cnn.group "y" (%x1 = %c, %x2 = %u, %x3 = %b) : (tensor<32x32xf32>, tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32> {
      %0 = cnn.add %x1, %x2 : tensor<32x32xf32>, tensor<32x32xf32> -> tensor<32x32xf32>
      %1 = cnn.add %0, %x3 : tensor<32x32xf32>, tensor<32x32xf32> -> tensor<32x32xf32>
      cnn.yield %1 : tensor<32x32xf32>
    }
    return %y : tensor<32x32xf32>
  }

  // A repeated group waits, with what only it reads, although its input does not come from the state.
  // CHECK-LABEL: func.func @eval(
  // CHECK-SAME: cnn.plan = [
  // CHECK-SAME: "arena {{[0-9]+}} + 4096: a#0, steps 0 to 1"
  // CHECK-SAME: "arena {{[0-9]+}} + 4096: window#0, steps 1 to 2"
  // CHECK-SAME: "arena {{[0-9]+}} + 4096: b#0, steps 1 to 2"
  // CHECK-SAME: "arena {{[0-9]+}} + 4096: again#0, steps 2 to 3"
  // CHECK-SAME: "arena {{[0-9]+}} + 4096: c#0, steps 2 to 3"
  func.func @eval(%x: tensor<32x32xf32> {cnn.name = "x"}) -> (tensor<32x32xf32> {cnn.name = "y"}) {
    %k = cnn.group "window" (%x1 = %x) : (tensor<32x32xf32>) -> tensor<32x32xf32> {
      %0 = cnn.permute %x1 order [1, 0] : tensor<32x32xf32> -> tensor<32x32xf32>
      cnn.yield %0 : tensor<32x32xf32>
    }
    %u = cnn.group "again" (%x1 = %k) : (tensor<32x32xf32>) -> tensor<32x32xf32> attributes {cnn.recomputed} {
      %0 = cnn.permute %x1 order [1, 0] : tensor<32x32xf32> -> tensor<32x32xf32>
      cnn.yield %0 : tensor<32x32xf32>
    }
    %a = cnn.group "a" (%x1 = %x) : (tensor<32x32xf32>) -> tensor<32x32xf32> {
      %0 = cnn.permute %x1 order [1, 0] : tensor<32x32xf32> -> tensor<32x32xf32>
      cnn.yield %0 : tensor<32x32xf32>
    }
    %b = cnn.group "b" (%x1 = %a) : (tensor<32x32xf32>) -> tensor<32x32xf32> {
      %0 = cnn.permute %x1 order [1, 0] : tensor<32x32xf32> -> tensor<32x32xf32>
      cnn.yield %0 : tensor<32x32xf32>
    }
    %c = cnn.group "c" (%x1 = %b) : (tensor<32x32xf32>) -> tensor<32x32xf32> {
      %0 = cnn.permute %x1 order [1, 0] : tensor<32x32xf32> -> tensor<32x32xf32>
      cnn.yield %0 : tensor<32x32xf32>
    }
    %y = cnn.group "y" (%x1 = %c, %x2 = %u) : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32> {
      %0 = cnn.add %x1, %x2 : tensor<32x32xf32>, tensor<32x32xf32> -> tensor<32x32xf32>
      cnn.yield %0 : tensor<32x32xf32>
    }
    return %y : tensor<32x32xf32>
  }
}
