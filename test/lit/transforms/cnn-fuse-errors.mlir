// RUN: cnn-opt %s -cnn-fuse --split-input-file --verify-diagnostics
// Fails when a function that fusion cannot order is not refused.

// expected-error@+1 {{function 'f' must have one block to be fused}}
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  llvm.br ^end
^end:
  return %x : tensor<4xf32>
}
