// RUN: cnn-opt %s -cnn-gradient --split-input-file --verify-diagnostics
// Fails when a function without gradient is not refused where it stands.

func.func @f(%x: tensor<4x3xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{layer 'reduce_max' has no gradient: operation 'cnn.reduce_max' cannot be differentiated}}
  %0 = cnn.reduce_max %x dims [1] : tensor<4x3xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// expected-error@+1 {{function 'f' must have one block}}
func.func private @f(tensor<4x3xf32>)

// -----

// expected-error@+1 {{the name 'f_grad' is taken}}
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
func.func @f_grad(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
