// RUN: cnn-opt %s "--cnn-choose-layouts=cpu=sapphirerapids layout=plain" --cnn-choose-schedules --cnn-plan | FileCheck %s
// Fails when a result does not take the place of what nobody reads any longer, or takes that of what is still read,
// or is read at other elements.

module @net {
  // The relu takes the place of the sum, and the second sum that of the relu. Not so the reversed one: it reads other
  // elements than it stores. Not so `b`, which is read later.
  // CHECK-LABEL: func.func @infer(
  // CHECK-SAME: cnn.plan = [
  // CHECK-SAME: "arena {{[0-9]+}} + 4096: first#0 then second#0, steps 0 to 2"
  // CHECK-SAME: "arena {{[0-9]+}} + 4096: turned#0, steps 2 to 4"
  // CHECK-SAME: "arena {{[0-9]+}} + 4096: again#0, steps 3 to 4"
  // CHECK-SAME: "arena: 8192 bytes, 8192 in use at one time"]
  func.func @infer(%x: tensor<32x32xf32> {cnn.name = "x"}) -> (tensor<32x32xf32> {cnn.name = "y"}) {
    %a = cnn.group "first" (%x1 = %x) : (tensor<32x32xf32>) -> tensor<32x32xf32> {
      %0 = cnn.add %x1, %x1 : tensor<32x32xf32>, tensor<32x32xf32> -> tensor<32x32xf32>
      cnn.yield %0 : tensor<32x32xf32>
    }
    %b = cnn.group "second" (%x1 = %a) : (tensor<32x32xf32>) -> tensor<32x32xf32> {
      %0 = cnn.relu %x1 : tensor<32x32xf32> -> tensor<32x32xf32>
      cnn.yield %0 : tensor<32x32xf32>
    }
    %c = cnn.group "turned" (%x1 = %b) : (tensor<32x32xf32>) -> tensor<32x32xf32> {
      %0 = cnn.permute %x1 order [1, 0] : tensor<32x32xf32> -> tensor<32x32xf32>
      cnn.yield %0 : tensor<32x32xf32>
    }
    %d = cnn.group "again" (%x1 = %c) : (tensor<32x32xf32>) -> tensor<32x32xf32> {
      %0 = cnn.sigmoid %x1 : tensor<32x32xf32> -> tensor<32x32xf32>
      cnn.yield %0 : tensor<32x32xf32>
    }
    %e = cnn.group "last" (%x1 = %c, %x2 = %d) : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32> {
      %0 = cnn.add %x1, %x2 : tensor<32x32xf32>, tensor<32x32xf32> -> tensor<32x32xf32>
      cnn.yield %0 : tensor<32x32xf32>
    }
    return %e : tensor<32x32xf32>
  }

  // Not so where lanes beyond the end of a row store to the next one before that is read.
  // CHECK-LABEL: func.func @eval(
  // CHECK-SAME: cnn.plan = [
  // CHECK-SAME: : first.eval#0, steps 0 to 1"
  // CHECK-SAME: : second.eval#0, steps 1 to 2"
  func.func @eval(%x: tensor<32x20xf32> {cnn.name = "x"}) -> (tensor<32x20xf32> {cnn.name = "y"}) {
    %a = cnn.group "first.eval" (%x1 = %x) : (tensor<32x20xf32>) -> tensor<32x20xf32> {
      %0 = cnn.add %x1, %x1 : tensor<32x20xf32>, tensor<32x20xf32> -> tensor<32x20xf32>
      cnn.yield %0 : tensor<32x20xf32>
    }
    %b = cnn.group "second.eval" (%x1 = %a) : (tensor<32x20xf32>) -> tensor<32x20xf32> {
      %0 = cnn.relu %x1 : tensor<32x20xf32> -> tensor<32x20xf32>
      cnn.yield %0 : tensor<32x20xf32>
    }
    %c = cnn.group "third.eval" (%x1 = %b) : (tensor<32x20xf32>) -> tensor<32x20xf32> {
      %0 = cnn.sigmoid %x1 : tensor<32x20xf32> -> tensor<32x20xf32>
      cnn.yield %0 : tensor<32x20xf32>
    }
    return %c : tensor<32x20xf32>
  }
}
