// RUN: cnn-opt %s --cnn-plan --verify-diagnostics --split-input-file
// Breaks if the plan goes on without what earlier phases give.

// expected-error @below {{the module has no cnn.machine}}
module {
}

// -----

module attributes {cnn.machine = {cpu = "haswell", vector_bits = 256 : i64, registers = 16 : i64}} {
  func.func @f(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
    // expected-error @below {{'cnn.sigmoid' is outside of every group}}
    %s = cnn.sigmoid %x : tensor<3x4xf32> -> tensor<3x4xf32>
    return %s : tensor<3x4xf32>
  }
}

// -----

module attributes {cnn.machine = {cpu = "haswell", vector_bits = 256 : i64, registers = 16 : i64}} {
  func.func @f(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
    // expected-error @below {{group 'g' has no schedule}}
    %y = cnn.group "g" (%a = %x) : (tensor<3x4xf32>) -> tensor<3x4xf32> {
      %s = cnn.sigmoid %a : tensor<3x4xf32> -> tensor<3x4xf32>
      cnn.yield %s : tensor<3x4xf32>
    }
    return %y : tensor<3x4xf32>
  }
}
